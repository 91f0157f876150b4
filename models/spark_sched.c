#include "models/spark_parts.h"

#include "engine/rng.h"

#include <math.h>
#include <stdlib.h>

const char *const spark_order_names[] = {"fifo", "fair", NULL};

enum { FAILS = 1 }; /* purpose of a draw */

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

long spark_waiting(const struct spark_sched *s)
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

void spark_dispatch(struct spark_sched *s)
{
    struct spark_stage_run *r;
    struct executor *e;

    while ((r = choose_stage(s)) != NULL && (e = choose_executor(s)) != NULL)
        launch(s, r, e);
}

/* ------------------------------------------------------- stages and jobs */

static void stage_opens(struct sim *sim, void *self, uint64_t arg)
{
    struct spark_sched *s = self;
    struct spark_stage_run *r = (struct spark_stage_run *)(uintptr_t)arg;

    (void)sim;
    r->open = true;
    spark_dispatch(s);
    spark_need_help(s);
    spark_watch_stragglers(s);
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
        spark_watch_idle(s, e);
    spark_dispatch(s);
    spark_need_help(s);
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
