#include "models/spark_parts.h"

#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------- speculation */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void copy_stragglers(struct spark_sched *s, struct spark_stage_run *r)
{
    double limit_s;

    if (!r->open || (double)r->done < s->policy.speculation_quantile * (double)r->def->tasks || r->done == 0)
        return;
    qsort(r->took, (size_t)r->done, sizeof *r->took, ascending);
    limit_s = s->policy.speculation_multiplier * r->took[r->done / 2];
    for (long i = 0; i < r->next; i++)
        if (r->state[i] == RUNS && s->sim->now - r->began[i] > limit_s) {
            r->state[i] = COPIED;
            r->again[r->again_n++] = i;
            r->copies++;
        }
}

static void speculation_tick(struct sim *sim, void *self, uint64_t arg)
{
    struct spark_sched *s = self;

    (void)arg;
    for (struct spark_stage_run *r = s->first; r != NULL; r = r->later)
        copy_stragglers(s, r);
    s->speculation_ticks = s->first != NULL;
    if (s->speculation_ticks)
        sim_after(sim, s->policy.speculation_period_s, speculation_tick, s, 0);
    spark_dispatch(s);
}

void spark_watch_stragglers(struct spark_sched *s)
{
    if (!s->policy.speculation || s->speculation_ticks)
        return;
    s->speculation_ticks = true;
    sim_after(s->sim, s->policy.speculation_period_s, speculation_tick, s, 0);
}

/* ------------------------------------------------------------ allocation */

static void leave_executor(struct spark_sched *s, struct executor *e)
{
    e->alive = false;
    s->alive--;
    s->slot_s += (double)e->slots * (s->sim->now - e->since_s);
}

static void executor_arrives(struct sim *sim, void *self, uint64_t arg)
{
    struct spark_sched *s = self;

    (void)sim;
    (void)arg;
    s->coming--;
    spark_executor_add(s, s->policy.slots, true);
}

static void allocation_tick(struct sim *sim, void *self, uint64_t arg)
{
    struct spark_sched *s = self;
    const struct spark_policy *p = &s->policy;
    long running = 0, wanted;

    (void)arg;
    s->allocation_ticks = false;
    if (spark_waiting(s) == 0) {
        s->ask = 1;
        return;
    }
    for (const struct spark_stage_run *r = s->first; r != NULL; r = r->later)
        running += r->running;
    wanted = (spark_waiting(s) + running + p->slots - 1) / p->slots;
    wanted = wanted < p->max_executors ? wanted : p->max_executors;
    for (long i = 0; i < s->ask && s->alive + s->coming < wanted; i++) {
        s->coming++;
        sim_after(sim, p->start_s, executor_arrives, s, 0);
    }
    s->ask *= 2;
    s->allocation_ticks = true;
    sim_after(sim, p->backlog_s, allocation_tick, s, 0);
}

static void idle_check(struct sim *sim, void *self, uint64_t arg)
{
    struct spark_sched *s = self;
    struct executor *e = &s->executor[arg];

    if (e->alive && e->busy == 0 && s->alive > s->policy.min_executors &&
        sim->now - e->idle_since_s >= s->policy.idle_s * (1 - 1e-9))
        leave_executor(s, e);
}

void spark_watch_idle(struct spark_sched *s, struct executor *e)
{
    e->idle_since_s = s->sim->now;
    if (e->goes_when_idle && s->policy.idle_s > 0)
        sim_after(s->sim, s->policy.idle_s, idle_check, s, (uint64_t)(e - s->executor));
}

void spark_need_help(struct spark_sched *s)
{
    if (s->policy.max_executors > 0 && !s->allocation_ticks && spark_waiting(s) > 0) {
        s->allocation_ticks = true;
        sim_after(s->sim, s->policy.backlog_s, allocation_tick, s, 0);
    }
}

long spark_executor_add(struct spark_sched *s, long slots, bool goes_when_idle)
{
    struct executor *e;

    ASSERT(slots > 0);
    if (s->executors == s->room) {
        long room = s->room > 0 ? 2 * s->room : 16;
        struct executor *more = arena_array(s->sim->arena, (size_t)room, sizeof *more);

        if (s->executors > 0)
            memcpy(more, s->executor, (size_t)s->executors * sizeof *more);
        s->executor = more;
        s->room = room;
    }
    e = &s->executor[s->executors++];
    *e = (struct executor){
        .slots = slots, .alive = true, .goes_when_idle = goes_when_idle, .since_s = s->sim->now};
    e->warm = arena_array(s->sim->arena, (size_t)s->policy.codes + 1, sizeof *e->warm);
    s->alive++;
    s->alive_max = s->alive > s->alive_max ? s->alive : s->alive_max;
    spark_watch_idle(s, e);
    spark_dispatch(s);
    return s->executors - 1;
}

void spark_executor_remove(struct spark_sched *s, long executor)
{
    ASSERT(executor >= 0 && executor < s->executors);
    if (s->executor[executor].alive)
        leave_executor(s, &s->executor[executor]);
}

struct spark_usage spark_usage(struct spark_sched *s)
{
    struct spark_usage u = {
        .slot_s = s->slot_s, .busy_s = s->busy_s, .executors = s->alive, .executors_max = s->alive_max};

    for (long i = 0; i < s->executors; i++)
        if (s->executor[i].alive)
            u.slot_s += (double)s->executor[i].slots * (s->sim->now - s->executor[i].since_s);
    return u;
}
