/*
 * kernels/prep.h - the preprocessing operators, on one slice of a stripe.
 *
 * A slice is a range of the stripe's rows.  Operators write to buffers indexed
 * by the row's place in the slice, so they may run in any order: a filter only
 * shortens the list of rows that later operators visit, and dedup only the list
 * of rows whose session lists they visit (the first of each distinct group).
 *
 *     prep_begin(k, stripe, first, rows);
 *     n = prep_run(k, op);   once per operator of the chain; what it counted
 *     prep_collate(k, batch);
 *
 * hash        SipHash-2-4 of the raw id, keyed by the feature, modulo table_rows
 * cross       all pairs of values of two session features' hashed lists, folded into one id by MinHash
 * clip        log1p of the number clipped to 0 .. DENSE_MAX
 * bucketize   rank of the raw number among fixed boundaries, by binary search
 * dedup       equal session lists by hashing them all, and comparing before believing it
 * fused_*     the same results bit for bit in one pass over rows instead of two over columns
 */
#ifndef EXECUTOR_KERNELS_PREP_H
#define EXECUTOR_KERNELS_PREP_H

#include "executor/batch.h"
#include "executor/rows.h"

enum { PREP_BOUNDARIES = 64 };

struct prep_kernel {
    struct batch_shape shape;
    long capacity; /* rows of a slice */
    uint32_t table_rows;
    uint64_t keep_below; /* of 2^64: the filter's share */
    float boundaries[PREP_BOUNDARIES];

    const struct stripe *stripe;
    long first, slice_rows;
    uint32_t *rows;  /* slice rows still alive, ascending */
    uint32_t *units; /* slice rows whose session lists are to be visited */
    long rows_n, units_n;
    bool deduped;
    uint32_t *leader; /* by slice row: the row that stands for its group */
    uint32_t *number; /* by slice row: its group's place in the batch */
    uint64_t *list_hash;
    uint32_t *slots;
    size_t slots_n;

    uint32_t *session_ids, *item_ids, *cross_ids; /* [feature][slice row][..] */
    float *clipped, *bucket;                      /* [dense feature][slice row] */
};

void prep_kernel_init(struct prep_kernel *k, const struct batch_shape *shape, long capacity, double keep_frac,
                      long table_rows);
void prep_kernel_fini(struct prep_kernel *k);

void prep_begin(struct prep_kernel *k, const struct stripe *stripe, long first, long rows);

/* Runs one operator; returns the items it worked on, as models/preprocess.h counts them. */
double prep_run(struct prep_kernel *k, enum prep_op op);

/* Assembles the batch of what is left; returns the values copied. */
double prep_collate(struct prep_kernel *k, struct batch *out);

#endif
