/* Streams and laws: are they the same every time, different by name, and distributed as they say? */
#include "engine/rng.h"
#include "engine/rng_gsl.h"

#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

Test(streams, the_generator_is_xoshiro256_plus_plus)
{
    struct rng r = {{1, 2, 3, 4}};
    /* The first outputs of the authors' code from this state. */
    const uint64_t first[] = {41943041, 58720359, 3588806011781223, 3591011842654386};

    for (int i = 0; i < 4; i++)
        cr_expect_eq(rng_next(&r), first[i]);
}

/* A change here changes every result ever stored. */
Test(streams, names_keep_their_meaning)
{
    struct rng r;

    cr_expect_eq(rng_hash("source.arrivals"), UINT64_C(0xe3c5a9ff08f1df84));
    rng_stream(&r, 1, 0, "source.arrivals");
    cr_expect_eq(rng_next(&r), UINT64_C(0x2a49d62c65042ee3));
    rng_keyed(&r, 1, 2, 3, 4, 5);
    cr_expect_eq(rng_next(&r), UINT64_C(0xb2ca80b47e1052ab));
}

Test(streams, differ_by_seed_replication_and_name)
{
    const char *names[] = {"a", "b", "source.arrivals", "source.arrival", ""};
    uint64_t first[40];
    size_t n = 0;
    struct rng r;

    for (uint64_t seed = 0; seed < 2; seed++)
        for (uint32_t replication = 0; replication < 4; replication++)
            for (size_t i = 0; i < 5; i++) {
                rng_stream(&r, seed, replication, names[i]);
                first[n++] = rng_next(&r);
            }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            cr_expect_neq(first[i], first[j], "streams %zu and %zu", i, j);
}

Test(streams, differ_by_each_part_of_the_key)
{
    struct rng r, s;

    rng_keyed(&r, 1, 2, 3, 4, 5);
    for (int part = 0; part < 5; part++) {
        rng_keyed(&s, 1 + (part == 0), 2 + (part == 1), 3 + (part == 2), 4 + (part == 3), 5 + (part == 4));
        cr_expect_neq(r.s[0], s.s[0], "part %d", part);
    }
    rng_keyed(&s, 1, 2, 5, 4, 3);
    cr_expect_neq(r.s[0], s.s[0], "source and purpose exchanged");
    rng_keyed(&s, 1, 2, 4, 3, 5);
    cr_expect_neq(r.s[0], s.s[0], "source and item exchanged");
}

/* chi-square over `bins` equally likely bins; the chance of a worse value if all is well */
static double chi_square_p(const uint64_t *count, size_t bins, double n)
{
    double chi2 = 0, expected = n / (double)bins;

    for (size_t i = 0; i < bins; i++)
        chi2 += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
    return gsl_cdf_chisq_Q(chi2, (double)(bins - 1));
}

#define EXPECT_PLAUSIBLE(p, ...) cr_expect((p) > 1e-5 && (p) < 1 - 1e-5, __VA_ARGS__)

/* The first draws of neighbouring items are as good as draws of one stream, and so are pairs of them. */
Test(streams, keyed_first_draws_are_even_and_unrelated)
{
    enum { N = 1 << 20, BINS = 1024 };
    static uint64_t one[BINS], pair[BINS], purposes[BINS];
    double last = 0;

    for (uint64_t item = 0; item < N; item++) {
        struct rng r, s;
        double u, v;

        rng_keyed(&r, 1, 0, 17, item, 1);
        rng_keyed(&s, 1, 0, 17, item, 2);
        u = rng_uniform(&r);
        v = rng_uniform(&s);
        one[(size_t)(u * BINS)]++;
        pair[(size_t)(u * 32) * 32 + (size_t)(last * 32)]++;
        purposes[(size_t)(u * 32) * 32 + (size_t)(v * 32)]++;
        last = u;
    }
    EXPECT_PLAUSIBLE(chi_square_p(one, BINS, N), "first draws");
    EXPECT_PLAUSIBLE(chi_square_p(pair, BINS, N), "items side by side");
    EXPECT_PLAUSIBLE(chi_square_p(purposes, BINS, N), "two purposes of an item");
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Kolmogorov's limit law with Stephens' correction: the chance of a larger distance if all is well. */
static double kolmogorov_p(double *u, size_t n)
{
    double d = 0, lambda, p = 0;

    qsort(u, n, sizeof *u, by_value);
    for (size_t i = 0; i < n; i++)
        d = fmax(d, fmax(u[i] - (double)i / (double)n, (double)(i + 1) / (double)n - u[i]));
    lambda = (sqrt((double)n) + 0.12 + 0.11 / sqrt((double)n)) * d;
    for (int k = 1; k < 100; k++)
        p += 2 * (k % 2 ? 1 : -1) * exp(-2.0 * k * k * lambda * lambda);
    return p;
}

enum { DRAWS = 2000000, BINS = 2000 };

/* u must be even on (0, 1) in the bulk, in its shape, and in both tails. */
static void expect_even(double *u, const char *law)
{
    static uint64_t count[BINS];
    size_t low = 0, high = 0;
    const double edge = 1e-4;
    double expected = edge * DRAWS;

    memset(count, 0, sizeof count);
    for (size_t i = 0; i < DRAWS; i++) {
        cr_assert(u[i] >= 0 && u[i] <= 1, "%s: %g", law, u[i]);
        count[(size_t)fmin(u[i] * BINS, BINS - 1)]++;
        low += u[i] < edge;
        high += u[i] > 1 - edge;
    }
    EXPECT_PLAUSIBLE(chi_square_p(count, BINS, DRAWS), "%s: chi-square", law);
    EXPECT_PLAUSIBLE(kolmogorov_p(u, DRAWS), "%s: Kolmogorov-Smirnov", law);
    cr_expect(fabs((double)low - expected) < 5 * sqrt(expected), "%s: low tail %zu", law, low);
    cr_expect(fabs((double)high - expected) < 5 * sqrt(expected), "%s: high tail %zu", law, high);
}

static double *draws(double (*draw)(struct rng *), double (*cdf)(double, double), const char *name)
{
    double *u = malloc(DRAWS * sizeof *u);
    struct rng r;

    rng_stream(&r, 11, 0, name);
    for (size_t i = 0; i < DRAWS; i++)
        u[i] = cdf ? cdf(draw(&r), 1) : draw(&r);
    return u;
}

static double uniform_draw(struct rng *r)
{
    return rng_uniform(r);
}

static double exponential_draw(struct rng *r)
{
    return rng_exponential(r);
}

static double normal_draw(struct rng *r)
{
    return rng_normal(r);
}

Test(laws, uniform_exponential_and_normal_fit_their_distribution)
{
    double *u = draws(uniform_draw, NULL, "uniform");

    expect_even(u, "uniform");
    free(u);
    u = draws(exponential_draw, gsl_cdf_exponential_P, "exponential");
    expect_even(u, "exponential");
    free(u);
    u = draws(normal_draw, gsl_cdf_gaussian_P, "normal");
    expect_even(u, "normal");
    free(u);
}

/* Beyond the last layer a ziggurat draws by another rule.  A word of layer 0 with the outermost place leads
 * there. */
Test(laws, ziggurat_tails_have_the_right_shape)
{
    /* the exponential reads a place without, the normal one with a sign */
    const uint64_t outermost = UINT64_C(0xffffffffffffff00);
    const uint64_t right = UINT64_C(0x7fffffffffffff00), left = UINT64_C(0x8000000000000000);
    double *e = malloc(DRAWS * sizeof *e), *n = malloc(DRAWS * sizeof *n);
    size_t negative = 0;
    struct rng r;

    rng_stream(&r, 3, 0, "tails");
    for (size_t i = 0; i < DRAWS; i++) {
        double x = rng_normal_rare(&r, i % 2 ? right : left);

        cr_assert(fabs(x) > rng_normal_x[1]);
        negative += x < 0;
        n[i] = gsl_cdf_ugaussian_Q(fabs(x)) / gsl_cdf_ugaussian_Q(rng_normal_x[1]);
        e[i] = exp(rng_exponential_x[1] - rng_exponential_rare(&r, outermost));
    }
    expect_even(n, "normal tail");
    expect_even(e, "exponential tail");
    cr_expect_eq(negative, DRAWS / 2, "the tail is on the side of the word");
    free(e);
    free(n);
}

/* How often the tails are met, and that both sides are. */
Test(laws, ziggurat_tails_have_the_right_weight)
{
    const uint64_t draws_n = 20000000;
    double e_expected = (double)draws_n * exp(-rng_exponential_x[1]);
    double n_expected = (double)draws_n * gsl_cdf_ugaussian_Q(rng_normal_x[1]);
    uint64_t e_count = 0, below = 0, above = 0;
    struct rng r;

    rng_stream(&r, 3, 0, "weights");
    for (uint64_t i = 0; i < draws_n; i++) {
        double y = rng_normal(&r);

        e_count += rng_exponential(&r) > rng_exponential_x[1];
        below += y < -rng_normal_x[1];
        above += y > rng_normal_x[1];
    }
    cr_expect(fabs((double)e_count - e_expected) < 5 * sqrt(e_expected), "%g %g", (double)e_count,
              e_expected);
    cr_expect(fabs((double)below - n_expected) < 5 * sqrt(n_expected), "%g %g", (double)below, n_expected);
    cr_expect(fabs((double)above - n_expected) < 5 * sqrt(n_expected), "%g %g", (double)above, n_expected);
}

Test(laws, normal_moments)
{
    enum { N = 4000000 };
    double m[5] = {0};
    struct rng r;

    rng_stream(&r, 4, 0, "moments");
    for (int i = 0; i < N; i++) {
        double x = rng_normal(&r), p = 1;

        for (int k = 1; k <= 4; k++)
            m[k] += (p *= x) / N;
    }
    /* sd of x, x^2, x^3, x^4: 1, sqrt 2, sqrt 15, sqrt 96 */
    cr_expect(fabs(m[1]) < 5 / sqrt(N));
    cr_expect(fabs(m[2] - 1) < 5 * sqrt(2.0 / N));
    cr_expect(fabs(m[3]) < 5 * sqrt(15.0 / N));
    cr_expect(fabs(m[4] - 3) < 5 * sqrt(96.0 / N));
}

/* Both tables again, from the equations at the top of ziggurat.c. */
Test(laws, ziggurat_tables_solve_their_equations)
{
    for (int normal = 0; normal < 2; normal++) {
        const double *x = normal ? rng_normal_x : rng_exponential_x,
                     *f = normal ? rng_normal_f : rng_exponential_f;
        double r = x[1], v;

        v = normal ? r * exp(-r * r / 2) + sqrt(M_PI / 2) * erfc(r / sqrt(2)) : (r + 1) * exp(-r);
        cr_expect_float_eq(x[0] * exp(normal ? -r * r / 2 : -r), v, 1e-15);
        for (int i = 1; i < 256; i++) {
            cr_expect_float_eq(f[i], exp(normal ? -x[i] * x[i] / 2 : -x[i]), 1e-15);
            cr_expect_float_eq(x[i] * (f[i + 1] - f[i]), v, 1e-14, "layer %d", i);
        }
        cr_expect_eq(x[256], 0);
        cr_expect_eq(f[256], 1);
    }
}

Test(laws, draws_have_the_mean_and_cv_of_the_law)
{
    static const double values[] = {1, 2, 3, 10}, at[] = {0, 0.2, 0.9, 1};
    const struct law laws[] = {
        {.kind = LAW_CONSTANT, .mean = 3, .cv = 0},
        {.kind = LAW_EXPONENTIAL, .mean = 0.02, .cv = 1},
        {.kind = LAW_UNIFORM, .mean = 3, .cv = 1 / sqrt(3) / 3, .lo = 2, .hi = 4},
        {.kind = LAW_LOGNORMAL, .mean = 8e-3, .cv = 0.4},
        {.kind = LAW_GAMMA, .mean = 5, .cv = 0.5},
        {.kind = LAW_GAMMA, .mean = 5, .cv = 2},
        {.kind = LAW_PARETO, .mean = 1.5, .cv = 1 / sqrt(8 * 6), .alpha = 8},
        {.kind = LAW_EMPIRICAL, .mean = 4, .cv = sqrt(12.5) / 4, .values = values, .n = 4},
        law_weibull(3, 0.7),
        law_weibull(0.01, 3),
        law_hyperexponential(0.9, 1e-3, 11e-3),
        law_quantiles(at, values, 4),
    };

    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        enum { N = 400000 };
        const struct law *law = &laws[i];
        double sum = 0, sum2 = 0, cv;
        struct rng r;

        rng_stream(&r, 8, (uint32_t)i, "laws");
        for (int k = 0; k < N; k++) {
            double x = law_draw(law, &r) / law->mean;

            sum += x;
            sum2 += x * x;
        }
        cv = sqrt(fmax(0, sum2 / N - sum / N * sum / N));
        cr_expect(fabs(sum / N - 1) <= 5 * law->cv / sqrt(N) + 1e-12, "law %zu: mean %g", i, sum / N);
        cr_expect(fabs(cv - law->cv) <= 0.03 * law->cv + 1e-6, "law %zu: cv %g", i, cv);
    }
}

Test(laws, gsl_draws_from_a_named_stream)
{
    struct rng r;
    gsl_rng g = rng_gsl(&r);
    double sum = 0;

    rng_stream(&r, 9, 0, "poisson");
    for (int i = 0; i < 100000; i++)
        sum += gsl_ran_poisson(&g, 4);
    cr_expect(fabs(sum / 1e5 - 4) < 5 * sqrt(4 / 1e5));
    cr_expect_str_eq(gsl_rng_name(&g), "xoshiro256++");
}

Test(laws, below_is_even)
{
    static uint64_t count[1000];
    struct rng r;

    rng_stream(&r, 10, 0, "below");
    for (int i = 0; i < 1000000; i++) {
        uint64_t k = rng_below(&r, 1000);

        cr_assert(k < 1000);
        count[k]++;
    }
    EXPECT_PLAUSIBLE(chi_square_p(count, 1000, 1e6), "below");
}
