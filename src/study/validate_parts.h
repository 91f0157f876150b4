/*
 * validate_parts.h - the steps of validate(); used in this folder only.
 */
#ifndef STUDY_VALIDATE_PARTS_H
#define STUDY_VALIDATE_PARTS_H

#include "study/validate.h"

/* One in progress: the study with knobs among its optimizations, and what comes out. */
struct validating {
    struct study st;
    const struct scenario *base;
    const struct validate_options *opt;
    struct arena *a;
    struct validation *out;
    struct json *edits; /* of the knobs */
};

/* What the executor can tell apart, and the variants made of it. */
int validate_design(struct validating *v, struct err *err);

/* Warm-up, then all variants, repeats interleaved. */
int validate_measure(struct validating *v, struct err *err);

/* Every variant from the calibration kept in the store: figures, stages, speed-ups. */
int validate_predict(struct validating *v, struct err *err);

int validate_score(struct validating *v, struct err *err);

#endif
