/*
 * sim.h - one simulation: a clock, a calendar of events, an arena.
 *
 * Events happen in a total order of (time, priority, sequence): at equal times
 * the lower priority number goes first, then the one scheduled first.  Nothing
 * is global: two simulations can run in two threads.  A run is a pure function
 * of (model, seed, replication).
 *
 * An event calls fn(sim, self, arg).  `self` is borrowed and must outlive the event.
 */
#ifndef ENGINE_SIM_H
#define ENGINE_SIM_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct sim;
struct event_queue;

typedef void event_fn(struct sim *sim, void *self, uint64_t arg);
typedef uint64_t event_id; /* 0 is no event; stays unique after the event has happened */
typedef void trace_fn(void *ctx, const struct sim *sim, event_fn *fn, const void *self, uint64_t arg);

enum sim_cap { CAP_NONE, CAP_EVENTS, CAP_BYTES, CAP_WALL };
struct sim_watch; /* what may be waited for */

struct sim {
    double now; /* seconds; read only for models */
    uint64_t seed;
    uint32_t replication;
    uint64_t events;     /* how many have happened */
    uint64_t max_events; /* caps; 0: none.  Memory and wall time are looked at every few thousand events. */
    size_t max_bytes;
    double max_wall_s;   /* since sim_new() */
    struct arena *arena; /* emptied with the run */
    bool stopping;
    bool capped; /* the run ended because of a cap: which one says `cap` */
    enum sim_cap cap;
    trace_fn *trace; /* NULL, or called before each event */
    void *trace_ctx;
    struct event_queue *queue;
    struct sim_watch *watch;
    double started_s;
};

enum { PRIO_FIRST = 0, PRIO_NORMAL = 8, PRIO_LAST = 15 };

struct sim *sim_new(uint64_t seed, uint32_t replication);
void sim_free(struct sim *sim);

event_id sim_at(struct sim *sim, double time_s, int priority, event_fn *fn, void *self, uint64_t arg);
event_id sim_after(struct sim *sim, double delay_s, event_fn *fn, void *self, uint64_t arg); /* PRIO_NORMAL */
bool sim_cancel(struct sim *sim, event_id id); /* false if it has happened or was cancelled */

/*
 * Runs until the calendar is empty, sim_stop() is called, `until_s` is reached or the cap is.  Events at
 * `until_s` itself still happen; then the clock stands there.  With INFINITY it stands at the last event.
 */
void sim_run(struct sim *sim, double until_s);
void sim_stop(struct sim *sim);
bool sim_idle(const struct sim *sim);    /* no event is left */
size_t sim_bytes(const struct sim *sim); /* memory of this simulation */

/* Before anything is scheduled: equal times and priorities go in a random order, the same one for the same
 * seed. */
void sim_random_ties(struct sim *sim, uint64_t seed);

/* Before anything is scheduled: a ladder queue in the place of the heap, in the same order (docs/engine.md
 * says when it pays). */
void sim_use_ladder(struct sim *sim);

/*
 * Who waits for what.  A resource says once how to count those who wait for it; when the calendar is empty
 * and an item waits, nothing will ever move again, and sim_waiting() says why.  `kind` is static text, `name`
 * lives as long as the simulation.  An idle worker waits too, but holds no item: it is told, not counted.
 */
typedef long waiting_fn(const void *resource);
void sim_watch(struct sim *sim, const char *kind, const char *name, bool holds_items, waiting_fn *waiting,
               const void *resource);
/* How many items wait; `buf` lists the resources ("2 wait to put into buffer \"batches\"; ..."), "" when
 * none. */
long sim_waiting(const struct sim *sim, char *buf, size_t size);

#endif
