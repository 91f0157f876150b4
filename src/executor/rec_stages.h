/*
 * rec_stages.h - what a worker of each stage does with one item, and how that is timed.
 *
 * rec_run() calls these from many threads between queues, rec_profile() from
 * one thread with nothing else running: the same code on the same data, so that
 * what is measured alone is what runs in place.
 */
#ifndef EXECUTOR_REC_STAGES_H
#define EXECUTOR_REC_STAGES_H

#include "executor/columnar.h"
#include "executor/rec.h"
#include "executor/kernels/etl.h"
#include "executor/kernels/prep.h"
#include "executor/kernels/train.h"
#include "executor/span_log.h"

/* A plan with everything worked out that several stages need to know. */
struct setup {
    struct rec_plan plan;
    struct rawlog logs;
    struct batch_shape shape;
    struct columnar_uses uses;
    long partitions, stripes; /* of an epoch; stripes of a file */
    long slices, slice_rows;  /* of a stripe; at most in a slice */
    int chain[PREP_CHAIN_MAX], chain_n;
};

/* Checks what concerns tables of the plan, or all of it, and works out the rest.  `logs` are not touched. */
int setup_tables(struct setup *s, const struct rec_plan *plan, struct err *err);
int setup_init(struct setup *s, const struct rec_plan *plan, struct err *err);

/* The switches that decide what an operator of the stage costs, as spans name them: "zstd/time",
 * "dedup/session/fused". */
void setup_variant(const struct setup *s, enum rec_stage_id stage, char *buf, size_t size);

/* ------------------------------------------------------------------------------------ workers */

struct etl_worker {
    const struct setup *setup;
    struct etl_kernel kernel;
    struct columnar_writer *writer;
    struct span_buf *spans;
};

void etl_worker_init(struct etl_worker *w, const struct setup *s, struct span_buf *spans);
void etl_worker_fini(struct etl_worker *w);
/* One partition from raw logs to a table file; *direct as in columnar_write(); *bytes written. */
int etl_worker_run(struct etl_worker *w, long partition, const char *path, bool *direct, double *bytes,
                   struct err *err);

struct storage_worker {
    const struct setup *setup;
    struct columnar_reader *reader;
    struct span_buf *spans;
    double read_bytes, decoded_bytes;
};

void storage_worker_init(struct storage_worker *w, const struct setup *s, struct span_buf *spans);
void storage_worker_fini(struct storage_worker *w);
int storage_worker_open(struct storage_worker *w, const char *path, int64_t item, bool *direct,
                        struct err *err);
int storage_worker_run(struct storage_worker *w, long stripe, struct stripe *out, struct err *err);

struct prep_worker {
    const struct setup *setup;
    struct prep_kernel kernel;
    struct span_buf *spans;
    double batch_bytes;
};

void prep_worker_init(struct prep_worker *w, const struct setup *s, struct span_buf *spans);
void prep_worker_fini(struct prep_worker *w);
/* Makes the batch of slice `slice`; out->sequence must be set. */
void prep_worker_run(struct prep_worker *w, const struct stripe *stripe, long slice, struct batch *out);

/* A batch of an earlier epoch, out of the `n` that were kept. */
struct batch *prep_worker_hit(struct prep_worker *w, struct batch *store, uint64_t n, uint64_t sequence);

struct train_worker {
    struct trainer *trainer;
    struct span_buf *spans;
};

void train_worker_init(struct train_worker *w, const struct setup *s, struct span_buf *spans);
void train_worker_fini(struct train_worker *w);
/* One optimizer step; the loss before it, NAN for a batch without rows. */
double train_worker_run(struct train_worker *w, const struct batch *b);

#endif
