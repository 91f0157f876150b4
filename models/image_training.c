/*
 * image_training.c - what one optimizer step of the convolutional network costs.
 *
 *   forward   pixels * 9 * 3 * channels1 + pixels/4 * 9 * channels1 * channels2       multiplications
 *   backward  the first once, the second twice: nobody wants the gradient of the photograph
 *   step      forward + head(images) + backward + update(weights)
 *
 * How many pixels an image has comes with the batch (item.bytes: 12 a pixel).
 */
#include "models/image_training.h"

#include "models/model.h"

#include <math.h>

const char *const conv_op_names[] = {
    "forward_direct", "forward_gemm", "backward_direct", "backward_gemm", "head", "update", NULL};
const char *const conv_kernel_names[] = {"direct", "gemm", NULL};

#define T struct image_training_cfg
static const struct param params[] = {
    CHOICE(T, conv, "direct", conv_kernel_names, "Convolutions tap by tap, or as matrix products"),
    INT(T, channels1, "8", 1, 4096, "Channels of the first convolution"),
    INT(T, channels2, "16", 1, 4096, "Channels of the second"),
    REAL(T, learning_rate, UNIT_NONE, "0.05", 0, 10, "Step size of SGD"),
    COSTS(T, costs, conv_op_names, "Cost of each operator on one core"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", NULL};
static const struct op_info ops[] = {
    {"forward_direct", "multiplications", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"forward_gemm", "multiplications", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"backward_direct", "multiplications", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"backward_gemm", "multiplications", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"head", "images", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"update", "weights", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

enum { PIXEL_BYTES = CONV_CHANNELS * 4 };

static double layer1(const struct image_training_cfg *c, double pixels)
{
    return pixels * CONV_TAPS * CONV_CHANNELS * (double)c->channels1;
}

static double layer2(const struct image_training_cfg *c, double pixels)
{
    return pixels / 4 * CONV_TAPS * (double)(c->channels1 * c->channels2);
}

double conv_forward_products(const struct image_training_cfg *c, double pixels)
{
    return layer1(c, pixels) + layer2(c, pixels);
}

double conv_backward_products(const struct image_training_cfg *c, double pixels)
{
    return layer1(c, pixels) + 2 * layer2(c, pixels);
}

double conv_weights(const struct image_training_cfg *c)
{
    return (double)((CONV_TAPS * CONV_CHANNELS + 1) * c->channels1 +
                    (CONV_TAPS * c->channels1 + 1) * c->channels2);
}

static void shape(const void *cfg, struct shape *out)
{
    (void)cfg;
    *out = (struct shape){.workers = 1, .prefetch = -1, .queue_limit = -1};
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct image_training_cfg *c = cfg;
    double pixels = in->bytes / PIXEL_BYTES; /* of the whole batch */
    bool gemm = c->conv == CONV_GEMM;
    int forward = gemm ? CONV_FORWARD_GEMM : CONV_FORWARD_DIRECT;
    int backward = gemm ? CONV_BACKWARD_GEMM : CONV_BACKWARD_DIRECT;

    (void)leave;
    demand_cost(out, forward, &c->costs[forward], conv_forward_products(c, pixels), 0, in, luck);
    demand_cost(out, CONV_HEAD, &c->costs[CONV_HEAD], in->count, 0, in, luck);
    demand_cost(out, backward, &c->costs[backward], conv_backward_products(c, pixels), 0, in, luck);
    demand_cost(out, CONV_UPDATE, &c->costs[CONV_UPDATE], conv_weights(c), 0, in, luck);
}

const struct model image_training_model = {
    .name = "image_training",
    .title = "Training step on images",
    .about = "One optimizer step of a small convolutional network on one core.",
    .cfg_size = sizeof(struct image_training_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .kernel = "image_training",
    .shape = shape,
    .demand = demand,
};
