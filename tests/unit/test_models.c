#include "models/model.h"
#include "models/preprocess.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* One suite over every model: what is registered must hold what the contract in models/model.h promises. */

static struct err err;
static struct arena *arena;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(models, .init = begin, .fini = end);

static const struct dataset_cfg *dataset(const char *text)
{
    struct dataset_cfg *d = arena_alloc(arena, sizeof *d);
    struct json *tree;

    cr_assert_eq(json_parse(text, "dataset", &tree, &err), 0, "%s", err.text);
    cr_assert_eq(param_load(dataset_params, tree, "$.dataset", arena, d, &err), 0, "%s", err.text);
    json_free(tree);
    return d;
}

/* The configuration a scenario would build; the tree stays alive with the test. NULL when it is refused. */
static void *configure(const struct model *m, const char *params)
{
    struct model_env env = {.data = dataset("{}"), .where = "$.params", .arena = arena};
    void *cfg = arena_alloc(arena, m->cfg_size);
    struct json *tree = NULL;

    cr_assert_eq(json_parse(params, "params", &tree, &err), 0, "%s", err.text);
    if (param_load(m->params, tree, "$.params", arena, cfg, &err) != 0)
        return NULL;
    if (m->check != NULL && m->check(cfg, &env, &err) != 0)
        return NULL;
    return cfg;
}

/* ------------------------------------------------------------------------------------- the registry */

static void expect_sentence(const char *model, const char *what, const char *s)
{
    cr_assert_not_null(s, "%s.%s has no text", model, what);
    cr_expect(strlen(s) >= 8, "%s.%s says too little: \"%s\"", model, what, s);
    cr_expect(isupper((unsigned char)s[0]), "%s.%s: \"%s\"", model, what, s);
    cr_expect(!isspace((unsigned char)s[strlen(s) - 1]) && strchr(",;:", s[strlen(s) - 1]) == NULL,
              "%s.%s ends in the middle: \"%s\"", model, what, s);
    cr_expect_null(strstr(s, "  "), "%s.%s: \"%s\"", model, what, s);
}

static void expect_param(const char *owner, const struct param *p)
{
    expect_sentence(owner, p->name, p->help);
    cr_expect(islower((unsigned char)p->name[0]), "%s.%s", owner, p->name);
    if (p->type == PARAM_REAL || p->type == PARAM_INT || p->type == PARAM_LAW)
        cr_expect(isfinite(p->min) && isfinite(p->max) && p->min < p->max + (p->min == p->max),
                  "%s.%s: range %g .. %g", owner, p->name, p->min, p->max);
    if (p->type == PARAM_CHOICE || p->type == PARAM_COSTS)
        cr_expect(p->choices != NULL && p->choices[0] != NULL, "%s.%s has no choices", owner, p->name);
    if (p->type != PARAM_JSON)
        cr_expect_not_null(p->def, "%s.%s has no default", owner, p->name);
}

static void expect_table(const char *owner, const struct param *table)
{
    for (const struct param *p = table; p->type != PARAM_END; p++) {
        expect_param(owner, p);
        for (const struct param *q = table; q < p; q++)
            cr_expect_str_neq(p->name, q->name, "%s.%s stands twice", owner, p->name);
    }
}

Test(models, every_table_is_complete)
{
    expect_table("dataset", dataset_params);
    for (size_t i = 0; models[i] != NULL; i++) {
        const struct model *m = models[i];

        expect_table(m->name, m->params);
        expect_sentence(m->name, "about", m->about);
        cr_expect_eq(m->about[strlen(m->about) - 1], '.', "%s: \"%s\"", m->name, m->about);
        cr_expect(strlen(m->title) > 3, "%s", m->name);
        cr_expect(m->cfg_size > 0 && m->roles != NULL && m->shape != NULL && m->demand != NULL, "%s",
                  m->name);
        cr_expect(m->ops != NULL || (m->operators != NULL && m->operator_name != NULL), "%s", m->name);
        cr_expect_eq(model_find(m->name), m);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(models[k]->name, m->name);
    }
}

Test(models, every_default_is_valid)
{
    for (size_t i = 0; models[i] != NULL; i++) {
        void *cfg = arena_alloc(arena, models[i]->cfg_size);

        cr_expect_eq(param_load(models[i]->params, NULL, "$.params", arena, cfg, &err), 0, "%s: %s",
                     models[i]->name, err.text);
    }
}

Test(models, a_name_is_found_or_the_nearest_one_is_named)
{
    cr_expect_null(model_find("preproces"));
    cr_expect_str_eq(model_nearest("preproces"), "preprocess");
    cr_expect_str_eq(model_nearest("sttaion"), "station");
    cr_expect_null(model_nearest("xyzzyplugh"));
}

/* --------------------------------------------------------------------------------------- the demand */

/* Settings in which everything has a cost and everything is noisy. */
#define COST "{\"fixed\": \"30us\", \"per_item\": \"20ns\", \"per_byte\": \"1ns\", \"cv\": 0.5}"
static const struct example {
    const char *model, *params;
    bool hit;
    double distinct;
} examples[] = {
    {"gpu_training",
     "{\"zero\": 3, \"recompute\": \"full\", \"step_cv\": 0.1, \"node_mtbf\": \"1h\", \"checkpoint\": "
     "\"20s\"}",
     false, 0},
    {"station", "{\"service\": {\"exponential\": \"2ms\"}}", false, 0},
    {"station", "{\"service\": {\"lognormal\": {\"mean\": \"2ms\", \"cv\": 1.5}}}", false, 0},
    {"operators",
     "{\"batch\": 8, \"ops\": [{\"name\": \"read\", \"disk_bytes\": {\"gamma\": {\"mean\": \"90kB\", \"cv\": "
     "1}}},"
     " {\"name\": \"decode\", \"cpu\": {\"uniform\": [\"1ms\", \"3ms\"]}, \"net_bytes\": {\"exponential\": "
     "\"5kB\"}},"
     " {\"name\": \"step\", \"per_batch\": true, \"gpu\": {\"empirical\": [\"1ms\", \"2ms\", \"9ms\"]}}]}",
     false, 0},
    {"llm_hosted", "{}", false, 0},
    {"llm_serving",
     "{\"input_tokens\": 288, \"output_tokens\": {\"uniform\": [16, 48]}, \"max_batch\": 8, \"policy\": "
     "\"vllm\", "
     "\"ops\": {\"prefill\": [[96, \"20ms\"], [544, \"122ms\"]], \"decode\": [[1, \"4ms\"], [8, \"9ms\"]]}}",
     false, 0},
    {"etl",
     "{\"order\": \"session\", \"codec\": \"lz4\", \"ratio_session_lz4\": 0.4, \"costs\": {\"parse\": " COST
     ", \"join\": " COST ", \"order_session\": " COST ", \"encode\": " COST ", \"compress_lz4\": " COST
     ", \"write\": " COST "}}",
     false, 0},
    {"label",
     "{\"costs\": {\"open\": " COST ", \"parse\": " COST ", \"index\": " COST ", \"read\": " COST
     ", \"decompress_zstd\": " COST ", \"decode\": " COST ", \"join\": " COST ", \"encode\": " COST
     ", \"compress_zstd\": " COST ", \"write\": " COST "}}",
     false, 0},
    {"label",
     "{\"layout\": \"delta\", \"align\": \"key\", \"costs\": {\"parse\": " COST ", \"column_zstd\": " COST
     ", \"key_column_zstd\": " COST ", \"write\": " COST "}}",
     false, 0},
    {"storage",
     "{\"projection\": true, \"costs\": {\"open\": " COST ", \"read\": " COST ", \"decompress_zstd\": " COST
     ", \"decode\": " COST "}}",
     false, 0},
    {"preprocess",
     "{\"dedup\": true, \"fuse\": true, \"costs\": {\"filter\": " COST ", \"dedup\": " COST
     ", \"fused_sparse\": " COST ", \"fused_dense\": " COST ", \"collate\": " COST "}}",
     false, 0},
    {"preprocess", "{\"cache\": true, \"costs\": {\"cache_hit\": " COST "}}", true, 0},
    {"training",
     "{\"costs\": {\"embed\": " COST ", \"expand\": " COST ", \"mlp\": " COST ", \"scatter\": " COST "}}",
     false, 60},
    {"spark", "{\"stages\": [{\"name\": \"scan\", \"tasks\": 8, \"cpu\": \"2s\", \"read_bytes\": \"80MB\"}]}",
     false, 0},
    {"experiment", "{}", false, 0},
    {"loader", "{\"ops\": [{\"name\": \"decode\", \"fixed\": \"2ms\", \"cv\": 0.5}]}", false, 0},
    {"prompt", "{\"graph\": \"direct\"}", false, 0},
    {"inference", "{\"max_batch\": 8}", false, 0},
    {"inference", "{\"task\": \"rerank\", \"table\": [[100, 0.01], [1000, 0.03], [4000, 0.2]]}", false, 0},
    {"vector_db", "{\"index\": \"ivf\", \"cache_entries\": 1000}", false, 0},
    {"vector_db", "{\"index\": \"ssd_graph\", \"dims\": 128}", false, 0},
    {"vector_db", "{\"operation\": \"insert\", \"compact_every\": 1000}", false, 0},
    {"tool", "{\"fail_frac\": 0.1, \"timeout\": \"1s\"}", false, 0},
    {"feature_store", "{\"cache_entries\": 1000}", false, 0},
    {"feature_store", "{\"mode\": \"offline\"}", false, 0},
    {"loader",
     "{\"offload\": true, \"order\": \"best\", \"hand_over_byte\": \"1ns\", \"ops\": [{\"name\": \"decode\", "
     "\"per_byte\": \"50ns\", "
     "\"bytes_ratio\": 5, \"cv\": 0.8}, {\"name\": \"crop\", \"fixed\": \"1ms\", \"random\": true, "
     "\"remote\": true, \"cv\": 0.5}]}",
     false, 0},
    {"spark", "{\"stages\": [{\"name\": \"map\", \"tasks\": 8, \"cpu\": \"2s\", \"read_bytes\": \"1GB\"}]}",
     false, 0},
    {"experiment", "{\"layout\": \"delta\"}", false, 0},
};
enum { EXAMPLES = sizeof examples / sizeof *examples, DRAWS = 20000, OPS_MAX = 32 };

static struct item example_item(const struct example *x)
{
    return (struct item){.count = 8,
                         .rows = 512,
                         .bytes = 4e5,
                         .used_bytes = 2e5,
                         .encoded_bytes = 9e5,
                         .encoded_used_bytes = 5e5,
                         .stripe_rows = 512,
                         .order = ORDER_SESSION,
                         .codec = CODEC_ZSTD,
                         .crosses = 8,
                         .distinct = x->distinct,
                         .hit = x->hit,
                         .data = dataset("{}")};
}

struct wanted {
    double amount[ROLES][OPS_MAX];
};

static struct wanted demand_of(const struct model *m, const void *cfg, const struct item *in,
                               const struct luck *luck, struct item *leave)
{
    struct wanted w = {0};
    struct demand d = {0};

    *leave = *in;
    m->demand(cfg, in, luck, &d, leave);
    cr_assert((d.n > 0 || m->server != NULL) && d.n <= DEMAND_MAX, "%s", m->name);
    for (int i = 0; i < d.n; i++) {
        const struct phase *p = &d.phases[i];

        cr_assert(p->op >= 0 && p->op < model_operators(m, cfg) && p->op < OPS_MAX, "%s", m->name);
        cr_assert(p->amount >= 0 && isfinite(p->amount), "%s", m->name);
        w.amount[p->role][p->op] += p->amount;
    }
    return w;
}

static void expect_mean_demand(const struct example *x)
{
    const struct model *m = model_find(x->model);
    const void *cfg = configure(m, x->params);
    struct item in = example_item(x), leave, again;
    double sum[ROLES][OPS_MAX] = {{0}}, square[ROLES][OPS_MAX] = {{0}};
    struct wanted mean, w;

    cr_assert_not_null(cfg, "%s: %s", x->model, err.text);
    mean = demand_of(m, cfg, &in, NULL, &leave);
    for (int k = 0; k < DRAWS; k++) {
        struct luck luck = {.seed = 7, .stage = 99, .replication = 1};

        in.key = (uint64_t)k * 0x9e3779b97f4a7c15ULL;
        w = demand_of(m, cfg, &in, &luck, &again);
        cr_assert(again.rows == leave.rows && again.bytes == leave.bytes && again.distinct == leave.distinct,
                  "%s: how an item leaves must not depend on luck", x->model);
        for (int r = 0; r < ROLES; r++)
            for (int o = 0; o < OPS_MAX; o++) {
                sum[r][o] += w.amount[r][o];
                square[r][o] += w.amount[r][o] * w.amount[r][o];
            }
    }
    for (int r = 0; r < ROLES; r++)
        for (int o = 0; o < OPS_MAX; o++) {
            double got = sum[r][o] / DRAWS, var = fmax(0, square[r][o] / DRAWS - got * got);
            double se = sqrt(var / DRAWS), off = fabs(got - mean.amount[r][o]);

            cr_expect(off <= 4 * se + 1e-12 * got, "%s, %s, %s: mean of draws %g +- %g, mean demand %g",
                      x->model, role_name((enum role)r),
                      o < model_operators(m, cfg) ? model_operator_name(m, cfg, o) : "-", got, se,
                      mean.amount[r][o]);
        }
}

Test(models, demand_without_luck_is_the_mean_of_demand_with_luck)
{
    for (size_t i = 0; i < EXAMPLES; i++)
        expect_mean_demand(&examples[i]);
}

Test(models, every_model_stands_among_the_examples)
{
    for (size_t i = 0; models[i] != NULL; i++) {
        bool found = false;

        for (size_t k = 0; k < EXAMPLES; k++)
            found = found || strcmp(examples[k].model, models[i]->name) == 0;
        cr_expect(found, "%s has no example, so its demand is not tested", models[i]->name);
    }
}

Test(models, the_same_item_has_the_same_luck)
{
    for (size_t i = 0; i < EXAMPLES; i++) {
        const struct model *m = model_find(examples[i].model);
        const void *cfg = configure(m, examples[i].params);
        struct item in = example_item(&examples[i]), leave;
        struct luck luck = {.seed = 7, .stage = 99, .replication = 1}, other = luck;
        struct wanted a, b, c;

        cr_assert_not_null(cfg, "%s: %s", m->name, err.text);
        other.replication = 2;
        a = demand_of(m, cfg, &in, &luck, &leave);
        b = demand_of(m, cfg, &in, &luck, &leave);
        c = demand_of(m, cfg, &in, &other, &leave);
        cr_expect_eq(memcmp(&a, &b, sizeof a), 0, "%s", m->name);
        if (m->server == NULL) /* a server draws when things happen; its demand is the mean, for the bound */
            cr_expect_neq(memcmp(&a, &c, sizeof a), 0, "%s: another replication, the same luck", m->name);
    }
}

Test(models, best_demand_asks_for_no_more_than_demand)
{
    for (size_t i = 0; i < EXAMPLES; i++) {
        const struct model *m = model_find(examples[i].model);
        const void *cfg = configure(m, examples[i].params);
        struct item in = example_item(&examples[i]), leave = in;
        double mean[ROLES] = {0}, best[ROLES] = {0};
        struct demand d = {0};

        if (m->best_demand == NULL)
            continue;
        m->demand(cfg, &in, NULL, &d, &leave);
        for (int k = 0; k < d.n; k++)
            mean[d.phases[k].role] += d.phases[k].amount;
        d.n = 0;
        leave = in;
        m->best_demand(cfg, &in, &d, &leave);
        for (int k = 0; k < d.n; k++)
            best[d.phases[k].role] += d.phases[k].amount;
        for (int r = 0; r < ROLES; r++)
            cr_expect(best[r] <= mean[r] * (1 + 1e-12), "%s, %s: best %g, mean %g", m->name,
                      role_name((enum role)r), best[r], mean[r]);
    }
}

/* ------------------------------------------------------------------------------ the preprocess chain */

static void expect_chain(const char *params, const char *expected)
{
    const struct preprocess_cfg *c = configure(model_find("preprocess"), params);
    char got[200] = "";

    cr_assert_not_null(c, "%s: %s", params, err.text);
    for (int i = 0; i < c->chain_n; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "",
                 prep_op_names[c->chain[i]]);
    cr_expect_str_eq(got, expected, "%s gives %s", params, got);
}

Test(models, preprocess_chains_stand_as_ordered_deduplicated_and_fused)
{
    expect_chain("{}", "hash cross clip bucketize filter");
    expect_chain("{\"dedup\": true}", "dedup hash cross clip bucketize filter");
    expect_chain("{\"dedup\": true, \"ops\": [\"filter\", \"hash\", \"cross\", \"clip\", \"bucketize\"]}",
                 "filter dedup hash cross clip bucketize");
    expect_chain("{\"fuse\": true}", "fused_sparse fused_dense filter");
    expect_chain("{\"fuse\": true, \"dedup\": true, \"ops\": [\"filter\", \"clip\", \"hash\", \"bucketize\", "
                 "\"cross\"]}",
                 "filter dedup fused_dense fused_sparse");
    expect_chain("{\"ops\": [\"clip\", \"bucketize\", \"hash\", \"filter\", \"cross\"]}",
                 "clip bucketize hash filter cross");
}

Test(models, preprocess_refuses_orders_that_make_no_sense)
{
    static const struct {
        const char *params, *says;
    } cases[] = {
        {"{\"ops\": [\"filter\"]}", "1 operators"},
        {"{\"ops\": [\"filter\", \"cross\", \"hash\", \"clip\", \"bucketize\"]}", "must come after"},
        {"{\"ops\": [\"hash\", \"hash\", \"cross\", \"clip\", \"bucketize\"]}", "ops[1]: \"hash\""},
        {"{\"ops\": [\"filter\", \"hash\", \"cross\", \"clip\", \"bucketise\"]}", "ops[4]: \"bucketise\""},
        {"{\"ops\": [\"dedup\", \"hash\", \"cross\", \"clip\", \"bucketize\"]}", "ops[0]: \"dedup\""},
        {"{\"ops\": [\"filter\", \"hash\", \"cross\", \"clip\", \"bucketize\", \"clip\"]}", "ops[5]"},
        {"{\"ops\": [1, 2, 3, 4, 5]}", "ops[0]"},
        {"{\"ops\": \"filter\"}", "ops"},
        {"{\"ops\": {\"filter\": 1}}", "ops"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err = (struct err){0};
        cr_expect_null(configure(model_find("preprocess"), cases[i].params), "accepted: %s", cases[i].params);
        cr_expect_eq(err.code, ERR_SCENARIO);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s: \"%s\" does not say \"%s\"", cases[i].params,
                           err.text, cases[i].says);
    }
}

Test(models, preprocess_cuts_a_stripe_into_batches_that_are_full_at_most)
{
    const struct preprocess_cfg *c = configure(model_find("preprocess"), "{\"batch\": 256}");
    const struct dataset_cfg *d = dataset("{\"keep_frac\": 0.6}");

    cr_expect_eq(preprocess_slices(c, d, 4096), 10); /* 2457.6 rows are kept: 9.6 batches */
    cr_expect_eq(preprocess_slices(c, d, 426), 1);
    cr_expect_eq(preprocess_slices(c, d, 427), 2);
    cr_expect_eq(preprocess_slices(c, d, 1), 1);
    d = dataset("{\"keep_frac\": 1}");
    cr_expect_eq(preprocess_slices(c, d, 4096), 16);
}
