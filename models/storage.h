/*
 * storage.h - reading a columnar table: disk, decompression, decoding.
 *
 * A worker takes one file, and stripe by stripe reads the streams it needs,
 * decompresses and decodes them into columns.  With projection only the streams
 * of used features are read; without it all are read and decoded, and the
 * unused columns are dropped afterwards.
 *
 * Where the table lies on shared disk drives (layout "map" or "flattened") a stripe
 * is a row of streams, one a feature, and reading it takes one drive for
 * models/columnar_io.h's seeks and transfers, over-read included.  Layout "plain"
 * asks a disk for the bytes in one request.
 */
#ifndef MODELS_STORAGE_H
#define MODELS_STORAGE_H

#include "models/columnar_io.h"
#include "models/etl.h"

enum storage_op {
    STORAGE_OPEN,            /* a file: footer and checks */
    STORAGE_READ,            /* CPU part of reading: compressed bytes */
    STORAGE_DECOMPRESS_NONE, /* encoded bytes out (and, with a codec, compressed bytes in) */
    STORAGE_DECOMPRESS_LZ4,
    STORAGE_DECOMPRESS_ZSTD,
    STORAGE_DECODE,         /* values decoded (sparse values and dense numbers) as items; encoded bytes */
    STORAGE_DELTA_POSITION, /* a label beside the table, once a file: read, unpacked: rows */
    STORAGE_DELTA_KEY,      /* and indexed by sample: rows */
    STORAGE_MERGE_POSITION, /* its labels into a stripe: rows */
    STORAGE_MERGE_KEY,
    STORAGE_OPS
};
extern const char *const storage_op_names[];

enum storage_layout {
    LAYOUT_PLAIN,    /* a stripe's wanted bytes in one request of the disk */
    LAYOUT_MAP,      /* one map column of all features: all of it is read, from one drive */
    LAYOUT_FLATTENED /* one stream a feature: wanted ones, with coalescing, from one drive */
};
extern const char *const storage_layout_names[];

struct storage_cfg {
    long workers;
    bool projection;
    bool direct; /* bypass the page cache (O_DIRECT) for writing and reading the table */
    struct cost costs[STORAGE_OPS];
    int layout;                        /* enum storage_layout */
    bool popular_first, send;          /* order of the streams; bytes read cross the link */
    double window_bytes, fetch_bytes;  /* of coalescing; a reader's buffer */
    double head_frac, head_other_frac; /* wanted and other streams that lie in the popular head */
    double seek_s, drive_bw;
    /* filled by check(): the streams in their order, in encoded bytes of one row */
    struct feature_stream *streams;
    size_t streams_n;
    double row_bytes;
};

#endif
