/*
 * bound.h - what a pipeline could deliver at best: operational laws, no simulation.
 *
 *   X <= capacity(resource) / demand(resource)     for every resource
 *   X <= workers / service(stage)                  for every stage with workers
 *   X <= arrival rate                              open arrivals
 *   X <= N / (Z + time of one unit alone)          N clients that think Z; N units in flight
 *
 * Demands are means per workload unit, optimistic where a model gives an
 * optimistic version, so a simulation cannot beat the bound except by chance.
 * A stage that calls others adds their demands as often as its model says it calls
 * at least; where items fork, stages count by their visit ratios.  Of several
 * pipelines each is bounded as if the others were not there.
 */
#ifndef PIPELINE_BOUND_H
#define PIPELINE_BOUND_H

#include "pipeline/scenario.h"

struct bound {
    double throughput_per_s;
    const char *bottleneck;  /* a stage or resource name, or "arrivals" or "clients" */
    double *resource_per_s;  /* the bound of each resource alone; infinity where nothing is asked of it */
    double *stage_per_s;     /* of each stage's workers */
    double *resource_demand; /* seconds of the whole resource per unit */
    double *write_demand;    /* disks that write beside reading: that part alone */
    double *bus_demand;      /* cores with a memory bus: seconds of that */
    double *stage_service_s; /* seconds of one worker per unit */
    double latency_s;        /* of one unit alone in the pipeline */
};

/* Of the objective.  Arrays live in `a`. */
void bound_compute(const struct scenario *s, struct arena *a, struct bound *out);
void bound_of_pipeline(const struct scenario *s, int pipeline, struct arena *a, struct bound *out);

double pipeline_arrivals_per_s(const struct pipeline *p); /* open: items that come, at most on average */

/*
 * The items a source sends, as the bound and the simulation see them.  Item i of
 * a data set belongs to an epoch; later epochs enter behind the stages that made
 * the table once, or, as cache hits, at the stage that keeps what it made.
 */
void scenario_source_item(const struct scenario *s, const struct pipeline *p, uint64_t index,
                          struct item *out, int *entry_stage);
double scenario_source_units(const struct scenario *s, const struct pipeline *p); /* in one source item */

/* One of `pieces` equal parts of an item. */
struct item item_piece(const struct item *whole, long piece, long pieces);

#endif
