#include "calibrate/cost.h"

#include "engine/rng.h"

#include <criterion/criterion.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

/* As the program does: what GSL refuses comes back as a status. */
static void begin(void)
{
    gsl_set_error_handler_off();
}

TestSuite(cost, .init = begin);

/* A law that we know, measured with noise that we made. */
static const struct cost law = {.fixed_s = 40e-6, .per_item_s = 6e-9, .per_byte_s = 0.4e-9, .cv = 0.05};

enum { N = 200 };

static void measure(struct observation *obs, size_t n, uint64_t seed, double cv)
{
    struct rng r;

    rng_stream(&r, seed, 0, "measure");
    for (size_t i = 0; i < n; i++) {
        obs[i].items = floor(exp(log(200) + log(100) * rng_uniform(&r)));
        obs[i].bytes = floor(exp(log(5e3) + log(100) * rng_uniform(&r)));
        obs[i].seconds =
            cost_seconds(&law, obs[i].items, obs[i].bytes) * (cv > 0 ? rng_lognormal(&r, 1, cv) : 1);
    }
}

static struct cost_fit fit(const struct observation *obs, size_t n, bool items, bool bytes)
{
    struct cost_fit f;
    struct err err = {0};

    cr_assert_eq(fit_cost(obs, n, items, bytes, &f, &err), 0, "%s", err.text);
    return f;
}

static void expect_near(const char *name, double got, double stderr_, double truth, double relative)
{
    cr_expect(fabs(got - truth) <= 4 * stderr_ + 1e-12 * truth, "%s: %g +- %g, it was %g", name, got, stderr_,
              truth);
    cr_expect(fabs(got / truth - 1) <= relative, "%s: %g, it was %g", name, got, truth);
}

Test(cost, a_known_law_is_found_again)
{
    struct observation obs[N];
    struct cost_fit f;

    measure(obs, N, 1, law.cv);
    f = fit(obs, N, true, true);
    expect_near("fixed", f.cost.fixed_s, f.fixed_stderr, law.fixed_s, 0.05);
    expect_near("per item", f.cost.per_item_s, f.per_item_stderr, law.per_item_s, 0.05);
    expect_near("per byte", f.cost.per_byte_s, f.per_byte_stderr, law.per_byte_s, 0.05);
    cr_expect_float_eq(f.cost.cv, law.cv, 0.01);
    cr_expect_eq(f.n, N);
    cr_expect(f.r2 > 0.98 && f.r2 <= 1, "%g", f.r2);
    cr_expect(f.from >= 200 && f.to <= 20000 && f.from < 300 && f.to > 15000, "%g .. %g", f.from, f.to);
}

Test(cost, without_noise_it_is_found_exactly)
{
    struct observation obs[40];
    struct cost_fit f;

    measure(obs, 40, 2, 0);
    f = fit(obs, 40, true, true);
    cr_expect_float_eq(f.cost.fixed_s, law.fixed_s, 1e-6 * law.fixed_s);
    cr_expect_float_eq(f.cost.per_item_s, law.per_item_s, 1e-6 * law.per_item_s);
    cr_expect_float_eq(f.cost.per_byte_s, law.per_byte_s, 1e-6 * law.per_byte_s);
    cr_expect(f.holdout_error_frac < 1e-6 && f.cost.cv < 1e-6);
}

/* Of 400 intervals of nominally 95 %, between 91 and 98 % hold the truth: an exact binomial gate of about 1
 * in 10,000. */
Test(cost, standard_errors_cover_as_often_as_they_say)
{
    enum { FITS = 400 };
    int inside[3] = {0};

    for (int k = 0; k < FITS; k++) {
        struct observation obs[N];
        struct cost_fit f;

        measure(obs, N, 100 + (uint64_t)k, law.cv);
        f = fit(obs, N, true, true);
        inside[0] += fabs(f.cost.fixed_s - law.fixed_s) <= 1.96 * f.fixed_stderr;
        inside[1] += fabs(f.cost.per_item_s - law.per_item_s) <= 1.96 * f.per_item_stderr;
        inside[2] += fabs(f.cost.per_byte_s - law.per_byte_s) <= 1.96 * f.per_byte_stderr;
    }
    for (int t = 0; t < 3; t++)
        cr_expect(inside[t] >= 0.905 * FITS && inside[t] <= 0.985 * FITS,
                  "term %d: %d of %d intervals hold the truth", t, inside[t], FITS);
}

/* The machine did something else during one span in twenty. */
Test(cost, outliers_do_not_decide)
{
    struct observation obs[N];
    struct cost_fit f;

    measure(obs, N, 3, law.cv);
    for (size_t i = 7; i < N; i += 20)
        obs[i].seconds *= 10;
    f = fit(obs, N, true, true);
    cr_expect_float_eq(f.cost.fixed_s, law.fixed_s, 0.1 * law.fixed_s, "%g", f.cost.fixed_s);
    cr_expect_float_eq(f.cost.per_item_s, law.per_item_s, 0.1 * law.per_item_s, "%g", f.cost.per_item_s);
    cr_expect_float_eq(f.cost.per_byte_s, law.per_byte_s, 0.1 * law.per_byte_s, "%g", f.cost.per_byte_s);
}

Test(cost, sizes_that_cannot_be_told_apart_still_predict)
{
    struct observation obs[N];
    struct cost_fit f;

    measure(obs, N, 4, law.cv);
    for (size_t i = 0; i < N; i++) {
        obs[i].seconds *= cost_seconds(&law, obs[i].items, 8 * obs[i].items) /
                          cost_seconds(&law, obs[i].items, obs[i].bytes);
        obs[i].bytes = 8 * obs[i].items;
    }
    f = fit(obs, N, true, true);
    cr_expect(isfinite(f.fixed_stderr) && isfinite(f.per_item_stderr) && isfinite(f.per_byte_stderr) &&
              isfinite(f.relative_stderr));
    cr_expect(f.cost.fixed_s >= 0 && f.cost.per_item_s >= 0 && f.cost.per_byte_s >= 0);
    for (double items = 200; items <= 20000; items *= 3) {
        double got = cost_seconds(&f.cost, items, 8 * items), truth = cost_seconds(&law, items, 8 * items);

        cr_expect_float_eq(got, truth, 0.03 * truth, "%g items: %g, it was %g", items, got, truth);
    }
}

Test(cost, of_one_size_only_the_total_is_known)
{
    struct observation obs[30];
    struct cost_fit f;

    measure(obs, 30, 5, 0.02);
    for (size_t i = 0; i < 30; i++) {
        obs[i].seconds *= cost_seconds(&law, 4096, 1e5) / cost_seconds(&law, obs[i].items, obs[i].bytes);
        obs[i].items = 4096;
        obs[i].bytes = 1e5;
    }
    f = fit(obs, 30, true, true);
    cr_expect_float_eq(cost_seconds(&f.cost, 4096, 1e5), cost_seconds(&law, 4096, 1e5),
                       0.02 * cost_seconds(&law, 4096, 1e5));
    cr_expect(isfinite(f.relative_stderr) && f.relative_stderr < 0.02, "%g", f.relative_stderr);
}

Test(cost, a_term_that_is_not_asked_for_or_would_be_negative_is_nothing)
{
    struct observation obs[N];
    struct cost_fit f;

    measure(obs, N, 6, 0.01);
    for (size_t i = 0; i < N; i++) /* the line meets the axis below zero */
        obs[i].seconds =
            5e-9 * (obs[i].items - 100) * obs[i].seconds / cost_seconds(&law, obs[i].items, obs[i].bytes);
    f = fit(obs, N, true, false);
    cr_expect_eq(f.cost.fixed_s, 0);
    cr_expect_eq(f.cost.per_byte_s, 0);
    cr_expect(f.cost.per_item_s > 3e-9 && f.cost.per_item_s < 5.1e-9, "%g", f.cost.per_item_s);
}

Test(cost, another_unit_of_time_gives_the_same_law)
{
    struct observation obs[N];
    struct cost_fit f, slow;

    measure(obs, N, 8, law.cv);
    f = fit(obs, N, true, true);
    for (size_t i = 0; i < N; i++)
        obs[i].seconds *= 1e6;
    slow = fit(obs, N, true, true);
    cr_expect_float_eq(slow.cost.fixed_s / f.cost.fixed_s, 1e6, 1);
    cr_expect_float_eq(slow.cost.per_item_s / f.cost.per_item_s, 1e6, 1);
    cr_expect_float_eq(slow.per_byte_stderr / f.per_byte_stderr, 1e6, 10);
}

Test(cost, what_was_held_out_is_predicted_when_the_law_holds_and_not_when_it_does_not)
{
    struct observation obs[N];
    struct cost_fit f;

    measure(obs, N, 9, law.cv);
    f = fit(obs, N, true, true);
    cr_expect(f.holdout_error_frac < 0.05, "%g", f.holdout_error_frac);
    for (size_t i = 4; i < N; i += 5) /* those that are held out come from another world */
        obs[i].seconds *= 2;
    f = fit(obs, N, true, true);
    cr_expect(f.holdout_error_frac > 0.3, "%g", f.holdout_error_frac);
    f = fit(obs, 9, true, false);
    cr_expect(isnan(f.holdout_error_frac), "nine measurements: nothing is held out");
}

Test(cost, what_cannot_be_fitted_is_an_error)
{
    struct observation obs[8];
    static const double wrong[] = {0, -1, NAN, INFINITY};
    struct cost_fit f;
    struct err err = {0};

    measure(obs, 8, 10, law.cv);
    for (size_t n = 0; n < 3; n++) {
        cr_expect_eq(fit_cost(obs, n, true, true, &f, &err), ERR_FAILED);
        cr_expect_not_null(strstr(err.text, "at least 3"), "%s", err.text);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        obs[5].seconds = wrong[i];
        cr_expect_eq(fit_cost(obs, 8, true, true, &f, &err), ERR_FAILED);
        cr_expect_not_null(strstr(err.text, "measurement 5"), "%s", err.text);
    }
    cr_expect_eq(fit_cost(obs, 3, true, true, &f, &err), 0, "three are enough: %s", err.text);
}
