#include "executor/kernels/train.h"

#include "base/arena.h"
#include "engine/rng.h"
#include "executor/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FETCH_AHEAD = 12
}; /* values of a list; far enough for memory, near enough for the first-level cache */

/* One fully connected layer and the gradient of its weights. */
struct layer {
    long in, out;
    float *w, *b, *dw; /* w: [in][out] */
};

struct trainer {
    struct batch_shape shape;
    float rate;
    long dim, shared, width,
        embedded; /* shared: features of the session side; embedded: columns of x that are pooled */
    size_t table_rows;
    float **tables; /* by feature: [table_rows][dim] */
    struct layer l1, l2;
    float *w3, b3;
    float *x, *h1, *h2;      /* [row][..] */
    float *dx, *dh1, *dh2;   /* gradients of the loss */
    float *pooled, *dpooled; /* [unit][shared * dim], of a deduplicated batch */
    float *score, *step;
};

/* ----------------------------------------------------------------------------- small vectors */

/* Four lanes at a time; every element sees the same additions in the same order as without. */
typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));

static inline void add_to(float *restrict to, const float *restrict from, long n)
{
    long i = 0;

    for (; i + 4 <= n; i += 4)
        *(lanes *)(to + i) += *(const lanes *)(from + i);
    for (; i < n; i++)
        to[i] += from[i];
}

static inline void scale_to(float *restrict to, const float *restrict from, float by, long n)
{
    long i = 0;

    for (; i + 4 <= n; i += 4)
        *(lanes *)(to + i) = *(const lanes *)(from + i) * by;
    for (; i < n; i++)
        to[i] = from[i] * by;
}

static inline void add_scaled_to(float *restrict to, const float *restrict from, float by, long n)
{
    long i = 0;

    for (; i + 4 <= n; i += 4)
        *(lanes *)(to + i) += *(const lanes *)(from + i) * by;
    for (; i < n; i++)
        to[i] += from[i] * by;
}

/* -------------------------------------------------------------------------------- the model */

static float *random_floats(size_t n, double spread, struct rng *r)
{
    float *v = memory_new(n * sizeof *v);

    for (size_t i = 0; i < n; i++)
        v[i] = (float)(spread * (2 * rng_uniform(r) - 1));
    return v;
}

static struct layer layer_new(long in, long out, struct rng *r)
{
    struct layer l = {.in = in, .out = out};

    l.w = random_floats((size_t)(in * out), sqrt(6.0 / (double)(in + out)), r);
    l.b = memory_new((size_t)out * sizeof *l.b);
    l.dw = memory_new((size_t)(in * out) * sizeof *l.dw);
    return l;
}

static void layer_fini(struct layer *l)
{
    free(l->w);
    free(l->b);
    free(l->dw);
}

static void new_activations(struct trainer *t, size_t n, long hidden)
{
    size_t x = n * (size_t)t->width, h = n * (size_t)hidden, p = n * (size_t)(t->shared * t->dim);

    t->x = memory_new(x * sizeof(float));
    t->dx = memory_new(x * sizeof(float));
    t->h1 = memory_new(h * sizeof(float));
    t->dh1 = memory_new(h * sizeof(float));
    t->h2 = memory_new(h * sizeof(float));
    t->dh2 = memory_new(h * sizeof(float));
    t->pooled = memory_new(p * sizeof(float));
    t->dpooled = memory_new(p * sizeof(float));
    t->score = memory_new(n * sizeof(float));
    t->step = memory_new((size_t)t->dim * sizeof(float));
}

/* OpenBLAS makes its work space on first use; that belongs before the clock starts. */
static void warm_up(struct trainer *t, long rows)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)t->l1.out, (int)t->l1.in, 1, t->x,
                (int)t->width, t->l1.w, (int)t->l1.out, 0, t->h1, (int)t->l1.out);
}

struct trainer *trainer_new(const struct training_cfg *c, const struct batch_shape *s, long capacity_rows,
                            uint64_t seed)
{
    struct trainer *t = xcalloc(1, sizeof *t);
    long features = s->session_features + s->crosses + s->item_features;
    struct rng r;

    openblas_set_num_threads(
        1); /* one worker is one thread here: contention is the scheduler's, and visible */
    rng_stream(&r, seed, 0, "executor.weights");
    t->shape = *s;
    t->rate = (float)c->learning_rate;
    t->dim = c->embedding_dim;
    t->shared = s->session_features + s->crosses;
    t->embedded = features * t->dim;
    t->width = t->embedded + 2 * s->dense;
    t->table_rows = (size_t)c->table_rows;
    t->tables = xcalloc((size_t)features + 1, sizeof *t->tables);
    for (long f = 0; f < features; f++)
        t->tables[f] = random_floats(t->table_rows * (size_t)t->dim, 0.05, &r);
    t->l1 = layer_new(t->width, c->hidden, &r);
    t->l2 = layer_new(c->hidden, c->hidden, &r);
    t->w3 = random_floats((size_t)c->hidden, sqrt(6.0 / (double)(c->hidden + 1)), &r);
    new_activations(t, (size_t)capacity_rows, c->hidden);
    warm_up(t, capacity_rows);
    return t;
}

void trainer_free(struct trainer *t)
{
    if (t == NULL)
        return;
    for (long f = 0; f < t->shared + t->shape.item_features; f++)
        free(t->tables[f]);
    free(t->tables);
    layer_fini(&t->l1);
    layer_fini(&t->l2);
    free(t->w3);
    free(t->x);
    free(t->dx);
    free(t->h1);
    free(t->dh1);
    free(t->h2);
    free(t->dh2);
    free(t->pooled);
    free(t->dpooled);
    free(t->score);
    free(t->step);
    free(t);
}

/* ----------------------------------------------------------------------- embedding, both ways */

/* Fetches an embedding vector that will be wanted in a moment: which one it is, nobody but us can know in
 * time. */
static inline void fetch_vector(const float *v, long dim)
{
    enum { LINE_FLOATS = 64 / sizeof(float) };

    for (long i = 0; i < dim; i += LINE_FLOATS)
        __builtin_prefetch(v + i);
}

static void pool_feature(const struct trainer *t, long feature, const uint32_t *ids, long n, long list,
                         float *to, long stride)
{
    const float *table = t->tables[feature];
    const uint32_t *end = ids + n * list;
    size_t dim = (size_t)t->dim;

    for (; ids < end; to += stride) {
        memset(to, 0, dim * sizeof *to);
        for (long v = 0; v < list; v++, ids++) {
            if (end - ids > FETCH_AHEAD)
                fetch_vector(table + ids[FETCH_AHEAD] * dim, t->dim);
            add_to(to, table + *ids * dim, t->dim);
        }
    }
}

static void scatter_feature(struct trainer *t, long feature, const uint32_t *ids, long n, long list,
                            const float *from, long stride)
{
    float *table = t->tables[feature];
    const uint32_t *end = ids + n * list;
    size_t dim = (size_t)t->dim;

    for (; ids < end; from += stride) {
        scale_to(t->step, from, -t->rate, t->dim);
        for (long v = 0; v < list; v++, ids++) {
            if (end - ids > FETCH_AHEAD)
                fetch_vector(table + ids[FETCH_AHEAD] * dim, t->dim);
            add_to(table + *ids * dim, t->step, t->dim);
        }
    }
}

static double values_of(const struct trainer *t, const struct batch *b)
{
    const struct batch_shape *s = &t->shape;

    return (double)(b->units * (s->session_features * s->list_length + s->crosses) +
                    b->rows * s->item_features * s->list_length);
}

double trainer_embed(struct trainer *t, const struct batch *b)
{
    const struct batch_shape *s = &t->shape;
    long list = s->list_length, stride = b->dedup ? t->shared * t->dim : t->width, at = 0;
    float *shared = b->dedup ? t->pooled : t->x;

    for (long f = 0; f < s->session_features; f++, at += t->dim)
        pool_feature(t, f, b->session_ids + f * b->units * list, b->units, list, shared + at, stride);
    for (long f = 0; f < s->crosses; f++, at += t->dim)
        pool_feature(t, s->session_features + f, b->cross_ids + f * b->units, b->units, 1, shared + at,
                     stride);
    for (long f = 0; f < s->item_features; f++, at += t->dim)
        pool_feature(t, t->shared + f, b->item_ids + f * b->rows * list, b->rows, list, t->x + at, t->width);
    return values_of(t, b);
}

double trainer_scatter(struct trainer *t, const struct batch *b)
{
    const struct batch_shape *s = &t->shape;
    long list = s->list_length, stride = b->dedup ? t->shared * t->dim : t->embedded, at = 0;
    const float *shared = b->dedup ? t->dpooled : t->dx;

    for (long f = 0; f < s->session_features; f++, at += t->dim)
        scatter_feature(t, f, b->session_ids + f * b->units * list, b->units, list, shared + at, stride);
    for (long f = 0; f < s->crosses; f++, at += t->dim)
        scatter_feature(t, s->session_features + f, b->cross_ids + f * b->units, b->units, 1, shared + at,
                        stride);
    for (long f = 0; f < s->item_features; f++, at += t->dim)
        scatter_feature(t, t->shared + f, b->item_ids + f * b->rows * list, b->rows, list, t->dx + at,
                        t->embedded);
    return values_of(t, b);
}

double trainer_expand(struct trainer *t, const struct batch *b)
{
    long n = t->shared * t->dim;

    for (long i = 0; i < b->rows; i++)
        memcpy(t->x + i * t->width, t->pooled + (long)b->inverse[i] * n, (size_t)n * sizeof *t->x);
    return (double)(b->rows * t->shape.session_features);
}

double trainer_expand_back(struct trainer *t, const struct batch *b)
{
    long n = t->shared * t->dim;

    memset(t->dpooled, 0, (size_t)(b->units * n) * sizeof *t->dpooled);
    for (long i = 0; i < b->rows; i++)
        add_to(t->dpooled + (long)b->inverse[i] * n, t->dx + i * t->embedded, n);
    return (double)(b->rows * t->shape.session_features);
}

/* -------------------------------------------------------------------------------------- MLP */

static void forward(const struct layer *l, const float *x, long x_stride, long rows, float *h)
{
    for (long i = 0; i < rows; i++)
        memcpy(h + i * l->out, l->b, (size_t)l->out * sizeof *h);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)l->out, (int)l->in, 1, x,
                (int)x_stride, l->w, (int)l->out, 1, h, (int)l->out);
    for (long i = 0; i < rows * l->out; i++)
        h[i] = h[i] > 0 ? h[i] : 0;
}

/* dh is the gradient of h = relu(x w + b): masks it, sets dx (its first `columns` columns), and updates w and
 * b. */
static void backward(struct layer *l, const float *x, long x_stride, const float *h, float *dh, long rows,
                     float *dx, long columns, float rate)
{
    for (long i = 0; i < rows * l->out; i++)
        dh[i] = h[i] > 0 ? dh[i] : 0;
    if (columns > 0)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)columns, (int)l->out, 1, dh,
                    (int)l->out, l->w, (int)l->out, 0, dx, (int)columns);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)l->in, (int)l->out, (int)rows, 1, x,
                (int)x_stride, dh, (int)l->out, 0, l->dw, (int)l->out);
    add_scaled_to(l->w, l->dw, -rate, l->in * l->out);
    for (long i = 0; i < rows; i++)
        add_scaled_to(l->b, dh + i * l->out, -rate, l->out);
}

/* The last unit, the loss, and dh2; score becomes the gradient of the logit. */
static double head(struct trainer *t, const struct batch *b)
{
    long hidden = t->l2.out;
    double loss = 0;

    for (long i = 0; i < b->rows; i++) {
        const float *h = t->h2 + i * hidden;
        double z = t->b3, y = b->label[i];

        for (long k = 0; k < hidden; k++)
            z += (double)h[k] * (double)t->w3[k];
        loss += fmax(z, 0) - z * y + log1p(exp(-fabs(z)));
        t->score[i] = (float)((1 / (1 + exp(-z)) - y) / (double)b->rows);
        scale_to(t->dh2 + i * hidden, t->w3, t->score[i], hidden);
    }
    for (long i = 0; i < b->rows; i++) {
        const float *h = t->h2 + i * hidden;

        add_scaled_to(t->w3, h, -t->rate * t->score[i], hidden);
        t->b3 -= t->rate * t->score[i];
    }
    return b->rows > 0 ? loss / (double)b->rows : 0;
}

double trainer_mlp(struct trainer *t, const struct batch *b, double *loss)
{
    long dense = 2 * t->shape.dense;

    for (long i = 0; i < b->rows; i++)
        memcpy(t->x + i * t->width + t->embedded, b->dense + i * dense, (size_t)dense * sizeof *t->x);
    forward(&t->l1, t->x, t->width, b->rows, t->h1);
    forward(&t->l2, t->h1, t->l1.out, b->rows, t->h2);
    *loss = head(t, b);
    backward(&t->l2, t->h1, t->l1.out, t->h2, t->dh2, b->rows, t->dh1, t->l1.out, t->rate);
    backward(&t->l1, t->x, t->width, t->h1, t->dh1, b->rows, t->dx, t->embedded, t->rate);
    return (double)b->rows;
}
