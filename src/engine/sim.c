#include "engine/sim.h"

#include "engine/event.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum { EVENTS_BETWEEN_LOOKS = 4096 };

struct sim_watch {
    const char *kind, *name;
    bool holds_items;
    waiting_fn *waiting;
    const void *resource;
    struct sim_watch *next;
};

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct sim *sim_new(uint64_t seed, uint32_t replication)
{
    struct arena *arena = arena_new();
    struct sim *sim = ARENA_NEW(arena, struct sim);

    sim->seed = seed;
    sim->replication = replication;
    sim->arena = arena;
    sim->started_s = wall_s();
    sim->queue = ARENA_NEW(arena, struct event_queue);
    event_queue_init(sim->queue, arena);
    return sim;
}

void sim_free(struct sim *sim)
{
    if (sim == NULL)
        return;
    event_queue_fini(sim->queue);
    arena_free(sim->arena);
}

event_id sim_at(struct sim *sim, double time_s, int priority, event_fn *fn, void *self, uint64_t arg)
{
    /* False for NaN too.  Adding zero turns -0, whose bits order last, into 0. */
    ASSERT(time_s >= sim->now && time_s < INFINITY);
    ASSERT(priority >= PRIO_FIRST && priority <= PRIO_LAST && fn != NULL);
    return event_push(sim->queue, time_s + 0.0, (unsigned)priority, fn, self, arg);
}

event_id sim_after(struct sim *sim, double delay_s, event_fn *fn, void *self, uint64_t arg)
{
    ASSERT(delay_s >= 0 && delay_s < INFINITY && fn != NULL);
    return event_push(sim->queue, sim->now + delay_s, PRIO_NORMAL, fn, self, arg);
}

bool sim_cancel(struct sim *sim, event_id id)
{
    return event_queue_cancel(sim->queue, id);
}

/* Which cap is reached; otherwise *look_at is the number of events at which to ask again. */
static enum sim_cap cap_reached(const struct sim *sim, uint64_t *look_at)
{
    if (sim->max_events != 0 && sim->events >= sim->max_events)
        return CAP_EVENTS;
    if (sim->max_bytes != 0 && sim_bytes(sim) > sim->max_bytes)
        return CAP_BYTES;
    if (sim->max_wall_s > 0 && wall_s() - sim->started_s > sim->max_wall_s)
        return CAP_WALL;
    *look_at = UINT64_MAX;
    if (sim->max_bytes != 0 || sim->max_wall_s > 0)
        *look_at = sim->events + EVENTS_BETWEEN_LOOKS;
    if (sim->max_events != 0 && sim->max_events < *look_at)
        *look_at = sim->max_events;
    return CAP_NONE;
}

void sim_run(struct sim *sim, double until_s)
{
    struct event_queue *q = sim->queue;
    uint64_t look_at = 0;
    struct event e;
    double time;

    ASSERT(until_s >= sim->now);
    sim->stopping = false;
    while (!sim->stopping) {
        if (sim->events >= look_at && !sim_idle(sim) && (sim->cap = cap_reached(sim, &look_at)) != CAP_NONE) {
            sim->capped = true;
            return;
        }
        if (!event_pop(q, until_s, &time, &e)) {
            if (until_s < INFINITY)
                sim->now = until_s;
            return;
        }
        sim->now = time;
        sim->events++;
        if (__builtin_expect(sim->trace != NULL, 0))
            sim->trace(sim->trace_ctx, sim, e.fn, e.self, e.arg);
        e.fn(sim, e.self, e.arg);
    }
}

void sim_stop(struct sim *sim)
{
    sim->stopping = true;
}

bool sim_idle(const struct sim *sim)
{
    return event_queue_count(sim->queue) == 0;
}

size_t sim_bytes(const struct sim *sim)
{
    return arena_bytes(sim->arena) + event_queue_bytes(sim->queue);
}

void sim_random_ties(struct sim *sim, uint64_t seed)
{
    ASSERT(sim_idle(sim));
    event_queue_shuffle_ties(sim->queue, seed);
}

void sim_use_ladder(struct sim *sim)
{
    event_queue_use_ladder(sim->queue);
}

void sim_watch(struct sim *sim, const char *kind, const char *name, bool holds_items, waiting_fn *waiting,
               const void *resource)
{
    struct sim_watch *w = ARENA_NEW(sim->arena, struct sim_watch), **last = &sim->watch;

    *w = (struct sim_watch){kind, name, holds_items, waiting, resource, NULL};
    while (*last != NULL)
        last = &(*last)->next;
    *last = w;
}

long sim_waiting(const struct sim *sim, char *buf, size_t size)
{
    size_t used = 0;
    long all = 0;

    ASSERT(size > 0);
    buf[0] = '\0';
    for (const struct sim_watch *w = sim->watch; w != NULL; w = w->next) {
        long n = w->waiting(w->resource);

        all += w->holds_items ? n : 0;
        if (n > 0 && used < size)
            used += (size_t)snprintf(buf + used, size - used, "%s%ld wait %s \"%s\"", used ? "; " : "", n,
                                     w->kind, w->name);
    }
    return all;
}
