/*
 * training.h - one optimizer step of an embedding + MLP recommendation model.
 *
 * Embedding rows are looked up and summed per feature list (the pooling), the
 * pooled vectors and the dense features go through an MLP, the loss is logistic;
 * backward and SGD update MLP and embeddings.  When a batch is deduplicated each
 * distinct list is pooled once and the result is copied to the rows that share
 * it; their gradients are added up before the scatter.
 */
#ifndef MODELS_TRAINING_H
#define MODELS_TRAINING_H

#include "models/dataset.h"

/*
 * items: embed and scatter: values touched; expand: rows * session features (dedup only); mlp: rows.
 * Expanding runs twice a step, there and back; each way counts half of the items, so that one cost per
 * item covers both.
 */
enum train_op {
    TRAIN_EMBED,   /* look up and pool: values */
    TRAIN_EXPAND,  /* copy pooled vectors to rows, and add up their gradients on the way back */
    TRAIN_MLP,     /* forward, loss, backward, update: rows */
    TRAIN_SCATTER, /* embedding update: values */
    TRAIN_OPS
};
extern const char *const train_op_names[];

enum training_device { TRAIN_ON_CORES, TRAIN_ON_GPUS };
extern const char *const training_device_names[];

struct training_cfg {
    long workers; /* trainers: steps at a time */
    int device;   /* enum training_device */
    long embedding_dim;
    long table_rows; /* rows of each embedding table: what hash maps ids into */
    long hidden;     /* width of the two hidden layers */
    double learning_rate;
    struct cost costs[TRAIN_OPS];
};

#endif
