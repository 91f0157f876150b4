/* Tables of few knots: node values and their intervals, the error a choice promises, what it must refuse. */
#include "recovery.h"

#include "base/arena.h"
#include "calibrate/knots.h"

TestSuite(recovery_knots, .init = begin);

enum { N = 80 };

static const double at[] = {1, 16, 64, 4096}, truth[] = {1e-6, 1.1e-6, 3e-6, 2e-4};

static struct table true_table(struct arena *a)
{
    struct table t = {
        .axes_n = 1, .axis = {{"tokens", SCALE_LOG, 4, at, NULL}}, .scale = SCALE_LOG, .value = truth};

    table_prepare(&t, a);
    return t;
}

static void measure(const struct table *t, uint64_t trial, double cv, double *x, double *y)
{
    double s = sqrt(log1p(cv * cv));
    struct rng r;

    rng_keyed(&r, 21, 0, 1, trial, 0);
    for (int i = 0; i < N; i++) {
        x[i] = exp(log(4096) * i / (N - 1));
        y[i] = table_eval(t, &x[i]).value * exp(s * rng_normal(&r));
    }
    x[N - 1] = 4096;
}

static struct knots_points points_1d(const double *x, const double *y, size_t n)
{
    return (struct knots_points){.axes_n = 1,
                                 .name = {"tokens"},
                                 .scale = {SCALE_LOG},
                                 .x = x,
                                 .y = y,
                                 .n = n,
                                 .value_scale = SCALE_LOG};
}

/* Fits the nodes `knots` to data of the true table; counts the nodes that are knots of it too. */
static void count_nodes(const double *knots, size_t n, struct count *count)
{
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        struct arena *a = arena_new();
        struct table t = true_table(a);
        double x[N], y[N], factor;
        struct knots_points p = points_1d(x, y, N);
        struct knots_fit k;
        struct err err = {0};

        measure(&t, trial, 0.05, x, y);
        cr_assert_eq(knots_at(&p, &knots, &n, a, &k, &err), 0, "%s", err.text);
        for (size_t j = 0; j < n; j++) {
            double was = table_eval(&t, &knots[j]).value;

            factor = exp(fit_t95((double)(N - n)) * k.stderr_[j] / k.table.value[j]);
            count_held(&count[j], k.table.value[j] / factor, k.table.value[j] * factor, was);
        }
        arena_free(a);
    }
}

Test(recovery_knots, node_values_are_covered)
{
    struct count count[4] = {{0}};

    count_nodes(at, 4, count);
    for (int j = 0; j < 4; j++)
        expect_nominal(&count[j], "node");
}

/* A table that bends where no knot is: the nodes beside the bend are wrong, and more often than they say. */
Test(recovery_knots, too_few_knots_are_caught)
{
    static const double few[] = {1, 64, 4096};
    struct count count[3] = {{0}};

    count_nodes(few, 3, count);
    expect_caught(&count[1], "node beside a bend");
}

/* ------------------------------------------------------------------------------------------- choosing */

/* A roofline with padding to multiples of 64 would be harsher; this has a bend that no straight line follows.
 */
static double gemm_s(double tokens, double width)
{
    return 3e-6 + fmax(2 * tokens * width * 4096 / 3e14, 2 * width * 4096 / 2e12);
}

enum { TOKENS = 40, WIDTHS = 8, GRID = TOKENS * WIDTHS };

static void measure_gemm(double cv, double *x, double *y)
{
    struct rng r;

    rng_stream(&r, 22, 0, "gemm");
    for (int i = 0; i < TOKENS; i++)
        for (int j = 0; j < WIDTHS; j++) {
            int k = i * WIDTHS + j;

            x[2 * k] = i < 8 ? i + 1 : floor(8 * pow(1024, (i - 7) / 32.0));
            x[2 * k + 1] = 256 * (1 << j);
            y[k] = gemm_s(x[2 * k], x[2 * k + 1]) * rng_lognormal(&r, 1, cv);
        }
}

static struct knots_points points_2d(const double *x, const double *y, size_t n)
{
    return (struct knots_points){.axes_n = 2,
                                 .name = {"tokens", "width"},
                                 .scale = {SCALE_LOG, SCALE_LOG},
                                 .rising = {true, true},
                                 .x = x,
                                 .y = y,
                                 .n = n,
                                 .value_scale = SCALE_LOG};
}

Test(recovery_knots, few_knots_keep_the_error_that_was_asked_for_where_nothing_was_measured)
{
    double x[2 * GRID], y[GRID], worst = 0;
    struct knots_points p = points_2d(x, y, GRID);
    struct knots_options o = {.bound_frac = 0.03};
    struct arena *a = arena_new();
    struct knots_fit k;
    struct err err = {0};
    int beyond = 0, seen = 0;

    measure_gemm(0.005, x, y);
    cr_assert_eq(knots_choose(&p, &o, a, &k, &err), 0, "%s", err.text);
    cr_expect(k.met && k.error_frac <= 0.03, "%g", k.error_frac);
    cr_expect_lt(table_nodes(&k.table), GRID / 3, "%zu nodes", table_nodes(&k.table));
    for (double tokens = 1; tokens <= 8192; tokens *= 1.13)
        for (double width = 256; width <= 32768; width *= 1.3) {
            struct table_value v = table_eval(&k.table, (double[]){tokens, width});
            double e = fabs(v.value / gemm_s(tokens, width) - 1);

            cr_expect(!v.outside);
            worst = fmax(worst, e);
            beyond += e > 0.03;
            seen++;
        }
    cr_expect_lt(beyond, seen / 10, "%d of %d places, the worst %g", beyond, seen, worst);
    cr_expect_lt(worst, 0.12, "%g", worst);
    arena_free(a);
}

Test(recovery_knots, noise_is_not_followed_and_said)
{
    double x[2 * GRID], y[GRID];
    struct knots_points p = points_2d(x, y, GRID);
    struct knots_options o = {.bound_frac = 0.03};
    struct arena *a = arena_new();
    struct knots_fit k;
    struct err err = {0};

    measure_gemm(0.1, x, y);
    cr_assert_eq(knots_choose(&p, &o, a, &k, &err), 0, "%s", err.text);
    cr_expect(!k.met && k.fit.suspects_n > 0);
    cr_expect_lt(table_nodes(&k.table), GRID / 3, "%zu nodes", table_nodes(&k.table));
    cr_expect(k.fit.noise_frac > 0.08 && k.fit.noise_frac < 0.12, "%g", k.fit.noise_frac);
    for (size_t i = 0; i + 1 < k.table.axis[0].n; i++)
        for (size_t j = 0; j < k.table.axis[1].n; j++) {
            const double *v = k.table.value + i * k.table.axis[1].n + j;

            cr_expect(v[0] <= v[k.table.axis[1].n] * (1 + 1e-9), "falls along tokens");
            cr_expect(j + 1 == k.table.axis[1].n || v[0] <= v[1] * (1 + 1e-9), "falls along width");
        }
    arena_free(a);
}

Test(recovery_knots, the_corner_that_ran_out_of_memory_is_outside)
{
    double x[2 * GRID], y[GRID];
    struct knots_points p = points_2d(x, y, 0);
    struct knots_options o = {.bound_frac = 0.02};
    struct arena *a = arena_new();
    struct knots_fit k;
    struct err err = {0};

    measure_gemm(0, x, y);
    for (size_t i = 0; i < GRID; i++)
        if (x[2 * i] * x[2 * i + 1] < 4e6) {
            x[2 * p.n] = x[2 * i];
            x[2 * p.n + 1] = x[2 * i + 1];
            y[p.n++] = y[i];
        }
    cr_assert_eq(knots_choose(&p, &o, a, &k, &err), 0, "%s", err.text);
    cr_expect(table_eval(&k.table, (double[]){8000, 30000}).outside);
    cr_expect(!table_eval(&k.table, (double[]){100, 1000}).outside);
    cr_expect(fabs(table_eval(&k.table, (double[]){100, 1000}).value / gemm_s(100, 1000) - 1) < 0.03);
    arena_free(a);
}

Test(recovery_knots, a_value_its_scale_cannot_take_is_an_error_that_names_the_point)
{
    double x[] = {1, 2, 0}, y[] = {1, 2, 3};
    struct knots_points p = points_1d(x, y, 3);
    struct knots_options o = {.bound_frac = 0.1};
    struct arena *a = arena_new();
    struct knots_fit k;
    struct err err = {0};

    cr_expect_eq(knots_choose(&p, &o, a, &k, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "point 2: tokens is 0"), "%s", err.text);
    x[2] = 3;
    y[1] = -1;
    cr_expect_eq(knots_choose(&p, &o, a, &k, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "point 1"), "%s", err.text);
    p.n = 0;
    cr_expect_eq(knots_choose(&p, &o, a, &k, &err), ERR_FAILED);
    arena_free(a);
}
