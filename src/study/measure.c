#include "study/measure.h"

#include "executor/span_log.h"
#include "store/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int keep_spans(const struct scenario *s, const struct measure_options *opt, struct span_log *log,
                      const char *kind, const char *note, int64_t *trace_id, struct err *err)
{
    struct json *host = host_describe();
    char *host_text = json_compact(host);
    struct trace_info info = {.name = s->name,
                              .kind = kind,
                              .scenario = s->name,
                              .scenario_sha256 = s->sha256,
                              .host_json = host_text,
                              .note = note,
                              .seed = s->seed};
    size_t n;
    const struct span *spans = span_log_merge(log, &n);
    int rc = store_begin(opt->store, err);

    if (rc == 0) {
        rc = trace_create(opt->store, &info, trace_id, err);
        if (rc == 0)
            rc = trace_append(opt->store, *trace_id, spans, n, err);
        if (rc == 0)
            rc = store_commit(opt->store, err);
        else
            store_rollback(opt->store);
    }
    free(host_text);
    json_free(host);
    return rc;
}

static struct exec_options options_of(const struct scenario *s, const struct measure_options *opt)
{
    return (struct exec_options){.folder = opt->folder,
                                 .spans = opt->spans,
                                 .pin = (int)exec_plan_cores(s),
                                 .progress = opt->progress};
}

/* Processor time of the whole machine in use or stolen, and of this process, in seconds; false where /proc is
 * missing. */
static bool processor_times(double *all_s, double *own_s)
{
    double v[8] = {0};
    struct timespec own;
    FILE *f = fopen("/proc/stat", "r");
    int n = 0;

    if (f != NULL) {
        n = fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6],
                   &v[7]);
        fclose(f);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    *own_s = (double)own.tv_sec + 1e-9 * (double)own.tv_nsec;
    *all_s = (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) /
             (double)sysconf(_SC_CLK_TCK); /* all but idle and iowait */
    return n == 8;
}

static int measure_once(const struct scenario *s, const struct measure_options *opt, struct measurement *out,
                        struct err *err)
{
    struct exec_options eo = options_of(s, opt);
    struct span_log *log = opt->spans ? span_log_new() : NULL;
    struct exec_plan plan;
    double all, own, all_then, own_then, began = clock_wall_s(), there;
    bool known = processor_times(&all, &own);
    int rc;

    *out = (struct measurement){.disturbed_frac = NAN};
    rc = exec_plan_of(s, &plan, err);
    if (rc == 0)
        rc = exec_run(&plan, &eo, log, &out->result, err);
    if (rc == 0) {
        out->throughput_per_s = out->result.throughput_per_s;
        out->makespan_s = out->result.makespan_s;
        there = (clock_wall_s() - began) * (double)sysconf(_SC_NPROCESSORS_ONLN);
        if (known && processor_times(&all_then, &own_then))
            out->disturbed_frac = fmax(0, (all_then - all) - (own_then - own)) / there;
        if (log != NULL && opt->store != NULL)
            rc = keep_spans(s, opt, log, "exec", out->result.cache_note, &out->trace_id, err);
        exec_result_free(&out->result);
    }
    span_log_free(log);
    return rc;
}

int measure_run(const struct scenario *s, const struct measure_options *opt, struct measurement *out,
                struct err *err)
{
    enum { ATTEMPTS = 3 };
    struct measurement m;

    TRY(measure_once(s, opt, out, err));
    for (int i = 1;
         i < ATTEMPTS && out->disturbed_frac > DISTURBED_FRAC && opt->retries != NULL && *opt->retries > 0;
         i++) {
        --*opt->retries;
        TRY(measure_once(s, opt, &m, err));
        if (opt->store != NULL) /* only the run that counts is kept */
            TRY(trace_remove(opt->store, m.disturbed_frac < out->disturbed_frac ? out->trace_id : m.trace_id,
                             err));
        if (m.disturbed_frac < out->disturbed_frac)
            *out = m;
    }
    return 0;
}

int measure_profile(const struct scenario *s, const struct measure_options *opt, int64_t *trace_id,
                    struct err *err)
{
    struct exec_options eo = options_of(s, opt);
    struct span_log *log = span_log_new();
    struct exec_plan plan;
    int rc = exec_plan_of(s, &plan, err);

    if (rc == 0)
        rc = exec_profile(&plan, &eo, log, err);
    if (rc == 0)
        rc = keep_spans(s, opt, log, "profile", "operators alone", trace_id, err);
    span_log_free(log);
    return rc;
}

/* ----------------------------------------------------------------- JSON */

typedef double figure_fn(const struct measurement *m, int stage, double workers);

static double busy_frac(const struct measurement *m, int stage, double workers)
{
    return m->result.stages[stage].busy_s / m->makespan_s / workers;
}

static double blocked_frac(const struct measurement *m, int stage, double workers)
{
    return m->result.stages[stage].blocked_s / m->makespan_s / workers;
}

static double starved_frac(const struct measurement *m, int stage, double workers)
{
    return m->result.stages[stage].starved_s / m->makespan_s / workers;
}

static double service_s(const struct measurement *m, int stage, double workers)
{
    (void)workers;
    return m->result.stages[stage].busy_s / (double)m->result.stages[stage].items_out;
}

static double cpu_s_per_unit(const struct measurement *m, int stage, double workers)
{
    (void)workers;
    return m->result.stages[stage].cpu_s / m->result.samples;
}

static double throughput(const struct measurement *m, int stage, double workers)
{
    (void)stage;
    (void)workers;
    return m->throughput_per_s;
}

static double disturbed(const struct measurement *m, int stage, double workers)
{
    (void)stage;
    (void)workers;
    return m->disturbed_frac;
}

static double makespan(const struct measurement *m, int stage, double workers)
{
    (void)stage;
    (void)workers;
    return m->makespan_s;
}

static void set_figure(struct json *o, const char *key, figure_fn *fn, const struct measurement *m, long n,
                       int stage, double workers, double confidence)
{
    double *x = xcalloc((size_t)n, sizeof *x);
    struct estimate e;

    for (long i = 0; i < n; i++)
        x[i] = fn(&m[i], stage, workers);
    e = estimate_student(x, (size_t)n, confidence);
    json_set(o, key, estimate_json(&e));
    free(x);
}

struct json *measurements_json(const struct scenario *s, const struct measurement *m, long n,
                               double confidence)
{
    struct json *doc = result_document("exec", s), *o, *list;

    json_set_string(doc, "unit", s->unit);
    json_set_number(doc, "repeats", (double)n);
    o = json_set_object(doc, "metrics");
    set_figure(o, "throughput_per_s", throughput, m, n, 0, 1, confidence);
    set_figure(o, "makespan_s", makespan, m, n, 0, 1, confidence);
    set_figure(o, "stall_frac", starved_frac, m, n, EXEC_TRAIN, 1, confidence);
    set_figure(o, "disturbed_frac", disturbed, m, n, 0, 1, confidence);
    json_set_number(o, "table_bytes", m[0].result.table_bytes);
    json_set_number(o, "read_bytes", m[0].result.read_bytes);
    json_set_number(o, "first_loss", m[0].result.first_loss);
    json_set_number(o, "last_loss", m[0].result.last_loss);
    json_set_string(o, "storage", m[0].result.cache_note);
    list = json_set_array(doc, "stages");
    for (int i = 0; i < s->stages_n; i++) {
        double workers = (double)s->stages[i].shape.workers;

        o = json_push(list, json_new_object());
        json_set_string(o, "name", s->stages[i].name);
        json_set_string(o, "model", s->stages[i].model->name);
        json_set_string(o, "owner", s->stages[i].owner);
        set_figure(o, "throughput_per_s", throughput, m, n, i, workers, confidence);
        set_figure(o, "service_s", service_s, m, n, i, workers, confidence);
        set_figure(o, "utilization_frac", busy_frac, m, n, i, workers, confidence);
        set_figure(o, "blocked_frac", blocked_frac, m, n, i, workers, confidence);
        set_figure(o, "starved_frac", starved_frac, m, n, i, workers, confidence);
        set_figure(json_set_object(o, "extra"), "cpu_s_per_unit", cpu_s_per_unit, m, n, i, workers,
                   confidence);
    }
    json_set_number(doc, "trace_id", (double)m[n - 1].trace_id);
    json_set(doc, "host", host_describe());
    return doc;
}
