#include "study/measure.h"

#include "executor/host.h"
#include "executor/span_log.h"
#include "store/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Requests as spans: a trace tells latencies as well. */
static int append_requests(struct store *store, int64_t trace_id, const struct exec_outcome *o,
                           struct err *err)
{
    struct span *spans = xcalloc(o->requests_n + 1, sizeof *spans);
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < o->requests_n; i++)
        if (!o->requests[i].lost)
            spans[n++] = (struct span){.stage = TRACE_REQUESTS,
                                       .op = "request",
                                       .variant = "",
                                       .item = (int64_t)i,
                                       .start_s = o->requests[i].intended_s,
                                       .end_s = o->requests[i].end_s,
                                       .cpu_s = NAN,
                                       .items = 1,
                                       .bytes_in = NAN,
                                       .bytes_out = NAN};
    rc = trace_append(store, trace_id, spans, n, err);
    free(spans);
    return rc;
}

/* `o`: of an execution; NULL: a profile. */
static int keep_spans(const struct scenario *s, struct store *store, struct span_log *log,
                      const struct exec_outcome *o, int64_t *trace_id, struct err *err)
{
    struct json *host = host_describe();
    char *host_text = json_compact(host);
    struct trace_info info = {.name = s->name,
                              .kind = o != NULL ? "exec" : "profile",
                              .scenario = s->name,
                              .scenario_sha256 = s->sha256,
                              .host_json = host_text,
                              .note = o != NULL ? o->cache_note : "operators alone",
                              .seed = s->seed};
    size_t n;
    const struct span *spans = span_log_merge(log, &n);
    int rc = store_begin(store, err);

    if (rc == 0) {
        rc = trace_create(store, &info, trace_id, err);
        if (rc == 0)
            rc = trace_append(store, *trace_id, spans, n, err);
        if (rc == 0 && o != NULL)
            rc = append_requests(store, *trace_id, o, err);
        if (rc == 0)
            rc = store_commit(store, err);
        else
            store_rollback(store);
    }
    free(host_text);
    json_free(host);
    return rc;
}

static struct exec_options options_of(const struct exec_job *job, const struct measure_options *opt)
{
    return (struct exec_options){.folder = opt->folder,
                                 .spans = opt->spans,
                                 .pin = opt->pin,
                                 .cores = job->cores,
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

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* From the intended start: what a request waited before anybody had time for it belongs to its latency. */
static void find_latencies(struct measurement *m)
{
    static const double q[LATENCY_FIGURES] = {
        [LATENCY_P50] = 0.5, [LATENCY_P95] = 0.95, [LATENCY_P99] = 0.99};
    const struct exec_outcome *o = &m->result;
    double *x = xcalloc(o->requests_n + 1, sizeof *x), sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < o->requests_n; i++)
        if (!o->requests[i].lost)
            sum += x[n++] = o->requests[i].end_s - o->requests[i].intended_s;
    qsort(x, n, sizeof *x, ascending);
    for (int k = 0; k < LATENCY_FIGURES; k++)
        m->latency_s[k] = n > 0 ? x[(size_t)(q[k] * (double)(n - 1) + 0.5)] : NAN;
    if (n > 0)
        m->latency_s[LATENCY_MEAN] = sum / (double)n;
    m->lost_frac = o->requests_n > 0 ? 1 - (double)n / (double)o->requests_n : 0;
    free(x);
}

static int execute(const struct scenario *s, const struct exec_job *job, const struct measure_options *opt,
                   struct measurement *out, struct err *err)
{
    struct exec_options eo = options_of(job, opt);
    struct span_log *log = opt->spans ? span_log_new() : NULL;
    double all, own, all_then, own_then, began = clock_wall_s(), there;
    bool known = processor_times(&all, &own);
    int rc = job->path->run(job->plan, &eo, log, &out->result, err);

    if (rc == 0) {
        out->throughput_per_s = out->result.throughput_per_s;
        out->makespan_s = out->result.makespan_s;
        there = (clock_wall_s() - began) * (double)sysconf(_SC_NPROCESSORS_ONLN);
        if (known && processor_times(&all_then, &own_then))
            out->disturbed_frac = fmax(0, (all_then - all) - (own_then - own)) / there;
        find_latencies(out);
        if (log != NULL && opt->store != NULL)
            rc = keep_spans(s, opt->store, log, &out->result, &out->trace_id, err);
        exec_outcome_fini(&out->result);
    }
    span_log_free(log);
    return rc;
}

static int measure_once(const struct scenario *s, const struct measure_options *opt, struct measurement *out,
                        struct err *err)
{
    struct arena *a = arena_new();
    struct exec_job job;
    int rc = exec_prepare(s, a, &job, err);

    *out = (struct measurement){.disturbed_frac = NAN};
    if (rc == 0)
        rc = execute(s, &job, opt, out, err);
    arena_free(a);
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
    struct span_log *log = span_log_new();
    struct arena *a = arena_new();
    struct exec_options eo;
    struct exec_job job;
    int rc = exec_prepare(s, a, &job, err);

    if (rc == 0) {
        eo = options_of(&job, opt);
        rc = job.path->profile(job.plan, &eo, log, err);
    }
    if (rc == 0)
        rc = keep_spans(s, opt->store, log, NULL, trace_id, err);
    span_log_free(log);
    arena_free(a);
    return rc;
}
