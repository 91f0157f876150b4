/*
 * kernels/transformer.h - a decoder-only transformer, for one thread.
 *
 *     x = E[token]
 *     each layer:  x += W_o attention(rope(W_qkv norm(x)))        grouped queries: heads / kv_heads share one
 *                  x += W_down (silu(W_gate norm(x)) * W_up norm(x))
 *     next token = argmax E norm(x)                               the head is the embedding (tied)
 *
 * norm is RMSNorm.  Weights are random: what the tokens say means nothing, what
 * they cost is real.  All products are single-precision OpenBLAS on one thread.
 *
 * One forward pass takes parts of several sequences: whole prompts, chunks of
 * prompts, single tokens of answers.  Products run over the tokens of all parts
 * together; attention looks at each sequence's own blocks of the KV cache.
 * Row-major; a token is a row.
 */
#ifndef EXECUTOR_KERNELS_TRANSFORMER_H
#define EXECUTOR_KERNELS_TRANSFORMER_H

#include "executor/kernels/kv_cache.h"
#include "models/llm_shape.h"

struct transformer;

/* What one sequence brings to a forward pass. */
struct forward_part {
    const uint32_t *token; /* n new tokens */
    long n, context;       /* tokens already in the cache */
    const long *block;     /* of the sequence; room for context + n tokens */
    bool wants_token;      /* the last row goes through the head */
    uint32_t next;         /* out, when wants_token */
};

/* CPU time of a pass, by what it depends on. */
enum forward_op {
    FORWARD_EMBEDDING, /* tokens; once */
    FORWARD_LAYERS,    /* tokens; all layers together, without attention */
    FORWARD_PREFILL,   /* attention of parts with several tokens */
    FORWARD_DECODE,    /* attention of parts with one token */
    FORWARD_HEAD,      /* sequences that get a token */
    FORWARD_OPS
};
struct forward_times {
    double s[FORWARD_OPS];
};

/* As operator tables call them (models/llm_ops.c). */
extern const char *const forward_op_names[FORWARD_OPS];

/* 0, or an error that says which size of the shape this kernel cannot do. */
int transformer_check(const struct llm_shape *s, const char *where, struct err *err);

/* `most_tokens` of a pass, over all parts; `most_context` of one sequence, its new tokens included. */
struct transformer *transformer_new(const struct llm_shape *s, long most_tokens, long most_context,
                                    uint64_t seed);
void transformer_free(struct transformer *t); /* NULL is fine */

/* times: added to; NULL: not wanted. */
void transformer_forward(struct transformer *t, struct kv_cache *kv, struct forward_part *part, long parts,
                         struct forward_times *times);

/* Of the last pass: the vocab scores of the i-th part that wanted a token; valid until the next pass. */
const float *transformer_logits(const struct transformer *t, long i);

/* The weights, for a reference implementation: [in][out] products, norms of ones. */
struct transformer_weights {
    const float *embedding;                  /* [vocab][hidden] */
    const float *qkv, *out, *gate_up, *down; /* of one layer */
};
struct transformer_weights transformer_weights(const struct transformer *t, long layer);

#endif
