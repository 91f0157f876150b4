/*
 * knots.h - from many measured points a small table (base/table.h) that is as right as was asked.
 *
 * Given the knots, the values at the nodes are those whose multilinear
 * interpolation fits the points best (weighted least squares on the value's
 * scale; a second-difference penalty of 1e-6 of the mean weight decides only
 * what no point decides).  Knots are chosen greedily: beginning with the ends
 * of each axis, the axis and place of the worst point that helps most gets a
 * knot, until the error is below the bound; then knots that are not needed go
 * again.
 *
 * The error is that of leaving one point out: r_i / (1 - h_i), h the leverage
 * (Allen's PRESS, 1974; exact for given knots; where monotone values differ from
 * the least-squares ones, by as much).  A point that alone holds an
 * edge of the table is not counted: leaving it out would ask for an
 * extrapolation.  It is relative (log scale: exp|e| - 1) and judged at a
 * quantile (.95 unless said), because measured points carry noise that no
 * table should follow; the worst is reported too.
 *
 * Where asked, values never fall along an axis: the nodes are projected on the
 * monotone cone (pool adjacent violators along each line, Dykstra's alternation
 * over several axes), weighted by how well each node is known.
 *
 * A node without any point in the cells around it is unsupported: the table
 * says "outside" there.
 */
#ifndef CALIBRATE_KNOTS_H
#define CALIBRATE_KNOTS_H

#include "base/table.h"
#include "calibrate/fitted.h"

struct arena;

enum { KNOTS_NODES_MAX = 600 };

struct knots_points {
    int axes_n;
    const char *name[TABLE_AXES];
    enum scale scale[TABLE_AXES];
    bool rising[TABLE_AXES]; /* the value never falls along this axis */
    const double *x;         /* n rows of axes_n, row-major */
    const double *y;
    const double *weight; /* NULL: 1 */
    size_t n;
    enum scale value_scale; /* SCALE_LOG for times and rates; SCALE_LINEAR for fractions */
};

struct knots_options {
    double bound_frac; /* of the leave-one-out error, relative; SCALE_LINEAR: to the mean |y| */
    double quantile;   /* of that error that must be below the bound; 0: .95; 1: the worst */
    size_t nodes_max;  /* 0: KNOTS_NODES_MAX */
    size_t axis_max;   /* knots on one axis; 0: no limit */
};

struct knots_fit {
    struct table table;    /* error_frac: the leave-one-out error at the quantile */
    const double *stderr_; /* of each node's value, in its own unit; INFINITY where unsupported */
    double median_error_frac, error_frac, worst_error_frac; /* leave-one-out */
    bool met;                                               /* error_frac <= bound_frac */
    struct fit fit; /* n, r2 (on the value's scale), noise_frac, hold-out error, range of axis 0, suspects */
};

/*
 * The table lives in `a`.  Points at the same place are fine (they say how large the noise is).
 * ERR_FAILED: no points, a value that the scale cannot take; the message names the point.
 */
int knots_choose(const struct knots_points *p, const struct knots_options *o, struct arena *a,
                 struct knots_fit *out, struct err *err);

/* The same with knots given (at[axis], n[axis]): only the values are fitted. */
int knots_at(const struct knots_points *p, const double *const *at, const size_t *n, struct arena *a,
             struct knots_fit *out, struct err *err);

#endif
