/*
 * prompt.c - what is asked of a language model, and how often: prompting techniques and agents.
 *
 * A request is a session through a small control graph (prompt.h).  This model uses no resource itself: it
 * calls the stages that do and waits.  What it adds up is what techniques differ in: rounds, tokens in and
 * out, evidence, price, and the chance that the answer is right (answer.h).
 *
 * Tokens of the prompt of round r (from 0):
 *
 *     system + history x turn + prompt + request's own input + (r + 1) x passages x passage_tokens
 *            + sum over earlier rounds of (output + round_tokens + tool result)
 *
 * The chances of the reader and the evidence curve come from tables (models/presets, docs/models/prompt.md);
 * where there is none, they are assumptions, and what follows from them is a break-even, not a verdict.
 * Without p_all nothing is said about quality.
 */
#include "models/prompt.h"

#include <math.h>

static const char *const graph_names[] = {
    "direct", "retrieve_once", "retrieve_each_round", "retrieve_while_decoding", "self_consistency", "agent",
    NULL};

#define T struct prompt_cfg
static const struct param params[] = {
    CHOICE(T, graph, "retrieve_once", graph_names, "Control graph a request runs through"),
    INT(T, rounds, "1", 1, 10000, "Rounds at most, of the graphs that have any"),
    BOOL(T, until_solved, "true", "Stop when the evidence is complete, where a question needs evidence"),
    LAW(T, steps, UNIT_NONE, "5", 1, 10000,
        "Agent: language-model calls until it is finished, `rounds` at most when above 1"),
    INT(T, samples, "5", 1, 1000, "Self-consistency: answers generated at the same time"),
    INT(T, enough, "0", 0, 1000, "Self-consistency: answers that suffice, the others are cancelled; 0: all"),
    INT(T, every_tokens, "64", 1, 1e6, "Retrieval while decoding: tokens between two retrievals"),
    LAW(T, prompt_tokens, UNIT_NONE, "256", 0, 1e8, "Tokens of instructions and question"),
    LAW(T, output_tokens, UNIT_NONE, "128", 0, 1e7,
        "Tokens generated in a round; 0: as many as the request says"),
    LAW(T, reasoning_tokens, UNIT_NONE, "0", 0, 1e7,
        "Tokens thought before each answer: generated and paid, not kept in the context"),
    INT(T, reasoning_budget, "0", 0, 1e7, "Tokens after which thinking is cut short; 0: never"),
    INT(T, passages, "5", 0, 1e5, "Passages put into the prompt by one retrieval"),
    INT(T, candidates, "0", 0, 1e6, "Passages retrieved for the reranker; 0: as many as go into the prompt"),
    LAW(T, passage_tokens, UNIT_NONE, "0", 0, 1e7, "Tokens of one passage"),
    LAW(T, round_tokens, UNIT_NONE, "0", 0, 1e7,
        "Tokens a round adds to the context besides passages and output"),
    LAW(T, rewrite_tokens, UNIT_NONE, "32", 0, 1e6, "Tokens of a rewritten query"),
    REAL(T, system_tokens, UNIT_NONE, "0", 0, 1e7, "Tokens all prompts begin with"),
    REAL(T, history_tokens, UNIT_NONE, "0", 0, 1e7, "Tokens each earlier turn of a session adds"),
    REAL(T, block_tokens, UNIT_NONE, "0", 0, 1e5,
         "Tokens of a block of the prefix cache; 0: prompts carry no hashes"),
    REAL(T, timeout, UNIT_S, "0s", 0, 1e6,
         "Time after which the request is given up and its calls cancelled; 0: never"),
    INT(T, hops, "0", 0, 64, "Pieces of evidence a question needs, where the request does not say"),
    JSONV(T, evidence,
          "Share of questions whose evidence is in the first k passages, [[k, share], ...], or a preset's "
          "name"),
    JSONV(T, rerank, "The same after reranking, of those among the candidates, or a preset's name"),
    REAL(T, ahead, UNIT_FRAC, "0", 0, 1,
         "How often a retrieval that finds a hop also finds the next, relative to asking for it"),
    REAL(T, p_all, UNIT_FRAC, "0", 0, 1,
         "Chance of a right answer with all evidence; 0: quality is not modelled"),
    REAL(T, p_cut, UNIT_FRAC, "0", 0, 1,
         "The same where the budget ended the thinking; what it is worth rests on this number"),
    REAL(T, p_none, UNIT_FRAC, "0", 0, 1, "Chance of a right answer without passages"),
    REAL(T, p_distract, UNIT_FRAC, "0", 0, 1, "Chance of a right answer among passages that mislead"),
    REAL(T, distract, UNIT_FRAC, "1", 0, 1, "Share of passages without the evidence that mislead"),
    REAL(T, icc_reader, UNIT_FRAC, "0", 0, 0.99,
         "How alike answers to one question are: intra-class correlation"),
    REAL(T, icc_search, UNIT_FRAC, "0", 0, 0.99, "How alike retrievals for one question are"),
    BOOL(T, hops_alike, "true",
         "Whether the hops of a question are as hard as the question; else each is as hard as it happens to "
         "be"),
    REAL(T, one_off_usd, UNIT_USD, "0usd", 0, 1e12, "Price of having searched for this prompt"),
    REAL(T, one_off_requests, UNIT_NONE, "1000000", 1, 1e18, "Requests that share that price"),
    PARAMS_END};
#undef T

static const char *const roles[] = {NULL};
static const struct op_info ops[] = {{NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct prompt_cfg *c = cfg;

    if (c->enough > c->samples)
        return err_set(err, ERR_SCENARIO, "%s.enough: %ld of %ld samples", env->where, c->enough, c->samples);
    if (c->graph == GRAPH_WHILE_DECODING && c->reasoning_tokens.mean > 0)
        return err_set(err, ERR_SCENARIO,
                       "%s.reasoning_tokens: retrieve_while_decoding counts the tokens of one answer; leave "
                       "them out, or choose another graph",
                       env->where);
    if (c->candidates > 0 && c->candidates < c->passages)
        return err_set(err, ERR_SCENARIO, "%s.candidates: %ld, fewer than the %ld passages of a prompt",
                       env->where, c->candidates, c->passages);
    TRY(curve_read(c->evidence, "evidence", true, 0, 1, env, &c->evidence_curve, err));
    return curve_read(c->rerank, "rerank", true, 0, 1, env, &c->rerank_curve, err);
}

static void shape(const void *cfg, struct shape *out)
{
    (void)cfg;
    *out = (struct shape){.prefetch = -1, .queue_limit = -1};
}

/* Nothing of its own: what it costs is what it calls for. */
static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    (void)cfg;
    (void)in;
    (void)luck;
    (void)out;
    (void)leave;
}

struct answer_cfg prompt_answer(const struct prompt_cfg *c)
{
    return (struct answer_cfg){.hops = (int)c->hops,
                               .evidence = c->evidence_curve,
                               .rerank = c->rerank_curve,
                               .ahead = c->ahead,
                               .p_all = c->p_all,
                               .p_none = c->p_none,
                               .p_distract = c->p_distract,
                               .distract = c->distract,
                               .icc_reader = c->icc_reader,
                               .icc_search = c->icc_search};
}

bool prompt_judges(const struct prompt_cfg *c)
{
    return c->p_all > 0;
}

/* -------------------------------------------------------------------------------------- for the bound */

const char *const prompt_callees[] = {"llm", "retriever", "embedder", "reranker", "rewriter", "tool", NULL};

unsigned prompt_needs(const void *cfg)
{
    const struct prompt_cfg *c = cfg;

    switch (c->graph) {
    case GRAPH_ONCE:
    case GRAPH_EACH_ROUND:
    case GRAPH_WHILE_DECODING:
        return 1U << CALL_LLM | 1U << CALL_RETRIEVER;
    case GRAPH_AGENT:
        return 1U << CALL_LLM | 1U << CALL_TOOL;
    default:
        return 1U << CALL_LLM;
    }
}

static double least(const struct law *law)
{
    return law->kind == LAW_CONSTANT ? law->mean : fmax(0, law->lo);
}

/* Rounds that no luck avoids; of an agent's steps and a drawn output length the mean, which luck averages to.
 */
static double fewest_rounds(const struct prompt_cfg *c, const struct item *in)
{
    int hops = in->request != NULL && in->request->hops > 0 ? in->request->hops : (int)c->hops;
    double output = c->output_tokens.mean;

    switch (c->graph) {
    case GRAPH_EACH_ROUND:
        if (hops > 0 && c->until_solved)
            return c->ahead > 0 ? 1 : fmin((double)c->rounds, hops);
        return (double)c->rounds;
    case GRAPH_WHILE_DECODING:
        return fmax(1, output / (double)c->every_tokens);
    case GRAPH_AGENT: /* E[min(steps, rounds)] lies below min of the means: only a constant is sure */
        return c->rounds > 1 ? fmin((double)c->rounds, fmax(1, least(&c->steps))) : fmax(1, c->steps.mean);
    default:
        return 1;
    }
}

static struct server_call row(const struct prompt_cfg *c, const struct item *in, int callee, double times,
                              double in_turn)
{
    struct server_call r = {.callee = callee, .times = times, .in_turn = in_turn, .it = *in};

    if (in->request != NULL)
        r.request = *in->request;
    if (c->block_tokens > 0)
        r.request.blocks_n = -1; /* later prompts begin with earlier ones */
    if (c->timeout > 0)
        r.in_turn = 0; /* nobody waits for longer than that */
    return r;
}

/* Of a thinking that may be cut short the bound counts what is surely thought. */
static double least_thought(const struct prompt_cfg *c)
{
    const struct law *l = &c->reasoning_tokens;
    double least = l->kind == LAW_CONSTANT ? l->mean : fmax(0, l->lo);

    return c->reasoning_budget == 0 ? l->mean : fmin(least, (double)c->reasoning_budget);
}

int prompt_calls(const void *cfg, const struct item *in, struct server_call *out, int room)
{
    const struct prompt_cfg *c = cfg;
    double rounds = fewest_rounds(c, in), answers = 1, output = c->output_tokens.mean;
    bool votes = c->graph == GRAPH_SELF_CONSISTENCY;
    int n = 0;

    ASSERT(room >= CALLS);
    if (votes)
        answers = (double)(c->enough > 0 ? c->enough : c->samples);
    out[n] = row(c, in, CALL_LLM, rounds * answers, rounds);
    out[n].request.input_tokens += lround(c->system_tokens + c->prompt_tokens.mean);
    if (output > 0)
        out[n].request.output_tokens = lround(output / (c->graph == GRAPH_WHILE_DECODING ? rounds : 1));
    out[n].request.output_tokens += (long)least_thought(c);
    n++;
    if (c->graph == GRAPH_AGENT) {
        out[n++] = row(c, in, CALL_TOOL, rounds - 1, rounds - 1);
        return n;
    }
    if (c->graph == GRAPH_DIRECT)
        return n;
    for (int callee = CALL_RETRIEVER; callee <= CALL_REWRITER; callee++)
        if (callee != CALL_REWRITER || !(votes || c->graph == GRAPH_WHILE_DECODING))
            out[n++] = row(c, in, callee, rounds, rounds);
    return n;
}

const struct model prompt_model = {
    .name = "prompt",
    .title = "Prompt loop",
    .about = "Runs a request through a prompting technique or an agent's loop, calling other stages.",
    .cfg_size = sizeof(struct prompt_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .check = check,
    .shape = shape,
    .demand = demand,
    .server = &prompt_server,
};
