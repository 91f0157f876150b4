/*
 * twin.h - a scenario's calibration while it is made: what the executor measured becomes parameter rows.
 *
 * Spans of a profile (operators alone) and of executions (in place) are read once, each handed to whom it
 * concerns:
 *
 *   stage "cores", "disk"       the resources (twin_resources.c)
 *   stage "request"             one request of an execution, from its intended start to its end
 *   a stage of the scenario     its operators, if its model declares `ops` and has `costs`: fixed, per item
 * and per byte of each, by itself (twin_costs.c) and the recipe of its model, if there is one
 *
 * What a model needs besides costs (ratios, tables, probabilities) is a recipe: one file twin_MODEL.c, one
 * line in twin_recipes.c.  A recipe sees every span of its stages and adds rows at the end:
 *
 *   twin_row(t, "stages.prep.params.ratio", ...)            a number
 *   json_set(twin_params(t), "stages.gen.params.ops", table)
 *                                                           anything else; the key is the path it sets
 */
#ifndef CALIBRATE_TWIN_H
#define CALIBRATE_TWIN_H

#include "calibrate/calibrate.h"
#include "calibrate/cost.h"
#include "calibrate/fitting.h"
#include "engine/stats.h"
#include "store/trace.h"

enum { TWIN_OPS_MAX = 32, TWIN_THREADS_MAX = 64 };

/* The spans of one operator: alone, and in place (the last execution apart). */
struct twin_op {
    struct observation *alone;
    size_t alone_n, cap;
    double cpu_s, items, bytes, runs; /* in place, summed; runs: how many spans */
    double held_cpu_s, held_items, held_bytes, held_runs;
    struct cost_fit fit;
    bool fitted;
    double factor, holdout_error;
};

struct twin_stage {
    const struct stage *def;
    struct twin_op ops[TWIN_OPS_MAX]; /* of a model with costs */
    int ops_n;
    const struct twin_recipe *recipe; /* NULL: its model needs none */
    void *state;
};

struct twin {
    const struct calibrate_input *in;
    struct arena *a;
    struct fitting out;
    struct twin_stage *stages;
    struct twin_op disk_read, disk_write;
    struct tally speed[TWIN_THREADS_MAX + 1]; /* CPU seconds of the same work by number of threads */
    double contention, contention_stderr;
    double spread_sum, spread_weight; /* of recipes: see twin_factor_spread() */
    double slowdown;                  /* mean over the CPU time in place: what the busy cores cost each other */
    /* of the execution being read */
    bool held_out;
    double end_s, cpu_s, requests;
    struct tally latency;
    /* per execution */
    struct tally throughput, load, latency_mean; /* units/s; CPU seconds per second; seconds */
};

struct twin_recipe {
    const char *model;
    size_t state_size;                                   /* of a stage's state, zeroed */
    void (*alone)(void *state, const struct span *s);    /* of a profile; NULL: nothing to see there */
    void (*in_place)(void *state, const struct span *s); /* of an execution of the scenario as it stands */
    int (*rows)(struct twin *t, const struct stage *stage, void *state, struct err *err);
};

extern const struct twin_recipe *const twin_recipes[]; /* NULL at the end */

/* A row without a range of validity; twin_row_valid() adds it: from..to of the size named. */
struct calibration_row *twin_row(struct twin *t, const char *path, double value, double stderr_,
                                 const char *unit, long n, const char *method);
void twin_row_valid(struct calibration_row *row, double r2, double holdout_error_frac, double from, double to,
                    const char *valid_of);

/* What is left of something: bytes out over bytes in, over all spans together; a row only of what was seen.
 */
struct twin_ratio {
    double in, out;
    struct tally each;
};
void twin_ratio_add(struct twin_ratio *r, double in, double out);
void twin_ratio_row(struct twin *t, const char *path, const struct twin_ratio *r);

/* Parameters that are no number, by the path they set; made when missing. */
struct json *twin_params(struct twin *t);

/* Costs of operators: see above. */
bool twin_has_costs(const struct model *m);
void twin_observe(struct twin_op *op, double seconds, double items, double bytes);
void twin_op_alone(struct twin_stage *ts, const struct span *s);
void twin_op_in_place(struct twin_stage *ts, const struct span *s, bool held_out);
int twin_cost_rows(struct twin *t, struct twin_stage *ts, struct err *err);
/* How much the factors of operators differ from their stage's, weighted by CPU time: the standard deviation
 * that an operator seen only alone must be expected to have in place. */
double twin_factor_spread(const struct twin *t);

/* Cores and disks. */
void twin_resource_alone(struct twin *t, const struct span *s);
int twin_resource_rows(struct twin *t, struct err *err); /* also finds the slowdown */

/* Simulates the scenario with the rows so far beside its executions: what is left is the discrepancy. */
int twin_verify(struct twin *t, struct calibration *out, struct err *err);

#endif
