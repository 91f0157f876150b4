/*
 * station.h - c equal servers behind one queue (FIFO), with an optional limit on the queue.
 *
 * A job brings its service time.  When it is done the station calls back.
 */
#ifndef ENGINE_STATION_H
#define ENGINE_STATION_H

#include "engine/sim.h"
#include "engine/stats.h"

struct station;

struct station *station_new(struct sim *sim, const char *name, long servers,
                            long queue_limit /* < 0: none */);

/* False when the queue is full: the job is lost and `done` is never called. */
bool station_enter(struct station *st, double service_s, event_fn *done, void *self, uint64_t arg);

/* The same as enter, but holds the server until station_leave(): for a server that blocks or calls others. */
bool station_seize(struct station *st, event_fn *granted, void *self, uint64_t arg);
bool station_try_seize(struct station *st); /* now or never: false when none is idle */
void station_leave(struct station *st);

void station_begin_measuring(struct station *st); /* forget what was seen: the end of warm-up */

struct station_stats {
    double busy_mean, queue_mean; /* servers busy; jobs waiting: time averages since measuring began */
    struct tally wait_s;          /* of jobs that entered service since then */
    uint64_t arrived, lost, departed;
};
struct station_stats station_stats(const struct station *st);

#endif
