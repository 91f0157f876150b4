/*
 * llm_run_parts.h - the inside of an engine that runs.  Internal to llm_run.c (requests, iterations, tokens)
 * and llm_compose.c (who is in the next iteration, and whose memory goes).
 */
#ifndef EXECUTOR_LLM_RUN_PARTS_H
#define EXECUTOR_LLM_RUN_PARTS_H

#include "executor/llm_run.h"

#include <pthread.h>

/* A sequence, from coming to leaving. */
struct llm_seq_run {
    struct llm_job *job;
    uint32_t *token; /* prompt, then answer */
    long input, output, made;
    long target, computed; /* prompt tokens to compute (after preemption: also what was answered), done */
    long *block;
    long blocks, shared; /* in use; of these, how many were found in or given to the cache of prefixes */
    uint64_t *hash;      /* of the prompt's whole blocks */
    long hashes;
    struct llm_seq_run *next; /* waiting, or spare */
};

struct llm_run {
    struct llm_serving_cfg c;
    struct llm_shape shape;
    long most_context, most_blocks; /* of one sequence */
    struct transformer *model;
    struct kv_cache *kv;
    struct span_buf *spans;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct llm_job *first_job, **last_job; /* not yet seen by the engine */
    bool closed;
    struct llm_seq_run *waiting, **last_waiting, *spare;
    struct llm_seq_run **running; /* in the order of admission */
    long n, works;                /* running; of the iteration's parts, prompts */
    struct forward_part *part;    /* of the iteration */
    struct llm_seq_run **of;      /* whose */
    long parts, room;
    bool decoding;
    struct llm_counts count;
};

/* The batch of the next iteration: part, of, parts, works, decoding. */
void llm_run_compose(struct llm_run *r);

bool llm_run_decodes(const struct llm_seq_run *s);              /* its prompt is computed */
void llm_run_release(struct llm_run *r, struct llm_seq_run *s); /* gives up its place and its memory */

#endif
