/* Rewrites that a scenario admits: none breaks what its operators declare, each builds, each takes hold. */
#include "study/rules.h"

#include "base/text.h"
#include "engine/rng.h"
#include "models/loader.h"
#include "pipeline/edit.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPS = 8, GRAPHS = 60 };

/* What the test wrote into the scenario, to be checked against without the program's own notion of legal. */
struct written {
    int n;
    bool random[OPS], pinned[OPS], fusable[OPS], remote[OPS];
    uint32_t after[OPS];
};

struct scene {
    struct arena *a;
    struct json *tree;
    struct rules_found found;
};

static struct scene scene_of(const char *text)
{
    struct scene x = {.a = arena_new()};
    struct err err = {0};

    cr_assert_eq(json_parse(text, "test", &x.tree, &err), 0, "%s", err.text);
    cr_assert_eq(rules_find(x.tree, "test", NULL, x.a, &x.found, &err), 0, "%s", err.text);
    return x;
}

static void scene_end(struct scene *x)
{
    rules_free(&x->found);
    json_free(x->tree);
    arena_free(x->a);
}

static const struct rewrite *named(const struct scene *x, const char *name)
{
    for (int i = 0; i < x->found.legal; i++)
        if (strcmp(x->found.list[i].name, name) == 0)
            return &x->found.list[i];
    return NULL;
}

static const char *refused(const struct scene *x, const char *rule)
{
    for (int i = x->found.legal; i < x->found.n; i++)
        if (strcmp(x->found.list[i].rule, rule) == 0)
            return x->found.list[i].why;
    return NULL;
}

/* ------------------------------------------------------- random graphs */

static void write_op(struct text *t, struct written *g, int i, struct rng *r)
{
    bool any = false;

    g->random[i] = rng_uniform(r) < 0.3;
    g->pinned[i] = rng_uniform(r) < 0.15;
    g->fusable[i] = rng_uniform(r) < 0.5;
    g->remote[i] = rng_uniform(r) < 0.4;
    g->after[i] = 0;
    for (int k = 0; k < i; k++)
        if (rng_uniform(r) < 0.2)
            g->after[i] |= UINT32_C(1) << k;
    text_printf(t, "%s{\"name\": \"op%d\", \"per_byte\": %g, \"fixed\": %g, \"bytes_ratio\": %g",
                i > 0 ? ", " : "", i, 2e-8 * rng_uniform(r), 1e-4 * rng_uniform(r), rng_lognormal(r, 1, 1));
    text_printf(t, ", \"random\": %s, \"pinned\": %s, \"fusable\": %s, \"remote\": %s, \"after\": [",
                g->random[i] ? "true" : "false", g->pinned[i] ? "true" : "false",
                g->fusable[i] ? "true" : "false", g->remote[i] ? "true" : "false");
    for (int k = 0; k < i; k++)
        if (g->after[i] >> k & 1) {
            text_printf(t, "%s\"op%d\"", any ? ", " : "", k);
            any = true;
        }
    text_add(t, "]}");
}

static char *write_scenario(struct written *g, struct rng *r)
{
    struct text t = {0};

    *g = (struct written){.n = 2 + (int)rng_below(r, OPS - 1)};
    text_add(
        &t, "{\"name\": \"g\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}}, \"resources\": {"
            "\"host\": {\"kind\": \"cores\", \"count\": 4, \"price\": \"1usd/h\"}, \"far\": {\"kind\": "
            "\"cores\", "
            "\"count\": 8}, \"nic\": {\"kind\": \"link\"}, \"disk\": {\"kind\": \"disk\"}}, \"stages\": ["
            "{\"name\": \"load\", \"model\": \"loader\", \"on\": {\"cpu\": \"host\", \"servers\": \"far\", "
            "\"net\": \"nic\", \"disk\": \"disk\"}, \"params\": {\"workers\": 2, \"prefetch\": 1, \"items\": "
            "1000, \"batch\": 16, \"call\": \"10us\", \"ops\": [");
    for (int i = 0; i < g->n; i++)
        write_op(&t, g, i, r);
    text_add(&t, "]}}]}");
    return t.s;
}

static void check_chain(const struct written *g, const struct loader_cfg *c, const char *name)
{
    uint32_t done = 0;

    cr_assert_eq(c->graph.n, g->n);
    for (int k = 0; k < g->n; k++) {
        int i = c->chain[k];

        cr_assert(i >= 0 && i < g->n && !(done >> i & 1), "%s: op%d twice or not at all", name, i);
        cr_assert_eq(g->after[i] & ~done, 0u, "%s: op%d runs before what it needs", name, i);
        cr_assert(!g->pinned[i] || i == k, "%s: pinned op%d stands at %d", name, i, k);
        cr_assert(k >= c->cached || !g->random[i], "%s: random op%d stands before the cache", name, i);
        done |= UINT32_C(1) << i;
    }
}

/* Nothing that the experiment consists of has changed. */
static void check_rest(const struct written *g, const struct loader_cfg *c, const char *name)
{
    cr_assert_eq(c->batch, 16, "%s", name);
    cr_assert_eq(c->items, 1000, "%s", name);
    cr_assert(c->in_order && c->shuffled, "%s", name);
    for (int i = 0; i < g->n; i++)
        cr_assert(c->op[i].random == g->random[i] && c->op[i].fusable == g->fusable[i] &&
                      c->op[i].remote == g->remote[i],
                  "%s", name);
}

static struct scenario *with(const struct scene *x, const struct rewrite *const *some, int n)
{
    struct json *tree = json_copy(x->tree);
    struct scenario *s = NULL;
    struct err err = {0};

    for (int i = 0; i < n; i++)
        JSON_EACH (v, some[i]->set)
            cr_assert_eq(edit_set(tree, json_key(v), json_copy(v), &err), 0, "%s", err.text);
    if (scenario_build(tree, "test", NULL, &s, &err) != 0)
        s = NULL;
    json_free(tree);
    return s;
}

Test(rules, no_rewrite_of_a_random_graph_breaks_what_its_operators_declare)
{
    int reordered = 0, cached = 0, fused = 0, offloaded = 0;

    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        struct written g;
        struct rng r;
        char *text;
        struct scene x;

        rng_keyed(&r, seed, 0, 0, 0, 0);
        text = write_scenario(&g, &r);
        x = scene_of(text);
        for (int i = 0; i < x.found.legal; i++) {
            const struct rewrite *w = &x.found.list[i];
            struct scenario *s = with(&x, &w, 1);
            const struct loader_cfg *c;

            cr_assert_not_null(s, "%s does not build", w->name);
            c = scenario_stage(s, "load")->cfg;
            check_chain(&g, c, w->name);
            check_rest(&g, c, w->name);
            reordered += c->order == LOADER_BEST;
            cached += c->cached >= 0;
            fused += c->fuse;
            offloaded += c->offload;
            scenario_free(s);
        }
        cr_assert_not_null(named(&x, "load.prefetch"));
        scene_end(&x);
        text_free(&(struct text){.s = text});
    }
    cr_expect_gt(reordered, 10);
    cr_expect_gt(cached, 60);
    cr_expect_gt(fused, 10);
    cr_expect_gt(offloaded, 10);
}

static bool excludes(const struct optimization *a, const struct optimization *b)
{
    return !optimizations_compatible(a, b);
}

Test(rules, pairs_that_are_not_legal_together_exclude_each_other)
{
    int excluded = 0;

    for (uint64_t seed = 1; seed <= GRAPHS / 3; seed++) {
        struct optimization *all;
        struct written g;
        struct err err = {0};
        struct rng r;
        struct scene x;
        char *text;
        int n;

        rng_keyed(&r, seed, 1, 0, 0, 0);
        text = write_scenario(&g, &r);
        x = scene_of(text);
        cr_assert_eq(rules_declare(x.tree, "test", NULL, &x.found, &err), 0, "%s", err.text);
        cr_assert_eq(optimizations_read(x.tree, "test", x.a, &all, &n, &err), 0, "%s", err.text);
        cr_assert_eq(n, x.found.legal);
        for (int i = 0; i < n; i++)
            for (int k = 0; k < i; k++) {
                const struct rewrite *pair[] = {&x.found.list[i], &x.found.list[k]};
                struct scenario *s = excludes(&all[i], &all[k]) ? NULL : with(&x, pair, 2);

                excluded += s == NULL;
                cr_assert(s != NULL || excludes(&all[i], &all[k]), "%s with %s", all[i].name, all[k].name);
                if (s != NULL)
                    check_chain(&g, scenario_stage(s, "load")->cfg, all[i].name);
                scenario_free(s);
            }
        scene_end(&x);
        text_free(&(struct text){.s = text});
    }
    cr_expect_gt(excluded, 5);
}

/* ------------------------------------------------------------ one by one */

#define LOADER(params, ops)                                                                                  \
    "{\"name\": \"one\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}}, \"resources\": {\"host\": "   \
    "{\"kind\": \"cores\", \"count\": 2}, \"disk\": {\"kind\": \"disk\"}}, \"stages\": [{\"name\": "         \
    "\"load\", "                                                                                             \
    "\"model\": \"loader\", \"on\": {\"cpu\": \"host\", \"disk\": \"disk\"}, \"params\": {" params           \
    "\"workers\": 2, \"ops\": [" ops "]}}]}"
#define CROP "{\"name\": \"crop\", \"fixed\": \"1ms\", \"random\": true}"
#define CAST "{\"name\": \"cast\", \"per_byte\": \"1ns\", \"bytes_ratio\": 4}"
#define GRAY "{\"name\": \"gray\", \"per_byte\": \"9ns\", \"bytes_ratio\": 0.3}"

Test(rules, behind_a_random_operator_nothing_is_kept)
{
    struct scene x = scene_of(LOADER("", CROP ", " CAST));

    cr_expect_not_null(named(&x, "load.cache-source"));
    cr_expect_null(named(&x, "load.cache-crop"));
    cr_expect_not_null(strstr(refused(&x, "cache"), "not behind \"crop\": it is random"));
    scene_end(&x);
}

Test(rules, what_shrinks_goes_first_and_what_runs_in_its_best_order_stays)
{
    struct scene x = scene_of(LOADER("", CAST ", " GRAY)), y = scene_of(LOADER("", GRAY ", " CAST));

    cr_assert_not_null(named(&x, "load.reorder"));
    cr_expect_not_null(strstr(named(&x, "load.reorder")->about, "Run gray, cast:"));
    cr_expect_null(named(&y, "load.reorder"));
    cr_expect_not_null(refused(&y, "reorder"));
    scene_end(&x);
    scene_end(&y);
}

Test(rules, an_order_that_would_put_a_random_operator_before_the_cache_is_refused)
{
    struct scene x = scene_of(
        LOADER("\"cache_after\": \"cast\", \"cache_bytes\": \"1TB\", ",
               CAST ", {\"name\": \"zoom\", \"per_byte\": \"9ns\", \"bytes_ratio\": 0.1, \"random\": true}"));

    cr_expect_null(named(&x, "load.reorder"));
    cr_assert_not_null(refused(&x, "reorder"));
    cr_expect_not_null(strstr(refused(&x, "reorder"), "random operator \"zoom\""), "%s",
                       refused(&x, "reorder"));
    scene_end(&x);
}

Test(rules, a_declared_rewrite_is_an_optimization_like_any_other)
{
    struct scene x = scene_of(LOADER("", CAST ", " GRAY));
    const struct optimization *o;
    struct optimization *all;
    struct json *by_hand = json_copy(x.tree);
    struct err err = {0};
    char *a, *b;
    int n, again;

    cr_assert_eq(rules_declare(x.tree, "test", NULL, &x.found, &err), 0);
    cr_assert_eq(optimizations_read(x.tree, "test", x.a, &all, &n, &err), 0);
    o = optimization_find(all, n, "load.reorder");
    cr_assert_not_null(o);
    cr_expect_eq(o->touches_n, 1);
    cr_assert_eq(optimization_apply(x.tree, o, &err), 0);
    cr_assert_eq(edit_set_text(by_hand, "load.order=best", &err), 0);
    json_remove(x.tree, "optimizations");
    a = json_compact(x.tree);
    b = json_compact(by_hand);
    cr_expect_str_eq(a, b);
    cr_assert_eq(rules_declare(x.tree, "test", NULL, &x.found, &err), 0);
    cr_assert_eq(rules_declare(x.tree, "test", NULL, &x.found, &err), 0); /* nothing twice */
    cr_assert_eq(optimizations_read(x.tree, "test", x.a, &all, &again, &err), 0);
    cr_expect_eq(again, n);
    json_free(by_hand);
    free(a);
    free(b);
    scene_end(&x);
}

/* ---------------------------------------------------- what stands above */

static int preset(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                  struct err *err)
{
    (void)ctx;
    (void)name;
    (void)err;
    *rows = arena_array(a, 1, sizeof **rows);
    (*rows)[0] = (struct param_row){
        .path = "stages.load.params.order", .json = "\"given\"", .valid_from = NAN, .valid_to = NAN};
    *n = 1;
    return 0;
}

Test(rules, what_a_preset_decides_is_not_proposed)
{
    const struct resolver resolver = {.preset = preset};
    struct scene x = scene_of(LOADER("", CAST ", " GRAY));
    struct rules_found found;
    struct err err = {0};

    cr_assert_not_null(named(&x, "load.reorder"));
    cr_assert_eq(edit_set_text(x.tree, "stages.load.preset=fixed", &err), 0);
    cr_assert_eq(rules_find(x.tree, "test", &resolver, x.a, &found, &err), 0, "%s", err.text);
    for (int i = 0; i < found.n; i++)
        if (strcmp(found.list[i].rule, "reorder") == 0) {
            cr_expect_not(found.list[i].legal);
            cr_expect_not_null(strstr(found.list[i].why, "stands above"));
        }
    rules_free(&found);
    scene_end(&x);
}

Test(rules, a_resource_that_idles_is_cut_to_what_it_does)
{
    struct scene x = scene_of("{\"name\": \"idle\", \"workload\": {\"open\": {\"arrivals\": "
                              "{\"exponential\": \"1s\"}}}, \"resources\": {"
                              "\"pool\": {\"kind\": \"servers\", \"count\": 20, \"price\": \"1usd/h\"}}, "
                              "\"stages\": [{\"name\": \"desk\", "
                              "\"model\": \"station\", \"on\": {\"servers\": \"pool\"}, \"params\": "
                              "{\"service\": {\"exponential\": \"3.5s\"}}}]}");
    const struct rewrite *r = named(&x, "pool.right-size");

    cr_assert_not_null(r); /* 3.5 busy at 70 % */
    cr_expect_eq(json_number(json_get(r->set, "resources.pool.count")), 5);
    scene_end(&x);
}
