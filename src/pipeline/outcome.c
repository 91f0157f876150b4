#include "pipeline/outcome.h"

#include "base/json.h"
#include "pipeline/overload.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

struct json *estimate_json(const struct estimate *e)
{
    struct json *o = json_new_object();

    json_set_number(o, "mean", e->mean);
    json_set_number(o, "lo", e->lo);
    json_set_number(o, "hi", e->hi);
    json_set_number(o, "n", (double)e->n);
    if (e->has_pred) {
        json_set_number(o, "pred_lo", e->pred_lo);
        json_set_number(o, "pred_hi", e->pred_hi);
    }
    return o;
}

static void set_estimate(struct json *obj, const char *key, const struct estimate *e)
{
    json_set(obj, key, estimate_json(e));
}

static void figures_json(struct json *m, const char *key, const struct estimate *e)
{
    static const char *const names[LATENCY_FIGURES] = {"mean", "p50", "p95", "p99"};
    struct json *l = json_set_object(m, key);

    for (int i = 0; i < LATENCY_FIGURES; i++)
        set_estimate(l, names[i], &e[i]);
}

/* What follows behind the latency stands at its place in every document; cost is of the scenario as a whole.
 */
static void serving_json(const struct outcome_metrics *p, struct json *m)
{
    if (p->has_queue)
        figures_json(m, "queue_s", p->queue_s);
    if (p->has_ttft)
        figures_json(m, "ttft_s", p->ttft_s);
    if (p->has_tpot)
        figures_json(m, "tpot_s", p->tpot_s);
    if (p->has_goodput)
        set_estimate(m, "goodput_per_s", &p->goodput_per_s);
    if (p->failed.mean > 0)
        set_estimate(m, "failed_frac", &p->failed);
}

static void quality_json(const struct outcome_metrics *p, struct json *m)
{
    if (p != NULL && p->has_quality)
        set_estimate(m, "quality", &p->quality);
    json_set_string(m, "quality_unit", p != NULL && p->has_quality ? p->quality_unit : "none");
}

static void metrics_json(const struct outcome *o, struct json *m)
{
    set_estimate(m, "throughput_per_s", &o->throughput_per_s);
    if (o->terminating)
        set_estimate(m, "makespan_s", &o->makespan_s);
    if (o->terminating && o->has_cost)
        set_estimate(m, "cost_usd", &o->cost_usd);
    if (o->has_latency)
        figures_json(m, "latency_s", o->latency_s);
    if (o->metrics != NULL)
        serving_json(o->metrics, m);
    set_estimate(m, "stall_frac", &o->stall);
    if (o->has_cost) {
        set_estimate(m, "cost_usd_per_h", &o->cost_usd_per_h);
        set_estimate(m, "cost_usd_per_1m_units", &o->cost_per_1m);
    }
    if (o->has_billing)
        set_estimate(m, "idle_usd_per_h", &o->idle_usd_per_h);
    quality_json(o->metrics, m);
    if (o->has_power)
        set_estimate(m, "power_w", &o->power_w);
}

static void pipelines_json(const struct outcome *o, struct json *list)
{
    for (int i = 0; i < o->pipelines_n; i++) {
        const struct outcome_metrics *p = &o->pipelines[i];
        struct json *v = json_push(list, json_new_object()), *m, *stages;

        json_set_string(v, "name", p->name);
        json_set_string(v, "unit", o->scenario->pipelines[i].unit);
        m = json_set_object(v, "metrics");
        set_estimate(m, "throughput_per_s", &p->throughput_per_s);
        if (p->terminating)
            set_estimate(m, "makespan_s", &p->makespan_s);
        if (p->has_latency)
            figures_json(m, "latency_s", p->latency_s);
        serving_json(p, m);
        set_estimate(m, "stall_frac", &p->stall);
        quality_json(p, m);
        stages = json_set_array(v, "stages");
        for (int k = 0; k < o->stages_n; k++)
            if (o->stages[k].pipeline == i)
                json_push(stages, json_new_string(o->stages[k].name));
    }
}

/* What it works on, each once. */
static void bound_to_json(const struct scenario *s, const struct stage *def, struct json *list)
{
    for (int role = 0; role < ROLES; role++) {
        bool seen = def->on[role] < 0;

        for (int i = 0; i < role; i++)
            seen = seen || def->on[i] == def->on[role];
        if (!seen)
            json_push(list, json_new_string(s->resources[def->on[role]].name));
    }
}

static void stage_json(const struct scenario *s, const struct stage *def, const struct outcome_stage *st,
                       struct json *list)
{
    struct json *o = json_push(list, json_new_object()), *ops;

    json_set_string(o, "name", st->name);
    json_set_string(o, "model", st->model);
    json_set_string(o, "owner", st->owner);
    bound_to_json(s, def, json_set_array(o, "on"));
    set_estimate(o, "throughput_per_s", &st->throughput_per_s);
    set_estimate(o, "wait_s", &st->wait_s);
    set_estimate(o, "service_s", &st->service_s);
    set_estimate(o, "utilization_frac", &st->utilization);
    set_estimate(o, "queue_mean", &st->queue_mean);
    set_estimate(o, "blocked_frac", &st->blocked);
    set_estimate(o, "starved_frac", &st->starved);
    ops = st->calls_n > 0 ? json_set_array(o, "calls") : NULL;
    for (int i = 0; i < st->calls_n; i++)
        json_push(ops, json_new_string(st->calls[i]));
    ops = json_set_object(o, "extra");
    json_set_number(ops, "disk_bytes_per_unit", st->disk_bytes_per_unit);
    if (st->lost.mean > 0)
        set_estimate(ops, "lost_frac", &st->lost);
    for (int i = 0; i < st->figures_n; i++)
        set_estimate(ops, st->figure_names[i], &st->figures[i]);
    if (st->calls_per_visit.mean > 0)
        set_estimate(ops, "calls_per_visit", &st->calls_per_visit);
    ops = json_set_object(ops, "work_s_per_unit");
    for (int i = 0; i < st->ops_n; i++)
        if (st->op_s_per_unit[i].mean > 0)
            set_estimate(ops, st->op_names[i], &st->op_s_per_unit[i]);
}

static void supply_json(const struct outcome *o, const struct outcome_resource *r, struct json *v)
{
    if (r->billing != NULL)
        json_set_string(v, "billing", r->billing);
    if (o->has_billing)
        json_set_number(v, "idle_usd_per_h", r->idle_usd_per_h);
    if (o->has_power)
        json_set_number(v, "power_w", r->power_w);
    if (r->servers > 0)
        json_set_number(v, "servers_mean", r->servers);
}

static void owners_json(const struct outcome *o, struct json *doc)
{
    struct json *list = o->owners_n > 0 ? json_set_array(doc, "owners") : NULL;

    for (int i = 0; i < o->owners_n; i++) {
        struct json *v = json_push(list, json_new_object());

        json_set_string(v, "owner", o->owners[i].name);
        if (o->has_cost)
            set_estimate(v, "cost_usd_per_h", &o->owners[i].cost_usd_per_h);
        if (o->has_power)
            set_estimate(v, "power_w", &o->owners[i].power_w);
    }
}

static void warmup_json(const struct outcome_warmup *w, struct json *doc)
{
    struct json *o = json_set_object(doc, "warmup");

    json_set_string(o, "method", "mser5");
    json_set_number(o, "discarded", w->discarded);
    json_set_number(o, "measured", w->measured);
    json_set_bool(o, "settled", w->settled);
}

static void push_warning(struct json *list, const char *path, const char *text)
{
    struct json *w = json_push(list, json_new_object());

    json_set_string(w, "path", path);
    json_set_string(w, "text", text);
}

/* Only the run can tell that a stage left the table its times come from. */
static void extrapolation_json(const struct outcome *o, struct json *list)
{
    char path[200], text[300];

    for (int i = 0; i < o->stages_n; i++)
        for (int k = 0; k < o->stages[i].figures_n; k++) {
            const struct estimate *e = &o->stages[i].figures[k];

            if (strcmp(o->stages[i].figure_names[k], "extrapolated_frac") != 0 || !(e->mean > 0))
                continue;
            snprintf(path, sizeof path, "%s.params.ops", o->scenario->stages[i].path);
            snprintf(text, sizeof text,
                     "extrapolated: a share of %.3g (interval %.3g to %.3g) of the iterations of "
                     "\"%.100s\" had sizes outside the measured table, where its last line goes on",
                     e->mean, fmax(0, e->lo), fmin(1, e->hi), o->stages[i].name);
            push_warning(list, path, text);
        }
}

static void overload_json(const struct outcome *o, struct json *list)
{
    double arrive = overload_arrivals_per_s(o);
    char text[300];

    if (arrive > 0) {
        snprintf(text, sizeof text,
                 "overloaded: %.4g/s arrive and %.4g/s leave; queues grow as long as the run lasts, and "
                 "times in the pipeline are those of a run of this length",
                 arrive, o->throughput_per_s.mean);
        push_warning(list, "$.workload.open.arrivals", text);
    }
}

static void provenance_json(const struct outcome *o, struct json *doc)
{
    const struct scenario *s = o->scenario;
    struct json *p = json_set_object(doc, "provenance"), *list = json_set_array(p, "calibrations");

    for (int i = 0; i < s->calibrations_n; i++)
        json_push(list, json_new_string(s->calibrations[i]));
    list = s->recordings_n > 0 ? json_set_array(p, "recordings") : NULL;
    for (int i = 0; i < s->recordings_n; i++)
        json_push(list, json_new_string(s->recordings[i]));
    list = json_set_array(p, "assumed");
    for (int i = 0; i < s->assumed_n; i++)
        json_push(list, json_new_string(s->assumed[i]));
    list = json_set_array(doc, "warnings");
    for (int i = 0; i < s->warnings_n; i++)
        push_warning(list, s->warnings[i].path, s->warnings[i].text);
    extrapolation_json(o, list);
    overload_json(o, list);
}

struct json *result_document(const char *command, const struct scenario *s)
{
    struct json *doc = json_new_object();

    json_set_string(doc, "format", "foresight.result");
    json_set_string(doc, "format_version", "1.0");
    json_set_string(doc, "command", command);
    json_set_string(doc, "version", PACKAGE_VERSION);
    json_set_string(doc, "scenario", s->name);
    json_set_string(doc, "scenario_sha256", s->sha256);
    return doc;
}

struct json *outcome_json(const struct outcome *o)
{
    const struct scenario *s = o->scenario;
    struct json *doc = result_document(o->command, s), *list;

    json_set_string(doc, "unit", s->unit);
    json_set_number(doc, "seed", (double)o->seed);
    json_set_number(doc, "replications", (double)o->replications);
    json_set_number(doc, "events", (double)o->events);
    json_set_number(doc, "confidence", o->confidence);
    if (o->warmup.used)
        warmup_json(&o->warmup, doc);
    metrics_json(o, json_set_object(doc, "metrics"));
    if (o->has_bound) {
        struct json *b = json_set_object(doc, "bound");

        json_set_number(b, "throughput_per_s", o->bound.throughput_per_s);
        json_set_string(b, "bottleneck", o->bound.bottleneck);
    }
    list = json_set_array(doc, "stages");
    for (int i = 0; i < o->stages_n; i++)
        stage_json(s, &s->stages[i], &o->stages[i], list);
    list = json_set_array(doc, "resources");
    for (int i = 0; i < o->resources_n; i++) {
        struct json *r = json_push(list, json_new_object());

        json_set_string(r, "name", o->resources[i].name);
        json_set_string(r, "kind", o->resources[i].kind);
        json_set_number(r, "count", (double)s->resources[i].count);
        set_estimate(r, "utilization_frac", &o->resources[i].utilization);
        if (o->resources[i].bus_utilization > 0)
            json_set_number(r, "memory_utilization_frac", o->resources[i].bus_utilization);
        json_set_number(r, "cost_usd_per_h", o->resources[i].cost_usd_per_h);
        supply_json(o, &o->resources[i], r);
    }
    owners_json(o, doc);
    if (o->pipelines_n > 1)
        pipelines_json(o, json_set_array(doc, "pipelines"));
    provenance_json(o, doc);
    return doc;
}
