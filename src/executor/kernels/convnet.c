#include "executor/kernels/convnet.h"

#include "base/arena.h"
#include "engine/rng.h"
#include "executor/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A convolution of 3x3 taps, and the gradients of its weights; w: [out][in][tap]. */
struct layer {
    int in, out, side; /* channels; pixels of a side */
    float *w, *b, *dw, *db;
};

struct convnet {
    int conv; /* enum conv_kernel */
    float rate;
    int classes, side, half;
    struct layer l1, l2;
    float *head_w, *head_b, *head_dw, *head_db; /* [class][channel] */
    float *weights, *gradients;                 /* all of them, side by side */
    size_t weights_n;
    float *h1, *p1, *h2;  /* [image][channel][y][x]: after relu; after the mean over 2x2; after relu */
    float *mean, *dmean;  /* [image][channel] */
    float *columns;       /* [in][tap][y][x] of one image */
    float *d1, *dp1, *d2; /* gradients of one image's h1, p1, h2 */
    const float *images;  /* of the step under way */
    const int32_t *labels;
    long count;
};

/* ------------------------------------------------------------------------------- rows */

/* Four lanes at a time; the sum of a dot product is that of its four lanes. */
typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));

static inline void add_scaled(float *restrict to, const float *restrict from, float by, int n)
{
    int i = 0;

    for (; i + 4 <= n; i += 4)
        *(lanes *)(to + i) += *(const lanes *)(from + i) * by;
    for (; i < n; i++)
        to[i] += from[i] * by;
}

static inline float dot(const float *restrict a, const float *restrict b, int n)
{
    lanes sum = {0, 0, 0, 0};
    float rest = 0;
    int i = 0;

    for (; i + 4 <= n; i += 4)
        sum += *(const lanes *)(a + i) * *(const lanes *)(b + i);
    for (; i < n; i++)
        rest += a[i] * b[i];
    return sum[0] + sum[1] + (sum[2] + sum[3]) + rest;
}

/* The rows and columns of the result that tap (dy, dx) reaches, with the image's border left alone. */
struct reach {
    int y0, y1, x0, n, shift; /* shift: from a place of the result to that of the source */
};

static struct reach reach_of(int tap, int side)
{
    int dy = tap / 3 - 1, dx = tap % 3 - 1;

    return (struct reach){.y0 = dy < 0 ? 1 : 0,
                          .y1 = dy > 0 ? side - 1 : side,
                          .x0 = dx < 0 ? 1 : 0,
                          .n = dx == 0 ? side : side - 1,
                          .shift = dy * side + dx};
}

/* ------------------------------------------------------------------------------- direct */

static void direct_forward(const struct layer *l, const float *in, float *out)
{
    size_t plane = (size_t)l->side * (size_t)l->side;

    for (int o = 0; o < l->out; o++)
        for (int t = 0; t < l->in * CONV_TAPS; t++) {
            struct reach r = reach_of(t % CONV_TAPS, l->side);
            const float *from = in + (size_t)(t / CONV_TAPS) * plane;

            for (int y = r.y0; y < r.y1; y++) {
                int at = y * l->side + r.x0;

                add_scaled(out + (size_t)o * plane + at, from + at + r.shift, l->w[o * l->in * CONV_TAPS + t],
                           r.n);
            }
        }
}

static void direct_weights(struct layer *l, const float *in, const float *dout)
{
    size_t plane = (size_t)l->side * (size_t)l->side;

    for (int o = 0; o < l->out; o++)
        for (int t = 0; t < l->in * CONV_TAPS; t++) {
            struct reach r = reach_of(t % CONV_TAPS, l->side);
            const float *from = in + (size_t)(t / CONV_TAPS) * plane;
            float sum = 0;

            for (int y = r.y0; y < r.y1; y++) {
                int at = y * l->side + r.x0;

                sum += dot(dout + (size_t)o * plane + at, from + at + r.shift, r.n);
            }
            l->dw[o * l->in * CONV_TAPS + t] += sum;
        }
}

static void direct_input(const struct layer *l, const float *dout, float *din)
{
    size_t plane = (size_t)l->side * (size_t)l->side;

    for (int o = 0; o < l->out; o++)
        for (int t = 0; t < l->in * CONV_TAPS; t++) {
            struct reach r = reach_of(t % CONV_TAPS, l->side);
            float *to = din + (size_t)(t / CONV_TAPS) * plane;

            for (int y = r.y0; y < r.y1; y++) {
                int at = y * l->side + r.x0;

                add_scaled(to + at + r.shift, dout + (size_t)o * plane + at, l->w[o * l->in * CONV_TAPS + t],
                           r.n);
            }
        }
}

/* ------------------------------------------------------------------------------- as products */

/* columns[in][tap][place] = the pixel under the tap, 0 outside. */
static void unroll(const struct layer *l, const float *in, float *columns)
{
    size_t plane = (size_t)l->side * (size_t)l->side;

    memset(columns, 0, (size_t)l->in * CONV_TAPS * plane * sizeof *columns);
    for (int t = 0; t < l->in * CONV_TAPS; t++) {
        struct reach r = reach_of(t % CONV_TAPS, l->side);

        for (int y = r.y0; y < r.y1; y++) {
            int at = y * l->side + r.x0;

            memcpy(columns + (size_t)t * plane + at, in + (size_t)(t / CONV_TAPS) * plane + at + r.shift,
                   (size_t)r.n * sizeof *columns);
        }
    }
}

static void roll_back(const struct layer *l, const float *columns, float *din)
{
    size_t plane = (size_t)l->side * (size_t)l->side;

    for (int t = 0; t < l->in * CONV_TAPS; t++) {
        struct reach r = reach_of(t % CONV_TAPS, l->side);

        for (int y = r.y0; y < r.y1; y++) {
            int at = y * l->side + r.x0;

            add_scaled(din + (size_t)(t / CONV_TAPS) * plane + at + r.shift, columns + (size_t)t * plane + at,
                       1, r.n);
        }
    }
}

static void gemm_forward(const struct layer *l, const float *in, float *columns, float *out)
{
    int places = l->side * l->side, depth = l->in * CONV_TAPS;

    unroll(l, in, columns);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, l->out, places, depth, 1, l->w, depth, columns,
                places, 1, out, places);
}

static void gemm_weights(struct layer *l, const float *in, const float *dout, float *columns)
{
    int places = l->side * l->side, depth = l->in * CONV_TAPS;

    unroll(l, in, columns);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, l->out, depth, places, 1, dout, places, columns,
                places, 1, l->dw, depth);
}

static void gemm_input(const struct layer *l, const float *dout, float *columns, float *din)
{
    int places = l->side * l->side, depth = l->in * CONV_TAPS;

    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, depth, places, l->out, 1, l->w, depth, dout, places,
                0, columns, places);
    roll_back(l, columns, din);
}

/* ------------------------------------------------------------------------------- one layer of one image */

/* out = relu(in * w + b) */
static void convolve(struct convnet *n, const struct layer *l, const float *in, float *out)
{
    size_t plane = (size_t)l->side * (size_t)l->side;

    for (int o = 0; o < l->out; o++)
        for (size_t i = 0; i < plane; i++)
            out[(size_t)o * plane + i] = l->b[o];
    if (n->conv == CONV_GEMM)
        gemm_forward(l, in, n->columns, out);
    else
        direct_forward(l, in, out);
    for (size_t i = 0; i < (size_t)l->out * plane; i++)
        out[i] = out[i] > 0 ? out[i] : 0;
}

/* Adds to the weights' gradients; din, zeroed here, when it is wanted. */
static void convolve_back(struct convnet *n, struct layer *l, const float *in, const float *dout, float *din)
{
    size_t plane = (size_t)l->side * (size_t)l->side;

    for (int o = 0; o < l->out; o++)
        for (size_t i = 0; i < plane; i++)
            l->db[o] += dout[(size_t)o * plane + i];
    if (n->conv == CONV_GEMM)
        gemm_weights(l, in, dout, n->columns);
    else
        direct_weights(l, in, dout);
    if (din == NULL)
        return;
    memset(din, 0, (size_t)l->in * plane * sizeof *din);
    if (n->conv == CONV_GEMM)
        gemm_input(l, dout, n->columns, din);
    else
        direct_input(l, dout, din);
}

/* The mean over 2x2, of every channel. */
static void pool(const float *in, int channels, int side, float *out)
{
    int half = side / 2;

    for (int y = 0; y < channels * half; y++) /* rows of the result: planes lie one after the other */
        for (int x = 0; x < half; x++) {
            const float *upper = in + (size_t)(2 * y) * (size_t)side + 2 * x, *lower = upper + side;

            out[(size_t)y * (size_t)half + (size_t)x] = (upper[0] + upper[1] + (lower[0] + lower[1])) / 4;
        }
}

/* Back through the mean and the relu: a quarter to each pixel that was above 0. */
static void pool_back(const float *dout, const float *in, int channels, int side, float *din)
{
    int half = side / 2;

    for (int y = 0; y < channels * side; y++)
        for (int x = 0; x < side; x++) {
            size_t at = (size_t)y * (size_t)side + (size_t)x;

            din[at] = in[at] > 0 ? dout[(size_t)(y / 2) * (size_t)half + (size_t)(x / 2)] / 4 : 0;
        }
}

/* ------------------------------------------------------------------------------- the network */

static float *take(float **from, size_t n)
{
    float *p = *from;

    *from += n;
    return p;
}

static void layer_init(struct layer *l, int in, int out, int side, float **w, float **dw, struct rng *r)
{
    size_t n = (size_t)(in * out * CONV_TAPS);
    double spread = sqrt(6.0 / (in * CONV_TAPS)); /* He: relu keeps the variance */

    *l = (struct layer){.in = in, .out = out, .side = side};
    l->w = take(w, n);
    l->dw = take(dw, n);
    l->b = take(w, (size_t)out);
    l->db = take(dw, (size_t)out);
    for (size_t i = 0; i < n; i++)
        l->w[i] = (float)(spread * (2 * rng_uniform(r) - 1));
}

static float *floats_new(size_t n)
{
    return memory_new(n * sizeof(float));
}

static void room_init(struct convnet *n, long capacity)
{
    size_t many = (size_t)capacity, plane = (size_t)n->side * (size_t)n->side, c1 = (size_t)n->l1.out;
    size_t c2 = (size_t)n->l2.out, unrolled1 = CONV_TAPS * CONV_CHANNELS * plane,
           unrolled2 = CONV_TAPS * c1 * plane / 4;

    n->h1 = floats_new(many * c1 * plane);
    n->p1 = floats_new(many * c1 * plane / 4);
    n->h2 = floats_new(many * c2 * plane / 4);
    n->mean = floats_new(many * c2);
    n->dmean = floats_new(many * c2);
    n->columns = floats_new(unrolled1 > unrolled2 ? unrolled1 : unrolled2);
    n->d1 = floats_new(c1 * plane);
    n->dp1 = floats_new(c1 * plane / 4);
    n->d2 = floats_new(c2 * plane / 4);
}

struct convnet *convnet_new(const struct image_training_cfg *c, long side, long classes, long capacity,
                            uint64_t seed)
{
    struct convnet *n = xcalloc(1, sizeof *n);
    int c1 = (int)c->channels1, c2 = (int)c->channels2;
    float *w, *dw;
    struct rng r;

    ASSERT(side % 2 == 0);
    openblas_set_num_threads(1); /* the stages are what runs side by side */
    rng_stream(&r, seed, 0, "executor.convnet");
    n->conv = c->conv;
    n->rate = (float)c->learning_rate;
    n->classes = (int)classes;
    n->side = (int)side;
    n->half = (int)side / 2;
    n->weights_n = (size_t)conv_weights(c) + (size_t)(n->classes * (c2 + 1));
    n->weights = w = floats_new(n->weights_n);
    n->gradients = dw = floats_new(n->weights_n);
    layer_init(&n->l1, CONV_CHANNELS, c1, n->side, &w, &dw, &r);
    layer_init(&n->l2, c1, c2, n->half, &w, &dw, &r);
    n->head_w = take(&w, (size_t)(n->classes * c2));
    n->head_b = take(&w, (size_t)n->classes);
    n->head_dw = take(&dw, (size_t)(n->classes * c2));
    n->head_db = take(&dw, (size_t)n->classes);
    for (int i = 0; i < n->classes * c2; i++)
        n->head_w[i] = (float)(sqrt(3.0 / c2) * (2 * rng_uniform(&r) - 1));
    room_init(n, capacity);
    return n;
}

void convnet_free(struct convnet *n)
{
    if (n == NULL)
        return;
    free(n->weights);
    free(n->gradients);
    free(n->h1);
    free(n->p1);
    free(n->h2);
    free(n->mean);
    free(n->dmean);
    free(n->columns);
    free(n->d1);
    free(n->dp1);
    free(n->d2);
    free(n);
}

size_t convnet_weights(struct convnet *n, float **weights, const float **gradients)
{
    *weights = n->weights;
    *gradients = n->gradients;
    return n->weights_n;
}

/* ------------------------------------------------------------------------------- a step */

/* Where image `i` has its planes. */
static float *of(float *all, const struct layer *l, long i)
{
    return all + (size_t)i * (size_t)l->out * (size_t)l->side * (size_t)l->side;
}

static float *pooled_of(const struct convnet *n, long i)
{
    return n->p1 + (size_t)i * (size_t)n->l1.out * (size_t)n->half * (size_t)n->half;
}

static const float *image_of(const struct convnet *n, long i)
{
    return n->images + (size_t)i * CONV_CHANNELS * (size_t)n->side * (size_t)n->side;
}

static struct image_training_cfg cfg_of(const struct convnet *n)
{
    return (struct image_training_cfg){.channels1 = n->l1.out, .channels2 = n->l2.out};
}

double convnet_forward(struct convnet *n, const float *images, const int32_t *labels, long count)
{
    struct image_training_cfg c = cfg_of(n);

    n->images = images;
    n->labels = labels;
    n->count = count;
    for (long i = 0; i < count; i++) {
        convolve(n, &n->l1, image_of(n, i), of(n->h1, &n->l1, i));
        pool(of(n->h1, &n->l1, i), n->l1.out, n->side, pooled_of(n, i));
        convolve(n, &n->l2, pooled_of(n, i), of(n->h2, &n->l2, i));
    }
    return conv_forward_products(&c, (double)count * n->side * n->side);
}

static void mean_of_places(struct convnet *n, long i)
{
    size_t plane = (size_t)n->half * (size_t)n->half;

    for (int c = 0; c < n->l2.out; c++) {
        const float *h = of(n->h2, &n->l2, i) + (size_t)c * plane;
        float sum = 0;

        for (size_t k = 0; k < plane; k++)
            sum += h[k];
        n->mean[i * n->l2.out + c] = sum / (float)plane;
    }
}

/* Softmax over the classes in place of `p`; returns -log of the label's. */
static double softmax(float *p, int classes, int label)
{
    float largest = p[0], sum = 0;

    for (int k = 1; k < classes; k++)
        largest = fmaxf(largest, p[k]);
    for (int k = 0; k < classes; k++)
        sum += p[k] = expf(p[k] - largest);
    for (int k = 0; k < classes; k++)
        p[k] /= sum;
    return -log((double)fmaxf(p[label], 1e-30f));
}

static double head_of(struct convnet *n, long i, float *p)
{
    int channels = n->l2.out;
    float *mean = n->mean + i * channels, *dmean = n->dmean + i * channels;
    double loss;

    mean_of_places(n, i);
    for (int k = 0; k < n->classes; k++)
        p[k] = n->head_b[k] + dot(n->head_w + k * channels, mean, channels);
    loss = softmax(p, n->classes, n->labels[i]);
    p[n->labels[i]] -= 1; /* now the loss's gradient by the scores */
    memset(dmean, 0, (size_t)channels * sizeof *dmean);
    for (int k = 0; k < n->classes; k++) {
        float d = p[k] / (float)n->count;

        n->head_db[k] += d;
        add_scaled(n->head_dw + k * channels, mean, d, channels);
        add_scaled(dmean, n->head_w + k * channels, d, channels);
    }
    return loss;
}

double convnet_head(struct convnet *n, double *loss)
{
    float *p = n->d1; /* room that nobody needs yet */

    memset(n->gradients, 0, n->weights_n * sizeof *n->gradients);
    *loss = 0;
    for (long i = 0; i < n->count; i++)
        *loss += head_of(n, i, p) / (double)n->count;
    return (double)n->count;
}

/* Of the mean over all places, and of the relu in front of it. */
static void mean_back(struct convnet *n, long i)
{
    size_t plane = (size_t)n->half * (size_t)n->half;
    const float *h = of(n->h2, &n->l2, i);

    for (int c = 0; c < n->l2.out; c++) {
        float d = n->dmean[i * n->l2.out + c] / (float)plane;

        for (size_t k = 0; k < plane; k++)
            n->d2[(size_t)c * plane + k] = h[(size_t)c * plane + k] > 0 ? d : 0;
    }
}

double convnet_backward(struct convnet *n)
{
    struct image_training_cfg c = cfg_of(n);

    for (long i = 0; i < n->count; i++) {
        mean_back(n, i);
        convolve_back(n, &n->l2, pooled_of(n, i), n->d2, n->dp1);
        pool_back(n->dp1, of(n->h1, &n->l1, i), n->l1.out, n->side, n->d1);
        convolve_back(n, &n->l1, image_of(n, i), n->d1, NULL);
    }
    return conv_backward_products(&c, (double)n->count * n->side * n->side);
}

double convnet_update(struct convnet *n)
{
    struct image_training_cfg c = cfg_of(n);

    for (size_t i = 0; i < n->weights_n; i++)
        n->weights[i] -= n->rate * n->gradients[i];
    return conv_weights(&c);
}
