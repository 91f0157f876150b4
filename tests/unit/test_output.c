/* Truncation, batches, quantiles and sequential stopping, on series whose truth is known. */
#include "engine/output.h"
#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* x(t + 1) = phi x(t) + normal, around `mean`, beginning at `start`. */
static void autoregressive(struct rng *r, double *x, size_t n, double phi, double mean, double start)
{
    double value = start;

    for (size_t i = 0; i < n; i++)
        x[i] = mean + (value = phi * value + rng_normal(r));
}

Test(mser5, forgets_the_transient_and_little_more)
{
    static double x[5000];
    struct tally drop = {0}, kept = {0};
    struct rng r;

    rng_stream(&r, 1, 0, "transient");
    for (int k = 0; k < 50; k++) {
        struct truncation t;

        autoregressive(&r, x, 5000, 0.98, 10, 60); /* exp(-.02 t) 60: about 1 sd after 130, .1 sd after 240 */
        t = output_mser5(x, 5000);
        cr_expect_not(t.refused);
        cr_expect_eq(t.drop % 5, 0);
        tally_add(&drop, (double)t.drop);
        for (size_t i = t.drop; i < 5000; i++)
            tally_add(&kept, x[i]);
    }
    cr_expect(drop.min >= 50 && drop.mean < 700, "%g .. %g .. %g", drop.min, drop.mean, drop.max);
    cr_expect(fabs(kept.mean - 10) < 0.5, "%g", kept.mean);
}

Test(mser5, keeps_nearly_all_of_a_settled_run)
{
    static double x[5000];
    struct tally drop = {0};
    struct rng r;

    rng_stream(&r, 2, 0, "settled");
    for (int k = 0; k < 50; k++) {
        autoregressive(&r, x, 5000, 0, 10, 0);
        tally_add(&drop, (double)output_mser5(x, 5000).drop);
    }
    cr_expect(drop.mean < 500, "%g", drop.mean);
    for (int i = 0; i < 5000; i++)
        x[i] = 3;
    cr_expect_eq(output_mser5(x, 5000).drop, 0, "a constant needs no warm-up");
}

Test(mser5, refuses_a_run_without_a_steady_state)
{
    static double x[1000];

    for (int i = 0; i < 1000; i++)
        x[i] = i; /* an overloaded queue */
    cr_expect(output_mser5(x, 1000).refused);
    cr_expect(output_mser5(x, 15).refused, "too short to say");
    cr_expect(output_mser5(x, 0).refused);
}

/* 95 % intervals over correlated series; where a run is too short the test must say so. */
Test(batch_means, cover_when_they_say_they_do)
{
    enum { TRIALS = 1000, N = 8000 };
    static double x[N];
    int covered = 0, flagged = 0, short_flagged = 0;
    struct rng r;

    rng_stream(&r, 3, 0, "batches");
    for (int k = 0; k < TRIALS; k++) {
        struct batches b;

        autoregressive(&r, x, N, 0.9, 5, rng_normal(&r) / sqrt(1 - 0.81));
        b = output_batch_means(x, N, 0.95);
        covered += b.estimate.lo <= 5 && 5 <= b.estimate.hi;
        flagged += b.correlated;
        short_flagged += output_batch_means(x, 100, 0.95).correlated;
    }
    cr_expect(covered > 0.92 * TRIALS && covered < 0.975 * TRIALS, "covered %d", covered);
    cr_expect(flagged < 0.05 * TRIALS, "flagged %d", flagged);
    cr_expect(short_flagged > 0.3 * TRIALS, "of the short ones flagged %d", short_flagged);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

Test(quantile, intervals_cover_for_any_law)
{
    enum { TRIALS = 2000, N = 400 };
    int median = 0, p95 = 0;
    struct rng r;

    rng_stream(&r, 4, 0, "quantiles");
    for (int k = 0; k < TRIALS; k++) {
        double x[N];
        struct estimate e;

        for (int i = 0; i < N; i++)
            x[i] = rng_exponential(&r);
        qsort(x, N, sizeof *x, by_value);
        e = output_quantile(x, N, 0.5, 0.9);
        median += e.lo <= M_LN2 && M_LN2 <= e.hi;
        e = output_quantile(x, N, 0.95, 0.9);
        p95 += e.lo <= log(20) && log(20) <= e.hi;
        e = output_quantile(x, 10, 0.95, 0.9);
        cr_assert(isinf(e.hi) && isfinite(e.lo), "ten observations do not bound a p95");
    }
    /* discrete, so never less than nominal on average and a little more */
    cr_expect(median > 0.88 * TRIALS && median < 0.94 * TRIALS, "%d", median);
    cr_expect(p95 > 0.88 * TRIALS && p95 < 0.95 * TRIALS, "%d", p95);
}

Test(estimate, widened_by_a_bin_and_judged_by_its_width)
{
    struct estimate e = {.mean = 10, .lo = 9, .hi = 11, .n = 5}, w = output_widen(e, 0.01);

    cr_expect_float_eq(w.lo, 8.91, 1e-12);
    cr_expect_float_eq(w.hi, 11.11, 1e-12);
    cr_expect(output_precise(&e, 0.1));
    cr_expect_not(output_precise(&e, 0.099));
    e.hi = INFINITY;
    cr_expect_not(output_precise(&e, 10));
}

struct study {
    double x[500];
    double precision;
    uint32_t asked[64], asks;
};

static int one(void *ctx, uint32_t replication, struct err *err)
{
    struct study *s = ctx;
    struct rng r;

    if (replication == 400)
        return err_set(err, ERR_FAILED, "no more");
    rng_stream(&r, 5, replication, "study");
    s->x[replication] = rng_exponential(&r);
    return 0;
}

static bool enough(void *ctx, uint32_t n)
{
    struct study *s = ctx;
    struct estimate e = estimate_student(s->x, n, 0.95);

    s->asked[s->asks++] = n;
    return output_precise(&e, s->precision);
}

Test(sequential, stops_at_the_same_place_for_any_number_of_threads)
{
    static struct study s[3];
    struct err err = {0};
    uint32_t n[3];
    bool content;

    for (int i = 0; i < 3; i++) {
        s[i].precision = 0.2;
        cr_assert_eq(output_replicate(8, 300, 1 + 2 * i, one, enough, &s[i], &n[i], &content, &err), 0);
        cr_expect(content);
        cr_expect_eq(n[i], n[0]);
        cr_expect_arr_eq(s[i].asked, s[0].asked, sizeof s[0].asked);
        cr_expect_arr_eq(s[i].x, s[0].x, n[0] * sizeof(double));
    }
    cr_expect(n[0] > 30 && n[0] < 250, "%u", n[0]); /* cv 1: about (1.96 / .2)^2 */
}

Test(sequential, ends_at_the_most_and_forwards_errors)
{
    static struct study s = {.precision = 1e-6};
    struct err err = {0};
    uint32_t n;
    bool content;

    cr_expect_eq(output_replicate(8, 100, 2, one, enough, &s, &n, &content, &err), 0);
    cr_expect(!content && n == 100);
    cr_expect_eq(output_replicate(8, 500, 2, one, enough, &s, &n, &content, &err), ERR_FAILED);
    cr_expect_str_eq(err.text, "no more");
}
