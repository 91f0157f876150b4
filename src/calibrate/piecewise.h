/*
 * piecewise.h - a cost whose price per item changes with the size: cache edges, padding, a second link.
 *
 *     y = fixed + sum_j slope_j * (how much of segment j lies below x),    fixed, slopes >= 0
 *
 * Continuous and, the slopes being non-negative, never falling; see linear.h
 * for noise, robustness and errors.  The inner knots are given, or few are
 * chosen among quantiles of x, greedily, as long as Schwarz's criterion falls
 * (each knot counts as two parameters, its place and its slope).  Intervals are
 * those given the knots.  The first segment begins at 0, the last has no end:
 * where the fit may be believed is said by fit.valid_from and valid_to.
 */
#ifndef CALIBRATE_PIECEWISE_H
#define CALIBRATE_PIECEWISE_H

#include "calibrate/linear.h"

enum { LINEAR_KNOTS = 6 };

struct piecewise {
    struct fit fit; /* "fixed", "slope1" ... */
    int knots_n;    /* inner knots: one less than slopes */
    double knot[LINEAR_KNOTS];
};

/* `knots` NULL: at most `knots_n` are chosen.  Errors as linear_fit. */
int piecewise_fit(const double *x, const double *y, const double *weight, size_t n, const double *knots,
                  int knots_n, const struct linear_options *o, struct piecewise *out, struct err *err);

double piecewise_predict(const struct piecewise *p, double x);

#endif
