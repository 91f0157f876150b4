/*
 * fitting.h - a calibration while it is being made.
 *
 * The recipes (recipes.h) turn rows of a trace into samples, hand the samples to
 * a method (linear.h, knots.h ...) and add what came out here: parameters with
 * their errors, tables, covariances, the rows they came from, and what was odd
 * about the recording.  Parameters of a model stand under
 *
 *     models.MODEL.params.PARAM        set by "calibration": NAME of any stage of that model
 *     kinds.KIND.FIELD                 the same for resources
 *     fits.TARGET.NAME                 known, but no parameter of that name exists: shown, stored, not set
 *
 * Everything lives in the arena, but for the document until fitting_end().
 */
#ifndef CALIBRATE_FITTING_H
#define CALIBRATE_FITTING_H

#include "base/json.h"
#include "calibrate/fitted.h"
#include "models/model.h"
#include "store/calibration.h"

struct fitting {
    struct store *store;
    struct arena *a;
    const char *target;     /* model, kind of resource or "workload" */
    const char *where;      /* only rows that match; NULL: all.  See samples_match() */
    double bound_frac;      /* how far a table may be off */
    double worst_bias_frac; /* of the held-out totals of what is set: the discrepancy of predictions */
    struct calibration_row *rows;
    size_t n, cap;
    struct calibration_extra extra;
    struct json *document; /* what the calibration holds besides numbers; NULL: nothing so far */
};

/* Rows of one trace, for provenance. */
struct rows_used {
    int64_t trace_id;
    const char *view, *what;
    int64_t first, last;
    long n;
};

void fitting_row(struct fitting *f, const struct calibration_row *row);

/* A row of which nothing was held out and no range is known; what is may be set afterwards. */
struct calibration_row *fitting_plain(struct fitting *f, const char *path, double value, double stderr_,
                                      const char *unit, long n, const char *method);

/* Every parameter that the data tell, as PREFIX.NAME, with the covariances; suspects with the prefix's last
 * name. */
void fitting_fit(struct fitting *f, const char *prefix, const struct fit *fit, const char *valid_of);

/* What a prediction made with it must be expected to be off by. */
void fitting_bias(struct fitting *f, const struct fit *fit);

void fitting_source(struct fitting *f, const char *path, const struct rows_used *used);
void fitting_suspects(struct fitting *f, const char *of, const struct fit *fit);
void fitting_remark(struct fitting *f, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A parameter of the target as a path: "models.station.params.service". */
const char *fitting_path(struct fitting *f, const char *param);

/* The object of that name in the document, made when missing. */
struct json *fitting_document(struct fitting *f);

/* Puts the document's text into `extra`, and adds the discrepancy's row. */
void fitting_end(struct fitting *f);
void fitting_free(struct fitting *f);

#endif
