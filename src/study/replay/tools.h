/*
 * tools.h - arithmetic that several kinds of cases share.
 */
#ifndef STUDY_REPLAY_TOOLS_H
#define STUDY_REPLAY_TOOLS_H

#include "study/replay.h"

double tools_median(const double *x, size_t n); /* NAN of none; x is left as it is */
double tools_quantile(const double *x, size_t n, double q);

/*
 * How far measured values are from predictions that did not see them, as a 90 % interval: quantiles of
 * log(measured / predicted), by which a prediction is multiplied.
 */
struct tools_spread {
    double lo, hi; /* of the logarithm */
    size_t n;
};
struct tools_spread tools_spread(const double *predicted, const double *measured, size_t n, struct arena *a);
/* Widens for what a new group of its own adds when the errors come from `groups` of them: sqrt(1 + 1 /
 * groups). */
void tools_widen(struct tools_spread *s, size_t groups);
struct estimate tools_estimate(double mean, const struct tools_spread *s);

/* Minimizes f over x[n] by the simplex of Nelder and Mead from x with step; the best found is left in x. */
typedef double tools_objective(const double *x, void *ctx);
int tools_minimize(tools_objective *f, void *ctx, double *x, size_t n, double step, int iterations,
                   struct err *err);

/* y over x by straight lines between the points, straight on beyond the ends; x ascending, n >= 1. */
double tools_interpolate(const double *x, const double *y, size_t n, double at);

#endif
