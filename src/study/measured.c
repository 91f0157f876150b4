/*
 * measured.c - what executions say, figure by figure, and as a document.
 */
#include "study/measure.h"

#include "executor/host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double of_stage(const struct measurement *m, enum measured_figure f, const struct exec_stage *s)
{
    double time_s = m->makespan_s * (double)s->workers, items = (double)s->items_in;

    switch (f) {
    case MEASURED_SERVICE:
        return s->busy_s / items;
    case MEASURED_WAIT:
        return s->wait_s / items;
    case MEASURED_BUSY:
        return s->busy_s / time_s;
    case MEASURED_BLOCKED:
        return s->blocked_s / time_s;
    case MEASURED_STARVED:
        return s->starved_s / time_s;
    case MEASURED_CPU:
        return s->cpu_s / m->result.units;
    case MEASURED_DISK:
        return s->disk_bytes / m->result.units;
    default:
        return NAN;
    }
}

double measured_value(const struct measurement *m, enum measured_figure f, int stage)
{
    if (f >= MEASURED_SERVICE)
        return of_stage(m, f, &m->result.stages[stage]);
    switch (f) {
    case MEASURED_THROUGHPUT:
        return m->throughput_per_s;
    case MEASURED_MAKESPAN:
        return m->makespan_s;
    case MEASURED_STALL:
        return of_stage(m, MEASURED_STARVED, &m->result.stages[m->result.stages_n - 1]);
    case MEASURED_DISTURBED:
        return m->disturbed_frac;
    case MEASURED_P50:
        return m->latency_s[LATENCY_P50];
    case MEASURED_P95:
        return m->latency_s[LATENCY_P95];
    default:
        return m->result.quality_unit != NULL ? m->result.quality : NAN;
    }
}

/* Every repeat asks the same questions: an accuracy is as uncertain as so many right and wrong answers are.
 */
static struct estimate accuracy(const struct exec_outcome *r, double confidence)
{
    double *x = xcalloc(r->quality_n, sizeof *x);
    struct estimate e;

    for (size_t i = 0; (double)i + 0.5 < r->quality * (double)r->quality_n; i++)
        x[i] = 1;
    e = estimate_student(x, r->quality_n, confidence);
    free(x);
    return e;
}

struct estimate measured_estimate(const struct measurement *m, long n, enum measured_figure f, int stage,
                                  double confidence)
{
    const struct exec_outcome *r = &m[0].result;
    double *x;
    struct estimate e;

    if (f == MEASURED_QUALITY && r->quality_unit != NULL && strcmp(r->quality_unit, "answer_accuracy") == 0)
        return accuracy(r, confidence);
    x = xcalloc((size_t)n, sizeof *x);
    for (long i = 0; i < n; i++)
        x[i] = measured_value(&m[i], f, stage);
    e = estimate_student(x, (size_t)n, confidence);
    free(x);
    return e;
}

/* ----------------------------------------------------------------- JSON */

struct figure_key {
    enum measured_figure figure;
    const char *key;
};

struct over {
    const struct measurement *m;
    long n;
    double confidence;
};

static void set_figures(struct json *o, const struct over *v, const struct figure_key *keys, int n, int stage)
{
    for (int i = 0; i < n; i++) {
        struct estimate e = measured_estimate(v->m, v->n, keys[i].figure, stage, v->confidence);

        if (!isnan(e.mean))
            json_set(o, keys[i].key, estimate_json(&e));
    }
}

static void set_latencies(struct json *o, const struct over *v)
{
    static const char *const keys[LATENCY_FIGURES] = {"mean", "p50", "p95", "p99"};
    double *x = xcalloc((size_t)v->n, sizeof *x);

    o = json_set_object(o, "latency_s");
    for (int k = 0; k < LATENCY_FIGURES; k++) {
        struct estimate e;

        for (long i = 0; i < v->n; i++)
            x[i] = v->m[i].latency_s[k];
        e = estimate_student(x, (size_t)v->n, v->confidence);
        json_set(o, keys[k], estimate_json(&e));
    }
    free(x);
}

static void set_metrics(struct json *o, const struct over *v)
{
    static const struct figure_key keys[] = {{MEASURED_THROUGHPUT, "throughput_per_s"},
                                             {MEASURED_MAKESPAN, "makespan_s"},
                                             {MEASURED_STALL, "stall_frac"},
                                             {MEASURED_QUALITY, "quality"},
                                             {MEASURED_DISTURBED, "disturbed_frac"}};
    const struct exec_outcome *r = &v->m[0].result;

    set_figures(o, v, keys, sizeof keys / sizeof *keys, -1);
    if (!isnan(v->m[0].latency_s[LATENCY_MEAN]))
        set_latencies(o, v);
    if (r->quality_unit != NULL)
        json_set_string(o, "quality_unit", r->quality_unit);
    for (int i = 0; i < r->figures_n; i++)
        json_set_number(o, r->figures[i].name, r->figures[i].value);
    if (r->cache_note != NULL)
        json_set_string(o, "storage", r->cache_note);
}

static struct json *stage_json(const struct stage *s, const struct over *v, int stage)
{
    static const struct figure_key keys[] = {{MEASURED_SERVICE, "service_s"},
                                             {MEASURED_WAIT, "wait_s"},
                                             {MEASURED_BUSY, "utilization_frac"},
                                             {MEASURED_BLOCKED, "blocked_frac"},
                                             {MEASURED_STARVED, "starved_frac"}};
    static const struct figure_key extra[] = {{MEASURED_CPU, "cpu_s_per_unit"},
                                              {MEASURED_DISK, "disk_bytes_per_unit"}};
    static const struct figure_key whole[] = {{MEASURED_THROUGHPUT, "throughput_per_s"}};
    struct json *o = json_new_object();

    json_set_string(o, "name", s->name);
    json_set_string(o, "model", s->model->name);
    json_set_string(o, "owner", s->owner);
    set_figures(o, v, whole, 1, stage);
    set_figures(o, v, keys, sizeof keys / sizeof *keys, stage);
    set_figures(json_set_object(o, "extra"), v, extra, sizeof extra / sizeof *extra, stage);
    return o;
}

struct json *measurements_json(const struct scenario *s, const struct measurement *m, long n,
                               double confidence)
{
    struct over v = {m, n, confidence};
    struct json *doc = result_document("exec", s), *list;

    json_set_string(doc, "unit", s->unit);
    json_set_number(doc, "repeats", (double)n);
    set_metrics(json_set_object(doc, "metrics"), &v);
    list = json_set_array(doc, "stages");
    for (int i = 0; i < m[0].result.stages_n; i++)
        json_push(list, stage_json(&s->stages[i], &v, i));
    json_set_number(doc, "trace_id", (double)m[n - 1].trace_id);
    json_set(doc, "host", host_describe());
    return doc;
}
