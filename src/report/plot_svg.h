/*
 * plot_svg.h - gnuplot's drawing made a part of a page: no prolog, ids of its own, no tool tips, a title and
 * a description, the names in their places, the colours those of the page.
 */
#ifndef REPORT_PLOT_SVG_H
#define REPORT_PLOT_SVG_H

#include "report/plot.h"

struct svg_form {
    enum plot_colours colours;
    size_t number; /* among the plots of its page; makes ids unique there */
    bool narrow;
};

void plot_svg_clean(const struct plot *p, const struct svg_form *form, const char *svg, struct text *out);

#endif
