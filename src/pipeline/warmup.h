/*
 * warmup.h - how much of a steady run's beginning is not steady yet, decided from the run itself.
 *
 * Every replication keeps two short series in the order of pieces leaving: what
 * the user asks about (time in the pipeline, or time between departures) and how
 * much is inside.  MSER-5 over their averages across replications says how many
 * pieces to forget; the later of the two counts.
 */
#ifndef PIPELINE_WARMUP_H
#define PIPELINE_WARMUP_H

#include "pipeline/flow.h"

struct warmup {
    double pieces; /* to forget */
    bool refused;  /* more than half of the run would have to go */
};

/* Of one pipeline. */
struct warmup warmup_decide(const struct flow_result *results, long n, int line, double pieces_per_value);

#endif
