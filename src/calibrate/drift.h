/*
 * drift.h - is what was recorded late like what was recorded early?
 *
 * The means of the two halves, in the order of time, are compared by Welch's t
 * over the means of twenty batches, so that neighbours that resemble each other
 * do not feign certainty.  A difference of more than a tenth that chance would
 * show once in a thousand recordings makes the recording suspect.
 */
#ifndef CALIBRATE_DRIFT_H
#define CALIBRATE_DRIFT_H

#include "calibrate/fitting.h"

void drift_check(struct fitting *f, const char *of, const double *when_s, const double *value, size_t n);

#endif
