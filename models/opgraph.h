/*
 * opgraph.h - a chain of preprocessing operators and what may be done to it.
 *
 * An operator takes an item (a sample) and hands on another: it costs
 *
 *     seconds = call + fixed + per_byte * bytes + per_element * elements          per item that comes in
 *
 * and changes the item: bytes *= bytes_ratio, elements *= elements_ratio; a filter lets keep_frac of the
 * items pass.  A cast from bytes to floats multiplies bytes by 4 and elements by 1.  So what an operator
 * costs depends only on which operators ran before it, not on their order: the best order is found exactly,
 * by dynamic programming over sets.
 *
 * Rules, each with what makes it legal:
 *
 *   reorder    an operator stays behind those it names in `after`; a pinned one keeps its place
 *   fuse       neighbours that are `fusable` run as one call: one call's overhead, no copy in between
 *   cache      before the first random operator: behind it every epoch must see something new
 *   offload    a run of neighbours on other cores: their time there, plus sending what goes in and comes out
 *
 * Sources: the cost form and the rules are those of cedar (arXiv 2401.08895), Plumber (MLSys 2022) and Cachew
 * (ATC 2022).  Left out: operators with several inputs.
 */
#ifndef MODELS_OPGRAPH_H
#define MODELS_OPGRAPH_H

#include <stdbool.h>
#include <stdint.h>

enum { OPG_MAX = 14 };

struct opg_op {
    const char *name;
    double fixed_s, per_byte_s, per_element_s;
    double bytes_ratio, elements_ratio, keep_frac;
    bool random, fusable, pinned;
    uint32_t after; /* bit i: not before operator i */
};

struct opg {
    int n;
    struct opg_op op[OPG_MAX];
    double bytes, elements; /* of an item at the source */
    double call_s;          /* of one operator on one item: dispatch */
    double copy_byte_s;     /* of a byte handed from one operator to the next */
};

struct opg_state {
    double items;           /* of those that came in, these are left */
    double bytes, elements; /* of one that is left */
};

/* After the operators in `done` (bit i: operator i). */
struct opg_state opg_after(const struct opg *g, uint32_t done);

/* Seconds operator i takes after those in `done`, per item of the source, without call and copy. */
double opg_op_s(const struct opg *g, int i, uint32_t done);

/* NULL, or the first rule that the order breaks, in words; `buf` holds it. */
const char *opg_illegal(const struct opg *g, const int *order, char *buf, int size);

/* Core seconds per item of the source in this order; with fused neighbours when `fused`. */
double opg_cost_s(const struct opg *g, const int *order, bool fused);

/* The cheapest legal order, unfused; ties keep what stood first. Returns its cost. */
double opg_best_order(const struct opg *g, int *order);

/* How many operators stand before the first random one: a cache may lie behind 0 .. so many. */
int opg_cacheable(const struct opg *g, const int *order);

/* Where to keep items between epochs. */
struct opg_cache {
    double items, capacity_bytes;
    double source_item_s, source_byte_s; /* elapsed time of fetching one item from the source */
    double cache_item_s, cache_byte_s;   /* from the cache */
    double cores;                        /* that transform at the same time; fetching overlaps with it */
    double fetches;                      /* that are under way at the same time */
};

/* Epoch time when the first `position` operators' results are kept (-1: nothing is). INFINITY: illegal, or
 * too large to keep. */
double opg_cache_epoch_s(const struct opg *g, const int *order, const struct opg_cache *c, int position);
int opg_best_cache(const struct opg *g, const int *order, const struct opg_cache *c);

/* A run of operators [from, to) of the order, done elsewhere. */
struct opg_offload {
    double local_cores, remote_cores, remote_speed; /* of one core, against a local one */
    double rpc_s, send_byte_s;                      /* local core time per item sent, per byte in and out */
    double nic_bytes_per_s;                         /* of either side; 0: no limit */
};
double opg_offload_rate(const struct opg *g, const int *order, const struct opg_offload *o, int from, int to,
                        bool fused); /* items of the source per second */
void opg_best_offload(const struct opg *g, const int *order, const struct opg_offload *o, bool fused,
                      int *from, int *to);

/*
 * Two hardware threads are not two cores.  n busy threads on `threads` threads of cores with `per_core`
 * threads each do the work of
 *
 *     c(n) = n                                      while n <= cores
 *          = cores + (n - cores) * (yield - 1) / (per_core - 1)     beyond
 *
 * cores running alone; `yield` is what a full core does against one with a single thread (1.25 of Intel's
 * and AMD's two: assumed, unless measured).
 */
double smt_capacity(double busy, double threads, double per_core, double yield);

/* Cores that `rate` items per second keep busy, and the threads that offer them; INFINITY: more than there
 * are. */
double smt_threads_for(double cores_needed, double threads, double per_core, double yield);

#endif
