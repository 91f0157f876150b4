/*
 * calibrate.h - a scenario's parameters from its traces.
 *
 * Two kinds of traces are used, and no other: a profile (operators measured
 * alone, one thread, several sizes, every setting of the switches) gives each
 * operator's law; executions of the scenario as it stands give the factor
 * between an operator alone and in its place, where caches are shared.  Of
 * several executions the last is first held out: predicting it is the test, whose
 * error stands with the parameter; then the factor is found again from all.
 *
 *   cost in place  = cost alone * factor
 *   factor         = CPU time in place / (predicted alone * slowdown)
 *   slowdown       = mean over the CPU time of 1 + contention * (busy cores - 1)
 *
 * An operator the executions did not run gets the factor of its stage.
 */
#ifndef CALIBRATE_CALIBRATE_H
#define CALIBRATE_CALIBRATE_H

#include "pipeline/scenario.h"
#include "store/calibration.h"

struct calibrate_input {
    const struct scenario *scenario;
    const struct json *tree; /* of the scenario, calibrations not applied: to test the fit by simulating it */
    const struct resolver *resolver;
    const char *name; /* of the calibration */
    struct store *store;
    int64_t profile;       /* trace ids */
    int64_t profile_after; /* another one, made after the executions: both count; 0: none */
    const int64_t *runs;   /* executions of the scenario as it stands, oldest first */
    int runs_n;
};

struct calibration {
    struct calibration_row *rows;
    size_t n;
    double baseline_measured_per_s, baseline_predicted_per_s; /* NAN without executions */
    double run_to_run_frac;         /* relative standard deviation of the executions' throughput */
    struct calibration_extra extra; /* remarks, and what is no number */
};

/* The newest profile of a scenario of this name, 0 when there is none: operators alone do not depend on its
 * switches. */
int calibrate_find_profile(struct store *store, const char *scenario, struct arena *a, int64_t *id,
                           struct err *err);

/* Everything in *out lives in `a`. */
int calibrate(const struct calibrate_input *in, struct arena *a, struct calibration *out, struct err *err);

/* In the store, under in->name. */
int calibration_keep(const struct calibrate_input *in, const struct calibration *c, struct err *err);

#endif
