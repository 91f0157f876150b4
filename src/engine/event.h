/*
 * event.h - the calendar: pending events in the total order (time, priority, sequence).
 *
 * A heap of packed keys (heap.h; the tie-breaker is 4 bits of priority and 34
 * of sequence) beside an arena of events that is addressed by index and grows
 * without moving.  Cancelling only marks the event: its key leaves the heap
 * when it comes to the top, or when dead keys outnumber the living.  A slot
 * carries the id of its present tenant, so an old id finds nothing.  With a
 * ladder (ladder.h) the heap holds only the near future; the order is the same.
 *
 * Internal to the engine; models use sim.h.
 */
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

#include "base/err.h"
#include "engine/heap.h"
#include "engine/ladder.h"
#include "engine/sim.h"

enum { EVENT_CHUNK_BITS = 10, EVENT_CHUNK = 1 << EVENT_CHUNK_BITS, EVENT_SEQUENCE_BITS = 34 };

#define EVENT_SEQUENCES (UINT64_C(1) << EVENT_SEQUENCE_BITS)
#define EVENT_GENERATION                                                                                     \
    (UINT64_C(1) << HEAP_INDEX_BITS) /* what an id grows by when its slot is used again */

struct event {
    event_fn *fn; /* NULL: cancelled, or the slot is free */
    void *self;
    uint64_t arg; /* free: index of the next free slot */
    event_id id;  /* generation and index of the present tenant */
};

struct event_queue {
    struct key_heap heap;
    struct ladder *ladder; /* NULL: the heap holds everything */
    uint64_t sequence;
    uint64_t shuffle; /* 0: first come, first served among ties */
    size_t dead;      /* cancelled, still in the heap or the ladder */
    uint32_t free, slots;
    struct event **chunk;
    size_t chunks, chunk_room;
    struct arena *arena;
};

void event_queue_init(struct event_queue *q, struct arena *arena);
void event_queue_fini(struct event_queue *q);
uint32_t event_queue_more(struct event_queue *q); /* a chunk of free slots; returns the first */
void event_queue_purge(struct event_queue *q);    /* drops the keys of cancelled events */
void event_queue_renumber(struct event_queue *q); /* the sequence starts again, the order stays */
bool event_queue_cancel(struct event_queue *q, event_id id);
void event_queue_shuffle_ties(struct event_queue *q, uint64_t seed);
void event_queue_insert(struct event_queue *q, heap_key k); /* with a ladder */
void event_queue_use_ladder(struct event_queue *q);         /* while it is empty */
bool event_queue_refill(
    struct event_queue *q); /* the heap is empty: what the ladder has next; false if nothing */
size_t event_queue_bytes(const struct event_queue *q); /* outside the arena */

static inline struct event *event_at(const struct event_queue *q, uint32_t index)
{
    return &q->chunk[index >> EVENT_CHUNK_BITS][index & (EVENT_CHUNK - 1)];
}

static inline size_t event_queue_count(const struct event_queue *q)
{
    return heap_count(&q->heap) + (q->ladder != NULL ? q->ladder->count : 0) - q->dead;
}

/* Shuffled ties: a hash in the place of the sequence; where two are equal the slot decides, so the order
 * stays total. */
static inline uint64_t event_tie(struct event_queue *q, unsigned priority)
{
    uint64_t x = q->sequence++;

    if (__builtin_expect(q->shuffle != 0, 0)) {
        x = (x + q->shuffle) * UINT64_C(0x9e3779b97f4a7c15);
        x = (x ^ x >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
        x >>= 64 - EVENT_SEQUENCE_BITS;
    }
    return (uint64_t)priority << EVENT_SEQUENCE_BITS | x;
}

/* Inline by force: every event passes here, and the way to the ladder must not cost the heap a call. */
__attribute__((always_inline)) static inline event_id
event_push(struct event_queue *q, double time, unsigned priority, event_fn *fn, void *self, uint64_t arg)
{
    uint32_t index = q->free;
    struct event *e;

    if (__builtin_expect(q->sequence == EVENT_SEQUENCES, 0))
        event_queue_renumber(q);
    if (__builtin_expect(index == 0, 0))
        index = event_queue_more(q);
    e = event_at(q, index);
    q->free = (uint32_t)e->arg;
    e->fn = fn;
    e->self = self;
    e->arg = arg;
    if (__builtin_expect(q->ladder != NULL, 0))
        event_queue_insert(q, heap_pack(time, event_tie(q, priority), index));
    else
        heap_push(&q->heap, heap_pack(time, event_tie(q, priority), index));
    return e->id;
}

static inline void event_release(struct event_queue *q, struct event *e, uint32_t index)
{
    e->fn = NULL;
    e->id += EVENT_GENERATION;
    e->arg = q->free;
    q->free = index;
}

/* Takes the first living event that is not after `until`; false if there is none. */
static inline bool event_pop(struct event_queue *q, double until, double *time, struct event *out)
{
    while (__builtin_expect(heap_count(&q->heap) != 0, 1) || event_queue_refill(q)) {
        heap_key k = heap_top(&q->heap);
        uint32_t index = heap_index(k);
        struct event *e = event_at(q, index);

        if (heap_time(k) > until)
            return false;
        heap_pop(&q->heap);
        if (heap_count(&q->heap) !=
            0) /* the one that will probably be next is on its way while this one happens */
            __builtin_prefetch(event_at(q, heap_index(heap_top(&q->heap))));
        *out = *e;
        event_release(q, e, index);
        if (__builtin_expect(out->fn != NULL, 1)) {
            *time = heap_time(k);
            return true;
        }
        q->dead--;
    }
    return false;
}

#endif
