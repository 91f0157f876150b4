/*
 * rec_work.h - one run in progress: what its threads share, and what each of them does.
 *
 * rec_run() (rec_run.c) sets everything up, starts the workers and collects what
 * they measured; a worker's life between the start and the last item is in rec_work.c.
 */
#ifndef EXECUTOR_REC_WORK_H
#define EXECUTOR_REC_WORK_H

#include "executor/crew.h"
#include "executor/rec_stages.h"

/* A batch on its way; a cached batch is on its way once per epoch. */
struct delivery {
    struct batch *batch;
    double born_s;
};

struct file {
    long partition;
    char path[4096];
};

struct run {
    struct setup setup;
    const struct exec_options *opt;
    struct rec_result *out;
    long stripes, batches;          /* of one epoch */
    long read_stripes, all_stripes; /* that are read from files; that reach the trainer */
    char folder[3900];
    struct file *files;
    struct delivery *deliveries; /* by sequence number, over all epochs */
    struct stripe *stripe_store;
    struct batch *batch_store; /* with prep.cache: every batch of an epoch, by sequence number */
    size_t stripe_store_n, batch_store_n;
    struct queue *queues[REC_STAGES - 1]; /* files, stripes, batches */
    struct pool stripe_pool, batch_pool;
    struct counter next_partition, next_file, next_stripe, files_done, stripes_done;
    struct crew crew;
    bool direct; /* under the crew's lock */
};

struct worker {
    struct member m;
    struct run *run;
    enum rec_stage_id stage;
    int index;
    struct span_buf *spans;
    union {
        struct etl_worker etl;
        struct storage_worker storage;
        struct prep_worker prep;
        struct train_worker train;
    } u;
    struct delivery **held; /* prep: batches of one stripe whose turn has not come, in order */
    long held_from, held_n;
};

/* Works through all items of the worker's stage.  0 also when somebody else failed. */
int rec_worker_run(void *worker, struct err *err);

#endif
