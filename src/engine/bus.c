#include "engine/bus.h"

#include "engine/law_check.h"

#include <math.h>
#include <string.h>

void bus_init(struct bus *b, struct sim *sim, bus_share_fn *share_of, const void *ctx, long cores,
              double bytes_per_s)
{
    ASSERT(cores > 0 && bytes_per_s > 0 && bytes_per_s < INFINITY);
    *b = (struct bus){
        .sim = sim, .share_of = share_of, .ctx = ctx, .cores = cores, .bytes_per_s = bytes_per_s};
    bus_begin_measuring(b);
}

/* Bytes per second of work. */
static double intensity(const struct bus_job *j)
{
    return j->work_s > 0 ? j->bytes / j->work_s : INFINITY;
}

/* Everybody's progress up to the clock. */
static void advance(struct bus *b)
{
    double dt = b->sim->now - b->since_s;

    for (size_t i = 0; i < b->jobs_n; i++) {
        struct bus_job *j = &b->job[i];
        double part = fmin(j->left, j->rate * dt);

        j->left -= part;
        b->received_s += part * j->work_s;
    }
    b->since_s = b->sim->now;
}

/* Those who ask for little first: each gets what it asks for, or an equal part of what is left. */
static void share_out(struct bus *b)
{
    double share = b->share_of(b->ctx, (long)b->jobs_n), left = b->bytes_per_s, work = 0;

    for (size_t i = 0; i < b->jobs_n; i++) {
        struct bus_job *j = &b->job[i];
        double fair = left / (double)(b->jobs_n - i);

        j->rate = share * intensity(j) <= fair ? share / j->work_s : fair / j->bytes;
        left -= j->rate * j->bytes;
        work += j->rate * j->work_s;
    }
    level_set(&b->work, b->sim->now, work);
    level_set(&b->flow, b->sim->now, b->bytes_per_s - fmax(0, left));
}

static void finish(struct sim *sim, void *self, uint64_t arg);

/* After a change of who is present: rates, and whose end comes first; of equal ones the earlier arrival's. */
static void reschedule(struct bus *b)
{
    double now = b->sim->now, first_s = INFINITY;

    level_set(&b->jobs, now, (double)b->jobs_n);
    level_set(&b->busy, now, fmin((double)b->jobs_n, (double)b->cores));
    b->steps++;
    share_out(b);
    for (size_t i = 0; i < b->jobs_n; i++) {
        const struct bus_job *j = &b->job[i];
        double left_s = j->left / j->rate;

        if (left_s < first_s || (left_s == first_s && j->arrival < b->first)) {
            first_s = left_s;
            b->first = j->arrival;
        }
    }
    if (b->next != 0)
        sim_cancel(b->sim, b->next);
    b->next = b->jobs_n > 0 ? sim_after(b->sim, first_s, finish, b, 0) : 0;
}

static void finish(struct sim *sim, void *self, uint64_t arg)
{
    struct bus *b = self;
    struct bus_job job;
    size_t i = 0;

    (void)arg;
    b->next = 0;
    advance(b);
    while (b->job[i].arrival != b->first)
        i++;
    job = b->job[i];
    b->received_s += job.left * job.work_s; /* what rounding of the clock left over */
    memmove(&b->job[i], &b->job[i + 1], (--b->jobs_n - i) * sizeof job);
    b->done++;
    reschedule(b);
    job.done(sim, job.self, job.arg);
}

static void make_room(struct bus *b)
{
    struct bus_job *job;

    if (b->jobs_n < b->room)
        return;
    job = arena_array(b->sim->arena, 2 * b->room + 4, sizeof *job);
    if (b->jobs_n > 0)
        memcpy(job, b->job, b->jobs_n * sizeof *job);
    b->job = job;
    b->room = 2 * b->room + 4;
}

void bus_add(struct bus *b, double work_s, double bytes, event_fn *done, void *self, uint64_t arg)
{
    struct bus_job new = {work_s, bytes, 1, 0, done, self, arg, b->arrivals++};
    size_t i;

    ASSERT(work_s >= 0 && work_s < INFINITY && bytes >= 0 && bytes < INFINITY && done != NULL);
    if (work_s == 0 && bytes == 0) {
        b->done++;
        sim_after(b->sim, 0, done, self, arg);
        return;
    }
    advance(b);
    make_room(b);
    for (i = b->jobs_n++; i > 0 && intensity(&b->job[i - 1]) > intensity(&new); i--)
        b->job[i] = b->job[i - 1];
    b->job[i] = new;
    reschedule(b);
}

void bus_begin_measuring(struct bus *b)
{
    double now = b->sim->now;

    advance(b);
    level_start(&b->jobs, now, b->jobs.value);
    level_start(&b->busy, now, b->busy.value);
    level_start(&b->work, now, b->work.value);
    level_start(&b->flow, now, b->flow.value);
    b->received_s = 0;
    b->done = 0;
    b->steps = 0;
}

/* Work conservation: what the jobs received is the integral of the rates at which they progressed. */
double bus_work(const struct bus *b)
{
    double now = b->sim->now, given = level_area(&b->work, now), received = b->received_s;

    for (size_t i = 0; i < b->jobs_n; i++)
        received += fmin(b->job[i].left, b->job[i].rate * (now - b->since_s)) * b->job[i].work_s;
    ASSERT(law_holds(given, received, now * (double)b->cores * (1 + (double)b->jobs_n), b->steps));
    return given;
}
