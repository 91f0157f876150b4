/*
 * residual.h - what a pipeline could deliver on what the others leave of each resource: a bound for estates.
 *
 *   cap_p = min over k of (1 - sum over q != p of X_q D_kq) / D_kp,  and over the workers of its stages
 *
 * X_q: units that pipeline q delivers in a second; D_kq: seconds of the whole of resource k that one of them
 * takes (bound.h).  Arrivals and clients do not limit it: it is capacity.  However much the others ask, one
 * percent of a resource is left: simulation says how they really share it.
 */
#ifndef STUDY_RESIDUAL_H
#define STUDY_RESIDUAL_H

#include "pipeline/bound.h"

struct residual {
    double per_s;      /* INFINITY: nothing limits it */
    const char *limit; /* the resource or stage, as the scenario names it; "nothing" */
};

/* One for each pipeline; units_per_s: what each delivers. */
void residual_capacities(const struct scenario *s, const double *units_per_s, struct residual *out);

#endif
