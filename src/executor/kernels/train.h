/*
 * kernels/train.h - a recommendation model and its training step.
 *
 *     x = [ sum of the embedding rows of every feature's list | dense ]
 *     h1 = relu(x W1 + b1),  h2 = relu(h1 W2 + b2),  p = sigmoid(h2 w3 + b3)
 *     loss = mean over rows of -log p(label);  plain SGD on everything
 *
 * Features are the used session features, the crosses, then the item features;
 * each has an embedding table of its own.  Of a deduplicated batch each distinct
 * group is pooled once: the sums are the same sums, so the forward pass is equal
 * bit for bit; backward, the gradients of rows that share a group are added up
 * before the scatter, which changes the order of additions and so the last bits.
 *
 * Steps, in this order: embed, expand (deduplicated only), mlp, expand back,
 * scatter.  The caller runs and times them one by one.
 */
#ifndef EXECUTOR_KERNELS_TRAIN_H
#define EXECUTOR_KERNELS_TRAIN_H

#include "executor/batch.h"
#include "models/training.h"

#include <stdint.h>

struct trainer;

struct trainer *trainer_new(const struct training_cfg *c, const struct batch_shape *s, long capacity_rows,
                            uint64_t seed);
void trainer_free(struct trainer *t); /* NULL is fine */

/* Each returns what it counted: values, rows * session features, rows, values. */
double trainer_embed(struct trainer *t, const struct batch *b);
double trainer_expand(struct trainer *t, const struct batch *b);
double trainer_mlp(struct trainer *t, const struct batch *b, double *loss);
double trainer_expand_back(struct trainer *t, const struct batch *b);
double trainer_scatter(struct trainer *t, const struct batch *b);

#endif
