/*
 * search_log.h - what searches simulated, replication by replication, so that a search goes on where it
 * stopped.
 *
 * A log belongs to one scenario (content), seed, version and way of simulating, and holds points: a candidate
 * is JSON text {"apply": [..], "set": {..}}, the key under which its replications are found again.
 */
#ifndef STORE_SEARCH_LOG_H
#define STORE_SEARCH_LOG_H

#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

struct search_row {
    long replication;
    double warmup;       /* pieces left out */
    const char *figures; /* JSON object: figure to value */
};

/*
 * Finds the log or begins it.  From here on the store waits for the disk at checkpoints only, not after each
 * replication: what is kept survives the end of this program, however it ends, but not a power failure.
 */
int search_log_open(struct store *s, const char *scenario, const char *scenario_sha256, uint64_t seed,
                    const char *version, const char *options, int64_t *id, struct err *err);

/* Those of replications first .. first + n - 1 that are there, in order. */
int search_log_find(struct store *s, int64_t log, const char *candidate, long first, long n, struct arena *a,
                    struct search_row **rows, size_t *found, struct err *err);

/* One transaction. */
int search_log_keep(struct store *s, int64_t log, const char *candidate, const struct search_row *rows,
                    size_t n, struct err *err);

/* Forgets every point, so that the next search begins anew. */
int search_log_clear(struct store *s, int64_t log, struct err *err);

#endif
