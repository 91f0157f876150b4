#include "llm_host.h"

#include "models/model.h"

#include <criterion/criterion.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(llm_hosted, .init = begin, .fini = end);

static void run(struct llm_test_host *t, const char *params, struct llm_test_request *q, long n)
{
    const struct model *m = model_find("llm_hosted");
    void *cfg = arena_alloc(arena, m->cfg_size);
    struct json *tree;
    struct err err = {0};

    cr_assert_eq(json_parse(params, "params", &tree, &err), 0, "%s", err.text);
    cr_assert_eq(param_load(m->params, tree, "$.params", arena, cfg, &err), 0, "%s", err.text);
    llm_test_serve(t, m->server, cfg, q, n, 0);
    llm_test_run(t);
    cr_assert_eq(t->left, n);
}

Test(llm_hosted, a_request_is_paid_by_the_token)
{
    struct llm_test_request q[] = {{.at_s = 1, .input = 1000000, .output = 101}};
    struct llm_test_host t;

    run(&t,
        "{\"first_token\": \"1s\", \"per_token\": \"10ms\", \"input_price\": 3, \"cached_price\": 0.5, "
        "\"cached_frac\": 0.2, \"output_price\": 10000}",
        q, 1);
    cr_expect_float_eq(q[0].r.usd, 0.8 * 3 + 0.2 * 0.5 + 101e-6 * 10000, 1e-9);
    cr_expect_float_eq(q[0].left_s, 1 + 1 + 100 * 0.01, 1e-9);
    cr_expect_float_eq(q[0].r.ttft_s, 1, 1e-9);
    cr_expect_float_eq(q[0].r.tpot_s, 0.01, 1e-9);
}

Test(llm_hosted, beyond_the_limit_requests_ask_again_and_then_fail)
{
    enum { N = 100 };
    static struct llm_test_request q[N];
    struct llm_test_host t;
    long lost = 0;

    for (int i = 0; i < N; i++)
        q[i] = (struct llm_test_request){.input = 10, .output = 1};
    run(&t, "{\"first_token\": \"1s\", \"requests_per_min\": 60, \"backoff\": \"1s\", \"retries\": 3}", q, N);
    for (int i = 0; i < N; i++)
        lost += q[i].lost;
    /* A minute's worth passes at once; the others ask up to three times within 1 + 2 + 4 s, a request a
     * second. */
    cr_expect_geq(lost, N - 60 - 8);
    cr_expect_leq(lost, N - 60 - 3);
    cr_expect_float_eq(llm_test_figure(&t, "failed_frac"), (double)lost / N, 1e-9);
    cr_expect_float_eq(q[59].left_s, 1, 1e-9);
}

Test(llm_hosted, tokens_are_limited_too)
{
    struct llm_test_request q[] = {{.input = 500, .output = 100}, {.input = 500, .output = 100}};
    struct llm_test_host t;

    run(&t,
        "{\"first_token\": \"0s\", \"per_token\": \"0s\", \"tokens_per_min\": 600, \"backoff\": \"1s\", "
        "\"retries\": 20}",
        q, 2);
    cr_expect_eq(q[0].left_s, 0);
    cr_expect_geq(q[1].left_s, 60, "a minute until 600 tokens have come back");
    cr_expect_not(q[1].lost);
}
