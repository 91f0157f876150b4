/*
 * test_llm.c - settings under which an LLM engine is a queue with a closed form.
 */
#include "../unit/llm_host.h"

#include "models/model.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { REPLICATIONS = 32, WARM = 2000, N = 12000 };

static struct llm_test_request q[N];

static const void *configure(struct arena *a, const char *params)
{
    const struct model *m = model_find("llm_serving");
    struct model_env env = {.where = "$.params", .arena = a};
    void *cfg = arena_alloc(a, m->cfg_size);
    struct json *tree;
    struct err err = {0};

    cr_assert_eq(json_parse(params, "params", &tree, &err), 0, "%s", err.text);
    cr_assert_eq(param_load(m->params, tree, "$.params", a, cfg, &err), 0, "%s", err.text);
    cr_assert_eq(m->check(cfg, &env, &err), 0, "%s", err.text);
    return cfg;
}

/* Poisson arrivals; answers of so many tokens, or of an exponential number with that mean. */
static void make(uint32_t replication, double rate, double tokens, bool exponential)
{
    double at = 0;
    struct rng r;

    rng_stream(&r, 42, replication, "llm");
    for (long i = 0; i < N; i++) {
        at += rng_exponential(&r) / rate;
        q[i] = (struct llm_test_request){
            .at_s = at,
            .input = 1,
            .output = 1 + (long)(exponential ? ceil(tokens * rng_exponential(&r)) : tokens)};
    }
}

typedef double figure_fn(const struct llm_test_request *q);

static double waited(const struct llm_test_request *r)
{
    return r->r.queue_s;
}

static double stayed(const struct llm_test_request *r)
{
    return r->left_s - r->at_s;
}

/* Fixed length, independent replications, |z| < 4. */
static void expect_mean(const char *what, const char *params, double rate, double tokens, bool exponential,
                        figure_fn *figure, double theory)
{
    struct arena *a = arena_new();
    const void *cfg = configure(a, params);
    struct tally means = {0};
    double z;

    for (uint32_t i = 0; i < REPLICATIONS; i++) {
        struct llm_test_host t;
        double sum = 0;

        make(i, rate, tokens, exponential);
        llm_test_open(&t, cfg, q, N, 1);
        llm_test_run(&t);
        llm_test_close(&t);
        for (long k = WARM; k < N; k++)
            sum += figure(&q[k]);
        tally_add(&means, sum / (N - WARM));
    }
    z = (means.mean - theory) / sqrt(tally_variance(&means) / REPLICATIONS);
    cr_expect_lt(fabs(z), 4, "%s: %.5f, theory %.5f, z = %.2f", what, means.mean, theory, z);
    arena_free(a);
}

#define ONE "\"watermark\": 0, \"prefix_cache\": false, "

/* One at a time, a second each: Wq = rho / (2 (1 - rho)). */
Test(llm_closed_forms, one_slot_and_equal_prompts_are_m_d_1)
{
    static const char *const policies[] = {"orca", "vllm", "chunked", "static"};

    for (size_t i = 0; i < 4; i++) {
        char params[300];

        snprintf(params, sizeof params,
                 "{\"policy\": \"%s\", \"max_batch\": 1, " ONE
                 "\"ops\": {\"prefill\": [[1, \"0.5s\"], [2, \"1s\"]], \"decode\": [[1, \"50ms\"], [2, "
                 "\"100ms\"]]}}",
                 policies[i]);
        expect_mean(policies[i], params, 0.8, 10, false, waited, 2);
    }
}

/* A step as long as its batch is wide is a round robin: E[T] = E[S] / (1 - rho) for any law. */
Test(llm_closed_forms, steps_as_long_as_the_batch_are_processor_sharing)
{
    const char *params =
        "{\"policy\": \"orca\", \"max_batch\": 10000, " ONE
        "\"ops\": {\"prefill\": [[1, \"0s\"], [2, \"0s\"]], \"decode\": [[1, \"1ms\"], [10000, \"10s\"]]}}";

    /* ceil() of an exponential of mean 2000 tokens has mean 2000.5; rho = 0.7 */
    expect_mean("exponential", params, 0.7 / 2.0005, 2000, true, stayed, 2.0005 / 0.3);
    expect_mean("constant", params, 0.7 / 2.0, 2000, false, stayed, 2.0 / 0.3);
}

/*
 * All that wait are served together in a second D, whatever their number.  A batch starts with those that
 * came during the last one, or with the first to come: E[W] = (l D D / 2) / (l D + exp(-l D)).
 */
Test(llm_closed_forms, a_static_batch_of_any_size_is_bulk_service)
{
    const char *params = "{\"policy\": \"static\", \"max_batch\": 10000, " ONE
                         "\"ops\": {\"prefill\": [[1, \"0s\"], [2, \"0s\"]], \"decode\": [[1, \"100ms\"], "
                         "[10000, \"100ms\"]]}}";

    for (double rate = 0.5; rate < 9; rate *= 4)
        expect_mean("bulk", params, rate, 10, false, waited, rate / 2 / (rate + exp(-rate)));
}

/* Iterations of an unlimited batch: a server for everyone, and a wait for the boundary: half a step when
 * busy. */
Test(llm_closed_forms, equal_steps_of_an_unlimited_batch_serve_everyone_at_once)
{
    const char *params = "{\"policy\": \"orca\", \"max_batch\": 10000, " ONE
                         "\"ops\": {\"prefill\": [[1, \"0s\"], [2, \"0s\"]], \"decode\": [[1, \"100ms\"], "
                         "[10000, \"100ms\"]]}}";

    /* At 20 a second the engine is never idle (probability exp(-20)): half a step, the prompt in a step of the others, 10 steps. */
    expect_mean("unlimited", params, 20, 10, false, stayed, 1.15);
}
