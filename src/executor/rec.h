/*
 * rec.h - really runs the recommendation-training path on this machine.
 *
 *     raw logs ─> etl ─(files)─> storage ─(stripes)─> preprocess ─(batches)─> training
 *
 * Real kernels on real threads between bounded queues.  The executor reads only
 * switches and sizes of the configs (order, codec, dedup, workers, batch ...),
 * never `costs` or ratios: what an operator takes is measured, or a comparison
 * with the simulation would be circular.  Nothing sleeps or spins.
 *
 * Epoch 1 runs the whole path; later epochs read the finished files again, or
 * replay the batches kept in memory when prep.cache is set.  The clock starts
 * when the threads are released and stops when the trainer has finished the
 * last batch; generating the raw logs, allocating and touching memory is not
 * part of the timed run.
 *
 * Every run of an operator leaves a span (see span_log.h); what it counts as
 * items and bytes is said by models/{etl,storage,preprocess,training}.h.
 */
#ifndef EXECUTOR_REC_H
#define EXECUTOR_REC_H

#include "executor/path.h"
#include "models/preprocess.h"
#include "models/storage.h"
#include "models/training.h"

enum rec_stage_id { REC_ETL, REC_STORAGE, REC_PREP, REC_TRAIN, REC_STAGES };

/* Everything that decides what is executed. */
struct rec_plan {
    struct dataset_cfg data;
    struct etl_cfg etl;
    struct storage_cfg storage;
    struct preprocess_cfg prep; /* prep.chain is run as it stands; chain_n == 0 means the default chain */
    struct training_cfg train;
    const char *stage_names[REC_STAGES]; /* what the scenario calls the stages; spans carry these names */
    long buffers[REC_STAGES -
                 1]; /* capacity of etl->storage (files), storage->prep (stripes), prep->train (batches) */
    uint64_t seed;   /* of the model's initial weights */
};

struct rec_result {
    double makespan_s;
    double samples; /* rows of the log that went through, over all epochs, before the filter */
    double throughput_per_s;
    struct exec_stage stages[REC_STAGES];
    double raw_bytes, table_bytes,
        read_bytes; /* logs, table files on disk, bytes asked of the disk by the reader */
    double first_loss, last_loss;
    uint64_t batches;
    double *losses;          /* one per batch, before its update; rec_result_free() */
    double *batch_latency_s; /* from taking the stripe to the end of the step */
    bool cold;               /* the table was read past the page cache */
    const char *cache_note;  /* "O_DIRECT", or why the storage was cached */
    double cpu_total_s;      /* of all threads during the run */
};

int rec_run(const struct rec_plan *plan, const struct exec_options *opt, struct span_log *log,
            struct rec_result *out, struct err *err);
void rec_result_free(struct rec_result *r);

/*
 * Measures the operators alone: one thread, the rest of the machine quiet, several sizes of each, all
 * settings of the switches.  `variant` of a span names the setting ("zstd/session").  Takes 10 to 20 seconds.
 */
int rec_profile(const struct rec_plan *plan, const struct exec_options *opt, struct span_log *log,
                struct err *err);

#endif
