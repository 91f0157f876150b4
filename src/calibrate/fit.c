#include "calibrate/fit.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS = 3, HOLD_OUT_EVERY = 5, ITERATIONS = 12 };

static const double HUBER = 3;

double cost_seconds(const struct cost *c, double items, double bytes)
{
    return c->fixed_s + c->per_item_s * items + c->per_byte_s * bytes;
}

struct problem {
    const struct observation *obs;
    size_t n;
    int skip; /* observations with index % HOLD_OUT_EVERY == skip are left out; -1: none */
    bool use[TERMS];
    double scale[TERMS]; /* mean of each regressor: columns of like size keep the normal equations sound */
};

static double regressor(const struct observation *o, int term)
{
    return term == 0 ? 1 : term == 1 ? o->items : o->bytes;
}

static bool left_out(const struct problem *p, size_t i)
{
    return p->skip >= 0 && (int)(i % HOLD_OUT_EVERY) == p->skip;
}

/* One weighted least-squares solution of the used terms. cov: TERMS x TERMS, unscaled by the residual
 * variance. */
static bool solve(const struct problem *p, const double *weights, double *beta, double *cov)
{
    double a[TERMS * TERMS], b[TERMS];
    int map[TERMS], k = 0;
    bool ok = true;

    for (int t = 0; t < TERMS; t++)
        if (p->use[t])
            map[k++] = t;
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    memset(beta, 0, TERMS * sizeof *beta);
    memset(cov, 0, TERMS * TERMS * sizeof *cov);
    for (size_t i = 0; i < p->n; i++) {
        if (left_out(p, i))
            continue;
        for (int r = 0; r < k; r++) {
            double x = regressor(&p->obs[i], map[r]) / p->scale[map[r]];

            b[r] += weights[i] * x * p->obs[i].seconds;
            for (int c = 0; c < k; c++)
                a[r * k + c] += weights[i] * x * regressor(&p->obs[i], map[c]) / p->scale[map[c]];
        }
    }
    {
        gsl_matrix_view m = gsl_matrix_view_array(a, (size_t)k, (size_t)k);
        gsl_vector_view v = gsl_vector_view_array(b, (size_t)k);

        for (int r = 0; r < k; r++) /* a pivot this small: the sizes seen do not tell the terms apart */
            ok = ok && a[r * k + r] > 0;
        ok = ok && gsl_linalg_cholesky_decomp1(&m.matrix) == 0;
        for (int r = 0; ok && r < k; r++)
            ok = a[r * k + r] > 1e-5 * a[0];
        if (ok) {
            gsl_linalg_cholesky_svx(&m.matrix, &v.vector);
            gsl_linalg_cholesky_invert(&m.matrix);
        }
    }
    for (int r = 0; ok && r < k; r++) {
        beta[map[r]] = b[r] / p->scale[map[r]];
        for (int c = 0; c < k; c++)
            cov[map[r] * TERMS + map[c]] = a[r * k + c] / p->scale[map[r]] / p->scale[map[c]];
    }
    return ok;
}

static double fitted(const double *beta, const struct observation *o)
{
    return beta[0] + beta[1] * o->items + beta[2] * o->bytes;
}

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* Median absolute relative residual, scaled to a normal's standard deviation. */
static double robust_sd(const struct problem *p, const double *beta)
{
    double *r = xcalloc(p->n, sizeof *r), sd;
    size_t k = 0;

    for (size_t i = 0; i < p->n; i++)
        if (!left_out(p, i))
            r[k++] = fabs(p->obs[i].seconds / fmax(fitted(beta, &p->obs[i]), 1e-12) - 1);
    qsort(r, k, sizeof *r, by_size);
    sd = k > 0 ? 1.4826 * r[k / 2] : 0;
    free(r);
    return fmax(sd, 1e-4);
}

static void reweigh(const struct problem *p, const double *beta, double *weights)
{
    double sd = robust_sd(p, beta);

    for (size_t i = 0; i < p->n; i++) {
        double f = fmax(fitted(beta, &p->obs[i]), 1e-12), z = fabs(p->obs[i].seconds / f - 1) / sd;

        weights[i] = (z <= HUBER ? 1 : HUBER / z) / (f * f);
    }
}

/*
 * The sizes seen do not tell the terms apart: the one without which they do, the fixed one if it is, else
 * bytes.  (Where bytes are so many times the items it is bytes: leaving out the fixed cost would help
 * nobody.)  -1: one is left.
 */
static int superfluous(struct problem *p, const double *weights)
{
    static const int order[TERMS] = {0, 2, 1};
    double beta[TERMS], cov[TERMS * TERMS];
    int used = p->use[0] + p->use[1] + p->use[2];

    for (int i = 0; i < TERMS && used > 1; i++) {
        bool ok;

        if (!p->use[order[i]])
            continue;
        p->use[order[i]] = false;
        ok = solve(p, weights, beta, cov);
        p->use[order[i]] = true;
        if (ok)
            return order[i];
    }
    return used == 1 ? -1 : p->use[0] ? 0 : 2;
}

/* Drops terms until what is left is identifiable and not negative. */
static void estimate(struct problem *p, double *beta, double *cov)
{
    double *weights = xcalloc(p->n, sizeof *weights);
    bool again = true;

    while (again) {
        int worst = -1;

        for (size_t i = 0; i < p->n; i++)
            weights[i] = 1 / (p->obs[i].seconds * p->obs[i].seconds);
        again = !solve(p, weights, beta, cov);
        for (int it = 0; !again && it < ITERATIONS; it++) {
            reweigh(p, beta, weights);
            again = !solve(p, weights, beta, cov);
        }
        if (again)
            worst = superfluous(p, weights);
        for (int t = 0; !again && t < TERMS; t++)
            if (p->use[t] && beta[t] < 0 &&
                (worst < 0 || beta[t] * p->scale[t] < beta[worst] * p->scale[worst]))
                worst = t;
        again = worst >= 0;
        if (again)
            p->use[worst] = false;
    }
    free(weights);
}

static double residual_cv(const struct problem *p, const double *beta)
{
    double sum = 0;
    long n = 0;
    int terms = p->use[0] + p->use[1] + p->use[2];
    double sd = robust_sd(p, beta);

    for (size_t i = 0; i < p->n; i++) {
        double r;

        if (left_out(p, i))
            continue;
        r = fmin(fabs(p->obs[i].seconds / fitted(beta, &p->obs[i]) - 1), HUBER * sd);
        sum += r * r;
        n++;
    }
    return n > terms ? sqrt(sum / (double)(n - terms)) : 0;
}

static double r_squared(const struct problem *p, const double *beta)
{
    double mean = 0, total = 0, rest = 0;

    for (size_t i = 0; i < p->n; i++)
        mean += p->obs[i].seconds / (double)p->n;
    for (size_t i = 0; i < p->n; i++) {
        double d = p->obs[i].seconds - mean, e = p->obs[i].seconds - fitted(beta, &p->obs[i]);

        total += d * d;
        rest += e * e;
    }
    return total > 0 ? 1 - rest / total : NAN;
}

static double holdout_error(struct problem p)
{
    double beta[TERMS], cov[TERMS * TERMS], predicted = 0, measured = 0;

    p.skip = HOLD_OUT_EVERY - 1;
    estimate(&p, beta, cov);
    for (size_t i = 0; i < p.n; i++) {
        if (!left_out(&p, i))
            continue;
        predicted += fitted(beta, &p.obs[i]);
        measured += p.obs[i].seconds;
    }
    return measured > 0 ? fabs(predicted / measured - 1) : NAN;
}

/* Relative standard error of the fitted cost at the mean size. */
static double mean_size_stderr(const struct problem *p, const double *beta, const double *cov, double cv)
{
    double x[TERMS] = {1, p->scale[1], p->scale[2]}, var = 0, at = 0;

    for (int r = 0; r < TERMS; r++) {
        at += beta[r] * x[r];
        for (int c = 0; c < TERMS; c++)
            var += x[r] * x[c] * cov[r * TERMS + c];
    }
    return at > 0 ? cv * sqrt(fmax(var, 0)) / at : 0;
}

static void size_range(const struct observation *obs, size_t n, bool items, struct cost_fit *out)
{
    out->from = INFINITY;
    out->to = 0;
    for (size_t i = 0; i < n; i++) {
        double x = items ? obs[i].items : obs[i].bytes;

        out->from = fmin(out->from, x);
        out->to = fmax(out->to, x);
    }
}

int fit_cost(const struct observation *obs, size_t n, bool use_items, bool use_bytes, struct cost_fit *out,
             struct err *err)
{
    struct problem p = {
        .obs = obs, .n = n, .skip = -1, .use = {true, use_items, use_bytes}, .scale = {1, 0, 0}};
    double beta[TERMS], cov[TERMS * TERMS];

    *out = (struct cost_fit){.n = (long)n};
    if (n < 3)
        return err_set(err, ERR_FAILED, "%zu measurements; at least 3 are needed for a fit", n);
    for (size_t i = 0; i < n; i++) {
        if (!(obs[i].seconds > 0) || !isfinite(obs[i].seconds))
            return err_set(err, ERR_FAILED, "measurement %zu took %g s; a fit needs times above 0", i,
                           obs[i].seconds);
        p.scale[1] += use_items ? obs[i].items / (double)n : 0;
        p.scale[2] += use_bytes ? obs[i].bytes / (double)n : 0;
    }
    for (int t = 1; t < TERMS; t++)
        if (!(p.scale[t] > 0)) {
            p.use[t] = false;
            p.scale[t] = 1;
        }
    out->holdout_error_frac = n >= 2 * HOLD_OUT_EVERY ? holdout_error(p) : NAN;
    estimate(&p, beta, cov);
    out->cost = (struct cost){beta[0], beta[1], beta[2], residual_cv(&p, beta)};
    /* weights are 1/fitted^2, so the covariance scales with the squared relative residual */
    out->fixed_stderr = out->cost.cv * sqrt(cov[0]);
    out->per_item_stderr = out->cost.cv * sqrt(cov[TERMS + 1]);
    out->per_byte_stderr = out->cost.cv * sqrt(cov[2 * TERMS + 2]);
    out->relative_stderr = mean_size_stderr(&p, beta, cov, out->cost.cv);
    out->r2 = r_squared(&p, beta);
    size_range(obs, n, use_items || !use_bytes, out);
    return 0;
}
