#include "calibrate/nonlinear.h"

#include "base/arena.h"
#include "calibrate/nonlinear_parts.h"

#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { P = NONLINEAR_PARAMS };

double nonlinear_weight(const struct nonlinear *p, size_t i)
{
    return p->weight != NULL ? p->weight[i] : 1;
}

bool nonlinear_logarithmic(const struct nonlinear_state *s, int k)
{
    return !s->p->param[k].may_be_zero;
}

/* What may be zero is measured in units of its start, so that all steps are of like size. */
double nonlinear_packed(const struct nonlinear_state *s, int k)
{
    return nonlinear_logarithmic(s, k) ? log(s->theta[k]) : s->theta[k] / s->p->param[k].start;
}

double nonlinear_unpacked(const struct nonlinear_state *s, int k, double v)
{
    return nonlinear_logarithmic(s, k) ? exp(v) : v * s->p->param[k].start;
}

double nonlinear_error(const struct nonlinear_state *s, const double *theta, size_t i)
{
    const struct nonlinear *p = s->p;
    double f = p->f(theta, p->x + i * p->columns, p->setting), e;

    e = p->noise == NOISE_RELATIVE ? s->y[i] - log(fmax(f, 1e-300)) : s->y[i] - f;
    return e * sqrt(nonlinear_weight(p, i));
}

static int residuals(const gsl_vector *v, void *ctx, gsl_vector *out)
{
    struct nonlinear_state *s = ctx;
    double theta[P];
    size_t j = 0;

    memcpy(theta, s->theta, sizeof theta);
    for (int k = 0; k < s->p->params_n; k++)
        if (s->free_[k])
            theta[k] = nonlinear_unpacked(s, k, gsl_vector_get(v, j++));
    for (size_t i = 0; i < s->p->n; i++)
        gsl_vector_set(out, i, nonlinear_error(s, theta, i));
    return GSL_SUCCESS;
}

static void find_rss(struct nonlinear_state *s)
{
    s->rss = 0;
    for (size_t i = 0; i < s->p->n; i++) {
        s->residual[i] = nonlinear_error(s, s->theta, i);
        s->rss += s->residual[i] * s->residual[i];
    }
}

/* One unconstrained descent of the free parameters from where they are. */
void nonlinear_descend(struct nonlinear_state *s)
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
            start[j++] = nonlinear_packed(s, k);
    fdf.p = j;
    if (j > 0) {
        how.h_df = 1e-7;
        w = gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &how, fdf.n, fdf.p);
        v = gsl_vector_view_array(start, j);
        gsl_multifit_nlinear_init(&v.vector, &fdf, w);
        gsl_multifit_nlinear_driver(s->steps, s->steps < NONLINEAR_STEPS ? 1e-5 : 1e-9, 1e-9, 0, NULL, NULL,
                                    &info, w);
        j = 0;
        for (int k = 0; k < s->p->params_n; k++)
            if (s->free_[k])
                s->theta[k] = nonlinear_unpacked(s, k, gsl_vector_get(gsl_multifit_nlinear_position(w), j++));
        gsl_multifit_nlinear_free(w);
    }
    find_rss(s);
}

/* ------------------------------------------------------------------------------------------- constraints */

static int most_negative(const struct nonlinear_state *s)
{
    int worst = -1;

    for (int k = 0; k < s->p->params_n; k++)
        if (s->free_[k] && !nonlinear_logarithmic(s, k) && s->theta[k] <= 0 &&
            (worst < 0 || nonlinear_packed(s, k) < nonlinear_packed(s, worst)))
            worst = k;
    return worst;
}

static void to_bounds(struct nonlinear_state *s)
{
    int k;

    nonlinear_descend(s);
    while ((k = most_negative(s)) >= 0) {
        s->theta[k] = 0;
        s->zero[k] = true;
        s->free_[k] = false;
        nonlinear_descend(s);
    }
}

/* Would a little of it help?  Then it should not have been put on its bound. */
static bool let_go(struct nonlinear_state *s)
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

void nonlinear_optimize(struct nonlinear_state *s)
{
    to_bounds(s);
    for (int turn = 0; turn < 2 && let_go(s); turn++)
        to_bounds(s);
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

static void describe(const struct nonlinear_state *s, struct fit *out)
{
    const struct nonlinear *p = s->p;
    double mean = gsl_stats_mean(p->y, 1, p->n), total = 0, rest = 0,
           left = (double)p->n - nonlinear_free_count(s);

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
    struct nonlinear_state s = {.p = p, .steps = NONLINEAR_STEPS};
    double left, *y;

    ASSERT(p->params_n <= P && out->params_n == 0);
    for (int k = 0; k < p->params_n; k++) {
        s.theta[k] = p->param[k].start;
        s.free_[k] = !p->param[k].fixed;
        s.told[k] = true;
    }
    TRY(check(p, nonlinear_free_count(&s), err));
    s.y = y = xcalloc(p->n, sizeof *y);
    for (size_t i = 0; i < p->n; i++)
        y[i] = p->noise == NOISE_RELATIVE ? log(p->y[i]) : p->y[i];
    s.residual = xcalloc(p->n, sizeof *s.residual);
    s.jacobian = xcalloc(p->n, sizeof *s.jacobian);
    nonlinear_optimize(&s);
    while (nonlinear_drop_untold(&s))
        nonlinear_optimize(&s);
    left = (double)p->n - nonlinear_free_count(&s);
    nonlinear_find_inverse(&s);
    nonlinear_write_params(&s, out);
    if (p->resamples >= 0 && left > 0 && nonlinear_near_bound(&s)) {
        nonlinear_bootstrap(&s, out);
        nonlinear_unconstrained(&s, out);
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
