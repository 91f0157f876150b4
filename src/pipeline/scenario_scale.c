#include "pipeline/scenario.h"

#include "base/arena.h"

#include <math.h>
#include <string.h>

/* A process of several rates keeps its hours and stays; only the rates grow. */
static const struct process *scaled_process(const struct process *p, double factor, struct arena *a)
{
    struct process *out = ARENA_NEW(a, struct process);
    double *rates = arena_array(a, (size_t)p->n, sizeof *rates);

    *out = *p;
    for (int i = 0; i < p->n; i++)
        rates[i] = p->rate_per_s[i] * factor;
    out->rate_per_s = rates;
    return out;
}

static const struct stream *scaled_streams(const struct workload *w, double factor, struct arena *a)
{
    struct stream *out = arena_array(a, (size_t)w->streams_n + 1, sizeof *out);

    for (int i = 0; i < w->streams_n; i++) {
        out[i] = w->streams[i];
        out[i].gaps = law_scaled(&w->streams[i].gaps, 1 / factor, a);
        if (out[i].process != NULL)
            out[i].process = scaled_process(out[i].process, factor, a);
    }
    return out;
}

static void scale_workload(struct workload *w, double factor, struct arena *a)
{
    if (w->kind == WORKLOAD_OPEN || w->kind == WORKLOAD_TRACE)
        w->arrivals = law_scaled(&w->arrivals, 1 / factor, a);
    if (w->streams_n > 0)
        w->streams = scaled_streams(w, factor, a);
    if (w->recording != NULL) {
        struct recording *r = ARENA_NEW(a, struct recording);

        *r = *w->recording;
        r->rate_scale *= factor;
        w->recording = r;
    }
    if (w->kind == WORKLOAD_CLIENTS)
        w->clients = (long)fmax(1, round((double)w->clients * factor));
}

void scenario_scale_traffic(struct scenario *s, double factor)
{
    struct pipeline *p = &s->pipelines[s->objective];

    scale_workload(&p->workload, factor, s->arena);
    s->workload = p->workload;
    if (p->workload.kind != WORKLOAD_CLOSED)
        return;
    if (p->horizon.kind == HORIZON_STEADY)
        s->stages[p->last].spared = 1 - 1 / fmax(1, factor);
    for (int i = 0; p->horizon.kind != HORIZON_STEADY && i < s->stages_n; i++)
        if (s->stages[i].pipeline == s->objective || s->stages[i].pipeline < 0)
            s->stages[i].spared = 1 - factor;
}

double pipeline_rate_per_s(const struct pipeline *p)
{
    const struct workload *w = &p->workload;

    if (w->kind != WORKLOAD_OPEN && w->kind != WORKLOAD_TRACE)
        return 0;
    return (w->sessions != NULL ? w->sessions->turns.mean : 1) / w->arrivals.mean;
}
