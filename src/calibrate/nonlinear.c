#include "calibrate/nonlinear.h"

#include "base/arena.h"
#include "calibrate/nnls.h"
#include "engine/rng.h"

#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { P = NONLINEAR_PARAMS, STEPS = 100, RESAMPLED_STEPS = 20, RESAMPLES = 200 };

static const double PIVOT = 1e-4;

struct state {
    const struct nonlinear *p;
    const double *y;      /* measured, or a resample; its logarithm where the noise is relative */
    double theta[P];      /* as the curve takes them */
    bool free_[P];        /* being optimized */
    bool zero[P];         /* held on 0 */
    bool told[P];         /* identifiable */
    double inverse[P][P]; /* of J'J, on the optimized form: logarithms of positive ones */
    double (*jacobian)[P];
    double *residual; /* weighted, one per point */
    double rss;
    size_t steps; /* of one descent */
};

static double weight_of(const struct nonlinear *p, size_t i)
{
    return p->weight != NULL ? p->weight[i] : 1;
}

static bool logarithmic(const struct state *s, int k)
{
    return !s->p->param[k].may_be_zero;
}

/* What may be zero is measured in units of its start, so that all steps are of like size. */
static double packed(const struct state *s, int k)
{
    return logarithmic(s, k) ? log(s->theta[k]) : s->theta[k] / s->p->param[k].start;
}

static double unpacked(const struct state *s, int k, double v)
{
    return logarithmic(s, k) ? exp(v) : v * s->p->param[k].start;
}

static double error_at(const struct state *s, const double *theta, size_t i)
{
    const struct nonlinear *p = s->p;
    double f = p->f(theta, p->x + i * p->columns, p->setting), e;

    e = p->noise == NOISE_RELATIVE ? s->y[i] - log(fmax(f, 1e-300)) : s->y[i] - f;
    return e * sqrt(weight_of(p, i));
}

static int residuals(const gsl_vector *v, void *ctx, gsl_vector *out)
{
    struct state *s = ctx;
    double theta[P];
    size_t j = 0;

    memcpy(theta, s->theta, sizeof theta);
    for (int k = 0; k < s->p->params_n; k++)
        if (s->free_[k])
            theta[k] = unpacked(s, k, gsl_vector_get(v, j++));
    for (size_t i = 0; i < s->p->n; i++)
        gsl_vector_set(out, i, error_at(s, theta, i));
    return GSL_SUCCESS;
}

static void find_rss(struct state *s)
{
    s->rss = 0;
    for (size_t i = 0; i < s->p->n; i++) {
        s->residual[i] = error_at(s, s->theta, i);
        s->rss += s->residual[i] * s->residual[i];
    }
}

/* One unconstrained descent of the free parameters from where they are. */
static void descend(struct state *s)
{
    gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
    gsl_multifit_nlinear_fdf fdf = {.f = residuals, .n = s->p->n, .params = s};
    gsl_multifit_nlinear_workspace *w;
    double start[P];
    gsl_vector_view v;
    int info;
    size_t j = 0;

    for (int k = 0; k < s->p->params_n; k++)
        if (s->free_[k])
            start[j++] = packed(s, k);
    fdf.p = j;
    if (j > 0) {
        how.h_df = 1e-7;
        w = gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &how, fdf.n, fdf.p);
        v = gsl_vector_view_array(start, j);
        gsl_multifit_nlinear_init(&v.vector, &fdf, w);
        gsl_multifit_nlinear_driver(s->steps, s->steps < STEPS ? 1e-5 : 1e-9, 1e-9, 0, NULL, NULL, &info, w);
        j = 0;
        for (int k = 0; k < s->p->params_n; k++)
            if (s->free_[k])
                s->theta[k] = unpacked(s, k, gsl_vector_get(gsl_multifit_nlinear_position(w), j++));
        gsl_multifit_nlinear_free(w);
    }
    find_rss(s);
}

/* ------------------------------------------------------------------------------------------- constraints */

static int most_negative(const struct state *s)
{
    int worst = -1;

    for (int k = 0; k < s->p->params_n; k++)
        if (s->free_[k] && !logarithmic(s, k) && s->theta[k] <= 0 &&
            (worst < 0 || packed(s, k) < packed(s, worst)))
            worst = k;
    return worst;
}

static void to_bounds(struct state *s)
{
    int k;

    descend(s);
    while ((k = most_negative(s)) >= 0) {
        s->theta[k] = 0;
        s->zero[k] = true;
        s->free_[k] = false;
        descend(s);
    }
}

/* Would a little of it help?  Then it should not have been put on its bound. */
static bool let_go(struct state *s)
{
    for (int k = 0; k < s->p->params_n; k++) {
        double before = s->rss, theta[P];

        if (!s->zero[k])
            continue;
        memcpy(theta, s->theta, sizeof theta);
        s->theta[k] = 1e-3 * s->p->param[k].start;
        find_rss(s);
        if (s->rss < before * (1 - 1e-9)) {
            s->zero[k] = false;
            s->free_[k] = true;
            return true;
        }
        memcpy(s->theta, theta, sizeof theta);
        find_rss(s);
    }
    return false;
}

static void optimize(struct state *s)
{
    to_bounds(s);
    for (int turn = 0; turn < 2 && let_go(s); turn++)
        to_bounds(s);
}

/* ------------------------------------------------------------------------------------------------- errors */

/* Columns of the parameters being optimized, in their optimized form; 0 for the others. */
static void find_jacobian(struct state *s)
{
    memset(s->jacobian, 0, s->p->n * sizeof *s->jacobian);
    for (int k = 0; k < s->p->params_n; k++) {
        double up[P], down[P], at, h;

        if (!s->free_[k])
            continue;
        at = packed(s, k);
        h = 1e-5 * fmax(fabs(at), 1);
        memcpy(up, s->theta, sizeof up);
        memcpy(down, s->theta, sizeof down);
        up[k] = unpacked(s, k, at + h);
        down[k] = unpacked(s, k, at - h);
        for (size_t i = 0; i < s->p->n; i++)
            s->jacobian[i][k] = (error_at(s, up, i) - error_at(s, down, i)) / (2 * h);
    }
}

/* J'J with a unit diagonal. */
static void normal_matrix(struct state *s, double a[NNLS_MOST][NNLS_MOST], double unit[P])
{
    int n = s->p->params_n;

    find_jacobian(s);
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++) {
            a[r][c] = 0;
            for (size_t i = 0; i < s->p->n; i++)
                a[r][c] += s->jacobian[i][r] * s->jacobian[i][c];
        }
    for (int r = 0; r < n; r++)
        unit[r] = a[r][r] > 0 ? sqrt(a[r][r]) : 0;
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++)
            a[r][c] = unit[r] > 0 && unit[c] > 0 ? a[r][c] / unit[r] / unit[c] : 0;
}

/* The share of column k that the others in use do not say: 1 / (A^-1)_kk. */
static double own_share(const double a[NNLS_MOST][NNLS_MOST], const bool *use, int k, size_t n)
{
    double inverse[NNLS_MOST][NNLS_MOST];

    nnls_inverse(a, use, n, inverse);
    return inverse[k][k] > 0 ? 1 / inverse[k][k] : 0;
}

/* Those that cannot be told keep their start; the rest is fitted again.  True: something changed. */
static bool drop_untold(struct state *s)
{
    double a[NNLS_MOST][NNLS_MOST], unit[P], least = PIVOT * PIVOT;
    int worst = -1, n = s->p->params_n;

    normal_matrix(s, a, unit);
    for (int k = n - 1; k >= 0; k--) { /* of those that say the same, the last goes */
        double share;

        if (!s->free_[k])
            continue;
        share = unit[k] > 1e-9 ? own_share(a, s->free_, k, (size_t)n) : 0;
        if (share < least) {
            least = share;
            worst = k;
        }
    }
    if (worst < 0)
        return false;
    s->told[worst] = s->free_[worst] = false;
    s->theta[worst] = s->p->param[worst].start;
    return true;
}

static void find_inverse(struct state *s)
{
    double a[NNLS_MOST][NNLS_MOST], inverse[NNLS_MOST][NNLS_MOST], unit[P];
    int n = s->p->params_n;

    normal_matrix(s, a, unit);
    nnls_inverse(a, s->free_, (size_t)n, inverse);
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++)
            s->inverse[r][c] = s->free_[r] && s->free_[c] ? inverse[r][c] / unit[r] / unit[c] : 0;
}

static double leverage(const struct state *s, size_t i)
{
    double h = 0;

    for (int r = 0; r < s->p->params_n; r++)
        for (int c = 0; c < s->p->params_n; c++)
            h += s->jacobian[i][r] * s->inverse[r][c] * s->jacobian[i][c];
    return fmin(h, 0.99);
}

static int free_count(const struct state *s)
{
    int n = 0;

    for (int k = 0; k < s->p->params_n; k++)
        n += s->free_[k];
    return n;
}

/* s^2 of the residuals. */
static double variance(const struct state *s)
{
    double left = (double)s->p->n - free_count(s);

    return left > 0 ? s->rss / left : 0;
}

static void write_params(const struct state *s, struct fit *out)
{
    double t = fit_t95((double)s->p->n - free_count(s)), v = variance(s), slope[P];
    int at[P], n = 0;

    for (int k = 0; k < s->p->params_n; k++) {
        const struct nonlinear_param *p = &s->p->param[k];
        struct fit_param *f;

        if (p->fixed)
            continue;
        at[n++] = k;
        slope[k] = !s->told[k] ? 0 : logarithmic(s, k) ? s->theta[k] : p->start;
        if (!s->told[k]) {
            fit_add_unknown(out, p->name, p->unit, p->start);
            continue;
        }
        f = fit_add(out, p->name, p->unit, s->theta[k], slope[k] * sqrt(v * s->inverse[k][k]), t,
                    logarithmic(s, k) ? -INFINITY : 0);
        f->on_bound = s->zero[k];
        if (logarithmic(s, k))
            fit_log_interval(f, t);
    }
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++)
            out->cov[out->params_n - n + r][out->params_n - n + c] =
                v * s->inverse[at[r]][at[c]] * slope[at[r]] * slope[at[c]];
}

static bool near_bound(const struct state *s, int k)
{
    return s->told[k] && !logarithmic(s, k) && !s->p->param[k].fixed &&
           (s->zero[k] || packed(s, k) < 2 * sqrt(variance(s) * s->inverse[k][k]));
}

static bool any_near_bound(const struct state *s)
{
    for (int k = 0; k < s->p->params_n; k++)
        if (near_bound(s, k))
            return true;
    return false;
}

/*
 * The intervals of those that are not near a bound, from the optimum without the constraint: that one is
 * normal whatever the truth, the constrained one is not.  Stretched to the estimate where it lies outside.
 */
static void unconstrained(const struct state *s, struct fit *out)
{
    struct state u = *s;
    double t, sd;
    int j = 0;

    u.residual = xcalloc(s->p->n, sizeof *u.residual);
    u.jacobian = xcalloc(s->p->n, sizeof *u.jacobian);
    for (int k = 0; k < s->p->params_n; k++)
        u.free_[k] = s->told[k] && !s->p->param[k].fixed;
    t = fit_t95(fmax((double)s->p->n - free_count(&u), 1));
    descend(&u);
    find_inverse(&u);
    for (int k = 0; k < s->p->params_n; k++) {
        struct fit_param *f = &out->param[j];

        if (s->p->param[k].fixed)
            continue;
        j++;
        sd = sqrt(variance(&u) * u.inverse[k][k]);
        if (!s->told[k] || near_bound(s, k) || !(sd > 0) || !(u.rss <= s->rss * (1 + 1e-9)))
            continue;
        f->lo = fmin(f->value, unpacked(&u, k, packed(&u, k) - t * sd));
        f->hi = fmax(f->value, unpacked(&u, k, packed(&u, k) + t * sd));
    }
    free(u.jacobian);
    free(u.residual);
}

/* Residuals, grown to their expected size, keep their place and get random signs; then everything again. */
static void bootstrap(const struct state *s, struct fit *out)
{
    const struct nonlinear *p = s->p;
    size_t draws_n = p->resamples > 0 ? (size_t)p->resamples : RESAMPLES, k = (size_t)out->params_n;
    double *draws = xcalloc(draws_n * k, sizeof *draws), *y = xcalloc(p->n, sizeof *y);
    struct state again = *s;
    struct rng rng;

    rng_stream(&rng, p->seed, 0, "nonlinear.bootstrap");
    again.y = y;
    again.steps = RESAMPLED_STEPS; /* from next to the optimum, to much less than the noise */
    again.residual = xcalloc(p->n, sizeof *again.residual);
    for (size_t r = 0; r < draws_n; r++) {
        size_t j = 0;

        for (size_t i = 0; i < p->n; i++) {
            double e = s->residual[i] / sqrt((1 - leverage(s, i)) * weight_of(p, i)) *
                       (rng_next(&rng) >> 63 ? 1 : -1);
            double f = p->f(s->theta, p->x + i * p->columns, p->setting);

            y[i] = (p->noise == NOISE_RELATIVE ? log(fmax(f, 1e-300)) : f) + e;
        }
        for (int q = 0; q < p->params_n; q++) {
            again.zero[q] = false;
            again.free_[q] = !p->param[q].fixed && s->told[q];
            again.theta[q] = s->zero[q] ? 1e-2 * p->param[q].start : s->theta[q];
        }
        optimize(&again);
        for (int q = 0; q < p->params_n; q++)
            if (!p->param[q].fixed)
                draws[r * k + j++] = again.theta[q];
    }
    fit_from_draws(out, draws, draws_n, fit_t95((double)p->n - free_count(s)) / fit_t95(INFINITY), 0);
    free(again.residual);
    free(y);
    free(draws);
}

/* -------------------------------------------------------------------------------------------------- doors */

static int check(const struct nonlinear *p, int fitted, struct err *err)
{
    if ((int)p->n < fitted)
        return err_set(err, ERR_FAILED, "%zu points; at least %d are needed for %d parameters", p->n, fitted,
                       fitted);
    for (size_t i = 0; i < p->n; i++) {
        if (!isfinite(p->y[i]) || (p->noise == NOISE_RELATIVE && !(p->y[i] > 0)))
            return err_set(err, ERR_FAILED, "point %zu is %g; a curve needs %s values", i, p->y[i],
                           p->noise == NOISE_RELATIVE ? "positive" : "finite");
        for (size_t c = 0; c < p->columns; c++)
            if (!isfinite(p->x[i * p->columns + c]))
                return err_set(err, ERR_FAILED, "point %zu stands at %g; a curve needs finite places", i,
                               p->x[i * p->columns + c]);
    }
    return 0;
}

static void describe(const struct state *s, struct fit *out)
{
    const struct nonlinear *p = s->p;
    double mean = gsl_stats_mean(p->y, 1, p->n), total = 0, rest = 0, left = (double)p->n - free_count(s);

    for (size_t i = 0; i < p->n; i++) {
        double f = p->f(s->theta, p->x + i * p->columns, p->setting);

        total += (p->y[i] - mean) * (p->y[i] - mean);
        rest += (p->y[i] - f) * (p->y[i] - f);
    }
    out->n = (long)p->n;
    out->r2 = total > 0 ? 1 - rest / total : NAN;
    out->noise_frac = left > 0 ? sqrt(s->rss / left) : NAN;
    if (p->noise == NOISE_CONSTANT)
        out->noise_frac /= fmax(fabs(mean), 1e-300);
}

int nonlinear_fit(const struct nonlinear *p, struct fit *out, double *rss, struct err *err)
{
    struct state s = {.p = p, .steps = STEPS};
    double left, *y;

    ASSERT(p->params_n <= P && out->params_n == 0);
    for (int k = 0; k < p->params_n; k++) {
        s.theta[k] = p->param[k].start;
        s.free_[k] = !p->param[k].fixed;
        s.told[k] = true;
    }
    TRY(check(p, free_count(&s), err));
    s.y = y = xcalloc(p->n, sizeof *y);
    for (size_t i = 0; i < p->n; i++)
        y[i] = p->noise == NOISE_RELATIVE ? log(p->y[i]) : p->y[i];
    s.residual = xcalloc(p->n, sizeof *s.residual);
    s.jacobian = xcalloc(p->n, sizeof *s.jacobian);
    optimize(&s);
    while (drop_untold(&s))
        optimize(&s);
    left = (double)p->n - free_count(&s);
    find_inverse(&s);
    write_params(&s, out);
    if (p->resamples >= 0 && left > 0 && any_near_bound(&s)) {
        bootstrap(&s, out);
        unconstrained(&s, out);
    }
    if (left <= 0)
        fit_suspect(out, "as many parameters as points: the curve goes through them, errors are not known");
    describe(&s, out);
    *rss = s.rss;
    free(s.jacobian);
    free(s.residual);
    free(y);
    return 0;
}

double nonlinear_predict(const struct nonlinear *p, const struct fit *f, const double *x)
{
    double theta[P];

    for (int k = 0; k < p->params_n; k++) {
        const struct fit_param *known = p->param[k].fixed ? NULL : fit_find(f, p->param[k].name);

        theta[k] = known != NULL ? known->value : p->param[k].start;
    }
    return p->f(theta, x, p->setting);
}
