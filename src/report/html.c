#include "report/html.h"

static const char style[] =
    ":root{--ink:#1c2430;--soft:#5b6675;--line:#d9dee5;--tint:#f5f7f9;--blue:#0b5a94;--good:#0a6b4b;--bad:#"
    "a3360a}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:40px 28px 64px;max-width:1010px;color:var(--ink);background:#fff;"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\n"
    "h1{font-size:27px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}\n"
    "h2{font-size:19px;margin:0 0 2px}\n"
    "h3{font-size:15px;margin:22px 0 6px}\n"
    "p{margin:8px 0;max-width:78ch;overflow-wrap:anywhere}\n"
    "section{border-top:1px solid var(--line);margin-top:30px;padding-top:20px}\n"
    ".lead{font-size:17px;max-width:72ch}\n"
    ".source{color:var(--soft);font-size:13px;margin:0 0 12px;max-width:none}\n"
    ".hint{color:var(--soft);font-size:13px}\n"
    ".missing{background:var(--tint);border-left:3px solid #9aa5b1;padding:8px 12px;max-width:none}\n"
    ".warning{background:#fff6ec;border-left:3px solid #d77a1f;padding:8px 12px;max-width:none}\n"
    ".facts{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:20px 0 0}\n"
    ".fact{border:1px solid var(--line);border-radius:6px;padding:10px 14px;min-width:0}\n"
    ".fact span{display:block;color:var(--soft);font-size:12.5px}\n"
    ".fact "
    "b{display:block;font-size:20px;line-height:1.3;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}"
    "\n"
    ".wide{overflow-x:auto}\n"
    "table{border-collapse:collapse;font-size:13.5px;margin:12px "
    "0;width:100%;font-variant-numeric:tabular-nums}\n"
    "th{color:var(--soft);font-weight:600;text-align:left;border-bottom:2px solid "
    "var(--line);vertical-align:bottom;overflow-wrap:anywhere}\nth.n{white-space:normal}\n"
    "table.small{width:auto;min-width:52%}\n"
    "th,td{padding:6px 0 6px 16px}th:first-child,td:first-child{padding-left:0}\n"
    "td{border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}\n"
    ".n{text-align:right;white-space:nowrap}\n"
    "td small{display:block;color:var(--soft);font-size:12.5px;line-height:1.4;white-space:normal}\n"
    ".mark{display:inline-block;border-radius:9px;padding:0 "
    "8px;font-size:12.5px;background:#e9edf1;white-space:nowrap}\n"
    ".good{background:#dff1ea;color:var(--good)}.bad{background:#fbe6dc;color:var(--bad)}"
    ".open{background:#fdf1d8;color:#7a5200}\n"
    "figure{margin:16px 0}figure svg{max-width:100%;height:auto;display:block}\n"
    "figcaption{color:var(--soft);font-size:13px;margin-top:4px;max-width:85ch}\n"
    "footer{border-top:1px solid "
    "var(--line);margin-top:36px;padding-top:10px;color:var(--soft);font-size:12.5px}\n"
    "@media (max-width:760px){.facts{grid-template-columns:repeat(2,1fr)}}\n"
    "@media print{body{padding:0;max-width:none;font-size:11pt}.wide{overflow:visible}table{font-size:9pt}"
    "figure,tr,.fact{break-inside:avoid}h2,h3{break-after:avoid}"
    ".mark,.missing,.warning{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n";

static void begin(struct doc *d, const char *title)
{
    text_add(d->out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                     "'unsafe-inline'\">\n<title>");
    text_add_html(d->out, title);
    text_add(d->out, "</title>\n<style>\n");
    text_add(d->out, style);
    text_add(d->out, "</style>\n</head>\n<body>\n<h1>");
    text_add_html(d->out, title);
    text_add(d->out, "</h1>\n");
}

static void end(struct doc *d)
{
    text_add(d->out,
             "<footer>Made by foresight from results kept in its store; nothing in this file is loaded from "
             "elsewhere.</footer>\n</body>\n</html>\n");
}

static void section(struct doc *d, const char *id, const char *title)
{
    text_printf(d->out, "<section id=\"%s\">\n<h2>", id);
    text_add_html(d->out, title);
    text_add(d->out, "</h2>\n");
}

static void section_end(struct doc *d)
{
    text_add(d->out, "</section>\n");
}

static void element(struct doc *d, const char *open, const char *text, const char *close)
{
    text_add(d->out, open);
    text_add_html(d->out, text);
    text_add(d->out, close);
}

static void heading(struct doc *d, const char *title)
{
    element(d, "<h3>", title, "</h3>\n");
}

static void block(struct doc *d, enum doc_kind kind, const char *text)
{
    static const char *const open[] = {
        [DOC_PARA] = "<p>",
        [DOC_LEAD] = "<p class=\"lead\">",
        [DOC_SOURCE] = "<p class=\"source\">",
        [DOC_HINT] = "<p class=\"hint\">",
        [DOC_MISSING] = "<p class=\"missing\">",
        [DOC_WARNING] = "<p class=\"warning\">",
    };

    element(d, open[kind], text, "</p>\n");
}

static void facts(struct doc *d, bool begins)
{
    text_add(d->out, begins ? "<div class=\"facts\">\n" : "</div>\n");
}

static void fact(struct doc *d, const char *label, const char *value, const char *note)
{
    element(d, "<div class=\"fact\"><span>", label, "</span>");
    element(d, "<b>", value, "</b>");
    element(d, "<span>", note, "</span></div>\n");
}

static const char *cell_class(const struct doc *d, int column)
{
    return d->heads[column][0] == '>' ? " class=\"n\"" : "";
}

static void table(struct doc *d, const char *const *heads, int columns)
{
    text_printf(d->out, "<div class=\"wide\"><table%s>\n<thead><tr>", columns <= 4 ? " class=\"small\"" : "");
    for (int i = 0; i < columns; i++) {
        text_printf(d->out, "<th%s>", cell_class(d, i));
        element(d, "", heads[i] + 1, "</th>");
    }
    text_add(d->out, "</tr></thead>\n<tbody>\n");
}

static void table_end(struct doc *d)
{
    text_add(d->out, "</tbody>\n</table></div>\n");
}

static void row(struct doc *d)
{
    text_add(d->out, "<tr>");
}

static void row_end(struct doc *d)
{
    text_add(d->out, "</tr>\n");
}

static void cell(struct doc *d, const char *text, const char *note)
{
    text_printf(d->out, "<td%s>", cell_class(d, d->column));
    text_add_html(d->out, text);
    if (note[0] != '\0')
        element(d, "<small>", note, "</small>");
    text_add(d->out, "</td>");
}

static void mark(struct doc *d, enum doc_tone tone, const char *text)
{
    static const char *const tones[] = {
        [DOC_NEUTRAL] = "", [DOC_GOOD] = " good", [DOC_BAD] = " bad", [DOC_OPEN] = " open"};

    text_printf(d->out, "<td><span class=\"mark%s\">", tones[tone]);
    element(d, "", text, "</span></td>");
}

static void svg(struct doc *d, const char *drawing, const char *caption)
{
    text_add(d->out, "<figure>\n");
    text_add(d->out, drawing);
    element(d, "<figcaption>", caption, "</figcaption>\n</figure>\n");
}

const struct doc_format html_format = {
    .begin = begin,
    .end = end,
    .section = section,
    .section_end = section_end,
    .heading = heading,
    .block = block,
    .facts = facts,
    .fact = fact,
    .table = table,
    .table_end = table_end,
    .row = row,
    .row_end = row_end,
    .cell = cell,
    .mark = mark,
    .svg = svg,
};
