/*
 * distribution.h - the law that made a sample, as a scenario writes laws.
 *
 * Maximum likelihood over what was really seen: an observation is a value, an
 * interval (a bucket of a histogram: P(X <= hi) - P(X <= lo)) or a lower limit
 * (hi infinite: the run ended first).  Values outside from .. to were never
 * recorded (a log that keeps only slow requests): the likelihood is conditional
 * on from < X <= to.  Families and parameters: family.h; the hyperexponential
 * starts from the EM algorithm (Dempster, Laird and Rubin 1977; Feldmann and
 * Whitt 1998 for why it serves as a long tail), all are finished by the simplex
 * of Nelder and Mead on the exact likelihood.
 *
 * Standard errors come from the observed information (Hessian of the
 * log-likelihood in the logarithms of the parameters); intervals are symmetric
 * there.  Where the information is not positive or a share has run to 0 or 1,
 * from the bootstrap instead, and a suspect says so.
 *
 * Choice: each family is fitted to four fifths; the one under which the other
 * fifth is likeliest wins, but more parameters must pay: a richer family is
 * taken only if its advantage per held-out observation exceeds two standard
 * errors of that advantage.  If even the winner is further from the sample
 * (Kolmogorov-Smirnov) than 5 % chance and `near_enough` allow, the empirical
 * law is taken.
 *
 * Empirical: quantiles at some thirty probabilities, denser in the tails, even
 * between; of buckets, their bounds.  It knows nothing beyond the largest value.
 * Its parameters are the mean and quantiles with distribution-free intervals
 * (order statistics, exact binomial).
 */
#ifndef CALIBRATE_DISTRIBUTION_H
#define CALIBRATE_DISTRIBUTION_H

#include "base/law.h"
#include "calibrate/fitted.h"

#include <stdint.h>

struct arena;

struct sample {
    double lo, hi; /* lo == hi: the value; else X in (lo, hi]; hi may be infinite */
    double count;  /* how many such; whole */
};

struct samples {
    const struct sample *s;
    size_t n;
    double from, to;  /* what could be recorded; to <= 0 or infinite: no upper limit */
    const char *unit; /* of the values: "s", "bytes", "" */
};

struct distribution_options {
    double near_enough; /* KS distance below which a family serves whatever n; 0: .03 */
    uint64_t seed;      /* of the bootstrap */
    int resamples;      /* 0: 200 */
};

struct distribution {
    struct fit fit; /* parameters named as in the law; ks: distance to the sample */
    struct law law;
    double log_likelihood;         /* of the whole sample, per observation; NAN for the empirical law */
    double holdout_log_likelihood; /* of the held-out fifth, per observation */
};

/* LAW_EMPIRICAL's knots live in `a`.  ERR_FAILED: fewer than 10 observations, values that cannot be. */
int distribution_fit(enum law_kind kind, const struct samples *s, const struct distribution_options *o,
                     struct arena *a, struct distribution *out, struct err *err);

int distribution_choose(const struct samples *s, const struct distribution_options *o, struct arena *a,
                        struct distribution *out, struct err *err);

#endif
