/*
 * fits.h - what can be found out from recordings, target by target.
 *
 * A target is a component model, a kind of resource or the workload.  Models
 * point to their rows (struct model, fits); what is no model stands in the table
 * of targets.
 */
#ifndef MODELS_FITS_H
#define MODELS_FITS_H

#include "models/model.h"

extern const struct fit_info station_fits[], etl_fits[], storage_fits[], llm_serving_fits[], vector_db_fits[];

struct fit_target {
    const char *name, *about;
    const struct fit_info *fits;
};

extern const struct fit_target fit_targets[]; /* those that are no model; name == NULL at the end */

/* NULL: nothing of that name can be fitted. */
const struct fit_info *fits_find(const char *target);

/* Every name that fits_find() knows; returns how many, `room` at most. */
size_t fits_names(const char **names, size_t room);

#endif
