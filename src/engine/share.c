#include "engine/share.h"

#include "engine/law_check.h"

#include <math.h>

void share_init(struct share *s, struct sim *sim, share_rate_fn *rate_of, const void *ctx, long servers,
                double peak)
{
    *s = (struct share){.sim = sim, .rate_of = rate_of, .ctx = ctx, .servers = servers, .peak = peak};
    heap_init(&s->order, sim->arena);
    share_begin_measuring(s);
}

static uint32_t slot_new(struct share *s)
{
    uint32_t slot = s->free - 1;

    if (s->free != 0) {
        s->free = (uint32_t)s->job[slot].arg;
        return slot;
    }
    slot = (uint32_t)s->slots;
    if ((slot & (slot - 1)) == 0) { /* full at every power of two */
        struct share_job *job = arena_array(s->sim->arena, slot ? 2 * (size_t)slot : 1, sizeof *job);

        ASSERT(slot <= HEAP_MAX_INDEX / 2);
        if (slot != 0)
            memcpy(job, s->job, slot * sizeof *job);
        s->job = job;
    }
    s->slots++;
    return slot;
}

/* Brings virtual time up to the clock. */
static void advance(struct share *s)
{
    double now = s->sim->now;

    s->virtual += s->rate * (now - s->since_s);
    s->since_s = now;
}

static void finish(struct sim *sim, void *self, uint64_t arg);

/* After a change of who is present: the rate, and the event of the job in front where either moved. */
static void reschedule(struct share *s)
{
    long n = share_jobs(s);
    double now = s->sim->now, first;

    level_set(&s->jobs, now, (double)n);
    s->rate = n ? s->rate_of(s->ctx, n) : 0;
    level_set(&s->busy, now, (double)(n < s->servers ? n : s->servers));
    level_set(&s->flow, now, (double)n * s->rate);
    s->steps++;
    if (n == 0) {
        s->virtual = 0;
        s->arrivals = 0;
        return;
    }
    first = heap_time(heap_top(&s->order));
    if (s->next != 0) {
        if (first == s->next_finish && s->rate == s->next_rate)
            return;
        sim_cancel(s->sim, s->next);
    }
    s->next = sim_after(s->sim, fmax(0, (first - s->virtual) / s->rate), finish, s, 0);
    s->next_finish = first;
    s->next_rate = s->rate;
}

static void finish(struct sim *sim, void *self, uint64_t arg)
{
    struct share *s = self;
    uint32_t slot = heap_index(heap_pop(&s->order));
    struct share_job job = s->job[slot];

    (void)arg;
    s->next = 0;
    s->virtual = job.finish;
    s->highest_virtual = fmax(s->highest_virtual, s->virtual);
    s->since_s = sim->now;
    s->job[slot].arg = s->free;
    s->free = slot + 1;
    s->done++;
    s->work_done += job.work;
    reschedule(s);
    job.done(sim, job.self, job.arg);
}

void share_add(struct share *s, double work, event_fn *done, void *self, uint64_t arg)
{
    uint32_t slot;

    ASSERT(work >= 0 && work < INFINITY && done != NULL);
    if (work == 0) {
        s->done++;
        sim_after(s->sim, 0, done, self, arg);
        return;
    }
    advance(s);
    slot = slot_new(s);
    s->job[slot] = (struct share_job){s->virtual + work, work, done, self, arg};
    ASSERT(s->arrivals >> HEAP_TIE_BITS == 0);
    heap_push(&s->order, heap_pack(s->virtual + work, s->arrivals++, slot));
    reschedule(s);
}

/* What those present have received so far. */
static double served(const struct share *s)
{
    double now_virtual = s->virtual + s->rate * (s->sim->now - s->since_s), sum = 0;

    for (size_t i = HEAP_ROOT; i < s->order.end; i++) {
        const struct share_job *job = &s->job[heap_index(s->order.key[i])];

        sum += job->work - (job->finish - now_virtual);
    }
    return sum;
}

void share_begin_measuring(struct share *s)
{
    double now = s->sim->now;

    level_start(&s->jobs, now, s->jobs.value);
    level_start(&s->busy, now, s->busy.value);
    level_start(&s->flow, now, s->flow.value);
    s->start_served = served(s);
    s->work_done = 0;
    s->done = 0;
    s->steps = 0;
}

/* Work conservation: what the jobs received is the integral of the rates at which they progressed. */
double share_work(const struct share *s)
{
    double now = s->sim->now, received = s->work_done + served(s) - s->start_served;
    double given = level_area(&s->flow, now);

    ASSERT(law_holds(given, received, now * s->peak + s->highest_virtual, s->steps));
    return given;
}
