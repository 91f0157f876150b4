/*
 * pdf_page.h - A4 pages that fill from top to bottom: text, tables that go on over pages with their heads
 * again, drawings.  Points (1/72 inch) throughout.  All text is plain and comes unescaped.
 */
#ifndef REPORT_PDF_PAGE_H
#define REPORT_PDF_PAGE_H

#include <stdbool.h>

struct page; /* the document and where its pen stands */
struct text;

enum page_colour { PAGE_INK, PAGE_SOFT, PAGE_LINE, PAGE_GOOD, PAGE_BAD, PAGE_OPEN, PAGE_GAIN, PAGE_LOSS };

struct page_style {
    double size, before, after, indent;
    bool bold, dot;               /* a dot before an item of a list */
    enum page_colour colour, bar; /* bar: a line at the left; PAGE_INK: none */
};

struct page_cell {
    const char *text, *note; /* note: a smaller second paragraph; NULL or "": none */
    bool bold;
    enum page_colour colour;
    double shade; /* 1: the background of a gain, -1: of a loss */
};

struct page *page_new(const char *title, struct text *out);
void page_free(struct page *p); /* ends the document: its bytes are in `out` */

void page_text(struct page *p, const char *text, const struct page_style *style);
void page_rule(struct page *p, double before);
void page_keep(struct page *p, double height); /* a new page unless so much of this one is left */

/* Heads as doc_table() takes them; columns get their widths from what stands in them. */
void page_table(struct page *p, const char *const *heads, int columns);
void page_row(struct page *p);
void page_cell(struct page *p, const struct page_cell *cell);
void page_table_end(struct page *p);

void page_drawing(struct page *p, const char *svg, const char *caption);

#endif
