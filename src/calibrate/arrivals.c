#include "calibrate/arrivals.h"

#include "base/arena.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 20, LEAST_N = 40, SHORT_COUNT = 10, LONG_WINDOWS = 30 };

static const double DRIFTS = 1e-3;

/* Arrivals per window of the first `windows` whole ones. */
static void count_windows(const double *t, size_t n, double window_s, size_t windows, double *count)
{
    memset(count, 0, windows * sizeof *count);
    for (size_t i = 0; i < n; i++) {
        double w = floor((t[i] - t[0]) / window_s);

        if (w < (double)windows)
            count[(size_t)w]++;
    }
}

double arrivals_idc(const double *t, size_t n, double window_s, size_t *windows)
{
    size_t m = n > 1 ? (size_t)((t[n - 1] - t[0]) / window_s * (1 + 1e-12)) : 0;
    double *count, mean, idc;

    *windows = m;
    if (m < 2)
        return NAN;
    count = xcalloc(m, sizeof *count);
    count_windows(t, n, window_s, m, count);
    mean = gsl_stats_mean(count, 1, m);
    idc = mean > 0 ? gsl_stats_variance(count, 1, m) / mean : NAN;
    free(count);
    return idc;
}

/* ------------------------------------------------------------------------------------------- estimates */

static void add_rate(const double *t, size_t n, struct fit *f)
{
    double span = t[n - 1] - t[0], count[BATCHES], mean;

    count_windows(t, n, span / BATCHES, BATCHES,
                  count); /* the last arrival ends the last window, uncounted */
    mean = gsl_stats_mean(count, 1, BATCHES);
    fit_add(f, "rate", "per s", mean * BATCHES / span,
            gsl_stats_sd(count, 1, BATCHES) / sqrt(BATCHES) * BATCHES / span, fit_t95(BATCHES - 1), 0);
}

/* Standard error by the delta method from the moments up to the fourth; any law of independent gaps. */
static double add_gap_cv(const double *t, size_t n, struct fit *f)
{
    size_t m = n - 1;
    double *gap = xcalloc(m, sizeof *gap), mean, sd, cv, var = 0;

    for (size_t i = 0; i < m; i++)
        gap[i] = t[i + 1] - t[i];
    mean = gsl_stats_mean(gap, 1, m);
    sd = gsl_stats_sd(gap, 1, m);
    cv = sd / mean;
    for (size_t i = 0; i < m;
         i++) { /* what each gap adds to cv: (z^2 - 1) / 2 - cv z, z standardized, times cv */
        double z = (gap[i] - mean) / sd, each = cv * ((z * z - 1) / 2 - cv * z);

        var += each * each / ((double)m * (double)m);
    }
    fit_add(f, "gap_cv", "", cv, sqrt(var), fit_t95((double)m - 1), 0);
    free(gap);
    return cv;
}

static double add_idc(const double *t, size_t n, const char *name, double window_s, double *two_sided_p,
                      struct fit *f)
{
    size_t m;
    double idc = arrivals_idc(t, n, window_s, &m), left = (double)m - 1, below;
    struct fit_param *p = fit_add(f, name, "", idc, idc * sqrt(2 / left), 1, 0);

    p->lo = left * idc / gsl_cdf_chisq_Pinv(0.975, left);
    p->hi = left * idc / gsl_cdf_chisq_Pinv(0.025, left);
    below = gsl_cdf_chisq_P(left * idc, left);
    *two_sided_p = 2 * fmin(below, 1 - below);
    return idc;
}

/* ---------------------------------------------------------------------------------------------- tests */

static double normal_p(double z)
{
    return 2 * gsl_cdf_ugaussian_Q(fabs(z));
}

/* Variance of the counts per arrival, from differences of neighbours. */
static double local_dispersion(const double *t, size_t n)
{
    double span = t[n - 1] - t[0], count[LONG_WINDOWS], sum = 0;

    count_windows(t, n, span / LONG_WINDOWS, LONG_WINDOWS, count);
    for (int i = 0; i + 1 < LONG_WINDOWS; i++)
        sum += (count[i + 1] - count[i]) * (count[i + 1] - count[i]) / (2.0 * (LONG_WINDOWS - 1));
    return fmax(sum / ((double)n / LONG_WINDOWS), 1e-9);
}

static void test_stationary(const double *t, size_t n, struct arrivals *out)
{
    double span = t[n - 1] - t[0], idc = local_dispersion(t, n), sum = 0, first = 0, half, trend;

    for (size_t i = 1; i + 1 < n; i++) { /* the two ends are where they are by definition */
        first += t[i] - t[0] < span / 2;
        sum += (t[i] - t[0]) / span;
    }
    half = (2 * first - (double)(n - 2)) / sqrt((double)(n - 2) * idc);
    trend = (sum / (double)(n - 2) - 0.5) * sqrt(12 * (double)(n - 2) / idc);
    out->half_p = normal_p(half);
    out->trend_p = normal_p(trend);
    if (out->half_p < DRIFTS)
        fit_suspect(&out->fit,
                    "not stationary: %.3g arrivals in the first half, %.3g in the second (p = %.2g)", first,
                    (double)(n - 2) - first, out->half_p);
    else if (out->trend_p < DRIFTS)
        fit_suspect(&out->fit, "not stationary: the rate %s (p = %.2g)", trend > 0 ? "rises" : "falls",
                    out->trend_p);
}

/* ---------------------------------------------------------------------------------------------- door */

static int check(const double *t, size_t n, struct err *err)
{
    double lo = INFINITY, hi = -INFINITY;

    if (n < LEAST_N)
        return err_set(err, ERR_FAILED, "%zu arrivals; at least %d are needed", n, LEAST_N);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(t[i]))
            return err_set(err, ERR_FAILED, "arrival %zu is at %g", i, t[i]);
        lo = fmin(lo, t[i]);
        hi = fmax(hi, t[i]);
    }
    if (!(hi > lo))
        return err_set(err, ERR_FAILED, "all %zu arrivals are at %g s", n, lo);
    return 0;
}

int arrivals_fit(const double *t_s, size_t n, struct arrivals *out, struct err *err)
{
    double *t, cv, p_short, p_long;

    *out = (struct arrivals){.fit = fit_begin("arrival statistics")};
    TRY(check(t_s, n, err));
    t = xcalloc(n, sizeof *t);
    memcpy(t, t_s, n * sizeof *t);
    gsl_sort(t, 1, n);
    out->fit.n = (long)n;
    out->fit.valid_from = t[0];
    out->fit.valid_to = t[n - 1];
    out->long_s = (t[n - 1] - t[0]) / LONG_WINDOWS;
    out->short_s = fmin(SHORT_COUNT * (t[n - 1] - t[0]) / (double)(n - 1), out->long_s);
    add_rate(t, n, &out->fit);
    cv = add_gap_cv(t, n, &out->fit);
    add_idc(t, n, "idc_short", out->short_s, &p_short, &out->fit);
    add_idc(t, n, "idc_long", out->long_s, &p_long, &out->fit);
    out->poisson_p = fmin(1, 3 * fmin(normal_p(sqrt((double)n - 1) * (cv - 1)), fmin(p_short, p_long)));
    test_stationary(t, n, out);
    free(t);
    return 0;
}
