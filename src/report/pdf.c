#include "report/pdf.h"

#ifdef HAVE_PDF

#include "base/arena.h"
#include "report/pdf_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct page *page_of(const struct doc *d)
{
    return d->state;
}

static void begin(struct doc *d, const char *title)
{
    d->state = page_new(title, d->out);
    page_text(page_of(d), title, &(struct page_style){.size = 20, .bold = true, .after = 6});
}

static void end(struct doc *d)
{
    page_text(page_of(d), "Made by foresight from results kept in its store.",
              &(struct page_style){.size = 8, .colour = PAGE_SOFT, .before = 14});
    page_free(page_of(d));
    d->state = NULL;
}

static void section(struct doc *d, const char *id, const char *title)
{
    (void)id;
    page_rule(page_of(d), 14);
    page_text(page_of(d), title, &(struct page_style){.size = 14, .bold = true, .before = 6, .after = 2});
}

static void section_end(struct doc *d)
{
    (void)d;
}

static void heading(struct doc *d, const char *title)
{
    page_keep(page_of(d), 150);
    page_text(page_of(d), title, &(struct page_style){.size = 11, .bold = true, .before = 10, .after = 2});
}

static void block(struct doc *d, enum doc_kind kind, const char *text)
{
    static const struct page_style styles[] = {
        [DOC_PARA] = {.size = 9.5, .before = 3, .after = 3},
        [DOC_LEAD] = {.size = 11.5, .before = 4, .after = 6},
        [DOC_SOURCE] = {.size = 8, .colour = PAGE_SOFT, .after = 5},
        [DOC_HINT] = {.size = 8, .colour = PAGE_SOFT, .before = 3, .after = 4},
        [DOC_MISSING] = {.size = 9.5, .before = 4, .after = 4, .indent = 8, .bar = PAGE_SOFT},
        [DOC_WARNING] = {.size = 9.5, .before = 4, .after = 4, .indent = 8, .bar = PAGE_BAD},
    };

    page_text(page_of(d), text, &styles[kind]);
}

static void item(struct doc *d, const char *text)
{
    page_text(page_of(d), text,
              &(struct page_style){.size = 9.5, .before = 1.5, .after = 1.5, .indent = 12, .dot = true});
}

static void facts(struct doc *d, bool begins)
{
    static const char *const heads[] = {"<", "<", "<"};

    if (begins)
        page_table(page_of(d), heads, 3);
    else
        page_table_end(page_of(d));
}

static void fact(struct doc *d, const char *label, const char *value, const char *note)
{
    page_row(page_of(d));
    page_cell(page_of(d), &(struct page_cell){.text = label});
    page_cell(page_of(d), &(struct page_cell){.text = value, .bold = true});
    page_cell(page_of(d), &(struct page_cell){.text = note});
}

static void table(struct doc *d, const char *const *heads, int columns)
{
    page_table(page_of(d), heads, columns);
}

static void table_end(struct doc *d)
{
    page_table_end(page_of(d));
}

static void row(struct doc *d)
{
    page_row(page_of(d));
}

static void row_end(struct doc *d)
{
    (void)d;
}

static void cell(struct doc *d, const char *text, const char *note)
{
    page_cell(page_of(d), &(struct page_cell){.text = text, .note = note});
}

static void mark(struct doc *d, enum doc_tone tone, const char *text)
{
    static const enum page_colour colours[] = {
        [DOC_NEUTRAL] = PAGE_INK, [DOC_GOOD] = PAGE_GOOD, [DOC_BAD] = PAGE_BAD, [DOC_OPEN] = PAGE_OPEN};

    page_cell(page_of(d), &(struct page_cell){.text = text, .bold = true, .colour = colours[tone]});
}

static void shade(struct doc *d, double strength, const char *text)
{
    page_cell(page_of(d), &(struct page_cell){.text = text, .shade = isfinite(strength) ? strength : 0});
}

static void drawing(struct doc *d, const struct doc_drawing *w)
{
    page_drawing(page_of(d), w->wide, w->caption);
}

const struct doc_format pdf_format = {
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
    .drawing = drawing,
    .colours_fixed = true,
};

int pdf_check(struct err *err)
{
    (void)err;
    return 0;
}

#else

const struct doc_format pdf_format; /* pdf_check() is asked first */

int pdf_check(struct err *err)
{
    return err_set(
        err, ERR_PROGRAM,
        "PDF was not compiled in; install libpango1.0-dev and librsvg2-dev (Debian) and build again, "
        "or write .html and print it");
}

#endif
