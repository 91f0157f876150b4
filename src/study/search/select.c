#include "study/search/select.h"

#include "base/arena.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double mean_of(const double *x, long n)
{
    double sum = 0;

    for (long i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* Sum of squared deviations over n - 1, of x - y; of x alone when y is NULL. */
static double variance_of(const double *x, const double *y, long n)
{
    double mean = mean_of(x, n) - (y != NULL ? mean_of(y, n) : 0), sum = 0;

    for (long i = 0; i < n; i++) {
        double d = x[i] - (y != NULL ? y[i] : 0) - mean;

        sum += d * d;
    }
    return n > 1 ? sum / (double)(n - 1) : 0;
}

/* -------------------------------------------------------------- subset */

size_t select_subset(double *const *x, long n0, size_t k, double alpha, bool *is_in)
{
    double t = k > 1 && n0 > 1 ? gsl_cdf_tdist_Qinv(alpha / (double)(k - 1), (double)(n0 - 1)) : INFINITY;
    double *mean = xcalloc(k + 1, sizeof *mean);
    size_t n = 0;

    for (size_t i = 0; i < k; i++)
        mean[i] = mean_of(x[i], n0);
    for (size_t i = 0; i < k; i++) {
        is_in[i] = true;
        for (size_t l = 0; l < k && is_in[i]; l++)
            is_in[i] =
                mean[i] >= mean[l] || mean[i] >= mean[l] - t * sqrt(variance_of(x[i], x[l], n0) / (double)n0);
        n += is_in[i];
    }
    free(mean);
    return n;
}

/* ------------------------------------------------------------------ KN */

void kn_init(struct kn *kn, size_t k, long n0, double alpha, double delta)
{
    double eta = (pow(2 * alpha / (double)(k > 1 ? k - 1 : 1), -2 / (double)(n0 - 1)) - 1) / 2;

    *kn = (struct kn){.k = k, .n0 = n0, .delta = delta, .h2 = 2 * eta * (double)(n0 - 1), .alive_n = k};
    kn->alive = xcalloc(k + 1, sizeof *kn->alive);
    for (size_t i = 0; i < k; i++)
        kn->alive[i] = i;
}

void kn_fini(struct kn *kn)
{
    free(kn->alive);
    free(kn->s2);
    free(kn->row);
}

static double pair_s2(const struct kn *kn, double *const *x, size_t i, size_t l)
{
    return kn->s2 != NULL ? kn->s2[kn->row[i] * kn->rows + kn->row[l]] : variance_of(x[i], x[l], kn->n0);
}

static bool beats(const struct kn *kn, double *const *x, const double *mean, size_t l, size_t i, long r)
{
    double s2 = pair_s2(kn, x, i, l);
    double w = fmax(0, kn->delta / (2 * (double)r) * (kn->h2 * s2 / (kn->delta * kn->delta) - (double)r));

    if (s2 == 0 && mean[i] == mean[l])
        return l < i;
    return mean[i] < mean[l] - w || (w == 0 && mean[i] == mean[l] && l < i);
}

/* What the first replications say about the pairs that are left counts until the end. */
static void keep_variances(struct kn *kn, double *const *x)
{
    double *s2 = xcalloc(kn->alive_n * kn->alive_n + 1, sizeof *s2);

    kn->row = xcalloc(kn->k + 1, sizeof *kn->row);
    kn->rows = kn->alive_n;
    for (size_t a = 0; a < kn->alive_n; a++) {
        kn->row[kn->alive[a]] = a;
        for (size_t b = 0; b < kn->alive_n; b++)
            s2[a * kn->rows + b] = variance_of(x[kn->alive[a]], x[kn->alive[b]], kn->n0);
    }
    kn->s2 = s2;
}

size_t kn_screen(struct kn *kn, double *const *x, long r)
{
    double *mean = xcalloc(kn->k + 1, sizeof *mean);
    bool *out = xcalloc(kn->k + 1, sizeof *out);
    size_t left = 0;

    for (size_t a = 0; a < kn->alive_n; a++)
        mean[kn->alive[a]] = mean_of(x[kn->alive[a]], r);
    for (size_t a = 0; a < kn->alive_n; a++)
        for (size_t b = 0; b < kn->alive_n && !out[kn->alive[a]]; b++)
            out[kn->alive[a]] = a != b && beats(kn, x, mean, kn->alive[b], kn->alive[a], r);
    for (size_t a = 0; a < kn->alive_n; a++)
        if (!out[kn->alive[a]])
            kn->alive[left++] = kn->alive[a];
    kn->alive_n = left;
    free(mean);
    free(out);
    if (kn->s2 == NULL)
        keep_variances(kn, x);
    return left;
}

/* ---------------------------------------------------------------- OCBA */

static size_t best_of(double *const *x, const long *n, size_t k)
{
    size_t best = 0;

    for (size_t i = 1; i < k; i++)
        if (mean_of(x[i], n[i]) > mean_of(x[best], n[best]))
            best = i;
    return best;
}

/* Shares of OCBA, not yet scaled. */
static void shares_of(double *const *x, const long *n, size_t k, double *share)
{
    size_t best = best_of(x, n, k);
    double top = mean_of(x[best], n[best]), sum = 0, sb = sqrt(variance_of(x[best], NULL, n[best]));

    for (size_t i = 0; i < k; i++) {
        double s = sqrt(variance_of(x[i], NULL, n[i])), behind = top - mean_of(x[i], n[i]);

        behind = fmax(behind, 1e-6 * fabs(top) + 1e-300); /* equal ones would take everything */
        share[i] = i == best ? 0 : (s / behind) * (s / behind);
        sum += i == best || s == 0 ? 0 : share[i] * share[i] / (s * s);
    }
    share[best] = sb * sqrt(sum);
}

void ocba_allocate(double *const *x, const long *n, size_t k, long more, long *out)
{
    double *share = xcalloc(k + 1, sizeof *share), *lack = xcalloc(k + 1, sizeof *lack), sum = 0,
           total = more;
    size_t most = 0;
    long given = 0;

    shares_of(x, n, k, share);
    for (size_t i = 0; i < k; i++) {
        sum += share[i];
        total += (double)n[i];
    }
    for (size_t i = 0; i < k; i++)
        lack[i] = sum > 0 ? fmax(0, total * share[i] / sum - (double)n[i]) : 1;
    sum = 0;
    for (size_t i = 0; i < k; i++)
        sum += lack[i];
    for (size_t i = 0; i < k; i++) {
        out[i] = sum > 0 ? (long)floor((double)more * lack[i] / sum) : 0;
        given += out[i];
        most = lack[i] > lack[most] ? i : most;
    }
    out[most] += more - given;
    free(share);
    free(lack);
}

double select_probability(double *const *x, const long *n, size_t k, double delta)
{
    size_t best = best_of(x, n, k);
    double wrong = 0;

    for (size_t i = 0; i < k; i++) {
        long m = n[i] < n[best] ? n[i] : n[best];
        double d = mean_of(x[best], m) - mean_of(x[i], m),
               s = sqrt(variance_of(x[best], x[i], m) / (double)m);

        if (i == best || m < 2)
            continue;
        wrong += s > 0 ? gsl_cdf_tdist_Q((d + delta) / s, (double)(m - 1)) : d + delta > 0 ? 0 : 1;
    }
    return fmax(0, 1 - wrong);
}
