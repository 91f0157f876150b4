/* Laws from samples: parameters of every family, whole, truncated, censored and in buckets; the choice. */
#include "recovery.h"

#include "base/arena.h"
#include "calibrate/distribution.h"

TestSuite(recovery_distribution, .init = begin);

enum { MOST = 2000 };

/* How the sample was taken. */
struct taking {
    size_t n;
    double from, to;      /* values outside were never recorded; to 0: no limit */
    double censor;        /* values above are only known to be above; 0: none */
    const double *bounds; /* of buckets, the last one open; NULL: values */
    size_t bounds_n;
};

static struct samples take(const struct law *law, const struct taking *how, uint64_t trial, struct sample *s)
{
    struct samples out = {.s = s, .from = how->from, .to = how->to, .unit = "s"};
    struct rng r;

    rng_keyed(&r, 31, 0, rng_hash(law_kind_name(law->kind)), trial, 0);
    for (size_t b = 0; b < how->bounds_n; b++)
        s[out.n++] =
            (struct sample){how->bounds[b], b + 1 < how->bounds_n ? how->bounds[b + 1] : INFINITY, 0};
    for (size_t i = 0; i < how->n;) {
        double x = law_draw(law, &r);

        if (x <= how->from || (how->to > 0 && x > how->to))
            continue;
        i++;
        if (how->bounds != NULL)
            for (size_t b = 0; b < how->bounds_n; b++)
                s[b].count += x > s[b].lo && x <= s[b].hi;
        else if (how->censor > 0 && x > how->censor)
            s[out.n++] = (struct sample){how->censor, INFINITY, 1};
        else
            s[out.n++] = (struct sample){x, x, 1};
    }
    return out;
}

/* Counts, per parameter of `kind`, the intervals that hold what `law` has. */
static void count_law(enum law_kind kind, const struct law *law, const struct taking *how,
                      const char *const *names, const double *truth, int n, struct count *count)
{
    struct distribution_options o = {.resamples = 60};
    struct arena *a = arena_new();

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct sample s[MOST];
        struct samples all = take(law, how, t, s);
        struct distribution d;
        struct err err = {0};

        cr_assert_eq(distribution_fit(kind, &all, &o, a, &d, &err), 0, "%s", err.text);
        for (int i = 0; i < n; i++)
            count_param(&count[i], &d.fit, names[i], truth[i]);
        arena_reset(a);
    }
    arena_free(a);
}

static void expect_law(const struct law *law, const struct taking *how, const char *const *names,
                       const double *truth, int n)
{
    struct count count[3] = {{0}};
    char name[60];

    count_law(law->kind, law, how, names, truth, n, count);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s %s, %s", law_kind_name(law->kind), names[i],
                 how->bounds != NULL   ? "buckets"
                 : how->censor > 0     ? "censored"
                 : how->from + how->to ? "truncated"
                                       : "whole");
        expect_nominal(&count[i], name);
    }
}

static const char *const mean_cv[] = {"mean", "cv"}, *const mean_shape[] = {"mean", "shape"},
                         *const phases[] = {"share", "fast", "slow"};
static const double bounds[] = {0, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25}; /* the usual ones of Prometheus */

static const struct taking whole = {.n = 150}, buckets = {.n = 400, .bounds = bounds, .bounds_n = 7};

Test(recovery_distribution, exponential)
{
    struct law law = {.kind = LAW_EXPONENTIAL, .mean = 0.03, .cv = 1};
    struct taking censored = {.n = 100, .censor = 0.04}, left = {.n = 100, .from = 0.02};

    expect_law(&law, &whole, mean_cv, (double[]){0.03}, 1);
    expect_law(&law, &censored, mean_cv, (double[]){0.03}, 1);
    expect_law(&law, &left, mean_cv, (double[]){0.03}, 1);
    expect_law(&law, &buckets, mean_cv, (double[]){0.03}, 1);
}

Test(recovery_distribution, lognormal)
{
    struct law law = {.kind = LAW_LOGNORMAL, .mean = 0.03, .cv = 0.8};
    struct taking right = {.n = 400, .to = 0.06};

    expect_law(&law, &whole, mean_cv, (double[]){0.03, 0.8}, 2);
    expect_law(&law, &right, mean_cv, (double[]){0.03, 0.8}, 2);
    expect_law(&law, &buckets, mean_cv, (double[]){0.03, 0.8}, 2);
}

Test(recovery_distribution, gamma)
{
    struct law law = {.kind = LAW_GAMMA, .mean = 0.03, .cv = 0.5};
    struct taking left = {.n = 200, .from = 0.015};

    expect_law(&law, &whole, mean_cv, (double[]){0.03, 0.5}, 2);
    expect_law(&law, &left, mean_cv, (double[]){0.03, 0.5}, 2);
    expect_law(&law, &buckets, mean_cv, (double[]){0.03, 0.5}, 2);
}

Test(recovery_distribution, weibull)
{
    struct law law = law_weibull(0.03, 0.7);
    struct taking censored = {.n = 200, .censor = 0.04};

    expect_law(&law, &whole, mean_shape, (double[]){0.03, 0.7}, 2);
    expect_law(&law, &censored, mean_shape, (double[]){0.03, 0.7}, 2);
    expect_law(&law, &buckets, mean_shape, (double[]){0.03, 0.7}, 2);
}

Test(recovery_distribution, hyperexponential)
{
    struct law law = law_hyperexponential(0.8, 0.005, 0.1);
    struct taking many = {.n = 400};

    expect_law(&law, &many, phases, (double[]){0.8, 0.005, 0.1}, 3);
    expect_law(&law, &buckets, phases, (double[]){0.8, 0.005, 0.1}, 3);
}

Test(recovery_distribution, empirical_quantiles)
{
    struct law law = {.kind = LAW_LOGNORMAL, .mean = 0.03, .cv = 0.8};
    double s2 = log1p(0.64), median = 0.03 * exp(-s2 / 2);
    static const char *const names[] = {"p50", "p90"};
    const double truth[] = {median, median * exp(1.2815515655446004 * sqrt(s2))};
    struct count count[2] = {{0}};

    count_law(LAW_EMPIRICAL, &law, &whole, names, truth, 2, count);
    for (int i = 0; i < 2; i++) /* order statistics are discrete: up to two steps of 150 wider than 95 % */
        cr_expect(count_between(&count[i], 0.95, 0.97), "%s: %u of %u", names[i], count[i].held, count[i].n);
}

/* ------------------------------------------------------------------------------------ what must be caught */

Test(recovery_distribution, truncation_that_is_not_said_is_caught)
{
    struct law law = {.kind = LAW_EXPONENTIAL, .mean = 0.03, .cv = 1};
    struct arena *a = arena_new();
    struct distribution_options o = {0};
    struct count count = {0};

    for (uint64_t t = 0; t < TRIALS; t++) {
        struct sample s[MOST];
        struct taking how = {.n = 150, .to = 0.1};
        struct samples all = take(&law, &how, t, s);
        struct distribution d;
        struct err err = {0};

        all.to = 0;
        cr_assert_eq(distribution_fit(LAW_EXPONENTIAL, &all, &o, a, &d, &err), 0, "%s", err.text);
        count_param(&count, &d.fit, "mean", 0.03);
    }
    expect_caught(&count, "mean of an exponential cut at 0.1");
    arena_free(a);
}

Test(recovery_distribution, another_family_is_caught)
{
    struct law law = {.kind = LAW_LOGNORMAL, .mean = 0.03, .cv = 2};
    struct count count[2] = {{0}};

    count_law(LAW_GAMMA, &law, &whole, mean_cv, (double[]){0.03, 2}, 2, count);
    expect_caught(&count[1], "cv of a lognormal taken for a gamma");
}

static struct distribution chosen(const struct law *law, size_t n, uint64_t trial, struct arena *a)
{
    struct sample s[MOST];
    struct taking how = {.n = n};
    struct samples all = take(law, &how, trial, s);
    struct distribution_options o = {.resamples = 60};
    struct distribution d;
    struct err err = {0};

    cr_assert_eq(distribution_choose(&all, &o, a, &d, &err), 0, "%s", err.text);
    return d;
}

Test(recovery_distribution, the_family_that_made_the_sample_is_chosen)
{
    const struct law laws[] = {{.kind = LAW_EXPONENTIAL, .mean = 1, .cv = 1},
                               {.kind = LAW_LOGNORMAL, .mean = 1, .cv = 1.5},
                               {.kind = LAW_GAMMA, .mean = 1, .cv = 0.6},
                               law_weibull(1, 3.5),
                               law_hyperexponential(0.8, 0.1, 4)};
    struct arena *a = arena_new();

    for (size_t k = 0; k < sizeof laws / sizeof *laws; k++) {
        int right = 0;

        for (uint64_t t = 0; t < 10; t++)
            right += chosen(&laws[k], MOST, t, a).law.kind == laws[k].kind;
        cr_expect_geq(right, 7, "%s: %d of 10", law_kind_name(laws[k].kind), right);
    }
    arena_free(a);
}

Test(recovery_distribution, where_no_family_comes_near_the_sample_speaks_for_itself)
{
    static const double at[] = {0, 0.5, 0.5001, 1}, values[] = {1, 1.1, 9, 9.5};
    struct law two_peaks = law_quantiles(at, values, 4);
    struct arena *a = arena_new();
    struct distribution d = chosen(&two_peaks, 1000, 1, a);

    cr_expect_eq(d.law.kind, LAW_EMPIRICAL);
    cr_expect_float_eq(d.law.mean, two_peaks.mean, 0.3);
    cr_expect_float_eq(d.law.cv, two_peaks.cv, 0.06);
    cr_expect(d.fit.suspects_n > 0 && strstr(d.fit.suspect[0], "no law comes near") != NULL, "%s",
              d.fit.suspect[0]);
    arena_free(a);
}

Test(recovery_distribution, one_phase_taken_for_two_is_said)
{
    struct law law = {.kind = LAW_EXPONENTIAL, .mean = 1, .cv = 1};
    struct taking how = {.n = 300};
    struct distribution_options o = {.resamples = 20};
    struct arena *a = arena_new();
    int said = 0;

    for (uint64_t t = 0; t < 10; t++) {
        struct sample s[MOST];
        struct samples all = take(&law, &how, t, s);
        struct distribution d;
        struct err err = {0};

        cr_assert_eq(distribution_fit(LAW_HYPEREXPONENTIAL, &all, &o, a, &d, &err), 0, "%s", err.text);
        said += d.fit.suspects_n > 0;
    }
    cr_expect_geq(said, 8, "%d of 10", said);
    arena_free(a);
}

Test(recovery_distribution, what_cannot_be_fitted_is_an_error)
{
    struct sample s[12];
    struct samples all = {.s = s, .n = 12};
    struct distribution_options o = {0};
    struct arena *a = arena_new();
    struct distribution d;
    struct err err = {0};

    for (int i = 0; i < 12; i++)
        s[i] = (struct sample){i + 1, i + 1, 1};
    all.n = 9;
    cr_expect_eq(distribution_fit(LAW_GAMMA, &all, &o, a, &d, &err), ERR_FAILED);
    all.n = 12;
    s[3] = (struct sample){0, 0, 1};
    cr_expect_eq(distribution_fit(LAW_GAMMA, &all, &o, a, &d, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "observation 3 is 0"), "%s", err.text);
    s[3] = (struct sample){5, 4, 1};
    cr_expect_eq(distribution_fit(LAW_GAMMA, &all, &o, a, &d, &err), ERR_FAILED);
    s[3] = (struct sample){NAN, NAN, 1};
    cr_expect_eq(distribution_fit(LAW_GAMMA, &all, &o, a, &d, &err), ERR_FAILED);
    s[3] = (struct sample){1.5, 7, 1};
    cr_expect_eq(distribution_fit(LAW_EMPIRICAL, &all, &o, a, &d, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "overlap"), "%s", err.text);
    all.from = 2;
    cr_expect_eq(distribution_fit(LAW_GAMMA, &all, &o, a, &d, &err), ERR_FAILED);
    cr_expect_not_null(strstr(err.text, "outside what could be recorded"), "%s", err.text);
    arena_free(a);
}
