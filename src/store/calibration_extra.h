/*
 * calibration_extra.h - what stands beside the parameters of a calibration; used in this folder only.
 */
#ifndef STORE_CALIBRATION_EXTRA_H
#define STORE_CALIBRATION_EXTRA_H

#include "store/calibration.h"

/* Inside the caller's transaction. */
int calibration_extra_insert(struct store *s, int64_t calibration_id, const struct calibration_extra *x,
                             struct err *err);

#endif
