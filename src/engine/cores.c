#include "engine/cores.h"

#include "engine/bus.h"
#include "engine/share.h"

#include <math.h>

struct cores {
    struct share share;
    struct bus *bus; /* NULL: none; else it shares instead */
    const char *name;
    long count;
    double *speed;
};

static double rate(const void *ctx, long jobs)
{
    const struct cores *c = ctx;
    long k = jobs < c->count ? jobs : c->count;

    return (double)k / (double)jobs * (c->speed ? c->speed[k - 1] : 1);
}

struct cores *cores_new(struct sim *sim, const char *name, long count, const double *speed)
{
    struct cores *c = ARENA_NEW(sim->arena, struct cores);
    double peak = (double)count;

    ASSERT(count > 0);
    c->name = arena_strdup(sim->arena, name);
    c->count = count;
    if (speed != NULL) {
        c->speed = arena_array(sim->arena, (size_t)count, sizeof *speed);
        for (long k = 1; k <= count; k++) {
            ASSERT(speed[k - 1] > 0 && speed[k - 1] < INFINITY);
            c->speed[k - 1] = speed[k - 1];
            peak = fmax(peak, (double)k * speed[k - 1]);
        }
    }
    share_init(&c->share, sim, rate, c, count, peak);
    return c;
}

struct cores *cores_new_on_bus(struct sim *sim, const char *name, long count, const double *speed,
                               double bytes_per_s)
{
    struct cores *c = cores_new(sim, name, count, speed);

    c->bus = ARENA_NEW(sim->arena, struct bus);
    bus_init(c->bus, sim, rate, c, count, bytes_per_s);
    return c;
}

void cores_use(struct cores *c, double work_s, event_fn *done, void *self, uint64_t arg)
{
    cores_use_memory(c, work_s, 0, done, self, arg);
}

void cores_use_memory(struct cores *c, double work_s, double bytes, event_fn *done, void *self, uint64_t arg)
{
    if (c->bus != NULL)
        bus_add(c->bus, work_s, bytes, done, self, arg);
    else
        share_add(&c->share, work_s, done, self, arg);
}

void cores_begin_measuring(struct cores *c)
{
    if (c->bus != NULL)
        bus_begin_measuring(c->bus);
    else
        share_begin_measuring(&c->share);
}

static struct cores_stats bus_stats(const struct bus *b)
{
    double now = b->sim->now;

    return (struct cores_stats){
        .busy_mean = level_mean(&b->busy, now),
        .jobs_mean = level_mean(&b->jobs, now),
        .work_s = bus_work(b),
        .bus_utilization = level_mean(&b->flow, now) / b->bytes_per_s,
        .done = b->done,
    };
}

struct cores_stats cores_stats(const struct cores *c)
{
    double now = c->share.sim->now;

    if (c->bus != NULL)
        return bus_stats(c->bus);
    return (struct cores_stats){
        .busy_mean = level_mean(&c->share.busy, now),
        .jobs_mean = level_mean(&c->share.jobs, now),
        .work_s = share_work(&c->share),
        .done = c->share.done,
    };
}
