/*
 * nonlinear.h - least squares for the curves of this floor: sweeps, rooflines.
 *
 *     min sum_i w_i e_i^2,   e = ln y - ln f(theta, x)  (NOISE_RELATIVE)   or   y - f(theta, x)
 *
 * GSL's trust-region Levenberg-Marquardt with Jacobians by finite differences.
 * A positive parameter is optimized as its logarithm and has its interval there.
 * One that may be 0 is optimized as it is; if the optimum without the constraint
 * is negative it is put on 0, the others are fitted again, and it is let go if
 * that helps.  A parameter whose column of the Jacobian is 0, or is said by the
 * others (pivot below 1e-4), cannot be told: it keeps its start, marked not
 * identifiable.
 *
 * Covariance s^2 (J'WJ)^-1 with s^2 = sum w e^2 / (n - p), Student's t.  With a
 * parameter on its bound or within two standard errors of it, standard errors
 * and the interval of that parameter are from a wild bootstrap around the
 * constrained optimum (as linear.h); the intervals of the others are those of
 * the optimum without the constraint, which hold whatever the truth.
 */
#ifndef CALIBRATE_NONLINEAR_H
#define CALIBRATE_NONLINEAR_H

#include "calibrate/fitted.h"
#include "calibrate/linear.h"

#include <stdint.h>

enum { NONLINEAR_PARAMS = 6 };

struct nonlinear_param {
    const char *name, *unit;
    double start;     /* above 0 */
    bool may_be_zero; /* else it is positive */
    bool fixed;       /* stays at `start`: not fitted */
};

typedef double curve_fn(const double *theta, const double *x, const void *setting);

struct nonlinear {
    curve_fn *f; /* must cope with slightly negative values of what may be zero */
    const void *setting;
    struct nonlinear_param param[NONLINEAR_PARAMS];
    int params_n;
    const double *x; /* n rows of `columns` */
    size_t columns, n;
    const double *y;
    const double *weight; /* NULL: 1 */
    enum linear_noise noise;
    uint64_t seed;
    int resamples; /* 0: 200; negative: no bootstrap, whatever is on a bound */
};

/*
 * Adds the parameters to *out (from fit_begin()), and n, r2, noise_frac; fixed ones are left out.  *rss: the
 * sum of squares at the optimum.  ERR_FAILED: fewer points than parameters, values that cannot be.
 */
int nonlinear_fit(const struct nonlinear *p, struct fit *out, double *rss, struct err *err);

/* The curve at x under the fitted (and the fixed) parameters. */
double nonlinear_predict(const struct nonlinear *p, const struct fit *f, const double *x);

#endif
