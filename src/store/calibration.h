/*
 * calibration.h - named sets of fitted parameters.
 *
 * A set is saved as a whole: saving under a name that exists makes a new
 * version, which is what the name means from then on; the older versions stay
 * in the file as history.  Loaded strings live in the caller's arena.
 */
#ifndef STORE_CALIBRATION_H
#define STORE_CALIBRATION_H

#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct calibration_row {
    const char *path; /* scenario JSON path it sets, e.g. "stages.prep.params.costs.hash.per_item" */
    double value, stderr_;
    const char *unit;
    long n; /* observations behind it */
    const char *method;
    double r2, holdout_error_frac; /* NAN if unknown */
    double valid_from, valid_to;   /* range of what it was fitted on; NAN if unknown */
};

struct calibration_info {
    const char *name;
    long version; /* 1, 2, ... */
    const char *scenario_sha256, *created;
    int64_t trace_id; /* 0: none, or removed since */
    long rows;
};

/* trace_id 0: none.  A path twice in one set, or a value that is not finite, is ERR_FAILED. */
int calibration_save(struct store *s, const char *name, const char *scenario_sha256, int64_t trace_id,
                     const struct calibration_row *rows, size_t n, struct err *err);

/* The newest version, rows in the order of their paths.  Missing: ERR_USAGE, with the nearest name. */
int calibration_load(struct store *s, const char *name, struct arena *a, struct calibration_row **rows,
                     size_t *n, struct err *err);

/* The newest version of each name, by name; with `history`, older versions after each. */
int calibration_list(struct store *s, bool history, struct arena *a, struct calibration_info **rows,
                     size_t *n, struct err *err);

int calibration_info_load(struct store *s, const char *name, struct arena *a, struct calibration_info *out,
                          struct err *err);
int calibration_remove(struct store *s, const char *name, struct err *err); /* all versions */

#endif
