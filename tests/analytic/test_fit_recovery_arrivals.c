/* Arrival processes: rate and dispersion of a Poisson process, the two phases of an MMPP, drift. */
#include "recovery.h"

#include "calibrate/arrivals.h"

TestSuite(recovery_arrivals, .init = begin);

enum { N = 1000, FEW = 500 };

static void poisson(uint64_t trial, double rate, double *t, size_t n)
{
    struct rng r;
    double now = 0;

    rng_keyed(&r, 61, 0, 1, trial, 0);
    for (size_t i = 0; i < n; i++)
        t[i] = now += rng_exponential(&r) / rate;
}

static const double high = 20, low = 2, to_low = 0.5, to_high = 0.25; /* mean rate 8 per s */

static void mmpp(uint64_t trial, double *t, size_t n)
{
    struct rng r;
    double now = 0, until;
    bool is_high;

    rng_keyed(&r, 62, 0, 1, trial, 0);
    is_high = rng_uniform(&r) < to_high / (to_low + to_high);
    until = rng_exponential(&r) / (is_high ? to_low : to_high);
    for (size_t i = 0; i < n;) {
        double next = now + rng_exponential(&r) / (is_high ? high : low);

        if (next < until) {
            t[i++] = now = next;
            continue;
        }
        now = until;
        is_high = !is_high;
        until = now + rng_exponential(&r) / (is_high ? to_low : to_high);
    }
}

static struct arrivals fit(const double *t, size_t n)
{
    struct arrivals a;
    struct err err = {0};

    cr_assert_eq(arrivals_fit(t, n, &a, &err), 0, "%s", err.text);
    return a;
}

Test(recovery_arrivals, a_poisson_process_is_covered_and_called_so)
{
    struct count rate = {0}, cv = {0}, idc = {0}, called = {0}, steady = {0};

    for (uint64_t k = 0; k < TRIALS; k++) {
        double t[N];
        struct arrivals a;

        poisson(k, 50, t, N);
        a = fit(t, N);
        count_param(&rate, &a.fit, "rate", 50);
        count_param(&cv, &a.fit, "gap_cv", 1);
        count_param(&idc, &a.fit, "idc_long", 1);
        count_held(&called, 0.05, 1, a.poisson_p);
        count_held(&steady, 1, 1, a.fit.suspects_n == 0);
    }
    expect_nominal(&rate, "rate");
    expect_nominal(&cv, "gap cv");
    expect_nominal(&idc, "idc");
    cr_expect(count_between(&called, 0.95, 0.99), "called Poisson: %u", called.held);
    cr_expect(count_between(&steady, 0.995, 1), "called stationary: %u", steady.held);
}

Test(recovery_arrivals, bursts_are_covered_and_not_called_poisson)
{
    struct count rate = {0}, caught = {0}, poisson_rate = {0};

    for (uint64_t k = 0; k < TRIALS; k++) {
        double t[2 * N], mean = (high * to_high + low * to_low) / (to_low + to_high);
        struct arrivals a;

        mmpp(k, t, 2 * N);
        a = fit(t, 2 * N);
        count_param(&rate, &a.fit, "rate", mean);
        count_held(&caught, 0, 0.05, a.poisson_p);
        count_held(&poisson_rate, mean * (1 - 1.96 / sqrt(2 * N)), mean * (1 + 1.96 / sqrt(2 * N)),
                   fit_get(&a.fit, "rate"));
    }
    expect_nominal(&rate, "rate of a bursty process");
    cr_expect_eq(caught.held, TRIALS);
    expect_caught(&poisson_rate, "the interval of a Poisson process");
}

Test(recovery_arrivals, two_phases_are_covered)
{
    static const char *const names[] = {"rate_high", "rate_low", "to_low", "to_high"};
    const double truth[] = {high, low, to_low, to_high};
    struct count count[4] = {{0}};

    for (uint64_t k = 0; k < TRIALS; k++) {
        double t[FEW];
        struct mmpp2 m;
        struct err err = {0};

        mmpp(k, t, FEW);
        cr_assert_eq(arrivals_mmpp2(t, FEW, &m, &err), 0, "%s", err.text);
        for (int i = 0; i < 4; i++)
            count_param(&count[i], &m.fit, names[i], truth[i]);
    }
    for (int i = 0; i < 4; i++)
        expect_nominal(&count[i], names[i]);
}

Test(recovery_arrivals, the_dispersion_of_the_fitted_phases_is_that_of_the_process)
{
    static double t[200000];
    size_t windows;

    mmpp(1, t, 200000);
    for (double w = 0.1; w < 50; w *= 5) {
        double measured = arrivals_idc(t, 200000, w, &windows),
               theory = mmpp2_idc(high, low, to_low, to_high, w);

        cr_expect_float_eq(measured / theory, 1, 6 * sqrt(2.0 / (double)windows) + 0.03, "%g s: %g, %g", w,
                           measured, theory);
    }
}

Test(recovery_arrivals, two_phases_are_not_invented)
{
    int said = 0;

    for (uint64_t k = 0; k < 20; k++) {
        double t[FEW];
        struct mmpp2 m;
        struct err err = {0};

        poisson(k, 8, t, FEW);
        cr_assert_eq(arrivals_mmpp2(t, FEW, &m, &err), 0, "%s", err.text);
        said += m.fit.suspects_n > 0;
    }
    cr_expect_geq(said, 19, "%d of 20", said);
}

Test(recovery_arrivals, drift_is_recognized)
{
    int said = 0, tide = 0;

    for (uint64_t k = 0; k < 100; k++) {
        double t[N], span;
        struct arrivals a;

        poisson(k, 50, t, N);
        span = t[N - 1];
        for (int i = 0; i < N; i++) /* the rate rises threefold */
            t[i] = sqrt(0.25 + 2 * t[i] / span) * span;
        a = fit(t, N);
        said += a.fit.suspects_n > 0;
        poisson(k, 50, t, N);
        for (int i = 0; i < N; i++) /* and falls again: the halves are alike, and so is the middle */
            t[i] += 0.3 * span / (2 * M_PI) * sin(2 * M_PI * t[i] / span);
        a = fit(t, N);
        tide += a.poisson_p < 0.05;
    }
    cr_expect_geq(said, 99, "%d of 100", said);
    cr_expect_geq(tide, 90, "%d of 100", tide);
}

Test(recovery_arrivals, order_does_not_matter_and_nonsense_is_an_error)
{
    double t[N], back[N];
    struct arrivals a, b;
    struct mmpp2 m;
    struct err err = {0};

    poisson(1, 50, t, N);
    for (int i = 0; i < N; i++)
        back[i] = t[N - 1 - i];
    a = fit(t, N);
    b = fit(back, N);
    cr_expect_eq(fit_get(&a.fit, "idc_short"), fit_get(&b.fit, "idc_short"));
    cr_expect_eq(arrivals_fit(t, 39, &a, &err), ERR_FAILED);
    cr_expect_eq(arrivals_mmpp2(t, 99, &m, &err), ERR_FAILED);
    t[7] = NAN;
    cr_expect_eq(arrivals_fit(t, N, &a, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "arrival 7"), "%s", err.text);
    cr_expect_eq(arrivals_mmpp2(t, N, &m, &err), ERR_FAILED);
    for (int i = 0; i < N; i++)
        t[i] = 3;
    cr_expect_eq(arrivals_fit(t, N, &a, &err), ERR_FAILED);
    cr_expect_eq(arrivals_mmpp2(t, N, &m, &err), ERR_FAILED);
}
