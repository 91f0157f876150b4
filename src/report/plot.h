/*
 * plot.h - the one door to gnuplot.
 *
 * A plot is a small description.  Plots are collected in a book, drawn all together by one gnuplot, and come
 * back as SVG to be placed inside an HTML page (in a wide and in a narrow form, its colours those of the
 * page), as plain SVG, or as characters for a terminal.
 *
 * gnuplot never sees text of the user: it is given numbers, row numbers and series numbers, and the names
 * take their places afterwards, escaped.  Titles and words on the plot are the program's own; plot_title()
 * insists.
 */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct text;

enum plot_kind {
    PLOT_INTERVALS, /* a row per label: each series a point with its interval, along x */
    PLOT_STACKED,   /* a row per label: the series end to end as a bar, along x */
    PLOT_RANGES,    /* a row per label: each series a bar from lo to hi, along x */
    PLOT_SCATTER,   /* series[0] is x, series[1] is y, numbered points with intervals, the line y = x */
    PLOT_LINES      /* each series its own points over x */
};

enum plot_style { STYLE_LINE, STYLE_DASHED, STYLE_POINTS, STYLE_STEPS, STYLE_MARKED /* line and points */ };

struct plot_point {
    double value, lo, hi;  /* NAN: no value, or no interval */
    double far_lo, far_hi; /* PLOT_INTERVALS: a second, longer interval, drawn thin; NAN: none */
    double x;              /* PLOT_LINES */
};

struct plot_series {
    const char *name;                /* the program's own; NULL: `label` */
    const struct plot_point *points; /* one per row; PLOT_LINES: as many as `n` */
    size_t n;
    enum plot_style style;
    int shade;         /* 0: its own; else the number of a colour, from 1 */
    const char *label; /* a user's text */
};

/* A vertical line with a word. */
struct plot_mark {
    double x;
    const char *word;
};

struct plot {
    enum plot_kind kind;
    const char *slug;  /* "local-and-whole": name of its file of data */
    const char *title; /* what a reader who cannot see the plot is told first */
    const char *about; /* and then; may hold a user's text.  NULL: nothing */
    const char *x_title, *y_title;
    const char *const *labels; /* of rows: a user's text; PLOT_SCATTER numbers its rows from 1 */
    size_t rows;
    const struct plot_series *series;
    size_t n_series;
    double reference; /* PLOT_INTERVALS, PLOT_RANGES: a vertical line here; PLOT_STACKED: the axis goes at
                         least this far; PLOT_LINES: a horizontal line; NAN: none */
    double y_least;   /* PLOT_LINES: the axis goes at least this far up; 0: as far as needed */
    bool log_x, log_y, from_zero; /* PLOT_LINES */
    struct plot_mark marks[3];
    size_t n_marks;
};

enum plot_form { PLOT_WIDE, PLOT_NARROW, PLOT_FORMS };
enum plot_colours { COLOURS_OF_PAGE /* var(--c1) ...: in HTML */, COLOURS_FIXED /* light, on their own */ };

struct plot_book;

struct plot_book *plot_book_new(enum plot_colours colours, bool narrow_too);
void plot_book_free(struct plot_book *b);
size_t plot_book_add(struct plot_book *b, const struct plot *p); /* copies what it needs; its number from 1 */
int plot_book_draw(struct plot_book *b, struct err *err); /* ERR_PROGRAM when gnuplot is not installed */
const char *plot_book_svg(const struct plot_book *b, size_t number,
                          enum plot_form form); /* NULL: not drawn */

/* Characters, `columns` wide at most, names without control characters. */
int plot_term(const struct plot *p, int columns, int lines, struct text *out, struct err *err);

/* Every number of the plot; text that a spreadsheet would take for a formula is made harmless. */
void plot_csv(const struct plot *p, struct text *out);

#endif
