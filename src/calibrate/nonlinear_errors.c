#include "calibrate/nonlinear_parts.h"

#include "base/arena.h"
#include "calibrate/nnls.h"
#include "engine/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { P = NONLINEAR_PARAMS, RESAMPLES = 200 };

static const double PIVOT = 1e-4;

/* Columns of the parameters being optimized, in their optimized form; 0 for the others. */
static void find_jacobian(struct nonlinear_state *s)
{
    memset(s->jacobian, 0, s->p->n * sizeof *s->jacobian);
    for (int k = 0; k < s->p->params_n; k++) {
        double up[P], down[P], at, h;

        if (!s->free_[k])
            continue;
        at = nonlinear_packed(s, k);
        h = 1e-5 * fmax(fabs(at), 1);
        memcpy(up, s->theta, sizeof up);
        memcpy(down, s->theta, sizeof down);
        up[k] = nonlinear_unpacked(s, k, at + h);
        down[k] = nonlinear_unpacked(s, k, at - h);
        for (size_t i = 0; i < s->p->n; i++)
            s->jacobian[i][k] = (nonlinear_error(s, up, i) - nonlinear_error(s, down, i)) / (2 * h);
    }
}

/* J'J with a unit diagonal. */
static void normal_matrix(struct nonlinear_state *s, double a[NNLS_MOST][NNLS_MOST], double unit[P])
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
bool nonlinear_drop_untold(struct nonlinear_state *s)
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

void nonlinear_find_inverse(struct nonlinear_state *s)
{
    double a[NNLS_MOST][NNLS_MOST], inverse[NNLS_MOST][NNLS_MOST], unit[P];
    int n = s->p->params_n;

    normal_matrix(s, a, unit);
    nnls_inverse(a, s->free_, (size_t)n, inverse);
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++)
            s->inverse[r][c] = s->free_[r] && s->free_[c] ? inverse[r][c] / unit[r] / unit[c] : 0;
}

static double leverage(const struct nonlinear_state *s, size_t i)
{
    double h = 0;

    for (int r = 0; r < s->p->params_n; r++)
        for (int c = 0; c < s->p->params_n; c++)
            h += s->jacobian[i][r] * s->inverse[r][c] * s->jacobian[i][c];
    return fmin(h, 0.99);
}

int nonlinear_free_count(const struct nonlinear_state *s)
{
    int n = 0;

    for (int k = 0; k < s->p->params_n; k++)
        n += s->free_[k];
    return n;
}

/* s^2 of the residuals. */
static double variance(const struct nonlinear_state *s)
{
    double left = (double)s->p->n - nonlinear_free_count(s);

    return left > 0 ? s->rss / left : 0;
}

void nonlinear_write_params(const struct nonlinear_state *s, struct fit *out)
{
    double t = fit_t95((double)s->p->n - nonlinear_free_count(s)), v = variance(s), slope[P];
    int at[P], n = 0;

    for (int k = 0; k < s->p->params_n; k++) {
        const struct nonlinear_param *p = &s->p->param[k];
        struct fit_param *f;

        if (p->fixed)
            continue;
        at[n++] = k;
        slope[k] = !s->told[k] ? 0 : nonlinear_logarithmic(s, k) ? s->theta[k] : p->start;
        if (!s->told[k]) {
            fit_add_unknown(out, p->name, p->unit, p->start);
            continue;
        }
        f = fit_add(out, p->name, p->unit, s->theta[k], slope[k] * sqrt(v * s->inverse[k][k]), t,
                    nonlinear_logarithmic(s, k) ? -INFINITY : 0);
        f->on_bound = s->zero[k];
        if (nonlinear_logarithmic(s, k))
            fit_log_interval(f, t);
    }
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++)
            out->cov[out->params_n - n + r][out->params_n - n + c] =
                v * s->inverse[at[r]][at[c]] * slope[at[r]] * slope[at[c]];
}

static bool near_bound(const struct nonlinear_state *s, int k)
{
    return s->told[k] && !nonlinear_logarithmic(s, k) && !s->p->param[k].fixed &&
           (s->zero[k] || nonlinear_packed(s, k) < 2 * sqrt(variance(s) * s->inverse[k][k]));
}

bool nonlinear_near_bound(const struct nonlinear_state *s)
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
void nonlinear_unconstrained(const struct nonlinear_state *s, struct fit *out)
{
    struct nonlinear_state u = *s;
    double t, sd;
    int j = 0;

    u.residual = xcalloc(s->p->n, sizeof *u.residual);
    u.jacobian = xcalloc(s->p->n, sizeof *u.jacobian);
    for (int k = 0; k < s->p->params_n; k++)
        u.free_[k] = s->told[k] && !s->p->param[k].fixed;
    t = fit_t95(fmax((double)s->p->n - nonlinear_free_count(&u), 1));
    nonlinear_descend(&u);
    nonlinear_find_inverse(&u);
    for (int k = 0; k < s->p->params_n; k++) {
        struct fit_param *f = &out->param[j];

        if (s->p->param[k].fixed)
            continue;
        j++;
        sd = sqrt(variance(&u) * u.inverse[k][k]);
        if (!s->told[k] || near_bound(s, k) || !(sd > 0) || !(u.rss <= s->rss * (1 + 1e-9)))
            continue;
        f->lo = fmin(f->value, nonlinear_unpacked(&u, k, nonlinear_packed(&u, k) - t * sd));
        f->hi = fmax(f->value, nonlinear_unpacked(&u, k, nonlinear_packed(&u, k) + t * sd));
    }
    free(u.jacobian);
    free(u.residual);
}

/* Residuals, grown to their expected size, keep their place and get random signs; then everything again. */
void nonlinear_bootstrap(const struct nonlinear_state *s, struct fit *out)
{
    const struct nonlinear *p = s->p;
    size_t draws_n = p->resamples > 0 ? (size_t)p->resamples : RESAMPLES, k = (size_t)out->params_n;
    double *draws = xcalloc(draws_n * k, sizeof *draws), *y = xcalloc(p->n, sizeof *y);
    struct nonlinear_state again = *s;
    struct rng rng;

    rng_stream(&rng, p->seed, 0, "nonlinear.bootstrap");
    again.y = y;
    again.steps = NONLINEAR_RESAMPLED_STEPS; /* from next to the optimum, to much less than the noise */
    again.residual = xcalloc(p->n, sizeof *again.residual);
    for (size_t r = 0; r < draws_n; r++) {
        size_t j = 0;

        for (size_t i = 0; i < p->n; i++) {
            double e = s->residual[i] / sqrt((1 - leverage(s, i)) * nonlinear_weight(p, i)) *
                       (rng_next(&rng) >> 63 ? 1 : -1);
            double f = p->f(s->theta, p->x + i * p->columns, p->setting);

            y[i] = (p->noise == NOISE_RELATIVE ? log(fmax(f, 1e-300)) : f) + e;
        }
        for (int q = 0; q < p->params_n; q++) {
            again.zero[q] = false;
            again.free_[q] = !p->param[q].fixed && s->told[q];
            again.theta[q] = s->zero[q] ? 1e-2 * p->param[q].start : s->theta[q];
        }
        nonlinear_optimize(&again);
        for (int q = 0; q < p->params_n; q++)
            if (!p->param[q].fixed)
                draws[r * k + j++] = again.theta[q];
    }
    fit_from_draws(out, draws, draws_n, fit_t95((double)p->n - nonlinear_free_count(s)) / fit_t95(INFINITY),
                   0);
    free(again.residual);
    free(y);
    free(draws);
}
