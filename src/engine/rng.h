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
 */
#ifndef ENGINE_RNG_H
#define ENGINE_RNG_H

#include "base/law.h"

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_stream(struct rng *r, uint64_t seed, uint32_t replication, const char *name);
void rng_keyed(struct rng *r, uint64_t seed, uint32_t replication, uint64_t source, uint64_t item, uint64_t purpose);
uint64_t rng_hash(const char *name); /* for `source` and `purpose`; stable across versions */

uint64_t rng_next(struct rng *r);
double rng_uniform(struct rng *r);     /* in (0, 1) */
double rng_exponential(struct rng *r); /* mean 1 */
double rng_normal(struct rng *r);      /* mean 0, variance 1 */
double rng_lognormal(struct rng *r, double mean, double cv);
double rng_gamma(struct rng *r, double mean, double cv);

double law_draw(const struct law *law, struct rng *r);

#endif
