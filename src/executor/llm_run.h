/*
 * llm_run.h - a language model in service: one thread that works in iterations.
 *
 * The twin of models/llm_serving.c: the same policies, admission and memory,
 * with a transformer that really runs (kernels/transformer.h) and keys and
 * values that really lie in blocks (kernels/kv_cache.h).
 *
 *   vllm      prompts only while one can be admitted, else everybody who decodes
 *   orca      everybody who decodes, and whole prompts while a slot is free
 *   chunked   everybody who decodes, then prompts in chunks up to max_tokens
 *
 * First come, first served.  When blocks run out the sequence admitted last
 * gives up its own and is computed again later.  With prefix_cache the whole
 * blocks of a prompt stay, and a prompt that begins alike shares them.
 *
 * Each iteration leaves a span ("prefill", "decode", "mixed": its tokens), and
 * beside it its parts by operator, with the sizes an operator table has:
 * items (tokens, sequences) and, in the place of bytes in, the context.
 * "schedule" is what the engine itself took.
 */
#ifndef EXECUTOR_LLM_RUN_H
#define EXECUTOR_LLM_RUN_H

#include "executor/kernels/transformer.h"
#include "executor/span_log.h"
#include "models/llm_serving.h"

struct llm_run;

/* What the engine is asked for.  Belongs to the asker, who leaves it alone until done() was called. */
struct llm_job {
    const uint32_t *prompt;
    long prompt_n, output_n;
    bool caches;                       /* its blocks may be shared */
    void (*done)(struct llm_job *job); /* on the engine's thread */
    void *self;
    uint32_t *answer;                            /* out: output_n tokens */
    double came_s, scheduled_s, first_s, done_s; /* wall clock */
    struct llm_seq_run *seq;                     /* the engine's */
    struct llm_job *next;
};

struct llm_counts {
    uint64_t iterations, prompt_tokens, cached_tokens, answer_tokens, preempted;
    double cpu_s; /* of the thread, in iterations */
};

/* 0, or which setting has no twin here. */
int llm_run_check(const struct llm_serving_cfg *c, const struct llm_shape *s, const char *where,
                  struct err *err);

/* Prompt tokens of one iteration at most. */
long llm_run_most_tokens(const struct llm_serving_cfg *c, long most_context);

/* `most_context`: tokens of the longest prompt and its answer together. */
struct llm_run *llm_run_new(const struct llm_serving_cfg *c, const struct llm_shape *s, long most_context,
                            uint64_t seed, struct span_buf *spans);
void llm_run_free(struct llm_run *r); /* NULL is fine; the thread has ended */

void llm_run_ask(struct llm_run *r, struct llm_job *job); /* any thread */
void llm_run_close(struct llm_run *r);                    /* nothing more will come */

/* The engine's life: returns when it is closed and nothing is left to do. */
void llm_run_serve(struct llm_run *r);

struct llm_counts llm_run_counts(const struct llm_run *r); /* when the thread has ended */

#endif
