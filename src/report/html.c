#include "report/html.h"

#include "report/palette.h"

#include <math.h>

static const char style[] =
    ":root{color-scheme:light dark;" PALETTE_LIGHT "}\n"
    "@media (prefers-color-scheme:dark){:root{" PALETTE_DARK "}}\n"
    "*{box-sizing:border-box}\n"
    "html{-webkit-text-size-adjust:100%}\n"
    "body{margin:0 auto;padding:40px 28px 64px;max-width:1010px;color:var(--ink);background:var(--page);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\n"
    "h1{font-size:27px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}\n"
    "h2{font-size:19px;margin:0 0 2px}\n"
    "h3{font-size:15px;margin:24px 0 6px;overflow-wrap:anywhere}\n"
    "p,li{max-width:78ch;overflow-wrap:anywhere}p{margin:8px 0}ul{margin:10px "
    "0;padding-left:20px}li{margin:5px 0}\n"
    "a{color:var(--link)}\n"
    "nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:22px 0 0;padding:10px 0;border-top:1px solid "
    "var(--line);font-size:13px}nav a{text-decoration:none}nav a:hover{text-decoration:underline}\n"
    "section{border-top:1px solid var(--line);margin-top:32px;padding-top:20px}\n"
    ".lead{font-size:17px;max-width:72ch}\n"
    ".source{color:var(--soft);font-size:13px;margin:0 0 12px;max-width:none}\n"
    ".hint{color:var(--soft);font-size:13px}\n"
    ".missing{background:var(--tint);border-left:3px solid var(--c7);padding:8px 12px;max-width:none}\n"
    ".warning{background:var(--warnbg);border-left:3px solid var(--c6);padding:8px 12px;max-width:none}\n"
    ".facts{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:20px 0 0}\n"
    ".fact{border:1px solid var(--line);border-radius:6px;padding:10px 14px;min-width:0}\n"
    ".fact span{display:block;color:var(--soft);font-size:12.5px;overflow-wrap:anywhere}\n"
    ".fact b{display:block;font-size:20px;line-height:1.3;font-variant-numeric:tabular-nums;"
    "overflow-wrap:anywhere}\n"
    ".wide{overflow-x:auto}\n"
    "table{border-collapse:collapse;font-size:13.5px;margin:12px 0;width:100%;"
    "font-variant-numeric:tabular-nums}\n"
    "th{color:var(--soft);font-weight:600;text-align:left;border-bottom:2px solid var(--line);"
    "vertical-align:bottom}\n"
    "th.n{white-space:normal}\n"
    "table.small{width:auto;min-width:52%}\n"
    "th,td{padding:6px 0 6px 16px}th:first-child,td:first-child{padding-left:0}\n"
    "td{border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}\n"
    "td.t{min-width:7.5em;max-width:34em}\n"
    ".n{text-align:right;white-space:nowrap}\n"
    "td small{display:block;color:var(--soft);font-size:12.5px;line-height:1.4;white-space:normal}\n"
    ".mark{display:inline-block;border-radius:9px;padding:0 8px;font-size:12.5px;"
    "background:var(--neutralbg);white-space:nowrap}\n"
    ".good{background:var(--goodbg);color:var(--good)}.bad{background:var(--badbg);color:var(--bad)}"
    ".open{background:var(--openbg);color:var(--open)}\n"
    "td.heat{text-align:right;white-space:nowrap;border-radius:4px;padding-right:8px}\n"
    "td.g{background:color-mix(in srgb,var(--c1) var(--k),transparent)}"
    "td.b{background:color-mix(in srgb,var(--c2) var(--k),transparent)}\n"
    "figure{margin:18px 0}figure svg{max-width:100%;height:auto;display:block;color:var(--ink)}\n"
    "figure svg text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\n"
    "figure svg.narrow{display:none}\n"
    "figcaption{color:var(--soft);font-size:13px;margin-top:6px;max-width:85ch}\n"
    ".pipe .box{fill:var(--page);stroke:var(--c7);stroke-width:1.2}.pipe "
    ".box.limit{stroke:var(--c6);stroke-width:2.4}"
    ".pipe .trough{fill:var(--trough)}.pipe .level{fill:var(--c1)}.pipe .level.limit{fill:var(--c6)}"
    ".pipe .flow,.pipe .call{fill:none;stroke:var(--soft);stroke-width:1.5}.pipe .call{stroke-dasharray:5 4}"
    ".pipe .tip{fill:var(--soft)}.pipe .name{font-weight:600;font-size:14.5px;fill:var(--ink)}"
    ".pipe .soft{fill:var(--soft);font-size:12.5px}.pipe .figure{fill:var(--ink)}"
    ".pipe .flag{fill:var(--c6);font-size:12px;font-weight:600}\n"
    "details{margin:-8px 0 18px;font-size:13px}summary{color:var(--soft);cursor:pointer}\n"
    "details .wide{max-height:22em;overflow:auto}\n"
    "footer{border-top:1px solid var(--line);margin-top:36px;padding-top:10px;color:var(--soft);"
    "font-size:12.5px}\n"
    "@media (max-width:760px){body{padding:22px 14px 40px}h1{font-size:23px}.lead{font-size:16px}"
    ".facts{grid-template-columns:repeat(2,1fr);gap:8px}.fact{padding:8px 10px}.fact b{font-size:17px}"
    "figure svg.narrow{display:block}figure svg.wide-form{display:none}"
    "td.t{min-width:6.5em}table:not(.small) "
    "td.t:first-child{min-width:13.5em}td.n{white-space:normal;min-width:7.2em}table{font-size:13px}th,td{"
    "padding-left:"
    "12px}}\n"
    "@media print{:root{" PALETTE_LIGHT
    "}body{padding:0;max-width:none;font-size:11pt}nav,details{display:none}"
    ".wide{overflow:visible}table{font-size:9pt}figure,tr,.fact{break-inside:avoid}h2,h3{break-after:avoid}"
    "figure svg.narrow{display:none}figure svg.wide-form{display:block}"
    ".mark,.missing,.warning,.heat{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n";

static void list_end(struct doc *d)
{
    text_add(d->out, "</ul>\n");
}

static void begin(struct doc *d, const char *title)
{
    text_add(d->out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n"
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

static void contents(struct doc *d, const struct doc_entry *entries, size_t n)
{
    text_add(d->out, "<nav aria-label=\"Contents\">\n");
    for (size_t i = 0; i < n; i++) {
        text_printf(d->out, "<a href=\"#%s\">", entries[i].id);
        text_add_html(d->out, entries[i].title);
        text_add(d->out, "</a>\n");
    }
    text_add(d->out, "</nav>\n");
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

static void item(struct doc *d, const char *text)
{
    element(d, d->in_list ? "<li>" : "<ul>\n<li>", text, "</li>\n");
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
    return d->heads[column][0] == '>' ? " class=\"n\"" : " class=\"t\"";
}

static void table(struct doc *d, const char *const *heads, int columns)
{
    text_printf(d->out, "<div class=\"wide\"><table%s>\n<thead><tr>", columns <= 4 ? " class=\"small\"" : "");
    for (int i = 0; i < columns; i++) {
        text_printf(d->out, "<th%s>", heads[i][0] == '>' ? " class=\"n\"" : "");
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

static void shade(struct doc *d, double strength, const char *text)
{
    double k = isfinite(strength) ? fmin(1, fabs(strength)) : 0;

    text_printf(d->out, "<td class=\"heat %s\" style=\"--k:%.0f%%\">", strength >= 0 ? "g" : "b", 45 * k);
    element(d, "", text, "</td>");
}

static void drawing(struct doc *d, const struct doc_drawing *w)
{
    text_add(d->out, "<figure>\n");
    text_add(d->out, w->wide);
    if (w->narrow != NULL)
        text_add(d->out, w->narrow);
    element(d, "<figcaption>", w->caption, "</figcaption>\n</figure>\n");
}

static void details(struct doc *d, const char *summary)
{
    element(d, "<details><summary>", summary, "</summary>\n");
}

static void details_end(struct doc *d)
{
    text_add(d->out, "</details>\n");
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
    .shade = shade,
    .item = item,
    .list_end = list_end,
    .drawing = drawing,
    .contents = contents,
    .details = details,
    .details_end = details_end,
};
