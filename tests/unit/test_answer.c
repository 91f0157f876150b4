#include "models/answer.h"
#include "models/zipf.h"

#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

static const double ranks[] = {1, 5, 20, 100}, shares[] = {0.45, 0.68, 0.80, 0.87};
static const struct curve evidence = {.n = 4, .log_x = true, .x = ranks, .y = shares};

Test(answer, hops_in_rounds_are_negative_binomial_when_each_must_be_asked_for)
{
    for (int h = 1; h <= 5; h++)
        for (long r = 1; r <= 9; r++)
            for (double q = 0.1; q < 1; q += 0.2) {
                double theory = r < h ? 0 : gsl_cdf_binomial_Q((unsigned)(h - 1), q, (unsigned)r);

                cr_expect_float_eq(answer_solved(q, 0, h, r), theory, 1e-12, "h %d R %ld q %g", h, r, q);
            }
}

Test(answer, one_retrieval_may_bring_along_the_hops_behind)
{
    double q = 0.7, a = 0.5;

    cr_expect_float_eq(answer_solved(q, a, 3, 1), q * q * a * q * a, 1e-12);
    cr_expect_float_eq(answer_solved(q, 1, 2, 1), q * q, 1e-12);
    /* Two rounds, two hops: both at once in the first; or one, then one; or none, then both. */
    cr_expect_float_eq(answer_solved(q, a, 2, 2), q * q * a + q * (1 - q * a) * q + (1 - q) * q * q * a,
                       1e-12);
}

Test(answer, nothing_to_find_is_found)
{
    cr_expect_eq(answer_solved(0, 0, 0, 0), 1);
    cr_expect_eq(answer_solved(0, 0, 1, 9), 0);
}

Test(answer, difficulty_keeps_the_mean_and_gives_the_beta_binomial_its_moments)
{
    static const double means[] = {0.05, 0.42, 0.9}, iccs[] = {0.02, 0.3, 0.6, 0.95};

    for (int m = 0; m < 3; m++)
        for (int i = 0; i < 4; i++) {
            struct difficulty d;
            double sum = 0, square = 0, p = means[m], icc = iccs[i];

            difficulty_init(&d, p, icc);
            for (int b = 0; b < ANSWER_BINS; b++) {
                sum += d.p[b];
                square += d.p[b] * d.p[b];
                cr_expect(b == 0 || d.p[b] >= d.p[b - 1] - 1e-12, "hardest first");
            }
            cr_expect_float_eq(sum / ANSWER_BINS, p, 1e-9, "mean %g icc %g: %g", p, icc, sum / ANSWER_BINS);
            /* E[p^2] = p^2 + icc p (1 - p); bins lose the spread inside them, under 1 % of it. */
            cr_expect_float_eq(square / ANSWER_BINS, p * p + icc * p * (1 - p), 0.01 * p * (1 - p));
        }
}

Test(answer, the_hardest_question_fails_first)
{
    struct difficulty d;

    difficulty_init(&d, 0.5, 0.3);
    cr_expect(difficulty_at(&d, 0.999) < 0.1);
    cr_expect(difficulty_at(&d, 0.001) > 0.9);
    difficulty_init(&d, 0.5, 0);
    cr_expect_eq(difficulty_at(&d, 0.7), 0.5);
}

/* Draws a true rank for the evidence, thins the ranking, looks whether it is among the first k returned. */
static double found_by_drawing(double recall, long k, long n)
{
    struct rng r;
    long found = 0;

    rng_stream(&r, 5, 0, "found");
    for (long i = 0; i < n; i++) {
        double u = rng_uniform(&r);
        long rank = 1, returned = 0;

        while (rank <= 100 && u > (rank < 1 ? 0 : curve_at(&evidence, (double)rank)))
            rank++;
        if (rank > 100)
            continue;
        for (long before = 1; before < rank; before++)
            returned += rng_uniform(&r) < recall;
        found += returned < k && rng_uniform(&r) < recall;
    }
    return (double)found / (double)n;
}

Test(answer, what_an_index_misses_makes_room_for_what_comes_next)
{
    struct answer_cfg a = {.evidence = evidence};

    for (double recall = 0.5; recall < 1; recall += 0.2) {
        double q = answer_found(&a, recall, 5, 0), drawn = found_by_drawing(recall, 5, 200000);

        cr_expect_float_eq(q, drawn, 4 * 0.5 / sqrt(200000.0), "recall %g: %g, drawn %g", recall, q, drawn);
        cr_expect(q > recall * 0.68 && q < 0.68, "more than its share, less than an exact search: %g", q);
    }
    cr_expect_float_eq(answer_found(&a, 1, 5, 0), 0.68, 1e-12);
    cr_expect_eq(answer_found(&a, 0, 5, 0), 0);
}

Test(answer, a_reranker_finds_among_candidates_what_the_prompt_then_keeps)
{
    static const double k[] = {1, 10}, g[] = {0.6, 0.95};
    struct answer_cfg a = {.evidence = evidence, .rerank = {.n = 2, .log_x = true, .x = k, .y = g}};

    cr_expect_float_eq(answer_found(&a, 1, 1, 20), 0.80 * 0.6, 1e-12);
    cr_expect_float_eq(answer_found(&a, 1, 10, 100), 0.87 * 0.95, 1e-12);
}

Test(answer, a_majority_follows_the_binomial_and_ties_count_half)
{
    cr_expect_float_eq(answer_majority(0.6, 1), 0.6, 1e-12);
    cr_expect_float_eq(answer_majority(0.6, 3), 0.648, 1e-12);
    cr_expect_float_eq(answer_majority(0.5, 4), 0.5, 1e-12);
    cr_expect_float_eq(answer_majority(0.6, 2), 0.36 + 0.5 * 0.48, 1e-12);
    cr_expect(answer_majority(0.4, 9) < 0.4, "votes make the wrong surer too");
}

/* ------------------------------------------------------------------------------------------- zipf */

Test(zipf, draws_follow_the_law)
{
    static const double exponents[] = {0, 0.5, 1, 1.3};
    enum { N = 50, DRAWS = 200000 };

    for (int e = 0; e < 4; e++) {
        struct zipf z;
        struct rng r;
        long seen[N + 1] = {0};
        double norm = 0, chi2 = 0;

        zipf_init(&z, N, exponents[e]);
        rng_stream(&r, 3, 0, "zipf");
        for (long i = 0; i < DRAWS; i++)
            seen[zipf_draw(&z, &r)]++;
        for (int k = 1; k <= N; k++)
            norm += pow(k, -exponents[e]);
        for (int k = 1; k <= N; k++) {
            double want = DRAWS * pow(k, -exponents[e]) / norm;

            chi2 += (seen[k] - want) * (seen[k] - want) / want;
        }
        cr_expect(gsl_cdf_chisq_Q(chi2, N - 1) > 1e-4, "s %g: chi2 %g", exponents[e], chi2);
    }
}

Test(zipf, the_share_of_the_top_is_the_sum_of_its_terms)
{
    double all = 0, top = 0;

    for (int k = 1; k <= 100000; k++) {
        all += pow(k, -0.9);
        top += k <= 3000 ? pow(k, -0.9) : 0;
    }
    cr_expect_float_eq(zipf_top(100000, 0.9, 3000), top / all, 1e-6);
    cr_expect_eq(zipf_top(10, 1, 0), 0);
    cr_expect_eq(zipf_top(10, 1, 10), 1);
}
