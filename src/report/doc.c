#include "report/doc.h"

#include "report/plot.h"

#include <stdlib.h>

enum { OUTSIDE = -1 };

static void format_text(struct text *t, const char *fmt, va_list ap)
{
    char *s = NULL;
    int n = vasprintf(&s, fmt, ap);

    ASSERT(n >= 0);
    text_add_n(t, s, (size_t)n);
    free(s);
}

bool doc_has_drawings(const struct doc *d)
{
    return d->format->svg != NULL;
}

void doc_begin(struct doc *d, const char *title)
{
    d->column = OUTSIDE;
    d->format->begin(d, title);
}

void doc_end(struct doc *d)
{
    d->format->end(d);
}

void doc_section(struct doc *d, const char *id, const char *title)
{
    d->format->section(d, id, title);
}

void doc_section_end(struct doc *d)
{
    d->format->section_end(d);
}

void doc_heading(struct doc *d, const char *title)
{
    d->format->heading(d, title);
}

void doc_block(struct doc *d, enum doc_kind kind, const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    format_text(&t, fmt, ap);
    va_end(ap);
    d->format->block(d, kind, t.s);
    text_free(&t);
}

void doc_facts(struct doc *d)
{
    d->format->facts(d, true);
}

void doc_fact(struct doc *d, const char *label, const char *value, const char *note)
{
    d->format->fact(d, label, value, note);
}

void doc_facts_end(struct doc *d)
{
    d->format->facts(d, false);
}

void doc_table(struct doc *d, const char *const *heads)
{
    d->heads = heads;
    for (d->columns = 0; heads[d->columns] != NULL; d->columns++)
        ASSERT(heads[d->columns][0] == '<' || heads[d->columns][0] == '>');
    d->column = OUTSIDE;
    d->format->table(d, heads, d->columns);
}

static void finish_row(struct doc *d)
{
    if (d->column == OUTSIDE)
        return;
    ASSERT(d->column == d->columns);
    d->format->row_end(d);
    d->column = OUTSIDE;
}

void doc_table_end(struct doc *d)
{
    finish_row(d);
    d->format->table_end(d);
}

void doc_row(struct doc *d)
{
    finish_row(d);
    d->column = 0;
    d->format->row(d);
}

void doc_cell(struct doc *d, const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    format_text(&t, fmt, ap);
    va_end(ap);
    doc_cell_note(d, t.s, "");
    text_free(&t);
}

void doc_cell_note(struct doc *d, const char *text, const char *note)
{
    ASSERT(d->column >= 0 && d->column < d->columns);
    d->format->cell(d, text, note);
    d->column++;
}

void doc_mark(struct doc *d, enum doc_tone tone, const char *text)
{
    ASSERT(d->column >= 0 && d->column < d->columns);
    d->format->mark(d, tone, text);
    d->column++;
}

void doc_svg(struct doc *d, const char *svg, const char *caption)
{
    if (doc_has_drawings(d))
        d->format->svg(d, svg, caption);
}

void doc_plot(struct doc *d, const struct plot *p, const char *caption)
{
    struct plot numbered = *p;
    struct text svg = {0};

    if (!doc_has_drawings(d))
        return;
    numbered.number = ++d->n_plots;
    if (d->plots.code == 0 && plot_svg(&numbered, &svg, &d->plots) == 0)
        doc_svg(d, svg.s, caption);
    else
        doc_block(d, DOC_MISSING, "No plot here: %s. The table has the same figures.", d->plots.text);
    text_free(&svg);
}
