#include "report/plot_range.h"

#include <math.h>

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

static size_t points_of(const struct plot *p, size_t series)
{
    return p->kind == PLOT_LINES ? p->series[series].n : p->rows;
}

static struct range values_range(const struct plot *p)
{
    struct range r = {INFINITY, -INFINITY};

    for (size_t s = 0; s < p->n_series; s++)
        for (size_t i = 0; i < points_of(p, s); i++)
            widen(&r, p->series[s].points[i].value);
    widen(&r, p->reference);
    return r;
}

static struct range with_margin(struct range r, bool positive)
{
    double margin = r.hi > r.lo ? 0.06 * (r.hi - r.lo) : 0.1 * fabs(r.hi) + (r.hi == 0);

    return (struct range){positive && r.lo - margin < 0 ? 0 : r.lo - margin, r.hi + margin};
}

/*
 * What the axis must show: all values, and their intervals as far as these do not squeeze the values
 * together; longer ones run out of the plot.
 */
static struct range intervals_range(const struct plot *p)
{
    struct range v = values_range(p), r = v;
    double far;

    if (v.lo > v.hi)
        return (struct range){0, 1};
    far = fmax(v.hi - v.lo, 0.25 * fmax(fabs(v.hi), fabs(v.lo)));
    for (size_t s = 0; s < p->n_series; s++) {
        for (size_t i = 0; i < points_of(p, s); i++) {
            const struct plot_point *q = &p->series[s].points[i];
            const double end[] = {q->lo, q->hi, q->far_lo, q->far_hi};

            for (int k = 0; k < 4; k++)
                widen(&r, isfinite(end[k]) ? within(end[k], v.lo - far, v.hi + far) : NAN);
        }
    }
    return with_margin(r, v.lo >= 0);
}

static struct range bars_range(const struct plot *p)
{
    struct range r = {INFINITY, -INFINITY};

    for (size_t s = 0; s < p->n_series; s++)
        for (size_t i = 0; i < p->rows; i++) {
            widen(&r, p->series[s].points[i].lo);
            widen(&r, p->series[s].points[i].hi);
        }
    widen(&r, p->reference);
    if (r.lo > r.hi)
        return (struct range){0, 1};
    return with_margin(r, r.lo >= 0);
}

static struct range stacked_range(const struct plot *p)
{
    double top = isfinite(p->reference) ? p->reference : 0;

    for (size_t i = 0; i < p->rows; i++) {
        double sum = 0;

        for (size_t s = 0; s < p->n_series; s++)
            sum += isfinite(p->series[s].points[i].value) ? p->series[s].points[i].value : 0;
        top = sum > top ? sum : top;
    }
    return (struct range){0, 1.02 * (top > 0 ? top : 1)};
}

static struct range lines_x_range(const struct plot *p)
{
    struct range r = {INFINITY, -INFINITY};

    for (size_t s = 0; s < p->n_series; s++)
        for (size_t i = 0; i < p->series[s].n; i++)
            widen(&r, p->series[s].points[i].x);
    for (size_t i = 0; i < p->n_marks; i++)
        widen(&r, p->marks[i].x);
    if (r.lo > r.hi)
        return (struct range){0, 1};
    if (p->log_x)
        return (struct range){r.lo / 1.2, r.hi * 1.2};
    if (r.lo == r.hi || p->series[0].style == STYLE_POINTS)
        return with_margin(r, r.lo >= 0);
    return (struct range){r.lo >= 0 && r.lo < 0.3 * r.hi ? 0 : r.lo, r.hi + 0.02 * (r.hi - r.lo)};
}

struct range plot_x_range(const struct plot *p)
{
    switch (p->kind) {
    case PLOT_STACKED:
        return stacked_range(p);
    case PLOT_RANGES:
        return bars_range(p);
    case PLOT_LINES:
        return lines_x_range(p);
    default:
        return intervals_range(p);
    }
}

/* A logarithmic axis has no zero: what is not above it is not drawn. */
static struct range log_range(const struct plot *p)
{
    struct range r = {INFINITY, -INFINITY};

    for (size_t s = 0; s < p->n_series; s++)
        for (size_t i = 0; i < p->series[s].n; i++)
            widen(&r, p->series[s].points[i].value > 0 ? p->series[s].points[i].value : NAN);
    if (r.lo > r.hi)
        return (struct range){1, 10};
    return (struct range){r.lo / 1.5, r.hi * 1.5};
}

struct range plot_y_range(const struct plot *p)
{
    struct range r;

    if (p->log_y)
        return log_range(p);
    r = intervals_range(p);
    if (p->from_zero)
        r.lo = fmin(r.lo, 0);
    if (p->y_least > 0)
        r.hi = fmax(r.hi, 1.04 * p->y_least);
    return r;
}

struct scale plot_scale_of(struct range r)
{
    static const struct scale scales[] = {{1e9, ", billions"}, {1e6, ", millions"}, {1e3, ", thousands"}};

    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++)
        if (r.hi >= 5 * scales[i].factor && r.hi < 1e5 * scales[i].factor)
            return scales[i];
    return (struct scale){1, ""};
}

struct scale plot_scale(const struct plot *p)
{
    return p->kind == PLOT_SCATTER ? plot_scale_of(plot_x_range(p)) : (struct scale){1, ""};
}

/* gnuplot falls over labels at points that are nowhere. */
bool plot_is_pair(const struct plot *p, size_t row)
{
    for (size_t s = 0; s < p->n_series; s++)
        if (!isfinite(p->series[s].points[row].value))
            return false;
    return true;
}

bool plot_has_pair(const struct plot *p)
{
    for (size_t i = 0; i < p->rows; i++)
        if (plot_is_pair(p, i))
            return true;
    return false;
}

bool plot_has_band(const struct plot_series *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (isfinite(s->points[i].lo) && s->points[i].hi > s->points[i].lo)
            return true;
    return false;
}
