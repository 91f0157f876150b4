/*
 * loader.c - an input pipeline described as operators: local workers, remote ones, caches.
 *
 * A worker gathers a batch of samples, reads what is not cached, runs the operators on it in their order
 * (given, or the best legal one), fused or not, sends marked runs of operators to other cores and back, and
 * hands the batch to its consumer.  Per batch of n samples:
 *
 *   read        n * miss * item_bytes of the disk, one request each
 *   operator    n * (fixed + per_byte * bytes + per_element * elements) of a core, + call + copy per
 * operator; n * miss where the results are cached send        rpc + send_byte * bytes of a local core, bytes
 * of the link, on the way there and back hand over   hand_over_byte * bytes: pickling between processes,
 * copying to pinned memory
 *
 * miss: the share that the page cache loses (models/epochs.h), from the sizes of cache and data set.  What an
 * operator costs follows from what reaches it: models/opgraph.h.  Workers are threads or processes on the
 * cores bound to `cpu`, which whoever else is on them shares.  Left out: several sources, stragglers among
 * remote workers.
 */
#include "models/loader.h"

#include "base/text.h"
#include "models/epochs.h"

#include <math.h>
#include <string.h>

static const char *const orders[] = {"given", "best", NULL};

#define T struct loader_cfg
static const struct param params[] = {
    INT(T, workers, "1", 1, 1e6, "Batches worked on at a time: threads or processes"),
    INT(T, prefetch, "2", -1, 1e6,
        "Batches per worker in work or waiting for the consumer; -1: no such limit"),
    INT(T, batch, "64", 1, 1e7, "Samples of one batch"),
    INT(T, items, "1000000", 1, 1e12, "Samples of the data set: an epoch"),
    BOOL(T, in_order, "true", "Batches leave in the order in which they were begun"),
    REAL(T, item_bytes, UNIT_BYTES, "110kB", 1, 1e12, "Bytes of one sample at the source"),
    REAL(T, item_elements, UNIT_NONE, "0", 0, 1e12, "Elements of one sample at the source; 0: one a byte"),
    CHOICE(T, order, "given", orders, "Order of the operators: as written, or the cheapest legal one"),
    BOOL(T, fuse, "false", "Run fusable neighbours in one call, without a copy between them"),
    JSONV(T, cache_after, "What is kept between epochs: \"source\", or the results of the operator named"),
    REAL(T, cache_bytes, UNIT_BYTES, "0B", 0, 1e18, "Size of the cache"),
    CHOICE(T, policy, "kernel", page_policy_names, "What the cache drops when it is full"),
    BOOL(T, shuffled, "true", "Every epoch reads in a new order"),
    BOOL(T, offload, "false", "Run operators marked remote on the cores bound to servers"),
    REAL(T, remote_speed, UNIT_NONE, "1", 0.01, 100, "Speed of a remote core against a local one"),
    REAL(T, rpc, UNIT_S, "50us", 0, 10, "Local core time per sample and way of a remote call"),
    REAL(T, send_byte, UNIT_S, "0.2ns", 0, 1e-3, "Local core time per byte sent or received"),
    REAL(T, call, UNIT_S, "0s", 0, 10, "Core time of calling one operator on one sample"),
    REAL(T, copy_byte, UNIT_S, "0s", 0, 1e-3, "Core time per byte handed from operator to operator"),
    REAL(T, hand_over_byte, UNIT_S, "0s", 0, 1e-3,
         "Core time per byte of a finished batch handed to its consumer"),
    JSONV(T, ops, "List of {name, fixed, per_byte, per_element, bytes_ratio, ...}, in order"),
    PARAMS_END};
#undef T

#define T struct loader_op
static const struct param op_params[] = {
    REAL(T, fixed, UNIT_S, "0s", 0, 1e6, "Core time per sample"),
    REAL(T, per_byte, UNIT_S, "0s", 0, 1, "Core time per byte that comes in"),
    REAL(T, per_element, UNIT_S, "0s", 0, 1, "Core time per element that comes in"),
    REAL(T, mem_per_byte, UNIT_NONE, "0", 0, 1e6,
         "Bytes moved over the cores' memory bus per byte that comes in"),
    REAL(T, bytes_ratio, UNIT_NONE, "1", 0, 1e6, "Bytes out over bytes in"),
    REAL(T, elements_ratio, UNIT_NONE, "0", 0, 1e6, "Elements out over elements in; 0: as the bytes"),
    REAL(T, keep, UNIT_NONE, "1", 0, 1, "Share of the samples that pass"),
    REAL(T, cv, UNIT_NONE, "0", 0, 100, "Coefficient of variation of one sample's time"),
    BOOL(T, cast, "false", "Changes the width of elements, not their number"),
    BOOL(T, random, "false", "Draws anew every epoch: nothing behind it can be cached"),
    BOOL(T, fusable, "false", "May run in one call with a fusable neighbour"),
    BOOL(T, pinned, "false", "Keeps its place when operators are reordered"),
    BOOL(T, remote, "false", "Runs elsewhere when offload is on"),
    JSONV(T, after, "Names of operators that must come before it"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", NULL}; /* disk, net and servers as the operators need them */

enum { READ, SEND, HAND_OVER, EXTRA_OPS };

/* ------------------------------------------------------------------ reading */

static int find_op(const struct loader_cfg *c, const char *name)
{
    for (int i = 0; name != NULL && i < c->graph.n; i++)
        if (strcmp(c->graph.op[i].name, name) == 0)
            return i;
    return -1;
}

static int no_such_op(const struct loader_cfg *c, const char *where, const struct json *found,
                      struct err *err)
{
    const char *names[OPG_MAX];
    char brief[60];
    struct text t = {0};

    for (int i = 0; i < c->graph.n; i++)
        names[i] = c->graph.op[i].name;
    text_add_suggestion(&t, json_string(found) != NULL ? json_string(found) : "", names, (size_t)c->graph.n);
    err_set(err, ERR_SCENARIO, "%s: no operator %s; %s", where, json_brief(found, brief, sizeof brief), t.s);
    text_free(&t);
    return err->code;
}

static int read_op(struct loader_cfg *c, const struct json *v, const char *where, struct arena *a,
                   struct err *err)
{
    struct loader_op *op = &c->op[c->graph.n];
    const char *name = json_get_string(v, "name", NULL);
    struct json *rest;
    int rc;

    if (json_type(v) != JSON_OBJECT || name == NULL)
        return err_set(
            err, ERR_SCENARIO,
            "%s: an operator is an object with a name, such as {\"name\": \"decode\", \"fixed\": \"2ms\"}",
            where);
    rest = json_copy(v);
    json_remove(rest, "name");
    rc = param_load(op_params, rest, where, a, op, err);
    json_free(rest);
    TRY(rc);
    op->after = json_get(v, "after"); /* of the scenario's tree, which stays */
    if (op->elements_ratio == 0)
        op->elements_ratio = op->cast ? 1 : op->bytes_ratio;
    c->graph.op[c->graph.n++] = (struct opg_op){.name = arena_strdup(a, name),
                                                .fixed_s = op->fixed,
                                                .per_byte_s = op->per_byte,
                                                .per_element_s = op->per_element,
                                                .bytes_ratio = op->bytes_ratio,
                                                .elements_ratio = op->elements_ratio,
                                                .keep_frac = op->keep,
                                                .random = op->random,
                                                .fusable = op->fusable,
                                                .pinned = op->pinned};
    return 0;
}

static int read_after(struct loader_cfg *c, int i, const char *where, struct err *err)
{
    JSON_EACH (v, c->op[i].after) {
        int before = find_op(c, json_string(v));

        if (before < 0)
            return no_such_op(c, where, v, err);
        if (before >= i)
            return err_set(err, ERR_SCENARIO,
                           "%s: \"%s\" is written after \"%s\", so it cannot come before it", where,
                           c->graph.op[before].name, c->graph.op[i].name);
        c->graph.op[i].after |= UINT32_C(1) << before;
    }
    return 0;
}

static int read_ops(struct loader_cfg *c, const struct model_env *env, struct err *err)
{
    int i = 0;

    if (c->ops == NULL || json_type(c->ops) != JSON_ARRAY || json_size(c->ops) == 0 ||
        json_size(c->ops) > OPG_MAX)
        return err_set(err, ERR_SCENARIO, "%s.ops: a list of 1 to %d operators is needed", env->where,
                       OPG_MAX);
    JSON_EACH (v, c->ops)
        TRY(read_op(c, v, arena_printf(env->arena, "%s.ops[%d]", env->where, i++), env->arena, err));
    for (i = 0; i < c->graph.n; i++)
        TRY(read_after(c, i, arena_printf(env->arena, "%s.ops[%d].after", env->where, i), err));
    return 0;
}

/* Of the source when nothing names an operator; legal before the first random one only. */
static int read_cache(struct loader_cfg *c, const char *where, struct err *err)
{
    const char *name = json_string(c->cache_after);
    int op, legal = opg_cacheable(&c->graph, c->chain);

    c->cached = -1;
    if (c->cache_after == NULL)
        return 0;
    c->cached = 0;
    if (name != NULL && strcmp(name, "source") == 0)
        return 0;
    op = find_op(c, name);
    if (op < 0)
        return no_such_op(c, where, c->cache_after, err);
    while (c->chain[c->cached++] != op)
        ;
    if (c->cached > legal)
        return err_set(
            err, ERR_SCENARIO,
            "%s: \"%s\" is or follows the random operator \"%s\": epochs would repeat; %s%s%s can be kept",
            where, name, c->graph.op[c->chain[legal]].name,
            legal > 0 ? "what comes before it, such as \"" : "\"",
            legal > 0 ? c->graph.op[c->chain[legal - 1]].name : "source", "\"");
    return 0;
}

static double miss_share(const struct loader_cfg *c)
{
    uint32_t done = 0;
    struct opg_state kept;
    struct epochs e = {.policy = c->policy, .shuffled = c->shuffled, .first = 2, .last = 10};
    double bytes;

    if (c->cached < 0)
        return 1;
    for (int k = 0; k < c->cached; k++)
        done |= UINT32_C(1) << c->chain[k];
    kept = opg_after(&c->graph, done);
    bytes = (double)c->items * kept.items * kept.bytes;
    e.cached_frac = fmin(1, c->cache_bytes / bytes);
    e.file_pages = 1;
    e.inactive_ratio = page_inactive_ratio(c->cache_bytes);
    return epochs_miss_frac(&e, 1);
}

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct loader_cfg *c = cfg;

    if (c->prefetch == 0)
        return err_set(err, ERR_SCENARIO, "%s.prefetch: 0 lets no worker begin; 1 or more, or -1",
                       env->where);
    c->graph = (struct opg){.bytes = c->item_bytes,
                            .elements = c->item_elements > 0 ? c->item_elements : c->item_bytes,
                            .call_s = c->call,
                            .copy_byte_s = c->copy_byte};
    TRY(read_ops(c, env, err));
    for (int i = 0; i < c->graph.n; i++)
        c->chain[i] = i;
    if (c->order == LOADER_BEST)
        opg_best_order(&c->graph, c->chain);
    TRY(read_cache(c, arena_printf(env->arena, "%s.cache_after", env->where), err));
    c->miss = miss_share(c);
    return 0;
}

/* ------------------------------------------------------------------- demand */

static void shape(const void *cfg, struct shape *out)
{
    const struct loader_cfg *c = cfg;

    *out = (struct shape){.workers = c->workers,
                          .take = (double)c->batch,
                          .prefetch = c->prefetch,
                          .in_order = c->in_order,
                          .queue_limit = -1};
}

static double noise(const struct loader_op *op, int i, double samples, const struct item *in,
                    const struct luck *luck)
{
    struct rng r;

    if (luck == NULL || op->cv == 0)
        return 1;
    rng_keyed(&r, luck->seed, luck->replication, luck->stage, in->key, (uint64_t)i);
    return rng_lognormal(&r, 1, op->cv / sqrt(fmax(1, samples))); /* the mean of so many draws */
}

/* To the remote cores or back from them: local core time and the wire. */
static void send(const struct loader_cfg *c, double samples, const struct opg_state *s, bool calls,
                 struct demand *out)
{
    double n = samples * s->items;

    demand_add(out, ROLE_CPU, c->graph.n + SEND, n * ((calls ? c->rpc : 0) + c->send_byte * s->bytes), 0);
    demand_add(out, ROLE_NET, c->graph.n + SEND, n * s->bytes, 0);
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct loader_cfg *c = cfg;
    const struct opg *g = &c->graph;
    double n = in->count;
    uint32_t done = 0;
    bool away = false;
    struct opg_state s = opg_after(g, 0);

    demand_add(out, ROLE_DISK_READ, g->n + READ, n * c->miss * s.bytes, n * c->miss);
    for (int k = 0; k < g->n; k++) {
        int i = c->chain[k];
        bool remote = c->offload && c->op[i].remote;
        bool fused = k > 0 && c->fuse && g->op[i].fusable && g->op[c->chain[k - 1]].fusable;
        double runs = n * (k < c->cached ? c->miss : 1);
        double moved = runs * s.items * s.bytes * c->op[i].mem_per_byte;
        double work_s =
            opg_op_s(g, i, done) + (fused ? 0 : s.items * (c->call + (k > 0 ? c->copy_byte * s.bytes : 0)));

        if (remote != away)
            send(c, n, &s, remote, out);
        away = remote;
        work_s *= runs * noise(&c->op[i], i, n, in, luck);
        if (remote)
            demand_add(out, ROLE_SERVERS, i, work_s / c->remote_speed, 0);
        else
            demand_add_memory(out, i, work_s, moved);
        done |= UINT32_C(1) << i;
        s = opg_after(g, done);
    }
    if (away)
        send(c, n, &s, false, out);
    demand_add(out, ROLE_CPU, g->n + HAND_OVER, n * s.items * s.bytes * c->hand_over_byte, 0);
    leave->bytes = n * s.items * s.bytes;
}

static const char *operator_name(const void *cfg, int op)
{
    static const char *const extra[EXTRA_OPS] = {"read", "send", "hand over"};
    const struct loader_cfg *c = cfg;

    return op < c->graph.n ? c->graph.op[op].name : extra[op - c->graph.n];
}

static int operators(const void *cfg)
{
    return ((const struct loader_cfg *)cfg)->graph.n + EXTRA_OPS;
}

const struct model loader_model = {
    .name = "loader",
    .title = "Input pipeline of operators",
    .about = "Workers read samples, run a reorderable chain of operators on them, here or elsewhere, and "
             "make batches.",
    .cfg_size = sizeof(struct loader_cfg),
    .params = params,
    .roles = roles,
    .check = check,
    .shape = shape,
    .demand = demand,
    .operator_name = operator_name,
    .operators = operators,
};
