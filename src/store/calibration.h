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
    const char *valid_of;          /* the size the range speaks of: "items", "bytes", "concurrency"; "" or NULL */
};

/* Rows of a trace that a parameter was fitted from. */
struct calibration_source {
    const char *path; /* the parameter, or the beginning of several */
    int64_t trace_id; /* 0: removed since */
    const char *trace, *sha256; /* filled in when saved: the trace's name, its file's content */
    const char *view, *what;    /* "operator_costs"; "op=gemm, devices=1" */
    int64_t first, last;        /* seq of the first and the last row */
    long n;
};

struct calibration_cov { /* of two parameters fitted together */
    const char *a, *b;
    double covariance;
};

struct calibration_remark {
    const char *kind; /* "suspect": the recording is doubtful; "note" */
    const char *text;
};

/* What stands beside the parameters. */
struct calibration_extra {
    const char *target;   /* model, "workload" or kind of resource; "" if a scenario as a whole */
    const char *document; /* JSON: tables and curves; NULL: all there is are the parameters */
    struct calibration_source *sources;
    struct calibration_cov *covs;
    struct calibration_remark *remarks;
    size_t sources_n, covs_n, remarks_n;
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

int calibration_save_with(struct store *s, const char *name, const char *scenario_sha256, int64_t trace_id,
                          const struct calibration_row *rows, size_t n, const struct calibration_extra *extra,
                          struct err *err);

/* What stands beside the parameters of the newest version; all empty when it is not there at all. */
int calibration_extra_load(struct store *s, const char *name, struct arena *a, struct calibration_extra *out,
                           struct err *err);

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
