/*
 * prompt.h - the prompt loop: what its parts share.
 *
 *   prompt.c         parameters, and how often each stage is called
 *   prompt_graph.c   one request through its control graph
 *   prompt_calls.c   what is asked of the other stages, and what their answers mean
 *   answer.c         whether the answer is right
 *
 * A control graph is a list of steps that is run once, or once a round:
 *
 *   direct                  generate
 *   retrieve_once           rewrite embed retrieve rerank generate
 *   retrieve_each_round     the same, until the evidence is complete or `rounds` are over
 *   retrieve_while_decoding embed retrieve rerank generate(every_tokens), until the output is complete
 *   self_consistency        embed retrieve rerank, then `samples` generations at once and a vote
 *   agent                   generate tool, `steps` times; the last generation calls no tool
 *
 * A step whose stage is not bound among the calls is left out; generate needs
 * "llm", the graphs that retrieve need "retriever", the agent needs "tool".
 */
#ifndef MODELS_PROMPT_H
#define MODELS_PROMPT_H

#include "models/answer.h"
#include "models/server.h"

enum prompt_graph {
    GRAPH_DIRECT,
    GRAPH_ONCE,
    GRAPH_EACH_ROUND,
    GRAPH_WHILE_DECODING,
    GRAPH_SELF_CONSISTENCY,
    GRAPH_AGENT
};

/* The keys of "calls", in this order. */
enum prompt_callee {
    CALL_LLM,
    CALL_RETRIEVER,
    CALL_EMBEDDER,
    CALL_RERANKER,
    CALL_REWRITER,
    CALL_TOOL,
    CALLS
};

struct prompt_cfg {
    int graph;
    long rounds, samples, enough, passages, candidates, every_tokens, hops;
    bool until_solved;
    struct law steps, prompt_tokens, output_tokens, passage_tokens, round_tokens, rewrite_tokens,
        reasoning_tokens;
    long reasoning_budget;
    double system_tokens, block_tokens, history_tokens, timeout;
    bool hops_alike;
    double ahead, p_all, p_cut, p_none, p_distract, distract, icc_reader, icc_search;
    double one_off_usd, one_off_requests;
    const struct json *evidence, *rerank;
    struct curve evidence_curve, rerank_curve; /* filled by check() */
};

struct answer_cfg prompt_answer(const struct prompt_cfg *c);
bool prompt_judges(const struct prompt_cfg *c); /* whether anything is known about answers */

extern const struct server prompt_server;
extern const char *const prompt_callees[];
int prompt_calls(const void *cfg, const struct item *in, struct server_call *out, int room);
unsigned prompt_needs(const void *cfg);

/* One call that is out, with the request the callee works on. */
struct sample {
    struct ask *ask;
    struct request request;
    call_id id;
    bool is_out;
    double sent_s;
    long thought; /* tokens of the answer that nobody reads */
};

/* One request in the loop. */
struct ask {
    struct prompt *owner;
    struct visit *visit;
    uint64_t key;
    double difficulty;
    int hops, evidence;
    long round, rounds; /* from 0; how many there may be */
    int step;
    long context, output_left; /* tokens */
    long passages, waiting, generated;
    long answers, cut; /* of this round: generated; those whose thinking the budget ended */
    double recall, usd, queue_s, ttft_s, tpot_s;
    bool failed;
    event_id alarm;
    struct sample *samples;
    uint64_t *blocks;
    long blocks_n, blocks_room;
    struct ask *next_free;
};

/* Chances by recall: an index has one or two, so they are computed once each. */
struct found_memo {
    double recall;
    struct difficulty chance;
};
enum { MEMOS = 4 };

struct prompt {
    const struct prompt_cfg *c;
    struct host *host;
    struct answer_cfg answer;
    struct difficulty all, unfinished, none, distract;
    struct found_memo memo[MEMOS];
    int memos;
    struct ask *free;
    uint64_t arrived, left, done, rounds, solved, failed, answers, cut;
    uint64_t calls[CALLS];
};

/* The steps of a round, in order. */
enum prompt_step { STEP_REWRITE, STEP_EMBED, STEP_RETRIEVE, STEP_RERANK, STEP_GENERATE, STEP_TOOL, STEPS };

/* prompt_calls.c: sends a step's calls; prompt_step_done() is told when the last that matters is back. */
bool prompt_has_step(const struct ask *a, int step);
void prompt_send(struct ask *a, int step);
void prompt_cancel(struct ask *a);
void prompt_step_done(struct ask *a);
double prompt_quality(const struct ask *a);
double prompt_draw(const struct ask *a, uint64_t purpose); /* uniform, of this request and round */
long prompt_tokens(const struct ask *a, const struct law *law, uint64_t purpose);

enum prompt_luck {
    LUCK_PROMPT = 1,
    LUCK_STEPS,
    LUCK_PASSAGE,
    LUCK_ROUND,
    LUCK_OUTPUT,
    LUCK_REWRITE,
    LUCK_FIND,
    LUCK_REASONING,
    LUCK_HOP,
    LUCKS = 16
};

#endif
