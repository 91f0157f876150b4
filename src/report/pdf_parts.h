/*
 * pdf_parts.h - the inside of a page, shared by its text and its tables and by nobody else.
 */
#ifndef REPORT_PDF_PARTS_H
#define REPORT_PDF_PARTS_H

#include "report/pdf_page.h"

#include <cairo.h>
#include <pango/pangocairo.h>

#define PAGE_WIDTH  595.28
#define PAGE_HEIGHT 841.89
#define PAGE_MARGIN 46.0
#define PAGE_BODY   (PAGE_WIDTH - 2 * PAGE_MARGIN)

enum { COLUMNS_MOST = 16 };

struct stored_cell {
    char *text, *note;
    bool bold;
    enum page_colour colour;
    double shade;
};

/* A table is kept until its end, because its widths come from all of it. */
struct page_grid {
    char *heads[COLUMNS_MOST];
    bool right[COLUMNS_MOST];
    int columns, column;
    struct stored_cell *cells; /* row after row */
    size_t n, room;
};

struct page {
    cairo_surface_t *surface;
    cairo_t *cr;
    double y;
    int number;
    struct page_grid grid;
};

void page_colour(struct page *p, enum page_colour c, double alpha);
void page_break(struct page *p);
void page_line(struct page *p, double length, double width); /* where the pen is */
PangoLayout *page_layout(struct page *p, const char *text, double size, bool bold, double width, bool right);
double page_height(PangoLayout *l);

#endif
