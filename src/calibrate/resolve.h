/*
 * resolve.h - answers a scenario's "calibration" and "preset" references.
 *
 * Calibrations come from the store, presets from JSON files: the folder named by
 * $FORESIGHT_PRESETS, models/presets beside the scenario's folder or in the
 * current one, or the installed folder, whichever has the name first.
 */
#ifndef CALIBRATE_RESOLVE_H
#define CALIBRATE_RESOLVE_H

#include "pipeline/scenario.h"

/* The store is opened when first asked; one that does not exist yet resolves nothing, and that is no error.
   The resolver may be used by several threads. */
void resolve_open(const char *store_path, const char *scenario_path, struct resolver *out);
void resolve_close(struct resolver *r);

/* The row under which a fit records the error of its predictions on data it had not seen, relative. */
#define DISCREPANCY_PATH "discrepancy.throughput"

/* The largest such error among the calibrations and presets a scenario uses; 0 when there is none. */
int resolve_discrepancy(const struct resolver *r, const struct scenario *s, double *out, struct err *err);

#endif
