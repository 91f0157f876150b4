/*
 * llm_shape.h - what a language model weighs and what an accelerator can do: the inputs of a roofline.
 *
 * Both come as a JSON object, or as the name of a document in models/presets that is one.  Sizes are those
 * of the model's own config file; rates are the vendor's for one accelerator, reached to the fractions
 * beside them.
 *
 *   weights of a layer   (heads + 2 kv_heads) head_dim hidden + heads head_dim hidden + 3 hidden ffn (2 without a gate)
 *   KV of a token        2 layers kv_heads head_dim; with multi-head latent attention layers (kv_rank +
 * rope_dim) experts touched      E (1 - (1 - k/E)^T) by T tokens that choose k of E independently
 *
 * Seconds of one group of products over T tokens: max(2 T parameters / flops, bytes / bandwidth).
 */
#ifndef MODELS_LLM_SHAPE_H
#define MODELS_LLM_SHAPE_H

#include "models/llm_cost.h"
#include "models/model.h"

struct llm_shape {
    long layers, hidden, heads, kv_heads, head_dim, ffn, vocab;
    long experts, experts_per_token, expert_ffn, shared_experts, dense_layers;
    long kv_rank, rope_dim, q_rank; /* multi-head latent attention; kv_rank 0: none */
    bool gated, tied_embeddings;
    const struct json *name, *source, *date;
};

struct llm_hardware {
    double flops, flops_8bit, flops_4bit, memory_bw, memory, link_bw, link_latency_s, host_bw;
    double flops_frac, bandwidth_frac, kernel_s, kernel_gap_s;
    double watt, usd_per_h;
    const struct json *name, *source, *date, *vendor_page;
};

struct llm_layout { /* how the model lies on the accelerators of one replica */
    long tp, pp, ep;
    double weight_bytes, kv_bytes; /* of one number */
};

extern const struct param llm_shape_params[], llm_hardware_params[];

/* `given` is an object or the name of a document; NULL leaves *out zero and answers 0. */
int llm_describe(const struct param *table, const struct json *given, const char *key,
                 const struct model_env *env, void *out, bool *found, struct err *err);

double llm_shape_parameters(const struct llm_shape *s);                               /* all of them */
double llm_shape_weight_bytes(const struct llm_shape *s, const struct llm_layout *l); /* on one accelerator */
double llm_shape_kv_bytes(const struct llm_shape *s,
                          const struct llm_layout *l); /* a token, on one accelerator */
double llm_experts_touched(double experts, double per_token, double tokens);

/* Seconds of an all-reduce: each to all at once, or reduced in parts and gathered; what is quicker. */
double llm_reduce_s(const struct llm_hardware *h, long members, double bytes);

/* The roofline as a cost; linear and sequence get a value for each number of tokens up to `most`. */
void llm_roofline(struct llm_cost *c, const struct llm_shape *s, const struct llm_hardware *h,
                  const struct llm_layout *l, long most_tokens, long most_sequences, struct arena *a);
/* Collectives of one iteration over T tokens that tables of one accelerator do not hold. */
double llm_collectives_s(const struct llm_shape *s, const struct llm_hardware *h, const struct llm_layout *l,
                         double tokens);
double llm_logits_gather_s(const struct llm_shape *s, const struct llm_hardware *h,
                           const struct llm_layout *l, double sequences);

#endif
