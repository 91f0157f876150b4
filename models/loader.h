/*
 * loader.h - an input pipeline described as operators: what its parameters say, and the graph made of them.
 *
 * `graph` holds the operators in the order written, `chain` the order in which they run; what may be done to
 * them is said in opgraph.h.
 */
#ifndef MODELS_LOADER_H
#define MODELS_LOADER_H

#include "models/model.h"
#include "models/opgraph.h"

enum loader_order { LOADER_GIVEN, LOADER_BEST };

struct loader_op {
    double fixed, per_byte, per_element, mem_per_byte, bytes_ratio, elements_ratio, keep, cv;
    bool cast, random, fusable, pinned, remote;
    const struct json *after;
};

struct loader_cfg {
    long workers, prefetch, batch, items;
    bool in_order, fuse, shuffled, offload;
    int order, policy; /* enum loader_order; enum page_policy */
    double item_bytes, item_elements, cache_bytes, call, copy_byte, hand_over_byte, rpc, send_byte,
        remote_speed;
    const struct json *ops, *cache_after;
    /* filled by check() */
    struct opg graph;
    struct loader_op op[OPG_MAX];
    int chain[OPG_MAX];
    int cached; /* operators before the cache; -1: none */
    double miss;
};

#endif
