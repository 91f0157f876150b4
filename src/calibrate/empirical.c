#include "calibrate/empirical.h"

#include "base/arena.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double probabilities[] = {0,    0.001, 0.005, 0.01,  0.025,  0.05,   0.1,  0.15, 0.2,
                                       0.25, 0.3,   0.35,  0.4,   0.45,   0.5,    0.55, 0.6,  0.65,
                                       0.7,  0.75,  0.8,   0.85,  0.9,    0.925,  0.95, 0.97, 0.98,
                                       0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1};
enum {
    PROBABILITIES = sizeof probabilities / sizeof *probabilities,
    MORE = 16,
    KNOTS = PROBABILITIES + MORE
};

static const double AREA = 2e-4; /* of the mean: a segment that is less wrong needs no knot */

static const struct {
    const char *name;
    double p;
} reported[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};

/* Points of the quantile function: straight between them. */
struct knots {
    double *at, *value;
    size_t n;
};

static int ascending(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    return x->lo != y->lo ? (x->lo > y->lo) - (x->lo < y->lo) : (x->hi > y->hi) - (x->hi < y->hi);
}

static double quantile(const struct knots *k, double p)
{
    size_t i = 1;

    while (i + 1 < k->n && k->at[i] < p)
        i++;
    if (k->n == 1 || k->at[i] <= k->at[i - 1])
        return k->value[k->n == 1 ? 0 : i];
    return k->value[i - 1] + (k->value[i] - k->value[i - 1]) * (p - k->at[i - 1]) / (k->at[i] - k->at[i - 1]);
}

/* The i-th of n values stands at i / (n - 1); a bucket covers its share evenly. */
static int spread(const struct sample *s, size_t n, double total, bool buckets, struct knots *k,
                  struct err *err)
{
    double before = 0, last = 0;

    for (size_t i = 0; i < n; i++) {
        double hi = isinf(s[i].hi) ? s[i].lo : s[i].hi,
               first = buckets ? before / total : before / (total - 1);

        if (s[i].count <= 0)
            continue;
        if (s[i].lo < last)
            return err_set(err, ERR_FAILED,
                           "buckets overlap at %g: an empirical law needs values or buckets side by side",
                           s[i].lo);
        before += s[i].count;
        k->at[k->n] = fmin(first, 1);
        k->value[k->n++] = s[i].lo;
        k->at[k->n] = fmin(buckets ? before / total : (before - 1) / (total - 1), 1);
        k->value[k->n++] = hi;
        last = hi;
    }
    return 0;
}

/* Keeps the quantiles at the probabilities that n can tell; at least the ends. */
static void thin(const struct knots *all, double n, struct knots *out)
{
    for (int i = 0; i < PROBABILITIES; i++) {
        double p = probabilities[i];

        if (p != 0 && p != 1 && fmin(p, 1 - p) * n < 1)
            continue;
        out->at[out->n] = p;
        out->value[out->n++] = quantile(all, p);
    }
}

/* The point furthest from the segment that ends at few[j]; *area: how much of the mean the segment misplaces.
 */
static size_t furthest(const struct knots *all, const struct knots *few, size_t j, size_t *from, double *area)
{
    double a0 = few->at[j - 1], a1 = few->at[j], worst = -1;
    size_t i = *from, best = i;

    *area = 0;
    for (; i < all->n && all->at[i] <= a1; i++) {
        double line = few->value[j - 1] + (few->value[j] - few->value[j - 1]) * (all->at[i] - a0) / (a1 - a0);
        double off = fabs(all->value[i] - line);

        if (all->at[i] <= a0)
            continue;
        *area += off * (all->at[i] - fmax(a0, i > 0 ? all->at[i - 1] : 0));
        if (off > worst) {
            worst = off;
            best = i;
        }
    }
    *from = i;
    return best;
}

/* Where the sample jumps (two peaks, a time-out) straight lines between the usual probabilities would not do.
 */
static void refine(const struct knots *all, struct knots *few)
{
    double mean = law_quantiles(few->at, few->value, few->n).mean;

    for (int more = 0; more < MORE; more++) {
        double most = AREA * mean, area;
        size_t at = 0, split = 0, from = 0;

        for (size_t j = 1; j < few->n; j++) {
            size_t i = furthest(all, few, j, &from, &area);

            if (area > most && all->at[i] > few->at[j - 1] && all->at[i] < few->at[j]) {
                most = area;
                at = j;
                split = i;
            }
        }
        if (at == 0)
            return;
        memmove(few->at + at + 1, few->at + at, (few->n - at) * sizeof *few->at);
        memmove(few->value + at + 1, few->value + at, (few->n - at) * sizeof *few->value);
        few->at[at] = all->at[split];
        few->value[at] = all->value[split];
        few->n++;
    }
}

/* Removes what a law cannot have: knots at the same probability, values that fall by a rounding. */
static void clean(struct knots *k)
{
    size_t n = 0;

    for (size_t i = 0; i < k->n; i++) {
        if (n > 0 &&
            k->at[i] <= k->at[n - 1]) { /* a gap between buckets: the quantile jumps; keep it steep */
            if (k->value[i] <= k->value[n - 1])
                continue;
            k->at[i] = k->at[n - 1] + 1e-9;
        }
        k->at[n] = k->at[i];
        k->value[n] = n > 0 ? fmax(k->value[i], k->value[n - 1]) : k->value[i];
        n++;
    }
    k->n = n;
    k->at[0] = 0;
    k->at[n - 1] = 1;
}

/*
 * The ranks l, u with P(l <= Bin(n, p) < u) >= .95: the truth lies between those order statistics as often,
 * whatever the law.
 */
static void add_quantile(struct fit *f, const struct knots *all, double n, const char *unit, int which)
{
    double p = reported[which].p, l = floor(n * p), u = l + 1;
    struct fit_param *out;

    while (l > 0 && gsl_cdf_binomial_P((unsigned)l - 1, p, (unsigned)n) > 0.025)
        l--;
    while (u < n && gsl_cdf_binomial_Q((unsigned)u - 1, p, (unsigned)n) > 0.025)
        u++;
    out = fit_add(f, reported[which].name, unit, quantile(all, p), 0, 1, 0);
    out->lo = quantile(all, fmax(0, (l - 1) / (n - 1)));
    out->hi = u < n ? quantile(all, fmin(1, (u - 1) / (n - 1))) : INFINITY;
    out->stderr_ = isinf(out->hi) ? INFINITY : (out->hi - out->lo) / (2 * 1.96);
    f->cov[f->params_n - 1][f->params_n - 1] = isinf(out->hi) ? 0 : out->stderr_ * out->stderr_;
    if (l <= 0)
        out->lo = 0;
}

static void describe(const struct knots *all, const struct samples *s, double n, double above, bool buckets,
                     struct distribution *out)
{
    const struct law *law = &out->law;

    fit_add(&out->fit, "mean", s->unit, law->mean, law->mean * law->cv / sqrt(n), fit_t95(n - 1), 0);
    for (int i = 0; i < (int)(sizeof reported / sizeof *reported); i++)
        add_quantile(&out->fit, all, n, s->unit, i);
    out->fit.ks = buckets ? NAN : 0;
    if (above > 0)
        fit_suspect(&out->fit,
                    "%.3g of %.3g observations are only known to be above a limit; they were put there",
                    above, n);
    if (s->from > 0 || (s->to > 0 && isfinite(s->to)))
        fit_suspect(&out->fit, "values outside what could be recorded are not in the empirical law");
}

int empirical_fit(const struct samples *s, struct arena *a, struct distribution *out, struct err *err)
{
    struct sample *sorted = xcalloc(s->n, sizeof *sorted);
    struct knots all = {arena_array(a, 2 * s->n, sizeof(double)), arena_array(a, 2 * s->n, sizeof(double)),
                        0},
                 few;
    double n = 0, above = 0;
    bool buckets = false;
    int rc;

    memcpy(sorted, s->s, s->n * sizeof *sorted);
    qsort(sorted, s->n, sizeof *sorted, ascending);
    for (size_t i = 0; i < s->n; i++) {
        n += sorted[i].count;
        above += isinf(sorted[i].hi) ? sorted[i].count : 0;
        buckets = buckets || sorted[i].lo != sorted[i].hi;
    }
    rc = spread(sorted, s->n, n, buckets, &all, err);
    free(sorted);
    TRY(rc);
    few = (struct knots){arena_array(a, KNOTS, sizeof(double)), arena_array(a, KNOTS, sizeof(double)), 0};
    if (buckets && all.n <= 2 * PROBABILITIES) {
        few = all;
    } else {
        thin(&all, n, &few);
        refine(&all, &few);
    }
    clean(&few);
    out->law = law_quantiles(few.at, few.value, few.n);
    describe(&all, s, n, above, buckets, out);
    return 0;
}
