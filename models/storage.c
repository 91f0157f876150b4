/*
 * storage.c - reading a columnar table, stripe by stripe.
 *
 *   open:        once a file, shared by its stripes
 *   read:        one request and the compressed bytes of the streams wanted
 *   decompress:  the compressed bytes that go in and the encoded bytes that come out
 *   decode:      the values that come out
 *
 * Where the table has a label beside it (models/label.h), the label is merged on read: the delta is unpacked
 * once a file (by key also indexed), and its labels are put into every stripe by position or by key.
 *
 * With projection only the streams of used features count; without it all of them do.
 *
 * On drives (layout "map" or "flattened") the read is a visit to one drive:
 *
 *   operations * seek + bytes / drive_bw        models/columnar_io.h
 *
 * The wanted streams lie scattered among the others, or, popular_first, mostly in a head of popular ones;
 * where they lie is drawn once for the table.  Larger stripes make streams longer: fewer seeks a byte.  Left
 * out: replicas to choose from, streams of one feature that are apart (present, lengths, values).
 */
#include "models/storage.h"

#include "models/fits.h"
#include "models/label.h"
#include "models/model.h"

#include <math.h>

const char *const storage_op_names[] = {
    "open",   "read",           "decompress_none", "decompress_lz4", "decompress_zstd",
    "decode", "delta_position", "delta_key",       "merge_position", "merge_key",
    NULL};
const char *const storage_layout_names[] = {"plain", "map", "flattened", NULL};

#define T struct storage_cfg
static const struct param params[] = {
    INT(T, workers, "1", 1, 1e6, "Files read at a time"),
    BOOL(T, projection, "false", "Read only the streams of features the job uses"),
    BOOL(T, direct, "true", "Bypass the page cache when the file system allows it"),
    CHOICE(T, layout, "plain", storage_layout_names,
           "One request of a disk; or a drive that seeks: all features in one map, or a stream a feature"),
    REAL(T, window_bytes, UNIT_BYTES, "0B", 0, 1e12,
         "Flattened: wanted streams within it are read in one operation; 0: each by itself"),
    REAL(T, fetch_bytes, UNIT_BYTES, "1310720B", 1, 1e15, "Most bytes of one operation: a reader's buffer"),
    BOOL(T, popular_first, "false", "Flattened: streams of popular features come first"),
    REAL(T, head_frac, UNIT_FRAC, "0.8", 0, 1, "Wanted streams that are among the popular ones"),
    REAL(T, head_other_frac, UNIT_FRAC, "0.15", 0, 1, "Other streams that are among the popular ones"),
    REAL(T, seek_s, UNIT_S, "12ms", 0, 10, "One operation of a drive before its bytes flow"),
    REAL(T, drive_bw, UNIT_BYTES_PER_S, "175MB/s", 1, 1e15, "Bytes per second of one drive"),
    BOOL(T, send, "false", "What is read crosses the link bound to net"),
    COSTS(T, costs, storage_op_names, "Cost of each operator on one core"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", NULL}; /* disk or servers, and net, as layout and send say */
static const struct op_info ops[] = {
    {"open", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"read", NULL, "compressed bytes", COUNT_DEFAULT, COUNT_BYTES_IN},
    {"decompress_none", "encoded bytes", NULL, COUNT_BYTES_OUT, COUNT_DEFAULT},
    {"decompress_lz4", "encoded bytes", "compressed bytes", COUNT_BYTES_OUT, COUNT_BYTES_IN},
    {"decompress_zstd", "encoded bytes", "compressed bytes", COUNT_BYTES_OUT, COUNT_BYTES_IN},
    {"decode", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"delta_position", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"delta_key", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"merge_position", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"merge_key", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

/* --------------------------------------------------------------- the layout */

static size_t add_streams(struct feature_stream *to, long n, long wanted, double bytes)
{
    for (long i = 0; i < n; i++)
        to[i] = (struct feature_stream){bytes, i < wanted};
    return (size_t)n;
}

/* Nobody knows which features a job will want when the table is laid out. */
static void scatter(struct feature_stream *s, size_t n, struct rng *r)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)(rng_uniform(r) * (double)i);
        struct feature_stream moved = s[i - 1];

        s[i - 1] = s[k];
        s[k] = moved;
    }
}

/* Popular ones to the front; both parts keep the order they had. */
static void put_popular_first(const struct storage_cfg *c, struct feature_stream *tail, struct rng *r)
{
    size_t head = 0, rest = 0;

    for (size_t i = 0; i < c->streams_n; i++) {
        struct feature_stream s = c->streams[i];

        if (rng_uniform(r) < (s.wanted ? c->head_frac : c->head_other_frac))
            c->streams[head++] = s;
        else
            tail[rest++] = s;
    }
    for (size_t i = 0; i < rest; i++)
        c->streams[head + i] = tail[i];
}

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct storage_cfg *c = cfg;
    const struct dataset_cfg *d = env->data;
    size_t n = (size_t)(d->session_features + d->item_features + d->dense_features);
    double list = 8 * (double)d->list_length;
    struct rng r;

    if (c->layout == LAYOUT_PLAIN)
        return 0;
    if (c->layout == LAYOUT_FLATTENED && !c->projection)
        return err_set(err, ERR_SCENARIO,
                       "%s.layout: a stream a feature is for reading some of them: set projection to true",
                       env->where);
    c->streams = arena_array(env->arena, n, sizeof *c->streams);
    c->streams_n += add_streams(c->streams, d->session_features, d->used_session_features, list);
    c->streams_n += add_streams(c->streams + c->streams_n, d->item_features, d->used_item_features, list);
    c->streams_n += add_streams(c->streams + c->streams_n, d->dense_features, d->dense_features, 4);
    for (size_t i = 0; i < n; i++)
        c->row_bytes += c->streams[i].bytes;
    rng_keyed(&r, (uint64_t)d->seed, 0, 0, 0, rng_hash("layout"));
    scatter(c->streams, n, &r);
    if (c->popular_first)
        put_popular_first(c, arena_array(env->arena, n, sizeof *c->streams), &r);
    return 0;
}

/* The streams are as long as the stripe is: the plan is made in bytes of one row.  What the job uses may
 * compress better or worse than the rest, which its own bytes say. */
static struct io_plan stripe_plan(const struct storage_cfg *c, const struct item *in)
{
    double scale = in->bytes / c->row_bytes;
    struct io_plan p;

    if (c->layout == LAYOUT_MAP)
        p = columnar_whole(c->streams, c->streams_n, c->fetch_bytes / scale);
    else
        p = columnar_plan(c->streams, c->streams_n, c->window_bytes / scale, c->fetch_bytes / scale);
    p.bytes = (p.bytes - p.wanted_bytes) * scale;
    p.wanted_bytes = fmin(in->used_bytes, in->bytes);
    p.bytes = c->layout == LAYOUT_MAP ? in->bytes : p.bytes + p.wanted_bytes;
    return p;
}

/* ------------------------------------------------------------------- demand */

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

/* Bytes that leave the storage: with over-read more than are wanted. */
static double read_stripe(const struct storage_cfg *c, const struct item *in, double bytes,
                          struct demand *out)
{
    struct seek_disk drive = {c->seek_s, c->drive_bw};

    if (c->layout == LAYOUT_PLAIN)
        demand_add(out, ROLE_DISK_READ, STORAGE_READ, bytes, 1);
    else {
        struct io_plan p = stripe_plan(c, in);

        bytes = p.bytes;
        demand_add(out, ROLE_SERVERS, STORAGE_READ, columnar_disk_s(&drive, &p), 0);
    }
    if (c->send)
        demand_add(out, ROLE_NET, STORAGE_READ, bytes, 0);
    return bytes;
}

/* A file's delta is read and unpacked when the file is opened (each of its stripes bears its share), its
 * labels are put into every stripe. */
static void merge_delta(const struct storage_cfg *c, const struct item *in, const struct luck *luck,
                        struct demand *out)
{
    bool by_key = in->delta == DELTA_BY_KEY;
    int unpack = by_key ? STORAGE_DELTA_KEY : STORAGE_DELTA_POSITION,
        merge = by_key ? STORAGE_MERGE_KEY : STORAGE_MERGE_POSITION;
    double file_rows = (double)in->data->partition_rows, share = in->rows / file_rows;
    struct cost part = c->costs[unpack];

    part.fixed_s *= share;
    part.per_item_s *= share;
    demand_add(out, ROLE_DISK_READ, unpack, in->delta_bytes, share);
    demand_cost(out, unpack, &part, file_rows, 0, in, luck);
    demand_cost(out, merge, &c->costs[merge], in->rows, 0, in, luck);
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct storage_cfg *c = cfg;
    const struct dataset_cfg *d = in->data;
    bool used = c->projection;
    double fetched, bytes = used ? in->used_bytes : in->bytes,
                    encoded = used ? in->encoded_used_bytes : in->encoded_bytes;
    double values = in->rows * (dataset_session_values(d, used) + dataset_item_values(d, used) +
                                (double)d->dense_features);
    int decompress = STORAGE_DECOMPRESS_NONE + in->codec;

    /* A file is opened once: each of its stripes bears its share. */
    demand_add(out, ROLE_CPU, STORAGE_OPEN,
               c->costs[STORAGE_OPEN].fixed_s * in->rows / (double)d->partition_rows, 0);
    fetched = read_stripe(c, in, bytes, out);
    demand_cost(out, STORAGE_READ, &c->costs[STORAGE_READ], 0, fetched, in, luck);
    demand_cost(out, decompress, &c->costs[decompress], encoded, bytes, in, luck);
    demand_cost(out, STORAGE_DECODE, &c->costs[STORAGE_DECODE], values, 0, in, luck);
    if (in->delta != DELTA_NONE)
        merge_delta(c, in, luck, out);
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
    .check = check,
    .shape = shape,
    .pieces = pieces,
    .demand = demand,
    .fits = storage_fits,
};
