#include "calibrate/recall.h"

#include "base/arena.h"
#include "calibrate/knots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 50, LEAST_N = 3 };

/* logit recall = a + b (ln e - center): centred, so that a and b hardly depend on each other. */
struct line {
    double a, b, center;
    double var_a, var_b, cov; /* of one unit of dispersion */
    double dispersion, left;  /* left: degrees of freedom */
};

static double weight_of(const struct recall_point *p)
{
    return p->queries > 0 ? p->queries : 1;
}

static double logistic(double v)
{
    return 1 / (1 + exp(-v));
}

static double line_at(const struct line *l, double effort)
{
    return logistic(l->a + l->b * (log(effort) - l->center));
}

/* ------------------------------------------------------------------------------------------------ curve */

/* One step of Newton's method = one weighted regression; returns how far it moved. */
static double newton(const struct recall_point *p, size_t n, size_t skip, struct line *l)
{
    double s = 0, sx = 0, sxx = 0, g = 0, gx = 0, det, da, db;

    for (size_t i = 0; i < n; i++) {
        double x = log(p[i].effort) - l->center, r = line_at(l, p[i].effort);
        double w = weight_of(&p[i]) * fmax(r * (1 - r), 1e-9), e = weight_of(&p[i]) * (p[i].recall - r);

        if (i == skip)
            continue;
        s += w;
        sx += w * x;
        sxx += w * x * x;
        g += e;
        gx += e * x;
    }
    det = s * sxx - sx * sx;
    if (!(det > 0))
        return 0;
    l->var_a = sxx / det;
    l->var_b = s / det;
    l->cov = -sx / det;
    da = fmin(fmax(l->var_a * g + l->cov * gx, -2), 2);
    db = fmin(fmax(l->cov * g + l->var_b * gx, -2), 2);
    l->a += da;
    l->b += db;
    return fabs(da) + fabs(db);
}

/* skip: a point that is left out; n: none. */
static struct line fit_line(const struct recall_point *p, size_t n, size_t skip)
{
    struct line l = {.b = 1, .left = -2};
    double pearson = 0, weight = 0;

    for (size_t i = 0; i < n; i++)
        if (i != skip) {
            weight += weight_of(&p[i]);
            l.center += weight_of(&p[i]) * (log(p[i].effort) - l.center) / weight;
        }
    for (int round = 0; round < ROUNDS && newton(p, n, skip, &l) > 1e-12; round++)
        ;
    for (size_t i = 0; i < n; i++) {
        double r = line_at(&l, p[i].effort);

        if (i == skip)
            continue;
        pearson += weight_of(&p[i]) * (p[i].recall - r) * (p[i].recall - r) / fmax(r * (1 - r), 1e-12);
        l.left++;
    }
    l.dispersion = l.left > 0 ? pearson / l.left : 0;
    return l;
}

/* ln half = center - a / b, by the delta method. */
static void write_line(const struct line *l, struct fit *f)
{
    double t = fit_t95(l->left), x = -l->a / l->b, half = exp(l->center + x), d = l->dispersion;
    double var_x = d * (l->var_a + 2 * x * l->cov + x * x * l->var_b) / (l->b * l->b);
    double cov = -d * (l->cov + x * l->var_b) / l->b;

    fit_log_interval(fit_add(f, "half", "", half, half * sqrt(var_x), t, 0), t);
    fit_add(f, "slope", "", l->b, sqrt(d * l->var_b), t, 0);
    f->cov[0][1] = f->cov[1][0] = half * cov;
}

/* ------------------------------------------------------------------------------------------------ table */

static int by_effort(const void *a, const void *b)
{
    const struct recall_point *x = a, *y = b;

    return (x->effort > y->effort) - (x->effort < y->effort);
}

/* Knots at each different effort but that of the point left out. */
static int fit_table(const struct recall_point *p, size_t n, size_t skip, struct arena *a, struct table *out,
                     struct err *err)
{
    double *x = arena_array(a, n, sizeof *x), *y = arena_array(a, n, sizeof *y),
           *w = arena_array(a, n, sizeof *w), *at = arena_array(a, n, sizeof *at);
    const double *knots = at;
    struct knots_points points = {
        .axes_n = 1, .name = {"effort"}, .scale = {SCALE_LOG}, .rising = {true}, .x = x, .y = y, .weight = w};
    struct knots_fit k;
    size_t knots_n = 0;

    for (size_t i = 0; i < n; i++) {
        if (i == skip)
            continue;
        if (knots_n == 0 || p[i].effort > at[knots_n - 1])
            at[knots_n++] = p[i].effort;
        x[points.n] = p[i].effort;
        y[points.n] = p[i].recall;
        w[points.n++] = weight_of(&p[i]);
    }
    TRY(knots_at(&points, &knots, &knots_n, a, &k, err));
    *out = k.table;
    return 0;
}

/* ------------------------------------------------------------------------------------------- the choice */

static int leave_each_out(const struct recall_point *p, size_t n, struct recall *out, struct err *err)
{
    double curve = 0, table = 0, *predicted = xcalloc(n, sizeof *predicted),
           *measured = xcalloc(n, sizeof *measured);
    size_t left = 0;
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        struct arena *a;
        struct table t;

        if (p[i].effort <= p[0].effort || p[i].effort >= p[n - 1].effort)
            continue;
        a = arena_new();
        rc = fit_table(p, n, i, a, &t, err);
        if (rc == 0) {
            struct line l = fit_line(p, n, i);

            predicted[left] = line_at(&l, p[i].effort);
            measured[left] = p[i].recall;
            curve += fabs(predicted[left] - p[i].recall);
            table += fabs(table_eval(&t, &p[i].effort).value - p[i].recall);
            left++;
        }
        arena_free(a);
    }
    out->curve_error = left > 0 ? curve / (double)left : NAN;
    out->table_error = left > 0 ? table / (double)left : NAN;
    out->use_table = left > 0 && table < curve;
    fit_held_out(&out->fit, predicted, measured, left);
    free(measured);
    free(predicted);
    return rc;
}

static double r_squared(const struct recall_point *p, size_t n, const struct line *l)
{
    double mean = 0, total = 0, rest = 0;

    for (size_t i = 0; i < n; i++)
        mean += p[i].recall / (double)n;
    for (size_t i = 0; i < n; i++) {
        total += pow(p[i].recall - mean, 2);
        rest += pow(p[i].recall - line_at(l, p[i].effort), 2);
    }
    return total > 0 ? 1 - rest / total : NAN;
}

static int check(const struct recall_point *p, size_t n, struct err *err)
{
    size_t different = 0;
    bool varies = false;

    for (size_t i = 0; i < n; i++) {
        if (!(p[i].effort > 0) || !isfinite(p[i].effort) || !(p[i].recall >= 0 && p[i].recall <= 1))
            return err_set(err, ERR_FAILED,
                           "recall %g at effort %g; recall lies between 0 and 1, effort above 0", p[i].recall,
                           p[i].effort);
        different += i == 0 || p[i].effort > p[i - 1].effort;
        varies = varies || p[i].recall != p[0].recall;
    }
    if (different < LEAST_N || !varies)
        return err_set(err, ERR_FAILED, "%zu different efforts%s; a curve needs %d and recalls that differ",
                       different, varies ? "" : ", all of one recall", LEAST_N);
    return 0;
}

static int fit_sorted(const struct recall_point *p, size_t n, struct arena *a, struct recall *out,
                      struct err *err)
{
    struct line l;

    TRY(check(p, n, err));
    l = fit_line(p, n, n);
    if (!(l.b > 0))
        return err_set(err, ERR_FAILED, "recall does not rise with effort from %g to %g", p[0].effort,
                       p[n - 1].effort);
    write_line(&l, &out->fit);
    out->fit.n = (long)n;
    out->fit.r2 = r_squared(p, n, &l);
    out->fit.valid_from = p[0].effort;
    out->fit.valid_to = p[n - 1].effort;
    TRY(fit_table(p, n, n, a, &out->table, err));
    TRY(leave_each_out(p, n, out, err));
    if (out->use_table)
        fit_suspect(&out->fit,
                    "the curve errs by %.3g on left-out points, the table by %.3g: the table is used",
                    out->curve_error, out->table_error);
    return 0;
}

int recall_fit(const struct recall_point *p, size_t n, struct arena *a, struct recall *out, struct err *err)
{
    struct recall_point *sorted = xcalloc(n + 1, sizeof *sorted);
    int rc;

    *out = (struct recall){.fit = fit_begin("logistic in log effort")};
    memcpy(sorted, p, n * sizeof *p);
    qsort(sorted, n, sizeof *sorted, by_effort);
    rc = fit_sorted(sorted, n, a, out, err);
    free(sorted);
    return rc;
}

/* ------------------------------------------------------------------------------------------------- use */

struct table_value recall_at(const struct recall *r, double effort)
{
    struct table_value v = {.outside = !(effort >= r->fit.valid_from && effort <= r->fit.valid_to)};

    if (r->use_table)
        return table_eval(&r->table, &effort);
    v.value = logistic(fit_get(&r->fit, "slope") * log(effort / fit_get(&r->fit, "half")));
    return v;
}

static struct recall_effort table_effort(const struct recall *r, double recall)
{
    double lo = log(r->fit.valid_from), hi = log(r->fit.valid_to), from = exp(lo), to = exp(hi);
    struct recall_effort out = {.outside = recall < table_eval(&r->table, &from).value ||
                                           recall > table_eval(&r->table, &to).value};

    for (int i = 0; i < 60; i++) {
        double mid = (lo + hi) / 2, effort = exp(mid);

        if (table_eval(&r->table, &effort).value < recall)
            lo = mid;
        else
            hi = mid;
    }
    out.effort = out.lo = out.hi = exp(hi);
    return out;
}

/* ln e = ln half + logit / slope, by the delta method. */
struct recall_effort recall_effort(const struct recall *r, double recall)
{
    double half = fit_get(&r->fit, "half"), slope = fit_get(&r->fit, "slope"), v = log(recall / (1 - recall)),
           se;
    double d_half = 1 / half, d_slope = -v / (slope * slope);
    struct recall_effort out = {.effort = half * exp(v / slope)};

    if (r->use_table)
        return table_effort(r, recall);
    se = sqrt(d_half * d_half * r->fit.cov[0][0] + 2 * d_half * d_slope * r->fit.cov[0][1] +
              d_slope * d_slope * r->fit.cov[1][1]);
    out.lo = out.effort * exp(-fit_t95((double)r->fit.n - 2) * se);
    out.hi = out.effort * exp(fit_t95((double)r->fit.n - 2) * se);
    out.outside = !(out.effort >= r->fit.valid_from && out.effort <= r->fit.valid_to);
    return out;
}
