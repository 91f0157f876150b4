/*
 * inference.h - what the two halves of the batch server share: parameters in inference.c, batches as they
 * happen in inference_server.c.
 */
#ifndef MODELS_INFERENCE_H
#define MODELS_INFERENCE_H

#include "models/curve.h"
#include "models/server.h"

enum inference_task { INFERENCE_EMBED, INFERENCE_RERANK };

struct inference_cfg {
    int task;
    long candidates, max_batch, replicas, threads;
    struct law tokens;
    double max_wait, fixed, per_token, cv, usd_per_1m_tokens;
    const struct json *table;
    struct curve times; /* filled by check() */
};

double inference_batch_s(const struct inference_cfg *c, double tokens);
double inference_texts(const struct inference_cfg *c); /* of one request */

extern const struct server inference_server;

#endif
