#include "pipeline/flow_parts.h"

#include <math.h>

/* Figures are means since measuring began: whoever wants those of an interval takes differences of areas. */
static void take_sample(struct sim *sim, void *self, uint64_t arg)
{
    struct flow *f = self;
    struct arena *a = arena_new();
    struct flow_result so_far = {0};

    (void)arg;
    flow_collect(f, a, &so_far);
    f->limits->sample(f->limits->sample_ctx, sim->now - f->measure_from_s, &so_far);
    arena_free(a);
    sim_at(sim, sim->now + f->limits->sample_every_s, PRIO_LAST, take_sample, f, 0);
}

void sample_begin(struct flow *f)
{
    if (f->limits->sample != NULL && f->limits->sample_every_s > 0)
        sim_at(f->sim, f->sim->now + f->limits->sample_every_s, PRIO_LAST, take_sample, f, 0);
}

void sample_latency(const struct flow *f, struct arena *a, struct flow_result *out)
{
    size_t n = f->limits->latency_points;

    for (int i = 0; n > 0 && i < f->s->pipelines_n; i++) {
        const struct line *l = &f->lines[i];
        double *points;

        if (!l->has_latency || l->latency.t.n == 0)
            continue;
        points = arena_array(a, n, sizeof *points);
        for (size_t k = 0; k < n; k++)
            points[k] = hist_quantile(l->latency.h, ((double)k + 0.5) / (double)n);
        out->lines[i].latency_points = points;
    }
}
