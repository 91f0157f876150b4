/*
 * speedup.h - virtual speed-up: if one stage took less time, how much would the whole gain?
 *
 * The stage is spared a share of its seconds, bytes and requests, wherever it asks
 * for them, and everything else stays as it is: what causal profilers find by
 * slowing all others down.  Latencies that no work explains (network round trips,
 * cold starts, the answers of a hosted language model) are not spared.  Gains are
 * of the objective, paired with the base replication by replication.
 */
#ifndef STUDY_SPEEDUP_H
#define STUDY_SPEEDUP_H

#include "study/variant.h"

enum { SPEEDUP_POINTS = 3 };
extern const double speedup_points[SPEEDUP_POINTS]; /* shares of its time that the stage is spared */

struct speedup {
    const char *stage; /* as in the base scenario */
    struct estimate gain[SPEEDUP_POINTS];
};

/* One for each stage, largest last gain first; the list lives in `a`. */
int speedups_find(const struct study *st, const struct scenario *base, const double *base_objective,
                  struct arena *a, struct speedup **out, int *n, struct err *err);

#endif
