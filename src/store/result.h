/*
 * result.h - the history of runs: whole result documents, as `--json` prints them.
 */
#ifndef STORE_RESULT_H
#define STORE_RESULT_H

#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

struct result_row {
    int64_t id;
    const char *command, *scenario, *scenario_sha256, *version, *created;
    uint64_t seed;
    double throughput_per_s; /* mean of $.metrics.throughput_per_s; NAN if the document has none */
    const char *json;        /* NULL in lists */
};

/* Which results are meant; NULL members do not restrict. */
struct result_filter {
    const char *command;         /* "rank" */
    const char *scenario;        /* name */
    const char *scenario_sha256; /* exactly this content */
};

/* `json` must be a JSON document; anything else is ERR_FAILED. */
int result_save(struct store *s, const char *command, const char *scenario, const char *scenario_sha256,
                uint64_t seed, const char *version, const char *json, int64_t *id, struct err *err);

/* `which`: an id, "latest" or "latest:COMMAND", among those the filter (NULL: none) lets pass.
   Nothing found: ERR_USAGE with what there is instead. */
int result_load(struct store *s, const char *which, const struct result_filter *filter, struct arena *a,
                struct result_row *out, struct err *err);

/* Newest first, documents left out. */
int result_list(struct store *s, const struct result_filter *filter, struct arena *a,
                struct result_row **rows, size_t *n, struct err *err);
int result_remove(struct store *s, int64_t id, struct err *err);

#endif
