#include "pipeline/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct estimate fold(const struct folder *f)
{
    return estimate_student(f->x, (size_t)f->n, f->o->confidence);
}

/* Of those replications that know the figure; false when none does. */
static bool fold_known(struct folder *f, struct estimate *e)
{
    long known = 0;

    for (long i = 0; i < f->n; i++)
        if (isfinite(f->x[i]))
            f->x[known++] = f->x[i];
    if (known > 0)
        *e = estimate_student(f->x, (size_t)known, f->o->confidence);
    return known > 0;
}

struct estimate fold_line(const struct flow_result *results, long n, int pipeline, size_t offset, double *x,
                          double confidence)
{
    for (long i = 0; i < n; i++)
        memcpy(&x[i], (const char *)&results[i].lines[pipeline] + offset, sizeof x[i]);
    return estimate_student(x, (size_t)n, confidence);
}

/* -------------------------------------------------------------- stages */

static struct estimate fold_stage(struct folder *f, int stage, size_t offset)
{
    for (long i = 0; i < f->n; i++)
        memcpy(&f->x[i], (const char *)&f->results[i].stages[stage] + offset, sizeof f->x[i]);
    return fold(f);
}

static void fold_operators(struct folder *f, int i, struct outcome_stage *out)
{
    const struct stage *def = &f->s->stages[i];

    out->ops_n = model_operators(def->model, def->cfg);
    out->op_names = arena_array(f->a, (size_t)out->ops_n, sizeof *out->op_names);
    out->op_s_per_unit = arena_array(f->a, (size_t)out->ops_n, sizeof *out->op_s_per_unit);
    for (int k = 0; k < out->ops_n; k++) {
        for (long r = 0; r < f->n; r++)
            f->x[r] = f->results[r].stages[i].op_s_per_unit[k];
        out->op_names[k] = model_operator_name(def->model, def->cfg, k);
        out->op_s_per_unit[k] = fold(f);
        out->cpu_s_per_unit += out->op_s_per_unit[k].mean;
    }
    for (long r = 0; r < f->n; r++)
        out->disk_bytes_per_unit += f->results[r].stages[i].disk_bytes_per_unit / (double)f->n;
}

/* Figures that only the model knows; it reports the same ones in every replication. */
static void fold_figures(struct folder *f, int i, struct outcome_stage *out)
{
    const struct flow_stage *first = &f->results[0].stages[i];

    out->figures = arena_array(f->a, (size_t)first->figures_n + 1, sizeof *out->figures);
    out->figure_names = arena_array(f->a, (size_t)first->figures_n + 1, sizeof *out->figure_names);
    for (int k = 0; k < first->figures_n; k++) {
        for (long r = 0; r < f->n; r++)
            f->x[r] = k < f->results[r].stages[i].figures_n ? f->results[r].stages[i].figures[k].value : NAN;
        out->figure_names[out->figures_n] = first->figures[k].name;
        out->figures_n += fold_known(f, &out->figures[out->figures_n]);
    }
}

static void list_calls(struct folder *f, const struct stage *def, struct outcome_stage *out)
{
    out->calls = arena_array(f->a, CALLEES_MAX, sizeof *out->calls);
    for (int i = 0; i < CALLEES_MAX; i++)
        if (def->calls[i] >= 0)
            out->calls[out->calls_n++] = f->s->stages[def->calls[i]].name;
}

static void fold_one_stage(struct folder *f, int i)
{
    const struct stage *def = &f->s->stages[i];
    struct outcome_stage *out = &f->o->stages[i];

    out->name = def->name;
    out->model = def->model->name;
    out->owner = def->owner;
    out->pipeline = def->pipeline;
#define STAGE(field) fold_stage(f, i, offsetof(struct flow_stage, field))
    out->throughput_per_s = STAGE(throughput_per_s);
    out->wait_s = STAGE(wait_s);
    out->service_s = STAGE(service_s);
    out->utilization = STAGE(utilization);
    out->queue_mean = STAGE(queue_mean);
    out->blocked = STAGE(blocked_frac);
    out->starved = STAGE(starved_frac);
    out->lost = STAGE(lost_frac);
    out->calls_per_visit = STAGE(calls_per_visit);
#undef STAGE
    fold_operators(f, i, out);
    fold_figures(f, i, out);
    list_calls(f, def, out);
}

static void fold_resources(struct folder *f)
{
    struct outcome *o = f->o;

    o->resources_n = f->s->resources_n;
    o->resources = arena_array(f->a, (size_t)o->resources_n, sizeof *o->resources);
    for (int i = 0; i < o->resources_n; i++) {
        for (long r = 0; r < f->n; r++)
            f->x[r] = f->results[r].resources[i].utilization;
        o->resources[i].name = f->s->resources[i].name;
        o->resources[i].kind = resource_kind_names[f->s->resources[i].kind];
        o->resources[i].utilization = fold(f);
        for (long r = 0; r < f->n; r++) {
            o->resources[i].slowdown += f->results[r].resources[i].slowdown / (double)f->n;
            o->resources[i].bus_utilization += f->results[r].resources[i].bus_utilization / (double)f->n;
        }
    }
}

/* ----------------------------------------------------------- pipelines */

static bool fold_spread(struct folder *f, int pipeline, size_t offset, struct estimate out[LATENCY_FIGURES])
{
    bool any = false;

    for (size_t i = 0; i < LATENCY_FIGURES; i++) {
        for (long r = 0; r < f->n; r++)
            memcpy(&f->x[r], (const char *)&f->results[r].lines[pipeline] + offset + i * sizeof(double),
                   sizeof f->x[r]);
        any = fold_known(f, &out[i]) || any;
    }
    return any;
}

static void fold_pipeline(struct folder *f, int i)
{
    const struct pipeline *def = &f->s->pipelines[i];
    struct outcome_metrics *m = &f->o->pipelines[i];

    m->name = def->name;
    m->terminating = def->horizon.kind != HORIZON_STEADY;
    m->has_latency = pipeline_has_latency(def);
#define LINE(field) fold_line(f->results, f->n, i, offsetof(struct flow_line, field), f->x, f->o->confidence)
    m->throughput_per_s = LINE(throughput_per_s);
    m->makespan_s = LINE(makespan_s);
    m->stall = LINE(stall_frac);
    for (size_t k = 0; k < LATENCY_FIGURES; k++)
        m->latency_s[k] = LINE(latency_s[k]);
    m->usd_per_unit = LINE(usd_per_unit);
    m->failed = LINE(failed_frac);
    m->goodput_per_s = LINE(goodput_per_s);
    m->quality = LINE(quality);
#undef LINE
    m->has_queue = fold_spread(f, i, offsetof(struct flow_line, queue_s), m->queue_s);
    m->has_ttft = fold_spread(f, i, offsetof(struct flow_line, ttft_s), m->ttft_s);
    m->has_tpot = fold_spread(f, i, offsetof(struct flow_line, tpot_s), m->tpot_s);
    m->has_goodput = def->slo.given && def->serves;
    m->has_quality = isfinite(m->quality.mean);
    m->quality_unit = "answer_accuracy";
}

static void fold_objective(struct folder *f)
{
    struct outcome *o = f->o;
    const struct outcome_metrics *m = o->metrics = &o->pipelines[f->s->objective];
    bool is_open = f->s->workload.kind == WORKLOAD_OPEN || f->s->workload.kind == WORKLOAD_TRACE;

    o->throughput_per_s = m->throughput_per_s;
    o->makespan_s = m->makespan_s;
    o->stall = m->stall;
    o->terminating = m->terminating;
    o->has_latency = m->has_latency;
    memcpy(o->latency_s, m->latency_s, sizeof o->latency_s);
    o->objective_rep = arena_array(f->a, (size_t)f->n, sizeof(double));
    for (long i = 0; i < f->n; i++) {
        const struct flow_line *l = &f->results[i].lines[f->s->objective];

        o->objective_rep[i] = is_open ? 1 / l->latency_s[0] : l->throughput_per_s;
    }
}

/* What comparisons pair, replication by replication. */
static void keep_lines(struct folder *f)
{
    size_t lines = (size_t)f->s->pipelines_n;

    f->o->rep = arena_array(f->a, (size_t)f->n, sizeof *f->o->rep);
    for (long r = 0; r < f->n; r++) {
        f->o->rep[r] = arena_array(f->a, lines, sizeof **f->o->rep);
        memcpy(f->o->rep[r], f->results[r].lines, lines * sizeof **f->o->rep);
        for (size_t i = 0; i < lines; i++)
            f->o->rep[r][i].series_response = f->o->rep[r][i].series_inside = NULL;
    }
}

void fold_results(const struct flow_result *results, long n, struct arena *a, struct outcome *o)
{
    const struct scenario *s = o->scenario;
    struct folder f = {s, results, n, xcalloc((size_t)n, sizeof(double)), a, o};

    o->replications = n;
    o->pipelines_n = s->pipelines_n;
    o->pipelines = arena_array(a, (size_t)s->pipelines_n, sizeof *o->pipelines);
    for (int i = 0; i < s->pipelines_n; i++)
        fold_pipeline(&f, i);
    fold_objective(&f);
    o->stages_n = s->stages_n;
    o->stages = arena_array(a, (size_t)o->stages_n, sizeof *o->stages);
    for (int i = 0; i < o->stages_n; i++)
        fold_one_stage(&f, i);
    fold_resources(&f);
    fold_cost(&f);
    keep_lines(&f);
    for (long i = 0; i < n; i++)
        o->events += results[i].events;
    free(f.x);
}
