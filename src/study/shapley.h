/*
 * shapley.h - shares that add up and do not depend on the order.
 *
 *   phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! * (v(S + i) - v(S))
 *
 * Exact: from the values of all 2^n subsets.  Sampled: the mean marginal gain over
 * random orders, each used forwards and backwards.
 */
#ifndef STUDY_SHAPLEY_H
#define STUDY_SHAPLEY_H

#include <stdint.h>

enum { SHAPLEY_EXACT_MAX = 10 };

/* value[set] for all 2^n sets; phi has n entries. */
void shapley_exact(int n, const double *value, double *phi);

/* An order of 0..n-1, the k-th of a seeded sequence; odd k is the reverse of k - 1. */
void shapley_order(int n, uint64_t seed, int k, int *order);

#endif
