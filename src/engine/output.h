/*
 * output.h - what a single long run says about the steady state, and when enough has been run.
 *
 * Observations of one run are neither settled at its beginning nor independent
 * of each other.  MSER-5 says how much of the beginning to forget, batch means
 * make an interval of the rest and say when they cannot.  Independent
 * replications (stats.h) need neither, only a warm-up.
 */
#ifndef ENGINE_OUTPUT_H
#define ENGINE_OUTPUT_H

#include "engine/replicate.h"
#include "engine/stats.h"

struct truncation {
    size_t drop;  /* observations to forget, a multiple of 5 */
    bool refused; /* half of the run would have to go: it was too short, or there is no steady state */
};
struct truncation output_mser5(const double *x, size_t n);

struct batches {
    struct estimate estimate;
    int count;       /* batches used: 40, or 20 or 10 when fewer were needed to look independent */
    double lag1;     /* correlation of neighbouring batch means */
    bool correlated; /* even 10 batches are: the interval is too narrow, the run too short */
};
struct batches output_batch_means(const double *x, size_t n, double confidence); /* n >= 20 */

/* The q-quantile of independent observations, between two order statistics; exact whatever the law.  x is
 * sorted. */
struct estimate output_quantile(const double *x, size_t n, double q, double confidence);

/* An interval of figures read from a histogram must also hold the half-width of a bin. */
struct estimate output_widen(struct estimate e, double relative);

bool output_precise(const struct estimate *e, double relative); /* half-width <= relative * |mean| */

/*
 * Replications from 0 on until enough(ctx, n) is content with the first n, at least `least` and at most
 * `most`.  It is asked after least, 3/2 of it, and so on: never about what the threads have by chance
 * finished.  *n: how many there are.
 */
typedef bool enough_fn(void *ctx, uint32_t n);
int output_replicate(uint32_t least, uint32_t most, int threads, replicate_fn *fn, enough_fn *enough,
                     void *ctx, uint32_t *n, bool *content, struct err *err);

#endif
