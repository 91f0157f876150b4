/*
 * label.h - a new label for every row of a columnar table: a copy of the table, or a column beside it.
 *
 * A worker takes one file of the table and the new label's log of the same partition:
 *
 *   full_copy            reads, decompresses and decodes every stream, joins the labels to the rows, encodes
 *                        and compresses them all again, and writes another table
 *   delta by position    reads the stream of sample ids only, joins, and writes the labels in the order of
 * the rows, compressed, a block a stripe delta by key         reads nothing of the table: writes sample ids
 * and labels as the log has them
 *
 * Readers of the table merge a delta on read (models/storage.h).
 */
#ifndef MODELS_LABEL_H
#define MODELS_LABEL_H

#include "models/etl.h"

enum label_layout { LABEL_FULL_COPY, LABEL_DELTA };
enum label_align { LABEL_BY_POSITION, LABEL_BY_KEY };
extern const char *const label_layout_names[], *const label_align_names[];

/* What an item carries from here to its readers. */
enum delta_kind { DELTA_NONE, DELTA_BY_POSITION, DELTA_BY_KEY };

/* What an operator counts; those of a stripe run once for each. */
enum label_op {
    LABEL_OPEN,  /* a file: footer and checks */
    LABEL_PARSE, /* the label log: rows */
    LABEL_INDEX, /* of the labels by sample: rows */
    LABEL_READ,  /* of a stripe; CPU part of reading: compressed bytes */
    LABEL_DECOMPRESS_NONE,
    LABEL_DECOMPRESS_LZ4,
    LABEL_DECOMPRESS_ZSTD, /* of a stripe: encoded bytes out, compressed bytes in */
    LABEL_DECODE,          /* of a stripe: values */
    LABEL_KEYS_NONE,
    LABEL_KEYS_LZ4,
    LABEL_KEYS_ZSTD, /* of a stripe: sample ids decompressed and decoded: rows */
    LABEL_JOIN,      /* of a stripe: rows */
    LABEL_ENCODE,    /* of a stripe: values */
    LABEL_COMPRESS_NONE,
    LABEL_COMPRESS_LZ4,
    LABEL_COMPRESS_ZSTD, /* the copy: encoded bytes in, compressed bytes out */
    LABEL_COLUMN_NONE,
    LABEL_COLUMN_LZ4,
    LABEL_COLUMN_ZSTD, /* labels as blocks of a delta: encoded bytes */
    LABEL_KEY_COLUMN_NONE,
    LABEL_KEY_COLUMN_LZ4,
    LABEL_KEY_COLUMN_ZSTD, /* sample ids as a block of a delta: encoded bytes */
    LABEL_WRITE,           /* bytes (CPU part) */
    LABEL_OPS
};
extern const char *const label_op_names[];

struct label_cfg {
    long workers;
    int layout, align; /* enum label_layout, label_align */
    struct cost costs[LABEL_OPS];
    /* Compressed over encoded bytes: of labels; of sample ids as they stand in a table of either order, and
     * in the log. */
    double ratio_label_lz4, ratio_label_zstd, ratio_key_time_lz4, ratio_key_time_zstd, ratio_key_session_lz4,
        ratio_key_session_zstd, ratio_key_log_lz4, ratio_key_log_zstd;
};

enum { LABEL_BYTES = 4, KEY_BYTES = 8, DELTA_BLOCK = 4096 }; /* encoded, of a row; files are whole blocks */

/* A table's footer: shape and tail, and an entry for every stream of every stripe (executor/columnar.h). */
enum { TABLE_SHAPE_BYTES = 112, TABLE_ENTRY_BYTES = 32, TABLE_META_STREAMS = 4 };

#endif
