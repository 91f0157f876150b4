#include "pipeline/overload.h"

#include "pipeline/scenario_read.h"

#include <string.h>

/* Arrivals of a finite run scatter around their rate; a queue that grows shows by more. */
#define NOTICED_FRAC 0.03

double overload_arrivals_per_s(const struct outcome *o)
{
    const struct scenario *s = o->scenario;

    if (!o->has_bound || o->terminating || strcmp(o->bound.bottleneck, "arrivals") != 0 ||
        s->pipelines[s->objective].workload.sessions != NULL || scenario_loses_items(s, s->objective))
        return 0;
    return o->throughput_per_s.hi < (1 - NOTICED_FRAC) * o->bound.throughput_per_s ? o->bound.throughput_per_s
                                                                                   : 0;
}

bool overload_is_beyond_bound(const struct outcome *o)
{
    return o->has_bound && o->throughput_per_s.mean > o->bound.throughput_per_s * (1 + 1e-12);
}
