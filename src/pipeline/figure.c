#include "pipeline/figure.h"

#include "base/arena.h"
#include "base/text.h"
#include "pipeline/flow.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const struct figure_def figures[] = {
    {"throughput_per_s", UNIT_PER_S, BETTER_HIGHER, false},
    {"makespan_s", UNIT_S, BETTER_LOWER, false},
    {"goodput_per_s", UNIT_PER_S, BETTER_HIGHER, false},
    {"latency_s.mean", UNIT_S, BETTER_LOWER, false},
    {"latency_s.p50", UNIT_S, BETTER_LOWER, false},
    {"latency_s.p95", UNIT_S, BETTER_LOWER, false},
    {"latency_s.p99", UNIT_S, BETTER_LOWER, false},
    {"queue_s.mean", UNIT_S, BETTER_LOWER, false},
    {"queue_s.p95", UNIT_S, BETTER_LOWER, false},
    {"ttft_s.p50", UNIT_S, BETTER_LOWER, false},
    {"ttft_s.p95", UNIT_S, BETTER_LOWER, false},
    {"ttft_s.p99", UNIT_S, BETTER_LOWER, false},
    {"tpot_s.p50", UNIT_S, BETTER_LOWER, false},
    {"tpot_s.p95", UNIT_S, BETTER_LOWER, false},
    {"tpot_s.p99", UNIT_S, BETTER_LOWER, false},
    {"stall_frac", UNIT_FRAC, BETTER_LOWER, false},
    {"quality", UNIT_NONE, BETTER_HIGHER, false},
    {"cost_usd_per_h", UNIT_USD_PER_H, BETTER_LOWER, false},
    {"cost_usd_per_1m_units", UNIT_USD, BETTER_LOWER, false},
    {"power_w", UNIT_WATT, BETTER_LOWER, false},
    {"queue_s.p50", UNIT_S, BETTER_LOWER, true},
    {"queue_s.p99", UNIT_S, BETTER_LOWER, true},
    {"ttft_s.mean", UNIT_S, BETTER_LOWER, true},
    {"tpot_s.mean", UNIT_S, BETTER_LOWER, true},
    {"failed_frac", UNIT_FRAC, BETTER_LOWER, true},
    {"cost_usd", UNIT_USD, BETTER_LOWER, true},
    {NULL, UNIT_NONE, BETTER_HIGHER, false},
};

const struct figure_def *figure_find(const char *name)
{
    for (const struct figure_def *f = figures; f->name != NULL; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

/* ------------------------------------------------------------ by name */

static int no_such_figure(const char *name, struct err *err)
{
    const char *names[sizeof figures / sizeof *figures];
    struct text t = {0};
    size_t n = 0;
    int rc;

    for (; figures[n].name != NULL; n++)
        names[n] = figures[n].name;
    text_add_suggestion(&t, name, names, n);
    rc = err_set(err, ERR_SCENARIO, "no figure \"%.60s\"; %s", name, t.s);
    text_free(&t);
    return rc;
}

static int no_such_pipeline(const char *name, const struct scenario *s, struct err *err)
{
    const char **names = xcalloc((size_t)s->pipelines_n, sizeof *names);
    struct text t = {0};
    int rc;

    for (int i = 0; i < s->pipelines_n; i++)
        names[i] = s->pipelines[i].name;
    text_add_suggestion(&t, name, names, (size_t)s->pipelines_n);
    rc = err_set(err, ERR_SCENARIO, "no pipeline \"%.60s\"; %s", name, t.s);
    text_free(&t);
    free(names);
    return rc;
}

int figure_place_read(const char *text, const struct scenario *s, struct figure_place *out, struct err *err)
{
    static const char head[] = "pipelines[";
    const char *figure = text;
    char name[128];

    out->pipeline = -1;
    if (strncmp(text, head, sizeof head - 1) == 0) {
        const char *from = text + sizeof head - 1, *to = strstr(from, "].");

        if (to == NULL || (size_t)(to - from) >= sizeof name)
            return err_set(err, ERR_SCENARIO, "\"%.60s\": write pipelines[NAME].FIGURE", text);
        memcpy(name, from, (size_t)(to - from));
        name[to - from] = '\0';
        figure = to + 2;
        for (int i = 0; i < s->pipelines_n; i++)
            if (strcmp(s->pipelines[i].name, name) == 0)
                out->pipeline = i;
        if (out->pipeline < 0)
            return no_such_pipeline(name, s, err);
    }
    out->def = figure_find(figure);
    return out->def != NULL ? 0 : no_such_figure(figure, err);
}

/* ------------------------------------------------------------- values */

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
    if (strcmp(f->name, "cost_usd") == 0)
        return o->has_cost && m->terminating ? o->cash_usd_per_h_rep[replication] / 3600 * l->makespan_s
                                             : NAN;
    if (strcmp(f->name, "failed_frac") == 0)
        return l->failed_frac;
    if (strcmp(f->name, "power_w") == 0)
        return o->has_power ? o->power_w_rep[replication] : NAN;
    return spread_value(f->name, l);
}

double figure_place_value(const struct figure_place *p, const struct outcome *o, long replication)
{
    return figure_value(p->def, o, replication, p->pipeline < 0 ? o->scenario->objective : p->pipeline);
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
