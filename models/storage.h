/*
 * storage.h - reading a columnar table: disk, decompression, decoding.
 *
 * A worker takes one file, and stripe by stripe reads the streams it needs,
 * decompresses and decodes them into columns.  With projection only the streams
 * of used features are read; without it all are read and decoded, and the
 * unused columns are dropped afterwards.
 */
#ifndef MODELS_STORAGE_H
#define MODELS_STORAGE_H

#include "models/etl.h"

enum storage_op {
    STORAGE_OPEN,            /* a file: footer and checks */
    STORAGE_READ,            /* CPU part of reading: compressed bytes */
    STORAGE_DECOMPRESS_NONE, /* encoded bytes out (and, with a codec, compressed bytes in) */
    STORAGE_DECOMPRESS_LZ4,
    STORAGE_DECOMPRESS_ZSTD,
    STORAGE_DECODE, /* values decoded (sparse values and dense numbers) as items; encoded bytes */
    STORAGE_OPS
};
extern const char *const storage_op_names[];

struct storage_cfg {
    long workers;
    bool projection;
    bool direct; /* bypass the page cache (O_DIRECT) for writing and reading the table */
    struct cost costs[STORAGE_OPS];
};

#endif
