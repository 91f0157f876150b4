/*
 * law_rows.h - a sample becomes the law of a parameter.
 *
 *     models.station.params.service.lognormal.mean    8.1e-3
 *     models.station.params.service.lognormal.cv      0.42
 *
 * An empirical law has no such numbers; its quantiles go into the calibration's
 * document, under "params".
 */
#ifndef CALIBRATE_LAW_ROWS_H
#define CALIBRATE_LAW_ROWS_H

#include "calibrate/fitting.h"

/*
 * `is_set`: the path is that of a parameter, `param` its name in the document.  Values at `limit` or above were cut
 * off there (INFINITY: none were).
 */
int law_rows(struct fitting *f, const char *path, const char *param, bool is_set, const double *value, size_t n,
             double limit, const char *unit, struct err *err);

#endif
