/*
 * cores.h - what cores cost each other: the same work on one of them, and on several at once.
 *
 * Every thread runs all parts of a path over and over, each starting at another
 * part, as in a real run, where different stages share the caches, the memory and
 * perhaps the hardware threads of a core.  The spans ("cores", "speed", variant =
 * number of threads) are what calibrate makes the contention of.
 */
#ifndef EXECUTOR_CORES_H
#define EXECUTOR_CORES_H

#include "executor/span_log.h"

#include "base/err.h"

enum { CORES_THREADS_MAX = 16 };

/* The work of one thread: what it needs, made by open() before the clock starts. */
struct cores_work {
    void *ctx;
    size_t size; /* of a lane, zeroed */
    int parts;
    int (*open)(void *ctx, void *lane, struct err *err);
    int (*part)(void *lane, int part, struct err *err);
    void (*close)(void *lane); /* also after an open() that failed */
};

/* On 1, 2, 3, 4, 8 ... threads, as many as there are processors. */
int cores_measure(const struct cores_work *work, int repeats, struct span_log *log, struct err *err);

#endif
