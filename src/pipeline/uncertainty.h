/*
 * uncertainty.h - what is not known about the parameters, carried into every figure of an outcome.
 *
 * Nested: K draws of all calibrated parameters at once (jointly where their
 * covariance is known), each simulated with n replications that have the luck of
 * the outcome's own first n.  The luck being shared, what the draws differ by is
 * the parameters' doing, and nothing is taken off for noise.
 *
 * Added to that, as variances: the sampling error of the outcome, and the
 * discrepancy, the relative error of the model on data the fit had not seen.
 * Rates, times and costs are positive, so their errors add on the logarithm;
 * shares and quality add as they are and stay within 0 and 1.
 *
 *     half = sqrt(((hi - lo) / 2)^2 + t_{K-1}^2 (var of the draws + discrepancy^2))
 */
#ifndef PIPELINE_UNCERTAINTY_H
#define PIPELINE_UNCERTAINTY_H

#include "pipeline/simulate.h"

/* Relative, of predictions held against what was measured; 0: not known. */
struct discrepancy {
    double rate; /* throughput, makespan, cost */
    double time; /* latencies and their parts */
};

/* Sets pred_lo and pred_hi of *out.  Does nothing when the scenario uses no calibration or draws is 0. */
int simulate_uncertainty(const struct json *tree, const char *file, const struct resolver *resolver,
                         uint32_t draws, const struct discrepancy *discrepancy,
                         const struct simulate_options *opt, struct outcome *out, struct err *err);

#endif
