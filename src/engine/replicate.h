/*
 * replicate.h - independent replications on threads, the same bytes for any number of threads.
 *
 * Replication r writes results[r]; results are read in index order afterwards,
 * so the order in which threads finish cannot be seen.  When several fail, the
 * error of the lowest replication is reported.
 */
#ifndef ENGINE_REPLICATE_H
#define ENGINE_REPLICATE_H

#include "base/err.h"

#include <stdint.h>

typedef int replicate_fn(void *ctx, uint32_t replication, struct err *err);

int replicate_run(uint32_t from, uint32_t to, int threads /* 0: all cores */, replicate_fn *fn, void *ctx,
                  struct err *err);

#endif
