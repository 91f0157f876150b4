/*
 * cache.h - what is kept near because it may be asked for again: page caches, embedding caches, prefix
 * caches.
 *
 * It holds keys with whole sizes, no contents.  CACHE_LRU drops what was not
 * asked for the longest.  CACHE_TWO_LISTS is the idea of Linux's page cache:
 * whatever comes in is on probation (the inactive list) and is promoted when
 * asked for again there; the active list may hold half, its oldest go back on
 * probation; only the inactive list is dropped from.  One long scan then does
 * not wash out what is used often.
 */
#ifndef ENGINE_CACHE_H
#define ENGINE_CACHE_H

#include "engine/sim.h"

enum cache_policy { CACHE_LRU, CACHE_TWO_LISTS };

struct cache;
struct cache *cache_new(struct sim *sim, enum cache_policy policy, int64_t capacity);

/* True when it was there.  Otherwise it is now, unless it is larger than the whole; others may have gone. */
bool cache_ask(struct cache *c, uint64_t key, int64_t size);
bool cache_has(const struct cache *c, uint64_t key); /* without counting or moving anything */
bool cache_drop(struct cache *c, uint64_t key);      /* invalidated; false when it was not there */

void cache_begin_measuring(struct cache *c);
struct cache_stats {
    int64_t used;
    uint64_t hits, misses, evicted;
    double hit_frac; /* 0 before the first question */
};
struct cache_stats cache_stats(const struct cache *c);

#endif
