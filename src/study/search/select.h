/*
 * select.h - which of several simulated systems is best, and how sure that is.
 *
 * kn: the fully sequential procedure of Kim and Nelson (ACM TOMACS 11(3), 2001; Handbooks in OR & MS 13,
 * 2006, ch. 17), with c = 1.  From the first n0 replications of each of k systems
 *
 *     eta = ((2 alpha / (k - 1)) ^ (-2 / (n0 - 1)) - 1) / 2,    h^2 = 2 eta (n0 - 1)
 *     S_il^2 = variance of the n0 differences X_ij - X_lj
 *
 * and after r replications system i is out when for some l that is still in
 *
 *     mean_i(r) < mean_l(r) - W_il(r),    W_il(r) = max(0, delta / (2 r) (h^2 S_il^2 / delta^2 - r))
 *
 * The one that is left is the best with probability 1 - alpha at least, when the best is better than the
 * others by delta (the indifference zone) and replications are independent and normal; systems may share
 * their luck, which makes S_il small and the procedure short.
 *
 * subset: from the same replications, before KN: what is in stays in when it is the best with probability 1 -
 * alpha (screening to a subset of random size; Nelson, Swann, Goldsman and Song, Operations Research 49(6),
 * 2001): i is out when for some l
 *
 *     mean_i < mean_l - t S_il / sqrt(n0),    t: quantile 1 - alpha / (k - 1) of Student's t with n0 - 1
 *
 * ocba: how to spend a given number of replications so that the chance to select the best is large (Chen,
 * Lin, Yucesan and Chick, J. DEDS 10, 2000):  N_i / N_j = (s_i / d_i)^2 / (s_j / d_j)^2 for all but the best
 * b, where d_i is how much i is behind, and N_b = s_b sqrt(sum N_i^2 / s_i^2).
 *
 * Larger is better.  x[i] points to the replications of system i.
 */
#ifndef STUDY_SEARCH_SELECT_H
#define STUDY_SEARCH_SELECT_H

#include <stdbool.h>
#include <stddef.h>

/* is_in[i]: whether system i stays; returns how many do. */
size_t select_subset(double *const *x, long n0, size_t k, double alpha, bool *is_in);

struct kn {
    size_t k;
    long n0;
    double delta, h2;
    size_t *alive; /* systems still in, in the order in which they were given; owned */
    size_t alive_n;
    double *s2;  /* of pairs of those that were in after n0 replications; owned */
    size_t *row; /* of each system in s2; owned */
    size_t rows;
};

void kn_init(struct kn *kn, size_t k, long n0, double alpha, double delta);
void kn_fini(struct kn *kn);

/* Takes out who is out after r >= n0 replications of all that are in; the first call must have r = n0.  Of
   systems that are the same in every replication the first given stays.  Returns how many are left. */
size_t kn_screen(struct kn *kn, double *const *x, long r);

/* How many more replications each system should get, `more` in all; n[i] of each there are. */
void ocba_allocate(double *const *x, const long *n, size_t k, long more, long *out);

/* A lower bound (Bonferroni) of the probability that the system with the largest mean is not worse than any
   other by delta or more, from paired differences. */
double select_probability(double *const *x, const long *n, size_t k, double delta);

#endif
