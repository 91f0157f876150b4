#include "report/doc.h"

#include "report/plot.h"

#include <math.h>
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

static void leave_list(struct doc *d)
{
    if (d->in_list && d->format->list_end != NULL)
        d->format->list_end(d);
    d->in_list = false;
}

bool doc_has_drawings(const struct doc *d)
{
    return d->format->drawing != NULL;
}

void doc_begin(struct doc *d, const char *title)
{
    d->column = OUTSIDE;
    d->format->begin(d, title);
}

void doc_end(struct doc *d)
{
    leave_list(d);
    d->format->end(d);
}

void doc_section(struct doc *d, const char *id, const char *title)
{
    leave_list(d);
    d->format->section(d, id, title);
}

void doc_section_end(struct doc *d)
{
    leave_list(d);
    d->format->section_end(d);
}

void doc_heading(struct doc *d, const char *title)
{
    leave_list(d);
    d->format->heading(d, title);
}

void doc_block(struct doc *d, enum doc_kind kind, const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    format_text(&t, fmt, ap);
    va_end(ap);
    leave_list(d);
    d->format->block(d, kind, t.s);
    text_free(&t);
}

void doc_facts(struct doc *d)
{
    leave_list(d);
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
    leave_list(d);
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

void doc_shade(struct doc *d, double strength, const char *text)
{
    ASSERT(d->column >= 0 && d->column < d->columns);
    d->format->shade(d, strength, text);
    d->column++;
}

void doc_item(struct doc *d, const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    format_text(&t, fmt, ap);
    va_end(ap);
    d->format->item(d, t.s);
    d->in_list = true;
    text_free(&t);
}

void doc_contents(struct doc *d, const struct doc_entry *entries, size_t n)
{
    leave_list(d);
    if (d->format->contents != NULL)
        d->format->contents(d, entries, n);
}

void doc_drawing(struct doc *d, const struct doc_drawing *drawing)
{
    leave_list(d);
    if (doc_has_drawings(d))
        d->format->drawing(d, drawing);
}

/* ------------------------------------------------------------------- plots */

static void cell_number(struct doc *d, double v)
{
    if (isfinite(v))
        doc_cell(d, "%.5g", v);
    else
        doc_cell(d, "%s", "");
}

static void data_row(struct doc *d, const struct plot *p, size_t s, size_t i)
{
    const struct plot_series *series = &p->series[s];
    const struct plot_point *v = &series->points[i];

    doc_row(d);
    doc_cell(d, "%s", series->name != NULL ? series->name : series->label);
    if (p->kind == PLOT_LINES)
        cell_number(d, v->x);
    else if (p->labels != NULL)
        doc_cell(d, "%s", p->labels[i]);
    else
        doc_cell(d, "%zu", i + 1);
    cell_number(d, v->value);
    cell_number(d, v->lo);
    cell_number(d, v->hi);
}

/* What is drawn, for those who cannot see it and for those who want the numbers. */
static void plot_data_table(struct doc *d, const struct plot *p)
{
    static const char *const rows[] = {"<Series", "<Row", ">Value", ">From", ">To", NULL},
                             *const lines[] = {"<Series", ">At", ">Value", ">From", ">To", NULL};

    if (d->format->details == NULL)
        return;
    leave_list(d);
    d->format->details(d, "The data of this plot");
    doc_table(d, p->kind == PLOT_LINES ? lines : rows);
    for (size_t s = 0; s < p->n_series; s++)
        for (size_t i = 0; i < (p->kind == PLOT_LINES ? p->series[s].n : p->rows); i++)
            data_row(d, p, s, i);
    doc_table_end(d);
    d->format->details_end(d);
}

void doc_plot(struct doc *d, const struct plot *p, const char *caption)
{
    struct doc_drawing drawing = {.caption = caption};

    if (d->collect != NULL) {
        d->collect(d, p);
        return;
    }
    if (!doc_has_drawings(d))
        return;
    d->n_plots++;
    drawing.wide = plot_book_svg(d->book, d->n_plots, PLOT_WIDE);
    drawing.narrow = plot_book_svg(d->book, d->n_plots, PLOT_NARROW);
    if (drawing.wide != NULL)
        doc_drawing(d, &drawing);
    else
        doc_block(d, DOC_MISSING, "No plot here: %s. The data below, or a table, has the same figures.",
                  d->plots.text);
    plot_data_table(d, p);
}
