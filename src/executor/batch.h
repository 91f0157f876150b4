/*
 * batch.h - one training batch, as preprocessing makes it and training reads it.
 *
 * Plain: every row has its own ids.  Deduplicated: `units` distinct session
 * groups stand in for the rows, and inverse[row] says which of them is whose.
 * Plain batches have units == rows and no inverse.
 *
 *     session_ids  [used session feature][unit][list_length]
 *     cross_ids    [cross][unit]
 *     item_ids     [used item feature][row][list_length]
 *     dense        [row][2 * dense features]: clipped logarithms, then bucket numbers in 0..1
 */
#ifndef EXECUTOR_BATCH_H
#define EXECUTOR_BATCH_H

#include "models/preprocess.h"

#include <stdint.h>

struct batch_shape {
    long session_features, item_features, crosses, list_length, dense; /* what the job uses */
};

static inline struct batch_shape batch_shape_of(const struct dataset_cfg *d, const struct preprocess_cfg *p)
{
    return (struct batch_shape){d->used_session_features, d->used_item_features, p->crosses, d->list_length,
                                d->dense_features};
}

struct batch {
    uint64_t sequence;
    long rows, units;
    bool dedup, kept; /* kept: belongs to the cache and is not used again */
    double born_s;    /* when its stripe was taken by a preprocessing worker */
    uint32_t *session_ids, *cross_ids, *item_ids, *inverse;
    float *dense, *label;
    double bytes;
};

void batch_init(struct batch *b, const struct batch_shape *s, long capacity_rows);
void batch_fini(struct batch *b);

#endif
