/* Tallies, levels, histograms and intervals against their definitions. */
#include "engine/rng.h"
#include "engine/stats.h"

#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

Test(tally, is_the_textbook_mean_and_variance)
{
    const double x[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    struct tally t = {0};

    cr_expect_eq(tally_variance(&t), 0);
    for (int i = 0; i < 4; i++)
        tally_add(&t, x[i]);
    cr_expect_eq(t.n, 4);
    cr_expect_float_eq(t.mean, 1e9 + 10, 1e-6);
    cr_expect_float_eq(tally_variance(&t), 30, 1e-6, "far from zero too");
    cr_expect_eq(t.min, 1e9 + 4);
    cr_expect_eq(t.max, 1e9 + 16);
}

Test(tally, merged_parts_equal_the_whole)
{
    struct tally whole = {0}, part[3] = {{0}}, merged = {0};
    struct rng r;

    rng_stream(&r, 1, 0, "merge");
    for (int i = 0; i < 3000; i++) {
        double x = rng_lognormal(&r, 5, 1);

        tally_add(&whole, x);
        tally_add(&part[i < 10 ? 0 : 1], x);
    }
    for (int i = 0; i < 3; i++)
        tally_merge(&merged, &part[i]);
    cr_expect_eq(merged.n, whole.n);
    cr_expect_float_eq(merged.mean, whole.mean, 1e-12);
    cr_expect_float_eq(tally_variance(&merged), tally_variance(&whole), 1e-9);
    cr_expect_eq(merged.min, whole.min);
    cr_expect_eq(merged.max, whole.max);
}

Test(level, is_a_time_average)
{
    struct level l;

    level_start(&l, 10, 3);
    cr_expect_eq(level_mean(&l, 10), 3, "no time has passed");
    level_set(&l, 12, 5);
    level_set(&l, 12, 1);
    cr_expect_eq(level_mean(&l, 16), (2 * 3 + 4 * 1) / 6.0);
    level_start(&l, 16, l.value);
    cr_expect_eq(level_mean(&l, 20), 1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Every quantile of very different laws is within 0.4 % of the order statistic. */
Test(hist, quantiles_are_within_half_a_bin)
{
    enum { N = 50000 };
    static const double q[] = {0, 0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
    static double x[N];
    struct rng r;

    for (int law = 0; law < 4; law++) {
        struct hist *h = hist_new();

        rng_stream(&r, 5, (uint32_t)law, "hist");
        for (int i = 0; i < N; i++) {
            double e = rng_exponential(&r);

            x[i] = law == 0   ? e
                   : law == 1 ? 1e-9 * e
                   : law == 2 ? 1e12 * e
                              : pow(10, 16 * rng_uniform(&r) - 8);
            hist_add(h, x[i]);
        }
        qsort(x, N, sizeof *x, by_value);
        for (size_t k = 0; k < sizeof q / sizeof *q; k++) {
            double truth = x[(size_t)fmax(0, ceil(q[k] * N) - 1)], found = hist_quantile(h, q[k]);

            cr_expect(fabs(found - truth) <= 0.004 * truth, "law %d, q %g: %g for %g", law, q[k], found,
                      truth);
        }
        hist_free(h);
    }
}

Test(hist, holds_zeros_constants_and_extremes)
{
    struct hist *h = hist_new();

    cr_expect_eq(hist_quantile(h, 0.5), 0);
    hist_add(h, 0.123456789);
    hist_add(h, 0.123456789);
    hist_add(h, 0.123456789);
    cr_expect_eq(hist_quantile(h, 0.5), 0.123456789, "a constant is exact");
    hist_reset(h);
    cr_expect_eq(hist_count(h), 0);
    cr_expect_eq(hist_quantile(h, 0.99), 0);
    for (int i = 0; i < 98; i++)
        hist_add(h, 0);
    hist_add(h, 1e-30);
    hist_add(h, 1e300);
    cr_expect_eq(hist_count(h), 100);
    cr_expect_eq(hist_quantile(h, 0.5), 0);
    cr_expect_eq(hist_quantile(h, 1), 1e300);
    hist_free(h);
    hist_free(NULL);
}

Test(hist, merging_adds)
{
    struct hist *whole = hist_new(), *a = hist_new(), *b = hist_new();
    struct rng r;

    rng_stream(&r, 6, 0, "merge");
    for (int i = 0; i < 20000; i++) {
        double x = rng_lognormal(&r, 1, 3);

        hist_add(whole, x);
        hist_add(i % 3 ? a : b, x);
    }
    hist_merge(a, b);
    cr_expect_eq(hist_count(a), hist_count(whole));
    for (int i = 0; i <= 1000; i++)
        cr_expect_eq(hist_quantile(a, i / 1000.0), hist_quantile(whole, i / 1000.0));
    hist_free(whole);
    hist_free(a);
    hist_free(b);
}

Test(estimate, student_interval_of_a_known_sample)
{
    const double x[] = {4, 6, 8, 10, 12};
    struct estimate e = estimate_student(x, 5, 0.95);

    /* t(.975, 4) = 2.776445, s = sqrt 10 */
    cr_expect_eq(e.mean, 8);
    cr_expect_eq(e.n, 5);
    cr_expect_float_eq(e.hi - e.mean, 2.7764451 * sqrt(10.0 / 5), 1e-6);
    cr_expect_float_eq(e.mean - e.lo, e.hi - e.mean, 1e-12);
    cr_expect_not(e.has_pred);
    e = estimate_student(x, 1, 0.95);
    cr_expect(isinf(e.lo) && isinf(e.hi) && e.mean == 4 && e.n == 1);
    e = estimate_student(x, 0, 0.95);
    cr_expect(isinf(e.lo) && isinf(e.hi) && e.n == 0);
    e = estimate_exact(7);
    cr_expect(e.mean == 7 && e.lo == 7 && e.hi == 7 && e.n == 1);
}

Test(estimate, equal_observations_have_no_error)
{
    const double x[] = {0.1, 0.1, 0.1};
    struct estimate e = estimate_ratio(x, x, 3, 0.95);

    cr_expect(e.mean == 1 && e.lo == 1 && e.hi == 1);
    e = estimate_difference(x, x, 3, 0.95);
    cr_expect(e.mean == 0 && e.lo == 0 && e.hi == 0);
    e = estimate_student(x, 3, 0.95);
    cr_expect_float_eq(e.lo, 0.1, 1e-12);
}

Test(estimate, ratio_of_nothing_is_not_a_claim)
{
    const double a[] = {1, 2}, zero[] = {0, 0}, one_zero[] = {0, 1};
    struct estimate e = estimate_ratio(a, zero, 2, 0.95);

    cr_expect(isinf(e.lo) && isinf(e.hi));
    e = estimate_ratio(a, one_zero, 2, 0.95);
    cr_expect(e.mean == 3 && isinf(e.lo) && isinf(e.hi));
}

/* Nominal 90 % intervals of means, differences and ratios cover about 90 % of the time. */
Test(estimate, intervals_cover_as_often_as_they_say)
{
    enum { TRIALS = 4000, N = 10 };
    int mean = 0, difference = 0, ratio = 0;
    struct rng r;

    rng_stream(&r, 7, 0, "coverage");
    for (int t = 0; t < TRIALS; t++) {
        double a[N], b[N];
        struct estimate e;

        for (int i = 0; i < N; i++) {
            double luck = rng_normal(&r); /* shared, as under common random numbers */

            a[i] = 30 + 3 * luck + rng_normal(&r);
            b[i] = 20 + 2 * luck + rng_normal(&r);
        }
        e = estimate_student(a, N, 0.9);
        mean += e.lo <= 30 && 30 <= e.hi;
        e = estimate_difference(a, b, N, 0.9);
        difference += e.lo <= 10 && 10 <= e.hi;
        e = estimate_ratio(a, b, N, 0.9);
        ratio += e.lo <= 1.5 && 1.5 <= e.hi;
    }
    /* 5 sd of a binomial with 4000 trials is 0.024 */
    cr_expect(fabs(mean / (double)TRIALS - 0.9) < 0.024, "mean %d", mean);
    cr_expect(fabs(difference / (double)TRIALS - 0.9) < 0.024, "difference %d", difference);
    cr_expect(fabs(ratio / (double)TRIALS - 0.9) < 0.024, "ratio %d", ratio);
}

Test(estimate, student_quantiles)
{
    cr_expect_float_eq(student_quantile(0.975, 1), 12.7062047, 1e-6);
    cr_expect_float_eq(student_quantile(0.95, 30), 1.6972609, 1e-6);
    cr_expect_float_eq(student_quantile(0.975, 1e6), 1.959964, 1e-4);
}
