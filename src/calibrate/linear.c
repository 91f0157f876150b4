#include "calibrate/linear.h"

#include "base/arena.h"
#include "calibrate/nnls.h"
#include "engine/rng.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { K = LINEAR_COLUMNS, HOLD_OUT_EVERY = 5, ITERATIONS = 20, RESAMPLES = 400 };

struct problem {
    const struct linear_data *d;
    const struct linear_options *o;
    double unit[K];     /* norm of each column: the normal equations get a unit diagonal */
    int skip;           /* rows with index % HOLD_OUT_EVERY == skip are left out; -1: none */
    double *w, *fitted; /* one per row */
    double a[K][K], b[K];
    double beta[K];
    double inverse[K][K]; /* of a, on the columns in use; 0 elsewhere */
    bool in[K];           /* not on its bound, not said by others */
    bool said[K];         /* by the other columns */
    double sd;            /* robust, of the residuals on their own scale */
};

static bool left_out(const struct problem *p, size_t i)
{
    return p->skip >= 0 && (int)(i % HOLD_OUT_EVERY) == p->skip;
}

static double weight_of(const struct linear_data *d, size_t i)
{
    return d->weight != NULL ? d->weight[i] : 1;
}

static void constrained(const struct problem *p, const double *b, double *x, bool *in, bool *said)
{
    (p->o->any_sign ? nnls_any_sign : nnls_solve)(p->a, b, p->d->k, x, in, said);
}

/* --------------------------------------------------------------------------- weights, found again and again
 */

static void normal_equations(struct problem *p)
{
    size_t k = p->d->k;

    memset(p->a, 0, sizeof p->a);
    memset(p->b, 0, sizeof p->b);
    for (size_t i = 0; i < p->d->n; i++) {
        const double *x = p->d->x + i * k;

        if (left_out(p, i))
            continue;
        for (size_t r = 0; r < k; r++) {
            double wx = p->w[i] * x[r];

            p->b[r] += wx * p->d->y[i];
            for (size_t c = 0; c <= r; c++)
                p->a[r][c] += wx * x[c];
        }
    }
    for (size_t r = 0; r < k; r++)
        p->unit[r] = p->a[r][r] > 0 ? sqrt(p->a[r][r]) : 1;
    for (size_t r = 0; r < k; r++) {
        p->b[r] /= p->unit[r];
        for (size_t c = 0; c <= r; c++)
            p->a[r][c] = p->a[c][r] = p->a[r][c] / p->unit[r] / p->unit[c];
    }
}

static void evaluate(struct problem *p)
{
    for (size_t i = 0; i < p->d->n; i++) {
        p->fitted[i] = 0;
        for (size_t j = 0; j < p->d->k; j++)
            p->fitted[i] += p->beta[j] * p->d->x[i * p->d->k + j];
    }
}

/* On the scale on which the noise is even: relative or as it is, times the root of the row's weight. */
static double residual(const struct problem *p, size_t i)
{
    double r = p->d->y[i] - p->fitted[i];

    if (p->o->noise == NOISE_RELATIVE)
        r /= fmax(p->fitted[i], 1e-300);
    return r * sqrt(weight_of(p->d, i));
}

static void robust_sd(struct problem *p)
{
    double *r = xcalloc(p->d->n, sizeof *r), floor_ = 0;
    size_t n = 0;

    for (size_t i = 0; i < p->d->n; i++)
        if (!left_out(p, i)) {
            floor_ = fmax(floor_, p->o->noise == NOISE_RELATIVE ? 1 : fabs(p->d->y[i]));
            r[n++] = fabs(residual(p, i));
        }
    p->sd = fmax(n > 0 ? 1.4826 * gsl_stats_median(r, 1, n) : 0, 1e-12 * floor_);
    free(r);
}

static double huber_weight(const struct problem *p, size_t i)
{
    double z = p->sd > 0 ? fabs(residual(p, i)) / p->sd : 0;

    return p->o->huber > 0 && z > p->o->huber ? p->o->huber / z : 1;
}

static void reweigh(struct problem *p)
{
    robust_sd(p);
    for (size_t i = 0; i < p->d->n; i++) {
        double f = p->o->noise == NOISE_RELATIVE ? fmax(p->fitted[i], 1e-300) : 1;

        p->w[i] = weight_of(p->d, i) * huber_weight(p, i) / (f * f);
    }
}

static void start_weights(struct problem *p)
{
    for (size_t i = 0; i < p->d->n; i++) {
        double f = p->o->noise == NOISE_RELATIVE ? p->d->y[i] : 1;

        p->w[i] = weight_of(p->d, i) / (f * f);
    }
}

static void estimate(struct problem *p)
{
    double before[K] = {0};

    start_weights(p);
    for (int it = 0; it < ITERATIONS; it++) {
        double moved = 0;

        normal_equations(p);
        constrained(p, p->b, p->beta, p->in, p->said);
        for (size_t j = 0; j < p->d->k; j++) {
            p->beta[j] /= p->unit[j];
            moved = fmax(moved, fabs(p->beta[j] - before[j]) * p->unit[j]);
            before[j] = p->beta[j];
        }
        evaluate(p);
        if (it > 0 && moved < 1e-9 * sqrt((double)p->d->n))
            return;
        reweigh(p);
    }
}

/* ------------------------------------------------------------------------------------- how well it is known
 */

static void invert(struct problem *p)
{
    nnls_inverse(p->a, p->in, p->d->k, p->inverse);
    for (size_t r = 0; r < p->d->k; r++)
        for (size_t c = 0; c < p->d->k; c++)
            p->inverse[r][c] /= p->unit[r] * p->unit[c];
}

static double leverage(const struct problem *p, size_t i)
{
    const double *x = p->d->x + i * p->d->k;
    double h = 0;

    for (size_t r = 0; r < p->d->k; r++)
        for (size_t c = 0; c < p->d->k; c++)
            h += x[r] * p->inverse[r][c] * x[c];
    return fmin(h * p->w[i], 0.99);
}

static int used(const struct problem *p)
{
    int n = 0;

    for (size_t j = 0; j < p->d->k; j++)
        n += p->in[j];
    return n;
}

/* Standard deviation of the noise on its own scale, outliers clipped where Huber's weights clip them. */
static double noise(const struct problem *p)
{
    double sum = 0, most = p->o->huber > 0 ? p->o->huber * p->sd : INFINITY;
    double free_ = (double)p->d->n - used(p);

    for (size_t i = 0; i < p->d->n; i++) {
        double r = fmin(fabs(residual(p, i)), most);

        sum += r * r;
    }
    return free_ > 0 ? sqrt(sum / free_) : 0;
}

/* HC3: each row's own residual, as it would be had the row been left out. */
static void sandwich(const struct problem *p, struct fit *out)
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

static void model_covariance(const struct problem *p, struct fit *out)
{
    double s = noise(p);

    for (size_t r = 0; r < p->d->k; r++)
        for (size_t c = 0; c < p->d->k; c++)
            out->cov[r][c] = s * s * p->inverse[r][c];
}

static void covariance(const struct problem *p, struct fit *out)
{
    (p->o->cov == COV_MODEL ? model_covariance : sandwich)(p, out);
}

/* So near its bound that its estimate has no normal law. */
static bool near_bound(const struct problem *p, const double cov[FIT_PARAMS][FIT_PARAMS], size_t j)
{
    return !p->o->any_sign && !p->said[j] && (!p->in[j] || p->beta[j] < 2 * sqrt(cov[j][j]));
}

static bool any_near_bound(const struct problem *p, const struct fit *f)
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
static void bootstrap(const struct problem *p, struct fit *out)
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
        constrained(p, b, x, in, said);
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
static void unconstrained(const struct problem *p, const double cov[FIT_PARAMS][FIT_PARAMS], struct fit *out)
{
    struct fit any = {0};
    struct problem u = *p;
    double t = fit_t95((double)p->d->n - (double)p->d->k);

    u.fitted = xcalloc(p->d->n, sizeof *u.fitted);
    nnls_any_sign(u.a, u.b, u.d->k, u.beta, u.in, u.said);
    for (size_t j = 0; j < p->d->k; j++)
        u.beta[j] /= u.unit[j];
    evaluate(&u);
    invert(&u);
    covariance(&u, &any);
    for (size_t j = 0; j < p->d->k; j++) {
        double sd = sqrt(any.cov[j][j]);

        if (p->said[j] || u.said[j] || near_bound(p, cov, j))
            continue;
        out->param[j].lo = fmax(0, fmin(out->param[j].value, u.beta[j] - t * sd));
        out->param[j].hi = fmax(out->param[j].value, u.beta[j] + t * sd);
    }
    free(u.fitted);
}

/* ----------------------------------------------------------------------------------------------- the result
 */

static double r_squared(const struct problem *p)
{
    double mean = gsl_stats_mean(p->d->y, 1, p->d->n), total = 0, rest = 0;

    for (size_t i = 0; i < p->d->n; i++) {
        double d = p->d->y[i] - mean, e = p->d->y[i] - p->fitted[i];

        total += d * d;
        rest += e * e;
    }
    return total > 0 ? 1 - rest / total : NAN;
}

static void hold_out(struct problem *p, struct fit *out)
{
    double *predicted = xcalloc(p->d->n, sizeof *predicted), *measured = xcalloc(p->d->n, sizeof *measured);
    size_t m = 0;

    p->skip = HOLD_OUT_EVERY - 1;
    estimate(p);
    for (size_t i = 0; i < p->d->n; i++)
        if (left_out(p, i)) {
            predicted[m] = p->fitted[i];
            measured[m++] = p->d->y[i];
        }
    fit_held_out(out, predicted, measured, m);
    p->skip = -1;
    free(measured);
    free(predicted);
}

static void write_params(const struct problem *p, struct fit *out)
{
    double cov[FIT_PARAMS][FIT_PARAMS], t = fit_t95((double)p->d->n - used(p));

    memcpy(cov, out->cov, sizeof cov);
    for (size_t j = 0; j < p->d->k; j++) {
        const char *unit = p->d->unit != NULL ? p->d->unit[j] : "";

        if (p->said[j]) {
            fit_add_unknown(out, p->d->name[j], unit, 0);
            fit_suspect(out, "%s cannot be told from the other terms at the sizes seen; it was left out",
                        p->d->name[j]);
            continue;
        }
        fit_add(out, p->d->name[j], unit, p->beta[j], sqrt(cov[j][j]), t, p->o->any_sign ? -INFINITY : 0)
            ->on_bound = !p->in[j];
    }
    memcpy(out->cov, cov, sizeof cov);
    out->valid_from = INFINITY;
    out->valid_to = -INFINITY;
    for (size_t i = 0; i < p->d->n; i++) {
        double x = p->d->x[i * p->d->k + p->d->range_of];

        out->valid_from = fmin(out->valid_from, x);
        out->valid_to = fmax(out->valid_to, x);
    }
}

static int check(const struct linear_data *d, const struct linear_options *o, struct err *err)
{
    ASSERT(d->k >= 1 && d->k <= K);
    if (d->n < d->k + 1)
        return err_set(err, ERR_FAILED, "%zu measurements; %zu are needed for a fit of %zu terms", d->n,
                       d->k + 1, d->k);
    for (size_t i = 0; i < d->n; i++) {
        if (!isfinite(d->y[i]) || (o->noise == NOISE_RELATIVE && !(d->y[i] > 0)))
            return err_set(err, ERR_FAILED, "measurement %zu is %g; a fit needs %s values", i, d->y[i],
                           o->noise == NOISE_RELATIVE ? "positive" : "finite");
        for (size_t j = 0; j < d->k; j++)
            if (!isfinite(d->x[i * d->k + j]))
                return err_set(err, ERR_FAILED, "measurement %zu: %s is %g; a fit needs finite values", i,
                               d->name[j], d->x[i * d->k + j]);
    }
    return 0;
}

int linear_fit(const struct linear_data *d, const struct linear_options *o, struct fit *out, struct err *err)
{
    struct problem p = {.d = d, .o = o, .skip = -1};

    *out = fit_begin(o->any_sign ? "least squares" : "non-negative least squares");
    TRY(check(d, o, err));
    p.w = xcalloc(d->n, sizeof *p.w);
    p.fitted = xcalloc(d->n, sizeof *p.fitted);
    if (d->n >= 2 * HOLD_OUT_EVERY && d->n * (HOLD_OUT_EVERY - 1) / HOLD_OUT_EVERY > d->k)
        hold_out(&p, out);
    estimate(&p);
    invert(&p);
    covariance(&p, out);
    write_params(&p, out);
    if (any_near_bound(&p, out)) {
        double cov[FIT_PARAMS][FIT_PARAMS];

        memcpy(cov, out->cov, sizeof cov);
        bootstrap(&p, out);
        unconstrained(&p, cov, out);
    }
    out->n = (long)d->n;
    out->r2 = r_squared(&p);
    out->noise_frac = noise(&p);
    if (o->noise == NOISE_CONSTANT)
        out->noise_frac /= fmax(fabs(gsl_stats_mean(d->y, 1, d->n)), 1e-300);
    free(p.fitted);
    free(p.w);
    return 0;
}

double linear_predict(const struct fit *f, const double *x)
{
    double y = 0;

    for (int j = 0; j < f->params_n; j++)
        y += f->param[j].value * x[j];
    return y;
}

double linear_predict_stderr(const struct fit *f, const double *x)
{
    double var = 0;

    for (int r = 0; r < f->params_n; r++)
        for (int c = 0; c < f->params_n; c++)
            var += x[r] * f->cov[r][c] * x[c];
    return sqrt(fmax(var, 0));
}

bool linear_tells_apart(const struct linear_data *d, enum linear_noise noise_, const bool *use)
{
    struct linear_options o = {.noise = noise_};
    struct problem p = {.d = d, .o = &o, .skip = -1};
    bool apart;

    p.w = xcalloc(d->n, sizeof *p.w);
    start_weights(&p);
    normal_equations(&p);
    apart = nnls_tells_apart(p.a, use, d->k);
    free(p.w);
    return apart;
}
