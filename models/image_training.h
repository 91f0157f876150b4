/*
 * image_training.h - one optimizer step of a small convolutional network.
 *
 *     x   side x side x 3
 *     h1  relu(conv 3x3, channels1), mean over 2x2
 *     h2  relu(conv 3x3, channels2)
 *     p   softmax(W (mean of h2 over all places) + b);   loss = mean of -log p[label];   plain SGD
 *
 * A convolution is either done `direct`, row by row and tap by tap, or as a matrix product (`gemm`) of its
 * weights and the image unrolled into columns, 9 values for each pixel and channel: the same multiplications,
 * at another rate.
 */
#ifndef MODELS_IMAGE_TRAINING_H
#define MODELS_IMAGE_TRAINING_H

#include "base/param.h"

/* items: convolutions: multiplications of a batch; head: images; update: weights. */
enum conv_op {
    CONV_FORWARD_DIRECT,
    CONV_FORWARD_GEMM,
    CONV_BACKWARD_DIRECT,
    CONV_BACKWARD_GEMM,
    CONV_HEAD,   /* mean, softmax, loss and their gradients */
    CONV_UPDATE, /* of the weights */
    CONV_OPS
};
extern const char *const conv_op_names[];

enum conv_kernel { CONV_DIRECT, CONV_GEMM };
extern const char *const conv_kernel_names[];

enum { CONV_TAPS = 9, CONV_CHANNELS = 3 };

struct image_training_cfg {
    int conv; /* enum conv_kernel */
    long channels1, channels2;
    double learning_rate;
    struct cost costs[CONV_OPS];
};

/* Multiplications for one image.  Backward: the weights' gradients of both layers, and layer 2's input's. */
double conv_forward_products(const struct image_training_cfg *c, double pixels);
double conv_backward_products(const struct image_training_cfg *c, double pixels);

/* Weights and biases of both convolutions. */
double conv_weights(const struct image_training_cfg *c);

#endif
