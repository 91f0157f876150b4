/*
 * likelihood.h - how likely a sample is under a law, and the law under which it is likeliest; behind
 * distribution.h.
 */
#ifndef CALIBRATE_LIKELIHOOD_H
#define CALIBRATE_LIKELIHOOD_H

#include "calibrate/distribution.h"
#include "calibrate/family.h"

struct likelihood {
    const struct family *family;
    const struct samples *s;
    const double *ln_x;  /* of exact values */
    const double *count; /* of each sample; a part of them while something is held out */
    double n;            /* their sum */
};

double samples_upper(const struct samples *s); /* the largest that could be recorded */
bool samples_truncated(const struct samples *s);

/* P(lo < X <= hi), from whichever side loses fewer digits. */
double member_between(const struct member *m, double lo, double hi);

double likelihood_of_one(const struct member *m, const struct sample *s, double ln_x); /* its logarithm */
double likelihood_of_all(const struct likelihood *l, const double *theta);             /* its logarithm */

/* To the nearest maximum, from theta; from moments or EM. */
void likelihood_climb(const struct likelihood *l, double *theta);
void likelihood_maximize(const struct likelihood *l, double *theta);

/* Covariance of theta: inverse of minus the Hessian by central differences.  False: there is no hill. */
bool likelihood_information(const struct likelihood *l, const double *theta,
                            double cov[FAMILY_PARAMS][FAMILY_PARAMS]);

#endif
