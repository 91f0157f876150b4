/*
 * data_parallel.h - one synchronous step of many workers that average their gradients.
 *
 * Backward goes through the layers from the last to the first, and gradients
 * become ready as it goes: `ready` says which share of the bytes is there after
 * which share of backward (three quarters of a ResNet-18 lie in its last stage,
 * hence come in the first quarter).  Full buckets are reduced one after the
 * other while backward goes on; what is not reduced when backward ends is waited for.
 *
 *   start_i = max(end_{i-1}, forward + ready_time(bucket i))
 *   end_i   = start_i + all_reduce(bucket i), of which the part beside backward goes `beside_rate` as fast
 *   step    = max(end_last, forward + backward)
 *
 * beside_rate is below 1 because exchange and backward share the accelerator's memory and the host's threads.
 *
 * Before the exchange the slowest worker is waited for.  With worker times of
 * mean m and relative standard deviation cv the slowest of n takes
 * m (1 + cv E[max of n standard normals]); `slowest_of` gives the latter.
 *
 * Holds for one model replica per worker; links by models/collective.h.
 */
#ifndef MODELS_DATA_PARALLEL_H
#define MODELS_DATA_PARALLEL_H

#include "models/collective.h"

#include <stddef.h>

struct ready_knot {
    double backward_frac, bytes_frac; /* both ascending, from 0 to 1 */
};

struct gradient {
    double bytes;
    const struct ready_knot *ready; /* NULL: evenly over backward */
    size_t knots;
};

struct dp_step {
    double compute_s;     /* forward and backward of the slowest worker */
    double backward_frac; /* of compute_s */
    struct gradient gradient;
    double bucket_bytes;
    double workers;
    struct fabric link; /* the slowest that the ring crosses */
    double beside_rate; /* of an exchange while backward runs, of the one alone */
    double accumulate;  /* micro-batches between exchanges; each takes compute_s */
};

double dp_step_s(const struct dp_step *s);

/* E[max of n independent standard normals], to 1e-6 for n up to 1e6; 0 for n = 1. */
double slowest_of(double n);

#endif
