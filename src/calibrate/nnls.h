/*
 * nnls.h - least squares with coefficients that may not be negative, from its normal equations.
 *
 *     min x'Ax / 2 - b'x,  x >= 0,    A = X'WX scaled to a unit diagonal, b = X'Wy
 *
 * The active-set method of Lawson and Hanson ("Solving Least Squares Problems",
 * 1974, ch. 23): columns enter one by one where the residual falls fastest and
 * leave when they would turn negative.  A column with a Cholesky pivot below
 * 1e-5 is said by those in use and never enters.  Small problems only; A is
 * k x k in the corner of an array; x, in and said hold NNLS_MOST too.
 */
#ifndef CALIBRATE_NNLS_H
#define CALIBRATE_NNLS_H

#include <stdbool.h>
#include <stddef.h>

enum { NNLS_MOST = 12 };

/* in[j]: above its bound.  said[j]: left out because the others say it. */
void nnls_solve(const double a[NNLS_MOST][NNLS_MOST], const double *b, size_t k, double *x, bool *in,
                bool *said);

/* The same without the constraint; columns enter from the left. */
void nnls_any_sign(const double a[NNLS_MOST][NNLS_MOST], const double *b, size_t k, double *x, bool *in,
                   bool *said);

bool nnls_tells_apart(const double a[NNLS_MOST][NNLS_MOST], const bool *use, size_t k);

/* Of the columns in use; 0 elsewhere, everywhere if they cannot be told apart. */
void nnls_inverse(const double a[NNLS_MOST][NNLS_MOST], const bool *in, size_t k,
                  double inverse[NNLS_MOST][NNLS_MOST]);

#endif
