/*
 * cost.h - the cost of an operator from what was measured of it.
 *
 *     seconds = fixed + per_item * items + per_byte * bytes,    noise proportional to the mean
 *
 * linear.h with relative residuals and Huber's weights beyond 3 robust standard
 * deviations.  Of coefficients that the sizes seen cannot tell apart, the fixed
 * one is left out if that helps, else that of bytes.
 */
#ifndef CALIBRATE_COST_H
#define CALIBRATE_COST_H

#include "base/param.h"

#include <stdbool.h>
#include <stddef.h>

struct observation {
    double seconds, items, bytes;
};

struct cost_fit {
    struct cost cost; /* cv: relative standard deviation of the residuals */
    double fixed_stderr, per_item_stderr, per_byte_stderr;
    double relative_stderr; /* of the fitted cost at the mean size */
    long n;
    double r2;                 /* of the seconds */
    double holdout_error_frac; /* |predicted / measured - 1| of the held-out total; NAN when nothing was held
                                  out */
    double from, to;           /* range of sizes seen: items, or bytes when items are not used */
};

/*
 * Fits; every fifth observation is held out, then the fit is made again on all.
 * Needs at least 3 observations: ERR_FAILED otherwise.
 */
int fit_cost(const struct observation *obs, size_t n, bool use_items, bool use_bytes, struct cost_fit *out,
             struct err *err);

double cost_seconds(const struct cost *c, double items, double bytes);

#endif
