#include "models/spark_app.h"

#include "engine/cores.h"
#include "engine/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FAILURE = 1 << 20, EXECUTOR = 1 << 21, SPREAD = 1 << 22 }; /* purposes of draws, beyond attempts */
enum { MATCH_ROUNDS = 12 };

struct run {
    const struct spark_app *app;
    struct sim *sim;
    struct spark_sched *sched;
    struct cores **cores; /* by executor of the scheduler */
    long *recorded;       /* its number, by recorded executor */
    long executors, room;
    struct spark_job_run **job;
};

/* A recorded job's stage of the application. */
static int stage_of(const struct run *r, const struct spark_task *t)
{
    return (int)(t->stage->def - r->app->stages);
}

static void work_ends(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)arg;
    spark_task_done(self);
}

/* A stage's spread is drawn from those seen; then its executors, then its tasks. */
static double noise(const struct run *r, const struct spark_task *t, int stage)
{
    uint64_t seed = r->sim->seed, s = (uint64_t)stage;
    const struct spark_spread *spread;
    double factor = 1;
    struct rng g;

    rng_keyed(&g, seed, r->sim->replication, s, 0, SPREAD);
    spread = &r->app->law.spread[rng_below(&g, (uint64_t)r->app->law.spread_n)];
    rng_keyed(&g, seed, r->sim->replication, s, (uint64_t)t->index, (uint64_t)t->attempt);
    factor *= spread->cv > 0 ? rng_lognormal(&g, 1, spread->cv) : 1;
    rng_keyed(&g, seed, r->sim->replication, s, (uint64_t)t->executor, EXECUTOR);
    return factor * (spread->executor_cv > 0 ? rng_lognormal(&g, 1, spread->executor_cv) : 1);
}

static double work_of(const struct run *r, const struct spark_task *t)
{
    const struct spark_law *law = &r->app->law;
    int stage = stage_of(r, t);
    double size = r->app->size != NULL && r->app->size[stage] != NULL ? r->app->size[stage][t->index] : 1;
    double b =
        spark_size_share(law, r->app->fixed_s != NULL ? r->app->fixed_s[stage] : 0, r->app->work_s[stage]);
    double work_s = r->app->work_s[stage] * (1 - b + b * size) * (t->cold ? 1 + law->warm_factor : 1);
    struct rng g;

    if (law->spread_n > 0 && t->stage->def->tasks > 1)
        work_s *= noise(r, t, stage);
    if (t->fails) { /* somewhere on the way */
        rng_keyed(&g, r->sim->seed, r->sim->replication, (uint64_t)stage, (uint64_t)t->index,
                  FAILURE + (uint64_t)t->attempt);
        work_s *= rng_uniform(&g);
    }
    return work_s;
}

static void work_begins(struct sim *sim, void *self, uint64_t arg)
{
    struct spark_task *t = self;
    struct run *r = (struct run *)(uintptr_t)arg;

    (void)sim;
    cores_use(r->cores[t->executor], work_of(r, t), work_ends, t, 0);
}

static void begin(void *ctx, struct spark_task *t)
{
    struct run *r = ctx;
    double warm_s = r->app->warm_s != NULL ? r->app->warm_s[stage_of(r, t)] : r->app->law.warm_s;
    double before_s = r->app->law.overhead_s + (t->cold ? warm_s : 0);

    sim_after(r->sim, before_s, work_begins, t, (uint64_t)(uintptr_t)r);
}

static void add_cores(struct run *r, long slots)
{
    double *speed = arena_array(r->sim->arena, (size_t)slots, sizeof *speed);

    for (long k = 0; k < slots; k++)
        speed[k] = 1 / (1 + r->app->law.contention * (slots > 1 ? (double)k / (double)(slots - 1) : 0));
    ASSERT(r->executors < r->room);
    r->cores[r->executors++] = cores_new(r->sim, "executor", slots, speed);
}

static void executor_comes(struct sim *sim, void *self, uint64_t arg)
{
    struct run *r = self;
    long slots = r->app->executors[arg].slots;

    (void)sim;
    add_cores(r, slots); /* first: adding it may launch tasks at once */
    r->recorded[arg] = spark_executor_add(r->sched, slots, false);
    ASSERT(r->recorded[arg] == r->executors - 1);
}

static void executor_goes(struct sim *sim, void *self, uint64_t arg)
{
    struct run *r = self;

    (void)sim;
    spark_executor_remove(r->sched, r->recorded[arg]);
}

static void job_comes(struct sim *sim, void *self, uint64_t arg)
{
    struct run *r = self;
    const struct spark_app_job *j = &r->app->jobs[arg];

    (void)sim;
    r->job[arg] = spark_submit(r->sched, r->app->stages + j->first, j->n, arg, NULL, NULL, 0);
}

/* The clock starts at 0: recorded executors may have come before the first job. */
static void schedule_all(struct run *r)
{
    const struct spark_app *app = r->app;

    for (int i = 0; i < app->executors_n; i++) {
        if (!isfinite(app->executors[i].from_s)) /* never */
            continue;
        sim_at(r->sim, fmax(0, app->executors[i].from_s), PRIO_FIRST, executor_comes, r, (uint64_t)i);
        if (isfinite(app->executors[i].to_s))
            sim_at(r->sim, fmax(0, app->executors[i].to_s), PRIO_LAST, executor_goes, r, (uint64_t)i);
    }
    for (int i = 0; i < app->jobs_n; i++)
        sim_at(r->sim, app->jobs[i].submit_s, PRIO_NORMAL, job_comes, r, (uint64_t)i);
}

static void read_job(const struct run *r, int i, struct spark_app_result *out)
{
    const struct spark_job_run *j = r->job[i];

    out->job_s[i] = j->ended_s < 0 ? NAN : j->ended_s - j->arrived_s;
    out->makespan_s = fmax(out->makespan_s, j->ended_s);
    for (int k = 0; k < j->n; k++) {
        const struct spark_stage_run *s = &j->stages[k];
        int stage = r->app->jobs[i].first + k;

        out->stage_s[stage] = s->finished ? s->ended_s - s->submitted_s : NAN;
        out->task_s[stage] = s->done > 0 ? s->task_s / (double)s->done : NAN;
        out->cold += s->cold;
        out->failed += s->failed;
        out->copies += s->copies;
    }
}

void spark_app_run(const struct spark_app *app, uint64_t seed, uint32_t replication, struct arena *a,
                   struct spark_app_result *out)
{
    struct sim *sim = sim_new(seed, replication);
    struct run r = {.app = app, .sim = sim, .room = app->executors_n};
    struct spark_usage u;

    ASSERT(app->policy.max_executors == 0); /* executors are recorded here; by policy: models/spark.c */
    r.cores = arena_array(sim->arena, (size_t)app->executors_n, sizeof(void *));
    r.recorded = arena_array(sim->arena, (size_t)app->executors_n, sizeof *r.recorded);
    r.job = arena_array(sim->arena, (size_t)app->jobs_n, sizeof(void *));
    r.sched = spark_sched_new(sim, &app->policy, begin, &r, seed);
    schedule_all(&r);
    sim_run(sim, INFINITY);
    *out = (struct spark_app_result){.events = sim->events};
    out->stage_s = arena_array(a, (size_t)app->stages_n, sizeof(double));
    out->task_s = arena_array(a, (size_t)app->stages_n, sizeof(double));
    out->job_s = arena_array(a, (size_t)app->jobs_n, sizeof(double));
    for (int i = 0; i < app->jobs_n; i++)
        read_job(&r, i, out);
    u = spark_usage(r.sched);
    out->slot_s = u.slot_s;
    out->busy_s = u.busy_s;
    sim_free(sim);
}

/* What is not work (overhead, cold starts) cannot be scaled away: then cold starts were shorter here. */
static void correct(double *work_s, double *warm_s, double task_s, double mean_s)
{
    double next_s = *work_s + (task_s - mean_s) * fmin(1, *work_s / mean_s);

    if (!(mean_s > 0))
        return;
    if (next_s < 0.2 * task_s && mean_s > task_s)
        *warm_s *= 0.7;
    *work_s = fmax(0.2 * task_s, next_s);
}

void spark_app_match(struct spark_app *app, double *work_s, const double *task_s, uint64_t seed,
                     uint32_t replications, struct arena *a)
{
    size_t n = (size_t)app->stages_n;
    double *mean = arena_array(a, n, sizeof *mean), *warm_s = arena_array(a, n, sizeof *warm_s);

    memcpy(work_s, task_s, n * sizeof *work_s);
    for (size_t i = 0; i < n; i++)
        warm_s[i] = app->law.warm_s;
    app->work_s = work_s;
    app->warm_s = warm_s;
    for (int round = 0; round < MATCH_ROUNDS; round++) {
        memset(mean, 0, n * sizeof *mean);
        for (uint32_t rep = 0; rep < replications; rep++) {
            struct spark_app_result r;

            spark_app_run(app, seed, rep, a, &r);
            for (size_t i = 0; i < n; i++)
                mean[i] += r.task_s[i] / replications;
        }
        for (size_t i = 0; i < n; i++)
            correct(&work_s[i], &warm_s[i], task_s[i], mean[i]);
    }
}
