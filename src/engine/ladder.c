#include "engine/ladder.h"

#include "base/err.h"

#include <math.h>
#include <stdlib.h>

/*
 * A bucket of up to CROWD keys is quickest in the near heap; PER_BUCKET of them are aimed at.  The ends of
 * MOST_BUCKETS buckets fit the near cache: a million keys are dealt twice rather than into cold memory.
 */
enum { CROWD = 48, PER_BUCKET = 6, MOST_BUCKETS = 256, FIRST_SLAB = 16, MOST_SLAB = 4096 };

void ladder_init(struct ladder *l)
{
    *l = (struct ladder){.top_start_s = -INFINITY};
}

void ladder_fini(struct ladder *l)
{
    for (size_t i = 0; i < l->slabs; i++)
        free(l->slab[i]);
    free(l->slab);
    for (int i = 0; i < LADDER_RUNGS; i++)
        free(l->rung[i].bucket);
    ladder_init(l);
}

/* -------------------------------------------------------------- blocks */

static void more_blocks(struct ladder *l)
{
    size_t n = l->slabs < 8 ? (size_t)FIRST_SLAB << l->slabs : MOST_SLAB;
    struct ladder_block *block = xcalloc(n, sizeof *block);

    l->slab = xrealloc(l->slab, l->slabs + 1, sizeof *l->slab);
    l->slab[l->slabs++] = block;
    l->bytes += n * sizeof *block;
    for (size_t i = 0; i < n; i++) {
        block[i].next = l->free;
        l->free = &block[i];
    }
}

static inline void bucket_add(struct ladder *l, struct ladder_bucket *b, heap_key k)
{
    struct ladder_block *block = b->first;

    if (block == NULL || block->n == LADDER_BLOCK) {
        if (__builtin_expect(l->free == NULL, 0))
            more_blocks(l);
        block = l->free;
        l->free = block->next;
        block->next = b->first;
        block->n = 0;
        b->first = block;
    }
    block->key[block->n++] = k;
    b->n++;
}

/* Gives the block back; returns the one behind it. */
static inline struct ladder_block *block_release(struct ladder *l, struct ladder_block *block)
{
    struct ladder_block *next = block->next;

    block->next = l->free;
    l->free = block;
    return next;
}

static void append(struct key_heap *h, heap_key k)
{
    if (h->end + 4 > h->room)
        heap_grow(h);
    h->key[h->end++] = k;
}

static void bucket_move(struct ladder *l, struct ladder_bucket *b, struct key_heap *into)
{
    for (struct ladder_block *p = b->first; p != NULL; p = block_release(l, p))
        for (size_t i = 0; i < p->n; i++)
            append(into, p->key[i]);
    *b = (struct ladder_bucket){0};
}

/* --------------------------------------------------------------- rungs */

static inline size_t bucket_of(const struct ladder_rung *r, double time)
{
    double place = (time - r->start_s) * r->buckets_per_s, last = (double)(r->buckets - 1);

    if (!(place > 0))
        return 0;
    return (size_t)(place < last ? place : last);
}

static void extremes(const struct ladder_bucket *b, double *least, double *most)
{
    heap_key lo = HEAP_LAST_KEY, hi = 0;

    for (const struct ladder_block *p = b->first; p != NULL; p = p->next)
        for (size_t i = 0; i < p->n; i++) {
            lo = p->key[i] < lo ? p->key[i] : lo;
            hi = p->key[i] > hi ? p->key[i] : hi;
        }
    *least = heap_time(lo);
    *most = heap_time(hi);
}

/* Deals a crowded bucket into a new rung; false when its times are too alike, or the ladder is high enough.
 */
static bool deal(struct ladder *l, struct ladder_bucket *from, double least, double most)
{
    size_t buckets = from->n / PER_BUCKET < MOST_BUCKETS ? from->n / PER_BUCKET + 1 : MOST_BUCKETS;
    double per_s = (double)buckets / (most - least);
    struct ladder_rung *r = &l->rung[l->rungs];

    if (l->rungs == LADDER_RUNGS || !(most > least) || !isfinite(per_s))
        return false;
    if (r->room < buckets) {
        l->bytes += (2 * buckets - r->room) * sizeof *r->bucket;
        r->room = 2 * buckets;
        free(r->bucket);
        r->bucket = xcalloc(r->room, sizeof *r->bucket);
    }
    r->start_s = least;
    r->buckets_per_s = per_s;
    r->buckets = buckets;
    r->current = 0;
    r->left = from->n;
    l->rungs++;
    for (struct ladder_block *p = from->first; p != NULL; p = block_release(l, p))
        for (size_t i = 0; i < p->n; i++)
            bucket_add(l, &r->bucket[bucket_of(r, heap_time(p->key[i]))], p->key[i]);
    *from = (struct ladder_bucket){0};
    return true;
}

bool ladder_push(struct ladder *l, heap_key k)
{
    double time = heap_time(k);

    if (time > l->top_start_s) {
        bucket_add(l, &l->top, k);
        l->count++;
        return true;
    }
    for (int i = 0; i < l->rungs; i++) {
        struct ladder_rung *r = &l->rung[i];
        size_t place = bucket_of(r, time);

        if (place >= r->current) {
            bucket_add(l, &r->bucket[place], k);
            r->left++;
            l->count++;
            return true;
        }
    }
    return false;
}

/* The first bucket that holds anything; used up rungs go.  NULL: the rungs are empty. */
static struct ladder_bucket *next_bucket(struct ladder *l)
{
    while (l->rungs > 0) {
        struct ladder_rung *r = &l->rung[l->rungs - 1];

        if (r->left == 0) {
            l->rungs--;
            continue;
        }
        while (r->bucket[r->current].n == 0)
            r->current++;
        r->left -= r->bucket[r->current].n;
        return &r->bucket[r->current++];
    }
    return NULL;
}

bool ladder_refill(struct ladder *l, struct key_heap *near)
{
    while (l->count > 0) {
        struct ladder_bucket *b = next_bucket(l);
        bool is_top = b == NULL;
        double least = 0, most = 0;

        if (is_top)
            b = &l->top;
        if (is_top || b->n > CROWD)
            extremes(b, &least, &most);
        if (is_top)
            l->top_start_s = most;
        if (b->n > CROWD && deal(l, b, least, most))
            continue;
        l->count -= b->n;
        bucket_move(l, b, near);
        heap_rebuild(near, heap_count(near));
        return true;
    }
    return false;
}

void ladder_drain(struct ladder *l, struct key_heap *into)
{
    struct ladder_bucket *b;

    while ((b = next_bucket(l)) != NULL)
        bucket_move(l, b, into);
    bucket_move(l, &l->top, into);
    l->count = 0;
    l->top_start_s = -INFINITY;
}
