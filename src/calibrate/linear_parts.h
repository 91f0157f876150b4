/*
 * linear_parts.h - one linear problem while it is being solved: what linear.c and linear_errors.c share.
 *
 * linear.c finds the coefficients and their weights, linear_errors.c says how well they are known.
 */
#ifndef CALIBRATE_LINEAR_PARTS_H
#define CALIBRATE_LINEAR_PARTS_H

#include "calibrate/linear.h"
#include "calibrate/nnls.h"

struct linear_problem {
    const struct linear_data *d;
    const struct linear_options *o;
    double unit[LINEAR_COLUMNS]; /* norm of each column: the normal equations get a unit diagonal */
    double least;                /* relative noise: what a row's value counts as at least, for its weight */
    int skip;                    /* rows with index % HOLD_OUT_EVERY == skip are left out; -1: none */
    double *w, *fitted;          /* one per row */
    double a[LINEAR_COLUMNS][LINEAR_COLUMNS], b[LINEAR_COLUMNS];
    double beta[LINEAR_COLUMNS];
    double inverse[LINEAR_COLUMNS][LINEAR_COLUMNS]; /* of a, on the columns in use; 0 elsewhere */
    bool in[LINEAR_COLUMNS];                        /* not on its bound, not said by others */
    bool said[LINEAR_COLUMNS];                      /* by the other columns */
    double sd;                                      /* robust, of the residuals on their own scale */
};

/* linear.c */
void linear_constrained(const struct linear_problem *p, const double *b, double *x, bool *in, bool *said);
void linear_evaluate(struct linear_problem *p);
double linear_residual(const struct linear_problem *p, size_t i);

/* linear_errors.c; used(): columns above their bound */
void linear_invert(struct linear_problem *p);
void linear_covariance(const struct linear_problem *p, struct fit *out);
bool linear_near_bound(const struct linear_problem *p, const struct fit *f);
void linear_bootstrap(const struct linear_problem *p, struct fit *out);
void linear_unconstrained(const struct linear_problem *p, const double cov[FIT_PARAMS][FIT_PARAMS],
                          struct fit *out);
double linear_noise_sd(const struct linear_problem *p);
int linear_used(const struct linear_problem *p);

#endif
