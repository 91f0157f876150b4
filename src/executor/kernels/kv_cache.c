#include "executor/kernels/kv_cache.h"

#include "base/arena.h"
#include "base/err.h"
#include "executor/memory.h"

#include <stdlib.h>

enum { NONE = -1 };

struct slot {
    uint64_t hash; /* 0: not published */
    long users;
    long next;         /* in its bucket */
    long older, newer; /* among the published and unused, or `newer` among the free */
};

struct kv_cache {
    long blocks, block_tokens, layers;
    size_t layer_floats;
    float *keys, *values;
    struct slot *slot;
    long *bucket;
    uint64_t buckets;
    long free, free_n;           /* the first of a list through `newer` */
    long oldest, newest, idle_n; /* published and unused */
};

struct kv_cache *kv_cache_new(long blocks, long block_tokens, long layers, long width)
{
    struct kv_cache *c = xcalloc(1, sizeof *c);

    c->blocks = blocks;
    c->block_tokens = block_tokens;
    c->layers = layers;
    c->layer_floats = (size_t)(blocks * block_tokens * width);
    c->keys = memory_new((size_t)layers * c->layer_floats * sizeof(float));
    c->values = memory_new((size_t)layers * c->layer_floats * sizeof(float));
    c->slot = xcalloc((size_t)blocks, sizeof *c->slot);
    for (c->buckets = 64; c->buckets < (uint64_t)blocks; c->buckets *= 2)
        ;
    c->bucket = xcalloc(c->buckets, sizeof *c->bucket);
    for (uint64_t i = 0; i < c->buckets; i++)
        c->bucket[i] = NONE;
    for (long i = 0; i < blocks; i++)
        c->slot[i].newer = i + 1 < blocks ? i + 1 : NONE;
    c->free = blocks > 0 ? 0 : NONE;
    c->free_n = blocks;
    c->oldest = c->newest = NONE;
    return c;
}

void kv_cache_free(struct kv_cache *c)
{
    if (c == NULL)
        return;
    free(c->keys);
    free(c->values);
    free(c->slot);
    free(c->bucket);
    free(c);
}

long kv_cache_block_tokens(const struct kv_cache *c)
{
    return c->block_tokens;
}

float *kv_cache_keys(struct kv_cache *c, long layer)
{
    return c->keys + (size_t)layer * c->layer_floats;
}

float *kv_cache_values(struct kv_cache *c, long layer)
{
    return c->values + (size_t)layer * c->layer_floats;
}

long kv_cache_available(const struct kv_cache *c)
{
    return c->free_n + c->idle_n;
}

/* ------------------------------------------------------------------------------ published blocks */

/* Steele, Lea, Flood: the finalizer of SplitMix64. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t kv_cache_hash(uint64_t before, const uint32_t *token, long n)
{
    uint64_t x = before + UINT64_C(0x9e3779b97f4a7c15);

    for (long i = 0; i < n; i++)
        x = mix(x + token[i] * UINT64_C(0x9e3779b97f4a7c15));
    return x != 0 ? x : 1;
}

static long find(const struct kv_cache *c, uint64_t hash)
{
    long b = c->bucket[hash & (c->buckets - 1)];

    while (b != NONE && c->slot[b].hash != hash)
        b = c->slot[b].next;
    return b;
}

static void unlink_idle(struct kv_cache *c, long b)
{
    struct slot *s = &c->slot[b];

    *(s->older != NONE ? &c->slot[s->older].newer : &c->oldest) = s->newer;
    *(s->newer != NONE ? &c->slot[s->newer].older : &c->newest) = s->older;
    c->idle_n--;
}

static void append_idle(struct kv_cache *c, long b)
{
    struct slot *s = &c->slot[b];

    s->older = c->newest;
    s->newer = NONE;
    *(c->newest != NONE ? &c->slot[c->newest].newer : &c->oldest) = b;
    c->newest = b;
    c->idle_n++;
}

static void forget(struct kv_cache *c, long b)
{
    long *at = &c->bucket[c->slot[b].hash & (c->buckets - 1)];

    while (*at != b)
        at = &c->slot[*at].next;
    *at = c->slot[b].next;
    c->slot[b].hash = 0;
}

long kv_cache_find(const struct kv_cache *c, const uint64_t *hash, long n, long *unused)
{
    long found = 0, b;

    *unused = 0;
    while (found < n && (b = find(c, hash[found])) != NONE) {
        *unused += c->slot[b].users == 0;
        found++;
    }
    return found;
}

void kv_cache_share(struct kv_cache *c, const uint64_t *hash, long n, long *block)
{
    for (long i = 0; i < n; i++) {
        long b = find(c, hash[i]);

        ASSERT(b != NONE);
        if (c->slot[b].users++ == 0)
            unlink_idle(c, b);
        block[i] = b;
    }
}

bool kv_cache_publish(struct kv_cache *c, long block, uint64_t hash)
{
    struct slot *s = &c->slot[block];
    uint64_t at = hash & (c->buckets - 1);

    ASSERT(s->users > 0 && s->hash == 0);
    if (find(c, hash) != NONE)
        return false;
    s->hash = hash;
    s->next = c->bucket[at];
    c->bucket[at] = block;
    return true;
}

/* -------------------------------------------------------------------------------------- taking */

static long take_one(struct kv_cache *c)
{
    long b = c->free;

    if (b != NONE) {
        c->free = c->slot[b].newer;
        c->free_n--;
        return b;
    }
    b = c->oldest;
    unlink_idle(c, b);
    forget(c, b);
    return b;
}

bool kv_cache_take(struct kv_cache *c, long n, long *block)
{
    if (kv_cache_available(c) < n)
        return false;
    for (long i = 0; i < n; i++) {
        block[i] = take_one(c);
        c->slot[block[i]].users = 1;
    }
    return true;
}

/* Of a chain the end becomes the oldest: without its beginning it could not be found. */
void kv_cache_release(struct kv_cache *c, const long *block, long n)
{
    for (long i = n - 1; i >= 0; i--) {
        struct slot *s = &c->slot[block[i]];

        ASSERT(s->users > 0);
        if (--s->users > 0)
            continue;
        if (s->hash != 0) {
            append_idle(c, block[i]);
        } else {
            s->newer = c->free;
            c->free = block[i];
            c->free_n++;
        }
    }
}
