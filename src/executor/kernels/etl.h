/*
 * kernels/etl.h - parse the raw logs, join the labels, order the rows.
 *
 * Encoding, compression and writing of the result are the columnar file's own
 * business (columnar.h).
 */
#ifndef EXECUTOR_KERNELS_ETL_H
#define EXECUTOR_KERNELS_ETL_H

#include "executor/kernels/labels.h"
#include "executor/rows.h"

/* What one ETL worker keeps between partitions. */
struct etl_kernel {
    const struct dataset_cfg *d;
    long capacity;
    struct labels labels;
    struct order_key *keys, *keys_other;
    struct row_table parsed, ordered;
};

void etl_kernel_init(struct etl_kernel *k, const struct dataset_cfg *d, long capacity);
void etl_kernel_fini(struct etl_kernel *k);

/* Both logs of a partition into k->parsed and k->labels.entries; *bytes: what was read. */
int etl_parse(struct etl_kernel *k, const struct rawlog *logs, long partition, double *bytes,
              struct err *err);

/* Gives every row its label; a row without one is an error. */
int etl_join(struct etl_kernel *k, struct err *err);

/* The rows in the order of the table: as they came, or clustered by session and in time order within it. */
const struct row_table *etl_order(struct etl_kernel *k, enum table_order order);

#endif
