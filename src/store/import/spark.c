/*
 * spark.c - Spark event logs: jobs, stages, tasks with their metrics, executors.
 *
 * Points in time are Unix milliseconds; run, garbage-collection, (de)serialize
 * and fetch-wait times are milliseconds too, but Executor CPU Time, Executor
 * Deserialize CPU Time and Shuffle Write Time are NANOSECONDS.  Times in the
 * store count from the first event that has one.
 *
 * Properties of the application, stack traces, call sites and messages of
 * failures are never kept.  Every task is also a span of its stage, so that a
 * log can be summarized and drawn like any other trace.
 */
#include "store/import/formats.h"
#include "store/import/jread.h"
#include "store/import/sink.h"
#include "store/trace.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARENTS = 64, STAGES = 1024 };

struct task {
    int64_t id, stage, stage_attempt, place, attempt;
    char type[40], executor[60], locality[30], outcome[60];
    bool speculative;
    double launch_ms, finish_ms;
    double run, cpu, gc, deserialize, deserialize_cpu, serialize, fetch_wait, shuffle_write;
    double input_bytes, input_records, output_bytes, output_records;
    double remote, local, read_records, write_bytes, write_records;
    double result, memory_spill, disk_spill, peak;
};

struct stage {
    int64_t id, attempt, tasks;
    char name[200];
    double submit_ms, end_ms;
    bool failed;
    int64_t parent[PARENTS];
    int parents;
};

struct log {
    struct import *im;
    struct jread *j;
    int64_t origin_ms; /* IMPORT_NONE until the first point in time */
    struct task t;
    struct stage stage;
    int64_t job, cores;
    struct {
        int64_t stage, parent;
    } edge[STAGES]; /* of the job that starts */
    int edges;
    int64_t lost; /* edges that there was no room for */
    double at_ms; /* of the event */
    bool succeeded;
    char event[100], executor[60], host[120];
};

/* Seconds since the start of the log. */
static double seconds(struct log *l, double ms)
{
    if (!(ms > 0 && ms < 9.2e12)) /* Unix nanoseconds end in 2262 */
        return NAN;
    if (l->origin_ms == IMPORT_NONE) {
        l->origin_ms = (int64_t)ms;
        import_origin(l->im, l->origin_ms * 1000000);
    }
    return (ms - (double)l->origin_ms) / 1e3;
}

static void copy(struct jread *j, char *to, size_t size)
{
    const char *text = jread_scalar(j);

    snprintf(to, size, "%s", text != NULL ? text : "");
}

/* A member that is a number with a unit; false when `key` is not it. */
static bool real(struct jread *j, const char *key, const char *name, double scale, double *to)
{
    if (strcmp(key, name) != 0)
        return false;
    *to = jread_real(j) * scale;
    return true;
}

static void read_task_info(struct log *l)
{
    struct jread *j = l->j;
    const char *key;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "Task ID") == 0)
            jread_int(j, &l->t.id);
        else if (strcmp(key, "Index") == 0)
            jread_int(j, &l->t.place);
        else if (strcmp(key, "Attempt") == 0)
            jread_int(j, &l->t.attempt);
        else if (strcmp(key, "Executor ID") == 0)
            copy(j, l->t.executor, sizeof l->t.executor);
        else if (strcmp(key, "Locality") == 0)
            copy(j, l->t.locality, sizeof l->t.locality);
        else if (strcmp(key, "Speculative") == 0)
            l->t.speculative = jread_bool(j);
        else if (!real(j, key, "Launch Time", 1, &l->t.launch_ms))
            real(j, key, "Finish Time", 1, &l->t.finish_ms);
    }
}

/* One of the objects inside the task metrics. */
static void read_inner(struct log *l, const char *which)
{
    struct task *t = &l->t;
    struct jread *j = l->j;
    const char *key;
    bool in = strcmp(which, "Input Metrics") == 0, out = strcmp(which, "Output Metrics") == 0;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        if ((in && (real(j, key, "Bytes Read", 1, &t->input_bytes) ||
                    real(j, key, "Records Read", 1, &t->input_records))) ||
            (out && (real(j, key, "Bytes Written", 1, &t->output_bytes) ||
                     real(j, key, "Records Written", 1, &t->output_records))))
            continue;
        if (real(j, key, "Fetch Wait Time", 1e-3, &t->fetch_wait) ||
            real(j, key, "Remote Bytes Read", 1, &t->remote) ||
            real(j, key, "Local Bytes Read", 1, &t->local) ||
            real(j, key, "Total Records Read", 1, &t->read_records) ||
            real(j, key, "Shuffle Bytes Written", 1, &t->write_bytes) ||
            real(j, key, "Shuffle Write Time", 1e-9, &t->shuffle_write))
            continue;
        real(j, key, "Shuffle Records Written", 1, &t->write_records);
    }
}

static void read_metrics(struct log *l)
{
    struct task *t = &l->t;
    struct jread *j = l->j;
    const char *key;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        if (real(j, key, "Executor Run Time", 1e-3, &t->run) ||
            real(j, key, "Executor CPU Time", 1e-9, &t->cpu) || real(j, key, "JVM GC Time", 1e-3, &t->gc) ||
            real(j, key, "Executor Deserialize Time", 1e-3, &t->deserialize) ||
            real(j, key, "Executor Deserialize CPU Time", 1e-9, &t->deserialize_cpu) ||
            real(j, key, "Result Serialization Time", 1e-3, &t->serialize) ||
            real(j, key, "Result Size", 1, &t->result) ||
            real(j, key, "Memory Bytes Spilled", 1, &t->memory_spill) ||
            real(j, key, "Disk Bytes Spilled", 1, &t->disk_spill) ||
            real(j, key, "Peak Execution Memory", 1, &t->peak))
            continue;
        if (strstr(key, " Metrics") != NULL) {
            char which[40];

            snprintf(which, sizeof which, "%s", key);
            read_inner(l, which);
        }
    }
}

static void read_reason(struct log *l)
{
    const char *key;

    if (!jread_enter(l->j, '{'))
        return;
    while ((key = jread_member(l->j)) != NULL) /* nothing but its class: messages hold paths and data */
        if (strcmp(key, "Reason") == 0)
            copy(l->j, l->t.outcome, sizeof l->t.outcome);
}

static void read_parents(struct log *l)
{
    if (!jread_enter(l->j, '['))
        return;
    while (jread_element(l->j))
        if (l->stage.parents == PARENTS)
            l->lost++;
        else if (jread_int(l->j, &l->stage.parent[l->stage.parents]))
            l->stage.parents++;
}

static void read_stage(struct log *l)
{
    struct jread *j = l->j;
    struct stage *s = &l->stage;
    const char *key;

    *s = (struct stage){.id = -1, .submit_ms = NAN, .end_ms = NAN};
    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "Stage ID") == 0)
            jread_int(j, &s->id);
        else if (strcmp(key, "Stage Attempt ID") == 0)
            jread_int(j, &s->attempt);
        else if (strcmp(key, "Number of Tasks") == 0)
            jread_int(j, &s->tasks);
        else if (strcmp(key, "Stage Name") == 0)
            copy(j, s->name, sizeof s->name);
        else if (strcmp(key, "Parent IDs") == 0)
            read_parents(l);
        else if (strcmp(key, "Failure Reason") == 0)
            s->failed = true;
        else if (!real(j, key, "Submission Time", 1, &s->submit_ms))
            real(j, key, "Completion Time", 1, &s->end_ms);
    }
}

/* The stages of a job that starts: which waits for which. */
static void read_stages(struct log *l)
{
    if (!jread_enter(l->j, '['))
        return;
    while (jread_element(l->j)) {
        read_stage(l);
        for (int i = 0; i < l->stage.parents || i == 0; i++) {
            if (l->stage.id < 0)
                break;
            if (l->edges == STAGES) {
                l->lost++;
                continue;
            }
            l->edge[l->edges].stage = l->stage.id;
            l->edge[l->edges++].parent = l->stage.parents > 0 ? l->stage.parent[i] : IMPORT_NONE;
        }
    }
}

static void read_executor_info(struct log *l)
{
    const char *key;

    if (!jread_enter(l->j, '{'))
        return;
    while ((key = jread_member(l->j)) != NULL)
        if (strcmp(key, "Host") == 0)
            copy(l->j, l->host, sizeof l->host);
        else if (strcmp(key, "Total Cores") == 0)
            jread_int(l->j, &l->cores);
}

static void read_result(struct log *l)
{
    const char *key, *text;

    if (!jread_enter(l->j, '{'))
        return;
    while ((key = jread_member(l->j)) != NULL)
        if (strcmp(key, "Result") == 0 && (text = jread_string(l->j)) != NULL)
            l->succeeded = strcmp(text, "JobSucceeded") == 0;
}

static void clear(struct log *l)
{
    double *real_at[] = {&l->t.launch_ms, &l->t.finish_ms};

    memset(&l->t, 0, sizeof l->t);
    l->t.id = l->t.stage = -1;
    for (double *p = &l->t.run; p <= &l->t.peak; p++)
        *p = NAN;
    for (int i = 0; i < 2; i++)
        *real_at[i] = NAN;
    l->stage.id = l->job = -1;
    l->cores = IMPORT_NONE;
    l->edges = 0;
    l->at_ms = NAN;
    l->succeeded = false;
    l->event[0] = l->executor[0] = l->host[0] = '\0';
}

/* Every event is read the same way: keys do not mean different things in different ones. */
static void read_event(struct log *l)
{
    struct jread *j = l->j;
    const char *key;

    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "Event") == 0)
            copy(j, l->event, sizeof l->event);
        else if (strcmp(key, "Stage ID") == 0)
            jread_int(j, &l->t.stage);
        else if (strcmp(key, "Stage Attempt ID") == 0)
            jread_int(j, &l->t.stage_attempt);
        else if (strcmp(key, "Task Type") == 0)
            copy(j, l->t.type, sizeof l->t.type);
        else if (strcmp(key, "Task End Reason") == 0)
            read_reason(l);
        else if (strcmp(key, "Task Info") == 0)
            read_task_info(l);
        else if (strcmp(key, "Task Metrics") == 0)
            read_metrics(l);
        else if (strcmp(key, "Stage Info") == 0)
            read_stage(l);
        else if (strcmp(key, "Stage Infos") == 0)
            read_stages(l);
        else if (strcmp(key, "Job ID") == 0)
            jread_int(j, &l->job);
        else if (strcmp(key, "Job Result") == 0)
            read_result(l);
        else if (strcmp(key, "Executor ID") == 0)
            copy(j, l->executor, sizeof l->executor);
        else if (strcmp(key, "Executor Info") == 0)
            read_executor_info(l);
        else if (!real(j, key, "Timestamp", 1, &l->at_ms) && !real(j, key, "Submission Time", 1, &l->at_ms))
            real(j, key, "Completion Time", 1, &l->at_ms);
    }
}

/* ----------------------------------------------------------------- storing */

static double sum(double a, double b)
{
    return isnan(a) ? b : isnan(b) ? a : a + b;
}

static int store_span(struct log *l, double start_s, double end_s, struct err *err)
{
    const struct task *t = &l->t;
    char stage[40];
    struct span span = {.stage = stage,
                        .op = t->type,
                        .item = t->place,
                        .start_s = start_s,
                        .end_s = end_s,
                        .cpu_s = t->cpu,
                        .items = sum(t->input_records, t->read_records),
                        .bytes_in = sum(sum(t->input_bytes, t->remote), t->local),
                        .bytes_out = sum(t->output_bytes, t->write_bytes)};
    int worker = 0;

    snprintf(stage, sizeof stage, "stage-%lld", (long long)t->stage);
    sscanf(t->executor, "%d", &worker);
    span.worker = worker;
    return import_span(l->im, &span, err);
}

static int store_task(struct log *l, struct err *err)
{
    struct task *t = &l->t;
    double launch_s = seconds(l, t->launch_ms), finish_s = seconds(l, t->finish_ms);

    if (t->id < 0 || t->stage < 0 || !(finish_s >= launch_s))
        return import_bad(l->im, 0, "a task without id, stage, or start before end", err);
    TRY(import_row(l->im, TABLE_SPARK_TASK, err, t->id, t->stage, t->stage_attempt, t->place, t->attempt,
                   t->type, t->executor, t->locality, (int64_t)t->speculative, t->outcome, launch_s, finish_s,
                   t->run, t->cpu, t->gc, t->deserialize, t->deserialize_cpu, t->serialize, t->fetch_wait,
                   t->shuffle_write, t->input_bytes, t->input_records, t->output_bytes, t->output_records,
                   t->remote, t->local, t->read_records, t->write_bytes, t->write_records, t->result,
                   t->memory_spill, t->disk_spill, t->peak));
    TRY(store_span(l, launch_s, finish_s, err));
    import_keep(l->im);
    return 0;
}

static int store_job(struct log *l, bool starts, struct err *err)
{
    double at_s = seconds(l, l->at_ms);

    if (l->job < 0 || isnan(at_s))
        return import_bad(l->im, 0, "a job without id or time", err);
    TRY(import_row(l->im, TABLE_SPARK_JOB, err, l->job, starts ? at_s : NAN, starts ? NAN : at_s,
                   starts ? IMPORT_NONE : (int64_t)l->succeeded));
    for (int i = 0; i < l->edges; i++)
        TRY(import_row(l->im, TABLE_SPARK_JOB_STAGE, err, l->job, l->edge[i].stage, l->edge[i].parent));
    import_keep(l->im);
    return 0;
}

static int store_stage(struct log *l, struct err *err)
{
    const struct stage *s = &l->stage;

    if (s->id < 0)
        return import_bad(l->im, 0, "a stage without id", err);
    TRY(import_row(l->im, TABLE_SPARK_STAGE, err, s->id, s->attempt, import_word(l->im, s->name), s->tasks,
                   seconds(l, s->submit_ms), seconds(l, s->end_ms), (int64_t)s->failed));
    import_keep(l->im);
    return 0;
}

static int store_executor(struct log *l, bool comes, struct err *err)
{
    double at_s = seconds(l, l->at_ms);

    if (l->executor[0] == '\0' || isnan(at_s))
        return import_bad(l->im, 0, "an executor without id or time", err);
    TRY(import_row(l->im, TABLE_SPARK_EXECUTOR, err, l->executor, import_word(l->im, l->host), l->cores,
                   comes ? at_s : NAN, comes ? NAN : at_s));
    import_keep(l->im);
    return 0;
}

static int store_event(struct log *l, struct err *err)
{
    const char *e = l->event;
    char why[100];

    if (strcmp(e, "SparkListenerTaskEnd") == 0)
        return store_task(l, err);
    if (strcmp(e, "SparkListenerStageCompleted") == 0)
        return store_stage(l, err);
    if (strcmp(e, "SparkListenerJobStart") == 0 || strcmp(e, "SparkListenerJobEnd") == 0)
        return store_job(l, strcmp(e, "SparkListenerJobStart") == 0, err);
    if (strcmp(e, "SparkListenerExecutorAdded") == 0 || strcmp(e, "SparkListenerExecutorRemoved") == 0)
        return store_executor(l, strcmp(e, "SparkListenerExecutorAdded") == 0, err);
    if (*e == '\0')
        return import_bad(l->im, 0, "a line that is no Spark event", err);
    if (strcmp(e, "SparkListenerApplicationStart") == 0)
        seconds(l, l->at_ms);
    e = strrchr(e, '.') != NULL ? strrchr(e, '.') + 1 : e;
    snprintf(why, sizeof why, "nothing of use in %.60s", e);
    import_skip(l->im, why);
    return 0;
}

static int lines(struct log *l, struct err *err)
{
    char *text;
    size_t n;
    int rc;

    while ((rc = import_line(l->im, &text, &n, err)) > 0) {
        clear(l);
        jread_text(l->j, text, n, 1);
        if (jread_enter(l->j, '{'))
            read_event(l);
        TRY(jread_finished(l->j) ? store_event(l, err)
                                 : import_bad(l->im, jread_column(l->j), jread_bad(l->j), err));
    }
    if (l->lost > 0)
        import_suspect(l->im, l->lost,
                       "dependencies between stages beyond %d of a stage or %d of a job are not kept",
                       PARENTS, STAGES);
    return rc;
}

static int run(struct import *im, struct err *err)
{
    struct log *l = xcalloc(1, sizeof *l);
    int rc;

    l->im = im;
    l->j = jread_new();
    l->origin_ms = IMPORT_NONE;
    rc = lines(l, err);
    jread_free(l->j);
    free(l);
    return rc;
}

static int sniff(const struct import_head *h)
{
    if (h->text[0] != '{' || strncmp(h->text, "{\"Event\":\"", 10) != 0)
        return 0;
    return strstr(h->text, "SparkListener") != NULL ? 95 : 60;
}

const struct importer spark_importer = {
    .name = "spark",
    .help = "Spark event log: jobs, stages, tasks with all metrics, executors",
    .units = "times in ms, but Executor CPU Time, Deserialize CPU Time and Shuffle Write Time in ns",
    .sniff = sniff,
    .run = run,
};
