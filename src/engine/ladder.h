/*
 * ladder.h - keys that need no order yet: the far part of a calendar.
 *
 * After Tang, Goh and Thng (2005).  Keys beyond everything that is sorted lie
 * in a heap on the floor, `top`.  When the near part runs dry they are dealt
 * into the buckets of a rung by their time; a bucket that is still crowded
 * becomes a finer rung, a small one goes to the near part:
 *
 *     near (key_heap) <= [rung 2: |..|..|] <= [rung 1: |..|..|..|] <= [rung 0: |..|..|..|..|] < top
 *
 * The near part is a heap and not a sorted list as in the paper: ties and
 * increments that no width suits then cost a heap's logarithm and nothing worse.
 *
 * The bucket of a time is a monotone function of it, also after rounding, and
 * each key asks the rungs by that same function; so the order of keys is exact
 * and does not hang on where the edge of a bucket lies.  Internal to the engine.
 */
#ifndef ENGINE_LADDER_H
#define ENGINE_LADDER_H

#include "engine/heap.h"

enum { LADDER_RUNGS = 8, LADDER_BLOCK = 15 };

struct ladder_block { /* four cache lines */
    heap_key key[LADDER_BLOCK];
    struct ladder_block *next;
    size_t n;
};

struct ladder_bucket {
    struct ladder_block *first; /* only this one may have room */
    size_t n;
};

struct ladder_rung {
    double start_s, buckets_per_s;
    size_t buckets, room, current; /* current: buckets below it have been taken */
    size_t left;                   /* keys */
    struct ladder_bucket *bucket;
};

struct ladder {
    struct ladder_bucket top;
    double top_start_s; /* later times belong to the top */
    int rungs;
    struct ladder_rung rung[LADDER_RUNGS];
    size_t count, bytes;
    struct ladder_block *free;
    void **slab;
    size_t slabs;
};

void ladder_init(struct ladder *l);
void ladder_fini(struct ladder *l);

bool ladder_push(struct ladder *l, heap_key k);              /* false: it belongs to the near part */
bool ladder_refill(struct ladder *l, struct key_heap *near); /* `near` is empty; false if there is nothing */
void ladder_drain(struct ladder *l,
                  struct key_heap *into); /* adds all keys in any order: heap_rebuild() is due */

#endif
