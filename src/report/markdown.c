#include "report/markdown.h"

#include <string.h>

/* Every character that Markdown or the HTML inside it could take for markup is written as itself. */
static void add_escaped(struct text *t, const char *s)
{
    for (size_t control; *s != '\0'; s += control > 0 ? control : 1) {
        control = text_control(s);
        if (control > 0 || *s == '\n' || *s == '\t')
            text_add(t, " ");
        else if (*s == '<' || *s == '>' || *s == '&')
            text_add(t, *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&amp;");
        else if (strchr("\\`*_[]|#~!", *s) != NULL)
            text_printf(t, "\\%c", *s);
        else
            text_add_n(t, s, 1);
    }
}

static void begin(struct doc *d, const char *title)
{
    text_add(d->out, "# ");
    add_escaped(d->out, title);
    text_add(d->out, "\n");
}

static void end(struct doc *d)
{
    text_add(d->out, "\nMade by foresight from results kept in its store.\n");
}

static void heading_of(struct doc *d, const char *marks, const char *title)
{
    text_printf(d->out, "\n%s ", marks);
    add_escaped(d->out, title);
    text_add(d->out, "\n");
}

static void section(struct doc *d, const char *id, const char *title)
{
    (void)id;
    heading_of(d, "##", title);
}

static void section_end(struct doc *d)
{
    (void)d;
}

static void heading(struct doc *d, const char *title)
{
    heading_of(d, "###", title);
}

static void block(struct doc *d, enum doc_kind kind, const char *text)
{
    static const char *const before[] = {
        [DOC_PARA] = "", [DOC_LEAD] = "",      [DOC_SOURCE] = "",
        [DOC_HINT] = "", [DOC_MISSING] = "> ", [DOC_WARNING] = "> **Warning:** "};

    text_add(d->out, "\n");
    text_add(d->out, before[kind]);
    add_escaped(d->out, text);
    text_add(d->out, "\n");
}

static void facts(struct doc *d, bool begins)
{
    if (begins)
        text_add(d->out, "\n");
}

static void fact(struct doc *d, const char *label, const char *value, const char *note)
{
    text_add(d->out, "- ");
    add_escaped(d->out, label);
    text_add(d->out, ": **");
    add_escaped(d->out, value);
    text_add(d->out, note[0] != '\0' ? "** (" : "**");
    add_escaped(d->out, note);
    text_add(d->out, note[0] != '\0' ? ")\n" : "\n");
}

static void table(struct doc *d, const char *const *heads, int columns)
{
    text_add(d->out, "\n|");
    for (int i = 0; i < columns; i++) {
        text_add(d->out, " ");
        add_escaped(d->out, heads[i] + 1);
        text_add(d->out, " |");
    }
    text_add(d->out, "\n|");
    for (int i = 0; i < columns; i++)
        text_add(d->out, heads[i][0] == '>' ? " ---: |" : " --- |");
    text_add(d->out, "\n");
}

static void table_end(struct doc *d)
{
    (void)d;
}

static void row(struct doc *d)
{
    text_add(d->out, "|");
}

static void row_end(struct doc *d)
{
    text_add(d->out, "\n");
}

static void cell(struct doc *d, const char *text, const char *note)
{
    text_add(d->out, " ");
    add_escaped(d->out, text);
    if (note[0] != '\0') {
        text_add(d->out, "<br>");
        add_escaped(d->out, note);
    }
    text_add(d->out, " |");
}

static void mark(struct doc *d, enum doc_tone tone, const char *text)
{
    (void)tone;
    cell(d, text, "");
}

static void shade(struct doc *d, double strength, const char *text)
{
    (void)strength;
    cell(d, text, "");
}

static void item(struct doc *d, const char *text)
{
    text_add(d->out, d->in_list ? "- " : "\n- ");
    add_escaped(d->out, text);
    text_add(d->out, "\n");
}

const struct doc_format markdown_format = {
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
};
