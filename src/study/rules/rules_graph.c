/*
 * rules_graph.c - operator graphs (models/opgraph.h) and the workers that run them.
 */
#include "study/rules/rules_parts.h"

#include "base/text.h"
#include "models/loader.h"
#include "models/preprocess.h"
#include "pipeline/auto.h"
#include "pipeline/edit.h"

#include <math.h>
#include <string.h>

/* -------------------------------------------------------------- reorder */

static const char *order_text(struct rules_work *w, const struct opg *g, const int *order)
{
    struct text t = {0};
    const char *kept;

    for (int k = 0; k < g->n; k++)
        text_printf(&t, "%s%s", k > 0 ? ", " : "", g->op[order[k]].name);
    kept = arena_strdup(w->a, t.s);
    text_free(&t);
    return kept;
}

static void reorder(struct rules_work *w, const struct stage *st)
{
    const struct loader_cfg *c = st->cfg;
    int order[OPG_MAX];
    double given_s, best_s;
    struct rewrite *r;

    if (!stage_is(st, "loader"))
        return;
    given_s = opg_cost_s(&c->graph, c->chain, false);
    best_s = opg_best_order(&c->graph, order);
    if (!(best_s < given_s * (1 - 1e-9))) {
        rewrite_refuse(w, "reorder", st, "no legal order of its operators is cheaper than the one it runs");
        return;
    }
    r = rewrite_new(
        w, "reorder", NULL, st,
        arena_printf(w->a, "Run %s: %.3g instead of %.3g core ms a sample", order_text(w, &c->graph, order),
                     1e3 * best_s, 1e3 * given_s),
        "every operator stays behind those it needs, pinned ones keep their places, and draws belong "
        "to the sample, not to the place");
    rewrite_set_own(w, r, "order", json_new_string("best"));
}

/* ----------------------------------------------------------------- fuse */

static void fuse_passes(struct rules_work *w, const struct stage *st)
{
    const struct preprocess_cfg *c = st->cfg;
    struct rewrite *r;

    if (!stage_is(st, "preprocess") || c->fuse)
        return;
    if (!cost_is_known(&c->costs[PREP_FUSED_SPARSE]) || !cost_is_known(&c->costs[PREP_FUSED_DENSE])) {
        rewrite_refuse(w, "fuse", st,
                       "nobody measured what fused passes cost here: `foresight exec --profile`");
        return;
    }
    r = rewrite_new(w, "fuse", NULL, st,
                    "Hash and cross in one pass over the sparse values, clip and bucketize in one over the "
                    "dense ones",
                    "the passes read the same values and write the same columns");
    rewrite_set_own(w, r, "fuse", json_new_bool(true));
}

static void fuse(struct rules_work *w, const struct stage *st)
{
    const struct loader_cfg *c = st->cfg;
    double apart_s, fused_s;
    struct rewrite *r;

    if (!stage_is(st, "loader") || c->fuse)
        return;
    apart_s = opg_cost_s(&c->graph, c->chain, false);
    fused_s = opg_cost_s(&c->graph, c->chain, true);
    if (!(fused_s < apart_s)) {
        rewrite_refuse(w, "fuse", st,
                       "no two neighbours are fusable, or calls and copies between them cost nothing here");
        return;
    }
    r = rewrite_new(w, "fuse", NULL, st,
                    arena_printf(w->a,
                                 "Run fusable neighbours in one call: %.3g instead of %.3g core ms a sample",
                                 1e3 * fused_s, 1e3 * apart_s),
                    "neighbours marked fusable run in the order they had; only calls and copies go");
    rewrite_set_own(w, r, "fuse", json_new_bool(true));
}

/* ---------------------------------------------------------------- cache */

/* Bytes of the data set behind the first `position` operators. */
static double kept_bytes(const struct loader_cfg *c, int position)
{
    uint32_t done = 0;
    struct opg_state s;

    for (int k = 0; k < position; k++)
        done |= UINT32_C(1) << c->chain[k];
    s = opg_after(&c->graph, done);
    return (double)c->items * s.items * s.bytes;
}

static void cache_at(struct rules_work *w, const struct stage *st, int position)
{
    const struct loader_cfg *c = st->cfg;
    const char *name = position > 0 ? c->graph.op[c->chain[position - 1]].name : "source";
    double bytes = kept_bytes(c, position);
    char size[40];
    struct rewrite *r;

    r = rewrite_new(
        w, "cache", arena_printf(w->a, "cache-%s", name), st,
        arena_printf(w->a, "Keep %s between epochs: %s of memory, which nothing here prices",
                     position > 0 ? arena_printf(w->a, "the results of \"%s\"", name) : "what is read",
                     units_format(size, sizeof size, bytes, UNIT_BYTES)),
        "nothing random stands before the cache, so every epoch still sees something new");
    rewrite_set_own(w, r, "cache_after", json_new_string(name));
    rewrite_set_own(w, r, "cache_bytes", json_new_number(ceil(bytes)));
    rewrite_set_own(w, r, "policy", json_new_string("keep"));
}

static void cache(struct rules_work *w, const struct stage *st)
{
    const struct loader_cfg *c = st->cfg;
    int last;

    if (!stage_is(st, "loader") || c->cache_after != NULL)
        return;
    last = opg_cacheable(&c->graph, c->chain);
    cache_at(w, st, 0);
    if (last > 0)
        cache_at(w, st, last);
    if (last < c->graph.n)
        rewrite_refuse(w, "cache", st,
                       arena_printf(w->a, "not behind \"%s\": it is random, and epochs would repeat",
                                    c->graph.op[c->chain[last]].name));
}

/* Finished batches of a deterministic chain. */
static void cache_batches(struct rules_work *w, const struct stage *st)
{
    const struct dataset_cfg *d = stage_data(w, st);
    struct rewrite *r;

    if (!stage_is(st, "preprocess") || stage_bool(st, "cache"))
        return;
    if (d == NULL || d->epochs < 2) {
        rewrite_refuse(w, "cache", st, "the data is read once: nothing comes back");
        return;
    }
    r = rewrite_new(w, "cache", NULL, st, "Keep finished batches in memory for later epochs",
                    "filter, hash, cross, clip and bucketize draw nothing");
    rewrite_set_own(w, r, "cache", json_new_bool(true));
}

/* -------------------------------------------------------------- offload */

static void offload(struct rules_work *w, const struct stage *st)
{
    const struct loader_cfg *c = st->cfg;
    int marked = 0;
    struct rewrite *r;

    if (!stage_is(st, "loader") || c->offload)
        return;
    for (int i = 0; i < c->graph.n; i++)
        marked += c->op[i].remote;
    if (marked == 0 || st->on[ROLE_SERVERS] < 0 || st->on[ROLE_NET] < 0) {
        rewrite_refuse(w, "offload", st,
                       marked == 0 ? "no operator is marked remote"
                                   : "\"on\" binds no remote cores (servers) and link (net)");
        return;
    }
    r = rewrite_new(
        w, "offload", NULL, st,
        arena_printf(w->a, "Run %d operators on \"%s\", over \"%s\"", marked,
                     w->s->resources[st->on[ROLE_SERVERS]].name, w->s->resources[st->on[ROLE_NET]].name),
        "operators marked remote run in the same order, elsewhere; samples travel there and back");
    rewrite_set_own(w, r, "offload", json_new_bool(true));
}

/* ------------------------------------------------- prefetch and workers */

static bool has_param(const struct stage *st, const char *key)
{
    return param_find(st->model->params, key) != NULL;
}

static void prefetch(struct rules_work *w, const struct stage *st)
{
    struct rewrite *r;

    if (!has_param(st, "prefetch") || stage_int(st, "prefetch") != 1)
        return;
    r = rewrite_new(w, "prefetch", NULL, st, "Two batches a worker: one in work and one waiting",
                    "batches keep their order; one more of each worker waits in memory");
    rewrite_set_own(w, r, "prefetch", json_new_number(2));
}

/* What `"workers": "auto"` would choose; 0 when it cannot. */
static long chosen_workers(struct rules_work *w, const struct stage *st, const char **reason)
{
    struct json *tree = json_copy(w->tree), *with = NULL;
    const char *path = arena_printf(w->a, "%s.workers", st->name);
    struct auto_choice *choices;
    struct err unused = {0};
    double workers = 0;
    int n = 0, rc;

    rc = edit_set(tree, path, json_new_string("auto"), &unused);
    if (rc == 0)
        rc = auto_choose(tree, w->file, &w->opt, w->a, &with, &choices, &n, &unused);
    for (int i = 0; rc == 0 && i < n; i++)
        if (strcmp(choices[i].path, arena_printf(w->a, "stages.%s.params.workers", st->name)) == 0) {
            workers = json_number(edit_get(with, path));
            *reason = choices[i].reason;
        }
    json_free(with);
    json_free(tree);
    return (long)workers;
}

static bool is_left_open(const struct rules_work *w, const struct stage *st)
{
    const struct json *v = edit_get(w->tree, arena_printf(w->a, "%s.workers", st->name));

    return v != NULL && json_string(v) != NULL;
}

/* Trainers and gangs are no workers: how many there are is part of the experiment. */
static void workers(struct rules_work *w, const struct stage *st)
{
    static const char *const of[] = {"etl", "storage", "preprocess", "loader", "operators", NULL};
    const char *reason = "";
    long now, then;
    struct rewrite *r;
    int m = 0;

    while (of[m] != NULL && !stage_is(st, of[m]))
        m++;
    if (of[m] == NULL || st->on[ROLE_GPU] >= 0 || is_left_open(w, st))
        return;
    now = stage_int(st, "workers");
    then = chosen_workers(w, st, &reason);
    if (then < 1 || (then <= now && then > 0.8 * (double)now)) {
        rewrite_refuse(w, "workers", st,
                       arena_printf(w->a, "%ld are within a fifth of what the bound asks for", now));
        return;
    }
    r = rewrite_new(
        w, "workers", NULL, st, arena_printf(w->a, "%ld workers instead of %ld; %s", then, now, reason),
        "every item is worked on once, by whoever is free; in-order stages still deliver in order");
    rewrite_set_own(w, r, "workers", json_new_number((double)then));
}

/* ---------------------------------------------------------------- batch */

static void batch(struct rules_work *w, const struct stage *st)
{
    if (stage_is(st, "loader") || stage_is(st, "preprocess") || stage_is(st, "gpu_training"))
        rewrite_refuse(w, "batch", st, "the trainer's batch is its author's: steps to a target grow with it");
}

rule_fn *const rules_of_graphs[] = {reorder, fuse,     fuse_passes, cache, cache_batches,
                                    offload, prefetch, workers,     batch, NULL};
