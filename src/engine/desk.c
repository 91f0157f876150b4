#include "engine/desk.h"

#include "engine/heap.h"
#include "engine/law_check.h"

#include <limits.h>

enum place { NOWHERE, WAITING, SERVED, GONE /* from the queue, where its key still stands */ };

enum { FEW_GONE = 64 };

struct seat {
    struct desk_job job;
    enum place place;
    heap_key order;          /* its key in the queue: an interrupted job comes back to its old rank */
    double since_s;          /* in this place */
    double left_s, waited_s; /* service still wanted; time in the queue so far */
    event_id end, patience;
    desk_ticket ticket;
    uint32_t next; /* free seats */
};

struct desk {
    struct sim *sim;
    const char *name;
    struct desk_spec spec;
    struct key_heap queue;
    long waiting_count, gone;
    struct seat *seat; /* seat 0 is nobody */
    uint32_t seats, room, free;
    uint32_t *served; /* seats in service */
    long served_count, served_room;
    uint64_t arrivals;
    struct level busy, waiting;
    struct desk_stats s;
    double start_s, waited_s; /* measuring: since when, time in the queue by those who left it */
    uint64_t inside_at_start;
};

static long waiting(const void *desk)
{
    const struct desk *d = desk;

    return d->waiting_count;
}

struct desk *desk_new(struct sim *sim, const char *name, const struct desk_spec *spec)
{
    struct desk *d = ARENA_NEW(sim->arena, struct desk);

    ASSERT(spec->servers >= 0 && spec->setup_s >= 0);
    d->sim = sim;
    d->name = arena_strdup(sim->arena, name);
    d->spec = *spec;
    d->seats = 1;
    heap_init(&d->queue, sim->arena);
    desk_begin_measuring(d);
    sim_watch(sim, "at desk", d->name, true, waiting, d);
    return d;
}

static uint32_t seat_new(struct desk *d)
{
    uint32_t i = d->free;

    if (i != 0) {
        d->free = d->seat[i].next;
        return i;
    }
    if (d->seats >= d->room) {
        uint32_t room = d->room ? 2 * d->room : 8;
        struct seat *seat = arena_array(d->sim->arena, room, sizeof *seat);

        ASSERT(room <= HEAP_MAX_INDEX);
        if (d->room != 0)
            memcpy(seat, d->seat, d->seats * sizeof *seat);
        d->seat = seat;
        d->room = room;
    }
    d->seat[d->seats].ticket = UINT64_C(1) << HEAP_INDEX_BITS | d->seats;
    return d->seats++;
}

static void seat_free(struct desk *d, uint32_t i)
{
    struct seat *s = &d->seat[i];

    s->place = NOWHERE;
    s->ticket += UINT64_C(1) << HEAP_INDEX_BITS;
    s->next = d->free;
    d->free = i;
}

/* Priority, then order of arrival, or its reverse.  The offset makes the number positive: its bits must
 * order. */
static heap_key rank(struct desk *d, const struct desk_job *job, uint32_t i)
{
    uint64_t tie = d->arrivals++;
    double urgency = d->spec.order >= DESK_PRIORITY ? (double)job->priority - INT_MIN : 0;

    ASSERT(tie >> HEAP_TIE_BITS == 0);
    if (d->spec.order == DESK_LIFO)
        tie = (UINT64_C(1) << HEAP_TIE_BITS) - 1 - tie;
    return heap_pack(urgency, tie, i);
}

static void set_levels(struct desk *d)
{
    level_set(&d->waiting, d->sim->now, (double)d->waiting_count);
    level_set(&d->busy, d->sim->now, (double)d->served_count);
}

/* ---------------------------------------------------------- in and out of the queue */

static void lose_patience(struct sim *sim, void *self, uint64_t i);

static void queue_join(struct desk *d, uint32_t i)
{
    struct seat *s = &d->seat[i];

    s->place = WAITING;
    s->since_s = d->sim->now;
    d->waiting_count++;
    heap_push(&d->queue, s->order);
    if (s->job.patience_s > 0)
        s->patience = sim_after(d->sim, s->job.patience_s, lose_patience, d, i);
}

/* The books of one who stops waiting; its key leaves the heap by other hands. */
static void queue_left(struct desk *d, struct seat *s)
{
    double now = d->sim->now, from = s->since_s > d->start_s ? s->since_s : d->start_s;

    s->waited_s += now - s->since_s;
    d->waited_s += now - from;
    d->waiting_count--;
    if (s->patience != 0)
        sim_cancel(d->sim, s->patience);
    s->patience = 0;
}

static void purge(struct desk *d)
{
    size_t kept = HEAP_ROOT;

    for (size_t k = HEAP_ROOT; k < d->queue.end; k++) {
        uint32_t i = heap_index(d->queue.key[k]);

        if (d->seat[i].place == GONE)
            seat_free(d, i);
        else
            d->queue.key[kept++] = d->queue.key[k];
    }
    heap_rebuild(&d->queue, kept - HEAP_ROOT);
    d->gone = 0;
}

static void queue_abandon(struct desk *d, uint32_t i)
{
    queue_left(d, &d->seat[i]);
    d->seat[i].place = GONE;
    if (++d->gone > FEW_GONE && d->gone > d->waiting_count)
        purge(d);
}

/* The first who still waits; 0 when nobody does. */
static uint32_t queue_first(struct desk *d)
{
    while (heap_count(&d->queue) != 0) {
        uint32_t i = heap_index(heap_top(&d->queue));

        if (d->seat[i].place == WAITING)
            return i;
        heap_pop(&d->queue);
        seat_free(d, i);
        d->gone--;
    }
    return 0;
}

/* ---------------------------------------------------------------- service */

static void finish(struct sim *sim, void *self, uint64_t i);

static void serve(struct desk *d, uint32_t i, double setup_s)
{
    struct seat *s = &d->seat[i];

    if (d->served_count == d->served_room) {
        long room = d->served_room ? 2 * d->served_room : 4;
        uint32_t *served = arena_array(d->sim->arena, (size_t)room, sizeof *served);

        if (d->served_count != 0)
            memcpy(served, d->served, (size_t)d->served_count * sizeof *served);
        d->served = served;
        d->served_room = room;
    }
    d->served[d->served_count++] = i;
    s->place = SERVED;
    s->since_s = d->sim->now;
    s->left_s += setup_s;
    s->end = sim_after(d->sim, s->left_s, finish, d, i);
}

static void take_from_server(struct desk *d, uint32_t i)
{
    long k = 0;

    while (d->served[k] != i)
        k++;
    d->served[k] = d->served[--d->served_count];
}

static void interrupt(struct desk *d, uint32_t i)
{
    struct seat *s = &d->seat[i];

    sim_cancel(d->sim, s->end);
    s->left_s -= d->sim->now - s->since_s;
    if (s->left_s < 0)
        s->left_s = 0;
    take_from_server(d, i);
    d->s.interrupted++;
    queue_join(d, i);
}

static uint32_t least_urgent(const struct desk *d)
{
    uint32_t worst = d->served[0];

    for (long k = 1; k < d->served_count; k++)
        if (d->seat[d->served[k]].order > d->seat[worst].order)
            worst = d->served[k];
    return worst;
}

/* Servers that have nothing to do take who is first; more urgent ones push others away. */
static void assign(struct desk *d, double setup_s)
{
    uint32_t i;

    while ((i = queue_first(d)) != 0) {
        if (d->served_count >= d->spec.servers) {
            uint32_t worst;

            if (d->spec.order != DESK_PREEMPT || d->served_count == 0)
                break;
            worst = least_urgent(d);
            if (heap_time(d->seat[worst].order) <= heap_time(d->seat[i].order))
                break;
            interrupt(d, worst);
            setup_s = 0;
        }
        heap_pop(&d->queue);
        queue_left(d, &d->seat[i]);
        serve(d, i, setup_s);
    }
    set_levels(d);
}

static void finish(struct sim *sim, void *self, uint64_t arg)
{
    struct desk *d = self;
    uint32_t i = (uint32_t)arg;
    struct seat *s = &d->seat[i];
    struct desk_job job = s->job;

    d->s.departed++;
    tally_add(&d->s.wait_s, s->waited_s);
    take_from_server(d, i);
    seat_free(d, i);
    assign(d, 0);
    job.done(sim, job.self, job.arg);
}

static void lose_patience(struct sim *sim, void *self, uint64_t i)
{
    struct desk *d = self;
    struct desk_job job = d->seat[i].job;

    d->seat[i].patience = 0;
    d->s.gave_up++;
    queue_abandon(d, (uint32_t)i);
    set_levels(d);
    if (job.gave_up != NULL)
        job.gave_up(sim, job.self, job.arg);
}

/* -------------------------------------------------------------- the doors */

static bool would_be_served(const struct desk *d, const struct desk_job *job)
{
    if (d->served_count < d->spec.servers)
        return true;
    return d->spec.order == DESK_PREEMPT && d->served_count > 0 &&
           d->seat[least_urgent(d)].job.priority > job->priority;
}

desk_ticket desk_enter(struct desk *d, const struct desk_job *job)
{
    uint32_t i;

    ASSERT(job->service_s >= 0 && job->done != NULL);
    d->s.arrived++;
    if (d->spec.queue_limit >= 0 && d->waiting_count >= d->spec.queue_limit && !would_be_served(d, job)) {
        d->s.lost++;
        return 0;
    }
    i = seat_new(d);
    d->seat[i] = (struct seat){.job = *job, .left_s = job->service_s, .ticket = d->seat[i].ticket};
    d->seat[i].order = rank(d, job, i);
    queue_join(d, i);
    assign(d, d->spec.setup_s);
    return d->seat[i].ticket;
}

bool desk_withdraw(struct desk *d, desk_ticket ticket)
{
    uint32_t i = (uint32_t)ticket & HEAP_MAX_INDEX;
    struct seat *s = &d->seat[i];

    if (i == 0 || i >= d->seats || s->ticket != ticket || (s->place != WAITING && s->place != SERVED))
        return false;
    d->s.withdrawn++;
    if (s->place == WAITING) {
        queue_abandon(d, i);
        set_levels(d);
        return true;
    }
    sim_cancel(d->sim, s->end);
    take_from_server(d, i);
    seat_free(d, i);
    assign(d, 0);
    return true;
}

void desk_set_servers(struct desk *d, long servers)
{
    ASSERT(servers >= 0);
    d->spec.servers = servers;
    while (d->served_count > servers)
        interrupt(d, least_urgent(d));
    assign(d, d->spec.setup_s);
}

double desk_busy_s(const struct desk *d)
{
    return level_area(&d->busy, d->sim->now);
}

void desk_begin_measuring(struct desk *d)
{
    double now = d->sim->now;

    level_start(&d->busy, now, (double)d->served_count);
    level_start(&d->waiting, now, (double)d->waiting_count);
    d->s = (struct desk_stats){0};
    d->start_s = now;
    d->waited_s = 0;
    d->inside_at_start = (uint64_t)(d->served_count + d->waiting_count);
}

/* Flow balance, exactly; and the area under the queue is the sum of all waiting, Little's law as an identity.
 */
static void check_laws(const struct desk *d)
{
    double now = d->sim->now, waits = d->waited_s;

    for (uint32_t i = 1; i < d->seats; i++) {
        const struct seat *s = &d->seat[i];

        if (s->place == WAITING)
            waits += now - (s->since_s > d->start_s ? s->since_s : d->start_s);
    }
    ASSERT(d->inside_at_start + d->s.arrived == d->s.lost + d->s.gave_up + d->s.withdrawn + d->s.departed +
                                                    (uint64_t)(d->served_count + d->waiting_count));
    ASSERT(law_holds(level_area(&d->waiting, now), waits, now,
                     (double)(d->s.arrived + d->s.interrupted + d->inside_at_start)));
}

struct desk_stats desk_stats(const struct desk *d)
{
    struct desk_stats s = d->s;

    check_laws(d);
    s.busy_mean = level_mean(&d->busy, d->sim->now);
    s.queue_mean = level_mean(&d->waiting, d->sim->now);
    return s;
}
