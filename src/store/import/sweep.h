/* sweep.h - recordings that contradict themselves: sweeps over concurrency in which more gives less. */
#ifndef STORE_IMPORT_SWEEP_H
#define STORE_IMPORT_SWEEP_H

#include "store/import/sink.h"

struct sweep_point {
    const char *group;                            /* what was swept: everything but the concurrency */
    double concurrency, throughput_per_s, wait_s; /* wait: time to first token or latency; NAN if unknown */
    double latency_s;                             /* of a whole request; NAN if unknown */
};

struct sweep {
    struct sweep_point *point;
    size_t n, size;
};

void sweep_add(struct sweep *s, struct import *im, const char *group, double concurrency,
               double throughput_per_s, double wait_s, double latency_s);

/*
 * Notes, a group at a time, where throughput falls or the wait falls while concurrency grows, and where
 * Little's law does not hold: clients that always wait for an answer are as many as throughput x latency;
 * then frees the points.
 */
void sweep_end(struct sweep *s, struct import *im, const char *wait_name);

#endif
