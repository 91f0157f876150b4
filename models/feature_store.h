/*
 * feature_store.h - the pure parts of the feature store, for tests and docs.
 *
 * Online: the keys of a request fall on shards at random; with n keys and S
 * shards S (1 - (1 - 1/S)^n) of them are asked, and the slowest counts.
 *
 * Offline: a point-in-time join gives each of `rows` labels the values its
 * features had at its time.  As a sort-merge join on (entity, time) it
 *
 *     reads   rows x label_row_bytes + updates x update_bytes
 *     spills  the same once more, written and read, when it exceeds `join_memory`
 *     writes  rows x (label_row_bytes + features x value_bytes)
 */
#ifndef MODELS_FEATURE_STORE_H
#define MODELS_FEATURE_STORE_H

#include "models/curve.h"
#include "models/server.h"

enum feature_mode { FEATURES_ONLINE, FEATURES_OFFLINE };

struct feature_store_cfg {
    int mode;
    long shards, keys, threads;
    struct law rtt;
    double overhead, per_key, cv, slow_frac, slow_factor;
    long cache_entries, entities;
    double skew, lag;
    const struct json *freshness;
    double label_row_bytes, features, value_bytes, updates_per_row, update_bytes, join_memory, sort_rate;
    struct curve quality; /* of lag; filled by check() */
};

struct join_bytes {
    double read, written; /* spilled bytes are in both */
    double cpu_s;
};

double feature_store_shards_asked(const struct feature_store_cfg *c, double keys);
struct join_bytes feature_store_join(const struct feature_store_cfg *c, double rows);

extern const struct server feature_store_server;

#endif
