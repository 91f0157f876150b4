#include "report/plot_script.h"

#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { WIDTH = 900, PER_SERIES = 5 /* columns of the data */ };

/* Okabe and Ito's colours, told apart by colour-blind readers too. */
static const char *const colour[] = {"#0072B2", "#E69F00", "#009E73", "#CC79A7", "#999999"};
enum { COLOURS = sizeof colour / sizeof colour[0] };

/* A title stands inside quotes in gnuplot's script, so it must be ours and harmless. */
const char *plot_title(const char *s)
{
    for (const char *c = s; *c != '\0'; c++)
        ASSERT(isalnum((unsigned char)*c) || strchr(" ,.:()/%=+-", *c) != NULL);
    return s;
}

struct range {
    double lo, hi;
};

static void widen(struct range *r, double v)
{
    if (!isfinite(v))
        return;
    r->lo = v < r->lo ? v : r->lo;
    r->hi = v > r->hi ? v : r->hi;
}

static double within(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static struct range values_range(const struct plot *p)
{
    struct range r = {INFINITY, -INFINITY};

    for (size_t s = 0; s < p->n_series; s++)
        for (size_t i = 0; i < p->rows; i++)
            widen(&r, p->series[s].points[i].value);
    widen(&r, p->reference);
    return r;
}

/*
 * What the axis must show: all values, and their intervals as far as these do
 * not squeeze the values together; longer ones run out of the plot.  Computed
 * here because gnuplot stops at empty or single-valued ranges.
 */
static struct range axis_range(const struct plot *p)
{
    struct range v = values_range(p), r = v;
    double margin, far;

    if (v.lo > v.hi)
        return (struct range){0, 1};
    far = fmax(v.hi - v.lo, 0.25 * fmax(fabs(v.hi), fabs(v.lo)));
    for (size_t s = 0; s < p->n_series; s++) {
        for (size_t i = 0; i < p->rows; i++) {
            const struct plot_point *q = &p->series[s].points[i];
            const double end[] = {q->lo, q->hi, q->far_lo, q->far_hi};

            for (int k = 0; k < 4; k++)
                widen(&r, within(end[k], v.lo - far, v.hi + far));
        }
    }
    margin = r.hi > r.lo ? 0.06 * (r.hi - r.lo) : 0.1 * fabs(r.hi) + (r.hi == 0);
    return (struct range){v.lo >= 0 && r.lo - margin < 0 ? 0 : r.lo - margin, r.hi + margin};
}

static double stacked_top(const struct plot *p)
{
    double top = isfinite(p->reference) ? p->reference : 0;

    for (size_t i = 0; i < p->rows; i++) {
        double sum = 0;

        for (size_t s = 0; s < p->n_series; s++)
            sum += isfinite(p->series[s].points[i].value) ? p->series[s].points[i].value : 0;
        top = sum > top ? sum : top;
    }
    return top > 0 ? top : 1;
}

static int height(const struct plot *p)
{
    switch (p->kind) {
    case PLOT_INTERVALS:
        return 100 + 18 * (int)p->n_series * (int)p->rows;
    case PLOT_STACKED:
        return 100 + 34 * (int)p->rows;
    case PLOT_SCATTER:
        return 520;
    }
    return 400;
}

static void script_head(const struct plot *p, struct text *t)
{
    text_printf(t,
                "set terminal svg size %d,%d font \"sans-serif,13\" noenhanced\n"
                "set output \"plot.svg\"\n"
                "set termoption noenhanced\n"
                "set datafile separator \"\\t\"\n"
                "set border 3 lc rgb \"#555555\"\n"
                "set tics nomirror out scale 0.5 tc rgb \"#333333\"\n"
                "set grid lc rgb \"#dddddd\" lt 1\n"
                "set key above left horizontal reverse Left samplen 2 tc rgb \"#333333\"\n"
                "set xlabel \"%s\" tc rgb \"#333333\"\n",
                WIDTH, height(p), plot_title(p->x_title));
}

static void script_rows(const struct plot *p, struct text *t)
{
    text_printf(t,
                "set lmargin at screen 0.26\nset rmargin at screen 0.97\nset yrange [%g:0.6]\nset grid noy\n"
                "set ytics scale 0\n",
                -(double)p->rows + 0.4);
}

static void script_intervals(const struct plot *p, struct text *t)
{
    struct range r = axis_range(p);

    script_rows(p, t);
    text_printf(t, "set xrange [%.17g:%.17g]\n", r.lo, r.hi);
    if (isfinite(p->reference))
        text_printf(t, "set arrow from %.17g, graph 0 to %.17g, graph 1 nohead lc rgb \"#333333\" dt 2\n",
                    p->reference, p->reference);
    text_add(t, "plot ");
    for (size_t i = 0; i < p->n_series; i++) {
        double shift = 0.15 * ((double)p->n_series - 1) - 0.3 * (double)i;
        size_t column = 2 + PER_SERIES * i;

        text_printf(t, "\"data\" using %zu:($1%+g):%zu:%zu with xerrorbars pt 0 lw 1 lc rgb \"%s\" notitle, ",
                    column, shift, column + 3, column + 4, colour[i % COLOURS]);
        text_printf(t,
                    "\"data\" using %zu:($1%+g):%zu:%zu with xerrorbars pt 7 ps 0.8 lw 3 lc rgb \"%s\" title "
                    "\"%s\", ",
                    column, shift, column + 1, column + 2, colour[i % COLOURS],
                    plot_title(p->series[i].name));
    }
    /* The names stand once, between the series: at points that are not drawn. */
    text_printf(t, "\"data\" using (%.17g):1:ytic(\"@\".strcol(1).\"@\") with points ps 0 notitle\n", r.lo);
}

static void script_stacked(const struct plot *p, struct text *t)
{
    script_rows(p, t);
    text_printf(t, "set xrange [0:%.17g]\nset style fill solid 0.9 noborder\nplot ", 1.02 * stacked_top(p));
    for (size_t s = 0; s < p->n_series; s++)
        text_printf(
            t,
            "%s\"data\" using %zu:1:%zu:%zu:($1-0.32):($1+0.32):ytic(\"@\".strcol(1).\"@\") with boxxyerror "
            "lc rgb \"%s\" title \"%s\"",
            s > 0 ? ", " : "", 2 + PER_SERIES * s, 3 + PER_SERIES * s, 4 + PER_SERIES * s,
            colour[s % COLOURS], plot_title(p->series[s].name));
    text_add(t, "\n");
}

/* gnuplot falls over labels at points that are nowhere. */
static bool is_somewhere(const struct plot *p, size_t row)
{
    for (size_t s = 0; s < p->n_series; s++)
        if (!isfinite(p->series[s].points[row].value))
            return false;
    return true;
}

static bool any_somewhere(const struct plot *p)
{
    for (size_t i = 0; i < p->rows; i++)
        if (is_somewhere(p, i))
            return true;
    return false;
}

/* Long numbers on an axis run into each other, so both axes of a scatter plot count in one larger unit. */
struct scale {
    double factor;
    const char *words;
};

static struct scale axis_scale(const struct plot *p)
{
    static const struct scale scales[] = {{1e9, ", billions"}, {1e6, ", millions"}, {1e3, ", thousands"}};
    struct range r = axis_range(p);

    if (p->kind == PLOT_SCATTER)
        for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++)
            if (r.hi >= 2 * scales[i].factor && r.hi < 1e5 * scales[i].factor)
                return scales[i];
    return (struct scale){1, ""};
}

static void script_scatter(const struct plot *p, struct text *t)
{
    struct range r = axis_range(p);
    struct scale s = axis_scale(p);

    text_printf(
        t,
        "set size ratio 1\nset xlabel \"%s%s\"\nset ylabel \"%s%s\" tc rgb \"#333333\"\nset xrange "
        "[%.17g:%.17g]\n"
        "set yrange [%.17g:%.17g]\nset samples 2\n"
        "plot \"+\" using 1:(0.9*$1):(1.1*$1) with filledcurves fc rgb \"#e3eef6\" title \"within 10 %%\", "
        "x with lines lc rgb \"#777777\" dt 2 title \"equal\"",
        plot_title(p->x_title), s.words, plot_title(p->y_title), s.words, r.lo / s.factor, r.hi / s.factor,
        r.lo / s.factor, r.hi / s.factor);
    if (any_somewhere(p))
        text_printf(t,
                    ", \"data\" using 2:7:3:4:8:9 with xyerrorbars pt 7 ps 0.7 lw 1.5 lc rgb \"%s\" title "
                    "\"a variant\", "
                    "\"data\" using 2:7:(sprintf(\"%%d\", 1-$1)) with labels offset 1.1,0.7 tc rgb "
                    "\"#333333\" notitle",
                    colour[0]);
    text_add(t, "\n");
}

/* One line a row: minus the row's number (rows go downwards), then the five figures of each series' point. */
void plot_data(const struct plot *p, struct text *t)
{
    double factor = axis_scale(p).factor;

    for (size_t i = 0; i < p->rows; i++) {
        double end = 0;

        if (p->kind == PLOT_SCATTER && !is_somewhere(p, i))
            continue;
        text_printf(t, "%d", -(int)i);
        for (size_t s = 0; s < p->n_series; s++) {
            struct plot_point v = p->series[s].points[i];

            if (p->kind == PLOT_STACKED) {
                double length = isfinite(v.value) ? v.value : 0;

                v = (struct plot_point){end + length / 2, end, end + length, NAN, NAN};
                end += length;
            } else if (!isfinite(v.lo) || !isfinite(v.hi)) {
                v.lo = v.hi = v.value;
            }
            text_printf(t, "\t%.17g\t%.17g\t%.17g\t%.17g\t%.17g", v.value / factor, v.lo / factor,
                        v.hi / factor, v.far_lo / factor, v.far_hi / factor);
        }
        text_add(t, "\n");
    }
}

void plot_script(const struct plot *p, struct text *t)
{
    script_head(p, t);
    switch (p->kind) {
    case PLOT_INTERVALS:
        script_intervals(p, t);
        break;
    case PLOT_STACKED:
        script_stacked(p, t);
        break;
    case PLOT_SCATTER:
        script_scatter(p, t);
        break;
    }
}
