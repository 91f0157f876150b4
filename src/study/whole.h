/*
 * whole.h - one figure for an estate of several pipelines: how much of all its work gets done.
 *
 *     W = prod over pipelines p of x_p ^ w_p,     sum of w_p = 1
 *
 * x_p is what pipeline p delivers in its own unit: requests that meet its SLO where it has one, else its
 * throughput; of arrivals without an SLO, whose throughput is given, 1 / mean latency.  w_p is the pipeline's
 * share of what the estate spends as it is, or what the scenario says:
 *
 *     "objective": {"whole": "spend"}        "objective": {"whole": {"answers": 3, "ranking": 1}}
 *
 * A gain of 10 % in a pipeline that is 30 % of the bill is one of 2.9 %, whatever the units.  Logs of W add
 * up, as Shapley's shares need.  A stage that several pipelines ask is paid by them in proportion to the
 * questions of their stages.  x_p below a thousandth of what it was counts as a thousandth: a pipeline that
 * stops is a loss, not the end of arithmetic.
 */
#ifndef STUDY_WHOLE_H
#define STUDY_WHOLE_H

#include "pipeline/figure.h"

enum { WHOLE_PIPELINES_MAX = 32 };

struct whole {
    int n;
    const char *name[WHOLE_PIPELINES_MAX]; /* of the pipelines, in the scenario's order */
    double weight[WHOLE_PIPELINES_MAX];
    const struct figure_def *figure[WHOLE_PIPELINES_MAX];
    double least[WHOLE_PIPELINES_MAX]; /* of each figure, in the sense that more is better */
};

/*
 * *out is NULL when the scenario does not ask for it.  `base` is the estate as it is, of WHOLE_PIPELINES_MAX
 * pipelines at most.  ERR_SCENARIO: unknown pipelines, weights that are none, or "spend" without prices.
 */
int whole_of(const struct json *tree, const char *file, const struct outcome *base, struct arena *a,
             const struct whole **out, struct err *err);

/* What pipeline p delivers in one replication, larger is better; NAN when the outcome does not know. */
double whole_delivers(const struct whole *w, const struct outcome *o, long replication, int p);

/* Puts W of every replication in the place of the outcome's objective. */
void whole_judge(const struct whole *w, struct outcome *o);

#endif
