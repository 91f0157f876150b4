/*
 * share.h - equal sharing by virtual time: what cores and links have in common.
 *
 * While n jobs are present each progresses at rate(n).  Virtual time V is the
 * work that a job present since V = 0 would have received: dV/dt = rate(n).  A
 * job that arrives at V with work w is done when V reaches V + w, whatever
 * comes and goes in between, so a heap of finish times and one pending event
 * suffice.  At a finish V is set to the finish time itself: rounding of the
 * clock never adds up in V.  V starts again at 0 whenever nobody is present.
 *
 * Internal to the engine: cores.h and link.h are the doors.
 */
#ifndef ENGINE_SHARE_H
#define ENGINE_SHARE_H

#include "engine/heap.h"
#include "engine/sim.h"
#include "engine/stats.h"

typedef double share_rate_fn(const void *ctx,
                             long jobs); /* > 0 for jobs >= 1; never more in total than peak */

struct share_job {
    double finish, work;
    event_fn *done;
    void *self;
    uint64_t arg; /* free: index of the next free slot */
};

struct share {
    struct sim *sim;
    share_rate_fn *rate_of;
    const void *ctx;
    long servers; /* busy are min(jobs, servers) */
    double peak;  /* the most work that can be done in a second */

    struct key_heap order; /* finish time, arrival, slot */
    struct share_job *job;
    uint32_t slots, free; /* free: index + 1, 0 is none */
    uint64_t arrivals;
    double virtual, rate, since_s, highest_virtual;
    event_id next;
    double next_finish; /* whose event is pending, and at which rate it was reckoned */
    double next_rate;

    struct level jobs, busy, flow; /* present; servers at work; work per second */
    uint64_t done;
    double work_done,
        start_served; /* finished since measuring began; already received by those present then */
    double steps;
};

void share_init(struct share *s, struct sim *sim, share_rate_fn *rate_of, const void *ctx, long servers,
                double peak);
void share_add(struct share *s, double work, event_fn *done, void *self, uint64_t arg);
void share_begin_measuring(struct share *s);
double
share_work(const struct share *s); /* done since measuring began; asserts that none was lost or invented */

static inline long share_jobs(const struct share *s)
{
    return (long)heap_count(&s->order);
}

#endif
