/*
 * label.c - what a new label on a table costs, one partition after the other.
 *
 * With n rows in S stripes, E encoded and B compressed bytes of the table, v values a row:
 *
 *                full_copy                                   delta by position           by key
 *   disk reads   footer + B in S requests                    footer + 8 n r_key in S     -
 *   core         open + S (read + decompress + decode)       open + S (read + keys)      -
 *                parse + index + S join                      parse + index + S join      parse
 *                S encode + compress(E, B)                   column(4 n)                 column(4 n) + key
 * column(8 n) disk writes  B                                           4 n r_label                 4 n
 * r_label + 8 n r_log
 *
 * Ratios are those of the table's codec, measured by compressing the columns alone.  Disks give whole blocks:
 * a stream of b bytes somewhere in a file costs b + block - 1 on average, a footer lists every stream of
 * every stripe, a delta is written in whole blocks.  Holds for a label that every row gets and that replaces
 * the one before; requests of one file follow each other.  Left out: schema checks, conflicting writers,
 * compaction (models/experiment.c prices months of such experiments).
 */
#include "models/label.h"

#include "models/model.h"

#include <math.h>

const char *const label_layout_names[] = {"full_copy", "delta", NULL};
const char *const label_align_names[] = {"position", "key", NULL};
const char *const label_op_names[] = {"open",
                                      "parse",
                                      "index",
                                      "read",
                                      "decompress_none",
                                      "decompress_lz4",
                                      "decompress_zstd",
                                      "decode",
                                      "keys_none",
                                      "keys_lz4",
                                      "keys_zstd",
                                      "join",
                                      "encode",
                                      "compress_none",
                                      "compress_lz4",
                                      "compress_zstd",
                                      "column_none",
                                      "column_lz4",
                                      "column_zstd",
                                      "key_column_none",
                                      "key_column_lz4",
                                      "key_column_zstd",
                                      "write",
                                      NULL};

#define RATIO(field, of) REAL(T, field, UNIT_FRAC, "1", 0, 2, "Compressed over encoded bytes, " of)
#define T                struct label_cfg
static const struct param params[] = {
    INT(T, workers, "1", 1, 1e6, "Files worked on at a time"),
    CHOICE(T, layout, "full_copy", label_layout_names,
           "What is written: a copy of the table, or the label alone"),
    CHOICE(T, align, "position", label_align_names,
           "How a delta's rows find the table's: same order, or by key"),
    COSTS(T, costs, label_op_names, "Cost of each operator on one core"),
    RATIO(ratio_label_lz4, "labels, lz4"),
    RATIO(ratio_label_zstd, "labels, zstd"),
    RATIO(ratio_key_time_lz4, "sample ids of a table in time order, lz4"),
    RATIO(ratio_key_time_zstd, "sample ids of a table in time order, zstd"),
    RATIO(ratio_key_session_lz4, "sample ids of a table in session order, lz4"),
    RATIO(ratio_key_session_zstd, "sample ids of a table in session order, zstd"),
    RATIO(ratio_key_log_lz4, "sample ids in the order of the log, lz4"),
    RATIO(ratio_key_log_zstd, "sample ids in the order of the log, zstd"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", "disk", NULL};
#define ROWS(name)                                                                                           \
    {                                                                                                        \
        name, "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT                                                     \
    }
#define VALUES(name)                                                                                         \
    {                                                                                                        \
        name, "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT                                                   \
    }
#define BYTES(name)                                                                                          \
    {                                                                                                        \
        name, NULL, "encoded bytes", COUNT_DEFAULT, COUNT_BYTES_IN                                           \
    }
static const struct op_info ops[] = {
    {"open", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    ROWS("parse"),
    ROWS("index"),
    {"read", NULL, "compressed bytes", COUNT_DEFAULT, COUNT_BYTES_IN},
    {"decompress_none", "encoded bytes", NULL, COUNT_BYTES_OUT, COUNT_DEFAULT},
    {"decompress_lz4", "encoded bytes", "compressed bytes", COUNT_BYTES_OUT, COUNT_BYTES_IN},
    {"decompress_zstd", "encoded bytes", "compressed bytes", COUNT_BYTES_OUT, COUNT_BYTES_IN},
    VALUES("decode"),
    ROWS("keys_none"),
    ROWS("keys_lz4"),
    ROWS("keys_zstd"),
    ROWS("join"),
    VALUES("encode"),
    {"compress_none", "encoded bytes", NULL, COUNT_BYTES_IN, COUNT_DEFAULT},
    {"compress_lz4", "encoded bytes", "compressed bytes", COUNT_BYTES_IN, COUNT_BYTES_OUT},
    {"compress_zstd", "encoded bytes", "compressed bytes", COUNT_BYTES_IN, COUNT_BYTES_OUT},
    BYTES("column_none"),
    BYTES("column_lz4"),
    BYTES("column_zstd"),
    BYTES("key_column_none"),
    BYTES("key_column_lz4"),
    BYTES("key_column_zstd"),
    {"write", NULL, "compressed bytes", COUNT_DEFAULT, COUNT_BYTES_IN},
    {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static void shape(const void *cfg, struct shape *out)
{
    *out = (struct shape){.workers = ((const struct label_cfg *)cfg)->workers,
                          .prefetch = -1,
                          .in_order = true,
                          .once = true,
                          .queue_limit = -1};
}

static double of_codec(int codec, double lz4, double zstd)
{
    return codec == CODEC_NONE ? 1 : codec == CODEC_LZ4 ? lz4 : zstd;
}

static double key_ratio(const struct label_cfg *c, const struct item *in)
{
    if (in->order == ORDER_TIME)
        return of_codec(in->codec, c->ratio_key_time_lz4, c->ratio_key_time_zstd);
    return of_codec(in->codec, c->ratio_key_session_lz4, c->ratio_key_session_zstd);
}

static double delta_bytes(const struct label_cfg *c, const struct item *in)
{
    double bytes = LABEL_BYTES * in->rows * of_codec(in->codec, c->ratio_label_lz4, c->ratio_label_zstd);

    if (c->align == LABEL_BY_KEY)
        bytes += KEY_BYTES * in->rows * of_codec(in->codec, c->ratio_key_log_lz4, c->ratio_key_log_zstd);
    return ceil(bytes / DELTA_BLOCK) * DELTA_BLOCK;
}

/* ------------------------------------------------------------------- demand */

struct wants {
    const struct label_cfg *cfg;
    const struct item *in;
    const struct luck *luck;
    struct demand *out;
    double stripes;
};

static void want(const struct wants *w, int op, double items, double bytes)
{
    demand_cost(w->out, op, &w->cfg->costs[op], items, bytes, w->in, w->luck);
}

/* An operator that runs once for each stripe; `items` and `bytes` are those of all stripes, what is asked at
 * a time (and must lie where it was measured) are those of one. */
static void want_striped(const struct wants *w, int op, double items, double bytes)
{
    struct cost c = w->cfg->costs[op];
    double n = w->stripes;

    c = (struct cost){n * c.fixed_s, n * c.per_item_s, n * c.per_byte_s, c.cv / sqrt(n)};
    demand_cost(w->out, op, &c, items / n, bytes / n, w->in, w->luck);
}

/* Requests follow each other, each pays the disk's latency; of very many stripes some go together. */
static void want_stripes(const struct wants *w, double bytes)
{
    double n = fmin(w->stripes, DEMAND_MAX / 2);

    for (int i = 0; i < n; i++)
        demand_add(w->out, ROLE_DISK_READ, LABEL_READ, bytes / n, w->stripes / n);
    want_striped(w, LABEL_READ, 0, bytes);
}

/* The end of a table file: where each stream of each stripe is. */
static void want_footer(const struct wants *w)
{
    const struct dataset_cfg *d = w->in->data;
    double streams =
        TABLE_META_STREAMS + (double)(d->dense_features + d->session_features + d->item_features);
    double bytes = TABLE_SHAPE_BYTES + TABLE_ENTRY_BYTES * streams * w->stripes;

    demand_add(w->out, ROLE_DISK_READ, LABEL_OPEN, ceil(bytes / DELTA_BLOCK) * DELTA_BLOCK, 1);
    want(w, LABEL_OPEN, 0, 0);
}

static void full_copy(const struct wants *w)
{
    const struct item *in = w->in;
    double values = in->rows * (dataset_session_values(in->data, false) +
                                dataset_item_values(in->data, false) + (double)in->data->dense_features);

    want_footer(w);
    want_stripes(w, in->bytes);
    want_striped(w, LABEL_DECOMPRESS_NONE + in->codec, in->encoded_bytes, in->bytes);
    want_striped(w, LABEL_DECODE, values, 0);
    want(w, LABEL_INDEX, in->rows, 0);
    want_striped(w, LABEL_JOIN, in->rows, 0);
    want_striped(w, LABEL_ENCODE, values, 0);
    want(w, LABEL_COMPRESS_NONE + in->codec, in->encoded_bytes, in->bytes);
}

static void delta(const struct wants *w)
{
    const struct item *in = w->in;

    if (w->cfg->align == LABEL_BY_POSITION) {
        want_footer(w);
        want_stripes(w, KEY_BYTES * in->rows * key_ratio(w->cfg, in) + w->stripes * (DELTA_BLOCK - 1));
        want_striped(w, LABEL_KEYS_NONE + in->codec, in->rows, 0);
        want(w, LABEL_INDEX, in->rows, 0);
        want_striped(w, LABEL_JOIN, in->rows, 0);
    } else {
        want(w, LABEL_KEY_COLUMN_NONE + in->codec, 0, KEY_BYTES * in->rows);
    }
    want(w, LABEL_COLUMN_NONE + in->codec, 0, LABEL_BYTES * in->rows);
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct label_cfg *c = cfg;
    double stripe = in->stripe_rows > 0 ? in->stripe_rows : in->rows;
    struct wants w = {c, in, luck, out, fmax(1, ceil(in->rows / stripe))};
    double written = in->bytes;

    want(&w, LABEL_PARSE, in->rows, 0);
    if (c->layout == LABEL_FULL_COPY)
        full_copy(&w);
    else {
        delta(&w);
        written = leave->delta_bytes = delta_bytes(c, in);
        leave->delta = c->align == LABEL_BY_KEY ? DELTA_BY_KEY : DELTA_BY_POSITION;
    }
    want(&w, LABEL_WRITE, 0, written);
    demand_add(out, ROLE_DISK_WRITE, LABEL_WRITE, written, 1);
}

const struct model label_model = {
    .name = "label",
    .title = "New label on a table",
    .about =
        "Joins a new label to a columnar table and writes a copy of it, or a column that is merged on read.",
    .cfg_size = sizeof(struct label_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .kernel = "label",
    .needs_dataset = true,
    .shape = shape,
    .demand = demand,
};
