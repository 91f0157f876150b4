/*
 * columnar.h - the table files that ETL writes and the reader reads.
 *
 * A file holds one log partition, cut into stripes of rows; a stripe holds one
 * stream per column, compressed by itself, so that a reader fetches only the
 * columns it wants:
 *
 *     +----------------------------- stripe 0 -----------------------------+--- stripe 1 ---
 *     | session | time | sample | label | dense 0.. | session feature 0..  | ...
 *     |         |      |        |       |           | item feature 0..     |
 *     +--------------------------------------------------------------------+----------------
 *     | footer: shape (10 numbers), then for every stripe and stream:      | zeros | tail
 *     |         offset, compressed bytes, encoded bytes, checksum          |       |
 *     +--------------------------------------------------------------------+----------------
 *
 *     tail, the last 32 bytes: footer offset, footer bytes, footer checksum, "FSTABLE1"
 *
 * All numbers are little-endian 64-bit.  Stripes, the footer and the whole file
 * begin and end at disk blocks, so everything can be written and read past the
 * page cache.  Encoded streams are plain arrays: 64-bit session, time and sample,
 * float labels and dense numbers, `list_length` 64-bit ids a row.  Repeated lists
 * are left to the codec: whether it finds them depends on the order of the rows.
 *
 * A reader trusts nothing: every offset, size and checksum is checked, and a
 * damaged file is an error that names the stripe and stream.
 */
#ifndef EXECUTOR_COLUMNAR_H
#define EXECUTOR_COLUMNAR_H

#include "executor/rows.h"
#include "models/etl.h"

/* The streams a job wants: all metadata and dense ones, and the first so many of each kind of feature. */
struct columnar_uses {
    long session_features, item_features;
    bool only_keys; /* nothing but the sample ids */
};

/* ---------------------------------------------------------------------------------- writing */

struct columnar_writer;

struct columnar_writer *columnar_writer_new(const struct dataset_cfg *d, long rows, long stripe_rows);
void columnar_writer_free(struct columnar_writer *w);

/* Rows into streams; returns the encoded bytes. */
double columnar_encode(struct columnar_writer *w, const struct row_table *t, enum table_order order);

/* One stripe's columns into its streams; when all stripes are in, the table can be compressed. */
double columnar_encode_stripe(struct columnar_writer *w, long stripe, const struct stripe *from,
                              enum table_order order);

/* Compresses the encoded streams and lays out the file in memory; returns the compressed bytes of all
 * streams. */
double columnar_compress(struct columnar_writer *w, enum codec codec);

/* Compresses the wanted streams only and throws the result away: what the codec makes of them. */
double columnar_compress_used(struct columnar_writer *w, enum codec codec, const struct columnar_uses *uses,
                              double *encoded);

/* Hands the file to the disk. *direct: asked to bypass the page cache; false afterwards if that was refused.
 */
int columnar_write(struct columnar_writer *w, const char *path, bool *direct, double *bytes, struct err *err);

/* ---------------------------------------------------------------------------------- reading */

struct columnar_reader;

/* Reads tables of this shape. */
struct columnar_reader *columnar_reader_new(const struct dataset_cfg *d, long rows, long stripe_rows);
void columnar_reader_free(struct columnar_reader *r);

/* Opens a file and reads its footer; closes the one before. *requests and *bytes: what the disk was asked
 * for. */
int columnar_open(struct columnar_reader *r, const char *path, bool *direct, double *requests, double *bytes,
                  struct err *err);
void columnar_close(struct columnar_reader *r);
long columnar_stripes(const struct columnar_reader *r);
enum codec columnar_codec(const struct columnar_reader *r);
enum table_order columnar_order(const struct columnar_reader *r);

/* The three steps of a stripe: bytes from the disk, encoded streams, columns.  uses NULL: all streams. */
int columnar_read(struct columnar_reader *r, long stripe, const struct columnar_uses *uses, double *requests,
                  double *bytes, struct err *err);
int columnar_decompress(struct columnar_reader *r, double *compressed, double *encoded, struct err *err);
int columnar_decode(struct columnar_reader *r, struct stripe *out, double *values, struct err *err);

#endif
