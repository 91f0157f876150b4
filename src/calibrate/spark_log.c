#include "calibrate/spark_log.h"

#include "base/arena.h"
#include "store/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct loading {
    struct store *store;
    int64_t trace;
    struct arena *a;
    struct spark_log *log;
    struct spark_app_job *jobs; /* those of the log, while they are being filled */
    struct spark_app_executor *executors;
    double origin_s;
    const char **executor_id;
};

/* -------------------------------------------------------------- executors */

static int load_executors(struct loading *l, struct err *err)
{
    struct view_column c[] = {
        {.name = "executor"}, {.name = "cores"}, {.name = "added_s"}, {.name = "removed_s"}};
    struct spark_app_executor *list;
    size_t n;

    TRY(view_load(l->store, "spark_executors", l->trace, c, 4, l->a, &n, err));
    list = arena_array(l->a, n + 1, sizeof *list);
    l->executor_id = arena_array(l->a, n + 1, sizeof *l->executor_id);
    for (size_t i = 0; i < n; i++) {
        l->executor_id[i] = c[0].text[i] != NULL ? c[0].text[i] : arena_printf(l->a, "%.0f", c[0].real[i]);
        list[i] = (struct spark_app_executor){
            .from_s = isnan(c[2].real[i]) ? 0 : c[2].real[i] - l->origin_s,
            .to_s = isnan(c[3].real[i]) ? INFINITY : c[3].real[i] - l->origin_s,
            .slots = isnan(c[1].real[i]) ? 1 : (long)c[1].real[i],
        };
        if (list[i].to_s <= 0) /* gone before the first job */
            list[i].from_s = list[i].to_s = INFINITY;
    }
    l->log->app.executors = l->executors = list;
    l->log->app.executors_n = (int)n;
    return 0;
}

static int executor_index(const struct loading *l, const char *id)
{
    for (int i = 0; i < l->log->app.executors_n; i++)
        if (strcmp(l->executor_id[i], id) == 0)
            return i;
    return -1;
}

/* ------------------------------------------------------------ jobs, stages */

static int load_jobs(struct loading *l, struct err *err)
{
    struct view_column c[] = {{.name = "job"}, {.name = "start_s"}, {.name = "end_s"}};
    struct spark_app_job *jobs;
    size_t n;

    TRY(view_load(l->store, "spark_jobs", l->trace, c, 3, l->a, &n, err));
    if (n == 0)
        return err_set(err, ERR_TRACE, "the log holds no jobs");
    jobs = arena_array(l->a, n, sizeof *jobs);
    l->log->job_id = arena_array(l->a, n, sizeof *l->log->job_id);
    l->log->job_end_s = arena_array(l->a, n, sizeof(double));
    l->origin_s = INFINITY;
    for (size_t i = 0; i < n; i++)
        l->origin_s = fmin(l->origin_s, c[1].real[i]);
    for (size_t i = 0; i < n; i++) {
        l->log->job_id[i] = (int)c[0].real[i];
        jobs[i].submit_s = c[1].real[i] - l->origin_s;
        l->log->job_end_s[i] = c[2].real[i] - l->origin_s;
    }
    l->log->app.jobs = l->jobs = jobs;
    l->log->app.jobs_n = (int)n;
    return 0;
}

static int job_index(const struct loading *l, double id)
{
    for (int i = 0; i < l->log->app.jobs_n; i++)
        if (l->log->job_id[i] == (int)id)
            return i;
    return -1;
}

/* The job that ran a stage: the first that names it. */
static int job_of(const struct loading *l, const struct view_column *names, size_t n, int stage)
{
    int best = -1;

    for (size_t i = 0; i < n; i++) {
        int job = (int)names[1].real[i] == stage ? job_index(l, names[0].real[i]) : -1;

        if (job >= 0 && (best < 0 || job < best))
            best = job;
    }
    return best;
}

static int by_job_and_id(const void *a, const void *b)
{
    const struct spark_log_stage *x = a, *y = b;

    return x->job != y->job ? (x->job > y->job) - (x->job < y->job) : (x->id > y->id) - (x->id < y->id);
}

static int stage_index(const struct spark_log *log, int id)
{
    for (int i = 0; i < log->app.stages_n; i++)
        if (log->stages[i].id == id)
            return i;
    return -1;
}

/* What a stage waits for: stages of the same job that ran.  Places count from the job's first. */
static void set_parents(struct loading *l, const struct view_column *names, size_t n,
                        struct spark_stage *list)
{
    struct spark_log *log = l->log;

    for (int i = 0; i < log->app.stages_n; i++) {
        int *parents = arena_array(l->a, n + 1, sizeof *parents);

        for (size_t k = 0; k < n; k++) {
            int parent = (int)names[1].real[k] == log->stages[i].id && !isnan(names[2].real[k])
                             ? stage_index(log, (int)names[2].real[k])
                             : -1;

            if (parent >= 0 && job_index(l, names[0].real[k]) == log->stages[i].job &&
                log->stages[parent].job == log->stages[i].job)
                parents[list[i].parents_n++] = parent - l->jobs[log->stages[i].job].first;
        }
        list[i].parents = parents;
    }
}

static bool reads_shuffle(const struct view_column *names, size_t n, int stage)
{
    for (size_t i = 0; i < n; i++)
        if ((int)names[1].real[i] == stage && !isnan(names[2].real[i]))
            return true;
    return false;
}

/* Stages of one name that both read tables or both read shuffles run the same code. */
static void set_codes(const struct spark_log *log, const struct view_column *names, size_t n,
                      struct spark_stage *list)
{
    for (int i = 0; i < log->app.stages_n; i++) {
        list[i].code = i;
        for (int k = i - 1; k >= 0; k--)
            if (strcmp(list[k].name, list[i].name) == 0 &&
                reads_shuffle(names, n, log->stages[k].id) == reads_shuffle(names, n, log->stages[i].id))
                list[i].code = list[k].code;
    }
}

static int load_stages(struct loading *l, struct err *err)
{
    struct view_column c[] = {{.name = "stage"},    {.name = "name"},  {.name = "tasks"},
                              {.name = "submit_s"}, {.name = "end_s"}, {.name = "failed"}};
    struct view_column names[] = {{.name = "job"}, {.name = "stage"}, {.name = "parent"}};
    struct spark_log *log = l->log;
    struct spark_stage *list;
    size_t n, names_n, *row;
    int kept = 0;

    TRY(view_load(l->store, "spark_stage", l->trace, c, 6, l->a, &n, err));
    TRY(view_load(l->store, "spark_job_stage", l->trace, names, 3, l->a, &names_n, err));
    log->stages = arena_array(l->a, n + 1, sizeof *log->stages);
    list = arena_array(l->a, n + 1, sizeof *list);
    row = arena_array(l->a, n + 1, sizeof *row);
    for (size_t i = 0; i < n; i++) {
        int id = (int)c[0].real[i], job = job_of(l, names, names_n, id);

        if (c[5].real[i] != 0 || job < 0 || isnan(c[3].real[i]) || isnan(c[4].real[i]))
            continue;
        log->stages[kept++] = (struct spark_log_stage){.id = id,
                                                       .job = job,
                                                       .submit_s = c[3].real[i] - l->origin_s,
                                                       .end_s = c[4].real[i] - l->origin_s};
    }
    qsort(log->stages, (size_t)kept, sizeof *log->stages, by_job_and_id);
    log->app.stages_n = kept;
    for (int i = 0; i < kept; i++) {
        struct spark_app_job *job = &l->jobs[log->stages[i].job];

        for (size_t k = 0; k < n; k++)
            if ((int)c[0].real[k] == log->stages[i].id)
                row[i] = k;
        list[i] = (struct spark_stage){.name = c[1].text[row[i]], .tasks = (long)c[2].real[row[i]]};
        if (job->n++ == 0)
            job->first = i;
    }
    set_codes(log, names, names_n, list);
    set_parents(l, names, names_n, list);
    log->app.stages = list;
    log->app.policy.codes = kept;
    return 0;
}

/* ------------------------------------------------------------------ tasks */

static int by_stage_and_place(const void *a, const void *b)
{
    const struct spark_log_task *x = a, *y = b;

    return x->stage != y->stage ? (x->stage > y->stage) - (x->stage < y->stage)
                                : (x->place > y->place) - (x->place < y->place);
}

static double known(double v)
{
    return isnan(v) ? 0 : v;
}

static int load_tasks(struct loading *l, struct err *err)
{
    struct view_column c[] = {{.name = "stage"},         {.name = "place"},
                              {.name = "executor"},      {.name = "outcome"},
                              {.name = "launch_s"},      {.name = "finish_s"},
                              {.name = "input_records"}, {.name = "shuffle_read_records"}};
    struct spark_log *log = l->log;
    size_t n;

    TRY(view_load(l->store, "spark_task", l->trace, c, 8, l->a, &n, err));
    log->tasks = arena_array(l->a, n + 1, sizeof *log->tasks);
    for (size_t i = 0; i < n; i++) {
        int stage = stage_index(log, (int)c[0].real[i]);
        const char *executor = c[2].text[i] != NULL ? c[2].text[i] : arena_printf(l->a, "%.0f", c[2].real[i]);

        if (stage < 0 || (c[3].text[i] != NULL && strcmp(c[3].text[i], "Success") != 0))
            continue;
        log->tasks[log->tasks_n++] =
            (struct spark_log_task){.stage = stage,
                                    .executor = executor_index(l, executor),
                                    .place = (long)c[1].real[i],
                                    .launch_s = c[4].real[i] - l->origin_s,
                                    .finish_s = c[5].real[i] - l->origin_s,
                                    .records = known(c[6].real[i]) + known(c[7].real[i])};
    }
    qsort(log->tasks, log->tasks_n, sizeof *log->tasks, by_stage_and_place);
    return 0;
}

/* How full its executor was while a task ran, and whether it was the first of its code there. */
static void look_around(struct spark_log *log, struct spark_log_task *t)
{
    double others_s = 0, took_s = t->finish_s - t->launch_s;
    long slots = t->executor >= 0 ? log->app.executors[t->executor].slots : 1;
    int code = log->app.stages[t->stage].code;

    t->cold = true;
    for (size_t i = 0; i < log->tasks_n; i++) {
        const struct spark_log_task *o = &log->tasks[i];

        if (o->executor != t->executor || o == t)
            continue;
        others_s += fmax(0, fmin(o->finish_s, t->finish_s) - fmax(o->launch_s, t->launch_s));
        if (o->finish_s <= t->launch_s && log->app.stages[o->stage].code == code)
            t->cold = false;
    }
    t->busy = took_s > 0 && slots > 1 ? fmin(1, others_s / took_s / (double)(slots - 1)) : 0;
}

static int index_tasks(struct loading *l, struct err *err)
{
    struct spark_log *log = l->log;
    const double **size = arena_array(l->a, (size_t)log->app.stages_n + 1, sizeof *size);

    for (size_t i = 0; i < log->tasks_n; i++) {
        struct spark_log_stage *s = &log->stages[log->tasks[i].stage];

        if (s->tasks++ == 0)
            s->first = (long)i;
        s->task_s += log->tasks[i].finish_s - log->tasks[i].launch_s;
        look_around(log, &log->tasks[i]);
    }
    for (int i = 0; i < log->app.stages_n; i++) {
        struct spark_log_stage *s = &log->stages[i];
        double *relative = arena_array(l->a, (size_t)s->tasks + 1, sizeof *relative), sum = 0;

        if (s->tasks != log->app.stages[i].tasks)
            return err_set(err, ERR_TRACE, "stage %d of the log has %ld tasks, but %ld ended well", s->id,
                           log->app.stages[i].tasks, s->tasks);
        s->task_s /= (double)s->tasks;
        for (long k = 0; k < s->tasks; k++)
            sum += log->tasks[s->first + k].records;
        for (long k = 0; k < s->tasks; k++)
            relative[k] = sum > 0 ? log->tasks[s->first + k].records * (double)s->tasks / sum : 1;
        s->records = sum / (double)s->tasks;
        size[i] = relative;
    }
    log->app.size = size;
    return 0;
}

/* An executor is told to go once it was idle for idle_s, long before the log hears of it. */
static void retire_idle(struct loading *l, double idle_s)
{
    struct spark_log *log = l->log;

    for (int e = 0; e < log->app.executors_n; e++) {
        struct spark_app_executor *x = &l->executors[e];
        double last_s = x->from_s;

        for (size_t i = 0; i < log->tasks_n; i++)
            if (log->tasks[i].executor == e)
                last_s = fmax(last_s, log->tasks[i].finish_s);
        if (isfinite(x->to_s))
            x->to_s = fmin(x->to_s, last_s + idle_s);
    }
}

int spark_log_load(struct store *s, int64_t trace_id, double idle_s, struct arena *a, struct spark_log *out,
                   struct err *err)
{
    struct loading l = {.store = s, .trace = trace_id, .a = a, .log = out};

    *out = (struct spark_log){.tasks_n = 0};
    TRY(load_jobs(&l, err));
    TRY(load_executors(&l, err));
    TRY(load_stages(&l, err));
    TRY(load_tasks(&l, err));
    retire_idle(&l, idle_s);
    return index_tasks(&l, err);
}

double spark_log_slots(const struct spark_log *log, double at_s)
{
    double slots = 0, first_s = INFINITY, first = 1;

    for (int i = 0; i < log->app.executors_n; i++) {
        const struct spark_app_executor *e = &log->app.executors[i];

        if (e->from_s <= at_s && at_s < e->to_s)
            slots += (double)e->slots;
        if (e->from_s < first_s) {
            first_s = e->from_s;
            first = (double)e->slots;
        }
    }
    return slots > 0 ? slots : first;
}
