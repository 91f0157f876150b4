#include "calibrate/linear.h"

#include "base/arena.h"
#include "calibrate/linear_parts.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { K = LINEAR_COLUMNS, HOLD_OUT_EVERY = 5, ITERATIONS = 20 };

/* A row's weight may be the square of this above that of the rows that it takes to tell the columns. */
static const double LONE_RANGE = 30;

static bool left_out(const struct linear_problem *p, size_t i)
{
    return p->skip >= 0 && (int)(i % HOLD_OUT_EVERY) == p->skip;
}

static double weight_of(const struct linear_data *d, size_t i)
{
    return d->weight != NULL ? d->weight[i] : 1;
}

void linear_constrained(const struct linear_problem *p, const double *b, double *x, bool *in, bool *said)
{
    (p->o->any_sign ? nnls_any_sign : nnls_solve)(p->a, b, p->d->k, x, in, said);
}

/* -------------------------------------------------------------------- weights, found again and again */

static void normal_equations(struct linear_problem *p)
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

void linear_evaluate(struct linear_problem *p)
{
    for (size_t i = 0; i < p->d->n; i++) {
        p->fitted[i] = 0;
        for (size_t j = 0; j < p->d->k; j++)
            p->fitted[i] += p->beta[j] * p->d->x[i * p->d->k + j];
    }
}

/* What the noise of a row with this value is proportional to. */
static double scale_of(const struct linear_problem *p, double value)
{
    return p->o->noise == NOISE_RELATIVE ? fmax(value, p->least) : 1;
}

/*
 * Relative noise weighs a row by 1 / value^2, so that a value a thousand times below all others would decide
 * alone, and the columns could not be told apart beside it.  It takes more than k rows to tell k columns:
 * the (k + 1)-th smallest value sets how little a value may count as.
 */
static double least_trusted(const struct linear_data *d)
{
    double low[K + 1];

    if (d->n <= d->k)
        return 1e-300;
    gsl_sort_smallest(low, d->k + 1, d->y, 1, d->n);
    return fmax(low[d->k] / LONE_RANGE, 1e-300);
}

/* On the scale on which the noise is even: relative or as it is, times the root of the row's weight. */
double linear_residual(const struct linear_problem *p, size_t i)
{
    return (p->d->y[i] - p->fitted[i]) / scale_of(p, p->fitted[i]) * sqrt(weight_of(p->d, i));
}

static void robust_sd(struct linear_problem *p)
{
    double *r = xcalloc(p->d->n, sizeof *r), floor_ = 0;
    size_t n = 0;

    for (size_t i = 0; i < p->d->n; i++)
        if (!left_out(p, i)) {
            floor_ = fmax(floor_, p->o->noise == NOISE_RELATIVE ? 1 : fabs(p->d->y[i]));
            r[n++] = fabs(linear_residual(p, i));
        }
    p->sd = fmax(n > 0 ? 1.4826 * gsl_stats_median(r, 1, n) : 0, 1e-12 * floor_);
    free(r);
}

static double huber_weight(const struct linear_problem *p, size_t i)
{
    double z = p->sd > 0 ? fabs(linear_residual(p, i)) / p->sd : 0;

    return p->o->huber > 0 && z > p->o->huber ? p->o->huber / z : 1;
}

static void reweigh(struct linear_problem *p)
{
    robust_sd(p);
    for (size_t i = 0; i < p->d->n; i++) {
        double f = scale_of(p, p->fitted[i]);

        p->w[i] = weight_of(p->d, i) * huber_weight(p, i) / (f * f);
    }
}

static void start_weights(struct linear_problem *p)
{
    for (size_t i = 0; i < p->d->n; i++) {
        double f = scale_of(p, p->d->y[i]);

        p->w[i] = weight_of(p->d, i) / (f * f);
    }
}

/* To begin with no row counts more than the median one: from there a lone small value cannot draw all to it. */
static void coarse_weights(struct linear_problem *p)
{
    double *y = xcalloc(p->d->n, sizeof *y), middle;

    memcpy(y, p->d->y, p->d->n * sizeof *y);
    middle = gsl_stats_median(y, 1, p->d->n);
    free(y);
    for (size_t i = 0; i < p->d->n; i++) {
        double f = scale_of(p, fmax(p->d->y[i], middle));

        p->w[i] = weight_of(p->d, i) / (f * f);
    }
}

/* A column on its bound that those above theirs say: it is not 0, it is in them. */
static void find_said(struct linear_problem *p)
{
    for (size_t j = 0; j < p->d->k; j++) {
        if (p->in[j])
            continue;
        p->in[j] = true;
        p->said[j] = p->said[j] || !nnls_tells_apart(p->a, p->in, p->d->k);
        p->in[j] = false;
    }
}

static void estimate(struct linear_problem *p)
{
    double before[K] = {0};

    coarse_weights(p);
    for (int it = 0; it < ITERATIONS; it++) {
        double moved = 0;

        normal_equations(p);
        linear_constrained(p, p->b, p->beta, p->in, p->said);
        for (size_t j = 0; j < p->d->k; j++) {
            p->beta[j] /= p->unit[j];
            moved = fmax(moved, fabs(p->beta[j] - before[j]) * p->unit[j]);
            before[j] = p->beta[j];
        }
        linear_evaluate(p);
        if (it == 0) /* judged by the first weights, which are coarse */
            memset(p->said, 0, sizeof p->said);
        if (it > 0 && moved < 1e-9 * sqrt((double)p->d->n))
            break;
        reweigh(p);
    }
    find_said(p);
}

/* ---------------------------------------------------------------------------------------- the result */

static double r_squared(const struct linear_problem *p)
{
    double mean = gsl_stats_mean(p->d->y, 1, p->d->n), total = 0, rest = 0;

    for (size_t i = 0; i < p->d->n; i++) {
        double d = p->d->y[i] - mean, e = p->d->y[i] - p->fitted[i];

        total += d * d;
        rest += e * e;
    }
    return total > 0 ? 1 - rest / total : NAN;
}

static void hold_out(struct linear_problem *p, struct fit *out)
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

static void write_params(const struct linear_problem *p, struct fit *out)
{
    double cov[FIT_PARAMS][FIT_PARAMS], t = fit_t95((double)p->d->n - linear_used(p));

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
    struct linear_problem p = {.d = d, .o = o, .skip = -1};

    *out = fit_begin(o->any_sign ? "least squares" : "non-negative least squares");
    TRY(check(d, o, err));
    p.least = least_trusted(d);
    p.w = xcalloc(d->n, sizeof *p.w);
    p.fitted = xcalloc(d->n, sizeof *p.fitted);
    if (d->n >= 2 * HOLD_OUT_EVERY && d->n * (HOLD_OUT_EVERY - 1) / HOLD_OUT_EVERY > d->k)
        hold_out(&p, out);
    estimate(&p);
    linear_invert(&p);
    linear_covariance(&p, out);
    write_params(&p, out);
    if (linear_near_bound(&p, out)) {
        double cov[FIT_PARAMS][FIT_PARAMS];

        memcpy(cov, out->cov, sizeof cov);
        linear_bootstrap(&p, out);
        linear_unconstrained(&p, cov, out);
    }
    out->n = (long)d->n;
    out->r2 = r_squared(&p);
    out->noise_frac = linear_noise_sd(&p);
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
    struct linear_problem p = {.d = d, .o = &o, .skip = -1, .least = least_trusted(d)};
    bool apart;

    p.w = xcalloc(d->n, sizeof *p.w);
    start_weights(&p);
    normal_equations(&p);
    apart = nnls_tells_apart(p.a, use, d->k);
    free(p.w);
    return apart;
}
