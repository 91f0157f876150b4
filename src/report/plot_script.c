#include "report/plot_script.h"

#include "base/text.h"
#include "report/plot_range.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PER_SERIES = 5 /* columns of the data */, SHADES = 7 };

/* Okabe and Ito's colours, told apart by colour-blind readers too; then those of lines and words. */
const struct script_colour script_colours[] = {
    {"#0072b2", "--c1"},   {"#e69f00", "--c2"},   {"#009e73", "--c3"},   {"#cc79a7", "--c4"},
    {"#56b4e9", "--c5"},   {"#d55e00", "--c6"},   {"#8c8c8c", "--c7"},   {"#1c2430", "--ink"},
    {"#5b6675", "--soft"}, {"#d9dee5", "--line"}, {"#e3eef6", "--band"}, {NULL, NULL},
};
#define INK  "#1c2430"
#define SOFT "#5b6675"
#define LINE "#d9dee5"
#define BAND "#e3eef6"

static const char *shade(const struct plot *p, size_t series)
{
    size_t own = p->series[series].shade > 0 ? (size_t)p->series[series].shade - 1 : series;

    return script_colours[own % SHADES].hex;
}

const char *plot_title(const char *s)
{
    for (const char *c = s; *c != '\0'; c++)
        ASSERT(isalnum((unsigned char)*c) || strchr(" ,.:()/%=+-$", *c) != NULL);
    return s;
}

/* ----------------------------------------------------------------- names */

size_t plot_label_room(enum script_terminal t)
{
    return t == TERMINAL_WIDE ? 30 : t == TERMINAL_NARROW ? 15 : 20;
}

static void add_place(const char *kind, size_t number, size_t wide, struct text *t)
{
    char head[40];
    int n = snprintf(head, sizeof head, "@%s%zu", kind, number);

    text_add(t, head);
    for (size_t i = (size_t)n + 1; i < wide; i++)
        text_add(t, "~");
    text_add(t, "@");
}

static size_t characters(const char *s, size_t most)
{
    size_t n = 0;

    for (; *s != '\0' && n < most; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static const char *label_of(const struct plot *p, bool series, size_t i)
{
    if (series)
        return i < p->n_series ? p->series[i].label : NULL;
    return i < p->rows && p->labels != NULL ? p->labels[i] : NULL;
}

size_t plot_place(const struct plot *p, const char *s, const char **label)
{
    bool series = s[0] == '@' && s[1] == 'k';
    const char *digits = s + 1 + series;
    char *end;
    unsigned long i;

    if (s[0] != '@' || !isdigit((unsigned char)*digits))
        return 0;
    i = strtoul(digits, &end, 10);
    end += strspn(end, "~");
    *label = *end == '@' ? label_of(p, series, i) : NULL;
    return *label != NULL ? (size_t)(end + 1 - s) : 0;
}

static void add_series_title(const struct plot *p, size_t i, const struct script_target *to, struct text *t)
{
    const struct plot_series *s = &p->series[i];

    text_add(t, " title \"");
    if (s->name != NULL)
        text_add(t, plot_title(s->name));
    else
        add_place("k", i, characters(s->label, plot_label_room(to->terminal)), t);
    text_add(t, "\"");
}

/* The names of the rows, as marks of the axis: gnuplot is given their numbers. */
static void add_row_names(const struct plot *p, const struct script_target *to, struct text *t)
{
    text_add(t, "set ytics (");
    for (size_t i = 0; i < p->rows; i++) {
        text_add(t, i > 0 ? ", \"" : "\"");
        add_place("", i, to->terminal == TERMINAL_DUMB ? plot_label_room(to->terminal) : 4, t);
        text_printf(t, "\" %d", -(int)i);
    }
    text_add(t, ") scale 0\n");
}

/* ------------------------------------------------------------------ heads */

static bool has_rows(const struct plot *p)
{
    return p->kind == PLOT_INTERVALS || p->kind == PLOT_STACKED || p->kind == PLOT_RANGES;
}

static int height(const struct plot *p, bool narrow)
{
    int rows = (int)p->rows, series = (int)p->n_series, keys = narrow ? 22 * ((series + 1) / 2) : 0;

    switch (p->kind) {
    case PLOT_INTERVALS:
        return 100 + keys + (series == 1 ? 30 : 20 * series) * rows;
    case PLOT_STACKED:
    case PLOT_RANGES:
        return 100 + keys + 34 * rows;
    case PLOT_SCATTER:
        return narrow ? 400 : 520;
    case PLOT_LINES:
        return (narrow ? 270 : 330) + (narrow ? keys : 22 * ((series - 1) / 4));
    }
    return 400;
}

static void head_svg(const struct plot *p, const struct script_target *to, struct text *t)
{
    bool narrow = to->terminal == TERMINAL_NARROW;

    text_printf(t,
                "set terminal svg size %d,%d font \"sans-serif,%d\" noenhanced linewidth %s\n"
                "set errorbars 0\nset border 3 lc rgb \"" SOFT
                "\"\nset tics nomirror out scale 0.5 tc rgb \"" SOFT "\"\n"
                "set grid lc rgb \"" LINE "\" lt 1 lw 1\n"
                "set key above left horizontal reverse Left samplen 1.6 tc rgb \"" INK "\"%s\n",
                narrow ? 380 : 900, height(p, narrow), narrow ? 12 : 13, narrow ? "1" : "1.1",
                narrow ? " maxcols 2 spacing 1" : "");
}

static void head(const struct plot *p, const struct script_target *to, struct text *t)
{
    text_add(t, "reset\n");
    if (to->terminal == TERMINAL_DUMB)
        text_printf(
            t,
            "set terminal dumb size %d,%d noenhanced mono ascii\nset border 3\nset tics nomirror out\n"
            "set key above left horizontal reverse Left samplen 2\n",
            to->columns, to->lines);
    else
        head_svg(p, to, t);
    text_printf(t,
                "set output \"%s\"\nset termoption noenhanced\nset datafile separator \"\\t\"\n"
                "set xlabel \"%s\" tc rgb \"" INK "\"\n",
                to->output, plot_title(p->x_title));
    if (has_rows(p)) {
        text_printf(t, "set yrange [%g:0.6]\nset grid noy\n", -(double)p->rows + 0.4);
        if (to->terminal != TERMINAL_DUMB)
            text_printf(t, "set lmargin at screen %s\nset rmargin at screen 0.96\n",
                        to->terminal == TERMINAL_NARROW ? "0.34" : "0.26");
        add_row_names(p, to, t);
    }
    if (to->terminal == TERMINAL_DUMB)
        text_add(t, "unset grid\n");
}

static void add_reference(const struct plot *p, struct text *t)
{
    if (isfinite(p->reference))
        text_printf(t, "set arrow from %.17g, graph 0 to %.17g, graph 1 nohead lc rgb \"" INK "\" dt 2\n",
                    p->reference, p->reference);
}

/* ------------------------------------------------------------------- rows */

static void body_intervals(const struct plot *p, const struct script_target *to, struct text *t)
{
    struct range r = plot_x_range(p);
    bool dumb = to->terminal == TERMINAL_DUMB;

    text_printf(t, "set xrange [%.17g:%.17g]\n", r.lo, r.hi);
    add_reference(p, t);
    text_add(t, "plot ");
    for (size_t i = 0; i < p->n_series; i++) {
        double shift = p->n_series > 1 ? 0.15 * ((double)p->n_series - 1) - 0.3 * (double)i : 0;
        size_t column = 2 + PER_SERIES * i;

        if (!dumb)
            text_printf(t,
                        "\"%s\" using %zu:($1%+g):%zu:%zu with xerrorbars pt 0 lw 1 lc rgb \"%s\" notitle, ",
                        to->data, column, shift, column + 3, column + 4, shade(p, i));
        text_printf(t, "\"%s\" using %zu:($1%+g):%zu:%zu with xerrorbars pt %d ps 0.8 lw 2.6 lc rgb \"%s\"",
                    to->data, column, shift, column + 1, column + 2, dumb ? (i == 0 ? 15 : 4) : 7,
                    shade(p, i));
        add_series_title(p, i, to, t);
        text_add(t, i + 1 < p->n_series ? ", " : "\n");
    }
}

/* Bars between the second and the third figure of each series. */
static void body_bars(const struct plot *p, const struct script_target *to, struct text *t)
{
    struct range r = plot_x_range(p);

    text_printf(t, "set xrange [%.17g:%.17g]\nset style fill solid 0.9 noborder\n", r.lo, r.hi);
    if (p->kind == PLOT_RANGES)
        add_reference(p, t);
    text_add(t, "plot ");
    for (size_t s = 0; s < p->n_series; s++) {
        size_t column = 2 + PER_SERIES * s;

        if (to->terminal == TERMINAL_DUMB)
            text_printf(t, "\"%s\" using %zu:1:(column(%zu)-column(%zu)):(0) with vectors nohead lt %zu",
                        to->data, column + 1, column + 2, column + 1, s + 1);
        else
            text_printf(t, "\"%s\" using %zu:1:%zu:%zu:($1-0.32):($1+0.32) with boxxyerror lc rgb \"%s\"",
                        to->data, column, column + 1, column + 2, shade(p, s));
        add_series_title(p, s, to, t);
        text_add(t, s + 1 < p->n_series ? ", " : "\n");
    }
}

/* ------------------------------------------------------------------ points */

static void body_scatter(const struct plot *p, const struct script_target *to, struct text *t)
{
    struct scale s = plot_scale(p);
    struct range r = plot_x_range(p);

    text_printf(t,
                "%sset xlabel \"%s%s\"\nset ylabel \"%s%s\" tc rgb \"" INK "\"\nset xrange [%.17g:%.17g]\n"
                "set yrange [%.17g:%.17g]\nset samples %d\nplot ",
                to->terminal == TERMINAL_DUMB ? "" : "set size ratio 1\n", plot_title(p->x_title), s.words,
                plot_title(p->y_title), s.words, r.lo / s.factor, r.hi / s.factor, r.lo / s.factor,
                r.hi / s.factor, to->terminal == TERMINAL_DUMB ? 60 : 2);
    if (to->terminal != TERMINAL_DUMB)
        text_add(t, "\"+\" using 1:(0.9*$1):(1.1*$1) with filledcurves fc rgb \"" BAND
                    "\" title \"within 10 %\", ");
    text_add(t, "x with lines lc rgb \"" SOFT "\" dt 2 title \"equal\"");
    if (plot_has_pair(p))
        text_printf(t,
                    ", \"%s\" using 2:7:3:4:8:9 with xyerrorbars pt 7 ps 0.7 lw 1.5 lc rgb \"%s\" title \"a "
                    "variant\", \"%s\" using 2:7:(sprintf(\"%%d\", 1-$1)) with labels offset 1.1,0.7 tc rgb "
                    "\"" INK "\" notitle",
                    to->data, shade(p, 0), to->data);
    text_add(t, "\n");
}

static const char *style_of(enum plot_style style)
{
    switch (style) {
    case STYLE_DASHED:
        return "with lines dt 2 lw 2";
    case STYLE_POINTS:
        return "with points pt 7 ps 0.8";
    case STYLE_STEPS:
        return "with fsteps lw 2";
    case STYLE_MARKED:
        return "with linespoints pt 7 ps 0.7 lw 2";
    case STYLE_LINE:
        break;
    }
    return "with lines lw 2";
}

static void add_marks(const struct plot *p, const struct scale *s, struct text *t)
{
    for (size_t i = 0; i < p->n_marks; i++)
        text_printf(t,
                    "set arrow from %.17g, graph 0 to %.17g, graph 1 nohead lc rgb \"" SOFT "\" dt 3\n"
                    "set label \"%s\" at %.17g, graph %g offset 0.5,0 tc rgb \"" SOFT "\"\n",
                    p->marks[i].x / s->factor, p->marks[i].x / s->factor, plot_title(p->marks[i].word),
                    p->marks[i].x / s->factor, 0.95 - 0.09 * (double)i);
}

/* Intervals first, as pale bands behind the lines. */
static void add_bands(const struct plot *p, const struct script_target *to, struct text *t)
{
    for (size_t i = 0; to->terminal != TERMINAL_DUMB && i < p->n_series; i++)
        if (plot_has_band(&p->series[i]))
            text_printf(t,
                        "\"%s\" index %zu using 1:3:4 with filledcurves fc rgb \"%s\" fs transparent solid "
                        "0.18 noborder notitle, ",
                        to->data, i, shade(p, i));
}

static void body_lines(const struct plot *p, const struct script_target *to, struct text *t)
{
    struct scale sx = plot_scale_of(plot_x_range(p)), sy = plot_scale_of(plot_y_range(p));
    struct range x = plot_x_range(p), y = plot_y_range(p);

    text_printf(t, "set xlabel \"%s%s\"\nset ylabel \"%s%s\" tc rgb \"" INK "\"\n", plot_title(p->x_title),
                sx.words, plot_title(p->y_title), sy.words);
    text_printf(t, "%s%sset xrange [%.17g:%.17g]\nset yrange [%.17g:%.17g]\n",
                p->log_x ? "set logscale x 2\n" : "", p->log_y ? "set logscale y\n" : "", x.lo / sx.factor,
                x.hi / sx.factor, y.lo / sy.factor, y.hi / sy.factor);
    if (isfinite(p->reference))
        text_printf(
            t, "set arrow from graph 0, first %.17g to graph 1, first %.17g nohead lc rgb \"" INK "\" dt 2\n",
            p->reference / sy.factor, p->reference / sy.factor);
    add_marks(p, &sx, t);
    text_add(t, "plot ");
    add_bands(p, to, t);
    for (size_t i = 0; i < p->n_series; i++) {
        text_printf(t, "\"%s\" index %zu using 1:2 %s lc rgb \"%s\"", to->data, i,
                    style_of(p->series[i].style), shade(p, i));
        add_series_title(p, i, to, t);
        text_add(t, i + 1 < p->n_series ? ", " : "\n");
    }
}

void plot_script(const struct plot *p, const struct script_target *to, struct text *t)
{
    head(p, to, t);
    switch (p->kind) {
    case PLOT_INTERVALS:
        body_intervals(p, to, t);
        break;
    case PLOT_STACKED:
    case PLOT_RANGES:
        body_bars(p, to, t);
        break;
    case PLOT_SCATTER:
        body_scatter(p, to, t);
        break;
    case PLOT_LINES:
        body_lines(p, to, t);
        break;
    }
    text_add(t, "unset output\n");
}

/* -------------------------------------------------------------------- data */

/* One line a row: minus the row's number (rows go downwards), then the five figures of each series' point. */
static void rows_data(const struct plot *p, struct text *t)
{
    double factor = plot_scale(p).factor;

    for (size_t i = 0; i < p->rows; i++) {
        double end = 0;

        if (p->kind == PLOT_SCATTER && !plot_is_pair(p, i))
            continue;
        text_printf(t, "%d", -(int)i);
        for (size_t s = 0; s < p->n_series; s++) {
            struct plot_point v = p->series[s].points[i];

            if (p->kind == PLOT_STACKED) {
                double length = isfinite(v.value) ? v.value : 0;

                v = (struct plot_point){end + length / 2, end, end + length, NAN, NAN, NAN};
                end += length;
            } else if (p->kind == PLOT_RANGES) {
                v.value = (v.lo + v.hi) / 2;
            } else if (!isfinite(v.lo) || !isfinite(v.hi)) {
                v.lo = v.hi = v.value;
            }
            text_printf(t, "\t%.17g\t%.17g\t%.17g\t%.17g\t%.17g", v.value / factor, v.lo / factor,
                        v.hi / factor, v.far_lo / factor, v.far_hi / factor);
        }
        text_add(t, "\n");
    }
}

/* A block for each series: x, value, lo, hi.  A block of nothing would not be counted as one. */
static void lines_data(const struct plot *p, struct text *t)
{
    double fx = plot_scale_of(plot_x_range(p)).factor, fy = plot_scale_of(plot_y_range(p)).factor;

    for (size_t s = 0; s < p->n_series; s++) {
        text_add(t, s > 0 ? "\n\n" : "");
        for (size_t i = 0; i < p->series[s].n; i++) {
            const struct plot_point *v = &p->series[s].points[i];
            bool band = isfinite(v->lo) && isfinite(v->hi);

            text_printf(t, "%.17g\t%.17g\t%.17g\t%.17g\n", v->x / fx, v->value / fy,
                        (band ? v->lo : v->value) / fy, (band ? v->hi : v->value) / fy);
        }
        if (p->series[s].n == 0)
            text_add(t, "nan\tnan\tnan\tnan\n");
    }
}

void plot_data(const struct plot *p, struct text *t)
{
    text_add(t, "");
    if (p->kind == PLOT_LINES)
        lines_data(p, t);
    else
        rows_data(p, t);
}
