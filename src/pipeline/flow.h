/*
 * flow.h - one replication: a scenario's stages and resources in one event calendar.
 *
 * Workers of a stage take items from the buffer in front, cut them into pieces,
 * walk each piece through its phases on the shared resources, and put it into
 * the next buffer, waiting when that is full.  Stages without workers hand
 * every item to their resource at once; the queue is there.
 *
 * Stages with state decide themselves what to do with an item (models/server.h);
 * they may call other stages and wait.  Several pipelines share the resources:
 * what has an end of its own begins when the steady rest has settled.
 *
 * Asserted in every run: flow balance (what went in and did not come out is
 * inside) and Little's law, on every pipeline and every stage without workers;
 * utilization <= 1; what models with state assert themselves.
 */
#ifndef PIPELINE_FLOW_H
#define PIPELINE_FLOW_H

#include "engine/sim.h"
#include "engine/stats.h"
#include "models/server.h"
#include "pipeline/scenario.h"

struct flow_stage {
    double throughput_per_s;  /* units */
    double wait_s, service_s; /* mean per piece: waiting for a worker or server; from taking to finished */
    double utilization, queue_mean, blocked_frac, starved_frac;
    double *op_s_per_unit; /* seconds of work per unit that left the pipeline, by operator */
    double disk_bytes_per_unit, lost_frac;
    double busy, disk_bytes_per_s; /* cores, GPUs or servers that work for it, on average */
    double used[ROLES];            /* seconds or bytes it asked of what the role is bound to */
    /* Stages with state: nobody there; calls per visit; what their model reports. */
    double empty_frac, calls_per_visit;
    struct figure *figures;
    int figures_n;
};

enum { FLOW_FIGURES = 24 };

/* What was asked of a disk. */
struct disk_use {
    double requests, bytes;
};

struct flow_resource {
    double utilization;
    double slowdown; /* core seconds that were busy over the seconds of work done in them; 1 but for cores */
    double servers;  /* how many there were */
    double bus_utilization; /* of cores with a memory bus */
    struct disk_use read_per_s, write_per_s;
};

/* What one pipeline delivered. */
struct flow_line {
    double throughput_per_s, makespan_s, units;
    double units_before; /* inside when measuring began: work on them may have been done before */
    double latency_s[4]; /* mean, p50, p95, p99 of pieces that left; NAN without latency */
    double queue_s[4], ttft_s[4], tpot_s[4];   /* of requests that know theirs; NAN where none does */
    double quality, usd_per_unit, failed_frac; /* means over requests */
    double goodput_per_s;                      /* requests that met the SLO */
    double stall_frac;                         /* the last stage's workers waiting for input */
    uint64_t pieces;
    /* Means over `series_pieces` pieces in the order of leaving, from the beginning: the time in the pipeline
       (without latency: between departures, per unit) and the units inside. */
    double *series_response, *series_inside;
    size_t series_n;
    double *latency_points; /* the quantiles (i + 0.5) / limits.latency_points; NULL: not asked for, or none */
};

struct flow_result {
    struct flow_line *lines; /* by pipeline */
    struct flow_stage *stages;
    struct flow_resource *resources;
    uint64_t events;
    enum sim_cap cap; /* which cap ended it early, if any did */
};

/* What a worker did with one piece, or how long a visit to a stage without workers took its servers. */
struct flow_span {
    const struct stage *stage;
    uint64_t item; /* its place in the order of its source */
    double units;
    long worker; /* 0 for stages without workers, whose spans may overlap */
    double start_s, end_s;
};
typedef void flow_watch_fn(void *ctx, const struct flow_span *span);

/* Results as they would be if the run ended now, `since_s` after measuring began; gone after the call. */
typedef void flow_sample_fn(void *ctx, double since_s, const struct flow_result *so_far);

struct flow_limits {
    uint64_t max_events; /* 0: none, as for all caps */
    size_t max_bytes;
    double max_wall_s;
    uint64_t ties;           /* 0: first come, first served; else the seed of a random order */
    double warmup, measured; /* steady: pieces that leave before and while measuring */
    double series_pieces;    /* 0: no series is kept */
    flow_watch_fn *watch;    /* NULL, or called at the end of each span while measuring */
    void *watch_ctx;
    double sample_every_s; /* 0: no samples */
    flow_sample_fn *sample;
    void *sample_ctx;
    size_t latency_points; /* 0: none */
};

/* Arrays of *out live in `a`, which must not be shared between threads. */
int flow_run(const struct scenario *s, uint64_t seed, uint32_t replication, const struct flow_limits *limits,
             struct arena *a, struct flow_result *out, struct err *err);

#endif
