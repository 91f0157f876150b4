/*
 * threads.h - the threads of an execution, on the processors that the scenario gives it.
 */
#ifndef EXECUTOR_THREADS_H
#define EXECUTOR_THREADS_H

#include "executor/path.h"

#include <pthread.h>

/*
 * Starts body(&items[i]) for n items that are `size` bytes apart.  *started says how many run and are to be
 * joined, all of them or, with an error, fewer.
 */
int threads_start(const struct exec_options *opt, void *(*body)(void *), void *items, size_t size, int n,
                  pthread_t *threads, int *started, struct err *err);

/* A file size limit becomes an error of the write that meets it, not the end of the program: the first thing
 * a body does. */
void threads_block_signals(void);

#endif
