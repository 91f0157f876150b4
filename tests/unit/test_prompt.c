#include "models/prompt.h"
#include "tests/unit/tiny_host.h"

#include <gsl/gsl_cdf.h>

enum { ASKS = 20000 };

static double recall_of_index = 1;

/* What the stages behind would write: the index its recall, the model its times. */
static void answer(struct tiny *t, int callee, const struct item *it)
{
    (void)t;
    if (callee == CALL_RETRIEVER)
        it->request->recall = recall_of_index;
    if (callee == CALL_LLM) {
        it->request->ttft_s = 0.25;
        it->request->tpot_s = 0.01;
        it->request->queue_s = 0.1;
        it->request->usd = 0.5;
    }
    if (callee == CALL_TOOL)
        it->request->input_tokens += 100;
}

static void begin(struct tiny *t, const char *params)
{
    tiny_begin(t, "prompt", params, 11);
    tiny_callee(t, CALL_LLM, 1);
    tiny_callee(t, CALL_RETRIEVER, 0.5);
    t->answer = answer;
}

static void one(struct tiny *t)
{
    tiny_open(t);
    tiny_send(t);
    sim_run(t->host.sim, INFINITY);
    cr_assert_eq(t->left, 1);
    t->model->server->assert_laws(t->state);
}

Test(prompt, direct_asks_once)
{
    struct tiny t;

    begin(&t, "{\"graph\": \"direct\", \"prompt_tokens\": 100, \"output_tokens\": 50}");
    one(&t);
    cr_expect_eq(t.calls[CALL_LLM], 1);
    cr_expect_eq(t.calls[CALL_RETRIEVER], 0);
    cr_expect_float_eq(t.time_s.mean, 1, 1e-12);
    cr_expect_float_eq(t.last->ttft_s, 0.25, 1e-12);
    cr_expect_eq(t.last->output_tokens, 50);
    cr_expect(isnan(t.last->quality), "nothing is known of it");
    tiny_end(&t);
}

Test(prompt, each_round_retrieves_and_generates)
{
    struct tiny t;

    begin(&t, "{\"graph\": \"retrieve_each_round\", \"rounds\": 3}");
    one(&t);
    cr_expect_eq(t.calls[CALL_LLM], 3);
    cr_expect_eq(t.calls[CALL_RETRIEVER], 3);
    cr_expect_float_eq(t.time_s.mean, 4.5, 1e-12);
    cr_expect_float_eq(t.last->ttft_s, 3.5 + 0.25, 1e-12);
    cr_expect_float_eq(t.last->queue_s, 0.3, 1e-12);
    cr_expect_float_eq(t.last->usd, 1.5, 1e-12);
    tiny_end(&t);
}

Test(prompt, every_bound_stage_of_the_chain_is_asked_in_turn)
{
    struct tiny t;

    begin(&t, "{\"graph\": \"retrieve_once\"}");
    tiny_callee(&t, CALL_REWRITER, 2);
    tiny_callee(&t, CALL_EMBEDDER, 4);
    tiny_callee(&t, CALL_RERANKER, 8);
    one(&t);
    cr_expect_float_eq(t.time_s.mean, 2 + 4 + 0.5 + 8 + 1, 1e-12);
    tiny_end(&t);
}

static long prompts[16], prompts_n, blocks_n[16];

static void note_prompt(struct tiny *t, int callee, const struct item *it)
{
    if (callee == CALL_LLM) {
        blocks_n[prompts_n] = it->request->blocks_n;
        prompts[prompts_n++] = it->request->input_tokens;
    }
    answer(t, callee, it);
}

Test(prompt, the_context_grows_by_passages_and_answers)
{
    struct tiny t;

    begin(&t,
          "{\"graph\": \"retrieve_each_round\", \"rounds\": 3, \"system_tokens\": 50, \"prompt_tokens\": 100,"
          " \"output_tokens\": 30, \"passages\": 4, \"passage_tokens\": 200, \"round_tokens\": 7, "
          "\"block_tokens\": 16}");
    t.answer = note_prompt;
    one(&t);
    cr_expect_eq(prompts[0], 150 + 800);
    cr_expect_eq(prompts[1], 150 + 1600 + 37);
    cr_expect_eq(prompts[2], 150 + 2400 + 74);
    cr_expect_eq(blocks_n[2], prompts[2] / 16);
    tiny_end(&t);
}

Test(prompt, thoughts_are_generated_and_not_kept)
{
    struct tiny t;

    begin(&t, "{\"graph\": \"retrieve_each_round\", \"rounds\": 2, \"prompt_tokens\": 100, \"passages\": 0, "
              "\"output_tokens\": 30, \"reasoning_tokens\": 500}");
    prompts_n = 0;
    t.answer = note_prompt;
    one(&t);
    cr_expect_eq(prompts[1], 100 + 30, "what was thought is not in the second prompt");
    cr_expect_eq(t.last->output_tokens, 2 * 530);
    tiny_end(&t);
}

static double generated_tokens;

static void note_answer(struct tiny *t, int callee, const struct item *it)
{
    generated_tokens += callee == CALL_LLM ? (double)it->request->output_tokens : 0;
    answer(t, callee, it);
}

Test(prompt, a_budget_cuts_long_thinking_short_and_costs_answers)
{
    struct tiny t;
    struct figure figures[8];
    double cut = exp(-1.0), right = 0.8 * (1 - cut) + 0.3 * cut; /* exponential, cut at its mean */
    double tokens = 20 + 1000 * (1 - exp(-1.0));

    begin(&t, "{\"graph\": \"direct\", \"prompt_tokens\": 10, \"output_tokens\": 20, \"p_all\": 0.8, "
              "\"p_cut\": 0.3, "
              "\"reasoning_tokens\": {\"exponential\": 1000}, \"reasoning_budget\": 1000}");
    t.answer = note_answer;
    tiny_open(&t);
    for (int i = 0; i < ASKS; i++)
        tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_assert_eq(t.model->server->report(t.state, figures, 8), 6);
    cr_expect_float_eq(figures[5].value, cut, 4 * sqrt(cut * (1 - cut) / ASKS));
    cr_expect_float_eq(t.quality.mean, right, 4 * 0.25 / sqrt(ASKS));
    cr_expect_float_eq(generated_tokens / ASKS, tokens, 4 * 350 / sqrt(ASKS));
    tiny_end(&t);
}

Test(prompt, decoding_stops_for_retrievals)
{
    struct tiny t;

    begin(&t, "{\"graph\": \"retrieve_while_decoding\", \"every_tokens\": 64, \"output_tokens\": 150, "
              "\"passage_tokens\": 0}");
    one(&t);
    cr_expect_eq(t.calls[CALL_LLM], 3); /* 64, 64, 22 */
    cr_expect_eq(t.calls[CALL_RETRIEVER], 3);
    cr_expect_eq(t.last->output_tokens, 150);
    cr_expect_float_eq(t.last->ttft_s, 0.5 + 0.25, 1e-12);
    tiny_end(&t);
}

Test(prompt, samples_run_side_by_side_and_enough_are_enough)
{
    struct tiny t;

    begin(&t, "{\"graph\": \"self_consistency\", \"samples\": 5, \"enough\": 3, \"p_all\": 0.6}");
    t.host.has_callee[CALL_RETRIEVER] = false;
    one(&t);
    cr_expect_eq(t.calls[CALL_LLM], 5);
    cr_expect_eq(t.cancelled[CALL_LLM], 2);
    cr_expect_float_eq(t.time_s.mean, 1, 1e-12);
    cr_expect_float_eq(t.last->quality, answer_majority(0.6, 3), 1e-12);
    tiny_end(&t);
}

Test(prompt, an_agent_calls_a_tool_between_its_thoughts)
{
    struct tiny t;

    begin(&t, "{\"graph\": \"agent\", \"steps\": 4, \"prompt_tokens\": 10, \"output_tokens\": 5}");
    tiny_callee(&t, CALL_TOOL, 10);
    prompts_n = 0;
    t.answer = note_prompt;
    one(&t);
    cr_expect_eq(t.calls[CALL_LLM], 4);
    cr_expect_eq(t.calls[CALL_TOOL], 3);
    cr_expect_float_eq(t.time_s.mean, 34, 1e-12);
    cr_expect_eq(prompts[3], 10 + 3 * (5 + 100));
    tiny_end(&t);
}

Test(prompt, a_time_out_cancels_what_is_out)
{
    struct tiny t;

    begin(&t, "{\"graph\": \"self_consistency\", \"samples\": 4, \"timeout\": \"7s\", \"p_all\": 0.9}");
    t.answer_s[CALL_LLM] = INFINITY;
    one(&t);
    cr_expect_float_eq(t.time_s.mean, 7, 1e-12);
    cr_expect_eq(t.cancelled[CALL_LLM], 4);
    cr_expect_eq(t.out, 0);
    cr_expect_eq(t.last->failed, true);
    cr_expect_eq(t.last->quality, 0);
    tiny_end(&t);
}

Test(prompt, withdrawn_it_withdraws_its_calls)
{
    struct tiny t;
    struct tiny_visit *v;

    begin(&t, "{\"graph\": \"retrieve_once\", \"timeout\": \"9s\"}");
    tiny_open(&t);
    v = tiny_send(&t);
    sim_run(t.host.sim, 0.2);
    cr_expect(t.model->server->withdraw(t.state, &v->v));
    cr_expect_eq(t.cancelled[CALL_RETRIEVER], 1);
    sim_run(t.host.sim, INFINITY);
    cr_expect_eq(t.left, 0);
    tiny_end(&t);
}

/* -------------------------------------------------------------------------------- against closed forms */

#define EVIDENCE "\"evidence\": [[1, 0.45], [5, 0.68], [20, 0.8], [100, 0.87]], \"passages\": 5"

static void many(struct tiny *t, int hops)
{
    t->hops = hops;
    tiny_open(t);
    tiny_run(t, ASKS, 100);
}

static void expect_share(double got, double p, const char *what)
{
    cr_expect_float_eq(got, p, 4 * sqrt(p * (1 - p) / ASKS), "%s: %g, theory %g", what, got, p);
}

Test(prompt, evidence_after_rounds_is_negative_binomial)
{
    static const int hops[] = {1, 2, 3};

    for (int i = 0; i < 3; i++) {
        struct tiny t;
        double q, p;

        recall_of_index = 0.9;
        begin(&t, "{\"graph\": \"retrieve_each_round\", \"rounds\": 5, \"p_all\": 0.8, \"p_distract\": "
                  "0.1, " EVIDENCE "}");
        many(&t, hops[i]);
        q = answer_found(&(struct answer_cfg){.evidence = ((struct prompt_cfg *)t.cfg)->evidence_curve}, 0.9,
                         5, 0);
        p = gsl_cdf_binomial_Q((unsigned)(hops[i] - 1), q, 5);
        expect_share(tiny_figure(&t, "evidence_complete_frac"), p, "complete");
        cr_expect_float_eq(t.quality.mean, 0.8 * p + 0.1 * (1 - p), 0.7 * 4 * sqrt(p * (1 - p) / ASKS));
        tiny_end(&t);
    }
}

Test(prompt, solved_early_it_stops_early)
{
    struct tiny t;
    double q = 0.68, rounds = 0;

    recall_of_index = 1;
    begin(&t, "{\"graph\": \"retrieve_each_round\", \"rounds\": 4, " EVIDENCE "}");
    many(&t, 1);
    for (int r = 0; r < 4; r++) /* E[min(geometric, 4)] = sum of P(more than r) */
        rounds += pow(1 - q, r);
    cr_expect_float_eq(tiny_figure(&t, "rounds_mean"), rounds, 0.03);
    tiny_end(&t);
}

/* Alike questions fail together: rounds help less than independent draws would say. */
Test(prompt, rounds_about_one_question_are_not_independent)
{
    struct tiny t;
    double mean = 0, q = 0.68, icc = 0.4;

    recall_of_index = 1;
    begin(&t, "{\"graph\": \"retrieve_each_round\", \"rounds\": 3, \"icc_search\": 0.4, " EVIDENCE "}");
    many(&t, 1);
    for (int r = 0; r < 3; r++) { /* P(none of 3) of the beta-binomial */
        double s = 1 / icc - 1;

        mean = r == 0 ? 1 : mean;
        mean *= ((1 - q) * s + r) / (s + r);
    }
    expect_share(1 - tiny_figure(&t, "evidence_complete_frac"), mean, "never found");
    cr_expect(mean > 2 * pow(1 - q, 3));
    tiny_end(&t);
}

/* Two hops in two rounds: E[q^2] = q^2 + icc q (1 - q) where one difficulty rules both, E[q]^2 where each has
 * its own. */
Test(prompt, hops_that_are_not_alike_fail_on_their_own)
{
    struct tiny t;
    double q = 0.68, icc = 0.4;

    recall_of_index = 1;
    begin(&t, "{\"graph\": \"retrieve_each_round\", \"rounds\": 2, \"icc_search\": 0.4, " EVIDENCE "}");
    many(&t, 2);
    expect_share(tiny_figure(&t, "evidence_complete_frac"), q * q + icc * q * (1 - q), "alike");
    tiny_end(&t);
    begin(&t,
          "{\"graph\": \"retrieve_each_round\", \"rounds\": 2, \"icc_search\": 0.4, \"hops_alike\": false, "
          "" EVIDENCE "}");
    many(&t, 2);
    expect_share(tiny_figure(&t, "evidence_complete_frac"), q * q, "each on its own");
    tiny_end(&t);
}

Test(prompt, the_bound_expects_no_more_calls_than_are_made)
{
    static const char *const params[] = {
        "{\"graph\": \"direct\"}",
        "{\"graph\": \"retrieve_once\"}",
        "{\"graph\": \"retrieve_each_round\", \"rounds\": 4, \"hops\": 2, \"ahead\": 0.5, " EVIDENCE "}",
        "{\"graph\": \"retrieve_while_decoding\", \"output_tokens\": {\"uniform\": [10, 500]}}",
        "{\"graph\": \"self_consistency\", \"samples\": 4}",
        "{\"graph\": \"agent\", \"steps\": {\"uniform\": [1, 9]}, \"rounds\": 5}",
    };

    recall_of_index = 1;
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        struct server_call rows[CALLS];
        struct item in = {.count = 1};
        struct tiny t;
        int n;

        begin(&t, params[i]);
        tiny_callee(&t, CALL_TOOL, 1);
        tiny_open(&t);
        tiny_run(&t, 4000, 100);
        n = prompt_calls(t.cfg, &in, rows, CALLS);
        for (int k = 0; k < n; k++)
            if (t.host.has_callee[rows[k].callee])
                cr_expect(rows[k].times <= (double)t.calls[rows[k].callee] / 4000 * 1.05,
                          "%s: %s: %g, made %g", params[i], prompt_callees[rows[k].callee], rows[k].times,
                          (double)t.calls[rows[k].callee] / 4000);
        tiny_end(&t);
    }
}

/* ---------------------------------------------------------------------------------------------- tools */

static void begin_tool(struct tiny *t, const char *params, long servers)
{
    tiny_begin(t, "tool", params, 5);
    tiny_servers(t, ROLE_SERVERS, servers);
}

Test(tool, a_limit_on_concurrency_is_m_d_c)
{
    struct tally means = {0};

    for (uint64_t s = 1; s <= 12; s++) {
        struct tiny t;

        tiny_begin(&t, "tool", "{\"latency\": \"1s\"}", s);
        tiny_servers(&t, ROLE_SERVERS, 1);
        tiny_open(&t);
        tiny_run(&t, ASKS, 0.8);
        tally_add(&means, t.time_s.mean);
        tiny_end(&t);
    }
    tiny_expect(&means, 3, 0, "M/D/1 rho .8");
}

Test(tool, it_is_tried_again_until_it_works_or_nobody_believes_it_any_more)
{
    struct tiny t;

    begin_tool(&t, "{\"latency\": \"10ms\", \"fail_frac\": 0.3, \"retries\": 2, \"backoff\": \"1ms\"}",
               100000);
    tiny_open(&t);
    tiny_run(&t, ASKS, 1000);
    cr_expect_float_eq((double)t.failed / ASKS, 0.027, 4 * sqrt(0.027 / ASKS));
    cr_expect_float_eq(t.op_s[0] / ASKS, 0.01 * (1 + 0.3 + 0.09), 1e-4);
    tiny_end(&t);
}

Test(tool, a_time_out_frees_the_server_and_counts_the_work_that_was_done)
{
    struct tiny t;

    begin_tool(&t, "{\"latency\": \"10s\", \"timeout\": \"2s\", \"retries\": 1, \"backoff\": \"1s\"}", 1);
    tiny_open(&t);
    tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_eq(t.failed, 1);
    cr_expect_float_eq(t.op_s[0], 4, 1e-9);
    cr_expect(t.time_s.mean >= 4.5 && t.time_s.mean <= 5.5);
    t.model->server->assert_laws(t.state);
    tiny_end(&t);
}

Test(tool, whoever_times_out_in_the_queue_leaves_the_server_to_others)
{
    struct tiny t;

    begin_tool(&t, "{\"latency\": \"3s\", \"timeout\": \"4s\", \"retries\": 0}", 1);
    tiny_open(&t);
    for (int i = 0; i < 3; i++)
        tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_eq(t.left, 3);
    cr_expect_eq(t.failed, 2); /* one in the queue, one in service since second 3 */
    t.model->server->assert_laws(t.state);
    tiny_end(&t);
}

Test(tool, a_time_out_cancels_the_backend)
{
    struct tiny t;

    begin_tool(&t, "{\"latency\": \"1s\", \"timeout\": \"4s\", \"retries\": 0}", 1);
    tiny_callee(&t, 0, INFINITY);
    tiny_open(&t);
    tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_eq(t.cancelled[0], 1);
    cr_expect_eq(t.failed, 1);
    cr_expect_float_eq(t.host.sim->now, 4, 1e-12);
    tiny_end(&t);
}

Test(tool, withdrawn_in_the_queue_it_takes_no_server)
{
    struct tiny t;
    struct tiny_visit *v;

    begin_tool(&t, "{\"latency\": \"1s\"}", 1);
    tiny_open(&t);
    tiny_send(&t);
    v = tiny_send(&t);
    tiny_send(&t);
    sim_run(t.host.sim, 0.5);
    cr_expect(t.model->server->withdraw(t.state, &v->v));
    sim_run(t.host.sim, INFINITY);
    cr_expect_eq(t.left, 2);
    cr_expect_float_eq(t.host.sim->now, 2, 1e-12);
    tiny_end(&t);
}
