#include "pipeline/figure.h"

#include "base/arena.h"
#include "pipeline/flow.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const struct figure_def figures[] = {
    {"throughput_per_s", UNIT_PER_S, BETTER_HIGHER},
    {"makespan_s", UNIT_S, BETTER_LOWER},
    {"goodput_per_s", UNIT_PER_S, BETTER_HIGHER},
    {"latency_s.mean", UNIT_S, BETTER_LOWER},
    {"latency_s.p50", UNIT_S, BETTER_LOWER},
    {"latency_s.p95", UNIT_S, BETTER_LOWER},
    {"latency_s.p99", UNIT_S, BETTER_LOWER},
    {"queue_s.mean", UNIT_S, BETTER_LOWER},
    {"queue_s.p95", UNIT_S, BETTER_LOWER},
    {"ttft_s.p50", UNIT_S, BETTER_LOWER},
    {"ttft_s.p95", UNIT_S, BETTER_LOWER},
    {"ttft_s.p99", UNIT_S, BETTER_LOWER},
    {"tpot_s.p50", UNIT_S, BETTER_LOWER},
    {"tpot_s.p95", UNIT_S, BETTER_LOWER},
    {"tpot_s.p99", UNIT_S, BETTER_LOWER},
    {"stall_frac", UNIT_FRAC, BETTER_LOWER},
    {"quality", UNIT_NONE, BETTER_HIGHER},
    {"cost_usd_per_h", UNIT_USD_PER_H, BETTER_LOWER},
    {"cost_usd_per_1m_units", UNIT_USD, BETTER_LOWER},
    {"power_w", UNIT_WATT, BETTER_LOWER},
    {NULL, UNIT_NONE, BETTER_HIGHER},
};

const struct figure_def *figure_find(const char *name)
{
    for (const struct figure_def *f = figures; f->name != NULL; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

/* "ttft_s.p95": which of the spreads, and which figure of it. */
static double spread_value(const char *name, const struct flow_line *l)
{
    static const struct {
        const char *name;
        size_t offset;
    } spreads[] = {{"latency_s.", offsetof(struct flow_line, latency_s)},
                   {"queue_s.", offsetof(struct flow_line, queue_s)},
                   {"ttft_s.", offsetof(struct flow_line, ttft_s)},
                   {"tpot_s.", offsetof(struct flow_line, tpot_s)}};
    static const char *const parts[LATENCY_FIGURES] = {"mean", "p50", "p95", "p99"};

    for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++) {
        size_t n = strlen(spreads[i].name);

        for (size_t k = 0; strncmp(name, spreads[i].name, n) == 0 && k < LATENCY_FIGURES; k++)
            if (strcmp(name + n, parts[k]) == 0)
                return ((const double *)(const void *)((const char *)l + spreads[i].offset))[k];
    }
    return NAN;
}

double figure_value(const struct figure_def *f, const struct outcome *o, long replication, int pipeline)
{
    const struct flow_line *l = &o->rep[replication][pipeline];
    const struct outcome_metrics *m = &o->pipelines[pipeline];

    if (strcmp(f->name, "throughput_per_s") == 0)
        return l->throughput_per_s;
    if (strcmp(f->name, "makespan_s") == 0)
        return m->terminating ? l->makespan_s : NAN;
    if (strcmp(f->name, "goodput_per_s") == 0)
        return m->has_goodput ? l->goodput_per_s : NAN;
    if (strcmp(f->name, "stall_frac") == 0)
        return m->has_latency ? NAN : l->stall_frac;
    if (strcmp(f->name, "quality") == 0)
        return l->quality;
    if (strcmp(f->name, "cost_usd_per_h") == 0)
        return o->has_cost ? o->cash_usd_per_h_rep[replication] : NAN;
    if (strcmp(f->name, "cost_usd_per_1m_units") == 0)
        return o->has_cost ? o->cash_usd_per_h_rep[replication] / 3600 / l->throughput_per_s * 1e6 : NAN;
    if (strcmp(f->name, "power_w") == 0)
        return o->has_power ? o->power_w_rep[replication] : NAN;
    return spread_value(f->name, l);
}

bool figure_estimate(const struct figure_def *f, const struct outcome *o, int pipeline, struct estimate *out)
{
    double *x = xcalloc((size_t)o->replications, sizeof *x);
    size_t n = 0;

    for (long r = 0; r < o->replications; r++) {
        double v = figure_value(f, o, r, pipeline);

        if (isfinite(v))
            x[n++] = v;
    }
    if (n > 0)
        *out = estimate_student(x, n, o->confidence);
    free(x);
    return n > 0;
}

bool figure_compare(const struct figure_def *f, const struct outcome *before, const struct outcome *after,
                    int pipeline, struct estimate *delta, struct estimate *ratio)
{
    long most = before->replications < after->replications ? before->replications : after->replications;
    double *a = xcalloc((size_t)most, sizeof *a), *b = xcalloc((size_t)most, sizeof *b);
    size_t n = 0;

    for (long r = 0; r < most; r++) {
        b[n] = figure_value(f, before, r, pipeline);
        a[n] = figure_value(f, after, r, pipeline);
        n += isfinite(a[n]) && isfinite(b[n]);
    }
    if (n > 0) {
        *delta = estimate_difference(a, b, n, before->confidence);
        *ratio = estimate_ratio(a, b, n, before->confidence);
    }
    free(a);
    free(b);
    return n > 0;
}
