/*
 * resolve_rows.h - what the store keeps of a calibration, as rows a scenario can apply.
 *
 * Parameters fitted together get the loads of joint draws: with R the matrix of
 * their correlations and R = L L', the row i of L is the load of parameter i on
 * the factors, one per parameter.  A matrix that rounding made indefinite is
 * drawn towards the identity until it is sound.
 *
 * A table that a model reads by itself becomes the parameter "ops" with the name
 * "calibration:NAME"; laws without a formula become JSON.
 */
#ifndef CALIBRATE_RESOLVE_ROWS_H
#define CALIBRATE_RESOLVE_ROWS_H

#include "pipeline/scenario.h"
#include "store/calibration.h"
#include "store/serving.h"

int resolve_rows(const char *name, const struct calibration_row *found, size_t found_n,
                 const struct calibration_extra *extra, struct arena *a, struct param_row **rows, size_t *n,
                 struct err *err);

/* The rows of a preset file (docs/calibration.md), whose list "rows" is there. */
int resolve_preset(const struct json *doc, const char *file, struct arena *a, struct param_row **rows,
                   size_t *n, struct err *err);

/* Measured costs as models read them; names stay those of `found`. */
struct cost_row *resolve_measured_costs(const struct operator_cost *found, size_t n, struct arena *a);

/* The tables of a calibration's document at their knots; ERR_FAILED: it holds none. */
int resolve_costs(const char *name, const char *document, struct arena *a, struct cost_row **rows, size_t *n,
                  struct err *err);

/* [[op, tokens, batch, chunk, context, bytes, devices, time, variant], ...], unknown sizes null, the variant
   only where there is one; the caller frees it. */
struct json *resolve_cost_list(const struct cost_row *rows, size_t n);

#endif
