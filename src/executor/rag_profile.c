/*
 * rag_profile.c - the operators alone: one thread each, several sizes, every kind of index.
 */
#include "base/arena.h"
#include "executor/rag_loop.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------ embedding */

static void profile_embed(struct rag_world *w, struct span_log *log)
{
    enum { REPEATS = 12 };
    const struct rag_plan *p = w->plan;
    struct span_buf *spans = span_log_thread(log, p->names[RAG_EMBED], 0);
    long most = p->embed.max_batch;
    struct words *text = xcalloc((size_t)most, sizeof *text);
    uint32_t *words = xcalloc((size_t)(most * QUESTION_WORDS_MAX), sizeof *words);
    float *vectors = xcalloc((size_t)(most * p->search.dims), sizeof *vectors);

    for (int r = 0; r <= REPEATS; r++)
        for (long n = 1; n <= most; n = n < most && 2 * n > most ? most : 2 * n) {
            double tokens = 0;

            for (long i = 0; i < n; i++) {
                struct question q =
                    library_question(w->library, RAG_STREAM_PROFILE, (uint64_t)(r * most + i), 1);
                uint32_t *hash = words + i * QUESTION_WORDS_MAX;
                long length = rag_length(p, &p->embed.tokens, (uint64_t)i, RAG_LENGTH_QUERY);

                library_query(w->library, RAG_STREAM_PROFILE, &q, q.start, 0, length, hash);
                text[i] = (struct words){hash, length};
                tokens += (double)length;
            }
            spans->quiet = r == 0; /* the first round warms up */
            span_begin(spans);
            encoder_run(w->encoder, text, n, vectors);
            span_end(spans, "batch", -1, tokens, NAN, NAN);
        }
    free(text);
    free(words);
    free(vectors);
}

/* -------------------------------------------------------------------------------------------- searching */

enum { HOPS = 400, WORDINGS = 3, TRUTH = 64 };

/* What is searched for, and what an exact search says. */
struct truth {
    float *vector; /* [HOPS * WORDINGS][dims] */
    long *exact;   /* [HOPS * WORDINGS][depth], nearest first */
    long *wanted;  /* [HOPS]: the passage */
    long depth;
};

static void make_queries(struct rag_world *w, struct truth *t)
{
    const struct rag_plan *p = w->plan;
    uint32_t hash[QUESTION_WORDS_MAX];

    for (long i = 0; i < HOPS; i++) {
        struct question q = library_question(w->library, RAG_STREAM_PROFILE, (uint64_t)i, p->ask.hops);

        t->wanted[i] = q.start;
        for (long r = 0; r < WORDINGS; r++) {
            long at = i * WORDINGS + r, n = rag_length(p, &p->embed.tokens, (uint64_t)i,
                                                       RAG_LENGTH_QUERY + RAG_LENGTHS * (uint64_t)r);

            library_query(w->library, RAG_STREAM_PROFILE, &q, q.start, r, n, hash);
            encoder_run(w->encoder, &(struct words){hash, n}, 1, t->vector + at * p->search.dims);
        }
    }
}

static long place_of(const long *neighbour, long n, long wanted)
{
    for (long i = 0; i < n; i++)
        if (neighbour[i] == wanted)
            return i + 1;
    return 0;
}

/* Every hop once, at one effort: time, recall, and whether what was wanted came. */
static int profile_effort(struct rag_world *w, struct truth *t, struct vector_index *x, const char *variant,
                          struct span_buf *spans, struct err *err)
{
    long k = w->plan->search.k, dims = w->plan->search.dims,
         *neighbour = xcalloc((size_t)k, sizeof *neighbour);
    int rc = 0;

    spans->variant = variant;
    for (long hop = 0; hop < HOPS && rc == 0; hop++) {
        const long at = hop * WORDINGS, *exact = t->exact + at * t->depth;

        span_begin(spans);
        rc = index_search(x, t->vector + at * dims, k, neighbour, err);
        if (hop > 0) /* the first warms up */
            span_end(spans, "search", hop, (double)k, NAN, NAN);
        span_part(spans, "recall", hop, 0, (double)k, (double)rag_hits(neighbour, exact, k));
        span_part(spans, "evidence", hop, 0, (double)place_of(neighbour, k, t->wanted[hop]),
                  (double)place_of(exact, k, t->wanted[hop]));
    }
    free(neighbour);
    return rc;
}

static int profile_index(struct rag_world *w, struct truth *t, int kind, struct span_log *log,
                         struct span_buf *spans, struct err *err)
{
    static const char *const kinds[] = {"flat", "ivf", "hnsw"};
    const struct vector_db_cfg *c = &w->plan->search;
    long most = kind == INDEX_FLAT ? 1 : kind == INDEX_IVF ? c->nlist : 512;
    struct vector_index *x = NULL;
    int rc = rag_world_index(w, kind, &x, err);

    for (long effort = kind == INDEX_HNSW ? c->k : 1; effort <= most && rc == 0; effort *= 2) {
        char variant[40];

        snprintf(variant, sizeof variant, "%s/%ld", kinds[kind], effort);
        index_effort(x, effort);
        rc = profile_effort(w, t, x, span_log_keep(log, variant), spans, err);
    }
    index_free(x);
    return rc;
}

/* Exact searches, deep enough to tell where what is wanted stands. */
static int find_truth(struct rag_world *w, struct truth *t, struct span_log *log, struct err *err)
{
    struct span_buf *spans = span_log_thread(log, w->plan->names[RAG_ASK], 0);
    struct vector_index *flat = NULL;
    int rc = rag_world_index(w, INDEX_FLAT, &flat, err);

    for (long i = 0; i < HOPS * WORDINGS && rc == 0; i++) {
        long *exact = t->exact + i * t->depth;

        span_begin(spans);
        rc = index_search(flat, t->vector + i * w->plan->search.dims, t->depth, exact, err);
        span_part(spans, "evidence", i / WORDINGS, 0,
                  (double)place_of(exact, t->depth, t->wanted[i / WORDINGS]), NAN);
    }
    index_free(flat);
    return rc;
}

static int profile_search(struct rag_world *w, struct span_log *log, struct err *err)
{
    const struct vector_db_cfg *c = &w->plan->search;
    struct span_buf *spans = span_log_thread(log, w->plan->names[RAG_SEARCH], 0);
    struct truth t = {.depth = c->k > TRUTH ? c->k : TRUTH};
    int rc;

    t.depth = t.depth < c->vectors ? t.depth : c->vectors;
    t.vector = xcalloc((size_t)(HOPS * WORDINGS * c->dims), sizeof *t.vector);
    t.exact = xcalloc((size_t)(HOPS * WORDINGS * t.depth), sizeof *t.exact);
    t.wanted = xcalloc(HOPS, sizeof *t.wanted);
    make_queries(w, &t);
    rc = find_truth(w, &t, log, err);
    for (int kind = INDEX_FLAT; kind <= INDEX_HNSW && rc == 0; kind++)
        rc = profile_index(w, &t, kind, log, spans, err);
    free(t.vector);
    free(t.exact);
    free(t.wanted);
    return rc;
}

/* --------------------------------------------------------------------------------------- the language model
 */

struct bench {
    const struct rag_plan *p;
    struct transformer *model;
    struct kv_cache *kv;
    struct span_buf *spans;
    uint32_t *token;
    long *block, blocks;
};

static void record(struct bench *b, enum forward_op op, const struct forward_times *t, double size,
                   double context)
{
    span_part(b->spans, forward_op_names[op], -1, t->s[op], size, context);
}

/* `n` prompts of `chunk` tokens each, after `context` others; all on the same blocks, which costs the same.
 */
static void bench_prompts(struct bench *b, long n, long chunk, long context)
{
    struct forward_part *part = xcalloc((size_t)n, sizeof *part);
    struct forward_times t = {{0}};

    for (long i = 0; i < n; i++)
        part[i] = (struct forward_part){
            .token = b->token, .n = chunk, .context = context, .block = b->block, .wants_token = true};
    span_begin(b->spans);
    transformer_forward(b->model, b->kv, part, n, &t);
    record(b, FORWARD_EMBEDDING, &t, (double)(n * chunk), NAN);
    record(b, FORWARD_LAYERS, &t, (double)(n * chunk), NAN);
    record(b, FORWARD_HEAD, &t, (double)n, NAN);
    if (n == 1)
        record(b, FORWARD_PREFILL, &t, (double)chunk, (double)context);
    free(part);
}

/* One step of n sequences; each has blocks of its own, as far as there are any. */
static void bench_decode(struct bench *b, long n, long context)
{
    long each = context / b->p->gen.block_tokens + 1;
    struct forward_part *part = xcalloc((size_t)n, sizeof *part);
    struct forward_times t = {{0}};

    for (long i = 0; i < n; i++)
        part[i] = (struct forward_part){.token = b->token + i % b->p->most_context,
                                        .n = 1,
                                        .context = context,
                                        .block = b->block + i * each % (b->p->gen.kv_blocks - each + 1),
                                        .wants_token = true};
    span_begin(b->spans);
    transformer_forward(b->model, b->kv, part, n, &t);
    record(b, FORWARD_EMBEDDING, &t, (double)n, NAN);
    record(b, FORWARD_LAYERS, &t, (double)n, NAN);
    record(b, FORWARD_HEAD, &t, (double)n, NAN);
    record(b, FORWARD_DECODE, &t, (double)n, (double)context);
    free(part);
}

/* 1, 2, 4, ... and the largest itself. */
static long next_size(long n, long most)
{
    return n < most && 2 * n > most ? most : 2 * n;
}

static void bench_sizes(struct bench *b)
{
    enum { CONTEXTS = 3 };
    const struct rag_plan *p = b->p;
    long longest = p->most_context, step = longest / CONTEXTS, most = llm_run_most_tokens(&p->gen, longest);

    for (long n = 2; n <= longest; n = next_size(n, longest))
        for (long context = 0; context + n <= longest; context += step)
            bench_prompts(b, 1, n, context);
    for (long n = 2; n * longest <= most; n = next_size(n, most / longest))
        bench_prompts(b, n, longest, 0);
    for (long n = 1; n <= p->gen.max_batch; n = next_size(n, p->gen.max_batch))
        for (int k = 0; k <= CONTEXTS; k++)
            bench_decode(b, n, k == 0 ? 1 : k * (longest - 1) / CONTEXTS);
}

static void profile_operators(const struct rag_plan *p, struct span_buf *spans)
{
    enum { REPEATS = 4 };
    long room = llm_run_most_tokens(&p->gen, p->most_context);
    struct bench b = {.p = p, .spans = spans};

    b.model = transformer_new(&p->shape, room + p->gen.max_batch, p->most_context, p->seed);
    b.kv = kv_cache_new(p->gen.kv_blocks, p->gen.block_tokens, p->shape.layers,
                        p->shape.kv_heads * p->shape.head_dim);
    b.token = xcalloc((size_t)p->most_context, sizeof *b.token);
    b.block = xcalloc((size_t)p->gen.kv_blocks, sizeof *b.block);
    ASSERT(kv_cache_take(b.kv, p->gen.kv_blocks, b.block));
    for (long i = 0; i < p->most_context; i++)
        b.token[i] = (uint32_t)(i * 7919 % p->shape.vocab);
    for (int r = 0; r <= REPEATS; r++) {
        spans->quiet = r == 0; /* the first round warms up */
        bench_sizes(&b);
    }
    spans->quiet = false;
    transformer_free(b.model);
    kv_cache_free(b.kv);
    free(b.token);
    free(b.block);
}

static void job_done(struct llm_job *job)
{
    (void)job;
}

/* What the engine itself takes between its operators: small prompts, short answers, n at a time. */
static void profile_engine(const struct rag_plan *p, long n, struct span_buf *spans)
{
    enum { PROMPT = 8, ANSWER = 12 };
    static const uint32_t prompt[PROMPT];
    struct llm_run *r = llm_run_new(&p->gen, &p->shape, p->most_context, p->seed, spans);
    struct llm_job *job = xcalloc((size_t)n, sizeof *job);
    long answer = p->most_context < PROMPT + ANSWER ? 1 : ANSWER, size = p->most_context - answer;

    for (long i = 0; i < n; i++) {
        job[i] = (struct llm_job){.prompt = prompt,
                                  .prompt_n = size < PROMPT ? size : PROMPT,
                                  .output_n = answer,
                                  .done = job_done};
        llm_run_ask(r, &job[i]);
    }
    spans->variant = "engine";
    llm_run_close(r);
    llm_run_serve(r);
    spans->variant = "";
    llm_run_free(r);
    free(job);
}

/* ------------------------------------------------------------------------------------------------- all */

struct rag_profiling {
    const struct rag_plan *p;
    const struct exec_options *opt;
    struct span_log *log;
    struct err err;
};

/* On the processors that the stages have in a run. */
static int profile_all(struct rag_profiling *g, struct err *err)
{
    const struct rag_plan *p = g->p;
    struct span_buf *gen = span_log_thread(g->log, p->names[RAG_GEN], 0);
    struct rag_world w;
    int rc;

    rag_pin(p, g->opt, RAG_GEN);
    profile_operators(p, gen);
    progress_step(g->opt->progress, 1, NULL);
    for (long n = 1; n <= p->gen.max_batch; n = next_size(n, p->gen.max_batch))
        profile_engine(p, n, gen);
    progress_step(g->opt->progress, 2, NULL);
    rag_pin(p, g->opt, RAG_SEARCH);
    rc = rag_world_open(&w, p, g->opt->folder, err);
    if (rc == 0) {
        profile_embed(&w, g->log);
        rc = profile_search(&w, g->log, err);
    }
    rag_world_close(&w);
    return rc;
}

static void *profile_main(void *arg)
{
    struct rag_profiling *g = arg;

    (void)profile_all(g, &g->err);
    return NULL;
}

/* A thread of its own, so that its processors are not those of the whole program afterwards. */
int rag_profile(const struct rag_plan *p, const struct exec_options *opt, struct span_log *log,
                struct err *err)
{
    struct rag_profiling g = {.p = p, .opt = opt, .log = log};
    pthread_t thread;

    TRY(index_available(err));
    span_log_start(log);
    progress_begin(opt->progress, "profile", 3);
    ASSERT(pthread_create(&thread, NULL, profile_main, &g) == 0);
    pthread_join(thread, NULL);
    progress_end(opt->progress);
    if (g.err.code != 0)
        *err = g.err;
    return g.err.code;
}
