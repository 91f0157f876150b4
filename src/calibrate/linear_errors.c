#include "calibrate/linear_parts.h"

#include "base/arena.h"
#include "engine/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { K = LINEAR_COLUMNS, RESAMPLES = 400 };

void linear_invert(struct linear_problem *p)
{
    nnls_inverse(p->a, p->in, p->d->k, p->inverse);
    for (size_t r = 0; r < p->d->k; r++)
        for (size_t c = 0; c < p->d->k; c++)
            p->inverse[r][c] /= p->unit[r] * p->unit[c];
}

static double leverage(const struct linear_problem *p, size_t i)
{
    const double *x = p->d->x + i * p->d->k;
    double h = 0;

    for (size_t r = 0; r < p->d->k; r++)
        for (size_t c = 0; c < p->d->k; c++)
            h += x[r] * p->inverse[r][c] * x[c];
    return fmin(h * p->w[i], 0.99);
}

int linear_used(const struct linear_problem *p)
{
    int n = 0;

    for (size_t j = 0; j < p->d->k; j++)
        n += p->in[j];
    return n;
}

/* Standard deviation of the noise on its own scale, outliers clipped where Huber's weights clip them. */
double linear_noise_sd(const struct linear_problem *p)
{
    double sum = 0, most = p->o->huber > 0 ? p->o->huber * p->sd : INFINITY;
    double free_ = (double)p->d->n - linear_used(p);

    for (size_t i = 0; i < p->d->n; i++) {
        double r = fmin(fabs(linear_residual(p, i)), most);

        sum += r * r;
    }
    return free_ > 0 ? sqrt(sum / free_) : 0;
}

/* HC3: each row's own residual, as it would be had the row been left out. */
static void sandwich(const struct linear_problem *p, struct fit *out)
{
    double meat[K][K] = {{0}};
    size_t k = p->d->k;

    for (size_t i = 0; i < p->d->n; i++) {
        const double *x = p->d->x + i * k;
        double e = p->w[i] * (p->d->y[i] - p->fitted[i]) / (1 - leverage(p, i));

        for (size_t r = 0; r < k; r++)
            for (size_t c = 0; c < k; c++)
                meat[r][c] += e * e * x[r] * x[c];
    }
    for (size_t r = 0; r < k; r++)
        for (size_t c = 0; c < k; c++) {
            out->cov[r][c] = 0;
            for (size_t s = 0; s < k; s++)
                for (size_t t = 0; t < k; t++)
                    out->cov[r][c] += p->inverse[r][s] * meat[s][t] * p->inverse[t][c];
        }
}

static void model_covariance(const struct linear_problem *p, struct fit *out)
{
    double s = linear_noise_sd(p);

    for (size_t r = 0; r < p->d->k; r++)
        for (size_t c = 0; c < p->d->k; c++)
            out->cov[r][c] = s * s * p->inverse[r][c];
}

void linear_covariance(const struct linear_problem *p, struct fit *out)
{
    (p->o->cov == COV_MODEL ? model_covariance : sandwich)(p, out);
}

/* So near its bound that its estimate has no normal law. */
static bool near_bound(const struct linear_problem *p, const double cov[FIT_PARAMS][FIT_PARAMS], size_t j)
{
    return !p->o->any_sign && !p->said[j] && (!p->in[j] || p->beta[j] < 2 * sqrt(cov[j][j]));
}

bool linear_near_bound(const struct linear_problem *p, const struct fit *f)
{
    for (size_t j = 0; j < p->d->k; j++)
        if (near_bound(p, f->cov, j))
            return true;
    return false;
}

/*
 * Wild bootstrap (Wu 1986; Liu 1988) around the constrained optimum: each residual, grown to what it is when
 * its row is left out, keeps its row and gets a random sign.  The design and the weights stay, so a resample
 * is one active-set problem with another right-hand side.
 */
void linear_bootstrap(const struct linear_problem *p, struct fit *out)
{
    size_t n = p->d->n, k = p->d->k, resamples = p->o->resamples > 0 ? (size_t)p->o->resamples : RESAMPLES;
    double *draws = xcalloc(resamples * k, sizeof *draws), *push = xcalloc(n * k, sizeof *push);
    struct rng rng;

    rng_stream(&rng, p->o->seed, 0, "linear.bootstrap");
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++)
            push[i * k + j] = p->w[i] * (p->d->y[i] - p->fitted[i]) / (1 - leverage(p, i)) *
                              p->d->x[i * k + j] / p->unit[j];
    for (size_t r = 0; r < resamples; r++) {
        double b[K] = {0};
        bool in[K], said[K];
        double x[K];

        for (size_t j = 0; j < k; j++)
            for (size_t c = 0; c < k; c++)
                b[j] += p->a[j][c] * p->beta[c] * p->unit[c];
        for (size_t i = 0; i < n; i++) {
            double sign = rng_next(&rng) >> 63 ? 1 : -1;

            for (size_t j = 0; j < k; j++)
                b[j] += sign * push[i * k + j];
        }
        linear_constrained(p, b, x, in, said);
        for (size_t j = 0; j < k; j++)
            draws[r * k + j] = x[j] / p->unit[j];
    }
    fit_from_draws(out, draws, resamples, fit_t95((double)n - (double)k) / fit_t95(INFINITY), 0);
    free(push);
    free(draws);
}

/*
 * The intervals of those that are not near a bound, from the optimum of any sign under the same weights: that
 * one is normal whatever the truth.  Stretched to the estimate where it lies outside.
 */
void linear_unconstrained(const struct linear_problem *p, const double cov[FIT_PARAMS][FIT_PARAMS],
                          struct fit *out)
{
    struct fit any = {0};
    struct linear_problem u = *p;
    double t = fit_t95((double)p->d->n - (double)p->d->k);

    u.fitted = xcalloc(p->d->n, sizeof *u.fitted);
    nnls_any_sign(u.a, u.b, u.d->k, u.beta, u.in, u.said);
    for (size_t j = 0; j < p->d->k; j++)
        u.beta[j] /= u.unit[j];
    linear_evaluate(&u);
    linear_invert(&u);
    linear_covariance(&u, &any);
    for (size_t j = 0; j < p->d->k; j++) {
        double sd = sqrt(any.cov[j][j]);

        if (p->said[j] || u.said[j] || near_bound(p, cov, j))
            continue;
        out->param[j].lo = fmax(0, fmin(out->param[j].value, u.beta[j] - t * sd));
        out->param[j].hi = fmax(out->param[j].value, u.beta[j] + t * sd);
    }
    free(u.fitted);
}
