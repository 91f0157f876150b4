/* Rooflines: peak, bandwidth, half size and overhead of a machine that we know; what a recording cannot tell.
 */
#include "recovery.h"

#include "calibrate/roofline.h"

TestSuite(recovery_roofline, .init = begin);

enum { N = 40 };

static const double peak = 300e12, bandwidth = 3e12, half_size = 40, overhead_s = 4e-6;

/* A layer of `width` squared weights over so many tokens, two bytes each. */
static void measure(uint64_t trial, double overhead, double from, double to, double cv, struct kernel_time *k)
{
    double s = sqrt(log1p(cv * cv));
    struct rng r;

    rng_keyed(&r, 51, 0, 1, trial, 0);
    for (int i = 0; i < N; i++) {
        double tokens = from * pow(to / from, i / (N - 1.0)), width = i % 2 ? 4096 : 8192;

        k[i] = (struct kernel_time){.flops = 2 * tokens * width * width,
                                    .bytes = 2 * (width * width + 2 * tokens * width),
                                    .size = tokens};
        k[i].seconds =
            roofline_seconds(peak, bandwidth, half_size, overhead, &k[i]) * exp(s * rng_normal(&r));
    }
}

static struct roofline fit(const struct kernel_time *k, uint64_t seed)
{
    struct roofline f;
    struct err err = {0};

    cr_assert_eq(roofline_fit(k, N, seed, &f, &err), 0, "%s", err.text);
    return f;
}

Test(recovery_roofline, a_machine_is_covered)
{
    struct count count[4] = {{0}};

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct kernel_time k[N];
        struct roofline f;

        measure(t, 40e-6, 4, 16384, 0.03, k);
        f = fit(k, t);
        count_param(&count[0], &f.fit, "peak", peak);
        count_param(&count[1], &f.fit, "bandwidth", bandwidth);
        count_param(&count[2], &f.fit, "half_size", half_size);
        count_param(&count[3], &f.fit, "overhead", 40e-6);
        cr_assert_eq(f.computing + f.moving, N);
    }
    expect_nominal(&count[0], "peak");
    expect_nominal(&count[1], "bandwidth");
    expect_nominal(&count[2], "half size");
    expect_nominal(&count[3], "overhead");
}

Test(recovery_roofline, no_overhead_is_on_the_bound)
{
    struct count count[2] = {{0}};

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct kernel_time k[N];
        struct roofline f;

        measure(t, 0, 4, 16384, 0.03, k);
        f = fit(k, t);
        count_param(&count[0], &f.fit, "overhead", 0);
        count_param(&count[1], &f.fit, "bandwidth", bandwidth);
    }
    expect_on_bound(&count[0], "overhead");
    expect_nominal(&count[1], "bandwidth");
}

Test(recovery_roofline, what_the_sizes_do_not_tell_is_said)
{
    struct kernel_time k[N];
    struct roofline f;

    measure(1, overhead_s, 1, 32, 0.03, k);
    f = fit(k, 1);
    cr_expect(!fit_find(&f.fit, "peak")->identifiable && !fit_find(&f.fit, "half_size")->identifiable);
    cr_expect(fit_find(&f.fit, "bandwidth")->identifiable);
    cr_expect_not_null(strstr(f.fit.suspect[0], "measure larger problems"), "%s", f.fit.suspect[0]);
    measure(1, overhead_s, 2048, 65536, 0.03, k);
    f = fit(k, 1);
    cr_expect(!fit_find(&f.fit, "bandwidth")->identifiable);
    cr_expect(fit_find(&f.fit, "peak")->identifiable);
    cr_expect_float_eq(fit_get(&f.fit, "peak"), peak, 0.1 * peak);
}

/* Another machine above 2048 tokens (it slows down when hot): the peak is neither of the two. */
Test(recovery_roofline, a_machine_that_changes_is_caught)
{
    struct count count = {0};

    for (uint64_t t = 0; t < TRIALS / 5; t++) {
        struct kernel_time k[N];
        struct roofline f;

        measure(t, 40e-6, 4, 16384, 0.03, k);
        for (int i = 0; i < N; i++)
            k[i].seconds *= k[i].size > 2048 ? 1.3 : 1;
        f = fit(k, t);
        count_param(&count, &f.fit, "peak", peak);
    }
    expect_caught(&count, "peak");
}

Test(recovery_roofline, what_cannot_be_is_an_error)
{
    struct kernel_time k[N];
    struct roofline f;
    struct err err = {0};

    measure(1, overhead_s, 4, 4096, 0.03, k);
    cr_expect_eq(roofline_fit(k, 3, 1, &f, &err), ERR_FAILED);
    k[7].seconds = 0;
    cr_expect_eq(roofline_fit(k, N, 1, &f, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "measurement 7"), "%s", err.text);
}
