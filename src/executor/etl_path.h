/*
 * etl_path.h - a new label on a table, really made: the parts of the ETL path.
 *
 *     raw logs ─> etl ─(tables)─> label ─(copies or deltas)─> storage: jobs that read, epoch by epoch
 *
 * The first epoch runs the whole path; later ones read the finished files again.
 * A job reads the copy, or the table with the delta merged: the rows it gets are
 * the same bit for bit (`"exec": {"digest": true}` hashes them to show it).
 *
 * The workers of etl and storage are those of the recommendation path (rec_stages.h).
 */
#ifndef EXECUTOR_ETL_PATH_H
#define EXECUTOR_ETL_PATH_H

#include "executor/delta.h"
#include "executor/path.h"
#include "executor/rec_stages.h"

enum etl_stage_id { ETL_STAGE_TABLE, ETL_STAGE_LABEL, ETL_STAGE_READ, ETL_STAGES };

struct etl_plan {
    struct rec_plan tables; /* data, etl, storage, and the names of these two; nothing else of it */
    struct label_cfg label;
    const char *names[ETL_STAGES];
    long buffers[ETL_STAGES - 1];
    bool digest; /* hash what the jobs read */
};

struct etl_setup {
    struct setup tables;
    const struct etl_plan *plan;
};

int etl_setup_init(struct etl_setup *s, const struct etl_plan *plan, struct err *err);

/* "zstd/time/full_copy", "zstd/session/key": what decides the cost of the stage's operators. */
void etl_variant(const struct etl_setup *s, enum etl_stage_id stage, char *buf, size_t size);

/* ------------------------------------------------------------------------------------ label */

struct label_worker {
    const struct etl_setup *setup;
    struct labels labels;
    struct columnar_reader *reader;
    struct columnar_writer *writer; /* of copies */
    struct delta_writer *delta;
    struct stripe stripe;
    float *column; /* new labels in the order of the table's rows, or of the log */
    uint64_t *keys;
    struct span_buf *spans;
    double read_bytes;
};

void label_worker_init(struct label_worker *w, const struct etl_setup *s, struct span_buf *spans);
void label_worker_fini(struct label_worker *w);
/* The table of one partition becomes a copy, or gets a delta beside it, at `out`; *bytes written. */
int label_worker_run(struct label_worker *w, long partition, const char *table, const char *out, bool *direct,
                     double *bytes, struct err *err);

/* ------------------------------------------------------------------------------------- jobs */

struct job_worker {
    const struct etl_setup *setup;
    struct storage_worker storage;
    struct delta_reader *delta;
    bool merges;
    double delta_bytes;
    uint64_t digest; /* of all stripes read so far, whatever their order */
};

void job_worker_init(struct job_worker *w, const struct etl_setup *s, struct span_buf *spans);
void job_worker_fini(struct job_worker *w);
/* `delta` NULL: the table is read as it is. */
int job_worker_open(struct job_worker *w, const char *table, const char *delta, int64_t item, bool *direct,
                    struct err *err);
int job_worker_run(struct job_worker *w, long stripe, struct stripe *out, struct err *err);

/* Labels, ids, times and the features that the job uses, of one stripe. */
uint64_t stripe_digest(const struct stripe *s, const struct columnar_uses *uses);

/* ------------------------------------------------------------------------------------ whole */

struct etl_result {
    double makespan_s, rows, cpu_total_s;
    struct exec_stage stages[ETL_STAGES];
    double table_bytes, label_bytes, read_bytes;
    uint64_t digest;
    bool cold;
    const char *cache_note;
};

int etl_run(const struct etl_plan *plan, const struct exec_options *opt, struct span_log *log,
            struct etl_result *out, struct err *err);
int etl_profile(const struct etl_plan *plan, const struct exec_options *opt, struct span_log *log,
                struct err *err);

#endif
