#include "models/llm_serving.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* A table by hand: one layer, so that its times can be added up. */
static const struct cost_row hand[] = {
#define ROW(o, d, t, b, c, k, v, s)                                                                          \
    {                                                                                                        \
        "", "", o, v, d, t, b, c, k, NAN, s                                                                  \
    }
    ROW("layernorm", 1, 1, NAN, NAN, NAN, "", 1e-3),
    ROW("layernorm", 1, 101, NAN, NAN, NAN, "", 2e-3),
    ROW("down_proj", 1, 1, NAN, NAN, NAN, "", 10e-3),
    ROW("down_proj", 1, 41, NAN, NAN, NAN, "", 20e-3),
    ROW("down_proj", 1, 51, NAN, NAN, NAN, "", 30e-3),
    ROW("down_proj", 1, 101, NAN, NAN, NAN, "", 30e-3),
    ROW("down_proj", 2, 1, NAN, NAN, NAN, "", 7),
    ROW("embedding", 1, 1, NAN, NAN, NAN, "", 5e-3),
    ROW("embedding", 1, 101, NAN, NAN, NAN, "", 5e-3),
    ROW("lm_head", 1, NAN, 1, NAN, NAN, "", 100e-3),
    ROW("lm_head", 1, NAN, 11, NAN, NAN, "", 200e-3),
    ROW("attention_prefill", 1, 10, 1, 10, 0, "", 1.0),
    ROW("attention_prefill", 1, 10, 1, 10, 100, "", 3.0),
    ROW("attention_prefill", 1, 50, 1, 50, 0, "", 5.0),
    ROW("attention_prefill", 1, 50, 1, 50, 100, "", 13.0),
    ROW("attention_decode", 1, 1, 1, 0, 10, "", 0.1),
    ROW("attention_decode", 1, 1, 1, 0, 110, "", 0.2),
    ROW("attention_decode", 1, 5, 5, 0, 10, "", 0.5),
    ROW("attention_decode", 1, 5, 5, 0, 110, "", 1.0),
    ROW("attention_mixed", 1, 11, 1, 10, 0, "decodes=1,decode_context=10", 1.3),
    ROW("attention_mixed", 1, 11, 1, 10, 0, "decodes=1,decode_context=110", 1.6),
    /* five decodes of 35 on the mean, one of 85: a tenth slower; alone one is split, and beside a chunk two */
    ROW("attention_uneven", 1, 5, 5, 0, 0, "longs=1,longest=85,mean=35,even_us=3e6", 3.3),
    ROW("attention_uneven", 1, 1, 1, 0, 0, "longs=1,longest=85,mean=35,even_us=3e6", 3.0),
    ROW("attention_uneven", 1, 11, 1, 10, 0, "longs=1,longest=110,mean=10,even_us=3e6", 3.6),
    ROW("attention_uneven", 1, 5, 5, 0, 0, "longs=4,longest=85,mean=35,even_us=3e6", 9.9), /* many are long */
    ROW("attention_uneven", 1, 5, 5, 0, 0, "longs=1,longest=45,mean=35,even_us=3e6", 9.9), /* hardly longer */
};

enum { UNEVEN_ROWS = 5 }; /* the last ones */

static struct arena *arena;
static struct err err;
static size_t rows_n = sizeof hand / sizeof *hand;

static int costs(void *ctx, const char *ref, struct arena *a, struct cost_row **rows, size_t *n,
                 struct err *e)
{
    (void)ctx;
    if (strcmp(ref, "trace:hand") != 0)
        return err_set(e, ERR_SCENARIO, "no trace \"%s\"", ref);
    *rows = arena_array(a, rows_n, sizeof **rows);
    memcpy(*rows, hand, rows_n * sizeof *hand);
    *n = rows_n;
    return 0;
}

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(llm_ops, .init = begin, .fini = end);

static struct llm_serving_cfg *configure(const char *params)
{
    static const struct lookup lookup = {.costs = costs};
    const struct model *m = model_find("llm_serving");
    struct model_env env = {.where = "$.params", .arena = arena, .lookup = &lookup};
    struct llm_serving_cfg *c = arena_alloc(arena, m->cfg_size);
    struct json *tree;

    err = (struct err){0};
    cr_assert_eq(json_parse(params, "params", &tree, &err), 0, "%s", err.text);
    if (param_load(m->params, tree, "$.params", arena, c, &err) != 0 || m->check(c, &env, &err) != 0)
        return NULL;
    return c;
}

#define HAND                                                                                                 \
    "{\"ops\": \"trace:hand\", \"max_batch\": 8, \"max_tokens\": 60, \"model\": {\"layers\": 1}, "           \
    "\"hardware\": {\"kernel_gap_s\": 0}"

static void expect(const char *what, double got, double wanted)
{
    cr_expect_float_eq(got, wanted, 1e-9, "%s: %.9g, not %.9g", what, got, wanted);
}

Test(llm_ops, parts_of_an_iteration_add_up)
{
    struct llm_serving_cfg *c = configure(HAND "}");
    struct llm_batch b = {.decodes = 5, .decode_tokens = 5, .context = 60, .longest = 60};
    bool outside = false;

    cr_assert_not_null(c, "%s", err.text);
    /* two norms 1.04 ms each, 11 ms between far knots, embedding, head at 5 sequences: 140 ms, attention 0.75 s
     */
    expect("decode", llm_cost_step(&c->cost, &b, &outside), 2 * 1.04e-3 + 11e-3 + 5e-3 + 140e-3 + 0.75);
    b = (struct llm_batch){.chunk = &(struct llm_chunk){30, 50}, .chunks = 1, .tokens = 30, .finished = 1};
    expect("chunk", llm_cost_step(&c->cost, &b, &outside), 2 * 1.29e-3 + 17.25e-3 + 5e-3 + 100e-3 + 5.5);
    b.tokens = 45; /* of close knots the next one: a tile is worked on as a whole */
    expect("tile", llm_cost_step(&c->cost, &b, &outside), 2 * 1.44e-3 + 30e-3 + 5e-3 + 100e-3 + 5.5);
    cr_expect_not(outside);
}

Test(llm_ops, chunks_share_what_is_fixed_and_decodes_are_dearer_beside_them)
{
    struct llm_serving_cfg *c = configure(HAND ", \"straggler\": \"1ms\"}");
    struct llm_chunk two[] = {{10, 0}, {10, 0}};
    struct llm_batch one = {.chunk = two, .chunks = 1, .tokens = 10},
                     both = {.chunk = two, .chunks = 2, .tokens = 10};
    bool outside = false;

    cr_assert_not_null(c, "%s", err.text);
    expect("the second costs nothing here", llm_cost_step(&c->cost, &both, &outside),
           llm_cost_step(&c->cost, &one, &outside));
    both = (struct llm_batch){.chunk = two,
                              .chunks = 1,
                              .tokens = 10,
                              .decodes = 1,
                              .decode_tokens = 0,
                              .context = 10,
                              .longest = 110};
    /* measured beside a chunk: 1.3 s, a fifth more with one of 110 among 10 on the mean */
    expect("0.3 s instead of 0.1 s, and the longest",
           llm_cost_step(&c->cost, &both, &outside) - llm_cost_step(&c->cost, &one, &outside),
           0.3 + 0.2 * 1.3 + 100e-3);
    rows_n -= UNEVEN_ROWS;
    c = configure(HAND ", \"straggler\": \"1ms\"}");
    rows_n += UNEVEN_ROWS;
    cr_assert_not_null(c, "%s", err.text);
    expect("without a table, what the scenario says",
           llm_cost_step(&c->cost, &both, &outside) - llm_cost_step(&c->cost, &one, &outside),
           0.3 + 100e-3 + 100e-3);
}

Test(llm_ops, the_longest_context_ends_last_where_the_next_measured_batch_is_not_split)
{
    struct llm_serving_cfg *c = configure(HAND "}");
    struct llm_batch b = {.decodes = 5, .decode_tokens = 5, .context = 35, .longest = 35};
    double even, extra = 0.1 * (0.5 + 0.5 * 25 / 100) / 50; /* of 0.625 s a tenth, over 50 tokens */
    bool outside = false;

    cr_assert_not_null(c, "%s", err.text);
    even = llm_cost_step(&c->cost, &b, &outside);
    b.longest = 95;
    expect("60 tokens beyond the mean", llm_cost_step(&c->cost, &b, &outside) - even, 60 * extra);
    expect("and contexts that grow together stay so", llm_cost_decode(&c->cost, &b, &outside).at_s - even,
           60 * extra);
    b = (struct llm_batch){.decodes = 2, .decode_tokens = 2, .context = 35, .longest = 35};
    even = llm_cost_step(&c->cost, &b, &outside);
    b.longest = 95;
    expect("two run as five do", llm_cost_step(&c->cost, &b, &outside) - even, 60 * extra);
    b = (struct llm_batch){.decodes = 1, .decode_tokens = 1, .context = 35, .longest = 95};
    even = llm_cost_step(&c->cost, &b, &outside);
    b.longest = 35;
    expect("one is split", llm_cost_step(&c->cost, &b, &outside), even);
}

Test(llm_ops, leaving_the_table_is_marked)
{
    struct llm_serving_cfg *c = configure(HAND "}");
    struct llm_batch b = {.decodes = 5, .decode_tokens = 5, .context = 500, .longest = 500};
    bool outside = false;

    cr_assert_not_null(c, "%s", err.text);
    llm_cost_step(&c->cost, &b, &outside);
    cr_expect(outside, "a context of 500 is not in the table");
    outside = false;
    b.context = b.longest = 100;
    b.decodes = 7;
    llm_cost_step(&c->cost, &b, &outside);
    cr_expect(outside, "nor is a batch of 7");
}

Test(llm_ops, decode_is_a_line_between_knots)
{
    struct llm_serving_cfg *c = configure(HAND "}");
    struct llm_batch b = {.decodes = 5, .decode_tokens = 5, .context = 20, .longest = 20}, later = b;
    bool outside = false;
    struct llm_line line = llm_cost_decode(&c->cost, &b, &outside);

    expect("knot", line.until, 110);
    later.context = later.longest = 90;
    expect("there", line.at_s + 70 * line.slope_s, llm_cost_step(&c->cost, &later, &outside));
}

Test(llm_ops, what_is_wrong_with_a_table_is_told)
{
    static const struct {
        const char *params, *says;
    } wrong[] = {
        {"{\"ops\": \"trace:none\", \"model\": {}}", "no trace \"trace:none\""},
        {"{\"ops\": \"trace:hand\"}", "needs `model`"},
        {"{\"ops\": \"trace:hand\", \"tp\": 4, \"model\": {}}", "no row of the table is for 4 devices"},
        {"{\"ops\": {\"prefil\": []}}", "did you mean \"prefill\"?"},
        {"{\"ops\": {\"prefill\": [[1, \"1s\"]], \"decode\": []}}", "$.params.ops.decode"},
        {"{\"ops\": {\"prefill\": [[10, \"1s\"], [5, \"2s\"]], \"decode\": [[1, \"1s\"]]}}",
         "sizes must rise"},
        {"{\"ops\": {\"prefill\": [[10, \"fast\"]], \"decode\": [[1, \"1s\"]]}}", "$.params.ops.prefill[0]"},
        {"{\"model\": \"no-such\"}", "cannot be looked up here"},
        {"{\"model\": {\"leyers\": 3}}", "layers"},
        {"{\"hardware\": {\"memory\": \"10GB\"}}", "the weights take"},
        {"{\"max_batch\": 100, \"max_tokens\": 50}", "$.params.max_tokens"},
        {"{\"policy\": \"disaggregated\"}", "leave none to decode"},
        {"{\"ep\": 2}", "no experts"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_null(configure(wrong[i].params), "%s was taken", wrong[i].params);
        cr_expect_not_null(strstr(err.text, wrong[i].says), "%s: %s", wrong[i].params, err.text);
    }
}

Test(llm_ops, memory_beside_the_weights_holds_blocks)
{
    struct llm_serving_cfg *c = configure("{\"model\": {}, \"hardware\": {}}");
    double bytes = 0.9 * 80e9 - 8.030e9 * 2 - 2e9;

    cr_assert_not_null(c, "%s", err.text);
    cr_expect_lt(fabs((double)c->blocks / (bytes / (131072 * 16)) - 1), 0.01, "%ld blocks", c->blocks);
}
