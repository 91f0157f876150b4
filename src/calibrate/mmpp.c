#include "calibrate/arrivals.h"

#include "base/arena.h"
#include "calibrate/maximum.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HIGH, LOW, TO_LOW, TO_HIGH, PARAMS, LEAST_N = 100 };

static const double NO_BETTER =
    8; /* log-likelihood that three more parameters gain by chance once in ~1000 */

struct gaps {
    const double *gap;
    size_t n;
};

/*
 * v <- v exp((Q - L) x) L, per gap.  With h the mean of the diagonal, s the root of its half difference
 * squared plus the product of the switches, exp(M x) = e^(h x) (cosh(s x) I + sinh(s x) / s (M - h I)).
 */
static double log_likelihood(const double *theta, const void *ctx)
{
    const struct gaps *g = ctx;
    double high = exp(theta[HIGH]), low = exp(theta[LOW]), a = exp(theta[TO_LOW]), b = exp(theta[TO_HIGH]);
    double m = -(a + high), q = -(b + low), h = (m + q) / 2, d = (m - q) / 2, s = sqrt(d * d + a * b);
    double v = b * high, w = a * low, sum = v + w, log_sum = 0; /* the phase just after an arrival */

    v /= sum;
    w /= sum;
    for (size_t i = 0; i < g->n; i++) {
        double up = exp((h + s) * g->gap[i]), down = exp((h - s) * g->gap[i]);
        double c = (up + down) / 2, k = (up - down) / (2 * s);
        double next_v = (v * (c + k * d) + w * k * b) * high, next_w = (v * k * a + w * (c - k * d)) * low;

        sum = next_v + next_w;
        if (!(sum > 0))
            return -INFINITY;
        v = next_v / sum;
        w = next_w / sum;
        log_sum += log(sum);
    }
    return log_sum;
}

double mmpp2_idc(double high, double low, double to_low, double to_high, double window_s)
{
    double r = to_low + to_high, mean = (high * to_high + low * to_low) / r;
    double limit = 2 * (high - low) * (high - low) * to_low * to_high / (r * r * r * mean);

    return 1 + limit * (1 + expm1(-r * window_s) / (r * window_s));
}

/* Three lengths of a phase, in mean gaps; the best of what each leads to. */
static double climb(const struct gaps *g, double mean_gap_s, double *theta)
{
    static const double phase_gaps[] = {10, 50, 250};
    double best = -INFINITY;

    for (int i = 0; i < 3; i++) {
        double t[PARAMS] = {log(1.7 / mean_gap_s), log(0.5 / mean_gap_s), -log(phase_gaps[i] * mean_gap_s),
                            -log(phase_gaps[i] * mean_gap_s)},
               at;

        maximum_climb(log_likelihood, g, PARAMS, (double)g->n, t);
        at = log_likelihood(t, g);
        if (at > best) {
            best = at;
            memcpy(theta, t, sizeof t);
        }
    }
    if (theta[HIGH] < theta[LOW])
        for (int k = 0; k < PARAMS; k += 2) {
            double t = theta[k];

            theta[k] = theta[k + 1];
            theta[k + 1] = t;
        }
    return best;
}

static void write_params(const double *theta, bool hill, double cov[MAXIMUM_PARAMS][MAXIMUM_PARAMS], double n,
                         struct fit *f)
{
    static const char *const names[] = {"rate_high", "rate_low", "to_low", "to_high"};

    for (int i = 0; i < PARAMS; i++) {
        double v = exp(theta[i]);

        if (hill)
            fit_log_interval(fit_add(f, names[i], "per s", v, v * sqrt(cov[i][i]), 1, 0),
                             fit_t95(n - PARAMS));
        else
            fit_add_unknown(f, names[i], "per s", v);
    }
    for (int i = 0; hill && i < PARAMS; i++)
        for (int j = 0; j < PARAMS; j++)
            f->cov[i][j] = cov[i][j] * exp(theta[i] + theta[j]);
}

int arrivals_mmpp2(const double *t_s, size_t n, struct mmpp2 *out, struct err *err)
{
    double *t, theta[PARAMS], cov[MAXIMUM_PARAMS][MAXIMUM_PARAMS], mean;
    struct gaps g;
    bool hill;

    *out = (struct mmpp2){.fit = fit_begin("Markov-modulated Poisson, two phases")};
    if (n < LEAST_N)
        return err_set(err, ERR_FAILED, "%zu arrivals; two phases need at least %d", n, LEAST_N);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(t_s[i]))
            return err_set(err, ERR_FAILED, "arrival %zu is at %g", i, t_s[i]);
    t = xcalloc(n, sizeof *t);
    memcpy(t, t_s, n * sizeof *t);
    gsl_sort(t, 1, n);
    out->fit.valid_from = t[0];
    out->fit.valid_to = t[n - 1];
    mean = (t[n - 1] - t[0]) / (double)(n - 1);
    for (size_t i = 0; i + 1 < n; i++)
        t[i] = t[i + 1] - t[i];
    g = (struct gaps){t, n - 1};
    if (mean > 0) {
        out->gain = climb(&g, mean, theta) + (double)g.n * (1 + log(mean));
        hill = maximum_information(log_likelihood, &g, PARAMS, theta, cov);
        write_params(theta, hill, cov, (double)n, &out->fit);
        out->fit.n = (long)n;
        if (out->gain < NO_BETTER || !hill)
            fit_suspect(&out->fit,
                        "a Poisson process describes these arrivals as well; two phases are not told");
    }
    free(t);
    return mean > 0 ? 0 : err_set(err, ERR_FAILED, "all %zu arrivals are at one time", n);
}
