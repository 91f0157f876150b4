/*
 * page_cache.h - the operating system's cache of file pages, and what it is compared with.
 *
 * It holds whole pages of equal size, known by their numbers 0 .. pages - 1.
 *
 *   PAGE_KERNEL  Linux before multi-generational LRU (mm/swap.c, vmscan.c, workingset.c of 4.x and 5.x).
 *                A page that comes in stands first on the inactive list, marked as referenced.  Touched again
 *                there it moves to the active list.  Room is made from the end of the inactive list; when
 *                inactive * ratio < active the oldest active page first goes back to the inactive list,
 * unmarked. An evicted page leaves a shadow: the age at which it went (age: evictions and activations so
 *                far).  If it comes back within a distance of no more than the active list is long, it would
 *                have stayed had the active list been given up, and is activated at once.
 *   PAGE_LRU     the one not touched for the longest goes
 *   PAGE_RANDOM  any one goes
 *   PAGE_KEEP    none goes: what came first stays (MinIO, CoorDL)
 *
 * Left out: dirty pages, memory cgroups, NUMA nodes with lists of their own, batches of 32 in reclaim.
 */
#ifndef ENGINE_PAGE_CACHE_H
#define ENGINE_PAGE_CACHE_H

#include "base/arena.h"
#include "engine/rng.h"

#include <stdbool.h>
#include <stdint.h>

enum page_policy { PAGE_KERNEL, PAGE_LRU, PAGE_RANDOM, PAGE_KEEP };
extern const char *const page_policy_names[]; /* "kernel", "lru", "random", "keep" */

struct page_cache;
/* 0 <= capacity.  ratio: PAGE_KERNEL, see page_inactive_ratio(); `r` draws victims and may be NULL elsewhere.
 */
struct page_cache *page_cache_new(struct arena *a, enum page_policy policy, uint32_t pages, uint32_t capacity,
                                  double ratio, struct rng *r);

/* True when it was there; otherwise it is now, if the policy has room for it. */
bool page_touch(struct page_cache *c, uint32_t page);

uint32_t page_cache_used(const struct page_cache *c);
uint32_t page_cache_active(const struct page_cache *c);

/* Of the kernel: floor(sqrt(10 x size in GiB)), at least 1 (inactive_is_low()). */
double page_inactive_ratio(double bytes);

#endif
