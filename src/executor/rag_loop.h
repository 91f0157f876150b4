/*
 * rag_loop.h - one question on its way: what is searched for, what was found, what the prompt holds.
 *
 * The mechanical half of the loop, without threads: rag_servers.c moves asks from
 * one server to the next and calls these in between.
 */
#ifndef EXECUTOR_RAG_LOOP_H
#define EXECUTOR_RAG_LOOP_H

#include "executor/llm_run.h"
#include "executor/rag.h"

struct rag_ask {
    uint64_t number;
    struct question question;
    double intended_s, start_s, first_s, end_s, tpot_s, queued_s; /* wall clock; queued_s: at its server */
    uint32_t *context;                                            /* tokens of the prompt so far */
    long context_n;
    long *passage; /* in the context */
    long passages;
    long round, found, entity; /* rounds done; links found; where the reader stands */
    uint32_t *query;           /* hashed words of what is searched for */
    long query_n;
    float *vector;
    long *neighbour; /* k of the last search */
    struct llm_job job;
    void *run; /* of rag_servers.c, as are these */
    struct rag_ask *next, *kept;
};

/* Buffers for one ask; those of rag_ask_begin() reuse them. */
struct rag_ask *rag_ask_new(const struct rag_plan *p);
void rag_ask_free(struct rag_ask *a);

/* Question `number` of the stream: its prompt begins with what all prompts share, then the question. */
void rag_ask_begin(struct rag_ask *a, const struct rag_world *w, uint64_t stream, uint64_t number);

/* What this round searches for: the entity where the reader is stuck, in a wording of the round's own. */
void rag_ask_query(struct rag_ask *a, const struct rag_world *w, uint64_t stream);

/* The first `passages` neighbours go into the prompt, and the reader reads again. */
void rag_ask_retrieved(struct rag_ask *a, const struct rag_world *w);

/* The job of this round: the prompt as it stands. */
void rag_ask_generate(struct rag_ask *a, const struct rag_plan *p);
/* The answer joins the prompt; true: another round follows. */
bool rag_ask_answered(struct rag_ask *a, const struct rag_plan *p);

/* The reader knows the answer, and it is the right one. */
bool rag_ask_is_right(const struct rag_ask *a);

#endif
