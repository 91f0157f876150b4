/*
 * llm_serving.h - settings of an LLM engine, as a scenario gives them, and what follows from them.
 */
#ifndef MODELS_LLM_SERVING_H
#define MODELS_LLM_SERVING_H

#include "models/llm_shape.h"
#include "models/server.h"

enum llm_policy { LLM_STATIC, LLM_ORCA, LLM_VLLM, LLM_CHUNKED, LLM_DISAGGREGATED };
enum llm_routing { LLM_ROUND_ROBIN, LLM_LEAST_LOADED, LLM_PREFIX_AWARE };
enum llm_preemption { LLM_RECOMPUTE, LLM_SWAP };
enum llm_order { LLM_FIFO, LLM_BY_CLASS, LLM_SHORTEST_PROMPT };

enum { LLM_OP_PREFILL, LLM_OP_DECODE, LLM_OP_MIXED };

struct llm_serving_cfg {
    int policy, routing, preemption;
    long max_batch, max_tokens;
    struct law input_tokens, output_tokens; /* of items without a request */
    const struct json *ops, *model, *hardware;
    double straggler;

    long block_tokens, kv_blocks;
    double memory_utilization, memory_reserve, watermark;
    bool prefix_cache;
    double host_memory;
    long reserve_tokens;
    bool buddies;
    int order;

    bool async_scheduling, cuda_graphs;
    double cpu_step, cpu_sequence;

    long replicas, prefill_replicas, tp, pp, ep;
    int weights, kv_cache;
    double link_bw, link_latency, transfer_bw, transfer_latency;

    long draft_tokens;
    double draft_accepted, draft_cost;

    long min_replicas;
    double scale_up_queue, scale_down_idle, cold_start;

    /* what follows */
    struct llm_cost cost;
    long blocks; /* of KV in one replica */
    long host_blocks;
    double kv_token_bytes; /* of a token on one accelerator; 0: not known */
    double host_bw;
    double step_tokens; /* answer tokens of a decode iteration, per sequence */
    long gpus;          /* of a replica */
};

static inline bool llm_mixes(const struct llm_serving_cfg *c)
{
    return c->policy == LLM_CHUNKED || c->policy == LLM_ORCA;
}

/* Tokens for which memory is set aside when a sequence is admitted; 0: blocks are taken as they are needed.
 */
static inline long llm_set_aside(const struct llm_serving_cfg *c, long input, long output)
{
    long tokens = input + output > c->reserve_tokens ? input + output : c->reserve_tokens, whole = 1;

    if (c->policy != LLM_STATIC && c->policy != LLM_ORCA)
        return 0;
    while (c->buddies && whole < tokens)
        whole *= 2;
    return c->buddies ? whole : tokens;
}

/* Prompt and answer of an item: its request's, or drawn from the settings (luck NULL: the means). */
void llm_tokens(const struct llm_serving_cfg *c, const struct item *it, const struct luck *luck, long *input,
                long *output);

extern const struct server llm_server;

#endif
