/*
 * rec_profile.h - the parts of rec_profile(): one bench per kind of work.
 */
#ifndef EXECUTOR_REC_PROFILE_H
#define EXECUTOR_REC_PROFILE_H

#include "executor/rec_stages.h"

enum { PROFILE_ORDERS = 2 };

/* One size of data: a single partition, its table in every order and codec, and a worker of each kind. */
struct bench {
    struct setup setup; /* its switches are set before each measurement */
    const struct exec_options *opt;
    struct span_log *log;
    struct span_buf *spans[REC_STAGES];
    char folder[3900];
    bool has_folder;
};

/* `setup` without its logs; stages without a name get no spans. */
int bench_init(struct bench *b, const struct setup *setup, const struct exec_options *opt,
               struct span_log *log, struct err *err);
void bench_fini(struct bench *b); /* removes the tables */

/* The plan for one partition of so many halves of the real size, its stripes scaled alike; false: it cannot
 * be. */
bool rec_scaled_plan(const struct rec_plan *plan, long halves, struct rec_plan *out);

/* Where the table in this order and codec is. */
void bench_path(const struct bench *b, enum table_order order, enum codec codec, char *buf, size_t size);

/* Sets the switches that etl and storage look at, and the variant that spans carry. */
void bench_switch(struct bench *b, enum rec_stage_id stage);

int profile_etl(struct bench *b, int repeats, struct err *err); /* writes the tables that the others read */
int profile_storage(struct bench *b, int repeats, struct err *err);
int profile_disk(struct bench *b, int repeats, struct err *err);
int profile_cores(struct bench *b, int repeats, struct err *err);

/* Preprocessing and training in several batch sizes; makes benches of its own. */
int profile_batches(const struct rec_plan *plan, const struct exec_options *opt, struct span_log *log,
                    int repeats, struct err *err);

#endif
