#include "engine/buffer.h"

#include "engine/ring.h"
#include "engine/stats.h"

struct waiter {
    void *item; /* of a putter */
    event_fn *fn;
    void *self;
    uint64_t arg;
};

struct buffer {
    struct sim *sim;
    const char *name;
    long capacity;
    struct ring items, putters, takers;
    struct level length, putting, taking;
    uint64_t passed;
    uint64_t in, out; /* since the beginning: in == out + length, always */
};

static long putting(const void *buffer)
{
    return buffer_putters_waiting(buffer);
}

static long taking(const void *buffer)
{
    return buffer_takers_waiting(buffer);
}

struct buffer *buffer_new(struct sim *sim, const char *name, long capacity)
{
    struct buffer *b = ARENA_NEW(sim->arena, struct buffer);

    b->sim = sim;
    b->name = arena_strdup(sim->arena, name);
    b->capacity = capacity;
    buffer_begin_measuring(b);
    sim_watch(sim, "to put into buffer", b->name, true, putting, b);
    sim_watch(sim, "to take from buffer", b->name, false, taking, b);
    return b;
}

static void wait_in(struct buffer *b, struct ring *line, struct level *level, struct waiter w)
{
    *(struct waiter *)ring_push(line, b->sim->arena, sizeof w) = w;
    level_set(level, b->sim->now, (double)line->count);
}

static struct waiter first_of(struct buffer *b, struct ring *line, struct level *level)
{
    struct waiter w = *(struct waiter *)ring_pop(line, sizeof w);

    level_set(level, b->sim->now, (double)line->count);
    return w;
}

static void store(struct buffer *b, void *item)
{
    *(void **)ring_push(&b->items, b->sim->arena, sizeof item) = item;
    b->in++;
}

static void *unstore(struct buffer *b)
{
    b->out++;
    b->passed++;
    return *(void **)ring_pop(&b->items, sizeof(void *));
}

bool buffer_put(struct buffer *b, void *item, event_fn *fn, void *self, uint64_t arg)
{
    ASSERT(item != NULL);
    if (b->takers.count != 0) { /* then nothing is inside: the item goes from hand to hand */
        struct waiter taker = first_of(b, &b->takers, &b->taking);

        b->in++;
        b->out++;
        b->passed++;
        sim_after(b->sim, 0, taker.fn, taker.self, (uintptr_t)item);
        return true;
    }
    if (b->capacity < 0 || b->items.count < (size_t)b->capacity) {
        store(b, item);
        level_set(&b->length, b->sim->now, (double)b->items.count);
        return true;
    }
    wait_in(b, &b->putters, &b->putting, (struct waiter){item, fn, self, arg});
    return false;
}

void *buffer_get(struct buffer *b, event_fn *fn, void *self)
{
    void *item;

    if (b->items.count == 0 && b->putters.count == 0) {
        wait_in(b, &b->takers, &b->taking, (struct waiter){NULL, fn, self, 0});
        return NULL;
    }
    if (b->putters.count !=
        0) { /* the first putter's item moves in behind those inside, for a moment one too many */
        struct waiter putter = first_of(b, &b->putters, &b->putting);

        store(b, putter.item);
        sim_after(b->sim, 0, putter.fn, putter.self, putter.arg);
    }
    item = unstore(b);
    level_set(&b->length, b->sim->now, (double)b->items.count);
    return item;
}

long buffer_length(const struct buffer *b)
{
    return (long)b->items.count;
}

long buffer_putters_waiting(const struct buffer *b)
{
    return (long)b->putters.count;
}

long buffer_takers_waiting(const struct buffer *b)
{
    return (long)b->takers.count;
}

void buffer_begin_measuring(struct buffer *b)
{
    double now = b->sim->now;

    level_start(&b->length, now, (double)b->items.count);
    level_start(&b->putting, now, (double)b->putters.count);
    level_start(&b->taking, now, (double)b->takers.count);
    b->passed = 0;
}

struct buffer_stats buffer_stats(const struct buffer *b)
{
    double now = b->sim->now;

    ASSERT(b->in == b->out + b->items.count);
    ASSERT(b->items.count == 0 || b->takers.count == 0);
    ASSERT(b->capacity < 0 || b->items.count <= (size_t)b->capacity);
    return (struct buffer_stats){
        .length_mean = level_mean(&b->length, now),
        .putters_mean = level_mean(&b->putting, now),
        .takers_mean = level_mean(&b->taking, now),
        .passed = b->passed,
    };
}
