/*
 * profile_host.h - what a profile measures of the machine, whatever the path: its disk, and what its cores
 * cost each other.
 */
#ifndef EXECUTOR_PROFILE_HOST_H
#define EXECUTOR_PROFILE_HOST_H

#include "executor/span_log.h"

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Whole requests, written and read, of `sizes` sizes from `smallest` bytes on, each twice the one before; past
 * the page cache when `direct`, where that is possible.  Uses a file in `folder`.
 */
int profile_disk_requests(const char *folder, bool direct, size_t smallest, int sizes, int repeats,
                          struct span_log *log, struct err *err);

/*
 * The same work on one thread, and on several at once: once(lane, index, threads, err) runs `repeats` times
 * in each of 1, 2, 3, 4, 8 .. `most` threads, every one with a lane of its own.  Where the work has parts,
 * threads should begin with different ones, as the stages of a pipeline do.
 */
enum { PROFILE_THREADS = 16 };
typedef int profile_work_fn(void *lane, int index, int threads, struct err *err);
int profile_speed(profile_work_fn *once, void *const *lanes, int most, int repeats, struct span_log *log,
                  struct err *err);

#endif
