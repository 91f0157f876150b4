#include "engine/sim.h"

#include "engine/event.h"

#include <math.h>

struct sim *sim_new(uint64_t seed, uint32_t replication)
{
    struct arena *arena = arena_new();
    struct sim *sim = ARENA_NEW(arena, struct sim);

    sim->seed = seed;
    sim->replication = replication;
    sim->arena = arena;
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

void sim_run(struct sim *sim, double until_s)
{
    struct event_queue *q = sim->queue;
    uint64_t cap = sim->max_events ? sim->max_events : UINT64_MAX;
    struct event e;
    double time;

    ASSERT(until_s >= sim->now);
    sim->stopping = false;
    while (!sim->stopping) {
        if (sim->events >= cap) {
            sim->capped = !sim_idle(sim);
            return;
        }
        if (!event_pop(q, until_s, &time, &e)) {
            if (until_s < INFINITY)
                sim->now = until_s;
            return;
        }
        sim->now = time;
        sim->events++;
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
