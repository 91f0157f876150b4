/*
 * rng.h - named random streams and draws from laws.
 *
 * xoshiro256++ with our own ziggurat exponential and normal; every other law
 * comes from GSL.  Two ways to get a stream:
 *
 *  - by name: rng_stream(seed, replication, "source.arrivals"): a new component
 *    does not disturb the others, two variants share their luck;
 *  - by item: rng_keyed(seed, replication, source, item, purpose): the luck
 *    follows an item through fused, reordered or re-batched stages.
 *
 * The ziggurats: one word chooses a layer by its low 8 bits and a place in it
 * by its high 53; 99 draws of 100 end there, which is why that part is inline.
 */
#ifndef ENGINE_RNG_H
#define ENGINE_RNG_H

#include "base/law.h"

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_stream(struct rng *r, uint64_t seed, uint32_t replication, const char *name);
void rng_keyed(struct rng *r, uint64_t seed, uint32_t replication, uint64_t source, uint64_t item,
               uint64_t purpose);
uint64_t rng_hash(const char *name); /* for `source` and `purpose`; stable across versions */

static inline uint64_t rng_next(struct rng *r);
static inline double rng_uniform(struct rng *r);     /* in (0, 1) */
static inline double rng_exponential(struct rng *r); /* mean 1 */
static inline double rng_normal(struct rng *r);      /* mean 0, variance 1 */
double rng_lognormal(struct rng *r, double mean, double cv);
double rng_gamma(struct rng *r, double mean, double cv);
uint64_t rng_below(struct rng *r, uint64_t n); /* 0 .. n - 1, all equally likely */

double law_draw(const struct law *law, struct rng *r);

/* What follows is how, not what. */

extern const double rng_exponential_x[257], rng_exponential_f[257], rng_normal_x[257], rng_normal_f[257];

double rng_exponential_rare(struct rng *r, uint64_t word);
double rng_normal_rare(struct rng *r, uint64_t word);

static inline uint64_t rng_rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

/* Blackman and Vigna, xoshiro256++ 1.0 (public domain). */
static inline uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s, word = rng_rotate(s[0] + s[3], 23) + s[0], shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rng_rotate(s[3], 45);
    return word;
}

static inline double rng_uniform(struct rng *r)
{
    return ((double)(rng_next(r) >> 12) + 0.5) * 0x1p-52;
}

static inline double rng_exponential(struct rng *r)
{
    uint64_t word = rng_next(r);
    const double *edge = &rng_exponential_x[word & 255];
    double x = (double)(int64_t)(word >> 11) * 0x1p-53 * edge[0];

    return __builtin_expect(x < edge[1], 1) ? x : rng_exponential_rare(r, word);
}

static inline double rng_normal(struct rng *r)
{
    uint64_t word = rng_next(r);
    const double *edge = &rng_normal_x[word & 255];
    double x = (double)((int64_t)word >> 10) * 0x1p-53 * edge[0]; /* the sign comes with the place */

    return __builtin_expect(x < edge[1] && x > -edge[1], 1) ? x : rng_normal_rare(r, word);
}

#endif
