/*
 * validate.h - how far is the simulation from reality?
 *
 * A design of variants (the scenario as it stands, each optimization alone,
 * pairs, and all that fit together) is executed on this machine, repeats
 * interleaved so that drift hits all alike, and each is predicted from one
 * calibration: a profile of operators alone, and the executions of the scenario
 * as it stands that stood between the variants' (machines drift: a calibration of
 * an hour ago would measure the drift).  Nothing of the other variants enters it.
 * A variant differs from the scenario only in switches that the executor reads.
 */
#ifndef STUDY_VALIDATE_H
#define STUDY_VALIDATE_H

#include "calibrate/calibrate.h"
#include "study/measure.h"
#include "study/variant.h"

enum { VALIDATE_FIGURES_WHOLE = 4 }; /* that are no stage's */

struct validate_figure {
    const char *name, *unit;
    struct estimate measured, predicted;
    double error_frac;
    bool inside_interval;
};

struct validate_variant {
    const char *name;
    opt_set set;
    double *throughput; /* measured, per repeat */
    struct measurement *runs;
    struct validate_figure *figures; /* the first is the throughput */
    int figures_n;
    struct estimate speedup_measured, speedup_predicted; /* over the scenario as it stands */
};

struct validation {
    int n;
    struct validate_variant *variants; /* the first is the scenario as it stands */
    double median_error, p90_error;    /* of throughputs, absolute, relative */
    double median_error_all;           /* of all figures */
    double kendall_tau;                /* over pairs whose measured intervals separate; NAN without any */
    int pairs;
    double top_choice_regret, local_choice_regret;
    const char *top_choice, *local_choice, *measured_best;
    double coverage, width; /* of throughput prediction intervals */
    double disturbed_frac;  /* the most that others took of the machine during a run that counts */
    struct calibration calibration;
    int64_t profile;    /* trace id */
    double discrepancy; /* of the baseline: what prediction intervals add */
    double drift_frac;  /* last repeat of the baseline over its first, minus 1 */
};

struct validate_options {
    struct measure_options measure;
    long repeats, variants;  /* variants: how many at most */
    const char *calibration; /* name under which the fit is kept */
    uint32_t draws;
};

/* `base` is the scenario as it stands. opt->measure.store keeps the baseline's traces and the calibration. */
int validate(const struct study *st, const struct scenario *base, const struct validate_options *opt,
             struct arena *a, struct validation *out, struct err *err);

struct json *validation_json(const struct study *st, const struct scenario *s, const struct validation *v);

#endif
