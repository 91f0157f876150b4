/*
 * simulate.h - replications of a flow, folded into an outcome.
 */
#ifndef PIPELINE_SIMULATE_H
#define PIPELINE_SIMULATE_H

#include "base/progress.h"
#include "pipeline/flow.h"
#include "pipeline/outcome.h"

struct simulate_options {
    uint64_t seed;       /* 0: the scenario's */
    long replications;   /* 0: 12, or until `precision` is reached */
    double precision;    /* relative half-width of the throughput (and mean latency) to stop at; 0: none */
    double confidence;   /* 0: 0.95 */
    int threads;         /* 0: all cores */
    uint64_t max_events; /* of one replication; 0: none */
    size_t max_bytes;    /* of one replication; 0: none */
    double max_wall_s;   /* of all together; 0: none */
    uint64_t ties;       /* 0: first come, first served; else the seed of a random order */
    /* Studies that look at many variants: fewer pieces in each replication, and some replications only. */
    double length; /* of a steady replication, relative to that of `run`; 0: 1 */
    long first;    /* number of the first replication */
    double warmup; /* pieces, as outcome.warmup.discarded of earlier replications says; 0: decide by looking */
    struct progress *progress;
    /* Asked after 1, 2, 4 .. times `replications` whether what is known now is enough; NULL: one time only. */
    bool (*is_enough)(void *ctx, const struct outcome *so_far);
    void *is_enough_ctx;
    long most; /* with is_enough: replications at most; 0: SIMULATE_MOST */
};

enum { SIMULATE_REPLICATIONS = 12, SIMULATE_MOST = 512 };

/*
 * ERR_PRECISION (the precision was not reached, or the run never became steady) and ERR_CAP: *out is filled
 * all the same.  Arrays live in `a`.
 */
int simulate(const struct scenario *s, const struct simulate_options *opt, struct arena *a,
             struct outcome *out, struct err *err);

/* Replication 0 of `o`, which simulate() made with the same options, once more, for someone who looks on. */
int simulate_watched(const struct scenario *s, const struct simulate_options *opt, const struct outcome *o,
                     flow_watch_fn *watch, void *ctx, struct err *err);

/* How a run is looked at while it runs: see flow_limits. */
struct sampling {
    double every_s; /* 0: its length over `points` */
    size_t points, latency_points;
    flow_sample_fn *sample;
    void *ctx;
};

/* The same replication once more, sampled; what it delivered, with its latency_points, lives in `a`. */
int simulate_sampled(const struct scenario *s, const struct simulate_options *opt, const struct outcome *o,
                     const struct sampling *how, struct arena *a, struct flow_result *out, struct err *err);

#endif
