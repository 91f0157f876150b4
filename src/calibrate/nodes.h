/*
 * nodes.h - the values at the nodes of a table, knots given: the linear algebra below knots.h.
 *
 *     min sum_i w_i (v_i - sum_j c_ij z_j)^2 + 1e-6 (second differences of z)^2
 *
 * c: the weights of the corners around point i; v, z on the value's scale;
 * weights of mean 1.  Nodes in row-major order make a band matrix, factored by
 * Cholesky.  Leverages h_i = w_i c_i' A^-1 c_i give leave-one-out residuals.
 */
#ifndef CALIBRATE_NODES_H
#define CALIBRATE_NODES_H

#include "calibrate/knots.h"

struct nodes {
    const struct knots_points *p;
    const double *v; /* of the points, on the value's scale */
    const double *w; /* mean 1 */
    double clip;     /* residuals beyond it are outliers; INFINITY: none are */
    int skip_every;  /* every such point is left out (the last of each group); 0: none */
    /* what nodes_fit() finds, one per point or one per node */
    double *residual;      /* of the values as they are */
    double *left_residual; /* what it is when the point is left out: see knots.h */
    double *leverage;      /* left-out points have 0 */
    double *z, *variance;  /* variance: diagonal of A^-1, to be multiplied by noise^2 */
    bool *supported;
    double rss, clipped; /* weighted sums of squared residuals; clipped: each at most clip^2 */
    double noise;        /* standard deviation on the scale: sqrt(rss / (n - sum h)) */
};

/* Room for n points and KNOTS_NODES_MAX nodes; `v` and `w` from the points. */
void nodes_init(struct nodes *s, const struct knots_points *p);
void nodes_fini(struct nodes *s);

/*
 * Fits the nodes of `t`, whose axes are prepared (its values are not read).  `thorough`: monotone where
 * asked, with leverages and variances; else only z, residuals and rss.  False: the matrix was not positive
 * definite.
 */
bool nodes_fit(struct nodes *s, const struct table *t, bool thorough);

#endif
