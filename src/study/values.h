/*
 * values.h - what sets of optimizations are worth, each simulated once.
 *
 * Sets are simulated in parallel, each with the same seed and replications, so
 * that values can be compared replication by replication.
 */
#ifndef STUDY_VALUES_H
#define STUDY_VALUES_H

#include "pipeline/figure.h"
#include "study/variant.h"
#include "study/whole.h"

/* What is compared beside the objective; the table is in values.c. */
enum rank_figure {
    RANK_THROUGHPUT,
    RANK_LATENCY_P95,
    RANK_COST_PER_1M,
    RANK_QUALITY,
    RANK_COST,
    RANK_POWER,
    RANK_GOODPUT,
    RANK_FIGURES
};
const struct figure_def *rank_figure(enum rank_figure k);

struct set_value {
    opt_set set;
    double *objective;                       /* per replication */
    double mean;                             /* of the objective */
    double *cpu, *disk;                      /* per stage, per unit */
    double *figure[RANK_FIGURES];            /* of each replication; NAN where it is not known */
    double *part[STAGE_PARTS];               /* [stage * replications + replication] */
    double *delivers[WHOLE_PIPELINES_MAX];   /* with a whole: by each pipeline, of each replication */
    const char *limit;                       /* what limits the bound */
    const char *limits[WHOLE_PIPELINES_MAX]; /* with a whole: what limits each pipeline */
    bool done;
};

struct set_values {
    const struct study *st;
    struct arena *a;
    struct set_value *list; /* the simulated ones first, ascending by set */
    size_t n, simulated_n, cap;
};

void values_init(struct set_values *v, const struct study *st, struct arena *a);
void values_want(struct set_values *v, opt_set set); /* legal sets only; twice is fine */
/* Those that are wanted and were not simulated before; moves the list, so pointers into it do not last. */
int values_simulate(struct set_values *v, int stages_n, struct progress *progress, struct err *err);
const struct set_value *values_find(const struct set_values *v, opt_set set); /* NULL: not among them */

#endif
