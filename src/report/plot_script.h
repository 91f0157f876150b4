/*
 * plot_script.h - what gnuplot is told: a script of our own words and numbers, and a file of numbers.  No
 * text of a user is in either.
 *
 * Where a name belongs, the script has a place holder, as wide as the name will be: "@3~~~~@" is the label of
 * row 3, "@k3~~~@" that of series 3.  plot_place() puts the name there.
 */
#ifndef REPORT_PLOT_SCRIPT_H
#define REPORT_PLOT_SCRIPT_H

#include "report/plot.h"

enum script_terminal { TERMINAL_WIDE, TERMINAL_NARROW, TERMINAL_DUMB };

struct script_target {
    enum script_terminal terminal;
    int columns, lines;        /* TERMINAL_DUMB */
    const char *output, *data; /* names of files in the folder gnuplot runs in */
};

void plot_script(const struct plot *p, const struct script_target *to, struct text *out);
void plot_data(const struct plot *p, struct text *out);

/* The longest name of a row that has a place in this terminal. */
size_t plot_label_room(enum script_terminal t);

/* What the place holder at `s` stands for: its length, 0 if s is no such thing; *label is the name, uncut. */
size_t plot_place(const struct plot *p, const char *s, const char **label);

/* A title stands inside quotes in gnuplot's script, so it must be ours and harmless; returns s. */
const char *plot_title(const char *s);

/* The colours of the script, which a page replaces by its own: "#0072b2" -> "--c1". */
struct script_colour {
    const char *hex, *name;
};
extern const struct script_colour script_colours[]; /* hex == NULL at the end */

#endif
