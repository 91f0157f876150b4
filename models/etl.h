/*
 * etl.h - from raw logs to a columnar table.
 *
 * A worker takes one log partition, parses the feature log and the label log,
 * joins the label to its sample, orders the rows (as they came, or clustered by
 * session), encodes them into per-feature streams cut into stripes, compresses
 * every stream and writes one file.
 */
#ifndef MODELS_ETL_H
#define MODELS_ETL_H

#include "models/dataset.h"

/* What an operator counts.  items: rows for parse, join, order; values for encode; compress has none.  bytes:
 * as named. */
enum etl_op {
    ETL_PARSE,         /* read and parse both raw logs: rows, raw bytes */
    ETL_JOIN,          /* hash join of the labels: rows */
    ETL_ORDER_TIME,    /* rows left as they came: rows */
    ETL_ORDER_SESSION, /* sort by (session, time) and permute: rows, decoded row bytes */
    ETL_ENCODE,        /* rows into streams: sparse values and dense numbers, encoded bytes */
    ETL_COMPRESS_NONE, /* encoded bytes in (and, with a codec, compressed bytes out) */
    ETL_COMPRESS_LZ4,
    ETL_COMPRESS_ZSTD,
    ETL_WRITE, /* hand the file to the disk: compressed bytes (CPU part; the disk part is the disk's) */
    ETL_OPS
};
extern const char *const etl_op_names[]; /* "parse", "join", "order_time", ... ; NULL at the end */

enum codec { CODEC_NONE, CODEC_LZ4, CODEC_ZSTD, CODECS };
extern const char *const codec_names[]; /* "none", "lz4", "zstd" */

struct etl_cfg {
    long workers;
    int order;        /* enum table_order */
    int codec;        /* enum codec */
    long stripe_rows; /* rows of one stripe: what a reader decodes at a time */
    bool
        store_once; /* clustered: a stripe holds repeated feature lists once, as its codec or encoding does */
    struct cost costs[ETL_OPS];
    /* compressed / encoded bytes, measured by compressing a stripe alone: [order][codec] as "ORDER_CODEC" */
    double ratio_time_lz4, ratio_time_zstd, ratio_session_lz4, ratio_session_zstd;
    /* the same over the streams the job uses */
    double used_ratio_time_lz4, used_ratio_time_zstd, used_ratio_session_lz4, used_ratio_session_zstd;
    /* A codec that sees more rows at a time finds more: the ratios are those of stripes of ratio_rows rows
     * (0: of any), and change with the stripe to the power of the slope. */
    long ratio_rows;
    double slope_time_lz4, slope_time_zstd, slope_session_lz4, slope_session_zstd;
};

#endif
