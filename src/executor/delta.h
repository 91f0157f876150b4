/*
 * delta.h - a label beside a table file, merged by whoever reads the table.
 *
 *     +--------+-----------------------------+---------+---------+-----+-------+
 *     | header | for every block: offset,    | block 0 | block 1 | ... | zeros |
 *     |        | compressed, encoded,        |         |         |     |       |
 *     |        | checksum                    |         |         |     |       |
 *     +--------+-----------------------------+---------+---------+-----+-------+
 *
 * By position: a block of labels for every stripe, in the order of its rows.  By key: one block of sample ids
 * and one of labels, in any order.  Numbers are little-endian 64-bit, labels float; the file is whole disk
 * blocks.  A reader trusts nothing, as that of the table (columnar.h).
 */
#ifndef EXECUTOR_DELTA_H
#define EXECUTOR_DELTA_H

#include "executor/rows.h"
#include "models/label.h"

/* ---------------------------------------------------------------------------------- writing */

struct delta_writer;

struct delta_writer *delta_writer_new(long rows, long stripe_rows);
void delta_writer_free(struct delta_writer *w);

void delta_begin(struct delta_writer *w, enum label_align align, enum codec codec);
/* One more block; returns its compressed bytes. */
double delta_add(struct delta_writer *w, const void *data, size_t bytes);
int delta_write(struct delta_writer *w, const char *path, bool *direct, double *bytes, struct err *err);

/* ---------------------------------------------------------------------------------- reading */

struct delta_reader;

struct delta_reader *delta_reader_new(long rows, long stripe_rows);
void delta_reader_free(struct delta_reader *r);

/* The whole file by one request; then all of its blocks, by key also an index of them. */
int delta_read(struct delta_reader *r, const char *path, bool *direct, double *bytes, struct err *err);
int delta_unpack(struct delta_reader *r, struct err *err);
enum label_align delta_align(const struct delta_reader *r);

/* out->label of the rows of stripe `stripe`; by key needs out->sample. */
int delta_merge(const struct delta_reader *r, long stripe, struct stripe *out, struct err *err);

#endif
