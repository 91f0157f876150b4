/*
 * profile_speed.h - what the cores of a machine cost each other, whatever the path that keeps them busy.
 *
 * The same work on one thread, and on several at once: once(lane, index, threads, err) runs `repeats` times in
 * each of 1, 2, 3, 4, 8 .. `most` threads, every one with a lane of its own, under the stage "cores".  Where
 * the work has parts, threads should begin with different ones, as the stages of a pipeline do.
 */
#ifndef EXECUTOR_PROFILE_SPEED_H
#define EXECUTOR_PROFILE_SPEED_H

#include "executor/span_log.h"

#include "base/err.h"

enum { PROFILE_THREADS = 16 };

typedef int profile_work_fn(void *lane, int index, int threads, struct err *err);

int profile_speed(profile_work_fn *once, void *const *lanes, int most, int repeats, struct span_log *log,
                  struct err *err);

#endif
