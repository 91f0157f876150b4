#include "executor/kernels/transformer.h"

#include "base/arena.h"
#include "base/err.h"
#include "engine/rng.h"
#include "executor/memory.h"
#include "executor/span_log.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const forward_op_names[FORWARD_OPS] = {"embedding", "layer", "attention_prefill",
                                                   "attention_decode", "lm_head"};

static const double rope_base = 10000, norm_epsilon = 1e-5;

struct layer {
    float *qkv, *out, *gate_up, *down; /* [in][out] */
};

struct transformer {
    struct llm_shape s;
    long q_width, kv_width, qkv_width, most_tokens, most_context;
    float *embedding;
    struct layer *layers;
    float *turn;                                                /* [position][head_dim / 2][cos, sin] */
    float *x, *norm, *qkv, *attended, *gate_up, *act, *scratch; /* [token][..] */
    float *last, *logits;                                       /* [sequence][..] */
    float *keys, *values, *scores; /* one sequence's, gathered; of one head [token][context] */
    long *place;                   /* [token]: its row in the cache */
    double clock_s;
};

int transformer_check(const struct llm_shape *s, const char *where, struct err *err)
{
    if (s->experts > 0 || s->kv_rank > 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: the executor runs dense models with plain keys and values; leave experts and "
                       "kv_rank 0",
                       where);
    if (s->heads % s->kv_heads != 0)
        return err_set(err, ERR_SCENARIO, "%s.kv_heads: %ld heads cannot share %ld evenly", where, s->heads,
                       s->kv_heads);
    if (s->head_dim % 4 != 0)
        return err_set(err, ERR_SCENARIO, "%s.head_dim: %ld; the executor needs a multiple of 4", where,
                       s->head_dim);
    if (s->ffn < 1)
        return err_set(err, ERR_SCENARIO, "%s.ffn: 0; the executor needs a feed-forward layer", where);
    return 0;
}

/* ------------------------------------------------------------------------------------- memory */

static float *floats(long n)
{
    return memory_new((size_t)n * sizeof(float));
}

static float *random_matrix(long in, long out, struct rng *r)
{
    float *w = floats(in * out);
    double spread = 1 / sqrt((double)in);

    for (long i = 0; i < in * out; i++)
        w[i] = (float)(spread * rng_normal(r));
    return w;
}

static float *turns(long positions, long head_dim)
{
    long half = head_dim / 2;
    float *turn = floats(positions * half * 2);

    for (long p = 0; p < positions; p++)
        for (long i = 0; i < half; i++) {
            double angle = (double)p * pow(rope_base, -2.0 * (double)i / (double)head_dim);

            turn[(p * half + i) * 2] = (float)cos(angle);
            turn[(p * half + i) * 2 + 1] = (float)sin(angle);
        }
    return turn;
}

static void new_activations(struct transformer *t)
{
    long n = t->most_tokens;

    t->x = floats(n * t->s.hidden);
    t->norm = floats(n * t->s.hidden);
    t->qkv = floats(n * t->qkv_width);
    t->attended = floats(n * t->q_width);
    t->gate_up = floats(n * 2 * t->s.ffn);
    t->act = floats(n * t->s.ffn);
    t->last = floats(n * t->s.hidden);
    t->logits = floats(n * t->s.vocab);
    t->keys = floats(t->most_context * t->kv_width);
    t->values = floats(t->most_context * t->kv_width);
    t->scores = floats((n > t->s.heads ? n : t->s.heads) * t->most_context);
    t->place = memory_new((size_t)n * sizeof *t->place);
}

struct transformer *transformer_new(const struct llm_shape *s, long most_tokens, long most_context,
                                    uint64_t seed)
{
    struct transformer *t = xcalloc(1, sizeof *t);
    struct rng r;

    openblas_set_num_threads(1); /* one engine is one thread: contention is the scheduler's, and visible */
    rng_stream(&r, seed, 0, "executor.transformer");
    t->s = *s;
    t->q_width = s->heads * s->head_dim;
    t->kv_width = s->kv_heads * s->head_dim;
    t->qkv_width = t->q_width + 2 * t->kv_width;
    t->most_tokens = most_tokens;
    t->most_context = most_context;
    t->embedding = random_matrix(s->hidden, s->vocab, &r);
    t->layers = xcalloc((size_t)s->layers, sizeof *t->layers);
    for (long i = 0; i < s->layers; i++)
        t->layers[i] = (struct layer){.qkv = random_matrix(s->hidden, t->qkv_width, &r),
                                      .out = random_matrix(t->q_width, s->hidden, &r),
                                      .gate_up = random_matrix(s->hidden, 2 * s->ffn, &r),
                                      .down = random_matrix(s->ffn, s->hidden, &r)};
    t->turn = turns(most_context, s->head_dim);
    new_activations(t);
    return t;
}

void transformer_free(struct transformer *t)
{
    if (t == NULL)
        return;
    for (long i = 0; i < t->s.layers; i++) {
        free(t->layers[i].qkv);
        free(t->layers[i].out);
        free(t->layers[i].gate_up);
        free(t->layers[i].down);
    }
    free(t->layers);
    free(t->embedding);
    free(t->turn);
    free(t->x);
    free(t->norm);
    free(t->qkv);
    free(t->attended);
    free(t->gate_up);
    free(t->act);
    free(t->last);
    free(t->logits);
    free(t->keys);
    free(t->values);
    free(t->scores);
    free(t->place);
    free(t);
}

struct transformer_weights transformer_weights(const struct transformer *t, long layer)
{
    const struct layer *l = &t->layers[layer];

    return (struct transformer_weights){t->embedding, l->qkv, l->out, l->gate_up, l->down};
}

const float *transformer_logits(const struct transformer *t, long i)
{
    return t->logits + i * t->s.vocab;
}

/* ------------------------------------------------------------------------------ small vectors */

typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));

static inline float dot(const float *a, const float *b, long n)
{
    lanes sum = {0};

    for (long i = 0; i < n; i += 4)
        sum += *(const lanes *)(a + i) * *(const lanes *)(b + i);
    return sum[0] + sum[1] + sum[2] + sum[3];
}

static inline void add_scaled(float *to, const float *from, float by, long n)
{
    for (long i = 0; i < n; i += 4)
        *(lanes *)(to + i) += *(const lanes *)(from + i) * by;
}

static void normalize(const float *x, float *y, long rows, long n)
{
    for (long r = 0; r < rows; r++, x += n, y += n) {
        double square = 0;
        float scale;

        for (long i = 0; i < n; i++)
            square += (double)x[i] * (double)x[i];
        scale = (float)(1 / sqrt(square / (double)n + norm_epsilon));
        for (long i = 0; i < n; i++)
            y[i] = x[i] * scale;
    }
}

/* y = x w, or y += x w */
static void product(const float *x, const float *w, float *y, long rows, long in, long out, float keep)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)out, (int)in, 1, x, (int)in, w,
                (int)out, keep, y, (int)out);
}

/* From the largest down, so that exp() never overflows; `n` scores become weights that add up to 1. */
static void softmax(float *score, long n)
{
    float most = score[0], sum = 0;

    for (long i = 1; i < n; i++)
        most = score[i] > most ? score[i] : most;
    for (long i = 0; i < n; i++)
        sum += score[i] = expf(score[i] - most);
    for (long i = 0; i < n; i++)
        score[i] /= sum;
}

/* ---------------------------------------------------------------------------- keys and values */

static void rotate(const struct transformer *t, float *head, long position)
{
    long half = t->s.head_dim / 2;
    const float *turn = t->turn + position * half * 2;

    for (long i = 0; i < half; i++) {
        float a = head[2 * i], b = head[2 * i + 1];

        head[2 * i] = a * turn[2 * i] - b * turn[2 * i + 1];
        head[2 * i + 1] = a * turn[2 * i + 1] + b * turn[2 * i];
    }
}

static long row_of(const long *block, long block_tokens, long position)
{
    return block[position / block_tokens] * block_tokens + position % block_tokens;
}

/* Rotates queries and keys, and puts keys and values where the sequence's blocks say. */
static void rotate_and_keep(struct transformer *t, struct kv_cache *kv, long layer,
                            const struct forward_part *part, long parts)
{
    float *keys = kv_cache_keys(kv, layer), *values = kv_cache_values(kv, layer), *row = t->qkv;
    const long *place = t->place;

    for (long p = 0; p < parts; p++)
        for (long i = 0; i < part[p].n; i++, row += t->qkv_width, place++) {
            for (long h = 0; h < t->s.heads + t->s.kv_heads; h++)
                rotate(t, row + h * t->s.head_dim, part[p].context + i);
            memcpy(keys + *place * t->kv_width, row + t->q_width, (size_t)t->kv_width * sizeof *keys);
            memcpy(values + *place * t->kv_width, row + t->q_width + t->kv_width,
                   (size_t)t->kv_width * sizeof *values);
        }
}

/* One token: straight from the blocks. */
static void attend_one(struct transformer *t, struct kv_cache *kv, long layer, const struct forward_part *p,
                       const float *q, float *to)
{
    const float *keys = kv_cache_keys(kv, layer), *values = kv_cache_values(kv, layer);
    long block_tokens = kv_cache_block_tokens(kv), n = p->context + 1, dim = t->s.head_dim;
    long group = t->s.heads / t->s.kv_heads;
    float scale = 1 / sqrtf((float)dim);

    memset(to, 0, (size_t)t->q_width * sizeof *to);
    for (long i = 0; i < n; i++) {
        const float *key = keys + row_of(p->block, block_tokens, i) * t->kv_width;

        for (long h = 0; h < t->s.heads; h++)
            t->scores[h * t->most_context + i] = scale * dot(q + h * dim, key + h / group * dim, dim);
    }
    for (long h = 0; h < t->s.heads; h++)
        softmax(t->scores + h * t->most_context, n);
    for (long i = 0; i < n; i++) {
        const float *value = values + row_of(p->block, block_tokens, i) * t->kv_width;

        for (long h = 0; h < t->s.heads; h++)
            add_scaled(to + h * dim, value + h / group * dim, t->scores[h * t->most_context + i], dim);
    }
}

static void gather(const struct transformer *t, struct kv_cache *kv, long layer, const struct forward_part *p)
{
    const float *keys = kv_cache_keys(kv, layer), *values = kv_cache_values(kv, layer);
    long block_tokens = kv_cache_block_tokens(kv), n = p->context + p->n;

    for (long i = 0; i < n; i += block_tokens) {
        long rows = n - i < block_tokens ? n - i : block_tokens;
        size_t from = (size_t)(p->block[i / block_tokens] * block_tokens * t->kv_width);
        size_t size = (size_t)(rows * t->kv_width) * sizeof(float);

        memcpy(t->keys + i * t->kv_width, keys + from, size);
        memcpy(t->values + i * t->kv_width, values + from, size);
    }
}

/* Several tokens: products over the gathered context, head by head; what lies ahead of a token counts
 * nothing. */
static void attend_many(struct transformer *t, struct kv_cache *kv, long layer, const struct forward_part *p,
                        const float *q, float *to)
{
    long n = p->context + p->n, dim = t->s.head_dim, group = t->s.heads / t->s.kv_heads;
    float scale = 1 / sqrtf((float)dim);

    gather(t, kv, layer, p);
    for (long h = 0; h < t->s.heads; h++) {
        const float *keys = t->keys + h / group * dim, *values = t->values + h / group * dim;

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)p->n, (int)n, (int)dim, scale, q + h * dim,
                    (int)t->qkv_width, keys, (int)t->kv_width, 0, t->scores, (int)n);
        for (long i = 0; i < p->n; i++) {
            long seen = p->context + i + 1;

            softmax(t->scores + i * n, seen);
            memset(t->scores + i * n + seen, 0, (size_t)(n - seen) * sizeof *t->scores);
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)p->n, (int)dim, (int)n, 1, t->scores,
                    (int)n, values, (int)t->kv_width, 0, to + h * dim, (int)t->q_width);
    }
}

/* ------------------------------------------------------------------------------------ one pass */

static void begin(struct transformer *t, const struct forward_times *times)
{
    t->clock_s = times != NULL ? clock_cpu_s() : 0;
}

static void spent(struct transformer *t, struct forward_times *times, enum forward_op op)
{
    double now;

    if (times == NULL)
        return;
    now = clock_cpu_s();
    times->s[op] += now - t->clock_s;
    t->clock_s = now;
}

static void attend(struct transformer *t, struct kv_cache *kv, long layer, const struct forward_part *part,
                   long parts, struct forward_times *times)
{
    const float *q = t->qkv;
    float *to = t->attended;

    for (long p = 0; p < parts; p++) {
        if (part[p].n == 1)
            attend_one(t, kv, layer, &part[p], q, to);
        else
            attend_many(t, kv, layer, &part[p], q, to);
        q += part[p].n * t->qkv_width;
        to += part[p].n * t->q_width;
        if (p + 1 == parts || (part[p].n == 1) != (part[p + 1].n == 1))
            spent(t, times, part[p].n == 1 ? FORWARD_DECODE : FORWARD_PREFILL);
    }
}

static void gate(struct transformer *t, long tokens)
{
    long ffn = t->s.ffn;

    for (long r = 0; r < tokens; r++) {
        const float *g = t->gate_up + r * 2 * ffn, *up = g + ffn;
        float *a = t->act + r * ffn;

        for (long i = 0; i < ffn; i++)
            a[i] = g[i] / (1 + expf(-g[i])) * up[i];
    }
}

static void run_layer(struct transformer *t, struct kv_cache *kv, long layer, const struct forward_part *part,
                      long parts, long tokens, struct forward_times *times)
{
    const struct layer *l = &t->layers[layer];
    long hidden = t->s.hidden;

    normalize(t->x, t->norm, tokens, hidden);
    product(t->norm, l->qkv, t->qkv, tokens, hidden, t->qkv_width, 0);
    rotate_and_keep(t, kv, layer, part, parts);
    spent(t, times, FORWARD_LAYERS);
    attend(t, kv, layer, part, parts, times);
    product(t->attended, l->out, t->x, tokens, t->q_width, hidden, 1);
    normalize(t->x, t->norm, tokens, hidden);
    product(t->norm, l->gate_up, t->gate_up, tokens, hidden, 2 * t->s.ffn, 0);
    gate(t, tokens);
    product(t->act, l->down, t->x, tokens, t->s.ffn, hidden, 1);
    spent(t, times, FORWARD_LAYERS);
}

static uint32_t largest(const float *v, long n)
{
    long at = 0;

    for (long i = 1; i < n; i++)
        if (v[i] > v[at])
            at = i;
    return (uint32_t)at;
}

static void run_head(struct transformer *t, struct forward_part *part, long parts)
{
    const float *x = t->x;
    long rows = 0, hidden = t->s.hidden;

    for (long p = 0; p < parts; p++) {
        x += part[p].n * hidden;
        if (part[p].wants_token)
            normalize(x - hidden, t->last + rows++ * hidden, 1, hidden);
    }
    if (rows > 0)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)t->s.vocab, (int)hidden, 1,
                    t->last, (int)hidden, t->embedding, (int)hidden, 0, t->logits, (int)t->s.vocab);
    rows = 0;
    for (long p = 0; p < parts; p++)
        if (part[p].wants_token)
            part[p].next = largest(t->logits + rows++ * t->s.vocab, t->s.vocab);
}

static long take_in(struct transformer *t, struct kv_cache *kv, const struct forward_part *part, long parts)
{
    long tokens = 0, block_tokens = kv_cache_block_tokens(kv);

    for (long p = 0; p < parts; p++) {
        ASSERT(tokens + part[p].n <= t->most_tokens && part[p].context + part[p].n <= t->most_context);
        for (long i = 0; i < part[p].n; i++, tokens++) {
            ASSERT((long)part[p].token[i] < t->s.vocab);
            memcpy(t->x + tokens * t->s.hidden, t->embedding + (long)part[p].token[i] * t->s.hidden,
                   (size_t)t->s.hidden * sizeof *t->x);
            t->place[tokens] = row_of(part[p].block, block_tokens, part[p].context + i);
        }
    }
    return tokens;
}

void transformer_forward(struct transformer *t, struct kv_cache *kv, struct forward_part *part, long parts,
                         struct forward_times *times)
{
    long tokens;

    begin(t, times);
    tokens = take_in(t, kv, part, parts);
    spent(t, times, FORWARD_EMBEDDING);
    for (long i = 0; i < t->s.layers; i++)
        run_layer(t, kv, i, part, parts, tokens, times);
    run_head(t, part, parts);
    spent(t, times, FORWARD_HEAD);
}
