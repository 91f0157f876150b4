/*
 * work.h - units of simulation: replications of one candidate.
 *
 * A unit is a pure function of candidate, seed and replication numbers, so that it does not matter which
 * thread or process computes it, or whether an earlier search did: units that stand in the store are taken
 * from there, the others are computed and kept as they finish.
 */
#ifndef STUDY_SEARCH_WORK_H
#define STUDY_SEARCH_WORK_H

#include "study/search/points.h"

struct work_unit {
    struct point *point;
    long first, n;   /* replications */
    double warmup;   /* in: of earlier units of the point, 0 for its first; out: what was left out */
    double *figures; /* out: [replication][pipeline][figure]; the caller frees it */
    int code;        /* out: not 0 when the candidate cannot be simulated */
    bool is_done;
};

/* The search's place in the store: one for each scenario, seed, version and way of simulating. */
int work_open_log(const struct space *sp, const struct points_options *opt, int64_t *id, struct err *err);

/* ERR_CAP: interrupted; units that are not done have no figures. */
int work_run(struct points *p, struct work_unit *units, size_t n, struct err *err);

/* One unit, here and now; `out` has room for n rows. */
struct work_request {
    struct candidate c;
    long first, n;
    double warmup, length;
};
int work_compute(const struct space *sp, const struct work_request *request, double *out, double *warmup);

#endif
