#include "executor/kernels/prep.h"

#include "base/err.h"
#include "executor/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FETCH_AHEAD = 8, /* rows; the lists of the rows wanted lie apart once a filter has run */
    COLUMN_PAD = 32,
    FUSED_ROWS = 32 /* rows that hash and cross work on together while they are in the first-level cache */
};

#define DENSE_MAX 1e6f
#define NO_SLOT   UINT32_MAX

void prep_kernel_init(struct prep_kernel *k, const struct batch_shape *shape, long capacity, double keep_frac,
                      long table_rows)
{
    size_t n, list = (size_t)shape->list_length;

    /* Columns a power of two apart would fight for the same few places in the cache when rows are gathered.
     */
    capacity = (long)memory_round_up((size_t)capacity, COLUMN_PAD) + COLUMN_PAD / 2;
    n = (size_t)capacity;
    *k = (struct prep_kernel){
        .shape = *shape, .capacity = capacity, .table_rows = (uint32_t)table_rows, .slots_n = 64};
    k->keep_below = keep_frac >= 1 ? UINT64_MAX : (uint64_t)(keep_frac * 0x1p64);
    for (int i = 0; i < PREP_BOUNDARIES; i++)
        k->boundaries[i] = expf(0.125f * (float)i) - 1;
    while (k->slots_n < 2 * n)
        k->slots_n *= 2;
    k->rows = memory_new(n * sizeof *k->rows);
    k->units = memory_new(n * sizeof *k->units);
    k->leader = memory_new(n * sizeof *k->leader);
    k->number = memory_new(n * sizeof *k->number);
    k->list_hash = memory_new(n * sizeof *k->list_hash);
    k->slots = memory_new(k->slots_n * sizeof *k->slots);
    k->session_ids = memory_new(n * (size_t)shape->session_features * list * sizeof *k->session_ids);
    k->item_ids = memory_new(n * (size_t)shape->item_features * list * sizeof *k->item_ids);
    k->cross_ids = memory_new(n * (size_t)shape->crosses * sizeof *k->cross_ids);
    k->clipped = memory_new(n * (size_t)shape->dense * sizeof *k->clipped);
    k->bucket = memory_new(n * (size_t)shape->dense * sizeof *k->bucket);
}

void prep_kernel_fini(struct prep_kernel *k)
{
    free(k->rows);
    free(k->units);
    free(k->leader);
    free(k->number);
    free(k->list_hash);
    free(k->slots);
    free(k->session_ids);
    free(k->item_ids);
    free(k->cross_ids);
    free(k->clipped);
    free(k->bucket);
}

void prep_begin(struct prep_kernel *k, const struct stripe *stripe, long first, long rows)
{
    ASSERT(rows <= k->capacity && first + rows <= stripe->rows);
    k->stripe = stripe;
    k->first = first;
    k->slice_rows = k->rows_n = k->units_n = rows;
    k->deduped = false;
    for (long i = 0; i < rows; i++)
        k->rows[i] = k->units[i] = (uint32_t)i;
}

/* The raw lists of a feature, from the slice's first row on; session features come first. */
static const uint64_t *raw_lists(const struct prep_kernel *k, long feature)
{
    return stripe_lists(k->stripe, feature) + k->first * k->shape.list_length;
}

static uint32_t *hashed_lists(const struct prep_kernel *k, uint32_t *all, long feature)
{
    return all + (size_t)feature * (size_t)k->capacity * (size_t)k->shape.list_length;
}

static inline void fetch_list(const uint64_t *raw, long list)
{
    __builtin_prefetch(raw);
    __builtin_prefetch(raw + list - 1);
}

static inline uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

/* ----------------------------------------------------------------------------------- filter */

/* Groups none of whose rows survived need no more work. */
static void forget_dead_groups(struct prep_kernel *k)
{
    long n = 0;

    memset(k->number, 0, (size_t)k->slice_rows * sizeof *k->number);
    for (long i = 0; i < k->rows_n; i++)
        k->number[k->leader[k->rows[i]]] = 1;
    for (long i = 0; i < k->units_n; i++)
        if (k->number[k->units[i]])
            k->units[n++] = k->units[i];
    k->units_n = n;
}

static double run_filter(struct prep_kernel *k)
{
    const uint64_t *sample = k->stripe->sample + k->first;
    double looked_at = (double)k->rows_n;
    long n = 0;

    for (long i = 0; i < k->rows_n; i++)
        if (mix(sample[k->rows[i]] + 1) < k->keep_below)
            k->rows[n++] = k->rows[i];
    k->rows_n = n;
    if (k->deduped) {
        forget_dead_groups(k);
    } else {
        memcpy(k->units, k->rows, (size_t)n * sizeof *k->units);
        k->units_n = n;
    }
    return looked_at;
}

/* ------------------------------------------------------------------------------------ dedup */

static void hash_lists(struct prep_kernel *k)
{
    long list = k->shape.list_length;

    memset(k->list_hash, 0, (size_t)k->slice_rows * sizeof *k->list_hash);
    for (long f = 0; f < k->shape.session_features; f++) {
        const uint64_t *raw = raw_lists(k, f);

        for (long i = 0; i < k->rows_n; i++) {
            const uint64_t *ids = raw + (long)k->rows[i] * list;
            uint64_t h = k->list_hash[k->rows[i]];

            if (i + FETCH_AHEAD < k->rows_n)
                fetch_list(raw + (long)k->rows[i + FETCH_AHEAD] * list, list);
            for (long v = 0; v < list; v++)
                h = (h ^ ids[v]) * UINT64_C(0x9e3779b97f4a7c15);
            k->list_hash[k->rows[i]] = h ^ h >> 32;
        }
    }
}

static bool same_lists(const struct prep_kernel *k, uint32_t a, uint32_t b)
{
    size_t list = (size_t)k->shape.list_length;

    for (long f = 0; f < k->shape.session_features; f++) {
        const uint64_t *raw = raw_lists(k, f);

        if (memcmp(raw + a * list, raw + b * list, list * sizeof *raw) != 0)
            return false;
    }
    return true;
}

static double run_dedup(struct prep_kernel *k)
{
    size_t mask = k->slots_n - 1;

    hash_lists(k);
    memset(k->slots, 0xff, k->slots_n * sizeof *k->slots);
    k->units_n = 0;
    for (long i = 0; i < k->rows_n; i++) {
        uint32_t row = k->rows[i], other;
        size_t at = k->list_hash[row] & mask;

        while ((other = k->slots[at]) != NO_SLOT &&
               !(k->list_hash[other] == k->list_hash[row] && same_lists(k, other, row)))
            at = (at + 1) & mask;
        if (other == NO_SLOT) {
            k->slots[at] = other = row;
            k->units[k->units_n++] = row;
        }
        k->leader[row] = other;
    }
    k->deduped = true;
    return (double)(k->rows_n * k->shape.session_features * k->shape.list_length);
}

/* ------------------------------------------------------------------------ hash, cross, fused */

#define ROTATE(x, b) ((x) << (b) | (x) >> (64 - (b)))
#define SIP_ROUND                                                                                            \
    do {                                                                                                     \
        v0 += v1, v1 = ROTATE(v1, 13) ^ v0, v0 = ROTATE(v0, 32);                                             \
        v2 += v3, v3 = ROTATE(v3, 16) ^ v2;                                                                  \
        v0 += v3, v3 = ROTATE(v3, 21) ^ v0;                                                                  \
        v2 += v1, v1 = ROTATE(v1, 17) ^ v2, v2 = ROTATE(v2, 32);                                             \
    } while (0)

/*
 * SipHash-2-4 (Aumasson and Bernstein 2012) of one 64-bit word: a strong hash, so that
 * no choice of ids, by accident or on purpose, piles up in one bucket.
 */
static inline uint64_t sip_hash(uint64_t key, uint64_t word)
{
    uint64_t v0 = key ^ UINT64_C(0x736f6d6570736575), v1 = ~key ^ UINT64_C(0x646f72616e646f6d);
    uint64_t v2 = key ^ UINT64_C(0x6c7967656e657261), v3 = ~key ^ UINT64_C(0x7465646279746573);
    const uint64_t length = UINT64_C(8) << 56;

    v3 ^= word;
    SIP_ROUND;
    SIP_ROUND;
    v0 ^= word;
    v3 ^= length;
    SIP_ROUND;
    SIP_ROUND;
    v0 ^= length;
    v2 ^= 0xff;
    SIP_ROUND;
    SIP_ROUND;
    SIP_ROUND;
    SIP_ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

static inline void hash_list(const struct prep_kernel *k, uint64_t key, const uint64_t *raw, uint32_t *out)
{
    for (long v = 0; v < k->shape.list_length; v++)
        out[v] = (uint32_t)(sip_hash(key, raw[v]) % k->table_rows);
}

/* Hashes the lists of one feature in the given rows. */
static void hash_feature(struct prep_kernel *k, long feature, uint64_t key, const uint32_t *rows, long n,
                         uint32_t *out)
{
    const uint64_t *raw = raw_lists(k, feature);
    long list = k->shape.list_length;

    for (long i = 0; i < n; i++) {
        if (i + FETCH_AHEAD < n)
            fetch_list(raw + (long)rows[i + FETCH_AHEAD] * list, list);
        hash_list(k, key, raw + (long)rows[i] * list, out + (long)rows[i] * list);
    }
}

static double hash_items(struct prep_kernel *k)
{
    /* A stripe holds all item features after all session features, whatever the job uses. */
    for (long f = 0; f < k->shape.item_features; f++) {
        long feature = k->stripe->session_features + f;

        hash_feature(k, feature, (uint64_t)feature, k->rows, k->rows_n, hashed_lists(k, k->item_ids, f));
    }
    return (double)(k->rows_n * k->shape.item_features * k->shape.list_length);
}

static double run_hash(struct prep_kernel *k)
{
    for (long f = 0; f < k->shape.session_features; f++)
        hash_feature(k, f, (uint64_t)f, k->units, k->units_n, hashed_lists(k, k->session_ids, f));
    return (double)(k->units_n * k->shape.session_features * k->shape.list_length) + hash_items(k);
}

/* The pairs that are crossed: neighbours first, then features further apart. */
static inline void cross_pair(const struct prep_kernel *k, long cross, long *a, long *b)
{
    long n = k->shape.session_features;

    *a = cross % n;
    *b = (*a + 1 + cross / n) % n;
}

/*
 * Crossing two lists means all pairs of their values; the smallest hash of a pair stands for
 * them all (MinHash), so lists that share most of their pairs tend to share the id.
 */
static inline uint32_t cross_lists(const struct prep_kernel *k, long cross, const uint32_t *a,
                                   const uint32_t *b)
{
    uint64_t smallest = UINT64_MAX, key = mix((uint64_t)cross + 1);

    for (long i = 0; i < k->shape.list_length; i++)
        for (long v = 0; v < k->shape.list_length; v++) {
            uint64_t h = mix(key ^ ((uint64_t)a[i] << 32 | b[v]));

            smallest = h < smallest ? h : smallest;
        }
    return (uint32_t)(mix(smallest) % k->table_rows);
}

static inline void cross_row(struct prep_kernel *k, long cross, long row)
{
    long a, b, at = row * k->shape.list_length;

    cross_pair(k, cross, &a, &b);
    k->cross_ids[cross * k->capacity + row] = cross_lists(k, cross, hashed_lists(k, k->session_ids, a) + at,
                                                          hashed_lists(k, k->session_ids, b) + at);
}

static double run_cross(struct prep_kernel *k)
{
    for (long c = 0; c < k->shape.crosses; c++)
        for (long i = 0; i < k->units_n; i++)
            cross_row(k, c, (long)k->units[i]);
    return (double)(k->units_n * k->shape.crosses);
}

static double run_fused_sparse(struct prep_kernel *k)
{
    for (long i = 0; i < k->units_n; i += FUSED_ROWS) {
        const uint32_t *units = k->units + i;
        long n = k->units_n - i < FUSED_ROWS ? k->units_n - i : FUSED_ROWS;

        for (long f = 0; f < k->shape.session_features; f++)
            hash_feature(k, f, (uint64_t)f, units, n, hashed_lists(k, k->session_ids, f));
        for (long c = 0; c < k->shape.crosses; c++)
            for (long u = 0; u < n; u++)
                cross_row(k, c, (long)units[u]);
    }
    return (double)(k->units_n * (k->shape.session_features * k->shape.list_length + k->shape.crosses)) +
           hash_items(k);
}

/* ------------------------------------------------------------------------------------ dense */

static inline float clip(float x)
{
    return log1pf(x < 0 ? 0 : x > DENSE_MAX ? DENSE_MAX : x);
}

static inline float bucketize(const struct prep_kernel *k, float x)
{
    int low = 0, high = PREP_BOUNDARIES;

    while (low < high) {
        int mid = (low + high) / 2;

        if (k->boundaries[mid] <= x)
            low = mid + 1;
        else
            high = mid;
    }
    return (float)low / PREP_BOUNDARIES;
}

static double run_dense(struct prep_kernel *k, enum prep_op op)
{
    for (long f = 0; f < k->shape.dense; f++) {
        const float *raw = stripe_dense(k->stripe, f) + k->first;
        float *clipped = k->clipped + f * k->capacity, *bucket = k->bucket + f * k->capacity;

        if (op == PREP_CLIP)
            for (long i = 0; i < k->rows_n; i++)
                clipped[k->rows[i]] = clip(raw[k->rows[i]]);
        else if (op == PREP_BUCKETIZE)
            for (long i = 0; i < k->rows_n; i++)
                bucket[k->rows[i]] = bucketize(k, raw[k->rows[i]]);
        else
            for (long i = 0; i < k->rows_n; i++) {
                clipped[k->rows[i]] = clip(raw[k->rows[i]]);
                bucket[k->rows[i]] = bucketize(k, raw[k->rows[i]]);
            }
    }
    return (double)(k->rows_n * k->shape.dense);
}

double prep_run(struct prep_kernel *k, enum prep_op op)
{
    switch (op) {
    case PREP_FILTER:
        return run_filter(k);
    case PREP_DEDUP:
        return run_dedup(k);
    case PREP_HASH:
        return run_hash(k);
    case PREP_CROSS:
        return run_cross(k);
    case PREP_FUSED_SPARSE:
        return run_fused_sparse(k);
    default:
        return run_dense(k, op);
    }
}

/* ---------------------------------------------------------------------------------- collate */

/* Lists of `width` ids, one per chosen row, out of [feature][capacity] into [feature][n]. */
static size_t gather(const uint32_t *from, size_t capacity, long features, size_t width, const uint32_t *rows,
                     long n, uint32_t *to)
{
    for (long f = 0; f < features; f++, from += capacity * width)
        for (long i = 0; i < n; i++, to += width)
            memcpy(to, from + rows[i] * width, width * sizeof *to);
    return (size_t)(features * n) * width;
}

static void collate_rows(struct prep_kernel *k, struct batch *out)
{
    long dense = k->shape.dense;

    for (long i = 0; i < k->rows_n; i++) {
        float *to = out->dense + 2 * i * dense;
        uint32_t row = k->rows[i];

        for (long f = 0; f < dense; f++) {
            to[f] = k->clipped[f * k->capacity + row];
            to[dense + f] = k->bucket[f * k->capacity + row];
        }
        out->label[i] = k->stripe->label[k->first + row];
    }
}

double prep_collate(struct prep_kernel *k, struct batch *out)
{
    size_t n = (size_t)k->capacity, list = (size_t)k->shape.list_length, values;

    out->rows = k->rows_n;
    out->units = k->units_n;
    out->dedup = k->deduped;
    values =
        gather(k->session_ids, n, k->shape.session_features, list, k->units, k->units_n, out->session_ids);
    values += gather(k->cross_ids, n, k->shape.crosses, 1, k->units, k->units_n, out->cross_ids);
    values += gather(k->item_ids, n, k->shape.item_features, list, k->rows, k->rows_n, out->item_ids);
    collate_rows(k, out);
    if (k->deduped) {
        for (long i = 0; i < k->units_n; i++)
            k->number[k->units[i]] = (uint32_t)i;
        for (long i = 0; i < k->rows_n; i++)
            out->inverse[i] = k->number[k->leader[k->rows[i]]];
    }
    out->bytes = 4 * ((double)values + (double)k->rows_n * (double)(2 * k->shape.dense + 1 + k->deduped));
    return (double)values;
}
