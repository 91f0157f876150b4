/*
 * ring.h - first in, first out: records of one size in a ring that doubles inside an arena.
 *
 * `size` must be the same constant in every call on one ring.  A pointer into
 * the ring holds until the next push.  Internal to the engine.
 */
#ifndef ENGINE_RING_H
#define ENGINE_RING_H

#include "base/arena.h"

#include <string.h>

struct ring {
    unsigned char *slots;
    size_t head, count, room; /* room: 0 or a power of two */
};

static inline void *ring_at(const struct ring *r, size_t i, size_t size)
{
    return r->slots + ((r->head + i) & (r->room - 1)) * size;
}

static inline void ring_grow(struct ring *r, struct arena *arena, size_t size)
{
    size_t room = r->room ? 2 * r->room : 8, before_wrap = r->room - r->head;
    unsigned char *slots = arena_array(arena, room, size);

    if (r->count != 0) {
        memcpy(slots, r->slots + r->head * size, before_wrap * size);
        memcpy(slots + before_wrap * size, r->slots, r->head * size);
    }
    r->slots = slots;
    r->head = 0;
    r->room = room;
}

static inline void *ring_push(struct ring *r, struct arena *arena, size_t size)
{
    if (__builtin_expect(r->count == r->room, 0))
        ring_grow(r, arena, size);
    return ring_at(r, r->count++, size);
}

/* Takes the first out; what it points to stays until the next push. */
static inline void *ring_pop(struct ring *r, size_t size)
{
    void *first = ring_at(r, 0, size);

    r->head = (r->head + 1) & (r->room - 1);
    r->count--;
    return first;
}

#endif
