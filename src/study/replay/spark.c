/*
 * spark.c - recorded Spark applications on their own executors.
 *
 *   calibrated   the law of task times (spark_law_fit) from the tasks of every other stage
 *   given        for every stage what the naive prediction is given too: how many tasks, their mean time,
 *                and what each reads; when jobs are submitted, when executors come and go
 *   predicted    how long the other stages take from submission to end, and jobs with such a stage
 *
 * The mean time of a task is the stage's work, like the bytes of a file; what is
 * predicted is what becomes of it: waves and barriers, other stages on the same slots,
 * executors that are not there yet, cold ones, stragglers.  Stages of one task are left
 * out: their time is their task's.  The spread that intervals come from is that of the
 * stages and jobs the law was fitted on.
 */
#include "study/replay.h"
#include "calibrate/spark_log.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPLICATIONS = 33, MATCHING = 8 };

struct spark_case {
    struct replay *r;
    const char *label;
    struct spark_log log;
    double *stage_s, *job_s; /* predicted */
    double log_sd, dof;
};

static bool is_held_out(const struct spark_case *c, int stage)
{
    (void)c;
    return stage % 2 == 1;
}

static bool has_held_out(const struct spark_case *c, int job)
{
    const struct spark_app_job *j = &c->log.app.jobs[job];

    for (int i = j->first; i < j->first + j->n; i++)
        if (is_held_out(c, i) && c->log.stages[i].tasks > 1)
            return true;
    return false;
}

static double stage_measured_s(const struct spark_case *c, int stage)
{
    return c->log.stages[stage].end_s - c->log.stages[stage].submit_s;
}

static double job_measured_s(const struct spark_case *c, int job)
{
    return c->log.job_end_s[job] - c->log.app.jobs[job].submit_s;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* What each stage's code takes at no input, from the calibration stages of that code. */
static const double *fixed_by_code(const struct spark_case *c)
{
    const struct spark_log *log = &c->log;
    struct arena *a = c->r->arena;
    size_t room = (size_t)log->app.stages_n + 1;
    double *fixed = arena_array(a, room, sizeof *fixed), *records = arena_array(a, room, sizeof *records);
    double *task_s = arena_array(a, room, sizeof *task_s);

    for (int i = 0; i < log->app.stages_n; i++) {
        int n = 0;

        for (int k = 0; k < log->app.stages_n; k++)
            if (!is_held_out(c, k) && log->app.stages[k].code == log->app.stages[i].code) {
                records[n] = log->stages[k].records;
                task_s[n++] = log->stages[k].task_s;
            }
        fixed[i] = spark_fixed_fit(records, task_s, n);
    }
    return fixed;
}

static void calibrate(struct spark_case *c)
{
    struct spark_log *log = &c->log;
    struct spark_observation *obs = arena_array(c->r->arena, log->tasks_n + 1, sizeof *obs);
    size_t n = 0;

    for (size_t i = 0; i < log->tasks_n; i++) {
        const struct spark_log_task *t = &log->tasks[i];

        if (!is_held_out(c, t->stage))
            obs[n++] = (struct spark_observation){.stage = t->stage,
                                                  .executor = t->executor,
                                                  .took_s = t->finish_s - t->launch_s,
                                                  .size = log->app.size[t->stage][t->place],
                                                  .busy = t->busy,
                                                  .cold = t->cold};
    }
    log->app.fixed_s = fixed_by_code(c);
    spark_law_fit(obs, n, log->app.stages_n, log->app.fixed_s, c->r->arena, &log->app.law);
}

static double median(double *v, size_t n)
{
    if (n == 0)
        return 0;
    qsort(v, n, sizeof *v, ascending);
    return v[n / 2];
}

/* From submission to the first launch: the median over calibration stages. */
static double stage_delay_s(const struct spark_case *c)
{
    const struct spark_log *log = &c->log;
    double *delay = arena_array(c->r->arena, (size_t)log->app.stages_n + 1, sizeof *delay);
    size_t n = 0;

    for (int i = 0; i < log->app.stages_n; i++) {
        double first_s = INFINITY;

        if (is_held_out(c, i))
            continue;
        for (long k = 0; k < log->stages[i].tasks; k++)
            first_s = fmin(first_s, log->tasks[log->stages[i].first + k].launch_s);
        delay[n++] = first_s - log->stages[i].submit_s;
    }
    return median(delay, n);
}

static bool ran_alone(const struct spark_log *log, int stage)
{
    for (int i = 0; i < log->app.stages_n; i++)
        if (i != stage && log->stages[i].submit_s < log->stages[stage].end_s &&
            log->stages[stage].submit_s < log->stages[i].end_s)
            return false;
    return true;
}

/*
 * How long a slot stands empty between two tasks of a stage: on each executor the launches after the first
 * C, in order, fill the slots that ends, in order, have freed.  The mean over calibration stages that had
 * the executors for themselves.
 */
static double gap_s(const struct spark_case *c)
{
    const struct spark_log *log = &c->log;
    double *launch = arena_array(c->r->arena, log->tasks_n + 1, sizeof *launch);
    double *finish = arena_array(c->r->arena, log->tasks_n + 1, sizeof *finish), sum = 0;
    size_t n = 0;

    for (int i = 0; i < log->app.stages_n; i++)
        for (int e = 0; e < log->app.executors_n && !is_held_out(c, i) && ran_alone(log, i); e++) {
            size_t k = 0, slots = (size_t)log->app.executors[e].slots;

            for (long t = log->stages[i].first; t < log->stages[i].first + log->stages[i].tasks; t++)
                if (log->tasks[t].executor == e) {
                    launch[k] = log->tasks[t].launch_s;
                    finish[k++] = log->tasks[t].finish_s;
                }
            qsort(launch, k, sizeof *launch, ascending);
            qsort(finish, k, sizeof *finish, ascending);
            for (size_t at = slots; at < k; at++)
                sum += fmax(0, launch[at] - finish[at - slots]), n++;
        }
    return n > 0 ? sum / (double)n : 0;
}

static void predict(struct spark_case *c)
{
    struct spark_log *log = &c->log;
    struct arena *a = c->r->arena;
    double *mean = arena_array(a, (size_t)log->app.stages_n, sizeof *mean);
    double *work = arena_array(a, (size_t)log->app.stages_n, sizeof *work), draws[REPLICATIONS];
    struct spark_app_result *one;

    for (int i = 0; i < log->app.stages_n; i++)
        mean[i] = log->stages[i].task_s + log->app.law.overhead_s;
    spark_app_match(&log->app, work, mean, c->r->seed, MATCHING, a);
    c->stage_s = arena_array(a, (size_t)log->app.stages_n, sizeof(double));
    c->job_s = arena_array(a, (size_t)log->app.jobs_n, sizeof(double));
    one = arena_array(a, REPLICATIONS, sizeof *one);
    for (uint32_t rep = 0; rep < REPLICATIONS; rep++)
        spark_app_run(&log->app, c->r->seed, rep, a, &one[rep]);
    for (int i = 0; i < log->app.stages_n; i++) {
        for (int rep = 0; rep < REPLICATIONS; rep++)
            draws[rep] = one[rep].stage_s[i];
        c->stage_s[i] = median(draws, REPLICATIONS);
    }
    for (int i = 0; i < log->app.jobs_n; i++) {
        for (int rep = 0; rep < REPLICATIONS; rep++)
            draws[rep] = one[rep].job_s[i];
        c->job_s[i] = median(draws, REPLICATIONS);
    }
}

/* What the fit leaves open: the spread of calibration stages and of jobs made of them. */
static void judge_fit(struct spark_case *c)
{
    struct arena *a = c->r->arena;
    size_t room = (size_t)(c->log.app.stages_n + c->log.app.jobs_n), n = 0;
    double *predicted = arena_array(a, room, sizeof *predicted),
           *measured = arena_array(a, room, sizeof *measured);

    for (int i = 0; i < c->log.app.stages_n; i++)
        if (!is_held_out(c, i) && c->log.stages[i].tasks > 1) {
            predicted[n] = c->stage_s[i];
            measured[n++] = stage_measured_s(c, i);
        }
    for (int i = 0; i < c->log.app.jobs_n; i++)
        if (!has_held_out(c, i) && c->log.app.jobs[i].n > 0) {
            predicted[n] = c->job_s[i];
            measured[n++] = job_measured_s(c, i);
        }
    c->log_sd = replay_log_spread(predicted, measured, n);
    c->dof = (double)n - 1;
}

static double naive_stage_s(const struct spark_case *c, int stage)
{
    const struct spark_log_stage *s = &c->log.stages[stage];

    return s->task_s * (double)s->tasks / spark_log_slots(&c->log, s->submit_s);
}

static void emit(struct spark_case *c, const char *what, int id, double measured, double predicted,
                 double naive)
{
    struct replay_figure f = {.name = arena_printf(c->r->arena, "%s %s %d", c->label, what, id),
                              .unit = "s",
                              .measured = measured,
                              .predicted = replay_estimate(predicted, c->log_sd, c->dof),
                              .naive = naive,
                              .noise_frac = NAN,
                              .group = arena_printf(c->r->arena, "%s %ss", c->label, what)};

    replay_emit(c->r, &f);
}

static void emit_all(struct spark_case *c)
{
    const struct spark_app *app = &c->log.app;

    for (int i = 0; i < app->stages_n; i++)
        if (is_held_out(c, i) && c->log.stages[i].tasks > 1)
            emit(c, "stage", c->log.stages[i].id, stage_measured_s(c, i), c->stage_s[i], naive_stage_s(c, i));
    for (int i = 0; i < app->jobs_n; i++) {
        double naive = 0;

        if (!has_held_out(c, i))
            continue;
        for (int k = app->jobs[i].first; k < app->jobs[i].first + app->jobs[i].n; k++)
            naive += naive_stage_s(c, k);
        emit(c, "job", c->log.job_id[i], job_measured_s(c, i), c->job_s[i], naive);
    }
}

static int run_log(struct replay *r, const struct json *v, const char *where, struct err *err)
{
    struct spark_case c = {.r = r};
    const char *file, *order;
    double idle_s = INFINITY;
    int64_t trace;

    TRY(replay_text(r, v, where, "file", &file, err));
    TRY(replay_text(r, v, where, "label", &c.label, err));
    TRY(replay_text(r, v, where, "order", &order, err));
    if (json_get(v, "idle_s") != NULL)
        TRY(replay_number(r, v, where, "idle_s", &idle_s, err));
    TRY(replay_import(r, file, &trace, err));
    TRY(spark_log_load(r->store, trace, idle_s, r->arena, &c.log, err));
    if (strcmp(order, "fair") != 0 && strcmp(order, "fifo") != 0)
        return err_set(err, ERR_SCENARIO, "%s: %s.order: \"%s\"; fifo and fair are allowed", r->c->path,
                       where, order);
    calibrate(&c);
    c.log.app.policy.order = strcmp(order, "fair") == 0 ? SPARK_FAIR : SPARK_FIFO;
    c.log.app.policy.stage_delay_s = stage_delay_s(&c);
    c.log.app.law.overhead_s = gap_s(&c);
    predict(&c);
    judge_fit(&c);
    emit_all(&c);
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    const struct json *logs = json_get(r->params, "logs");
    int i = 0;

    if (logs == NULL || json_type(logs) != JSON_ARRAY || json_size(logs) == 0)
        return err_set(err, ERR_SCENARIO, "%s: $.params.logs: a list of recorded applications is needed",
                       r->c->path);
    JSON_EACH (v, logs)
        TRY(run_log(r, v, arena_printf(r->arena, "$.params.logs[%d]", i++), err));
    return 0;
}

const struct replay_kind replay_spark = {
    .name = "spark",
    .about =
        "recorded Spark applications: the law of task times from half of the stages, the other half's times",
    .run = run,
};
