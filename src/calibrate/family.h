/*
 * family.h - densities and distribution functions of the laws that can be fitted, behind distribution.h.
 *
 * Parameters are those a scenario writes; inside an optimization each is its
 * logarithm, the hyperexponential's share its logit, so that every real vector
 * is a law.
 *
 *     lognormal          ln X ~ N(ln mean - s^2 / 2, s^2),     s^2 = ln(1 + cv^2)
 *     gamma              shape 1 / cv^2, scale mean cv^2
 *     weibull            P(X > x) = exp(-(x / scale)^shape),   scale = mean / Gamma(1 + 1 / shape)
 *     exponential        P(X > x) = exp(-x / mean)
 *     hyperexponential   share exp(-x / fast) / fast + (1 - share) exp(-x / slow) / slow
 */
#ifndef CALIBRATE_FAMILY_H
#define CALIBRATE_FAMILY_H

#include "base/law.h"

#include <stdbool.h>
#include <stddef.h>

enum { FAMILY_PARAMS = 3 };

struct family {
    enum law_kind kind;
    int n; /* parameters */
    const char *name[FAMILY_PARAMS];
    bool plain[FAMILY_PARAMS]; /* a number, not a quantity of the law's unit */
};

const struct family *family_of(enum law_kind kind); /* NULL: cannot be fitted by likelihood */

/* One member, what does not depend on x taken out. */
struct member {
    enum law_kind kind;
    double a, b, c, constant;
};

struct member family_member(const struct family *f, const double *theta);
double member_log_density(const struct member *m, double x, double ln_x);
double member_below(const struct member *m, double x); /* P(X <= x) */
double member_above(const struct member *m, double x); /* P(X > x) */

double family_value(const struct family *f, int param, double theta); /* as a scenario writes it */
double family_theta(const struct family *f, int param, double value);
double family_slope(const struct family *f, int param, double theta); /* d value / d theta */
struct law family_law(const struct family *f, const double *theta);

#endif
