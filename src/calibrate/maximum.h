/*
 * maximum.h - the top of a log-likelihood and how sharp it is.
 *
 * The simplex of Nelder and Mead (gsl_multimin, nmsimplex2) in a space where
 * every real vector is allowed (logarithms), begun twice because a simplex can
 * collapse on a slope; few parameters.  The covariance of the maximum is the
 * inverse of minus the Hessian, by central differences.
 */
#ifndef CALIBRATE_MAXIMUM_H
#define CALIBRATE_MAXIMUM_H

#include <stdbool.h>
#include <stddef.h>

enum { MAXIMUM_PARAMS = 4 };

typedef double log_likelihood_fn(const double *theta, const void *ctx);

/* theta: where to begin, then the maximum.  n: observations, so that tolerances do not depend on it. */
void maximum_climb(log_likelihood_fn *f, const void *ctx, size_t params, double n, double *theta);

/* False: the surface is no hill there. */
bool maximum_information(log_likelihood_fn *f, const void *ctx, size_t params, const double *theta,
                         double cov[MAXIMUM_PARAMS][MAXIMUM_PARAMS]);

#endif
