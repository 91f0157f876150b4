/*
 * linear.h - costs that are sums of what they are made of.
 *
 *     y = b1 x1 + ... + bk xk,    b >= 0
 *
 * A time is made of parts that cannot be negative (a fixed part, one per item,
 * one per byte), so the coefficients are not: the optimum under that constraint
 * is found by the active-set method of Lawson and Hanson ("Solving Least Squares
 * Problems", 1974, ch. 23), on columns scaled to like size.  A column that the
 * others already say (pivot below 1e-5) is left out and named in a suspect.
 *
 * Errors.  NOISE_RELATIVE: the noise grows with the mean, residuals are divided
 * by the fitted value, weights are found again until they settle (IRLS); a value
 * far below all but k of the others counts as a thirtieth of the next.
 * NOISE_CONSTANT: it does not.  `weight` multiplies (how many measurements a
 * row is the mean of).  Beyond `huber` robust standard deviations (1.4826 x the
 * median absolute residual) a row counts by Huber's weight, so that a span
 * during which the machine did something else does not decide; 0 counts all
 * alike.
 *
 * Standard errors.  COV_SANDWICH (the default) believes no model of the noise:
 * A (sum w^2 r^2 x x' / (1 - h)^2) A with A = (X'WX)^-1, White's HC3 (MacKinnon
 * and White 1985).  COV_MODEL believes the noise model, s^2 A; it is narrower
 * when right.  Intervals use Student's t with n - k degrees of freedom.  When a
 * coefficient is on its bound or within two standard errors of it, it has no
 * normal law (Andrews 2000): standard errors and its interval are then from a
 * wild bootstrap around the constrained optimum, and the intervals of the others
 * those of the optimum without the constraint, stretched to the estimate.
 *
 * Held out: every fifth row (from 10 rows on) is predicted by a fit of the rest.
 * Valid from/to: the range of column `range_of`.
 */
#ifndef CALIBRATE_LINEAR_H
#define CALIBRATE_LINEAR_H

#include "calibrate/fitted.h"

#include <stdint.h>

enum linear_noise { NOISE_RELATIVE, NOISE_CONSTANT };
enum linear_cov { COV_SANDWICH, COV_MODEL };

enum { LINEAR_COLUMNS = FIT_PARAMS };

struct linear_data {
    const double *x;      /* n rows of k, row-major; finite, >= 0 */
    const double *y;      /* NOISE_RELATIVE: above 0 */
    const double *weight; /* NULL: 1 */
    size_t n, k;
    const char *const *name, *const *unit; /* one per column; unit NULL: "" */
    size_t range_of;
};

struct linear_options {
    enum linear_noise noise;
    enum linear_cov cov;
    double huber;  /* robust standard deviations; 0: every row counts */
    bool any_sign; /* coefficients may be negative */
    int resamples; /* of the bootstrap; 0: 400 */
    uint64_t seed; /* of the bootstrap */
};

/* Parameters come in the order of the columns.  ERR_FAILED: fewer than k + 1 rows, a value that cannot be. */
int linear_fit(const struct linear_data *d, const struct linear_options *o, struct fit *out, struct err *err);

double linear_predict(const struct fit *f, const double *x);
double linear_predict_stderr(const struct fit *f, const double *x); /* of the mean at x */

/* Can the rows tell the columns of `used` apart (as linear_fit judges)? */
bool linear_tells_apart(const struct linear_data *d, enum linear_noise noise, const bool *used);

#endif
