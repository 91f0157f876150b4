/*
 * nonlinear_parts.h - one curve while it is being fitted: what nonlinear.c and nonlinear_errors.c share.
 *
 * nonlinear.c finds the optimum under the constraints, nonlinear_errors.c says which parameters are told and
 * how well.
 */
#ifndef CALIBRATE_NONLINEAR_PARTS_H
#define CALIBRATE_NONLINEAR_PARTS_H

#include "calibrate/nonlinear.h"

enum { NONLINEAR_STEPS = 100, NONLINEAR_RESAMPLED_STEPS = 20 };

struct nonlinear_state {
    const struct nonlinear *p;
    const double *y;                /* measured, or a resample; its logarithm where the noise is relative */
    double theta[NONLINEAR_PARAMS]; /* as the curve takes them */
    bool free_[NONLINEAR_PARAMS];   /* being optimized */
    bool zero[NONLINEAR_PARAMS];    /* held on 0 */
    bool told[NONLINEAR_PARAMS];    /* identifiable */
    double inverse[NONLINEAR_PARAMS]
                  [NONLINEAR_PARAMS]; /* of J'J, on the optimized form: logarithms of positive ones */
    double (*jacobian)[NONLINEAR_PARAMS];
    double *residual; /* weighted, one per point */
    double rss;
    size_t steps; /* of one descent */
};

/* nonlinear.c; packed: in the form that is optimized; error: weighted, at a theta as the curve takes it */
double nonlinear_weight(const struct nonlinear *p, size_t i);
bool nonlinear_logarithmic(const struct nonlinear_state *s, int k);
double nonlinear_packed(const struct nonlinear_state *s, int k);
double nonlinear_unpacked(const struct nonlinear_state *s, int k, double v);
double nonlinear_error(const struct nonlinear_state *s, const double *theta, size_t i);
void nonlinear_descend(struct nonlinear_state *s);
void nonlinear_optimize(struct nonlinear_state *s);

/* nonlinear_errors.c */
bool nonlinear_drop_untold(struct nonlinear_state *s);
void nonlinear_find_inverse(struct nonlinear_state *s);
int nonlinear_free_count(const struct nonlinear_state *s);
void nonlinear_write_params(const struct nonlinear_state *s, struct fit *out);
bool nonlinear_near_bound(const struct nonlinear_state *s);
void nonlinear_bootstrap(const struct nonlinear_state *s, struct fit *out);
void nonlinear_unconstrained(const struct nonlinear_state *s, struct fit *out);

#endif
