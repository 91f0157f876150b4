/* Linear and piecewise-linear costs: the intervals of known laws, measured with known noise. */
#include "recovery.h"

#include "calibrate/piecewise.h"

TestSuite(recovery_linear, .init = begin);

enum { N = 40, K = 3 };

static const char *const names[K] = {"fixed", "per_item", "per_byte"};

static double measure(struct rng *r, const double *beta, double *x, double *y, double cv, double constant_s)
{
    for (int i = 0; i < N; i++) {
        double mean = 0;

        x[i * K] = 1;
        x[i * K + 1] = exp(log(200) + log(100) * rng_uniform(r));
        x[i * K + 2] = exp(log(5e3) + log(100) * rng_uniform(r));
        for (int j = 0; j < K; j++)
            mean += beta[j] * x[i * K + j];
        y[i] = mean * (cv > 0 ? rng_lognormal(r, 1, cv) : 1) + constant_s * rng_normal(r);
    }
    return 0;
}

static struct fit fit_once(uint64_t trial, const double *beta, double cv, double constant_s,
                           const struct linear_options *o)
{
    double x[N * K], y[N];
    struct linear_data d = {.x = x, .y = y, .n = N, .k = K, .name = names, .range_of = 1};
    struct linear_options options = *o;
    struct err err = {0};
    struct fit f;
    struct rng r;

    rng_keyed(&r, 11, 0, 1, trial, 0);
    options.seed = trial;
    measure(&r, beta, x, y, cv, constant_s);
    cr_assert_eq(linear_fit(&d, &options, &f, &err), 0, "%s", err.text);
    return f;
}

static void count_all(const double *beta, double cv, double constant_s, const struct linear_options *o,
                      struct count count[K])
{
    for (uint64_t t = 0; t < TRIALS; t++) {
        struct fit f = fit_once(t, beta, cv, constant_s, o);

        for (int j = 0; j < K; j++)
            count_param(&count[j], &f, names[j], beta[j]);
    }
}

static const double law[K] = {40e-6, 6e-9, 0.4e-9};

Test(recovery_linear, relative_noise_is_covered_by_both_covariances)
{
    for (int cov = COV_SANDWICH; cov <= COV_MODEL; cov++) {
        struct linear_options o = {.huber = 3, .cov = cov};
        struct count count[K] = {{0}};

        count_all(law, 0.1, 0, &o, count);
        for (int j = 0; j < K; j++)
            expect_nominal(&count[j], names[j]);
    }
}

Test(recovery_linear, constant_noise_is_covered_when_it_is_said)
{
    struct linear_options o = {.noise = NOISE_CONSTANT};
    struct count count[K] = {{0}};

    count_all(law, 0, 10e-6, &o, count);
    for (int j = 0; j < K; j++)
        expect_nominal(&count[j], names[j]);
}

/* The noise does not grow with the time, and nobody said so: small sizes are believed too much. */
Test(recovery_linear, a_wrong_noise_model_is_caught_and_the_sandwich_does_not_need_it)
{
    struct linear_options model = {.cov = COV_MODEL}, sandwich = {.cov = COV_SANDWICH};
    struct count believed[K] = {{0}}, own[K] = {{0}};

    count_all(law, 0, 8e-6, &model, believed);
    count_all(law, 0, 8e-6, &sandwich, own);
    expect_caught(&believed[0], "fixed, noise taken for relative");
    for (int j = 0; j < K; j++)
        expect_nominal(&own[j], names[j]);
}

Test(recovery_linear, a_coefficient_on_its_bound_is_covered_by_the_bootstrap)
{
    static const double bound[K] = {0, 6e-9, 0.4e-9};
    struct linear_options o = {.huber = 3, .resamples = 300};
    struct count count[K] = {{0}};
    int on_bound = 0;

    count_all(bound, 0.1, 0, &o, count);
    expect_on_bound(&count[0], names[0]);
    expect_nominal(&count[1], names[1]);
    expect_nominal(&count[2], names[2]);
    for (uint64_t t = 0; t < TRIALS; t++)
        on_bound += fit_once(t, bound, 0.1, 0, &o).param[0].on_bound;
    cr_expect(on_bound > 0.4 * TRIALS && on_bound < 0.6 * TRIALS, "%d of %d", on_bound, TRIALS);
}

/* ------------------------------------------------------------------------------------- piecewise linear */

static const double knot = 4096, slopes[2] = {2e-9, 8e-9}, fixed_s = 5e-6;

static double bent(double x)
{
    return fixed_s + slopes[0] * fmin(x, knot) + slopes[1] * fmax(0, x - knot);
}

static void measure_bent(uint64_t trial, double *x, double *y)
{
    struct rng r;

    rng_keyed(&r, 12, 0, 1, trial, 0);
    for (int i = 0; i < N; i++) {
        x[i] = exp(log(100) + log(1000) * rng_uniform(&r));
        y[i] = bent(x[i]) * rng_lognormal(&r, 1, 0.05);
    }
}

Test(recovery_linear, slopes_of_a_bent_line_are_covered)
{
    struct linear_options o = {.huber = 3};
    struct count count[3] = {{0}};

    for (uint64_t t = 0; t < TRIALS; t++) {
        double x[N], y[N];
        struct piecewise p;
        struct err err = {0};

        measure_bent(t, x, y);
        cr_assert_eq(piecewise_fit(x, y, NULL, N, &knot, 1, &o, &p, &err), 0, "%s", err.text);
        count_param(&count[0], &p.fit, "fixed", fixed_s);
        count_param(&count[1], &p.fit, "slope1", slopes[0]);
        count_param(&count[2], &p.fit, "slope2", slopes[1]);
    }
    expect_nominal(&count[0], "fixed");
    expect_nominal(&count[1], "slope below the knot");
    expect_nominal(&count[2], "slope above the knot");
}

Test(recovery_linear, a_bend_is_found_and_none_is_invented)
{
    struct linear_options o = {.huber = 3};
    int invented = 0, missed = 0;

    for (uint64_t t = 0; t < 100; t++) {
        double x[N], y[N];
        struct piecewise p;
        struct err err = {0};

        measure_bent(t, x, y);
        cr_assert_eq(piecewise_fit(x, y, NULL, N, NULL, 3, &o, &p, &err), 0, "%s", err.text);
        missed += p.knots_n == 0;
        for (int i = 0; i < N; i++)
            y[i] *= (fixed_s + slopes[0] * x[i]) / bent(x[i]);
        cr_assert_eq(piecewise_fit(x, y, NULL, N, NULL, 3, &o, &p, &err), 0, "%s", err.text);
        invented += p.knots_n > 0;
    }
    cr_expect_eq(missed, 0, "%d of 100 bends missed", missed);
    cr_expect_leq(invented, 10, "%d of 100 straight lines bent", invented);
}

/* ---------------------------------------------------------------------------------------- what is said */

Test(recovery_linear, a_column_that_others_say_is_left_out_and_named)
{
    double x[N * K], y[N];
    struct linear_data d = {.x = x, .y = y, .n = N, .k = K, .name = names, .range_of = 1};
    struct linear_options o = {.huber = 3};
    struct err err = {0};
    struct fit f;
    struct rng r;

    rng_keyed(&r, 13, 0, 1, 0, 0);
    measure(&r, law, x, y, 0.05, 0);
    for (int i = 0; i < N; i++) { /* bytes are always eight times the items */
        y[i] *= (law[0] + (law[1] + 8 * law[2]) * x[i * K + 1]) /
                (law[0] + law[1] * x[i * K + 1] + law[2] * x[i * K + 2]);
        x[i * K + 2] = 8 * x[i * K + 1];
    }
    cr_assert_eq(linear_fit(&d, &o, &f, &err), 0, "%s", err.text);
    cr_expect(f.param[1].identifiable != f.param[2].identifiable, "one of the two carries both");
    cr_expect_not_null(strstr(f.suspect[0], "cannot be told"), "%s", f.suspect[0]);
    for (double items = 200; items < 2e4; items *= 3) {
        double truth = law[0] + (law[1] + 8 * law[2]) * items, at[K] = {1, items, 8 * items};

        cr_expect_float_eq(linear_predict(&f, at), truth, 4 * linear_predict_stderr(&f, at) + 1e-9, "%g",
                           items);
    }
}

/* A stage of 2 ms beside others of 100 s (an event log has such): it must neither decide nor break the fit. */
Test(recovery_linear, a_tiny_row_beside_huge_ones_does_not_decide)
{
    static const char *const name[] = {"fixed", "per_byte"};
    double x[2 * N], y[N];

    for (int cov = COV_SANDWICH; cov <= COV_MODEL; cov++)
        for (int bytes_of_tiny = 0; bytes_of_tiny < 2; bytes_of_tiny++) {
            struct linear_data d = {.x = x, .y = y, .n = N, .k = 2, .name = name, .range_of = 1};
            struct linear_options o = {.huber = 3, .cov = cov};
            struct err err = {0};
            struct fit f;
            struct rng r;

            rng_keyed(&r, 15, 0, 1, 0, 0);
            for (int i = 0; i < N; i++) {
                x[2 * i] = 1;
                x[2 * i + 1] = 1e9 * (1 + i % 7);
                y[i] = (20 + 1e-8 * x[2 * i + 1]) * (1 + 0.05 * rng_normal(&r));
            }
            x[2 * 3 + 1] = bytes_of_tiny ? 4e9 : 0;
            y[3] = 0.002;
            cr_assert_eq(linear_fit(&d, &o, &f, &err), 0, "%s", err.text);
            cr_expect(isfinite(f.noise_frac) && f.noise_frac < 0.3, "noise %g", f.noise_frac);
            cr_expect_gt(f.r2, 0.8);
            for (int j = 0; j < 2; j++) {
                double truth = j == 0 ? 20 : 1e-8;

                cr_assert(f.param[j].identifiable, "%s", name[j]);
                cr_expect(isfinite(f.param[j].stderr_) && f.param[j].stderr_ > 0);
                cr_expect_float_eq(f.param[j].value, truth, 4 * f.param[j].stderr_ + 0.02 * truth, "%s: %g +- %g",
                                   name[j], f.param[j].value, f.param[j].stderr_);
            }
        }
}

Test(recovery_linear, what_cannot_be_fitted_is_an_error_that_names_the_measurement)
{
    double x[N * K], y[N];
    struct linear_data d = {.x = x, .y = y, .n = K, .k = K, .name = names};
    struct linear_options o = {.huber = 3};
    struct err err = {0};
    struct piecewise p;
    struct fit f;
    struct rng r;

    rng_keyed(&r, 14, 0, 1, 0, 0);
    measure(&r, law, x, y, 0.05, 0);
    cr_expect_eq(linear_fit(&d, &o, &f, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "4 are needed"), "%s", err.text);
    cr_expect_eq(piecewise_fit(x, y, NULL, 2, NULL, 3, &o, &p, &err), ERR_FAILED);
    d.n = N;
    x[7 * K + 2] = INFINITY;
    cr_expect_eq(linear_fit(&d, &o, &f, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "measurement 7: per_byte is inf"), "%s", err.text);
    x[7 * K + 2] = 1;
    y[5] = 0;
    cr_expect_eq(linear_fit(&d, &o, &f, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "measurement 5 is 0"), "%s", err.text);
}
