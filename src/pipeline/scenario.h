/*
 * scenario.h - a scenario file, read, checked and turned into typed structs.
 *
 * A scenario has two lives.  As a JSON tree it can be edited: --set, an
 * optimization, a calibration are all edits on the tree (edit.h).  Built from
 * the tree it is a constant struct that the bound, the simulation and the
 * executor read.  Everything a scenario points to lives in its arena and goes
 * with scenario_free().
 *
 * The pipeline floor never opens the store: a `struct resolver` handed in
 * answers "calibration" and "preset" references with parameter rows.
 */
#ifndef PIPELINE_SCENARIO_H
#define PIPELINE_SCENARIO_H

#include "models/model.h"

/* One calibrated parameter: what an edit sets, how sure the fit was. */
struct param_row {
    const char *path; /* "stages.prep.params.costs.hash.per_item" */
    double value, stderr_;
};

struct resolver {
    void *ctx;
    /* Rows of a named calibration or preset, in `a`.  *n = 0 and success: there is none of that name. */
    int (*calibration)(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                       struct err *err);
    int (*preset)(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                  struct err *err);
};

enum resource_kind { RESOURCE_SERVERS, RESOURCE_CORES, RESOURCE_GPUS, RESOURCE_DISK, RESOURCE_LINK };
extern const char *const resource_kind_names[];

struct resource {
    const char *name;
    int kind; /* enum resource_kind */
    long count;
    double read_bw, write_bw, iops, latency, bandwidth, flow_cap;
    double contention;    /* cores: what every further busy core costs the others (caches, memory, SMT) */
    const double *speeds; /* count entries, or NULL: all 1 */
    double price;         /* USD per hour of the whole resource: price of one times count */
    long queue_limit;     /* servers: the smallest limit of the stages on it; -1 none */
};

enum workload_kind { WORKLOAD_OPEN, WORKLOAD_CLOSED, WORKLOAD_CLIENTS };

struct workload {
    enum workload_kind kind;
    struct law arrivals; /* open: time between arrivals */
    double in_flight;    /* closed: units in the pipeline at most; 0: as many as fit */
    long clients;
    struct law think;
    struct dataset_cfg *data; /* NULL: none */
};

enum horizon_kind { HORIZON_STEADY, HORIZON_ITEMS, HORIZON_TIME };

struct horizon {
    enum horizon_kind kind;
    double items; /* units */
    double time_s;
};

struct stage {
    const char *name, *owner;
    const struct model *model;
    void *cfg;
    struct shape shape;
    int on[ROLES];      /* resource index, -1 unbound */
    double in_capacity; /* items the buffer in front holds; < 0: unbounded */
    uint64_t luck;      /* hash of the name: whose draws these are */
    bool instant;       /* wants nothing: an infinitely fast neighbour (local gains) */
};

struct warning {
    const char *path, *text;
};

/* Limits of a run, from the scenario's defaults and the command line. */
struct scenario {
    struct arena *arena;
    struct json *tree; /* with calibrations applied; owned */
    const char *file, *name, *unit, *description;
    char sha256[65]; /* of the tree before calibrations, in canonical form */
    uint64_t seed;
    struct horizon horizon;
    struct workload workload;
    int resources_n, stages_n;
    struct resource *resources;
    struct stage *stages;      /* in the order of flow */
    const char **calibrations; /* names that were applied */
    int calibrations_n;
    const char **uncertain; /* calibrated operators and values with a standard error: names for
                               scenario_options.bump */
    int uncertain_n;
    const char **assumed; /* JSON paths whose values nobody measured */
    int assumed_n;
    struct warning *warnings;
    int warnings_n;
};

struct scenario_options {
    const struct resolver *resolver; /* NULL: references resolve to nothing, and defaults stay */
    /* A draw of the calibrated parameters, for prediction intervals: 0 is the estimate itself, k > 0 the k-th
       draw value * exp(z * stderr / value), z normal and keyed by (seed, k, path). */
    uint32_t parameter_draw;
    const char *bump; /* one of scenario.uncertain: its values are raised by one standard error; NULL: none */
};

int scenario_build(const struct json *tree, const char *file, const struct scenario_options *opt,
                   struct scenario **out, struct err *err);
int scenario_load(const char *path, const struct scenario_options *opt, struct scenario **out,
                  struct err *err);
void scenario_free(struct scenario *s);

const struct stage *scenario_stage(const struct scenario *s, const char *name); /* NULL if absent */
bool scenario_has_latency(const struct scenario *s);                            /* open arrivals or clients */

#endif
