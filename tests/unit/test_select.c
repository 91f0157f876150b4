#include "study/search/select.h"

#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { K = 20, MOST = 4000, FIRST = 10 };

/* Systems whose means are 0 but for the best, which is `delta` better: the least favourable case. */
struct lab {
    double x[K][MOST];
    double *rows[K];
    double delta, shared; /* share of the variance 1 that all have in common */
    struct rng rng;
    bool is_skewed; /* exponential instead of normal */
};

static double noise(struct lab *lab)
{
    return lab->is_skewed ? rng_exponential(&lab->rng) - 1 : rng_normal(&lab->rng);
}

static void lab_draw(struct lab *lab, long r)
{
    double common = noise(lab);

    for (int i = 0; i < K; i++)
        lab->x[i][r] =
            (i == 7 ? lab->delta : 0) + sqrt(lab->shared) * common + sqrt(1 - lab->shared) * noise(lab);
}

static struct lab *lab_new(uint32_t repeat, double shared, bool is_skewed)
{
    struct lab *lab = calloc(1, sizeof *lab);

    lab->delta = 0.5;
    lab->shared = shared;
    lab->is_skewed = is_skewed;
    rng_stream(&lab->rng, 11, repeat, "test.select");
    for (int i = 0; i < K; i++)
        lab->rows[i] = lab->x[i];
    for (long r = 0; r < FIRST; r++)
        lab_draw(lab, r);
    return lab;
}

/* Which system KN selects, and after how many replications in all. */
static size_t kn_selects(struct lab *lab, double alpha, long *replications)
{
    struct kn kn;
    long r = FIRST;
    size_t found;

    *replications = FIRST * K;
    kn_init(&kn, K, FIRST, alpha, lab->delta);
    while (kn_screen(&kn, lab->rows, r) > 1) {
        cr_assert_lt(r, MOST);
        *replications += (long)kn.alive_n;
        lab_draw(lab, r++);
    }
    found = kn.alive[0];
    kn_fini(&kn);
    return found;
}

static int correct_of_200(double shared, bool is_skewed, double *mean_replications)
{
    int correct = 0;

    *mean_replications = 0;
    for (uint32_t repeat = 0; repeat < 200; repeat++) {
        struct lab *lab = lab_new(repeat, shared, is_skewed);
        long n;

        correct += kn_selects(lab, 0.1, &n) == 7;
        *mean_replications += (double)n / 200;
        free(lab);
    }
    return correct;
}

/* 180 are promised; 170 are 2.4 standard deviations below that. */
Test(kn, selects_the_best_in_nine_of_ten_repeats)
{
    double alone, together, skewed;

    cr_expect_geq(correct_of_200(0, false, &alone), 170);
    cr_expect_geq(correct_of_200(0.9, false, &together), 170);
    cr_expect_geq(correct_of_200(0.5, true, &skewed), 170);
    cr_expect_lt(together, alone / 2, "shared luck makes it short: %g against %g replications", together,
                 alone);
}

Test(subset, keeps_the_best_and_drops_what_is_far_behind)
{
    int kept = 0;
    double size = 0;

    for (uint32_t repeat = 0; repeat < 200; repeat++) {
        struct lab *lab = lab_new(repeat, 0.5, false);
        bool is_in[K];

        for (int i = 0; i < K; i++)
            for (long r = 0; r < FIRST; r++)
                lab->x[i][r] -= i < 7 ? 10 : 0;
        size += (double)select_subset(lab->rows, FIRST, K, 0.1, is_in) / 200;
        kept += is_in[7];
        for (int i = 0; i < 7; i++)
            cr_expect(!is_in[i]);
        free(lab);
    }
    cr_expect_geq(kept, 180);
    cr_expect_leq(size, K - 7);
}

Test(kn, the_first_of_equals_stays_and_needs_no_more)
{
    double same[4] = {1, 2, 3, 4}, less[4] = {0, 1, 2, 3}, *rows[3] = {less, same, same};
    struct kn kn;

    kn_init(&kn, 3, 4, 0.05, 0.01);
    cr_assert_eq(kn_screen(&kn, rows, 4), 1);
    cr_expect_eq(kn.alive[0], 1);
    kn_fini(&kn);
}

Test(kn, one_system_is_the_best_of_one)
{
    double x[3] = {3, 1, 2}, *rows[1] = {x};
    struct kn kn;

    kn_init(&kn, 1, 3, 0.05, 1);
    cr_expect_eq(kn_screen(&kn, rows, 3), 1);
    kn_fini(&kn);
}

/* Two systems of equal variance that are d behind get the same; one that is 2 d behind a quarter of it. */
Test(ocba, spends_where_it_is_close)
{
    double best[4] = {11, 9, 11, 9}, near[4] = {10, 8, 10, 8}, far[4] = {9, 7, 9, 7};
    double *rows[4] = {best, near, near, far};
    long n[4] = {4, 4, 4, 4}, more[4];

    ocba_allocate(rows, n, 4, 10000, more);
    cr_expect_eq(more[0] + more[1] + more[2] + more[3], 10000);
    cr_expect_float_eq((double)more[1] / (double)more[2], 1, 0.01);
    cr_expect_float_eq((double)(more[1] + 4) / (double)(more[3] + 4), 4, 0.05);
    /* N_b = s sqrt(sum N_i^2 / s^2) */
    cr_expect_float_eq((double)(more[0] + 4) / (double)(more[1] + 4), sqrt(2 + 1.0 / 16), 0.05);
}

static bool selects_right(struct lab *lab, bool evenly)
{
    long n[K], more[K];
    size_t best = 0;
    double top = -INFINITY;

    for (long r = FIRST; r < MOST; r++)
        lab_draw(lab, r);
    for (int i = 0; i < K; i++)
        n[i] = FIRST;
    for (int round = 0; round < 40; round++) {
        ocba_allocate(lab->rows, n, K, K, more);
        for (int i = 0; i < K; i++)
            n[i] += evenly ? 1 : more[i];
    }
    for (size_t i = 0; i < K; i++) {
        double mean = 0;

        for (long r = 0; r < n[i]; r++)
            mean += lab->x[i][r] / (double)n[i];
        best = mean > top ? i : best;
        top = fmax(top, mean);
    }
    return best == 7;
}

Test(ocba, selects_more_often_than_an_even_share)
{
    int even = 0, ocba = 0;

    for (uint32_t repeat = 0; repeat < 100; repeat++) {
        struct lab *a = lab_new(repeat, 0, false), *b = lab_new(repeat, 0, false);

        even += selects_right(a, true);
        ocba += selects_right(b, false);
        free(a);
        free(b);
    }
    cr_expect_gt(ocba, even, "%d against %d of 100", ocba, even);
}

Test(select, the_estimated_probability_grows_with_the_distance)
{
    double a[6] = {5, 6, 7, 5, 6, 7}, b[6] = {4.5, 5.9, 6, 4.9, 5.2, 6.8}, c[6] = {1, 2, 3, 1, 2, 3};
    double *close[2] = {a, b}, *apart[2] = {a, c};
    long n[2] = {6, 6};

    cr_expect_lt(select_probability(close, n, 2, 0), 1);
    cr_expect_gt(select_probability(close, n, 2, 0), 0.9);
    cr_expect_gt(select_probability(close, n, 2, 0.5), select_probability(close, n, 2, 0));
    cr_expect_eq(select_probability(apart, n, 2, 0), 1, "the difference never varies");
}
