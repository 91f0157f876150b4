#include "engine/gather.h"

#include "engine/law_check.h"

#include <math.h>

struct gather {
    struct sim *sim;
    long size, count;
    double timeout_s;
    gather_fn *ready;
    void *self;
    void **item, **leaving; /* two arrays: a batch that leaves may bring the next item in */
    double *came_s;
    event_id timeout;
    struct level inside;
    struct tally sizes, wait_s;
    uint64_t timed_out;
    double start_s, waited_s, steps; /* for Little's law: waits that fall into the measured time */
};

static long waiting(const void *gather)
{
    return ((const struct gather *)gather)->count;
}

struct gather *gather_new(struct sim *sim, const char *name, long size, double timeout_s, gather_fn *ready,
                          void *self)
{
    struct gather *g = ARENA_NEW(sim->arena, struct gather);

    ASSERT(size > 0 && timeout_s >= 0 && timeout_s < INFINITY && ready != NULL);
    g->sim = sim;
    g->size = size;
    g->timeout_s = timeout_s;
    g->ready = ready;
    g->self = self;
    g->item = arena_array(sim->arena, (size_t)size, sizeof *g->item);
    g->leaving = arena_array(sim->arena, (size_t)size, sizeof *g->leaving);
    g->came_s = arena_array(sim->arena, (size_t)size, sizeof *g->came_s);
    gather_begin_measuring(g);
    sim_watch(sim, "for others to fill a batch in", arena_strdup(sim->arena, name), true, waiting, g);
    return g;
}

static void leave(struct gather *g)
{
    double now = g->sim->now;
    long n = g->count;
    void **items = g->item;

    for (long i = 0; i < n; i++) {
        tally_add(&g->wait_s, now - g->came_s[i]);
        g->waited_s += now - fmax(g->came_s[i], g->start_s);
    }
    tally_add(&g->sizes, (double)n);
    g->item = g->leaving;
    g->leaving = items;
    g->count = 0;
    g->steps++;
    level_set(&g->inside, now, 0);
    if (g->timeout != 0)
        sim_cancel(g->sim, g->timeout);
    g->timeout = 0;
    g->ready(g->sim, g->self, items, n);
}

static void timed_out(struct sim *sim, void *self, uint64_t arg)
{
    struct gather *g = self;

    (void)sim;
    (void)arg;
    g->timeout = 0;
    g->timed_out++;
    leave(g);
}

void gather_add(struct gather *g, void *item)
{
    g->came_s[g->count] = g->sim->now;
    g->item[g->count++] = item;
    level_set(&g->inside, g->sim->now, (double)g->count);
    if (g->count == g->size)
        leave(g);
    else if (g->count == 1 && g->timeout_s > 0)
        g->timeout = sim_after(g->sim, g->timeout_s, timed_out, g, 0);
}

void gather_flush(struct gather *g)
{
    if (g->count > 0)
        leave(g);
}

void gather_begin_measuring(struct gather *g)
{
    level_start(&g->inside, g->sim->now, (double)g->count);
    g->sizes = g->wait_s = (struct tally){0};
    g->timed_out = 0;
    g->start_s = g->sim->now;
    g->waited_s = g->steps = 0;
}

struct gather_stats gather_stats(const struct gather *g)
{
    double now = g->sim->now, waits = g->waited_s, area = level_area(&g->inside, now);

    for (long i = 0; i < g->count; i++)
        waits += now - fmax(g->came_s[i], g->start_s);
    ASSERT(law_holds(area, waits, now * (double)g->size, g->steps));
    return (struct gather_stats){
        .inside_mean = level_mean(&g->inside, now),
        .size = g->sizes,
        .wait_s = g->wait_s,
        .timed_out = g->timed_out,
    };
}
