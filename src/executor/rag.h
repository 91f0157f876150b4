/*
 * rag.h - retrieval-augmented generation, really run on this machine.
 *
 *     clients ─> ask ─> embed ─> search ─> (reader) ─> generate ─┐
 *                 ^                                              │ until solved, or the rounds are over
 *                 └──────────────────────────────────────────────┘
 *
 *   ask      the loop of models/prompt.c: retrieve once, or every round
 *   embed    one thread, texts of several requests in a batch       kernels/encoder.h
 *   search   one thread, FAISS                                      kernels/index_faiss.h
 *   gen      one thread, iterations over batches                    llm_run.h
 *
 * Questions need h linked passages of a library made from the seed
 * (kernels/questions.h).  The reader is mechanical: it follows the links through
 * the passages in the context and knows the answer if and only if all are there.
 * The language model has random weights: it generates the tokens whose cost is
 * real, and says nothing that anybody reads.
 *
 * Each pool of cores of the scenario gets processors of its own, in the order of
 * the file, when threads are pinned.  Requests of open arrivals have an intended
 * start; they begin when it comes, whoever is busy.
 *
 * Library, vectors and indexes are kept in the folder under a hash of what they
 * depend on; making them is not part of a run.
 */
#ifndef EXECUTOR_RAG_H
#define EXECUTOR_RAG_H

#include "executor/kernels/encoder.h"
#include "executor/kernels/index_faiss.h"
#include "executor/kernels/questions.h"
#include "executor/llm_run.h"
#include "executor/path.h"
#include "models/inference.h"
#include "models/llm_serving.h"
#include "models/prompt.h"
#include "models/vector_index.h"

enum rag_stage { RAG_ASK, RAG_EMBED, RAG_SEARCH, RAG_GEN, RAG_STAGES };

/* Questions of a run and of the profile are different ones, from the same library. */
enum rag_stream { RAG_STREAM_RUN = 101, RAG_STREAM_PROFILE = 102 };

struct rag_plan {
    struct prompt_cfg ask;
    struct inference_cfg embed;
    struct vector_db_cfg search;
    struct llm_serving_cfg gen;
    struct llm_shape shape;
    const char *names[RAG_STAGES]; /* what the scenario calls them; spans carry these names */
    int at[RAG_STAGES];            /* their places in the scenario */
    long processor[RAG_STAGES], processors[RAG_STAGES]; /* where their threads run: the first, how many */
    enum workload_kind workload;
    long clients;
    struct law think, gaps; /* of clients; of open arrivals */
    long requests;
    long most_context; /* tokens of the longest prompt with its answer */
    uint64_t seed;
};

/* Library, encoder, vectors: what a run and a profile need, made or found again. */
struct rag_world {
    const struct rag_plan *plan;
    const char *folder;
    struct library *library;
    struct encoder *encoder;
    float *vectors; /* [passage][dims] */
};

int rag_world_open(struct rag_world *w, const struct rag_plan *plan, const char *folder, struct err *err);
void rag_world_close(struct rag_world *w);
/* The plan's index, or another kind (enum index_kind) over the same vectors. */
int rag_world_index(const struct rag_world *w, int kind, struct vector_index **out, struct err *err);

/* How many of the k neighbours are among the exact ones. */
long rag_hits(const long *neighbour, const long *exact, long k);

/* Draws a length of one request: positive, and the same in every variant. */
long rag_length(const struct rag_plan *p, const struct law *law, uint64_t question, uint64_t purpose);
enum { RAG_LENGTH_PROMPT = 1, RAG_LENGTH_ANSWER, RAG_LENGTH_QUERY, RAG_LENGTHS = 16 };

/* Keeps the calling thread on the processors of a stage. */
void rag_pin(const struct rag_plan *p, const struct exec_options *opt, enum rag_stage stage);

int rag_run(const struct rag_plan *p, const struct exec_options *opt, struct span_log *log,
            struct exec_outcome *out, struct err *err);

/*
 * The operators alone.  Spans, by stage:
 *
 *   ask     "evidence"          item: the hop, so that several wordings of one have the same; items: the
 * place of the passage wanted in an exact search, 0: not among the first 64 embed   "batch" items: tokens of
 * the batch search  "search"            variant "ivf/16" (kind, effort); items: neighbours asked for "recall"
 * items: neighbours asked for; bytes in: those that an exact search returns too "evidence"          items:
 * the place of the passage wanted, 0: not returned; bytes in: its place among as many of an exact search, 0:
 * not there gen     forward_op_names    items: tokens, chunk, batch or sequences; bytes in: context
 *           "schedule"          variant "engine", as whatever it ran for that: its own time, by sequences
 */
int rag_profile(const struct rag_plan *p, const struct exec_options *opt, struct span_log *log,
                struct err *err);

#endif
