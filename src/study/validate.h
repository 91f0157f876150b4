/*
 * validate.h - how far is the simulation from reality?
 *
 * A design of variants (the scenario as it stands, each optimization and each knob
 * alone, pairs, and all that fit together) is executed on this machine, after a
 * warm-up that counts for nothing, repeats interleaved so that drift hits all
 * alike.  Each is predicted from one calibration: profiles of operators alone,
 * before the variants and after them, and the executions of the scenario as it
 * stands that stood between the variants' (machines drift: a calibration of an
 * hour ago would measure the drift).  Nothing of the other variants enters it.
 *
 * A variant differs from the scenario only in switches that the executor reads:
 * an optimization that edits anything else is left out, and the result says so.
 *
 * Where the model is wrong: of every stage the seconds its workers spent working,
 * blocked and starved, per unit that came through the pipeline, measured and
 * predicted.  Their differences add up to the error of the time per unit, so the
 * largest names the mechanism that missed.
 */
#ifndef STUDY_VALIDATE_H
#define STUDY_VALIDATE_H

#include "calibrate/calibrate.h"
#include "pipeline/knob.h"
#include "study/measure.h"
#include "study/variant.h"

struct validate_figure {
    const char *name, *unit;
    struct estimate measured, predicted;
    double error_frac;
    bool inside_interval;
};

/* What a stage's workers do. */
enum validate_part { PART_WORKING, PART_BLOCKED, PART_STARVED, VALIDATE_PARTS };
extern const char *const validate_part_names[]; /* "working", "blocked", "starved" */

struct validate_stage {
    const char *name;
    bool known[VALIDATE_PARTS]; /* a stage without workers of its own is never blocked or starved */
    struct estimate measured_s[VALIDATE_PARTS]; /* seconds of all its workers, per unit of the pipeline */
    double predicted_s[VALIDATE_PARTS];
    double error_frac[VALIDATE_PARTS]; /* (predicted - measured) over the workers' measured time per unit */
    struct estimate wait_measured_s;   /* of an item in the buffer in front; mean NAN: not known */
    double wait_predicted_s;
};

struct validate_variant {
    const char *name;
    opt_set set;
    struct measurement *runs;
    double *objective; /* measured, per repeat: larger is better, as study/variant.h has it */
    struct estimate objective_measured, objective_predicted;
    struct validate_figure *figures; /* the first is the throughput */
    int figures_n;
    struct validate_stage *stages;
    int stages_n;
    int wrong_stage; /* whose part misses most; -1: none is known */
    enum validate_part wrong_part;
    struct estimate speedup_measured,
        speedup_predicted; /* of the objective, over the scenario as it stands */
    double speedup_error_frac;
};

struct validate_left_out {
    const char *name, *why;
};

struct validation {
    int n;
    struct validate_variant *variants; /* the first is the scenario as it stands */
    struct validate_left_out *left_out;
    int left_out_n;
    double median_error, p90_error;                 /* of throughputs, absolute, relative */
    double median_error_all;                        /* of all figures */
    double median_speedup_error, p90_speedup_error; /* of the variants but the first */
    double latency_p95_error;                       /* median; NAN: nothing has a latency */
    double kendall_tau; /* of objectives, over pairs whose measured intervals separate; NAN without any */
    int pairs;
    double top_choice_regret, local_choice_regret;
    const char *top_choice, *local_choice, *measured_best; /* NULL without a single optimization */
    double coverage, width;                                /* of throughput prediction intervals */
    double coverage_all;   /* of all figures that have a prediction interval */
    double disturbed_frac; /* the most that others took of the machine during a run that counts */
    struct calibration calibration;
    int64_t profile, profile_after; /* trace ids; 0: not made */
    double discrepancy;             /* of the baseline: what prediction intervals add */
    double drift_frac;              /* last repeat of the baseline over its first, minus 1 */
    double profile_drift_frac;      /* the same operators alone, after over before, minus 1; NAN: not made */
};

struct validate_options {
    struct measure_options measure;
    long repeats, variants;  /* variants: how many at most */
    const char *calibration; /* name under which the fit is kept */
    uint32_t draws;
    bool profile_after;
};

/*
 * `base` is the scenario as it stands, `st` names its optimizations; knobs of the tree are added as further
 * ones.  opt->measure.store keeps the baseline's traces and the calibration.
 */
int validate(const struct study *st, const struct scenario *base, const struct validate_options *opt,
             struct arena *a, struct validation *out, struct err *err);

struct json *validation_json(const struct study *st, const struct scenario *s, const struct validation *v);

/* The sentence that names what missed: "prep works 12 % longer than predicted"; "" where nothing is known. */
const char *validation_why(const struct validate_variant *v, struct arena *a);

#endif
