#include "pipeline/flow_parts.h"

#include <math.h>

/*
 * How many servers there are: those ordered, less those that are broken or away.  Jobs on servers that vanish
 * are interrupted and resume where they stopped.
 */
struct supply {
    struct resource_rt *r;
    struct sim *sim;
    long ordered, coming, broken, away;
    struct rng rng;
    double seen_s; /* busy server seconds up to the last decision of the autoscaler */
};

static void apply(struct supply *s)
{
    double now = s->sim->now;
    long servers = s->ordered - s->broken - s->away;

    servers = servers > 0 ? servers : 0;
    desk_set_servers(s->r->desk, servers);
    level_set(&s->r->servers, now, (double)servers);
}

/* ------------------------------------------------------------ failures */

static void repaired(struct sim *sim, void *self, uint64_t arg);

static void fails(struct sim *sim, void *self, uint64_t arg)
{
    struct supply *s = self;

    s->broken++;
    apply(s);
    sim_after(sim, law_draw(&s->r->def->failures->repair, &s->rng), repaired, s, arg);
}

static void repaired(struct sim *sim, void *self, uint64_t arg)
{
    struct supply *s = self;

    s->broken--;
    apply(s);
    sim_after(sim, law_draw(&s->r->def->failures->mtbf, &s->rng), fails, s, arg);
}

/* ------------------------------------------------------------ maintenance */

static void back_in_service(struct sim *sim, void *self, uint64_t arg)
{
    struct supply *s = self;

    (void)sim;
    (void)arg;
    s->away -= s->r->def->maintenance->servers;
    apply(s);
}

static void out_of_service(struct sim *sim, void *self, uint64_t arg)
{
    struct supply *s = self;
    const struct maintenance *m = s->r->def->maintenance;

    s->away += m->servers;
    apply(s);
    sim_after(sim, m->lasts, back_in_service, s, arg);
    sim_after(sim, m->every, out_of_service, s, arg);
}

/* ------------------------------------------------------------ autoscaling */

static void order_arrives(struct sim *sim, void *self, uint64_t servers)
{
    struct supply *s = self;

    (void)sim;
    s->coming -= (long)servers;
    s->ordered += (long)servers;
    apply(s);
}

/* The next period begins; those of the schedule are there, since they were ordered in time. */
static void next_period(struct sim *sim, void *self, uint64_t period)
{
    struct supply *s = self;
    const struct autoscale *a = s->r->def->autoscale;

    s->ordered = a->schedule[period % (uint64_t)a->schedule_n];
    apply(s);
    sim_after(sim, a->period, next_period, s, period + 1);
}

/* New ones come after the delay, and count until then; those not needed go at once. */
static void decide(struct sim *sim, void *self, uint64_t arg)
{
    struct supply *s = self;
    const struct autoscale *a = s->r->def->autoscale;
    double busy_s = desk_busy_s(s->r->desk), load = (busy_s - s->seen_s) / a->period;
    long wanted = (long)ceil(load / a->target - 1e-9), more;

    wanted = wanted < a->min ? a->min : wanted > a->max ? a->max : wanted;
    more = wanted - s->ordered - s->coming;
    s->seen_s = busy_s;
    if (more > 0) {
        s->coming += more;
        sim_after(sim, a->delay, order_arrives, s, (uint64_t)more);
    } else if (wanted < s->ordered) {
        s->ordered = wanted;
        apply(s);
    }
    sim_after(sim, a->period, decide, s, arg);
}

/* ------------------------------------------------------------ beginning */

void supply_begin(struct flow *f, struct resource_rt *r)
{
    struct supply *s = ARENA_NEW(f->sim->arena, struct supply);
    const struct resource *def = r->def;

    *s = (struct supply){.r = r, .sim = f->sim, .ordered = def->count};
    r->supply = s;
    level_start(&r->servers, f->sim->now, (double)def->count);
    rng_stream(&s->rng, f->sim->seed, f->sim->replication,
               arena_printf(f->sim->arena, "supply.%s", def->name));
    for (long i = 0; def->failures != NULL && i < def->count; i++)
        sim_after(f->sim, law_draw(&def->failures->mtbf, &s->rng), fails, s, (uint64_t)i);
    if (def->maintenance != NULL)
        sim_after(f->sim, def->maintenance->first, out_of_service, s, 0);
    if (def->autoscale != NULL && def->autoscale->schedule != NULL)
        sim_after(f->sim, def->autoscale->period, next_period, s, 1);
    else if (def->autoscale != NULL)
        sim_after(f->sim, def->autoscale->period, decide, s, 0);
}

void supply_begin_measuring(struct resource_rt *r, double now)
{
    r->supply->seen_s -= desk_busy_s(r->desk);
    desk_begin_measuring(r->desk);
    level_start(&r->servers, now, r->servers.value);
}
