/*
 * plot_range.h - how far the axes of a plot go, and in what they count.  Computed here because gnuplot stops
 * at empty or single-valued ranges.
 */
#ifndef REPORT_PLOT_RANGE_H
#define REPORT_PLOT_RANGE_H

#include "report/plot.h"

struct range {
    double lo, hi;
};

/* Long numbers on an axis run into each other, so it counts in a larger unit. */
struct scale {
    double factor;
    const char *words; /* ", thousands" */
};

struct range plot_x_range(const struct plot *p); /* of PLOT_SCATTER: both axes */
struct range plot_y_range(const struct plot *p); /* PLOT_LINES */
struct scale plot_scale(const struct plot *p);   /* of PLOT_SCATTER's axes; 1 for rows */
struct scale plot_scale_of(struct range r);

bool plot_is_pair(const struct plot *p, size_t row); /* PLOT_SCATTER: both figures are there */
bool plot_has_pair(const struct plot *p);
bool plot_has_band(const struct plot_series *s);

#endif
