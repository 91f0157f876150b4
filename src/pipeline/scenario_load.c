#include "pipeline/scenario.h"

#include <math.h>

static const struct process *faster_process(const struct process *p, double factor, struct arena *a)
{
    struct process *scaled;
    double *rate;

    if (p == NULL)
        return NULL;
    scaled = arena_array(a, 1, sizeof *scaled);
    rate = arena_array(a, (size_t)p->n, sizeof *rate);
    for (int i = 0; i < p->n; i++)
        rate[i] = factor * p->rate_per_s[i];
    *scaled = *p;
    scaled->rate_per_s = rate;
    return scaled;
}

static void scale_open(struct workload *w, double factor, struct arena *a)
{
    struct stream *streams = arena_array(a, (size_t)w->streams_n + 1, sizeof *streams);

    for (int i = 0; i < w->streams_n; i++) {
        streams[i] = w->streams[i];
        streams[i].gaps = law_scaled(&w->streams[i].gaps, 1 / factor, a);
        streams[i].process = faster_process(w->streams[i].process, factor, a);
    }
    w->streams = streams;
    w->arrivals = law_scaled(&w->arrivals, 1 / factor, a);
}

static void scale_recording(struct workload *w, double factor, struct arena *a)
{
    struct recording *r = arena_array(a, 1, sizeof *r);

    *r = *w->recording;
    r->rate_scale *= factor;
    w->recording = r;
    w->arrivals = law_scaled(&w->arrivals, 1 / factor, a);
}

void scenario_scale_load(struct scenario *s, double factor)
{
    struct workload *w = &s->pipelines[s->objective].workload;

    if (w->kind == WORKLOAD_OPEN)
        scale_open(w, factor, s->arena);
    else if (w->kind == WORKLOAD_TRACE)
        scale_recording(w, factor, s->arena);
    else if (w->kind == WORKLOAD_CLIENTS)
        w->clients = (long)fmax(1, round(factor * (double)w->clients));
    s->workload = *w;
}
