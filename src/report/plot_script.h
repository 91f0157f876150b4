/*
 * plot_script.h - what gnuplot is told: a script of our own words and numbers,
 * and a file of numbers.  No text of a user is in either.
 */
#ifndef REPORT_PLOT_SCRIPT_H
#define REPORT_PLOT_SCRIPT_H

#include "report/plot.h"

/* Reads "data" and writes "plot.svg", both in the folder gnuplot runs in. */
void plot_script(const struct plot *p, struct text *out);

void plot_data(const struct plot *p, struct text *out);

/* A title stands inside quotes in gnuplot's script, so it must be ours and harmless; returns s. */
const char *plot_title(const char *s);

#endif
