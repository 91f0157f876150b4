/*
 * The language model of the executor: against a naive implementation that knows nothing of blocks, batches
 * or BLAS, and against itself in all the ways in which an engine may cut and share its work.
 */
#include "executor/llm_run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, BLOCK = 4, VOCAB = 37 };

/* Odd sizes on purpose, and more query heads than key heads. */
static const struct llm_shape shape = {.layers = 2,
                                       .hidden = 20,
                                       .heads = 4,
                                       .kv_heads = 2,
                                       .head_dim = 8,
                                       .ffn = 12,
                                       .vocab = VOCAB,
                                       .tied_embeddings = true};
static uint32_t tokens[MOST];
static long blocks[MOST];
static struct transformer *model;
static struct kv_cache *kv;

static void begin(void)
{
    for (long i = 0; i < MOST; i++)
        tokens[i] = (uint32_t)(i * 11 % VOCAB);
    model = transformer_new(&shape, MOST, MOST, 3);
    kv = kv_cache_new(MOST, BLOCK, shape.layers, shape.kv_heads * shape.head_dim);
    cr_assert(kv_cache_take(kv, MOST, blocks));
}

static void end(void)
{
    transformer_free(model);
    kv_cache_free(kv);
}

TestSuite(transformer, .init = begin, .fini = end);

/* ------------------------------------------------------------------------------- the naive one */

static void naive_norm(const double *x, double *y)
{
    double square = 0;

    for (long i = 0; i < shape.hidden; i++)
        square += x[i] * x[i];
    for (long i = 0; i < shape.hidden; i++)
        y[i] = x[i] / sqrt(square / (double)shape.hidden + 1e-5);
}

static void naive_product(const double *x, const float *w, double *y, long in, long out)
{
    for (long o = 0; o < out; o++) {
        y[o] = 0;
        for (long i = 0; i < in; i++)
            y[o] += x[i] * (double)w[i * out + o];
    }
}

static void naive_rope(double *head, long position)
{
    for (long i = 0; i < shape.head_dim / 2; i++) {
        double angle = (double)position * pow(10000, -2.0 * (double)i / (double)shape.head_dim);
        double a = head[2 * i], b = head[2 * i + 1];

        head[2 * i] = a * cos(angle) - b * sin(angle);
        head[2 * i + 1] = a * sin(angle) + b * cos(angle);
    }
}

enum { WIDE = 64 }; /* at least every width of the shape */

/* Attention of the last of n tokens, all of which are given as queries, keys and values. */
static void naive_attention(double qkv[][WIDE], long n, double *to)
{
    long q = shape.heads * shape.head_dim, dim = shape.head_dim, kv_width = shape.kv_heads * dim;

    for (long h = 0; h < shape.heads; h++) {
        long shared = h / (shape.heads / shape.kv_heads);
        double weight[MOST], sum = 0;

        for (long i = 0; i < n; i++) {
            double score = 0;

            for (long k = 0; k < dim; k++)
                score += qkv[n - 1][h * dim + k] * qkv[i][q + shared * dim + k];
            sum += weight[i] = exp(score / sqrt((double)dim));
        }
        for (long k = 0; k < dim; k++) {
            to[h * dim + k] = 0;
            for (long i = 0; i < n; i++)
                to[h * dim + k] += weight[i] / sum * qkv[i][q + kv_width + shared * dim + k];
        }
    }
}

static void naive_layer(long layer, double x[][WIDE], long n)
{
    struct transformer_weights w = transformer_weights(model, layer);
    long heads = shape.heads + shape.kv_heads, q = shape.heads * shape.head_dim;
    static double qkv[MOST][WIDE];
    double norm[WIDE], attended[WIDE], added[WIDE], gates[WIDE], act[WIDE];

    for (long i = 0; i < n; i++) {
        naive_norm(x[i], norm);
        naive_product(norm, w.qkv, qkv[i], shape.hidden, q + 2 * shape.kv_heads * shape.head_dim);
        for (long h = 0; h < heads; h++)
            naive_rope(qkv[i] + h * shape.head_dim, i);
        naive_attention(qkv, i + 1, attended);
        naive_product(attended, w.out, added, q, shape.hidden);
        for (long k = 0; k < shape.hidden; k++)
            x[i][k] += added[k];
        naive_norm(x[i], norm);
        naive_product(norm, w.gate_up, gates, shape.hidden, 2 * shape.ffn);
        for (long k = 0; k < shape.ffn; k++)
            act[k] = gates[k] / (1 + exp(-gates[k])) * gates[shape.ffn + k];
        naive_product(act, w.down, added, shape.ffn, shape.hidden);
        for (long k = 0; k < shape.hidden; k++)
            x[i][k] += added[k];
    }
}

/* Scores of the token that follows the first n. */
static void naive_scores(long n, double *score)
{
    struct transformer_weights w = transformer_weights(model, 0);
    static double x[MOST][WIDE];
    double last[WIDE];

    for (long i = 0; i < n; i++)
        for (long k = 0; k < shape.hidden; k++)
            x[i][k] = (double)w.embedding[tokens[i] * shape.hidden + k];
    for (long layer = 0; layer < shape.layers; layer++)
        naive_layer(layer, x, n);
    naive_norm(x[n - 1], last);
    for (long v = 0; v < VOCAB; v++) {
        score[v] = 0;
        for (long k = 0; k < shape.hidden; k++)
            score[v] += last[k] * (double)w.embedding[v * shape.hidden + k];
    }
}

static void expect_scores(const float *got, long n, const char *how)
{
    double wanted[VOCAB];

    naive_scores(n, wanted);
    for (long v = 0; v < VOCAB; v++)
        cr_assert_float_eq(got[v], wanted[v], 2e-4, "%s, token %ld: %g, not %g", how, v, got[v], wanted[v]);
}

/* --------------------------------------------------------------------------------------- the kernel */

static struct forward_part part_of(long from, long n)
{
    return (struct forward_part){
        .token = tokens + from, .n = n, .context = from, .block = blocks, .wants_token = true};
}

Test(transformer, equals_a_naive_implementation)
{
    struct forward_part p = part_of(0, 23);

    transformer_forward(model, kv, &p, 1, NULL);
    expect_scores(transformer_logits(model, 0), 23, "whole prompt");
}

Test(transformer, a_prompt_in_chunks_equals_the_whole)
{
    static const long sizes[] = {5, 1, 9, 8};
    long done = 0;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; done += sizes[i++]) {
        struct forward_part p = part_of(done, sizes[i]);

        transformer_forward(model, kv, &p, 1, NULL);
    }
    expect_scores(transformer_logits(model, 0), done, "chunks");
}

Test(transformer, token_after_token_from_the_cache_equals_recomputing)
{
    struct forward_part p = part_of(0, 7);

    transformer_forward(model, kv, &p, 1, NULL);
    for (long n = 7; n < 20; n++) {
        p = part_of(n, 1);
        transformer_forward(model, kv, &p, 1, NULL);
        expect_scores(transformer_logits(model, 0), n + 1, "decode");
    }
}

Test(transformer, blocks_may_lie_anywhere)
{
    struct forward_part p = part_of(0, 21);

    for (long i = 0; i < MOST / 2; i++) {
        long keep = blocks[i];

        blocks[i] = blocks[MOST - 1 - i * 2 % MOST];
        blocks[MOST - 1 - i * 2 % MOST] = keep;
    }
    transformer_forward(model, kv, &p, 1, NULL);
    expect_scores(transformer_logits(model, 0), 21, "shuffled blocks");
}

/* Three sequences in different states share a pass: one prompt, one chunk, one that decodes. */
Test(transformer, sequences_of_a_batch_do_not_see_each_other)
{
    struct forward_part first[2], all[3];

    for (int i = 0; i < 2; i++) {
        first[i] = part_of(0, i == 0 ? 11 : 6);
        first[i].block = blocks + (i + 1) * 10;
    }
    transformer_forward(model, kv, first, 2, NULL);
    all[0] = part_of(0, 9);
    all[1] = part_of(11, 4);
    all[1].block = blocks + 10;
    all[2] = part_of(6, 1);
    all[2].block = blocks + 20;
    transformer_forward(model, kv, all, 3, NULL);
    expect_scores(transformer_logits(model, 0), 9, "prompt");
    expect_scores(transformer_logits(model, 1), 15, "chunk");
    expect_scores(transformer_logits(model, 2), 7, "decode");
}

/* --------------------------------------------------------------------------------------- the engine */

enum { JOBS = 7, ANSWER = 9, LONGEST = 40 };

static void ignore(struct llm_job *job)
{
    ++*(int *)job->self;
}

/* Jobs whose prompts begin alike; answers[] gets what they say. */
static struct llm_counts run_engine(const struct llm_serving_cfg *c, uint32_t answers[JOBS][ANSWER])
{
    struct span_buf *spans = span_log_thread(NULL, "", 0);
    struct llm_run *r = llm_run_new(c, &shape, LONGEST, 3, spans);
    struct llm_job jobs[JOBS];
    struct llm_counts n;
    int done = 0;

    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct llm_job){.prompt = tokens,
                                   .prompt_n = 13 + 3 * i,
                                   .output_n = ANSWER - i % 3,
                                   .caches = true,
                                   .done = ignore,
                                   .self = &done,
                                   .answer = answers[i]};
        llm_run_ask(r, &jobs[i]);
    }
    llm_run_close(r);
    llm_run_serve(r);
    cr_assert_eq(done, JOBS);
    for (int i = 0; i < JOBS; i++)
        cr_assert(jobs[i].came_s <= jobs[i].scheduled_s && jobs[i].scheduled_s <= jobs[i].first_s &&
                  jobs[i].first_s <= jobs[i].done_s);
    n = llm_run_counts(r);
    llm_run_free(r);
    span_buf_free(spans);
    return n;
}

static const struct llm_serving_cfg alone = {
    .policy = LLM_VLLM, .max_batch = 1, .max_tokens = 64, .block_tokens = BLOCK, .kv_blocks = 64};

/* Whatever the engine decides, the tokens are those of sequences that run one after the other. */
static struct llm_counts expect_same_answers(const struct llm_serving_cfg *c, const char *how)
{
    uint32_t wanted[JOBS][ANSWER] = {{0}}, got[JOBS][ANSWER] = {{0}};
    struct llm_counts n;

    run_engine(&alone, wanted);
    n = run_engine(c, got);
    cr_assert_arr_eq(got, wanted, sizeof got, "%s: other tokens", how);
    return n;
}

Test(transformer, every_policy_says_the_same)
{
    struct llm_serving_cfg c = alone;

    c.max_batch = 4;
    expect_same_answers(&c, "vllm");
    c.policy = LLM_ORCA;
    expect_same_answers(&c, "orca");
    c.policy = LLM_CHUNKED;
    c.max_tokens = 10;
    expect_same_answers(&c, "chunked");
}

Test(transformer, a_shared_prefix_is_computed_once_and_says_the_same)
{
    struct llm_serving_cfg c = alone;
    struct llm_counts n;

    c.prefix_cache = true;
    n = expect_same_answers(&c, "prefix cache");
    /* Each prompt finds the whole blocks of the one before, but never its own last token. */
    cr_assert_eq(n.cached_tokens, 12 + 16 + 16 + 20 + 24 + 28, "%lu", (unsigned long)n.cached_tokens);
}

Test(transformer, a_sequence_that_lost_its_memory_is_computed_again)
{
    struct llm_serving_cfg c = alone;

    c.max_batch = 4;
    c.kv_blocks = 14;
    cr_assert_gt(expect_same_answers(&c, "little memory").preempted, 0);
    c.policy = LLM_CHUNKED;
    c.max_tokens = 12;
    c.prefix_cache = true;
    cr_assert_gt(expect_same_answers(&c, "little memory, chunked").preempted, 0);
}

/* ------------------------------------------------------------------------------------ the cache alone */

Test(kv_cache, unused_prefixes_go_the_oldest_first)
{
    struct kv_cache *c = kv_cache_new(4, BLOCK, 1, 4);
    uint64_t hash[3];
    long b[4], unused;

    for (int i = 0; i < 3; i++)
        hash[i] = kv_cache_hash(i > 0 ? hash[i - 1] : 0, tokens + i * BLOCK, BLOCK);
    cr_assert(kv_cache_take(c, 3, b));
    for (int i = 0; i < 3; i++)
        cr_assert(kv_cache_publish(c, b[i], hash[i]));
    kv_cache_release(c, b, 3);
    cr_assert_eq(kv_cache_available(c), 4);
    cr_assert_eq(kv_cache_find(c, hash, 3, &unused), 3);
    cr_assert_eq(unused, 3);
    cr_assert(kv_cache_take(c, 2, b)); /* the free one, then the end of the chain */
    cr_assert_eq(kv_cache_find(c, hash, 3, &unused), 2);
    cr_assert(!kv_cache_take(c, 3, b + 2));
    kv_cache_share(c, hash, 2, b + 2);
    cr_assert_eq(kv_cache_available(c), 0);
    kv_cache_release(c, b, 4);
    cr_assert_eq(kv_cache_available(c), 4);
    kv_cache_free(c);
}
