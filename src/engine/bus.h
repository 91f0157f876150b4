/*
 * bus.h - threads that compute and move bytes over one memory bus at the same time.
 *
 * A job wants `work_s` seconds of a core and, spread evenly over them, `bytes` of the bus.  With n jobs on c
 * cores each may have the share s(n) of a core (cores.h); its bytes then ask the bus for s(n) * bytes /
 * work_s. The bus is shared max-min: whoever asks for less than an equal part gets all of it, the others get
 * equal parts of what is left, and compute as much more slowly:
 *
 *     rate of job i = min(s(n), x * work_i / bytes_i),     sum of rate_i * bytes_i / work_i <= bytes_per_s
 *
 * A thread that waits for memory keeps its core busy.  A job without bytes never waits, one without work is a
 * copy.  A change of who is present is reckoned in O(n): this is for the threads of one host.
 *
 * Internal to the engine: cores.h is the door.
 */
#ifndef ENGINE_BUS_H
#define ENGINE_BUS_H

#include "engine/sim.h"
#include "engine/stats.h"

typedef double bus_share_fn(const void *ctx, long jobs); /* of a core, while so many jobs are present */

struct bus_job {
    double work_s, bytes, left; /* left: the part that is still to be done */
    double rate;                /* parts per second */
    event_fn *done;
    void *self;
    uint64_t arg, arrival;
};

struct bus {
    struct sim *sim;
    bus_share_fn *share_of;
    const void *ctx;
    long cores;
    double bytes_per_s, since_s;
    struct bus_job *job; /* by bytes per second of work, rising */
    size_t jobs_n, room;
    uint64_t arrivals, first; /* arrival of the job whose end is the next event */
    event_id next;
    struct level jobs, busy, work, flow; /* present; cores at work; seconds of work and bytes per second */
    uint64_t done;
    double received_s; /* work done since measuring began, job by job */
    double steps;
};

void bus_init(struct bus *b, struct sim *sim, bus_share_fn *share_of, const void *ctx, long cores,
              double bytes_per_s);
void bus_add(struct bus *b, double work_s, double bytes, event_fn *done, void *self, uint64_t arg);
void bus_begin_measuring(struct bus *b);
double bus_work(const struct bus *b); /* done since then; asserts that none was lost or invented */

#endif
