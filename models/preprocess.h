/*
 * preprocess.h - from decoded stripes to training batches.
 *
 * A worker takes one stripe and cuts it into k = ceil(stripe_rows * keep_frac / batch)
 * nearly equal slices; each slice runs through the operators in the order given
 * and leaves as one batch.  Stripes are delivered to the trainer in order, unless
 * `in_order` is off: then one slow stripe holds up nobody else's.
 *
 * With `dedup` the worker first finds the distinct session-feature groups of the
 * slice; later operators then touch each distinct group once, and the batch
 * carries distinct values plus an inverse index.  With `fuse`, hash and cross
 * run as one pass over the sparse values, clip and bucketize as one pass over
 * the dense numbers.  With `cache`, finished batches stay in memory and later
 * epochs get them without reading or preprocessing anything.
 */
#ifndef MODELS_PREPROCESS_H
#define MODELS_PREPROCESS_H

#include "models/dataset.h"

/*
 * items counted by each: filter: rows in; dedup: session values of the rows looked at (rows * session
 * values); hash: values hashed; cross: crosses computed (rows or distinct rows * crosses); clip, bucketize:
 * dense numbers; fused_sparse: values hashed + crosses; fused_dense: dense numbers; collate: values copied
 * into the batch (ids of lists and crosses); cache_hit: rows.  bytes, where measured: fused_sparse: 4 for
 * every cross made; collate: the whole batch, with its dense numbers.
 */
enum prep_op {
    PREP_FILTER,
    PREP_DEDUP,
    PREP_HASH,
    PREP_CROSS,
    PREP_CLIP,
    PREP_BUCKETIZE,
    PREP_FUSED_SPARSE,
    PREP_FUSED_DENSE,
    PREP_COLLATE,
    PREP_CACHE_HIT,
    PREP_OPS
};
extern const char *const prep_op_names[];

enum { PREP_CHAIN_MAX = 8 };

struct preprocess_cfg {
    long workers;
    long batch; /* rows a full batch holds after the filter */
    bool dedup, fuse, cache;
    bool send;              /* finished batches go over the network */
    bool in_order;          /* ... in the order of their stripes; else as they come */
    long crosses;           /* feature crosses: pairs of used session features */
    const struct json *ops; /* order of filter, hash, cross, clip, bucketize; NULL: the default order */
    struct cost costs[PREP_OPS];
    /* filled by the model's check(): the chain that runs, after dedup and fusion have been put in */
    int chain[PREP_CHAIN_MAX];
    int chain_n;
};

/* Slices a stripe of `rows` is cut into. */
long preprocess_slices(const struct preprocess_cfg *c, const struct dataset_cfg *d, double rows);

#endif
