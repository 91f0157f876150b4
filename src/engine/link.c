#include "engine/link.h"

#include "engine/share.h"

#include <math.h>

struct link {
    struct share share;
    const char *name;
    double bytes_per_s, flow_cap;
};

/* Max-min with one cap for all: equal shares, unless the cap is less. */
static double rate(const void *ctx, long flows)
{
    const struct link *l = ctx;

    return fmin(l->flow_cap, l->bytes_per_s / (double)flows);
}

struct link *link_new(struct sim *sim, const char *name, double bytes_per_s, double flow_cap)
{
    struct link *l = ARENA_NEW(sim->arena, struct link);

    ASSERT(bytes_per_s > 0 && bytes_per_s < INFINITY && flow_cap >= 0);
    l->name = arena_strdup(sim->arena, name);
    l->bytes_per_s = bytes_per_s;
    l->flow_cap = flow_cap > 0 ? flow_cap : INFINITY;
    share_init(&l->share, sim, rate, l, 1, bytes_per_s);
    return l;
}

void link_send(struct link *l, double bytes, event_fn *done, void *self, uint64_t arg)
{
    share_add(&l->share, bytes, done, self, arg);
}

void link_begin_measuring(struct link *l)
{
    share_begin_measuring(&l->share);
}

struct link_stats link_stats(const struct link *l)
{
    double now = l->share.sim->now;

    return (struct link_stats){
        .utilization = level_mean(&l->share.flow, now) / l->bytes_per_s,
        .flows_mean = level_mean(&l->share.jobs, now),
        .bytes = share_work(&l->share),
    };
}
