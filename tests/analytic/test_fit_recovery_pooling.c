/* Recall curves, and groups that are pooled: what few points say, and how sure. */
#include "recovery.h"

#include "base/arena.h"
#include "calibrate/pooling.h"
#include "calibrate/recall.h"
#include "engine/rng_gsl.h"

#include <gsl/gsl_randist.h>

TestSuite(recovery_recall, .init = begin);
TestSuite(recovery_pooling, .init = begin);

/* ------------------------------------------------------------------------------------------------ recall */

enum { N = 12, QUERIES = 400 };

static const double half = 12, slope = 1.6;

static double recall_of(double effort)
{
    return 1 / (1 + pow(half / effort, slope));
}

/* Queries are easy or hard: each finds a beta-distributed share of its ten answers. */
static void measure_recall(uint64_t trial, double (*curve)(double), struct recall_point *p)
{
    struct rng r;
    gsl_rng g = rng_gsl(&r);

    rng_keyed(&r, 71, 0, 1, trial, 0);
    for (int i = 0; i < N; i++) {
        double sum = 0, effort = 4 * pow(1.6, i), m = curve(effort);

        for (int q = 0; q < QUERIES / 4; q++)
            sum += gsl_ran_beta(&g, 3 * m, 3 * (1 - m)) / (QUERIES / 4);
        p[i] = (struct recall_point){effort, sum, QUERIES / 4};
    }
}

Test(recovery_recall, a_curve_and_the_effort_for_a_recall_are_covered)
{
    struct count count[3] = {{0}};
    int tables = 0;

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct recall_point p[N];
        struct recall r;
        struct recall_effort e;
        struct arena *a = arena_new();
        struct err err = {0};

        measure_recall(t, recall_of, p);
        cr_assert_eq(recall_fit(p, N, a, &r, &err), 0, "%s", err.text);
        count_param(&count[0], &r.fit, "half", half);
        count_param(&count[1], &r.fit, "slope", slope);
        tables += r.use_table;
        r.use_table = false;
        e = recall_effort(&r, 0.95);
        count_held(&count[2], e.lo, e.hi, half * pow(19, 1 / slope));
        arena_free(a);
    }
    expect_nominal(&count[0], "half");
    expect_nominal(&count[1], "slope");
    expect_nominal(&count[2], "effort for .95");
    cr_expect_lt(tables, TRIALS / 10, "the table was taken %d times", tables);
}

/* An index that finds no more than .8 of the answers however long it looks. */
static double capped(double effort)
{
    return 0.8 * (1 - exp(-effort / 12));
}

Test(recovery_recall, an_index_that_is_no_such_curve_is_caught_and_the_table_taken)
{
    struct count count = {0};
    int tables = 0;

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct recall_point p[N];
        struct recall r;
        struct arena *a = arena_new();
        struct err err = {0};

        measure_recall(t, capped, p);
        cr_assert_eq(recall_fit(p, N, a, &r, &err), 0, "%s", err.text);
        tables += r.use_table;
        cr_expect(!r.use_table || fabs(recall_at(&r, 100).value - capped(100)) < 0.06);
        cr_expect(!r.use_table || recall_effort(&r, 0.95).outside);
        r.use_table = false;
        count_held(&count, recall_effort(&r, 0.7).lo, recall_effort(&r, 0.7).hi, -12 * log(1 - 0.7 / 0.8));
        arena_free(a);
    }
    expect_caught(&count, "effort for .7 by the curve");
    cr_expect_gt(tables, 0.95 * TRIALS, "%d of %d", tables, TRIALS);
}

Test(recovery_recall, outside_is_said)
{
    struct recall_point p[N];
    struct recall r;
    struct arena *a = arena_new();
    struct err err = {0};

    measure_recall(1, recall_of, p);
    cr_assert_eq(recall_fit(p, N, a, &r, &err), 0, "%s", err.text);
    cr_expect(recall_at(&r, 3).outside && recall_at(&r, 2000).outside && !recall_at(&r, 30).outside);
    cr_expect(recall_effort(&r, 0.9999).outside && !recall_effort(&r, 0.9).outside);
    cr_expect_eq(recall_fit(p, 2, a, &r, &err), ERR_FAILED);
    p[3].recall = 1.2;
    cr_expect_eq(recall_fit(p, N, a, &r, &err), ERR_FAILED);
    for (int i = 0; i < N; i++)
        p[i].recall = 1 - p[i].effort / 1e4;
    cr_expect_eq(recall_fit(p, N, a, &r, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "does not rise"), "%s", err.text);
    arena_free(a);
}

/* ------------------------------------------------------------------------------------------------ pooling */

enum { GROUPS = 16, EACH = 4 };

static const double mean = 10, between = 1, within = 2;

/* Raw measurements of groups that differ; the truth of each in theta. */
static void measure_groups(uint64_t trial, double differ, double *theta, struct group *g)
{
    double y[GROUPS * EACH];
    size_t owner[GROUPS * EACH], n = 0;
    struct err err = {0};
    struct rng r;

    rng_keyed(&r, 72, 0, 1, trial, 0);
    for (size_t j = 0; j < GROUPS; j++) {
        theta[j] = mean + differ * rng_normal(&r);
        for (int i = 0; i < EACH; i++) {
            owner[n] = j;
            y[n++] = theta[j] + within * rng_normal(&r);
        }
    }
    cr_assert_eq(pooling_groups(y, owner, n, GROUPS, g, &err), 0, "%s", err.text);
}

Test(recovery_pooling, groups_their_mean_and_their_spread_are_covered)
{
    struct count one = {0}, all = {0}, spread = {0}, complete = {0};
    double own = 0, pooled = 0;

    for (uint64_t t = 0; t < TRIALS; t++) {
        double theta[GROUPS];
        struct group g[GROUPS];
        struct pooled_group p[GROUPS];
        struct fit f;
        struct err err = {0};

        measure_groups(t, between, theta, g);
        cr_assert_eq(pooling_fit(g, GROUPS, p, &f, &err), 0, "%s", err.text);
        count_held(&one, p[0].lo, p[0].hi, theta[0]);
        count_param(&all, &f, "mean", mean);
        count_param(&spread, &f, "between", between);
        count_held(&complete, fit_find(&f, "mean")->lo, fit_find(&f, "mean")->hi,
                   theta[0]); /* all taken for one */
        for (int j = 0; j < GROUPS; j++) {
            own += pow(g[j].value - theta[j], 2);
            pooled += pow(p[j].value - theta[j], 2);
        }
    }
    expect_nominal(&one, "a group");
    expect_nominal(&all, "mean");
    expect_nominal(&spread, "between");
    expect_caught(&complete, "groups taken for one");
    cr_expect_lt(pooled, 0.75 * own, "pooling must pay: %g, %g", pooled, own);
}

Test(recovery_pooling, groups_that_do_not_differ_are_on_the_bound)
{
    struct count one = {0}, spread = {0};

    for (uint64_t t = 0; t < TRIALS; t++) {
        double theta[GROUPS];
        struct group g[GROUPS];
        struct pooled_group p[GROUPS];
        struct fit f;
        struct err err = {0};

        measure_groups(t, 0, theta, g);
        cr_assert_eq(pooling_fit(g, GROUPS, p, &f, &err), 0, "%s", err.text);
        count_held(&one, p[0].lo, p[0].hi, theta[0]);
        count_param(&spread, &f, "between", 0);
    }
    cr_expect(count_between(&one, 0.95, 1), "a group: %u",
              one.held); /* the mean carries it: more than 95 % */
    expect_on_bound(&spread, "between");
}

/* One group of another kind: drawn towards the others, its interval misses it; the suspect names it. */
Test(recovery_pooling, a_group_unlike_the_others_is_caught_and_named)
{
    struct count odd = {0};
    int named = 0;

    for (uint64_t t = 0; t < TRIALS; t++) {
        double theta[GROUPS];
        struct group g[GROUPS];
        struct pooled_group p[GROUPS];
        struct fit f;
        struct err err = {0};

        measure_groups(t, 0.3, theta, g);
        g[3].value += 6;
        theta[3] += 6;
        cr_assert_eq(pooling_fit(g, GROUPS, p, &f, &err), 0, "%s", err.text);
        count_held(&odd, p[3].lo, p[3].hi, theta[3]);
        for (int i = 0; i < f.suspects_n; i++)
            named += strncmp(f.suspect[i], "group 3 ", 8) == 0;
    }
    expect_caught(&odd, "the odd group");
    cr_expect_gt(named, 0.8 * TRIALS, "%d of %d", named, TRIALS);
}

Test(recovery_pooling, what_cannot_be_pooled_is_an_error)
{
    struct group g[4] = {{1, 1, 1}, {2, 1, 1}, {3, 1, 1}, {4, 0, 1}};
    struct pooled_group p[4];
    struct fit f;
    struct err err = {0};
    double y[] = {1, 2, 3, 4};
    size_t owner[] = {0, 0, 2, 2};

    cr_expect_eq(pooling_fit(g, 3, p, &f, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "at least 4"), "%s", err.text);
    cr_expect_eq(pooling_fit(g, 4, p, &f, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "group 3"), "%s", err.text);
    cr_expect_eq(pooling_groups(y, owner, 4, 3, g, &err), ERR_FAILED);
    owner[2] = owner[3] = 0;
    cr_expect_eq(pooling_groups(y, owner, 4, 2, g, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "group 1 has no"), "%s", err.text);
}
