/*
 * rag_work.h - a run of the retrieval path, as its threads share it.  Internal to rag_run.c (before and
 * after) and rag_servers.c (what the threads do).
 *
 * An ask belongs to one thread at a time: whoever has finished a step does what
 * lies between (the reader, the next prompt) and hands it to the next server.
 */
#ifndef EXECUTOR_RAG_WORK_H
#define EXECUTOR_RAG_WORK_H

#include "executor/rag_line.h"

enum { THREADS = 4, CHECKED_SEARCHES = 128 };

/* A search whose recall is looked at when the run is over. */
struct checked {
    float *vector;
    long *neighbour;
};

struct rag_work {
    const struct rag_plan *p;
    const struct exec_options *opt;
    struct rag_world world;
    struct vector_index *index;
    struct llm_run *engine;
    struct span_buf *engine_spans;
    struct line embeds, searches;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    double *due; /* when asks are to begin, soonest first, from next_due on */
    long due_n, next_due, planned, started, done; /* planned: due or begun */
    struct rag_ask *spare, *all;                  /* idle ones; everyone, through `kept` */
    bool failed;
    struct err failure;
    struct exec_request *requests;
    uint64_t right, rounds;
    double origin_s, end_s;
    struct checked checked[CHECKED_SEARCHES];
    long checked_n; /* of the search thread */
    struct exec_stage stage[RAG_STAGES];
    pthread_barrier_t ready;
};

struct rag_thread {
    struct rag_work *w;
    enum rag_stage stage;
    struct span_buf *spans;
    void (*body)(struct rag_thread *t);
    double cpu_s;
};

struct rag_ask *rag_new_ask(struct rag_work *w);
void rag_add_due(struct rag_work *w, double due_s); /* when another ask is to begin; the lock is held */
bool rag_thinks(const struct rag_plan *p);          /* clients wait before they ask again */

/* The lives of the threads. */
void rag_serve_clients(struct rag_thread *t);
void rag_serve_embeds(struct rag_thread *t);
void rag_serve_searches(struct rag_thread *t);
void rag_serve_tokens(struct rag_thread *t);

#endif
