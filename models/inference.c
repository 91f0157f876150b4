/*
 * inference.c - embedding and reranking: a server that runs texts in batches.
 *
 * A request brings texts: one to embed, or the k candidates to rerank.  Texts
 * of different requests share a batch.  A batch starts when a replica is free
 * and either `max_batch` texts wait or the oldest has waited `max_wait`; it takes
 *
 *     seconds = fixed + per_token x tokens        (or the table, straight between its rows)     x noise
 *
 * of a GPU; with `threads` above 0 these are core seconds, split evenly over
 * that many cores.  A request is done when its last text is.  With max_batch 1
 * and one length of text this is M/D/c; with max_wait 0 the bulk queue M/G[1,K]/c.
 */
#include "models/inference.h"

#include "models/curve.h"
#include "models/server.h"

#include <math.h>

static const char *const task_names[] = {"embed", "rerank", NULL};

#define T struct inference_cfg
static const struct param params[] = {
    CHOICE(T, task, "embed", task_names, "Whether a request brings one text or its candidates"),
    INT(T, candidates, "50", 1, 1e6, "Rerank: texts of one request"),
    LAW(T, tokens, UNIT_NONE, "256", 0, 1e7, "Tokens of one text, the question with it when reranking"),
    INT(T, max_batch, "32", 1, 1e6, "Texts in one batch at most"),
    REAL(T, max_wait, UNIT_S, "0s", 0, 1e4,
         "How long the oldest text waits for others while a replica is free"),
    REAL(T, fixed, UNIT_S, "3ms", 0, 1e4, "Time of a batch that does not depend on its size"),
    REAL(T, per_token, UNIT_S, "5us", 0, 1e3, "Time of one token more"),
    JSONV(T, table,
          "Measured batches, [[tokens, seconds], ...], or a preset's name; replaces fixed and per_token"),
    REAL(T, cv, UNIT_NONE, "0", 0, 10, "Spread of a batch's time, standard deviation / mean"),
    INT(T, replicas, "1", 1, 1e6, "Batches that run at the same time, each on a GPU or on its threads"),
    INT(T, threads, "0", 0, 4096, "Cores one batch runs on; 0: it runs on a GPU"),
    REAL(T, usd_per_1m_tokens, UNIT_USD, "0usd", 0, 1e6, "Price of a million tokens"),
    PARAMS_END};
#undef T

static const char *const roles[] = {NULL}; /* cpu or gpu, by threads */
static const struct op_info ops[] = {{"batch", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct inference_cfg *c = cfg;

    return curve_read(c->table, "table", false, 0, 1e6, env, &c->times, err);
}

static void shape(const void *cfg, struct shape *out)
{
    (void)cfg;
    *out = (struct shape){.prefetch = -1, .queue_limit = -1};
}

double inference_batch_s(const struct inference_cfg *c, double tokens)
{
    return c->times.n > 0 ? curve_at(&c->times, tokens) : c->fixed + c->per_token * tokens;
}

double inference_texts(const struct inference_cfg *c)
{
    return c->task == INFERENCE_RERANK ? (double)c->candidates : 1;
}

/* The share of a batch's time that falls to one request, in batches of `texts`. */
static void wants(const struct inference_cfg *c, double texts, struct demand *out)
{
    double each = inference_batch_s(c, c->tokens.mean * texts) / texts;

    demand_add(out, c->threads > 0 ? ROLE_CPU : ROLE_GPU, 0, each * inference_texts(c), 0);
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct inference_cfg *c = cfg;

    (void)in;
    (void)luck;
    (void)leave;
    wants(c, fmin((double)c->max_batch, inference_texts(c)), out);
}

/* Full batches, or the size at which the table is cheapest per text. */
static void best_demand(const void *cfg, const struct item *in, struct demand *out, struct item *leave)
{
    const struct inference_cfg *c = cfg;
    double tokens = c->tokens.mean, best = (double)c->max_batch;

    (void)in;
    (void)leave;
    for (int i = 0; i < c->times.n && tokens > 0; i++) {
        double texts = fmin(fmax(1, c->times.x[i] / tokens), (double)c->max_batch);

        if (inference_batch_s(c, texts * tokens) / texts < inference_batch_s(c, best * tokens) / best)
            best = texts;
    }
    wants(c, best, out);
}

const struct model inference_model = {
    .name = "inference",
    .title = "Embedding and reranking",
    .about = "Runs texts through an encoder in dynamic batches on a GPU or on cores.",
    .cfg_size = sizeof(struct inference_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .check = check,
    .shape = shape,
    .demand = demand,
    .best_demand = best_demand,
    .server = &inference_server,
};
