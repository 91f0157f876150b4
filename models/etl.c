/*
 * etl.c - from raw logs to a columnar table: what one log partition costs.
 *
 *   parse + join + order + encode + compress(codec) on a core, then a write of
 *   encoded_bytes * ratio(order, codec) to the disk.
 *
 * Clustering by session puts repeated feature lists next to each other, so the
 * codec's window finds them: the ratio is a property of (order, codec), measured
 * by compressing stripes alone, in a few sizes, between which it follows a power law.  Where none was
 * measured, store_once takes the repeats of a stripe out of what is encoded, so that the same duplicates
 * shrink storage, preprocessing and training.  Holds for tables written once and read in whole stripes.  Left
 * out: shuffles between hosts, skew, retries.
 */
#include "models/etl.h"

#include "models/model.h"

#include <math.h>

const char *const etl_op_names[] = {
    "parse",         "join",         "order_time",    "order_session", "encode",
    "compress_none", "compress_lz4", "compress_zstd", "write",         NULL};
const char *const codec_names[] = {"none", "lz4", "zstd", NULL};

#define RATIO_HELP "Compressed over encoded bytes, "
#define SLOPE_HELP "Power of the stripe's rows with which the ratio changes, "
#define T          struct etl_cfg
static const struct param params[] = {
    INT(T, workers, "1", 1, 1e6, "Partitions worked on at a time"),
    CHOICE(T, order, "time", table_order_names, "Order of the rows in a partition"),
    CHOICE(T, codec, "zstd", codec_names, "Codec of the column streams"),
    INT(T, stripe_rows, "4096", 1, 1e9, "Rows of one stripe, what a reader decodes at a time"),
    BOOL(T, store_once, "false",
         "Clustered by session: feature lists that repeat within a stripe take space once"),
    COSTS(T, costs, etl_op_names, "Cost of each operator on one core"),
    REAL(T, ratio_time_lz4, UNIT_FRAC, "1", 0, 2, RATIO_HELP "time order, lz4"),
    REAL(T, ratio_time_zstd, UNIT_FRAC, "1", 0, 2, RATIO_HELP "time order, zstd"),
    REAL(T, ratio_session_lz4, UNIT_FRAC, "1", 0, 2, RATIO_HELP "session order, lz4"),
    REAL(T, ratio_session_zstd, UNIT_FRAC, "1", 0, 2, RATIO_HELP "session order, zstd"),
    REAL(T, used_ratio_time_lz4, UNIT_FRAC, "1", 0, 2, RATIO_HELP "time order, lz4, streams the job uses"),
    REAL(T, used_ratio_time_zstd, UNIT_FRAC, "1", 0, 2, RATIO_HELP "time order, zstd, streams the job uses"),
    REAL(T, used_ratio_session_lz4, UNIT_FRAC, "1", 0, 2,
         RATIO_HELP "session order, lz4, streams the job uses"),
    REAL(T, used_ratio_session_zstd, UNIT_FRAC, "1", 0, 2,
         RATIO_HELP "session order, zstd, streams the job uses"),
    INT(T, ratio_rows, "0", 0, 1e9,
        "Rows of the stripes that the ratios were measured on; 0: they hold for any"),
    REAL(T, slope_time_lz4, UNIT_NONE, "0", -2, 2, SLOPE_HELP "time order, lz4"),
    REAL(T, slope_time_zstd, UNIT_NONE, "0", -2, 2, SLOPE_HELP "time order, zstd"),
    REAL(T, slope_session_lz4, UNIT_NONE, "0", -2, 2, SLOPE_HELP "session order, lz4"),
    REAL(T, slope_session_zstd, UNIT_NONE, "0", -2, 2, SLOPE_HELP "session order, zstd"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", "disk", NULL};
/* Codecs work through what comes in and write what goes out: both cost. */
static const struct op_info ops[] = {
    {"parse", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"join", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"order_time", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"order_session", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"encode", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"compress_none", "encoded bytes", NULL, COUNT_BYTES_IN, COUNT_DEFAULT},
    {"compress_lz4", "encoded bytes", "compressed bytes", COUNT_BYTES_IN, COUNT_BYTES_OUT},
    {"compress_zstd", "encoded bytes", "compressed bytes", COUNT_BYTES_IN, COUNT_BYTES_OUT},
    {"write", NULL, "compressed bytes", COUNT_DEFAULT, COUNT_BYTES_IN},
    {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    const struct etl_cfg *c = cfg;

    if (env->data->partition_rows % c->stripe_rows != 0)
        return err_set(err, ERR_SCENARIO,
                       "%s.stripe_rows: %ld does not divide the data set's partition_rows (%ld)", env->where,
                       c->stripe_rows, env->data->partition_rows);
    return 0;
}

static void shape(const void *cfg, struct shape *out)
{
    *out = (struct shape){.workers = ((const struct etl_cfg *)cfg)->workers,
                          .prefetch = -1,
                          .in_order = true,
                          .once = true,
                          .queue_limit = -1};
}

/* A stripe of another size than was measured: the power law that a few sizes showed. */
static double stripe_effect(const struct etl_cfg *c)
{
    double slope = c->order == ORDER_TIME
                       ? (c->codec == CODEC_LZ4 ? c->slope_time_lz4 : c->slope_time_zstd)
                       : (c->codec == CODEC_LZ4 ? c->slope_session_lz4 : c->slope_session_zstd);

    return c->ratio_rows > 0 ? pow((double)c->stripe_rows / (double)c->ratio_rows, slope) : 1;
}

static double ratio(const struct etl_cfg *c, bool used)
{
    double r;

    if (c->codec == CODEC_NONE)
        return 1;
    if (c->order == ORDER_TIME)
        r = c->codec == CODEC_LZ4 ? (used ? c->used_ratio_time_lz4 : c->ratio_time_lz4)
                                  : (used ? c->used_ratio_time_zstd : c->ratio_time_zstd);
    else
        r = c->codec == CODEC_LZ4 ? (used ? c->used_ratio_session_lz4 : c->ratio_session_lz4)
                                  : (used ? c->used_ratio_session_zstd : c->ratio_session_zstd);
    return r * stripe_effect(c);
}

/* Encoded bytes of the rows before compression.  The ratios are those of what is left. */
static double stored_bytes(const struct etl_cfg *c, const struct item *in, bool used)
{
    const struct dataset_cfg *d = in->data;
    double all = in->rows * dataset_row_bytes(d, used), stripe = fmin(in->rows, (double)c->stripe_rows);

    if (!c->store_once || c->order == ORDER_TIME)
        return all;
    return all - 8 * dataset_session_values(d, used) * in->rows *
                     (1 - dataset_distinct_groups(d, ORDER_SESSION, stripe, 1) / stripe);
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct etl_cfg *c = cfg;
    const struct dataset_cfg *d = in->data;
    double rows = in->rows, encoded = stored_bytes(c, in, false);
    double used = stored_bytes(c, in, true);
    double values =
        rows * (dataset_session_values(d, false) + dataset_item_values(d, false) + (double)d->dense_features);
    int order = c->order == ORDER_TIME ? ETL_ORDER_TIME : ETL_ORDER_SESSION,
        compress = ETL_COMPRESS_NONE + c->codec;

    demand_cost(out, ETL_PARSE, &c->costs[ETL_PARSE], rows, 0, in, luck);
    demand_cost(out, ETL_JOIN, &c->costs[ETL_JOIN], rows, 0, in, luck);
    demand_cost(out, order, &c->costs[order], rows, 0, in, luck);
    demand_cost(out, ETL_ENCODE, &c->costs[ETL_ENCODE], values, 0, in, luck);
    leave->order = c->order;
    leave->codec = c->codec;
    leave->stripe_rows = (double)c->stripe_rows;
    leave->encoded_bytes = encoded;
    leave->encoded_used_bytes = used;
    leave->bytes = encoded * ratio(c, false);
    leave->used_bytes = used * ratio(c, true);
    demand_cost(out, compress, &c->costs[compress], encoded, leave->bytes, in, luck);
    demand_cost(out, ETL_WRITE, &c->costs[ETL_WRITE], 0, leave->bytes, in, luck);
    demand_add(out, ROLE_DISK_WRITE, ETL_WRITE, leave->bytes, 1);
}

const struct model etl_model = {
    .name = "etl",
    .title = "ETL into columnar tables",
    .about = "Joins labels to logged samples, orders them, and writes compressed columnar files.",
    .cfg_size = sizeof(struct etl_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .kernel = "etl",
    .needs_dataset = true,
    .check = check,
    .shape = shape,
    .demand = demand,
};
