/*
 * kernels/convnet.h - a small convolutional network and its training step.
 *
 * The network is that of models/image_training.h.  The two ways to convolve do
 * the same sums in another order, so they agree but for the last bits; each is
 * the same whatever the batch was made by, and however many threads there are.
 *
 *     convnet_forward(n, images, labels, count)    convolutions, up to h2
 *     loss = convnet_head(n)                       mean, softmax, loss; gradients of both
 *     convnet_backward(n)                          gradients of the convolutions
 *     convnet_update(n)                            SGD
 *
 * The caller runs and times them one by one.  Each returns what it counted.
 */
#ifndef EXECUTOR_KERNELS_CONVNET_H
#define EXECUTOR_KERNELS_CONVNET_H

#include "models/image_training.h"

#include <stddef.h>
#include <stdint.h>

struct convnet;

/* Images of side x side pixels, `side` even; batches of up to `capacity`. */
struct convnet *convnet_new(const struct image_training_cfg *c, long side, long classes, long capacity,
                            uint64_t seed);
void convnet_free(struct convnet *n); /* NULL is fine */

/* images: [count][3][side][side]; both are borrowed until the step is over. */
double convnet_forward(struct convnet *n, const float *images, const int32_t *labels, long count);
double convnet_head(struct convnet *n, double *loss);
double convnet_backward(struct convnet *n);
double convnet_update(struct convnet *n);

/* All weights one after the other, and their gradients after convnet_backward(): for tests. */
size_t convnet_weights(struct convnet *n, float **weights, const float **gradients);

#endif
