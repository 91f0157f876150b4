#include "engine/join.h"

struct join {
    struct joins *all;
    long parts, left;
    double opened_s, first_s;
    event_fn *done;
    void *self;
    uint64_t arg;
    struct join *next; /* in the list of those free for reuse */
};

struct joins {
    struct sim *sim;
    struct join *free;
    long open_count;
    struct level open;
    struct tally sojourn_s, wait_s;
};

static long waiting(const void *joins)
{
    return ((const struct joins *)joins)->open_count;
}

struct joins *joins_new(struct sim *sim, const char *name)
{
    struct joins *js = ARENA_NEW(sim->arena, struct joins);

    js->sim = sim;
    joins_begin_measuring(js);
    sim_watch(sim, "for all parts of", arena_strdup(sim->arena, name), true, waiting, js);
    return js;
}

struct join *join_open(struct joins *js, long parts, event_fn *done, void *self, uint64_t arg)
{
    struct join *j = js->free;

    ASSERT(parts > 0 && done != NULL);
    if (j != NULL)
        js->free = j->next;
    else
        j = ARENA_NEW(js->sim->arena, struct join);
    *j = (struct join){.all = js, .parts = parts, .left = parts, .opened_s = js->sim->now, .done = done};
    j->self = self;
    j->arg = arg;
    level_set(&js->open, js->sim->now, (double)++js->open_count);
    return j;
}

void join_arrive(struct sim *sim, void *join, uint64_t arg)
{
    struct join *j = join, ended;
    struct joins *js = j->all;

    (void)arg;
    ASSERT(j->left > 0);
    if (j->left == j->parts)
        j->first_s = sim->now;
    if (--j->left > 0)
        return;
    tally_add(&js->sojourn_s, sim->now - j->opened_s);
    tally_add(&js->wait_s, sim->now - j->first_s);
    level_set(&js->open, sim->now, (double)--js->open_count);
    ended = *j;
    j->next = js->free;
    js->free = j;
    ended.done(sim, ended.self, ended.arg);
}

void joins_begin_measuring(struct joins *js)
{
    level_start(&js->open, js->sim->now, (double)js->open_count);
    js->sojourn_s = js->wait_s = (struct tally){0};
}

struct joins_stats joins_stats(const struct joins *js)
{
    return (struct joins_stats){
        .open_mean = level_mean(&js->open, js->sim->now), .sojourn_s = js->sojourn_s, .wait_s = js->wait_s};
}
