/*
 * plot.h - the one door to gnuplot.
 *
 * A plot is a small description; what comes back is an SVG to be placed inside
 * an HTML page.  gnuplot never sees text of the user: it is given numbers and
 * row numbers, and the names take the place of the row numbers afterwards,
 * escaped.  Titles and names of series are the program's own words.
 */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H

#include "base/err.h"

#include <stddef.h>

struct text;

enum plot_kind {
    PLOT_INTERVALS, /* a row per label: each series a point with its interval, along x */
    PLOT_STACKED,   /* a row per label: the series end to end as a bar, along x */
    PLOT_SCATTER    /* series[0] is x, series[1] is y, numbered points with intervals, the line y = x */
};

struct plot_point {
    double value, lo, hi;  /* NAN: no value, or no interval */
    double far_lo, far_hi; /* PLOT_INTERVALS: a second, longer interval, drawn thin; NAN: none */
};

struct plot_series {
    const char *name;
    const struct plot_point *points; /* one per row */
};

struct plot {
    enum plot_kind kind;
    int number;        /* among the plots of its page; makes the names inside the SVG unique there */
    const char *about; /* what a reader who cannot see the plot is told */
    const char *x_title, *y_title;
    const char *const *labels; /* a user's text; not used by PLOT_SCATTER, which numbers its rows from 1 */
    size_t rows;
    const struct plot_series *series;
    size_t n_series;
    double reference; /* PLOT_INTERVALS: a vertical line here; PLOT_STACKED: the axis goes at least this far;
                         NAN: none */
};

/* ERR_PROGRAM when gnuplot is not installed. */
int plot_svg(const struct plot *p, struct text *out, struct err *err);

#endif
