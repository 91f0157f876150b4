/*
 * desk.h - a station whose queue has an order and whose people have a will of their own.
 *
 * station.h is the plain and fast case: first come, first served, to the end.
 * A desk also knows who is more urgent, who came last, who loses patience and
 * who is called away, and its servers may fail and come back.  Whoever is interrupted resumes
 * later where it stopped, before all others of its kind that never started.
 */
#ifndef ENGINE_DESK_H
#define ENGINE_DESK_H

#include "engine/sim.h"
#include "engine/stats.h"

enum desk_order {
    DESK_FIFO,
    DESK_LIFO,
    DESK_PRIORITY, /* the lowest number first; service is not interrupted */
    DESK_PREEMPT,  /* the same, and a more urgent arrival interrupts the least urgent in service */
};

struct desk_spec {
    long servers;
    long queue_limit; /* < 0: none.  Whoever was interrupted keeps a place beyond it. */
    enum desk_order order;
    double setup_s; /* a server that was idle needs this before it serves */
};

struct desk_job {
    double service_s;
    int priority;
    double
        patience_s; /* 0: endless; otherwise leaves the queue, unserved, after waiting so long at a stretch */
    event_fn *done, *gave_up;
    void *self;
    uint64_t arg; /* both callbacks are fn(sim, self, arg) */
};

typedef uint64_t desk_ticket; /* 0 is nobody; unique after its holder has left */

struct desk;
struct desk *desk_new(struct sim *sim, const char *name, const struct desk_spec *spec);

desk_ticket desk_enter(struct desk *d,
                       const struct desk_job *job); /* 0: the queue is full, the job is lost */
/* Out of the queue or away from the server, whichever it is; nobody is called back.  False: had left already.
 */
bool desk_withdraw(struct desk *d, desk_ticket ticket);
/* Breakdown and repair, shifts, scaling: jobs on servers that vanish are interrupted, the least urgent first.
 */
void desk_set_servers(struct desk *d, long servers);

double desk_busy_s(const struct desk *d); /* server seconds of work since measuring began */
void desk_begin_measuring(struct desk *d);
struct desk_stats {
    double busy_mean, queue_mean;
    struct tally wait_s; /* of jobs that were done: all the time not in service */
    uint64_t arrived, lost, gave_up, withdrawn, interrupted, departed;
};
struct desk_stats desk_stats(const struct desk *d);

#endif
