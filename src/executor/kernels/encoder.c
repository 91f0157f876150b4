#include "executor/kernels/encoder.h"

#include "base/arena.h"
#include "engine/rng.h"
#include "executor/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1 << 14, WIDTH = 256, HIDDEN = 512 };
static const double smoothing = 1e-4;

struct encoder {
    long dims, most_texts;
    float *table;   /* [BUCKETS][WIDTH] */
    float *w1, *w2; /* [WIDTH][HIDDEN], [HIDDEN][dims] */
    float *x, *h;
    float *weight; /* by bucket */
    double *count, total;
};

/* FNV-1a */
uint32_t word_hash(const char *word, long letters)
{
    uint32_t x = 2166136261u;

    for (long i = 0; i < letters; i++)
        x = (x ^ (unsigned char)word[i]) * 16777619u;
    return x ^ x >> 15;
}

long text_words(const char *text, uint32_t *hash, long room)
{
    long n = 0;

    while (n < room) {
        size_t letters;

        text += strspn(text, " ");
        letters = strcspn(text, " ");
        if (letters == 0)
            break;
        hash[n++] = word_hash(text, (long)letters);
        text += letters;
    }
    return n;
}

static float *random_floats(long n, double spread, struct rng *r)
{
    float *v = memory_new((size_t)n * sizeof *v);

    for (long i = 0; i < n; i++)
        v[i] = (float)(spread * rng_normal(r));
    return v;
}

struct encoder *encoder_new(long dims, long most_texts, uint64_t seed)
{
    struct encoder *e = xcalloc(1, sizeof *e);
    struct rng r;

    openblas_set_num_threads(1);
    rng_stream(&r, seed, 0, "executor.encoder");
    e->dims = dims;
    e->most_texts = most_texts;
    e->table = random_floats((long)BUCKETS * WIDTH, 1, &r);
    e->w1 = random_floats((long)WIDTH * HIDDEN, 0.5 / sqrt(WIDTH), &r);
    e->w2 = random_floats(HIDDEN * dims, 1 / sqrt(HIDDEN), &r);
    e->x = memory_new((size_t)(most_texts * WIDTH) * sizeof(float));
    e->h = memory_new((size_t)(most_texts * HIDDEN) * sizeof(float));
    e->weight = memory_new(BUCKETS * sizeof(float));
    e->count = xcalloc(BUCKETS, sizeof *e->count);
    for (long i = 0; i < BUCKETS; i++)
        e->weight[i] = 1;
    return e;
}

void encoder_free(struct encoder *e)
{
    if (e == NULL)
        return;
    free(e->table);
    free(e->w1);
    free(e->w2);
    free(e->x);
    free(e->h);
    free(e->weight);
    free(e->count);
    free(e);
}

void encoder_learn(struct encoder *e, const struct words *text, long n)
{
    for (long i = 0; i < n; i++)
        for (long k = 0; k < text[i].n; k++) {
            e->count[text[i].hash[k] % BUCKETS]++;
            e->total++;
        }
    for (long b = 0; b < BUCKETS && e->total > 0; b++)
        e->weight[b] = (float)(smoothing / (smoothing + e->count[b] / e->total));
}

/* The bag of one text, of length 1 before W1, so that tanh sees the same scale whatever the text's length. */
static void sum_words(const struct encoder *e, const struct words *text, float *x)
{
    double square = 0;
    float scale;

    memset(x, 0, WIDTH * sizeof *x);
    for (long k = 0; k < text->n; k++) {
        uint32_t bucket = text->hash[k] % BUCKETS;
        const float *row = e->table + (size_t)bucket * WIDTH;

        for (long i = 0; i < WIDTH; i++)
            x[i] += e->weight[bucket] * row[i];
    }
    for (long i = 0; i < WIDTH; i++)
        square += (double)x[i] * (double)x[i];
    scale = square > 0 ? (float)(sqrt(WIDTH) / sqrt(square)) : 0;
    for (long i = 0; i < WIDTH; i++)
        x[i] *= scale;
}

static void unit_length(float *v, long n)
{
    double square = 0;
    float scale;

    for (long i = 0; i < n; i++)
        square += (double)v[i] * (double)v[i];
    scale = square > 0 ? (float)(1 / sqrt(square)) : 0;
    for (long i = 0; i < n; i++)
        v[i] *= scale;
}

static void run_batch(struct encoder *e, const struct words *text, long n, float *to)
{
    for (long i = 0; i < n; i++)
        sum_words(e, &text[i], e->x + i * WIDTH);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, HIDDEN, WIDTH, 1, e->x, WIDTH, e->w1,
                HIDDEN, 0, e->h, HIDDEN);
    for (long i = 0; i < n * HIDDEN; i++)
        e->h[i] = tanhf(e->h[i]);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)e->dims, HIDDEN, 1, e->h, HIDDEN,
                e->w2, (int)e->dims, 0, to, (int)e->dims);
    for (long i = 0; i < n; i++)
        unit_length(to + i * e->dims, e->dims);
}

void encoder_run(struct encoder *e, const struct words *text, long n, float *to)
{
    for (long done = 0; done < n; done += e->most_texts) {
        long batch = n - done < e->most_texts ? n - done : e->most_texts;

        run_batch(e, text + done, batch, to + done * e->dims);
    }
}
