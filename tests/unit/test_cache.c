/* Caches: least recently used against a searched list and against Che's approximation; two lists against a
 * scan. */
#include "engine/cache.h"
#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* The same as a list, newest first. */
struct list {
    uint64_t key[64];
    int64_t size[64], used;
    int n;
};

static int list_find(const struct list *l, uint64_t key)
{
    for (int i = 0; i < l->n; i++)
        if (l->key[i] == key)
            return i;
    return -1;
}

static void list_remove(struct list *l, int i)
{
    l->used -= l->size[i];
    l->n--;
    memmove(&l->key[i], &l->key[i + 1], (size_t)(l->n - i) * sizeof *l->key);
    memmove(&l->size[i], &l->size[i + 1], (size_t)(l->n - i) * sizeof *l->size);
}

static bool list_ask(struct list *l, uint64_t key, int64_t size, int64_t capacity)
{
    int i = list_find(l, key);

    if (i >= 0) {
        size = l->size[i];
        list_remove(l, i);
    } else if (size > capacity) {
        return false;
    }
    while (i < 0 && l->used + size > capacity)
        list_remove(l, l->n - 1);
    memmove(&l->key[1], &l->key[0], (size_t)l->n * sizeof *l->key);
    memmove(&l->size[1], &l->size[0], (size_t)l->n * sizeof *l->size);
    l->key[0] = key;
    l->size[0] = size;
    l->used += size;
    l->n++;
    return i >= 0;
}

Test(cache, drops_what_was_not_asked_for_the_longest)
{
    enum { CAPACITY = 60 };
    struct sim *sim = sim_new(1, 0);
    struct cache *c = cache_new(sim, CACHE_LRU, CAPACITY);
    struct list l = {.n = 0};
    struct rng r;

    rng_stream(&r, 1, 0, "cache");
    for (int i = 0; i < 50000; i++) {
        uint64_t key = rng_below(&r, 40) << 32 | 7;
        int64_t size = 1 + (int64_t)rng_below(&r, i % 100 ? 5 : 100);

        if (rng_below(&r, 20) == 0) {
            int at = list_find(&l, key);

            cr_assert_eq(cache_drop(c, key), at >= 0);
            if (at >= 0)
                list_remove(&l, at);
        }
        cr_assert_eq(cache_ask(c, key, size), list_ask(&l, key, size, CAPACITY), "question %d", i);
        cr_assert_eq(cache_stats(c).used, l.used);
    }
    for (uint64_t key = 0; key < 40; key++)
        cr_expect_eq(cache_has(c, key << 32 | 7), list_find(&l, key << 32 | 7) >= 0);
    cr_expect_eq(cache_stats(c).hits + cache_stats(c).misses, 50000);
    sim_free(sim);
}

enum { THINGS = 10000 };

/* Cumulated popularity of Zipf's law. */
static double *popularity(double exponent)
{
    double *p = xcalloc(THINGS + 1, sizeof *p);

    for (int i = 0; i < THINGS; i++)
        p[i + 1] = p[i] + pow(i + 1, -exponent);
    for (int i = 1; i <= THINGS; i++)
        p[i] /= p[THINGS];
    return p;
}

static uint64_t drawn(const double *p, struct rng *r)
{
    double u = rng_uniform(r);
    size_t lo = 0, hi = THINGS - 1;

    while (lo < hi) {
        size_t middle = (lo + hi) / 2;

        if (u < p[middle + 1])
            hi = middle;
        else
            lo = middle + 1;
    }
    return lo;
}

/* Che, Tung, Wang (2002): a thing asked for at rate q is there with chance 1 - exp(-q t), t such that C are.
 */
static double che(const double *p, double capacity)
{
    double lo = 0, hi = 1e9, hit = 0;

    for (int step = 0; step < 200; step++) {
        double t = (lo + hi) / 2, there = 0;

        for (int i = 0; i < THINGS; i++)
            there += 1 - exp(-(p[i + 1] - p[i]) * t);
        if (there < capacity)
            lo = t;
        else
            hi = t;
    }
    for (int i = 0; i < THINGS; i++)
        hit += (p[i + 1] - p[i]) * (1 - exp(-(p[i + 1] - p[i]) * lo));
    return hit;
}

static double simulated(const double *p, int64_t capacity)
{
    struct sim *sim = sim_new(1, 0);
    struct cache *c = cache_new(sim, CACHE_LRU, capacity);
    struct rng r;
    double hit;

    rng_stream(&r, 1, 0, "zipf");
    for (int i = 0; i < 600000; i++) {
        if (i == 100000)
            cache_begin_measuring(c);
        cache_ask(c, drawn(p, &r), 1);
    }
    hit = cache_stats(c).hit_frac;
    sim_free(sim);
    return hit;
}

Test(cache, hits_as_often_as_che_says)
{
    for (int k = 0; k < 2; k++) {
        double *p = popularity(k ? 1.1 : 0.8);

        for (int64_t capacity = 100; capacity <= 5000; capacity *= 7) {
            double theory = che(p, (double)capacity), found = simulated(p, capacity);

            cr_expect(fabs(found - theory) < 0.01, "%ld of %d: %g, Che says %g", (long)capacity, THINGS,
                      found, theory);
        }
        free(p);
    }
}

/* Things that are used all the time, and now and then a scan over much that is used once. */
static double hits_of_the_used(enum cache_policy policy)
{
    struct sim *sim = sim_new(1, 0);
    struct cache *c = cache_new(sim, policy, 1000);
    uint64_t once = 1000000;
    int hits = 0, asked = 0;
    struct rng r;

    rng_stream(&r, 1, 0, "scan");
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 2000; i++, asked++)
            hits += cache_ask(c, rng_below(&r, 400), 1);
        for (int i = 0; i < 5000; i++)
            cache_ask(c, once++, 1);
    }
    cr_expect_eq(cache_stats(c).used, 1000);
    sim_free(sim);
    return (double)hits / asked;
}

Test(cache, two_lists_keep_what_is_used_when_a_scan_passes)
{
    double lru = hits_of_the_used(CACHE_LRU), two = hits_of_the_used(CACHE_TWO_LISTS);

    cr_expect(lru > 0.75 && lru < 0.85, "%g", lru); /* 400 of 2,000 are read again after each scan */
    cr_expect_gt(two, 0.98, "%g", two);
}
