/*
 * rows.h - rows in memory, in the two forms they take on the way.
 *
 * struct row_table: one log partition, row by row, as ETL parses it.
 * struct stripe: a stripe of a table, column by column, as the reader decodes it.
 * Both are allocated once for the largest size they will hold and filled again
 * and again.
 */
#ifndef EXECUTOR_ROWS_H
#define EXECUTOR_ROWS_H

#include "models/dataset.h"

#include <stdint.h>

struct row_table {
    long rows, capacity;
    size_t dense, values; /* of one row */
    uint64_t *session, *time_us, *sample;
    float *label;
    float *dense_rows;     /* [row][dense] */
    uint64_t *sparse_rows; /* [row][session values, then item values] */
};

void row_table_init(struct row_table *t, const struct dataset_cfg *d, long capacity);
void row_table_fini(struct row_table *t);

struct stripe {
    uint64_t sequence; /* counts stripes over all epochs, in the order of the table */
    long rows, capacity;
    long session_features, item_features, list_length, dense;
    uint64_t *session, *time_us, *sample;
    float *label;
    float *dense_columns;     /* [dense feature][row]; columns are `capacity` apart */
    uint64_t *sparse_columns; /* [feature, session ones first][row][value] */
    double taken_s;           /* when a preprocessing worker took it */
};

void stripe_init(struct stripe *s, const struct dataset_cfg *d, long capacity);
void stripe_fini(struct stripe *s);

static inline const uint64_t *stripe_lists(const struct stripe *s, long feature)
{
    return s->sparse_columns + (size_t)feature * (size_t)s->capacity * (size_t)s->list_length;
}

static inline const float *stripe_dense(const struct stripe *s, long feature)
{
    return s->dense_columns + (size_t)feature * (size_t)s->capacity;
}

#endif
