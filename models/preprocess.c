/*
 * preprocess.c - what it costs to turn a slice of a stripe into a training batch.
 *
 * The chain decides what each operator works on: before the filter all rows,
 * after it rows * keep_frac; before dedup every row's session lists, after it
 * each distinct group once (dataset_distinct_groups).  Nothing else changes
 * when operators are reordered, fused or deduplicated: the gains follow.
 */
#include "models/preprocess.h"

#include "base/text.h"
#include "models/model.h"

#include <math.h>
#include <string.h>

const char *const prep_op_names[] = {"filter",    "dedup",        "hash",        "cross",   "clip",
                                     "bucketize", "fused_sparse", "fused_dense", "collate", "cache_hit",
                                     NULL};

#define T struct preprocess_cfg
static const struct param params[] = {
    INT(T, workers, "1", 1, 1e6, "Stripes worked on at a time"),
    INT(T, batch, "256", 1, 1e7, "Rows of a full training batch, after the filter"),
    BOOL(T, dedup, "false", "Find distinct session groups first; work on each once"),
    BOOL(T, fuse, "false", "Run hash and cross as one pass, clip and bucketize as another"),
    BOOL(T, cache, "false", "Keep finished batches in memory for later epochs"),
    BOOL(T, send, "false", "Finished batches cross the link bound to net"),
    BOOL(T, in_order, "true", "Batches leave in the order of their stripes; else as they are finished"),
    INT(T, crosses, "8", 0, 10000, "Feature crosses computed from pairs of session features"),
    JSONV(T, ops, "Order of the operators filter, hash, cross, clip and bucketize"),
    COSTS(T, costs, prep_op_names, "Cost of each operator on one core"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", NULL}; /* and net, to send */
static const struct op_info ops[] = {
    {"filter", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"dedup", "session values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"hash", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"cross", "crosses", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"clip", "dense numbers", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"bucketize", "dense numbers", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"fused_sparse", "values and crosses", "bytes of crosses", COUNT_DEFAULT, COUNT_BYTES_IN},
    {"fused_dense", "dense numbers", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"collate", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"cache_hit", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

/* A cross costs ten times what a hashed value does: fused, their numbers are told apart by the bytes of the
 * crosses. */
static const double CROSS_BYTES = 4;

/* The operators that an author may order. */
static const int orderable[] = {PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE, PREP_FILTER};
enum { ORDERABLE = sizeof orderable / sizeof *orderable };

static int orderable_named(const char *name)
{
    for (int i = 0; i < ORDERABLE; i++)
        if (strcmp(prep_op_names[orderable[i]], name) == 0)
            return orderable[i];
    return -1;
}

static int position(const int *chain, int n, int op)
{
    for (int i = 0; i < n; i++)
        if (chain[i] == op)
            return i;
    return n;
}

static int read_order(const struct preprocess_cfg *c, const char *where, int *order, struct err *err)
{
    int n = 0;

    if (c->ops == NULL) {
        memcpy(order, orderable, sizeof orderable);
        return 0;
    }
    JSON_EACH (v, c->ops) {
        const char *name = json_string(v);
        int op = name != NULL ? orderable_named(name) : -1;

        if (op < 0 || n == ORDERABLE || position(order, n, op) < n)
            return err_set(
                err, ERR_SCENARIO,
                "%s.ops[%d]: %s%s%s; each of filter, hash, cross, clip, bucketize is needed exactly once",
                where, n, name ? "\"" : "", name ? name : json_type_name(json_type(v)), name ? "\"" : "");
        order[n++] = op;
    }
    if (n != ORDERABLE)
        return err_set(err, ERR_SCENARIO,
                       "%s.ops: %d operators; filter, hash, cross, clip, bucketize are all needed", where, n);
    if (position(order, n, PREP_CROSS) < position(order, n, PREP_HASH))
        return err_set(err, ERR_SCENARIO, "%s.ops: cross reads what hash makes, so it must come after it",
                       where);
    return 0;
}

static bool has_twin(const struct preprocess_cfg *c, int op, int *fused)
{
    *fused = op == PREP_HASH || op == PREP_CROSS ? PREP_FUSED_SPARSE : PREP_FUSED_DENSE;
    return c->fuse && op != PREP_FILTER;
}

/* A filter that stands first also stands before dedup, so that only kept rows are compared. */
static int build_chain(struct preprocess_cfg *c, const int *order)
{
    int n = 0, fused;
    bool dedup_due = c->dedup;

    for (int i = 0; i < ORDERABLE; i++) {
        if (dedup_due && order[i] != PREP_FILTER) {
            c->chain[n++] = PREP_DEDUP;
            dedup_due = false;
        }
        if (!has_twin(c, order[i], &fused))
            c->chain[n++] = order[i];
        else if (position(c->chain, n, fused) == n)
            c->chain[n++] = fused;
    }
    return n;
}

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct preprocess_cfg *c = cfg;
    int order[ORDERABLE];

    TRY(read_order(c, env->where, order, err));
    c->chain_n = build_chain(c, order);
    return 0;
}

static void shape(const void *cfg, struct shape *out)
{
    const struct preprocess_cfg *c = cfg;

    *out = (struct shape){.workers = c->workers,
                          .prefetch = -1,
                          .in_order = c->in_order,
                          .caches = c->cache,
                          .queue_limit = -1};
}

long preprocess_slices(const struct preprocess_cfg *c, const struct dataset_cfg *d, double rows)
{
    return (long)fmax(1, ceil(rows * d->keep_frac / (double)c->batch - 1e-9));
}

static long pieces(const void *cfg, const struct item *in)
{
    const struct preprocess_cfg *c = cfg;
    double stripe = in->stripe_rows > 0 ? in->stripe_rows : in->rows;

    /* A cache hit is a whole partition at once: the batches it was kept as, stripe by stripe. */
    return preprocess_slices(c, in->data, stripe) * (long)fmax(1, round(in->rows / stripe));
}

/* How many things an operator touches, given the rows and distinct groups left at that point of the chain. */
static double op_items(const struct preprocess_cfg *c, const struct dataset_cfg *d, int op, double rows,
                       double groups)
{
    double session = groups * dataset_session_values(d, true), item = rows * dataset_item_values(d, true);
    double crosses = groups * (double)c->crosses;

    switch (op) {
    case PREP_FILTER:
        return rows;
    case PREP_DEDUP:
        return rows * dataset_session_values(d, true);
    case PREP_HASH:
        return session + item;
    case PREP_CROSS:
        return crosses;
    case PREP_FUSED_SPARSE:
    case PREP_COLLATE:
        return session + item + crosses;
    default:
        return rows * (double)d->dense_features;
    }
}

/* Ids of 8 bytes, crosses and dense numbers of 4; deduplicated, each row's index of its group. */
static double batch_bytes(const struct preprocess_cfg *c, const struct dataset_cfg *d,
                          const struct item *batch)
{
    double groups = batch->distinct > 0 ? batch->distinct : batch->rows;

    return groups * (8 * dataset_session_values(d, true) + CROSS_BYTES * (double)c->crosses) +
           batch->rows * (8 * dataset_item_values(d, true) + 4 * (double)d->dense_features) +
           (batch->distinct > 0 ? 4 * batch->rows : 0);
}

/* The operators in their order on what is left of the rows, and of their groups once those are known. */
static void transform(const struct preprocess_cfg *c, const struct item *in, const struct luck *luck,
                      struct demand *out)
{
    const struct dataset_cfg *d = in->data;
    double rows = in->rows, kept = 1, groups = rows;
    bool deduped = false;

    for (int i = 0; i < c->chain_n; i++) {
        int op = c->chain[i];
        double bytes = op == PREP_FUSED_SPARSE ? CROSS_BYTES * groups * (double)c->crosses : 0;

        demand_cost(out, op, &c->costs[op], op_items(c, d, op, rows, groups), bytes, in, luck);
        if (op == PREP_FILTER) {
            kept = d->keep_frac;
            rows = in->rows * kept;
        }
        deduped = deduped || op == PREP_DEDUP;
        groups = deduped ? dataset_distinct_groups(d, in->order, in->rows, kept) : rows;
    }
    demand_cost(out, PREP_COLLATE, &c->costs[PREP_COLLATE], op_items(c, d, PREP_COLLATE, rows, groups), 0, in,
                luck);
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct preprocess_cfg *c = cfg;
    const struct dataset_cfg *d = in->data;

    leave->rows = in->rows * d->keep_frac;
    leave->crosses = (double)c->crosses;
    leave->distinct = c->dedup ? dataset_distinct_groups(d, in->order, in->rows, d->keep_frac) : 0;
    if (in->hit)
        demand_cost(out, PREP_CACHE_HIT, &c->costs[PREP_CACHE_HIT], leave->rows, 0, in, luck);
    else
        transform(c, in, luck, out);
    if (!c->send)
        return;
    leave->bytes = batch_bytes(c, d, leave);
    demand_add(out, ROLE_NET, PREP_COLLATE, leave->bytes, 0);
}

const struct model preprocess_model = {
    .name = "preprocess",
    .title = "Preprocessing workers",
    .about = "Filters and transforms decoded rows and assembles them into training batches.",
    .cfg_size = sizeof(struct preprocess_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .kernel = "preprocess",
    .needs_dataset = true,
    .check = check,
    .shape = shape,
    .pieces = pieces,
    .demand = demand,
};
