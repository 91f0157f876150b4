/*
 * Pages are entries of an array and hang in one of two rings by their numbers; the last two entries are the
 * heads (next is the newest, previous the oldest).  PAGE_RANDOM keeps a list of residents instead.
 */
#include "engine/page_cache.h"

#include "base/err.h"

#include <math.h>

const char *const page_policy_names[] = {"kernel", "lru", "random", "keep", NULL};

enum where { AWAY, INACTIVE, ACTIVE };

struct page {
    uint32_t next, previous;
    uint64_t shadow; /* age at eviction, plus 1; 0: was never here */
    unsigned char where;
    bool referenced;
};

struct page_cache {
    enum page_policy policy;
    uint32_t pages, capacity, used, active;
    double ratio;
    uint64_t age;
    struct page *page;
    uint32_t *resident; /* PAGE_RANDOM */
    struct rng *rng;
};

static uint32_t head(const struct page_cache *c, enum where list)
{
    return c->pages + (list == ACTIVE);
}

struct page_cache *page_cache_new(struct arena *a, enum page_policy policy, uint32_t pages, uint32_t capacity,
                                  double ratio, struct rng *r)
{
    struct page_cache *c = ARENA_NEW(a, struct page_cache);

    ASSERT(pages > 0 && pages < UINT32_MAX - 2 && (policy != PAGE_RANDOM || r != NULL));
    *c =
        (struct page_cache){.policy = policy, .pages = pages, .capacity = capacity, .ratio = ratio, .rng = r};
    c->page = arena_array(a, (size_t)pages + 2, sizeof *c->page);
    for (uint32_t h = pages; h < pages + 2; h++)
        c->page[h].next = c->page[h].previous = h;
    if (policy == PAGE_RANDOM)
        c->resident = arena_array(a, (size_t)capacity + 1, sizeof *c->resident);
    return c;
}

static void unlink_page(struct page_cache *c, uint32_t p)
{
    struct page *x = &c->page[p];

    c->page[x->previous].next = x->next;
    c->page[x->next].previous = x->previous;
    c->active -= x->where == ACTIVE;
    x->where = AWAY;
}

static void link_page(struct page_cache *c, uint32_t p, enum where list)
{
    struct page *x = &c->page[p];
    uint32_t h = head(c, list);

    x->where = (unsigned char)list;
    x->previous = h;
    x->next = c->page[h].next;
    c->page[x->next].previous = p;
    c->page[h].next = p;
    c->active += list == ACTIVE;
}

static void evict(struct page_cache *c)
{
    uint32_t oldest, inactive = c->used - c->active;

    if (c->active > 0 && (inactive == 0 || (double)inactive * c->ratio < (double)c->active)) {
        oldest = c->page[head(c, ACTIVE)].previous;
        unlink_page(c, oldest);
        c->page[oldest].referenced = false;
        link_page(c, oldest, INACTIVE);
    }
    oldest = c->page[head(c, INACTIVE)].previous;
    ASSERT(oldest < c->pages);
    unlink_page(c, oldest);
    c->used--;
    c->page[oldest].shadow = ++c->age + 1;
}

static void touch_resident(struct page_cache *c, uint32_t p)
{
    struct page *x = &c->page[p];

    if (c->policy == PAGE_LRU) {
        unlink_page(c, p);
        link_page(c, p, INACTIVE);
    }
    if (c->policy != PAGE_KERNEL)
        return;
    if (x->where == INACTIVE && x->referenced) {
        unlink_page(c, p);
        link_page(c, p, ACTIVE);
        x->referenced = false;
        c->age++;
    } else
        x->referenced = true;
}

static void bring_in(struct page_cache *c, uint32_t p)
{
    struct page *x = &c->page[p];
    bool stayed_if;

    while (c->used >= c->capacity)
        evict(c);
    stayed_if = c->policy == PAGE_KERNEL && x->shadow > 0 && c->age + 1 - x->shadow <= c->active;
    link_page(c, p, stayed_if ? ACTIVE : INACTIVE);
    c->age += stayed_if;
    x->referenced = !stayed_if;
    c->used++;
}

static void replace_any(struct page_cache *c, uint32_t p)
{
    uint64_t slot = c->used;

    if (c->used < c->capacity)
        c->used++;
    else {
        slot = rng_below(c->rng, c->capacity);
        c->page[c->resident[slot]].where = AWAY;
    }
    c->resident[slot] = p;
    c->page[p].where = INACTIVE;
}

bool page_touch(struct page_cache *c, uint32_t p)
{
    ASSERT(p < c->pages);
    if (c->page[p].where != AWAY) {
        touch_resident(c, p);
        return true;
    }
    if (c->capacity == 0 || (c->policy == PAGE_KEEP && c->used == c->capacity))
        return false;
    if (c->policy == PAGE_RANDOM)
        replace_any(c, p);
    else
        bring_in(c, p);
    return false;
}

uint32_t page_cache_used(const struct page_cache *c)
{
    return c->used;
}

uint32_t page_cache_active(const struct page_cache *c)
{
    return c->active;
}

double page_inactive_ratio(double bytes)
{
    return fmax(1, floor(sqrt(10 * bytes / 0x1p30)));
}
