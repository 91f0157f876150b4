/*
 * span_log.h - what every operator took, recorded by the thread that ran it.
 *
 * Each thread writes to a buffer of its own, so recording takes no lock and
 * disturbs nobody; the buffers are merged when the threads have ended.
 * Wall times are CLOCK_MONOTONIC, cpu_s is the thread's own CPU time.
 *
 * `bytes_in` holds what the model counts as the operator's bytes where it counts
 * any; for compress (encoded in, compressed out) and decompress (compressed in,
 * encoded out) both sides are recorded, and the model's is the encoded one.
 *
 *     span_begin(b);
 *     kernel(...);
 *     span_end(b, "hash", item, items, bytes_in, bytes_out);
 *
 * A buffer without a log (span_log_thread(NULL, ...)) only adds up the wall time.
 */
#ifndef EXECUTOR_SPAN_LOG_H
#define EXECUTOR_SPAN_LOG_H

#include "store/trace.h"

#include <stdbool.h>

struct span_log;

struct span_buf {
    struct span_log *log; /* NULL: only busy_s is kept */
    const char *stage, *variant;
    int worker;
    bool quiet; /* while set nothing is recorded: warming up */
    struct span *spans;
    size_t n, cap;
    double busy_s, start_s, start_cpu_s;
};

struct span_log *span_log_new(void);
void span_log_free(struct span_log *log); /* NULL is fine */

/* The buffer of one thread; belongs to the log, or to span_buf_free() when log is NULL. */
struct span_buf *span_log_thread(struct span_log *log, const char *stage, int worker);
void span_buf_free(struct span_buf *b); /* only frees a buffer without a log */

/* A copy of `text` that lives as long as the log; without a log, `text` itself. */
const char *span_log_keep(struct span_log *log, const char *text);

/* Spans start at 0 from this moment on. */
void span_log_start(struct span_log *log);

/* All spans of all threads by start time; they and their strings belong to the log.  Only when the threads
 * have ended. */
const struct span *span_log_merge(struct span_log *log, size_t *n);

double clock_wall_s(void);
double clock_cpu_s(void); /* of this thread */

void span_begin(struct span_buf *b);
void span_end(struct span_buf *b, const char *op, int64_t item, double items, double bytes_in,
              double bytes_out);

/* A part of what span_begin() began, whose CPU time the caller has measured; busy_s is the whole's. */
void span_part(struct span_buf *b, const char *op, int64_t item, double cpu_s, double items, double bytes_in);

#endif
