/*
 * drift.h - recordings that are not stationary: the same thing measured again and again, and it slowly
 * changes.
 *
 * The values of the first third are compared with those of the last third in the order they were measured:
 * suspect is what differs in its median by more than a tenth and cannot be chance (Mann-Whitney, |z| above
 * 4).
 */
#ifndef STORE_IMPORT_DRIFT_H
#define STORE_IMPORT_DRIFT_H

#include "store/import/sink.h"

struct drift {
    double *v;
    size_t n, size;
};

void drift_add(struct drift *d, double value); /* NAN is left out; so is what comes after 100,000 values */

/* Notes it under the name of the thing measured and its unit ("s" or ""), and frees the values. */
void drift_end(struct drift *d, struct import *im, const char *what, const char *unit);

#endif
