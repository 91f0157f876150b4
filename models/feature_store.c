/*
 * feature_store.c - look-ups of features by key while a request waits, and point-in-time joins by night.
 *
 * Online, a request brings `keys` entities.  Those in the cache cost nothing more; the others are asked for
 * at their shards, one batch a shard, and the request goes on when the slowest has answered:
 *
 *     shard's batch = (overhead + per_key x keys there) x noise,  slow_factor times as long with chance
 * slow_frac
 *
 * on one of the cores bound to "cpu", after an rtt of its own.  A shard runs `threads` batches at a time.
 * What is served is `lag` old; the curve `freshness` (lag in seconds -> share of the quality that is left)
 * says what that costs; the request's quality is multiplied by it.
 *
 * Offline (feature_store.h), each item's rows are joined: bytes of "disk", core time on "cpu".
 */
#include "models/feature_store.h"

#include "models/zipf.h"

#include <math.h>

static const char *const mode_names[] = {"online", "offline", NULL};

#define T struct feature_store_cfg
static const struct param params[] = {
    CHOICE(T, mode, "online", mode_names, "Look-ups for requests, or a point-in-time join of an item's rows"),
    INT(T, shards, "8", 1, 65536, "Parts the store is split into, by key"),
    INT(T, keys, "20", 1, 1e6, "Entities a request asks for"),
    INT(T, threads, "0", 0, 1e6, "Batches a shard serves at a time; 0: no limit but the cores"),
    LAW(T, rtt, UNIT_S, "0.5ms", 0, 1e4, "Network time to one shard and back"),
    REAL(T, overhead, UNIT_S, "50us", 0, 1e3, "Core time of one batch at a shard"),
    REAL(T, per_key, UNIT_S, "5us", 0, 1e3, "Core time of one key"),
    REAL(T, cv, UNIT_NONE, "0.3", 0, 10, "Spread of a batch's time, standard deviation / mean"),
    REAL(T, slow_frac, UNIT_FRAC, "0", 0, 1, "Share of batches that meet a hiccup (compaction, collection)"),
    REAL(T, slow_factor, UNIT_NONE, "10", 1, 1e6, "How many times as long such a batch takes"),
    INT(T, cache_entries, "0", 0, 1e12, "Entities kept near the caller; 0: none"),
    INT(T, entities, "10000000", 1, 1e15, "Entities there are"),
    REAL(T, skew, UNIT_NONE, "0.9", 0, 5, "Zipf exponent of the entities' popularity"),
    REAL(T, lag, UNIT_S, "0s", 0, 1e9, "Age of the values served"),
    JSONV(T, freshness, "Share of the quality left at a lag, [[seconds, share], ...], or a preset's name"),
    REAL(T, label_row_bytes, UNIT_BYTES, "100B", 1, 1e9, "Offline: bytes of one label row"),
    REAL(T, features, UNIT_NONE, "200", 0, 1e7, "Offline: features joined to a row"),
    REAL(T, value_bytes, UNIT_BYTES, "8B", 0, 1e9, "Offline: bytes of one value"),
    REAL(T, updates_per_row, UNIT_NONE, "5", 0, 1e9, "Offline: feature updates read for each label row"),
    REAL(T, update_bytes, UNIT_BYTES, "200B", 0, 1e9, "Offline: bytes of one update"),
    REAL(T, join_memory, UNIT_BYTES, "4GB", 1, 1e18, "Offline: memory beyond which the sort spills"),
    REAL(T, sort_rate, UNIT_BYTES_PER_S, "100MB/s", 1, 1e15, "Offline: bytes one core sorts and merges"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", NULL};
static const struct op_info ops[] = {{"lookup", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"join", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct feature_store_cfg *c = cfg;

    return curve_read(c->freshness, "freshness", false, 0, 1, env, &c->quality, err);
}

static void shape(const void *cfg, struct shape *out)
{
    (void)cfg;
    *out = (struct shape){.prefetch = -1, .queue_limit = -1};
}

double feature_store_shards_asked(const struct feature_store_cfg *c, double keys)
{
    double s = (double)c->shards;

    return s > 1 ? s * -expm1(keys * log1p(-1 / s)) : 1;
}

struct join_bytes feature_store_join(const struct feature_store_cfg *c, double rows)
{
    double in = rows * (c->label_row_bytes + c->updates_per_row * c->update_bytes);
    double out = rows * (c->label_row_bytes + c->features * c->value_bytes);
    double spilled = in > c->join_memory ? in : 0;

    return (struct join_bytes){
        .read = in + spilled, .written = out + spilled, .cpu_s = (in + spilled) / c->sort_rate};
}

static void online(const struct feature_store_cfg *c, double asked, struct demand *out)
{
    double keys = (double)c->keys * asked, shards = asked > 0 ? feature_store_shards_asked(c, keys) : 0;
    double slow = 1 + c->slow_frac * (c->slow_factor - 1);

    demand_add(out, ROLE_CPU, 0, (shards * c->overhead + keys * c->per_key) * slow, 0);
}

static void wants(const struct feature_store_cfg *c, const struct item *in, double asked, struct demand *out,
                  struct item *leave)
{
    struct join_bytes j;

    if (c->mode == FEATURES_ONLINE) {
        online(c, asked, out);
        return;
    }
    j = feature_store_join(c, in->rows);
    demand_add(out, ROLE_DISK_READ, 1, j.read, 1);
    demand_add(out, ROLE_CPU, 1, j.cpu_s, 0);
    demand_add(out, ROLE_DISK_WRITE, 1, j.written, 1);
    leave->bytes = in->rows * (c->label_row_bytes + c->features * c->value_bytes);
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    (void)luck;
    wants(cfg, in, 1, out, leave);
}

/* With a cache: at best it holds the most popular entities; how few batches the misses then make is unknown,
 * so only the keys are counted. */
static void best_demand(const void *cfg, const struct item *in, struct demand *out, struct item *leave)
{
    const struct feature_store_cfg *c = cfg;
    double missed;

    if (c->mode == FEATURES_OFFLINE || c->cache_entries == 0) {
        wants(c, in, 1, out, leave);
        return;
    }
    missed = 1 - zipf_top((double)c->entities, c->skew, (double)c->cache_entries);
    demand_add(out, ROLE_CPU, 0, missed * (double)c->keys * c->per_key, 0);
}

const struct model feature_store_model = {
    .name = "feature_store",
    .title = "Feature store",
    .about = "Looks up features by key across shards, or joins their history to labels.",
    .cfg_size = sizeof(struct feature_store_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .check = check,
    .shape = shape,
    .demand = demand,
    .best_demand = best_demand,
    .server = &feature_store_server,
};
