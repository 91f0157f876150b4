/*
 * heap.h - a 4-ary min-heap of packed 128-bit keys: the calendar's order, and the order of virtual finish
 * times.
 *
 * The bits of a non-negative double order like an unsigned integer, so a time,
 * a tie-breaker and the index of what is waiting fit one number:
 *
 *     127            64 63                     26 25        0
 *     +----------------+-------------------------+-----------+
 *     | time (double)  | tie-breaker (38 bits)   |   index   |
 *     +----------------+-------------------------+-----------+
 *
 * The root sits at HEAP_ROOT = 3, the children of i at 4(i - 2) .. 4(i - 2) + 3:
 * every group of brothers starts on a cache line.  A group that has begun is
 * filled up with the largest key, so the least of four is found without looking at the end.
 */
#ifndef ENGINE_HEAP_H
#define ENGINE_HEAP_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 heap_key;

enum { HEAP_INDEX_BITS = 26, HEAP_TIE_BITS = 38, HEAP_ROOT = 3, HEAP_FAR = 4096 };

#define HEAP_MAX_INDEX ((UINT32_C(1) << HEAP_INDEX_BITS) - 1)
#define HEAP_LAST_KEY  (~(heap_key)0)

struct key_heap {
    heap_key *key; /* key[HEAP_ROOT] is the least; on a cache line */
    size_t end;    /* one past the last */
    size_t room;
    struct arena *arena; /* where it grows; NULL: on the heap, and heap_fini() is needed */
    void *block;
};

void heap_init(struct key_heap *h, struct arena *arena);
void heap_fini(struct key_heap *h);
void heap_grow(struct key_heap *h);
void heap_rebuild(struct key_heap *h, size_t count); /* key[HEAP_ROOT ..] holds `count` keys in any order */
void heap_sort(struct key_heap *h);                  /* ascending, which is a heap too */

static inline heap_key heap_pack(double time, uint64_t tie, uint32_t index)
{
    uint64_t bits;

    memcpy(&bits, &time, sizeof bits);
    return (heap_key)bits << 64 | (tie << HEAP_INDEX_BITS | index);
}

static inline double heap_time(heap_key k)
{
    uint64_t bits = (uint64_t)(k >> 64);
    double time;

    memcpy(&time, &bits, sizeof time);
    return time;
}

static inline uint32_t heap_index(heap_key k)
{
    return (uint32_t)k & HEAP_MAX_INDEX;
}

static inline size_t heap_count(const struct key_heap *h)
{
    return h->end - HEAP_ROOT;
}

static inline heap_key heap_top(const struct key_heap *h)
{
    return h->key[HEAP_ROOT];
}

static inline void heap_push(struct key_heap *h, heap_key x)
{
    size_t i = h->end;
    heap_key *key;

    if (__builtin_expect(i + 4 > h->room, 0))
        heap_grow(h);
    key = h->key;
    if ((i & 3) == 0)
        key[i + 1] = key[i + 2] = key[i + 3] = HEAP_LAST_KEY;
    h->end = i + 1;
    while (i > HEAP_ROOT) {
        size_t parent = (i >> 2) + 2;

        if (key[parent] <= x)
            break;
        key[i] = key[parent];
        i = parent;
    }
    key[i] = x;
}

/* Puts x where it belongs below the hole at i. */
static inline void heap_sink(struct key_heap *h, size_t i, heap_key x)
{
    heap_key *key = h->key;
    size_t end = h->end;

    for (;;) {
        size_t c = (i - 2) << 2, left, right;
        heap_key l, r;
        bool odd;

        if (c >= end)
            break;
        if (__builtin_expect(c >= HEAP_FAR, 0)) /* beyond the near cache: all sixteen that may be next */
            for (size_t k = 0; k < 16; k += 4)
                __builtin_prefetch(&key[((c - 2) << 2) + k]);
        odd = key[c + 1] < key[c];
        l = odd ? key[c + 1] : key[c];
        left = c + odd;
        odd = key[c + 3] < key[c + 2];
        r = odd ? key[c + 3] : key[c + 2];
        right = c + 2 + odd;
        odd = r < l;
        l = odd ? r : l;
        if (x <= l)
            break;
        key[i] = l;
        i = odd ? right : left;
    }
    key[i] = x;
}

static inline heap_key heap_pop(struct key_heap *h)
{
    heap_key first = h->key[HEAP_ROOT], x = h->key[--h->end];

    h->key[h->end] = HEAP_LAST_KEY;
    if (h->end > HEAP_ROOT)
        heap_sink(h, HEAP_ROOT, x);
    return first;
}

#endif
