/*
 * fold.h - figures of replications become estimates: every figure's Student interval over the replications.
 */
#ifndef PIPELINE_FOLD_H
#define PIPELINE_FOLD_H

#include "pipeline/flow.h"
#include "pipeline/outcome.h"

/* The figure at `offset` of struct flow_line, of one pipeline; x has room for n. */
struct estimate fold_line(const struct flow_result *results, long n, int pipeline, size_t offset, double *x,
                          double confidence);

/* Everything of *o that results tell; o->scenario and o->confidence are set, arrays live in `a`. */
void fold_results(const struct flow_result *results, long n, struct arena *a, struct outcome *o);

/* Shared by fold.c and fold_cost.c: one figure of every replication stands in x. */
struct folder {
    const struct scenario *s;
    const struct flow_result *results;
    long n;
    double *x;
    struct arena *a;
    struct outcome *o;
};
struct estimate fold(const struct folder *f);

/* The ledger: what is paid, what lies idle, who pays; power.  After pipelines, stages and resources. */
void fold_cost(struct folder *f);

#endif
