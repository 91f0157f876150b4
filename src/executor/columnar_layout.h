/*
 * columnar_layout.h - what the writer and the reader of table files share.
 */
#ifndef EXECUTOR_COLUMNAR_LAYOUT_H
#define EXECUTOR_COLUMNAR_LAYOUT_H

#include "executor/columnar.h"

enum { STREAM_SESSION, STREAM_TIME, STREAM_SAMPLE, STREAM_LABEL, STREAM_DENSE };

#define COLUMNAR_MAGIC "FSTABLE1"

struct columnar_shape {
    uint64_t rows, stripe_rows, order, codec, dense, session_features, item_features, list_length, streams,
        stripes;
};

struct columnar_entry {
    uint64_t offset, compressed, encoded, checksum;
};

struct columnar_tail {
    uint64_t footer, bytes, checksum;
    char magic[8];
};

/* The shape of tables of this data set; order and codec are left 0. */
struct columnar_shape columnar_shape_of(const struct dataset_cfg *d, long rows, long stripe_rows);

uint64_t columnar_width(const struct columnar_shape *s, uint64_t stream); /* encoded bytes of one row */
bool columnar_wanted(const struct columnar_shape *s, uint64_t stream, const struct columnar_uses *uses);
void columnar_name(const struct columnar_shape *s, uint64_t stream, char *buf,
                   size_t size); /* "item feature 3" */

/* Encoded streams of a whole table lie back to back, stripe by stripe, each at a multiple of 8. */
uint64_t columnar_encoded_bytes(const struct columnar_shape *s, uint64_t rows);

/* Where a stream's column lies in the stripe. */
void *columnar_column(const struct columnar_shape *s, struct stripe *out, uint64_t stream);

uint64_t columnar_checksum(const void *data, size_t n);

#endif
