#include "llm_host.h"

#include "models/model.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* One second a token of a prompt, and 0.1 s a decode step whatever the batch: times can be told by hand. */
#define SECONDS                                                                                              \
    "\"ops\": {\"prefill\": [[1, \"1s\"], [1000, \"1000s\"]], \"decode\": [[1, \"100ms\"], [1000, "          \
    "\"100ms\"]]}"
#define PLAIN "\"prefix_cache\": false, \"watermark\": 0, "

static struct arena *arena;
static struct llm_test_host t;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(llm_engine, .init = begin, .fini = end);

static void *configure(const char *params)
{
    const struct model *m = model_find("llm_serving");
    struct model_env env = {.where = "$.params", .arena = arena};
    void *cfg = arena_alloc(arena, m->cfg_size);
    struct json *tree;
    struct err err = {0};

    cr_assert_eq(json_parse(params, "params", &tree, &err), 0, "%s", err.text);
    cr_assert_eq(param_load(m->params, tree, "$.params", arena, cfg, &err), 0, "%s", err.text);
    cr_assert_eq(m->check(cfg, &env, &err), 0, "%s", err.text);
    return cfg;
}

static void run(const char *params, struct llm_test_request *q, long n, long gpus)
{
    llm_test_open(&t, configure(params), q, n, gpus);
    llm_test_run(&t);
    cr_assert_eq(t.left, n);
    cr_assert_eq(t.seized, 0, "%ld accelerators were not given back", t.seized);
}

static void expect(const char *what, double got, double wanted)
{
    cr_expect_float_eq(got, wanted, 1e-6, "%s: %.9g, not %.9g", what, got, wanted);
}

/* ------------------------------------------------------------ one request, every policy */

Test(llm_engine, one_request_takes_its_prompt_and_its_steps_under_every_policy)
{
    static const char *const policies[] = {"static", "orca", "vllm", "chunked"};

    for (size_t i = 0; i < 4; i++) {
        struct llm_test_request q[] = {{.at_s = 5, .input = 10, .output = 21}};
        char params[400];

        snprintf(params, sizeof params, "{\"policy\": \"%s\", " PLAIN SECONDS "}", policies[i]);
        run(params, q, 1, 1);
        expect("left", q[0].left_s, 5 + 10 + 20 * 0.1);
        expect("ttft", q[0].r.ttft_s, 10);
        expect("tpot", q[0].r.tpot_s, 0.1);
        expect("queue", q[0].r.queue_s, 0);
        llm_test_close(&t);
    }
}

Test(llm_engine, equal_decode_steps_are_one_event)
{
    struct llm_test_request q[] = {{.input = 10, .output = 100001}};

    run("{" PLAIN SECONDS "}", q, 1, 1);
    cr_expect_leq(t.host.sim->events, 6);
    expect("steps", t.op_s[LLM_OP_DECODE], 100000 * 0.1);
}

Test(llm_engine, an_arrival_cuts_the_jump_at_the_next_boundary)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 1, .output = 1001},
                                   {.at_s = 1.55, .input = 2, .output = 2}};

    /* The first decodes from 1 s on; steps end at 1.1, 1.2 ... The second comes amid the step ending at 1.6.
     */
    run("{\"policy\": \"vllm\", " PLAIN SECONDS "}", q, 2, 1);
    expect("queue", q[1].r.queue_s, 0.05);
    expect("ttft", q[1].r.ttft_s, 0.05 + 2);
    expect("left", q[1].left_s, 1.6 + 2 + 0.1);
    expect("the first waited for the prompt", q[0].left_s, 1 + 2 + 1000 * 0.1);
}

Test(llm_engine, asynchronous_scheduling_lets_the_composed_step_go_first)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 1, .output = 1001},
                                   {.at_s = 1.55, .input = 2, .output = 2}};

    /* Taken in at 1.6, when the step that ends at 1.7 has been composed. */
    run("{\"policy\": \"chunked\", \"async_scheduling\": true, " PLAIN SECONDS "}", q, 2, 1);
    expect("queue", q[1].r.queue_s, 0.05);
    expect("first token", q[1].at_s + q[1].r.ttft_s, 1.7 + 2 + 0.1 - 0.1);
}

/* ------------------------------------------------------------ policies differ */

Test(llm_engine, a_static_batch_leaves_together)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 1, .output = 11},
                                   {.at_s = 0.5, .input = 3, .output = 2},
                                   {.at_s = 0.6, .input = 5, .output = 21}};

    /* The first runs alone until 2 s; then two prompts, both padded to 5 tokens, and 20 steps for both. */
    run("{\"policy\": \"static\", " PLAIN SECONDS "}", q, 3, 1);
    expect("first", q[0].left_s, 2);
    expect("short one", q[1].left_s, 2 + 10 + 2);
    expect("long one", q[2].left_s, 2 + 10 + 2);
}

Test(llm_engine, chunks_share_the_token_budget_with_those_that_decode)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 4, .output = 1001},
                                   {.at_s = 0.5, .input = 10, .output = 2}};

    /* Budget 5: the first takes 4 tokens. Then 4 tokens beside each decode: chunks of 4, 4, 2. A mixed step
       costs the chunk plus the decode less what both share, a step at batch 1. */
    run("{\"max_batch\": 5, \"max_tokens\": 5, " PLAIN SECONDS "}", q, 2, 1);
    expect("ttft", q[1].at_s + q[1].r.ttft_s, 4 + 4 + 4 + 2);
}

Test(llm_engine, prefill_first_stops_the_decodes)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 1, .output = 11},
                                   {.at_s = 0.5, .input = 1, .output = 2},
                                   {.at_s = 1.05, .input = 50, .output = 1}};

    run("{\"policy\": \"vllm\", " PLAIN SECONDS "}", q, 3, 1);
    expect("waits for 50 tokens", q[0].left_s, 1 + 1 + 50 + 1);
    expect("a single token leaves with its prompt", q[2].left_s, 52);
}

Test(llm_engine, max_batch_limits_who_runs)
{
    struct llm_test_request q[3];

    for (int i = 0; i < 3; i++)
        q[i] = (struct llm_test_request){.input = 1, .output = 11};
    run("{\"policy\": \"orca\", \"max_batch\": 2, " PLAIN SECONDS "}", q, 3, 1);
    expect("two together", q[1].left_s, q[0].left_s);
    expect("the third afterwards", q[2].left_s, q[0].left_s + 1 + 1);
    cr_expect_gt(llm_test_figure(&t, "batch_mean"), 1.2);
}

Test(llm_engine, the_urgent_and_the_short_can_go_first)
{
    struct llm_test_request q[4];
    const struct llm_test_request fresh[4] = {{.at_s = 0, .input = 4, .output = 1, .class = 1},
                                              {.at_s = 1, .input = 3, .output = 1, .class = 1},
                                              {.at_s = 2, .input = 2, .output = 1, .class = 1},
                                              {.at_s = 3, .input = 3, .output = 1, .class = 0}};

    /* One at a time: the first runs until 4 s, when all the others wait. */
    memcpy(q, fresh, sizeof q);
    run("{\"policy\": \"vllm\", \"max_batch\": 1, " PLAIN SECONDS "}", q, 4, 1);
    expect("fifo: the second", q[1].left_s, 7);
    expect("fifo: the last", q[3].left_s, 12);
    llm_test_close(&t);
    memcpy(q, fresh, sizeof q);
    run("{\"policy\": \"vllm\", \"max_batch\": 1, \"order\": \"class\", " PLAIN SECONDS "}", q, 4, 1);
    expect("class: the urgent one", q[3].left_s, 7);
    expect("class: then as they came", q[1].left_s, 10);
    expect("class: the last", q[2].left_s, 12);
    llm_test_close(&t);
    memcpy(q, fresh, sizeof q);
    run("{\"policy\": \"vllm\", \"max_batch\": 1, \"order\": \"shortest_prompt\", " PLAIN SECONDS "}", q, 4,
        1);
    expect("short: two tokens", q[2].left_s, 6);
    expect("short: of equals who came first", q[1].left_s, 9);
    expect("short: the last", q[3].left_s, 12);
}

Test(llm_engine, memory_is_taken_from_the_least_urgent)
{
    struct llm_test_request q[] = {{.input = 16, .output = 30, .class = 1},
                                   {.input = 16, .output = 30, .class = 0}};

    /* Four blocks of 16, three each in the end: the urgent one, admitted first, keeps its own. */
    run("{\"policy\": \"vllm\", \"kv_blocks\": 4, \"order\": \"class\", " PLAIN SECONDS "}", q, 2, 1);
    cr_expect_gt(llm_test_figure(&t, "preemptions_per_request"), 0);
    cr_expect_lt(q[1].left_s, q[0].left_s);
}

Test(llm_engine, what_is_set_aside_limits_the_batch)
{
    static const struct {
        const char *params;
        double batch;
    } cases[] = {{"", 3}, /* 10 + 10 tokens: of 64 three times */
                 {"\"buddies\": true, ", 2},
                 {"\"reserve_tokens\": 64, ", 1}};

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct llm_test_request q[6];
        char params[400];

        for (int i = 0; i < 6; i++)
            q[i] = (struct llm_test_request){.input = 10, .output = 10};
        snprintf(params, sizeof params,
                 "{\"policy\": \"orca\", \"kv_blocks\": 64, \"block_tokens\": 1, %s" PLAIN SECONDS "}",
                 cases[k].params);
        run(params, q, 6, 1);
        expect(cases[k].params, q[5].left_s, 6 / cases[k].batch * (cases[k].batch * 10 + 0.9));
        llm_test_close(&t);
    }
}

Test(llm_engine, load_is_what_the_best_batch_would_have_needed)
{
    struct llm_test_request q[4];

    /* Alone each: 1 s of prompt and 10 steps; together 4 s of prompts and the same 10 steps. */
    for (int i = 0; i < 4; i++)
        q[i] = (struct llm_test_request){.at_s = 10 * i, .input = 1, .output = 11};
    run("{\"policy\": \"vllm\", \"max_batch\": 4, " PLAIN SECONDS "}", q, 4, 1);
    expect("until 32 s", llm_test_figure(&t, "load_frac"), 4 * (1 + 10 * 0.1 / 4) / 32);
    expect("slots", llm_test_figure(&t, "batch_slots_frac"), 0.25);
}

/* ------------------------------------------------------------ memory */

Test(llm_engine, a_request_longer_than_the_memory_is_lost)
{
    struct llm_test_request q[] = {{.input = 100, .output = 100}, {.input = 50, .output = 2}};

    run("{\"kv_blocks\": 10, " PLAIN SECONDS "}", q, 2, 1);
    cr_expect(q[0].lost);
    cr_expect_not(q[1].lost);
    expect("share", llm_test_figure(&t, "too_long_frac"), 0.5);
}

Test(llm_engine, without_memory_the_last_one_is_computed_again)
{
    struct llm_test_request q[] = {{.input = 16, .output = 30}, {.input = 16, .output = 30}};

    /* Four blocks of 16: each needs three in the end. The second is preempted and computed anew. */
    run("{\"policy\": \"vllm\", \"kv_blocks\": 4, " PLAIN SECONDS "}", q, 2, 1);
    cr_expect_gt(llm_test_figure(&t, "preemptions_per_request"), 0);
    cr_expect_gt(q[1].left_s, q[0].left_s);
    cr_expect_lt(q[0].left_s, 32 + 30 * 0.1);
    expect("it queued once", q[1].r.queue_s, 0);
}

Test(llm_engine, swapping_takes_the_bus_instead)
{
    struct llm_test_request q[2], p[2];

    for (int i = 0; i < 2; i++)
        q[i] = p[i] = (struct llm_test_request){.input = 16, .output = 30};
    run("{\"policy\": \"vllm\", \"kv_blocks\": 4, \"preemption\": \"swap\", " PLAIN SECONDS "}", q, 2, 1);
    cr_expect_gt(llm_test_figure(&t, "preemptions_per_request"), 0);
    llm_test_close(&t);
    run("{\"policy\": \"vllm\", \"kv_blocks\": 4, " PLAIN SECONDS "}", p, 2, 1);
    cr_expect_lt(q[1].left_s, p[1].left_s, "no token is computed twice");
}

Test(llm_engine, memory_never_runs_over_in_a_crowd)
{
    static const char *const variants[] = {"\"policy\": \"vllm\"",
                                           "\"policy\": \"chunked\"",
                                           "\"policy\": \"chunked\", \"async_scheduling\": true",
                                           "\"policy\": \"vllm\", \"preemption\": \"swap\"",
                                           "\"policy\": \"orca\"",
                                           "\"policy\": \"static\"",
                                           "\"policy\": \"chunked\", \"draft_tokens\": 3"};
    enum { N = 400 };
    static struct llm_test_request q[N];
    struct rng r;

    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        char params[600];

        rng_stream(&r, 7, 0, "crowd");
        for (int i = 0; i < N; i++)
            q[i] = (struct llm_test_request){.at_s = i * 0.5,
                                             .input = 1 + (long)(rng_uniform(&r) * 60),
                                             .output = 1 + (long)(rng_uniform(&r) * 60)};
        snprintf(params, sizeof params,
                 "{%s, \"max_batch\": 16, \"max_tokens\": 64, \"kv_blocks\": 40, \"block_tokens\": 4, "
                 "\"prefix_cache\": false, "
                 "\"ops\": {\"prefill\": [[1, \"1ms\"], [100, \"100ms\"]], \"decode\": [[1, \"10ms\"], [16, "
                 "\"20ms\"]]}}",
                 variants[v]);
        run(params, q, N, 1); /* assert_laws() holds blocks, requests and steps to their sums */
        expect("no block is left behind", (double)((struct llm_engine *)t.state)->replica[0].kv.free, 40);
        llm_test_close(&t);
    }
}

/* ------------------------------------------------------------ prefixes */

static const uint64_t chain[] = {11, 22, 33, 44}, other[] = {22, 11, 33, 44};
#define BLOCKS(h) .blocks = (h), .blocks_n = 4, .block_tokens = 16

Test(llm_engine, a_prefix_is_computed_once)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 65, .output = 1, BLOCKS(chain)},
                                   {.at_s = 100, .input = 65, .output = 1, BLOCKS(chain)},
                                   {.at_s = 200, .input = 65, .output = 1, BLOCKS(other)}};

    run("{" SECONDS "}", q, 3, 1);
    expect("whole", q[0].r.ttft_s, 65);
    expect("the last token", q[1].r.ttft_s, 1);
    expect("other order, other prefix", q[2].r.ttft_s, 65);
    expect("hits", llm_test_figure(&t, "prefix_hit_frac"), 64.0 / (3 * 65));
}

Test(llm_engine, the_last_token_of_a_prompt_is_always_computed)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 64, .output = 1, BLOCKS(chain)},
                                   {.at_s = 100, .input = 64, .output = 1, BLOCKS(chain)}};

    run("{" SECONDS "}", q, 2, 1);
    expect("three pieces of four", q[1].r.ttft_s, 16);
}

Test(llm_engine, what_falls_out_of_the_cache_comes_back_from_the_host)
{
    static const uint64_t filler[] = {5, 6, 7, 8, 9};
    struct llm_test_request q[] = {
        {.at_s = 0, .input = 65, .output = 1, BLOCKS(chain)},
        {.at_s = 100, .input = 81, .output = 1, .blocks = filler, .blocks_n = 5, .block_tokens = 16},
        {.at_s = 300, .input = 65, .output = 1, BLOCKS(chain)}};
    struct llm_serving_cfg *c = configure("{\"kv_blocks\": 6, " SECONDS ", \"watermark\": 0}");

    llm_test_open(&t, c, q, 3, 1);
    llm_test_run(&t);
    expect("forgotten", q[2].r.ttft_s, 65);
    llm_test_close(&t);
    c->host_blocks = 100;
    llm_test_open(&t, c, q, 3, 1);
    llm_test_run(&t);
    expect("fetched", q[2].r.ttft_s, 1);
}

/* ------------------------------------------------------------ replicas */

Test(llm_engine, replicas_share_the_requests)
{
    struct llm_test_request q[4];

    for (int i = 0; i < 4; i++)
        q[i] = (struct llm_test_request){.at_s = i * 0.1, .input = 10, .output = 1};
    run("{\"replicas\": 4, " PLAIN SECONDS "}", q, 4, 4);
    for (int i = 0; i < 4; i++)
        expect("nobody waits", q[i].r.ttft_s, 10);
}

Test(llm_engine, prefix_aware_routing_goes_where_the_prefix_is)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 65, .output = 1, BLOCKS(chain)},
                                   {.at_s = 1, .input = 65, .output = 1, BLOCKS(other)},
                                   {.at_s = 200, .input = 65, .output = 1, BLOCKS(other)},
                                   {.at_s = 300, .input = 65, .output = 1, BLOCKS(chain)}};

    run("{\"replicas\": 2, \"routing\": \"prefix_aware\", " SECONDS "}", q, 4, 2);
    expect("hit", q[2].r.ttft_s, 1);
    expect("hit", q[3].r.ttft_s, 1);
}

Test(llm_engine, disaggregated_prompts_do_not_stop_decodes)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 1, .output = 101},
                                   {.at_s = 2, .input = 50, .output = 2}};

    run("{\"policy\": \"disaggregated\", \"replicas\": 2, \"prefill_replicas\": 1, \"max_batch\": 8, "
        "\"transfer_latency\": \"0.5s\", " PLAIN SECONDS "}",
        q, 2, 2);
    expect("prompt, transfer, steps", q[0].left_s, 1 + 0.5 + 100 * 0.1);
    expect("first token", q[1].at_s + q[1].r.ttft_s, 52);
    expect("its one step", q[1].left_s, 52.5 + 0.1);
}

Test(llm_engine, a_replica_starts_cold_and_goes_when_idle)
{
    enum { N = 40 };
    static struct llm_test_request q[N];

    for (int i = 0; i < N; i++)
        q[i] = (struct llm_test_request){.at_s = i, .input = 10, .output = 1};
    run("{\"replicas\": 3, \"min_replicas\": 1, \"scale_up_queue\": 2, \"cold_start\": \"20s\", "
        "\"scale_down_idle\": \"5s\", "
        "\"max_tokens\": 300, " PLAIN SECONDS "}",
        q, N, 3);
    cr_expect_gt(llm_test_figure(&t, "replicas_mean"), 1.1);
    cr_expect_lt(llm_test_figure(&t, "replicas_mean"), 3);
}

/* ------------------------------------------------------------ beside the accelerator */

Test(llm_engine, speculation_makes_the_steps_fewer)
{
    struct llm_test_request q[] = {{.input = 1, .output = 1001}};

    /* a = 1/2, g = 1: 1.5 tokens a step; two tokens are checked, the draft takes a tenth of a step. */
    run("{\"draft_tokens\": 1, \"draft_accepted\": 0.5, \"draft_cost\": 0.1, " PLAIN SECONDS "}", q, 1, 1);
    expect("667 steps of 0.11 s", q[0].left_s, 1 + 667 * 0.11);
}

Test(llm_engine, asynchronous_scheduling_hides_the_cpu)
{
    struct llm_test_request q[] = {{.input = 1, .output = 11}}, p[] = {{.input = 1, .output = 11}};

    run("{\"cpu_step\": \"10ms\", " PLAIN SECONDS "}", q, 1, 1);
    expect("in between", q[0].left_s, 1.01 + 10 * 0.11);
    llm_test_close(&t);
    run("{\"cpu_step\": \"10ms\", \"async_scheduling\": true, " PLAIN SECONDS "}", p, 1, 1);
    expect("beside", p[0].left_s, 2);
}

Test(llm_engine, one_that_waits_or_decodes_can_be_withdrawn)
{
    struct llm_test_request q[] = {{.at_s = 0, .input = 5, .output = 100},
                                   {.at_s = 1, .input = 5, .output = 100}};

    llm_test_open(&t, configure("{\"max_batch\": 1, " PLAIN SECONDS "}"), q, 2, 1);
    sim_at(t.host.sim, 0, PRIO_NORMAL, test_arrives, &t, 0);
    sim_run(t.host.sim, 2);
    cr_expect(llm_server.withdraw(t.state, &q[1].v), "it waits");
    cr_expect_not(llm_server.withdraw(t.state, &q[0].v), "its prompt is being computed");
    sim_run(t.host.sim, 7);
    cr_expect(llm_server.withdraw(t.state, &q[0].v), "it decodes");
    sim_run(t.host.sim, INFINITY);
    llm_server.assert_laws(t.state);
    cr_expect_eq(t.left, 0);
    cr_expect_eq(t.seized, 0);
}
