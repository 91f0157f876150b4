/* Concurrency sweeps: the scalability law, the closed station, and recordings that must not be believed. */
#include "recovery.h"

#include "calibrate/sweep.h"

TestSuite(recovery_sweep, .init = begin);

enum { N = 14 };

static const double clients[N] = {1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 60, 80, 100, 120};

static void sweep(uint64_t trial, double cv, double (*curve)(double), struct sweep_point *p)
{
    double s = sqrt(log1p(cv * cv));
    struct rng r;

    rng_keyed(&r, 41, 0, 1, trial, 0);
    for (int i = 0; i < N; i++) {
        p[i].clients = clients[i];
        p[i].per_s = curve(clients[i]) * exp(s * rng_normal(&r));
        p[i].mean_s = clients[i] / p[i].per_s;
        p[i].p99_s = 3 * p[i].mean_s;
    }
}

/* ------------------------------------------------------------------------------------------------- USL */

static double usl(double n)
{
    return usl_per_s(100, 0.02, 2e-4, n);
}

static double amdahl(double n)
{
    return usl_per_s(100, 0.02, 0, n);
}

static void count_usl(double (*curve)(double), double kappa, struct count count[3])
{
    for (uint64_t t = 0; t < TRIALS; t++) {
        struct sweep_point p[N];
        struct fit f;
        struct err err = {0};

        sweep(t, 0.03, curve, p);
        cr_assert_eq(sweep_usl(p, N, t, &f, &err), 0, "%s", err.text);
        count_param(&count[0], &f, "lambda", 100);
        count_param(&count[1], &f, "sigma", 0.02);
        count_param(&count[2], &f, "kappa", kappa);
    }
}

Test(recovery_sweep, usl_is_covered)
{
    struct count count[3] = {{0}};

    count_usl(usl, 2e-4, count);
    expect_nominal(&count[0], "lambda");
    expect_nominal(&count[1], "sigma");
    expect_nominal(&count[2], "kappa");
}

Test(recovery_sweep, usl_without_coherence_cost_is_covered_by_the_bootstrap)
{
    struct count count[3] = {{0}};

    count_usl(amdahl, 0, count);
    expect_nominal(&count[0], "lambda");
    expect_nominal(&count[1], "sigma");
    expect_on_bound(&count[2], "kappa");
}

/* --------------------------------------------------------------------------------------------- station */

static double station(double n)
{
    return station_per_s(5e-3, 20e-3, 8, n);
}

static double all_inside(double n)
{
    return station_per_s(5e-3, 0, 8, n);
}

Test(recovery_sweep, a_station_is_covered)
{
    struct count known[2] = {{0}}, found[3] = {{0}};

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct sweep_point p[N];
        struct station_fit f;
        struct err err = {0};

        sweep(t, 0.03, station, p);
        cr_assert_eq(sweep_station(p, N, 8, t, &f, &err), 0, "%s", err.text);
        count_param(&known[0], &f.fit, "demand", 5e-3);
        count_param(&known[1], &f.fit, "overhead", 20e-3);
        cr_assert_eq(sweep_station(p, N, 0, t, &f, &err), 0, "%s", err.text);
        count_param(&found[0], &f.fit, "demand", 5e-3);
        count_param(&found[1], &f.fit, "overhead", 20e-3);
        count_param(&found[2], &f.fit, "servers", 8);
    }
    expect_nominal(&known[0], "demand, servers known");
    expect_nominal(&known[1], "overhead, servers known");
    for (int i = 0; i < 3; i++) /* a whole number, and intervals that cover several: more than 95 % */
        cr_expect(count_between(&found[i], 0.95, 1), "servers found, %d: %u of %u", i, found[i].held,
                  found[i].n);
}

/* The exact solution against mean-value analysis, which is exact for one server. */
Test(recovery_sweep, the_closed_station_agrees_with_mean_value_analysis)
{
    double queue = 0;

    for (int n = 1; n <= 200; n++) {
        double r = 5e-3 * (1 + queue), x = n / (20e-3 + r);

        queue = x * r;
        cr_expect_float_eq(station_per_s(5e-3, 20e-3, 1, n), x, 1e-9 * x, "%d", n);
    }
    cr_expect_float_eq(station_per_s(5e-3, 20e-3, 8, 1e4), 1600, 1e-6);
    cr_expect_float_eq(station_per_s(5e-3, 1e-300, 8, 4), 800, 1e-6);
}

/* Clients that think and nobody said so: the station takes it for overhead; a serial part it has none of. */
Test(recovery_sweep, another_mechanism_is_caught)
{
    struct count count = {0};

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct sweep_point p[N];
        struct station_fit f;
        struct err err = {0};

        sweep(t, 0.03, usl, p);
        for (int i = 0; i < N; i++)
            p[i].per_s *= station(clients[i]) / usl(clients[i]) * (1 - 0.002 * clients[i]);
        cr_assert_eq(sweep_station(p, N, 8, t, &f, &err), 0, "%s", err.text);
        count_param(&count, &f.fit, "demand", 5e-3);
    }
    expect_caught(&count, "demand of a station that slows down");
}

Test(recovery_sweep, all_time_at_the_station_is_on_the_bound)
{
    struct count count = {0};

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct sweep_point p[N];
        struct station_fit f;
        struct err err = {0};

        sweep(t, 0.03, all_inside, p);
        cr_assert_eq(sweep_station(p, N, 8, 1, &f, &err), 0, "%s", err.text);
        cr_expect_lt(fit_get(&f.fit, "overhead"), 1e-3);
        count_param(&count, &f.fit, "overhead", 0);
    }
    expect_on_bound(&count, "overhead");
}

/* -------------------------------------------------------------------------------------------- suspects */

static bool says(const struct fit *f, const char *what)
{
    for (int i = 0; i < f->suspects_n; i++)
        if (strstr(f->suspect[i], what) != NULL)
            return true;
    return false;
}

static struct station_fit fit_station(const struct sweep_point *p, size_t n)
{
    struct station_fit f;
    struct err err = {0};

    cr_assert_eq(sweep_station(p, n, 8, 1, &f, &err), 0, "%s", err.text);
    return f;
}

Test(recovery_sweep, sound_sweeps_are_not_suspected)
{
    int saturated = 0;

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct sweep_point p[N];
        struct station_fit f;

        sweep(t, 0.03, station, p);
        f = fit_station(p, N);
        cr_expect(!says(&f.fit, "throttled") && !says(&f.fit, "contradiction"), "%s", f.fit.suspect[0]);
        saturated += says(&f.fit, "saturated from");
        f = fit_station(p, 4);
        cr_expect(!says(&f.fit, "saturated from"));
    }
    cr_expect_geq(saturated, 0.9 * TRIALS, "%d of %d", saturated, TRIALS);
}

Test(recovery_sweep, throttling_is_recognized_and_left_out)
{
    for (uint64_t t = 0; t < 50; t++) {
        struct sweep_point p[N], falling[N];
        struct station_fit f;
        struct sweep_health h;
        struct fit suspects = fit_begin("");
        struct err err = {0};

        sweep(t, 0.03, station, p);
        memcpy(falling, p, sizeof p);
        for (int i = 10; i < N; i++) {
            p[i].p99_s = 1.05;
            falling[i].per_s *= 0.6;
            falling[i].mean_s = NAN;
        }
        f = fit_station(p, N);
        cr_expect(says(&f.fit, "p99 jumped"));
        cr_expect_eq(f.fit.valid_to, 40);
        f = fit_station(falling, N);
        cr_expect(says(&f.fit, "fell to"));
        cr_expect_float_eq(fit_get(&f.fit, "demand"), 5e-3, 2.5e-3, "%g", fit_get(&f.fit, "demand"));
        cr_assert_eq(sweep_examine(p, N, &h, &suspects, &err), 0);
        cr_expect(h.throttled_from == 60 && h.usable_n == 10, "%g", h.throttled_from);
    }
}

Test(recovery_sweep, contradictions_and_sweeps_that_end_too_early_are_said)
{
    struct sweep_point p[N];
    struct station_fit f;

    sweep(1, 0.03, station, p);
    p[5].mean_s *= 2;
    f = fit_station(p, N);
    cr_expect(says(&f.fit, "contradiction at 10 clients"));
    cr_expect_eq(f.fit.n, N - 1);
    f = fit_station(p, 3);
    cr_expect(says(&f.fit, "never saturated"));
}

Test(recovery_sweep, what_is_no_sweep_is_an_error)
{
    struct sweep_point p[N];
    struct station_fit f;
    struct fit u;
    struct err err = {0};

    sweep(1, 0.03, station, p);
    cr_expect_eq(sweep_usl(p, 2, 1, &u, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "2 usable points"), "%s", err.text);
    p[3].clients = 2;
    cr_expect_eq(sweep_usl(p, N, 1, &u, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "a sweep goes up"), "%s", err.text);
    p[3].clients = 5;
    p[4].per_s = 0;
    cr_expect_eq(sweep_station(p, N, 0, 1, &f, &err), ERR_FAILED);
}
