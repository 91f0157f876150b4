#include "engine/rng.h"

#include "base/err.h"
#include "engine/rng_gsl.h"

#include <gsl/gsl_randist.h>
#include <math.h>

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* The finalizer of splitmix64: every bit of the result depends on every bit of x. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Four successive outputs of splitmix64, as the authors of xoshiro ask; they cannot all be zero. */
static void expand(struct rng *r, uint64_t key)
{
    r->s[0] = mix(key + GOLDEN); /* written out, so that the four run side by side */
    r->s[1] = mix(key + 2 * GOLDEN);
    r->s[2] = mix(key + 3 * GOLDEN);
    r->s[3] = mix(key + 4 * GOLDEN);
}

uint64_t rng_hash(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a, then mixed: its high bits are weak */

    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return mix(h);
}

void rng_stream(struct rng *r, uint64_t seed, uint32_t replication, const char *name)
{
    rng_keyed(r, seed, replication, rng_hash(name), 0, UINT64_C(0x6e616d65642e2e2e));
}

/* A tree and not a chain of mixes: the four of the first row run side by side. */
void rng_keyed(struct rng *r, uint64_t seed, uint32_t replication, uint64_t source, uint64_t item,
               uint64_t purpose)
{
    uint64_t a = mix(seed + GOLDEN * ((uint64_t)replication + 1));
    uint64_t b = mix(source + UINT64_C(0xd1b54a32d192ed03));
    uint64_t c = mix(item + UINT64_C(0x8cb92ba72f3d8dd7));
    uint64_t d = mix(purpose + UINT64_C(0xaef17502108ef2d9));

    expand(r, mix(mix(a + rng_rotate(b, 16)) + (c ^ rng_rotate(d, 32))));
}

/*
 * Outside the inner part of its layer: the tail beyond r = x[1], or the wedge
 * between the layer's inner edge and the curve, else the draw starts again.
 */
double rng_exponential_rare(struct rng *r, uint64_t word)
{
    for (;;) {
        unsigned i = word & 255;
        double x = (double)(int64_t)(word >> 11) * 0x1p-53 * rng_exponential_x[i];

        if (x < rng_exponential_x[i + 1])
            return x;
        if (i == 0)
            return rng_exponential_x[1] - log(rng_uniform(r));
        if (rng_exponential_f[i] + rng_uniform(r) * (rng_exponential_f[i + 1] - rng_exponential_f[i]) <
            exp(-x))
            return x;
        word = rng_next(r);
    }
}

/* Marsaglia's tail: exact, accepts nearly always this far out. */
static double normal_tail(struct rng *r)
{
    const double edge = rng_normal_x[1];
    double x, y;

    do {
        x = -log(rng_uniform(r)) / edge;
        y = -log(rng_uniform(r));
    } while (y + y < x * x);
    return edge + x;
}

double rng_normal_rare(struct rng *r, uint64_t word)
{
    for (;;) {
        unsigned i = word & 255;
        double x = (double)((int64_t)word >> 10) * 0x1p-53 * rng_normal_x[i];

        if (fabs(x) < rng_normal_x[i + 1])
            return x;
        if (i == 0)
            return copysign(normal_tail(r), x);
        if (rng_normal_f[i] + rng_uniform(r) * (rng_normal_f[i + 1] - rng_normal_f[i]) < exp(-0.5 * x * x))
            return x;
        word = rng_next(r);
    }
}

/* Lemire's multiplication; the rejected remainder keeps it exactly even. */
uint64_t rng_below(struct rng *r, uint64_t n)
{
    __extension__ unsigned __int128 product;

    ASSERT(n > 0);
    do
        product = (__extension__(unsigned __int128) rng_next(r)) * n;
    while ((uint64_t)product < n && (uint64_t)product < -n % n);
    return (uint64_t)(product >> 64);
}

static void gsl_seed(void *state, unsigned long seed)
{
    expand(state, seed);
}

static unsigned long gsl_word(void *state)
{
    return (unsigned long)(rng_next(state) >> 32);
}

static double gsl_uniform_double(void *state)
{
    return (double)(rng_next(state) >> 11) * 0x1p-53;
}

static const gsl_rng_type gsl_xoshiro = {
    "xoshiro256++", 0xffffffffUL, 0, sizeof(struct rng), gsl_seed, gsl_word, gsl_uniform_double,
};

gsl_rng rng_gsl(struct rng *r)
{
    return (gsl_rng){.type = &gsl_xoshiro, .state = r};
}

/* ln X is normal with variance s^2 = ln(1 + cv^2) and mean ln(mean) - s^2 / 2. */
double rng_lognormal(struct rng *r, double mean, double cv)
{
    double s2 = log1p(cv * cv);

    return mean * exp(sqrt(s2) * rng_normal(r) - 0.5 * s2);
}

double rng_gamma(struct rng *r, double mean, double cv)
{
    gsl_rng g = rng_gsl(r);

    if (cv <= 0)
        return mean;
    return gsl_ran_gamma(&g, 1 / (cv * cv), mean * cv * cv);
}

/* Even between two knots of the quantile function. */
static double quantile(const struct law *law, double u)
{
    size_t lo = 0, hi = law->n - 1;

    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;

        if (law->at[mid] <= u)
            lo = mid;
        else
            hi = mid;
    }
    return law->values[lo] +
           (law->values[hi] - law->values[lo]) * (u - law->at[lo]) / (law->at[hi] - law->at[lo]);
}

double law_draw(const struct law *law, struct rng *r)
{
    switch (law->kind) {
    case LAW_CONSTANT:
        return law->mean;
    case LAW_EXPONENTIAL:
        return law->mean * rng_exponential(r);
    case LAW_UNIFORM:
        return law->lo + (law->hi - law->lo) * rng_uniform(r);
    case LAW_LOGNORMAL:
        return rng_lognormal(r, law->mean, law->cv);
    case LAW_GAMMA:
        return rng_gamma(r, law->mean, law->cv);
    case LAW_PARETO: {
        gsl_rng g = rng_gsl(r);

        return gsl_ran_pareto(&g, law->alpha, law->mean * (law->alpha - 1) / law->alpha);
    }
    case LAW_WEIBULL:
        return law->mean / tgamma(1 + 1 / law->alpha) * pow(rng_exponential(r), 1 / law->alpha);
    case LAW_HYPEREXPONENTIAL: {
        double mean = rng_uniform(r) < law->share ? law->fast : law->slow;

        return mean * rng_exponential(r);
    }
    case LAW_EMPIRICAL:
        return law->at != NULL ? quantile(law, rng_uniform(r)) : law->values[rng_below(r, law->n)];
    }
    ASSERT(!"a law this switch does not know");
    return 0;
}
