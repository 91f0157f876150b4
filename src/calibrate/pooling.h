/*
 * pooling.h - many groups with a few measurements each: neither believed alone nor all taken for one.
 *
 *     y_j ~ N(theta_j, s_j^2),   theta_j ~ N(mean, between^2)
 *
 * Empirical Bayes (Efron and Morris 1975): a group's own mean is drawn towards
 * the mean of all by the share of its variance that is noise,
 *
 *     theta_j = mean + (1 - B_j) (y_j - mean),    B_j = (K - 3) / (K - 1) s_j^2 / (s_j^2 + between^2)
 *
 * between^2 by Paule and Mandel (1982), with the interval of the Q profile
 * (Viechtbauer 2007; exact for normal groups).  The error of theta_j carries what
 * is not known about the mean and about B (Morris 1983):
 *
 *     (1 - B_j) s_j^2 + B_j^2 var(mean) + 2 / (K - 3) B_j^2 (y_j - mean)^2
 *
 * The intervals hold on average over groups.  A group that is unlike the others
 * is drawn too far; one more than 4 standard deviations from what the others
 * predict of it is named in a suspect.
 *
 * Held out: each group, predicted by the mean of the others.
 */
#ifndef CALIBRATE_POOLING_H
#define CALIBRATE_POOLING_H

#include "calibrate/fitted.h"

struct group {
    double value, stderr_; /* its own mean and standard error */
    long n;                /* measurements behind it */
};

struct pooled_group {
    double value, stderr_, lo, hi;
    double own_share; /* 1 - B: how much of its own deviation it keeps */
};

/* Parameters "mean", "between" (a standard deviation).  out[k].  ERR_FAILED: fewer than 4 groups, errors not
 * above 0. */
int pooling_fit(const struct group *g, size_t k, struct pooled_group *out, struct fit *fit, struct err *err);

/*
 * Groups from raw measurements: group[i] in 0 .. k-1.  All share one variance within (they are too few to
 * each have its own); ERR_FAILED: a group without any, fewer than k + 2 measurements.
 */
int pooling_groups(const double *y, const size_t *group, size_t n, size_t k, struct group *out,
                   struct err *err);

#endif
