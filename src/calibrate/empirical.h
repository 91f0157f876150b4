/*
 * empirical.h - quantiles of a sample as a law; behind distribution.h.
 *
 * Values: quantiles (type 7 of Hyndman and Fan 1996) at probabilities that are
 * dense in the tails, as far as n reaches.  Buckets: their bounds, even inside;
 * they must not overlap.  What is only known to be above a limit is put at the
 * limit, and said.
 */
#ifndef CALIBRATE_EMPIRICAL_H
#define CALIBRATE_EMPIRICAL_H

#include "calibrate/distribution.h"

/* Fills law, parameters, suspects; the rest of out->fit is the caller's.  ERR_FAILED: buckets overlap. */
int empirical_fit(const struct samples *s, struct arena *a, struct distribution *out, struct err *err);

#endif
