#include "models/spark_sched.h"

#include "engine/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const spark_order_names[] = {"fifo", "fair", NULL};

enum task_state { WAITS = 0, RUNS = 1, COPIED = 2, DONE = 4 };
enum { FAILS = 1 }; /* purpose of a draw */

struct executor {
    long slots, busy;
    bool alive, goes_when_idle;
    double since_s, idle_since_s;
    bool *warm; /* by code: a task of it has finished here */
};

struct spark_sched {
    struct sim *sim;
    struct spark_policy policy;
    spark_begin_fn *begin;
    void *ctx;
    uint64_t luck_source;
    struct executor *executor;
    long executors, room, alive, alive_max, coming, ask;
    struct spark_stage_run *first, *last; /* open or to be opened, in order of submission */
    double slot_s, busy_s;
    bool speculation_ticks, allocation_ticks;
};

struct spark_sched *spark_sched_new(struct sim *sim, const struct spark_policy *p, spark_begin_fn *begin,
                                    void *ctx, uint64_t luck_source)
{
    struct spark_sched *s = ARENA_NEW(sim->arena, struct spark_sched);

    ASSERT(p->codes >= 0 && p->fail_prob >= 0 && p->fail_prob < 1);
    s->sim = sim;
    s->policy = *p;
    s->begin = begin;
    s->ctx = ctx;
    s->luck_source = luck_source;
    s->ask = 1;
    for (long i = 0; i < p->min_executors && p->max_executors > 0; i++)
        spark_executor_add(s, p->slots, true);
    return s;
}

/* ------------------------------------------------------------ launching */

static long waiting(const struct spark_stage_run *r)
{
    return r->open ? r->def->tasks - r->next + r->again_n : 0;
}

static long all_waiting(const struct spark_sched *s)
{
    long n = 0;

    for (const struct spark_stage_run *r = s->first; r != NULL; r = r->later)
        n += waiting(r);
    return n;
}

static struct spark_stage_run *choose_stage(const struct spark_sched *s)
{
    struct spark_stage_run *best = NULL;

    for (struct spark_stage_run *r = s->first; r != NULL; r = r->later) {
        if (waiting(r) == 0)
            continue;
        if (s->policy.order == SPARK_FIFO)
            return r;
        if (best == NULL || r->running < best->running)
            best = r;
    }
    return best;
}

static struct executor *choose_executor(const struct spark_sched *s)
{
    struct executor *best = NULL;

    for (long i = 0; i < s->executors; i++) {
        struct executor *e = &s->executor[i];

        if (e->alive && e->slots > e->busy && (best == NULL || e->slots - e->busy > best->slots - best->busy))
            best = e;
    }
    return best;
}

static bool attempt_fails(const struct spark_sched *s, const struct spark_task *t)
{
    struct rng r;

    if (s->policy.fail_prob == 0)
        return false;
    rng_keyed(&r, s->sim->seed, s->sim->replication, s->luck_source, t->stage->job->key,
              (uint64_t)(t->stage - t->stage->job->stages) << 40 ^ (uint64_t)t->index << 8 ^
                  (uint64_t)t->attempt << 4 ^ FAILS);
    return rng_uniform(&r) < s->policy.fail_prob;
}

static void launch(struct spark_sched *s, struct spark_stage_run *r, struct executor *e)
{
    struct spark_task *t = ARENA_NEW(s->sim->arena, struct spark_task);

    t->sched = s;
    t->stage = r;
    t->executor = e - s->executor;
    t->index = r->again_n > 0 ? r->again[--r->again_n] : r->next++;
    t->attempt = r->attempts[t->index]++;
    r->launched++;
    r->alive[t->index]++;
    t->cold = !e->warm[r->def->code];
    t->fails = attempt_fails(s, t);
    t->began_s = s->sim->now;
    if (r->state[t->index] == WAITS) {
        r->state[t->index] = RUNS;
        r->began[t->index] = s->sim->now;
    }
    r->cold += t->cold;
    r->running++;
    e->busy++;
    s->begin(s->ctx, t);
}

static void dispatch(struct spark_sched *s)
{
    struct spark_stage_run *r;
    struct executor *e;

    while ((r = choose_stage(s)) != NULL && (e = choose_executor(s)) != NULL)
        launch(s, r, e);
}

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
    dispatch(s);
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
    if (all_waiting(s) == 0) {
        s->ask = 1;
        return;
    }
    for (const struct spark_stage_run *r = s->first; r != NULL; r = r->later)
        running += r->running;
    wanted = (all_waiting(s) + running + p->slots - 1) / p->slots;
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

static void watch_idle(struct spark_sched *s, struct executor *e)
{
    e->idle_since_s = s->sim->now;
    if (e->goes_when_idle && s->policy.idle_s > 0)
        sim_after(s->sim, s->policy.idle_s, idle_check, s, (uint64_t)(e - s->executor));
}

static void need_help(struct spark_sched *s)
{
    if (s->policy.max_executors > 0 && !s->allocation_ticks && all_waiting(s) > 0) {
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
    watch_idle(s, e);
    dispatch(s);
    return s->executors - 1;
}

void spark_executor_remove(struct spark_sched *s, long executor)
{
    ASSERT(executor >= 0 && executor < s->executors);
    if (s->executor[executor].alive)
        leave_executor(s, &s->executor[executor]);
}

/* ------------------------------------------------------- stages and jobs */

static void stage_opens(struct sim *sim, void *self, uint64_t arg)
{
    struct spark_sched *s = self;
    struct spark_stage_run *r = (struct spark_stage_run *)(uintptr_t)arg;

    r->open = true;
    dispatch(s);
    need_help(s);
    if (s->policy.speculation && !s->speculation_ticks) {
        s->speculation_ticks = true;
        sim_after(sim, s->policy.speculation_period_s, speculation_tick, s, 0);
    }
}

static bool parents_are_done(const struct spark_stage_run *r)
{
    for (int i = 0; i < r->def->parents_n; i++)
        if (!r->job->stages[r->def->parents[i]].finished)
            return false;
    return true;
}

static void submit_ready(struct spark_sched *s, struct spark_job_run *j)
{
    for (int i = 0; i < j->n; i++) {
        struct spark_stage_run *r = &j->stages[i];

        if (r->submitted_s >= 0 || !parents_are_done(r))
            continue;
        r->submitted_s = s->sim->now;
        if (s->last == NULL)
            s->first = r;
        else
            s->last->later = r;
        s->last = r;
        sim_after(s->sim, s->policy.stage_delay_s, stage_opens, s, (uint64_t)(uintptr_t)r);
    }
}

struct spark_job_run *spark_submit(struct spark_sched *s, const struct spark_stage *stages, int n,
                                   uint64_t key, event_fn *done, void *self, uint64_t arg)
{
    struct arena *a = s->sim->arena;
    struct spark_job_run *j = ARENA_NEW(a, struct spark_job_run);

    ASSERT(n > 0);
    *j = (struct spark_job_run){.key = key,
                                .n = n,
                                .arrived_s = s->sim->now,
                                .ended_s = -1,
                                .done = done,
                                .self = self,
                                .arg = arg,
                                .left = n};
    j->stages = arena_array(a, (size_t)n, sizeof *j->stages);
    for (int i = 0; i < n; i++) {
        struct spark_stage_run *r = &j->stages[i];
        size_t tasks = (size_t)stages[i].tasks;

        ASSERT(stages[i].tasks > 0 && stages[i].code >= 0 && stages[i].code <= s->policy.codes);
        *r = (struct spark_stage_run){.def = &stages[i], .job = j, .submitted_s = -1, .ended_s = -1};
        r->again = arena_array(a, tasks, sizeof *r->again);
        r->began = arena_array(a, tasks, sizeof *r->began);
        r->took = arena_array(a, tasks, sizeof *r->took);
        r->state = arena_array(a, tasks, 1);
        r->alive = arena_array(a, tasks, 1);
        r->attempts = arena_array(a, tasks, sizeof *r->attempts);
    }
    submit_ready(s, j);
    return j;
}

static void forget(struct spark_sched *s, const struct spark_stage_run *gone)
{
    struct spark_stage_run *before = NULL;

    for (struct spark_stage_run *r = s->first; r != gone; r = r->later)
        before = r;
    if (before == NULL)
        s->first = gone->later;
    else
        before->later = gone->later;
    if (s->last == gone)
        s->last = before;
}

static void stage_ends(struct spark_sched *s, struct spark_stage_run *r)
{
    struct spark_job_run *j = r->job;

    r->open = false;
    r->finished = true;
    r->ended_s = s->sim->now;
    forget(s, r);
    if (--j->left == 0) {
        j->ended_s = s->sim->now;
        if (j->done != NULL)
            sim_after(s->sim, 0, j->done, j->self, j->arg);
    } else
        submit_ready(s, j);
}

/* A copy that was ordered and not launched yet. */
static bool is_queued(const struct spark_stage_run *r, long index)
{
    for (long i = 0; i < r->again_n; i++)
        if (r->again[i] == index)
            return true;
    return false;
}

static void withdraw(struct spark_stage_run *r, long index)
{
    for (long i = 0; i < r->again_n; i++)
        if (r->again[i] == index) {
            r->again[i] = r->again[--r->again_n];
            return;
        }
}

void spark_task_done(struct spark_task *t)
{
    struct spark_sched *s = t->sched;
    struct spark_stage_run *r = t->stage;
    struct executor *e = &s->executor[t->executor];
    double took_s = s->sim->now - t->began_s;

    r->running--;
    e->busy--;
    s->busy_s += took_s;
    e->warm[r->def->code] = true;
    r->alive[t->index]--;
    if (t->fails && r->state[t->index] != DONE) {
        r->failed++;
        if (r->alive[t->index] == 0 && !is_queued(r, t->index)) {
            r->state[t->index] = WAITS;
            r->again[r->again_n++] = t->index;
        }
    } else if (r->state[t->index] != DONE) {
        r->state[t->index] = DONE;
        withdraw(r, t->index);
        r->took[r->done++] = took_s;
        r->task_s += took_s;
        if (r->done == r->def->tasks)
            stage_ends(s, r);
    }
    if (e->busy == 0 && e->alive)
        watch_idle(s, e);
    dispatch(s);
    need_help(s);
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

/* Graham's two bounds; the larger holds for every schedule. */
double spark_bound_s(const struct spark_stage *stages, int n, const double *mean_task_s,
                     const double *longest_task_s, double slots)
{
    double work = 0, chain = 0, *until = xcalloc((size_t)n, sizeof *until);

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < stages[i].parents_n; k++)
            until[i] = fmax(until[i], until[stages[i].parents[k]]);
        until[i] += longest_task_s[i];
        chain = fmax(chain, until[i]);
        work += mean_task_s[i] * (double)stages[i].tasks;
    }
    free(until);
    return fmax(work / slots, chain);
}
