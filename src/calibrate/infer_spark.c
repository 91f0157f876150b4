/*
 * infer_spark.c - an ETL application from a Spark event log.
 *
 * The stages that ran become stages of one job, in the order of the log, with the
 * tasks' own times as their cost: what a task read, shuffled and wrote is in there.  Tasks that were the
 * first of their code on an executor are told apart, since the model makes them slow by itself. A job waits
 * for the job that ended last before it was submitted; what the driver did in between is a stage of one task.
 * Executors are those that ran tasks.
 *
 * The log shows one application, so nothing says how much the next one would vary;
 * what is recorded is one number without an interval.
 */
#include "calibrate/infer_parts.h"

#include "calibrate/spark_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STAGES = 256, LEAST_WARM = 4 };

struct spark_work {
    const struct infer_source *src;
    struct spark_log log;
    struct json *list; /* of the scenario's stages */
    double executors, slots;
};

static const char *stage_name(const struct spark_work *w, int stage)
{
    return arena_printf(w->src->arena, "stage %d", w->log.stages[stage].id);
}

static const char *driver_name(const struct spark_work *w, int job)
{
    return arena_printf(w->src->arena, "driver before job %d", w->log.job_id[job]);
}

/* The job that ended last before this one was submitted; -1: the first. */
static int job_before(const struct spark_log *log, int job)
{
    double submit = log->app.jobs[job].submit_s;
    int last = -1;

    for (int i = 0; i < log->app.jobs_n; i++)
        if (i != job && log->app.jobs[i].n > 0 && log->job_end_s[i] <= submit + 1e-3 &&
            (last < 0 || log->job_end_s[i] > log->job_end_s[last]))
            last = i;
    return last;
}

static struct json *add_stage(struct spark_work *w, const char *name, double tasks)
{
    struct json *st = json_push(w->list, json_new_object());

    json_set_string(st, "name", name);
    json_set_number(st, "tasks", tasks);
    return st;
}

/* The stages of a job that no other stage of it waits for: when they are done, it is. */
static void wait_for_job(struct spark_work *w, int job, struct json *after)
{
    const struct spark_app_job *j = &w->log.app.jobs[job];

    for (int i = 0; i < j->n; i++) {
        bool waited_for = false;

        for (int k = 0; k < j->n; k++)
            for (int p = 0; p < w->log.app.stages[j->first + k].parents_n; p++)
                waited_for = waited_for || w->log.app.stages[j->first + k].parents[p] == i;
        if (!waited_for)
            json_push(after, json_new_string(stage_name(w, j->first + i)));
    }
}

static void add_driver(struct spark_work *w, int job)
{
    int before = job_before(&w->log, job);
    struct json *st = add_stage(w, driver_name(w, job), 1);

    json_set_number(st, "cpu",
                    before < 0 ? fmax(0, w->log.app.jobs[job].submit_s)
                               : fmax(0, w->log.app.jobs[job].submit_s - w->log.job_end_s[before]));
    if (before >= 0)
        wait_for_job(w, before, json_set_array(st, "after"));
}

/* The times of the warm tasks of a stage; of all when fewer than LEAST_WARM were warm. */
static double *task_times(const struct spark_work *w, int stage, size_t *n, double *cold_extra)
{
    const struct spark_log_stage *s = &w->log.stages[stage];
    double *x = arena_array(w->src->arena, (size_t)s->tasks + 1, sizeof *x);
    struct tally cold = {0}, warm = {0};

    *n = 0;
    *cold_extra = 0;
    for (long i = 0; i < s->tasks; i++) {
        const struct spark_log_task *t = &w->log.tasks[s->first + i];

        tally_add(t->cold ? &cold : &warm, t->finish_s - t->launch_s);
        if (!t->cold)
            x[(*n)++] = t->finish_s - t->launch_s;
    }
    if (warm.n >=
        LEAST_WARM) { /* the first tasks on every slot will be cold, so that all work is as recorded */
        double first = fmin((double)s->tasks, w->executors * w->slots);

        *cold_extra = cold.n > 0 ? fmax(0, (cold.mean - warm.mean) * (double)cold.n / first) : 0;
        return x;
    }
    *n = (size_t)s->tasks;
    for (long i = 0; i < s->tasks; i++)
        x[i] = w->log.tasks[s->first + i].finish_s - w->log.tasks[s->first + i].launch_s;
    return x;
}

/* Relative half-width of the work of all stages: their means are known to s / sqrt(n) each. */
static double work_error(const struct spark_work *w)
{
    double variance = 0, total = 0;

    for (int k = 0; k < w->log.app.stages_n; k++) {
        struct tally t = {0};
        double cold_extra;
        size_t n;
        const double *x = task_times(w, k, &n, &cold_extra);

        for (size_t i = 0; i < n; i++)
            tally_add(&t, x[i]);
        if (t.n < 2)
            continue;
        total += (double)w->log.stages[k].tasks * t.mean;
        variance += (double)w->log.stages[k].tasks * (double)w->log.stages[k].tasks * tally_variance(&t) /
                    (double)t.n;
    }
    return total > 0 ? 1.96 * sqrt(variance) / total : 0;
}

static void add_stages(struct spark_work *w, int job)
{
    const struct spark_app_job *j = &w->log.app.jobs[job];

    add_driver(w, job);
    for (int i = 0; i < j->n; i++) {
        const struct spark_stage *def = &w->log.app.stages[j->first + i];
        struct json *st = add_stage(w, stage_name(w, j->first + i), (double)def->tasks), *after;
        double cold_extra;
        size_t n;
        const double *x = task_times(w, j->first + i, &n, &cold_extra);

        json_set(st, "cpu", infer_values(w->src, x, n));
        json_set_number(st, "warm", cold_extra);
        after = json_set_array(st, "after");
        for (int p = 0; p < def->parents_n; p++)
            json_push(after, json_new_string(stage_name(w, j->first + def->parents[p])));
        if (def->parents_n == 0)
            json_push(after, json_new_string(driver_name(w, job)));
    }
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double ready_s(const struct spark_log *log, const struct spark_app_job *job, int stage)
{
    double ready = job->submit_s;

    for (int p = 0; p < log->app.stages[stage].parents_n; p++)
        ready = fmax(ready, log->stages[job->first + log->app.stages[stage].parents[p]].end_s);
    return ready;
}

/*
 * From the end of a stage's parents, or the submission of its job, to its first task: the median, since
 * stages that wait for slots as well say more than the scheduler's part.
 */
static double stage_delay(const struct spark_work *w)
{
    const struct spark_log *log = &w->log;
    double *delay = arena_array(w->src->arena, (size_t)log->app.stages_n + 1, sizeof *delay);
    size_t n = 0;

    for (int j = 0; j < log->app.jobs_n; j++)
        for (int i = 0; i < log->app.jobs[j].n; i++) {
            const struct spark_log_stage *s = &log->stages[log->app.jobs[j].first + i];
            double launch = INFINITY, ready = ready_s(log, &log->app.jobs[j], log->app.jobs[j].first + i);

            for (long t = 0; t < s->tasks; t++)
                launch = fmin(launch, log->tasks[s->first + t].launch_s);
            if (launch >= ready && isfinite(launch))
                delay[n++] = launch - ready;
        }
    qsort(delay, n, sizeof *delay, by_time);
    return n > 0 ? delay[n / 2] : 0;
}

/* Executors that ran tasks, and the slots of the largest. */
static void count_executors(const struct spark_log *log, double *executors, double *slots)
{
    *executors = *slots = 0;
    for (int e = 0; e < log->app.executors_n; e++) {
        bool ran = false;

        for (size_t t = 0; t < log->tasks_n; t++)
            ran = ran || log->tasks[t].executor == e;
        *executors += ran;
        *slots = fmax(*slots, ran ? (double)log->app.executors[e].slots : 0);
    }
}

/* The most executors that were there at the same time, and when the first came. */
static long most_executors(const struct spark_log *log, double *first_s)
{
    long most = 0;

    *first_s = INFINITY;
    for (int e = 0; e < log->app.executors_n; e++) {
        double at = log->app.executors[e].from_s;
        long there = 0;

        for (int k = 0; k < log->app.executors_n; k++)
            there += log->app.executors[k].from_s <= at && log->app.executors[k].to_s > at;
        most = there > most ? there : most;
        *first_s = fmin(*first_s, at);
    }
    return most;
}

/* More executors than ever were there at once: they came when tasks waited and went when idle. */
static void describe_allocation(const struct spark_work *w, struct json *tree, struct json *params)
{
    double first_s;
    long most = most_executors(&w->log, &first_s);

    if (w->executors <= (double)most) {
        infer_assume(tree, "stages.application.params.executors",
                     "all executors that ran tasks are there from the beginning to the end");
        return;
    }
    json_set_number(params, "max_executors", (double)most);
    infer_assume(tree, "stages.application.params.idle",
                 "after how long idle executors went is Spark's default");
    if (first_s > 0)
        json_set_number(params, "start", first_s);
    else
        infer_assume(tree, "stages.application.params.start",
                     "how long an executor takes to come is a default");
}

static void describe(struct spark_work *w, struct json *tree)
{
    double executors = w->executors, slots = w->slots;
    struct json *params, *on;

    infer_resource(tree, "cores", "cores", executors * slots);
    infer_resource(tree, "disk", "disk", 1);
    json_remove(json_get_mutable(json_get_mutable(tree, "resources"), "disk"), "count");
    params = infer_stage(tree, "application", "spark", "cpu", "cores");
    on = json_get_mutable(json_at_mutable(json_get_mutable(tree, "stages"), 0), "on");
    json_set_string(on, "disk", "disk");
    json_set_number(params, "executors", executors);
    json_set_number(params, "slots", slots);
    json_set_number(params, "overhead", 0);
    json_set_number(params, "warm", 0);
    json_set_number(params, "size_share", 0);
    json_set_number(params, "stage_delay", stage_delay(w));
    w->list = json_set_array(params, "stages");
    for (int j = 0; j < w->log.app.jobs_n; j++)
        if (w->log.app.jobs[j].n > 0)
            add_stages(w, j);
    infer_assume(
        tree, "stages.application.params.stages",
        "what tasks read, shuffled and wrote is part of their core time: a log does not say how fast the "
        "disks are");
    describe_allocation(w, tree, params);
    infer_optimization(tree, "twice-the-executors", "Twice as many executors", "application",
                       "application.executors", json_new_number(2 * executors));
    json_set_number(json_get_mutable(json_at_mutable(json_get_mutable(tree, "optimizations"), 0), "set"),
                    "resources.cores.count", 2 * executors * slots);
    infer_optimization(tree, "speculation", "Launch copies of tasks that take long", "application",
                       "application.speculation", json_new_bool(true));
}

int infer_spark(const struct infer_source *src, struct inferred *out, struct err *err)
{
    struct spark_work w = {.src = src};
    double ended = 0;
    int stages = 0;

    TRY(spark_log_load(src->store, src->trace, INFINITY, src->arena, &w.log, err));
    for (int j = 0; j < w.log.app.jobs_n; j++) {
        stages += w.log.app.jobs[j].n > 0 ? w.log.app.jobs[j].n + 1 : 0;
        if (w.log.app.jobs[j].n > 0)
            ended = fmax(ended, w.log.job_end_s[j]);
    }
    if (stages == 0 || !(ended > 0))
        return err_set(err, ERR_TRACE, "init: trace \"%s\" holds no Spark job that ran and ended", src->name);
    if (stages > MOST_STAGES)
        return err_set(
            err, ERR_TRACE,
            "init: trace \"%s\" has %d stages and waits of the driver; at most %d make one scenario",
            src->name, stages, MOST_STAGES);
    count_executors(&w.log, &w.executors, &w.slots);
    out->from = "Spark jobs";
    out->fit_frac = work_error(&w);
    out->recorded = estimate_exact(1 / ended);
    out->tree = infer_scenario(
        src, "application",
        arena_printf(src->arena, "A Spark application as its event log shows it: %d jobs", w.log.app.jobs_n));
    json_set_number(json_set_object(json_get_mutable(out->tree, "workload"), "closed"), "in_flight", 1);
    json_remove(out->tree, "horizon");
    json_set_number(json_set_object(out->tree, "horizon"), "items", 1);
    describe(&w, out->tree);
    return 0;
}
