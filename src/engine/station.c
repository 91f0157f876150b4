#include "engine/station.h"

#include "engine/law_check.h"
#include "engine/ring.h"

#include <math.h>

#define SEIZED -1.0 /* as a service time: the holder says when it leaves */

struct job {
    double arrived_s, service_s;
    event_fn *done;
    void *self;
    uint64_t arg;
};

/* One server at work; the event of its end points here. */
struct service {
    struct station *station;
    event_fn *done;
    void *self;
    uint64_t arg;
    struct service *next; /* in the list of those free for reuse */
};

struct station {
    struct sim *sim;
    const char *name;
    long servers, queue_limit, busy_count;
    struct ring queue;
    struct service *free;
    struct level busy, waiting;
    struct tally wait_s;
    uint64_t arrived, lost, departed;
    double start_s;
    /* For the laws: waits since measuring began, and jobs inside at that moment. */
    double waited_s;
    uint64_t inside_at_start;
};

static long waiting(const void *station)
{
    const struct station *st = station;

    return (long)st->queue.count;
}

struct station *station_new(struct sim *sim, const char *name, long servers, long queue_limit)
{
    struct station *st = ARENA_NEW(sim->arena, struct station);

    ASSERT(servers > 0);
    st->sim = sim;
    st->name = arena_strdup(sim->arena, name);
    st->servers = servers;
    st->queue_limit = queue_limit;
    station_begin_measuring(st);
    sim_watch(sim, "for a server of", st->name, true, waiting, st);
    return st;
}

static void serve(struct sim *sim, void *self, uint64_t arg);

static inline void start(struct station *st, const struct job *job)
{
    struct service *s;

    if (job->service_s < 0) {
        sim_after(st->sim, 0, job->done, job->self, job->arg);
        return;
    }
    s = st->free;
    if (s != NULL)
        st->free = s->next;
    else
        s = ARENA_NEW(st->sim->arena, struct service);
    s->station = st;
    s->done = job->done;
    s->self = job->self;
    s->arg = job->arg;
    sim_after(st->sim, job->service_s, serve, s, 0);
}

/* A server came free: the first in the queue has it, and only without one the number of busy servers falls.
 */
static inline void release(struct station *st)
{
    double now = st->sim->now, wait_s;
    struct job *job;

    st->departed++;
    if (st->queue.count == 0) {
        level_set(&st->busy, now, (double)--st->busy_count);
        return;
    }
    level_set(&st->waiting, now, (double)(st->queue.count - 1));
    job = ring_pop(&st->queue, sizeof *job);
    wait_s = now - job->arrived_s;
    tally_add(&st->wait_s, wait_s);
    st->waited_s += job->arrived_s >= st->start_s ? wait_s : now - st->start_s;
    start(st, job);
}

static void serve(struct sim *sim, void *self, uint64_t arg)
{
    struct service *s = self, ended = *s;

    (void)arg;
    s->next = ended.station->free;
    ended.station->free = s;
    release(ended.station);
    ended.done(sim, ended.self, ended.arg);
}

static inline bool enter(struct station *st, double service_s, event_fn *done, void *self, uint64_t arg)
{
    double now = st->sim->now;
    struct job job = {now, service_s, done, self, arg};

    st->arrived++;
    if (st->busy_count < st->servers) {
        level_set(&st->busy, now, (double)++st->busy_count);
        tally_add(&st->wait_s, 0);
        start(st, &job);
        return true;
    }
    if (st->queue_limit >= 0 && st->queue.count >= (size_t)st->queue_limit) {
        st->lost++;
        return false;
    }
    *(struct job *)ring_push(&st->queue, st->sim->arena, sizeof job) = job;
    level_set(&st->waiting, now, (double)st->queue.count);
    return true;
}

bool station_enter(struct station *st, double service_s, event_fn *done, void *self, uint64_t arg)
{
    ASSERT(service_s >= 0);
    return enter(st, service_s, done, self, arg);
}

bool station_seize(struct station *st, event_fn *granted, void *self, uint64_t arg)
{
    return enter(st, SEIZED, granted, self, arg);
}

bool station_try_seize(struct station *st)
{
    if (st->busy_count >= st->servers)
        return false;
    st->arrived++;
    level_set(&st->busy, st->sim->now, (double)++st->busy_count);
    tally_add(&st->wait_s, 0);
    return true;
}

void station_leave(struct station *st)
{
    ASSERT(st->busy_count > 0);
    release(st);
}

void station_begin_measuring(struct station *st)
{
    double now = st->sim->now;

    level_start(&st->busy, now, (double)st->busy_count);
    level_start(&st->waiting, now, (double)st->queue.count);
    st->wait_s = (struct tally){0};
    st->arrived = st->lost = st->departed = 0;
    st->inside_at_start = (uint64_t)st->busy_count + st->queue.count;
    st->start_s = now;
    st->waited_s = 0;
}

/*
 * Flow balance, exactly; and Little's law as an identity over the measured
 * time: the area under the queue is the sum of the waits that fall into it.
 */
static void check_laws(const struct station *st)
{
    double now = st->sim->now, waits = st->waited_s, area = level_area(&st->waiting, now);

    for (size_t i = 0; i < st->queue.count; i++) {
        const struct job *job = ring_at(&st->queue, i, sizeof *job);

        waits += now - fmax(job->arrived_s, st->start_s);
    }
    ASSERT(st->inside_at_start + st->arrived - st->lost ==
           st->departed + (uint64_t)st->busy_count + st->queue.count);
    ASSERT(law_holds(area, waits, now, (double)(st->arrived + st->queue.count)));
}

struct station_stats station_stats(const struct station *st)
{
    double now = st->sim->now;

    check_laws(st);
    return (struct station_stats){
        .busy_mean = level_mean(&st->busy, now),
        .queue_mean = level_mean(&st->waiting, now),
        .wait_s = st->wait_s,
        .arrived = st->arrived,
        .lost = st->lost,
        .departed = st->departed,
    };
}
