#include "engine/event.h"

#include <stdlib.h>

enum { FEW_DEAD = 64 };

void event_queue_init(struct event_queue *q, struct arena *arena)
{
    *q = (struct event_queue){.arena = arena};
    heap_init(&q->heap, NULL);
}

void event_queue_fini(struct event_queue *q)
{
    heap_fini(&q->heap);
    if (q->ladder != NULL)
        ladder_fini(q->ladder);
    free(q->chunk);
}

uint32_t event_queue_more(struct event_queue *q)
{
    struct event *chunk = arena_array(q->arena, EVENT_CHUNK, sizeof *chunk);
    /* Slot 0 is never used: index 0 ends the list of free slots and id 0 is no event. */
    uint32_t first = q->slots == 0 ? 1 : q->slots, last = q->slots + EVENT_CHUNK - 1;

    ASSERT(last <= HEAP_MAX_INDEX);
    if (q->chunks == q->chunk_room) {
        q->chunk_room = q->chunk_room ? 2 * q->chunk_room : 16;
        q->chunk = xrealloc(q->chunk, q->chunk_room, sizeof *q->chunk);
    }
    q->chunk[q->chunks++] = chunk;
    q->slots += EVENT_CHUNK;
    for (uint32_t i = first; i <= last; i++) {
        struct event *e = event_at(q, i);

        e->id = EVENT_GENERATION | i;
        e->arg = i < last ? i + 1 : 0;
    }
    q->free = first;
    return first;
}

void event_queue_use_ladder(struct event_queue *q)
{
    ASSERT(heap_count(&q->heap) == 0 && q->ladder == NULL);
    q->ladder = ARENA_NEW(q->arena, struct ladder);
    ladder_init(q->ladder);
}

void event_queue_insert(struct event_queue *q, heap_key k)
{
    if (!ladder_push(q->ladder, k))
        heap_push(&q->heap, k);
}

/* The events of the keys that came are on their way before they happen. */
bool event_queue_refill(struct event_queue *q)
{
    const struct key_heap *h = &q->heap;

    if (q->ladder == NULL || !ladder_refill(q->ladder, &q->heap))
        return false;
    for (size_t i = HEAP_ROOT; i < h->end && i < HEAP_FAR; i++)
        __builtin_prefetch(event_at(q, heap_index(h->key[i])));
    return true;
}

/* The first `count` keys of the heap's array are all there are, in any order. */
static void take_keys(struct event_queue *q, size_t count)
{
    if (q->ladder == NULL) {
        heap_rebuild(&q->heap, count);
        return;
    }
    for (size_t i = HEAP_ROOT; i < HEAP_ROOT + count; i++)
        ladder_push(q->ladder, q->heap.key[i]);
    heap_rebuild(&q->heap, 0);
}

void event_queue_purge(struct event_queue *q)
{
    struct key_heap *h = &q->heap;
    size_t kept = HEAP_ROOT;

    if (q->ladder != NULL)
        ladder_drain(q->ladder, h);
    for (size_t i = HEAP_ROOT; i < h->end; i++) {
        uint32_t index = heap_index(h->key[i]);
        struct event *e = event_at(q, index);

        if (e->fn != NULL)
            h->key[kept++] = h->key[i];
        else
            event_release(q, e, index);
    }
    take_keys(q, kept - HEAP_ROOT);
    q->dead = 0;
}

void event_queue_renumber(struct event_queue *q)
{
    const uint64_t ties = (EVENT_SEQUENCES - 1) << HEAP_INDEX_BITS;
    struct key_heap *h = &q->heap;

    q->sequence = 0;
    if (q->shuffle != 0)
        return;
    if (q->ladder != NULL)
        ladder_drain(q->ladder, h);
    heap_sort(h);
    for (size_t i = HEAP_ROOT; i < h->end; i++)
        h->key[i] = (h->key[i] & ~(heap_key)ties) | q->sequence++ << HEAP_INDEX_BITS;
    take_keys(q, heap_count(h));
}

bool event_queue_cancel(struct event_queue *q, event_id id)
{
    uint32_t index = (uint32_t)id & HEAP_MAX_INDEX;
    struct event *e;

    if (index == 0 || index >= q->slots)
        return false;
    e = event_at(q, index);
    if (e->id != id || e->fn == NULL)
        return false;
    e->fn = NULL;
    q->dead++;
    if (q->dead > FEW_DEAD && q->dead > event_queue_count(q))
        event_queue_purge(q);
    return true;
}

void event_queue_shuffle_ties(struct event_queue *q, uint64_t seed)
{
    q->shuffle = seed | UINT64_C(1) << 63;
}

size_t event_queue_bytes(const struct event_queue *q)
{
    size_t bytes = q->heap.room * sizeof(heap_key) + q->chunk_room * sizeof *q->chunk;

    return bytes + (q->ladder != NULL ? q->ladder->bytes : 0);
}
