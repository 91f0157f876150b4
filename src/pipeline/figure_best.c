#include "pipeline/figure.h"

#include <math.h>
#include <string.h>

/* What is paid whatever happens; elastic resources may stand idle. */
static double least_usd_per_h(const struct scenario *s)
{
    double sum = 0;

    for (int i = 0; i < s->resources_n; i++)
        sum += s->resources[i].billing == BILLING_COMMITTED ? s->resources[i].price : 0;
    return sum;
}

static double least_w(const struct scenario *s)
{
    double sum = 0;

    for (int i = 0; i < s->resources_n; i++) {
        const struct resource *r = &s->resources[i];
        double servers = r->failures != NULL || r->maintenance != NULL ? 0
                         : r->autoscale != NULL                        ? (double)r->autoscale->min
                                                                       : (double)r->count;

        sum += fmin(r->idle_w, r->active_w) * servers;
    }
    return sum;
}

static bool loses_items(const struct scenario *s, int pipeline)
{
    bool loses = false;

    for (int i = 0; i < s->stages_n; i++)
        loses = loses || (s->stages[i].pipeline == pipeline && s->stages[i].shape.queue_limit >= 0);
    return loses;
}

/* More comes than leaves, for as long as the run lasts. */
static bool is_overloaded(const struct scenario *s, int pipeline, const struct bound *b)
{
    const struct pipeline *p = &s->pipelines[pipeline];
    double most = INFINITY;

    if (p->workload.kind != WORKLOAD_OPEN || p->horizon.kind != HORIZON_STEADY ||
        p->workload.sessions != NULL || loses_items(s, pipeline))
        return false;
    for (int i = 0; i < s->stages_n; i++)
        most = fmin(most, b->stage_per_s[i]);
    for (int i = 0; i < s->resources_n; i++)
        most = fmin(most, b->resource_per_s[i]);
    return most < pipeline_arrivals_per_s(p) * (1 - 1e-9);
}

static double best_time(const struct figure_def *f, const struct scenario *s, int pipeline,
                        const struct bound *b)
{
    if (strncmp(f->name, "latency_s.", 10) == 0 && is_overloaded(s, pipeline, b))
        return INFINITY;
    if (strcmp(f->name, "latency_s.mean") == 0)
        return b->latency_s;
    if (strcmp(f->name, "makespan_s") == 0 && s->pipelines[pipeline].horizon.kind == HORIZON_ITEMS)
        return s->pipelines[pipeline].horizon.items / b->throughput_per_s;
    return NAN;
}

double figure_best(const struct figure_def *f, const struct scenario *s, int pipeline, const struct bound *b)
{
    if (strcmp(f->name, "throughput_per_s") == 0 || strcmp(f->name, "goodput_per_s") == 0)
        return b->throughput_per_s;
    if (strcmp(f->name, "cost_usd_per_h") == 0)
        return least_usd_per_h(s);
    if (strcmp(f->name, "cost_usd_per_1m_units") == 0)
        return least_usd_per_h(s) / 3600 / b->throughput_per_s * 1e6;
    if (strcmp(f->name, "power_w") == 0)
        return least_w(s);
    return best_time(f, s, pipeline, b);
}
