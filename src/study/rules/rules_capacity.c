/*
 * rules_capacity.c - resources that are counted: fewer of those that idle, more of the one that limits.
 *
 * By the bound: at the throughput X that the pipeline could reach at best, a resource is busy X times its
 * demand.  One that would be busy less than half of the time is cut down to 70 %.
 */
#include "study/rules/rules_parts.h"

#include <math.h>
#include <string.h>

static const double IDLE_BELOW = 0.5, AIM = 0.7;

static struct rewrite *resize(struct rules_work *w, int i, const char *rule, double count, const char *about,
                              const char *why)
{
    const struct resource *res = &w->s->resources[i];
    struct stage on = {.name = res->name};
    struct rewrite *r = rewrite_new(w, rule, NULL, &on, about, why);

    r->touches_n = 0; /* a resource is no stage */
    for (int k = 0; k < w->s->stages_n; k++)
        for (int role = 0; role < ROLES; role++)
            if (w->s->stages[k].on[role] == i)
                rewrite_touches(w, r, w->s->stages[k].name);
    rewrite_set(w, r, arena_printf(w->a, "resources.%s.count", res->name), json_new_number(count));
    return r;
}

static bool is_counted(const struct resource *r)
{
    return (r->kind == RESOURCE_SERVERS || r->kind == RESOURCE_CORES || r->kind == RESOURCE_GPUS) &&
           !resource_changes(r);
}

void rules_of_resources(struct rules_work *w)
{
    if (w->s->pipelines_n > 1) /* each is bounded as if the others were not there */
        return;
    for (int i = 0; i < w->s->resources_n; i++) {
        const struct resource *res = &w->s->resources[i];
        double busy = w->bound.throughput_per_s * w->bound.resource_demand[i], count = (double)res->count;

        if (!is_counted(res) || !(busy > 0) || !isfinite(busy))
            continue;
        if (strcmp(w->bound.bottleneck, res->name) == 0)
            resize(w, i, "scale-out", ceil(1.5 * count),
                   arena_printf(w->a, "%.0f instead of %ld: it limits", ceil(1.5 * count), res->count),
                   "what is computed does not depend on how many there are");
        else if (busy < IDLE_BELOW && res->price > 0 && ceil(count * busy / AIM) < count)
            resize(w, i, "right-size", ceil(count * busy / AIM),
                   arena_printf(w->a, "%.0f instead of %ld: busy %.0f %% of the time at best",
                                ceil(count * busy / AIM), res->count, 100 * busy),
                   "what is computed does not depend on how many there are");
    }
}
