/*
 * resolve.h - answers a scenario's references: "calibration", "preset", "trace:NAME", names of documents.
 *
 * Calibrations and recordings (requests, operator tables) come from the store.
 * Presets and documents are JSON files: those of the folder named by
 * $FORESIGHT_PRESETS, of models/presets beside the scenario's folder or in the
 * current one, or of the installed folder, whichever has the name first.  A
 * document may lie in a folder below; it is read once and shared.
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

/* The same for latencies and their parts; without such a row they count as off as throughput is. */
#define LATENCY_DISCREPANCY_PATH "discrepancy.latency"

/* The row for gains: what is off for the whole machine cancels in a ratio; what is left is how differently
   operators behave in place and alone, since a variant runs operators that the calibration saw alone only. */
#define GAIN_DISCREPANCY_PATH "discrepancy.gain"

/* The largest such row (one of the two paths) among the calibrations and presets a scenario uses; 0 when
 * there is none. */
int resolve_discrepancy(const struct resolver *r, const struct scenario *s, const char *path, double *out,
                        struct err *err);

#endif
