/*
 * storage.c - reading a columnar table, stripe by stripe.
 *
 *   open:        once a file, shared by its stripes
 *   read:        one request and the compressed bytes of the streams wanted
 *   decompress:  the compressed bytes that go in and the encoded bytes that come out
 *   decode:      the values that come out
 *
 * With projection only the streams of used features count; without it all of them do.
 */
#include "models/storage.h"

#include "models/fits.h"
#include "models/model.h"

const char *const storage_op_names[] = {
    "open", "read", "decompress_none", "decompress_lz4", "decompress_zstd", "decode", NULL};

#define T struct storage_cfg
static const struct param params[] = {
    INT(T, workers, "1", 1, 4096, "Files read at a time"),
    BOOL(T, projection, "false", "Read only the streams of features the job uses"),
    BOOL(T, direct, "true", "Bypass the page cache when the file system allows it"),
    COSTS(T, costs, storage_op_names, "Cost of each operator on one core"), PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", "disk", NULL};
static const struct op_info ops[] = {
    {"open", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"read", NULL, "compressed bytes", COUNT_DEFAULT, COUNT_BYTES_IN},
    {"decompress_none", "encoded bytes", NULL, COUNT_BYTES_OUT, COUNT_DEFAULT},
    {"decompress_lz4", "encoded bytes", "compressed bytes", COUNT_BYTES_OUT, COUNT_BYTES_IN},
    {"decompress_zstd", "encoded bytes", "compressed bytes", COUNT_BYTES_OUT, COUNT_BYTES_IN},
    {"decode", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static void shape(const void *cfg, struct shape *out)
{
    *out = (struct shape){.workers = ((const struct storage_cfg *)cfg)->workers,
                          .prefetch = -1,
                          .in_order = true,
                          .queue_limit = -1};
}

static long pieces(const void *cfg, const struct item *in)
{
    (void)cfg;
    return in->stripe_rows > 0 ? (long)(in->rows / in->stripe_rows + 0.5) : 1;
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct storage_cfg *c = cfg;
    const struct dataset_cfg *d = in->data;
    bool used = c->projection;
    double bytes = used ? in->used_bytes : in->bytes,
           encoded = used ? in->encoded_used_bytes : in->encoded_bytes;
    double values = in->rows * (dataset_session_values(d, used) + dataset_item_values(d, used) +
                                (double)d->dense_features);
    int decompress = STORAGE_DECOMPRESS_NONE + in->codec;

    /* A file is opened once: each of its stripes bears its share. */
    demand_add(out, ROLE_CPU, STORAGE_OPEN,
               c->costs[STORAGE_OPEN].fixed_s * in->rows / (double)d->partition_rows, 0);
    demand_add(out, ROLE_DISK_READ, STORAGE_READ, bytes, 1);
    demand_cost(out, STORAGE_READ, &c->costs[STORAGE_READ], 0, bytes, in, luck);
    demand_cost(out, decompress, &c->costs[decompress], encoded, bytes, in, luck);
    demand_cost(out, STORAGE_DECODE, &c->costs[STORAGE_DECODE], values, 0, in, luck);
    leave->bytes = encoded;
}

const struct model storage_model = {
    .name = "storage",
    .title = "Columnar storage",
    .about = "Reads, decompresses and decodes the stripes of columnar files.",
    .cfg_size = sizeof(struct storage_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .kernel = "storage",
    .needs_dataset = true,
    .shape = shape,
    .pieces = pieces,
    .demand = demand,
    .fits = storage_fits,
};
