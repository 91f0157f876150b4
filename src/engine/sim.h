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

struct sim {
    double now; /* seconds; read only for models */
    uint64_t seed;
    uint32_t replication;
    uint64_t events;     /* how many have happened */
    uint64_t max_events; /* 0: no cap */
    struct arena *arena; /* emptied with the run */
    bool stopping;
    bool capped; /* the run ended because of max_events */
    struct event_queue *queue;
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
bool sim_idle(const struct sim *sim); /* no event is left */

#endif
