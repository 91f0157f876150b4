/*
 * Entries lie in an array and hang in one of two rings (entries 0 and 1 are
 * their heads: next is the newest, previous the oldest); a table of open
 * addresses finds them by key.  Both double in the arena.
 */
#include "engine/cache.h"

#include <string.h>

enum { ACTIVE = 0, INACTIVE = 1, HEADS = 2 };

struct entry {
    uint64_t key;
    int64_t size;
    uint32_t next, previous; /* free: next is the next free one */
    uint32_t list;
};

struct cache {
    struct sim *sim;
    enum cache_policy policy;
    int64_t capacity, used, active;
    struct entry *entry;
    uint32_t entries, room, free; /* free: 0 is none */
    uint32_t *table;              /* 0 is empty */
    size_t table_size, count;
    uint64_t hits, misses, evicted;
};

static size_t place_of(const struct cache *c, uint64_t key)
{
    return (size_t)((key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (c->table_size - 1);
}

static void table_put(struct cache *c, uint32_t e)
{
    size_t at = place_of(c, c->entry[e].key);

    while (c->table[at] != 0)
        at = (at + 1) & (c->table_size - 1);
    c->table[at] = e;
}

/* Where the key stands, or the empty place where it would. */
static size_t table_find(const struct cache *c, uint64_t key)
{
    size_t at = place_of(c, key);

    while (c->table[at] != 0 && c->entry[c->table[at]].key != key)
        at = (at + 1) & (c->table_size - 1);
    return at;
}

/* Those behind the gap move up into it when their way leads over it. */
static void table_remove(struct cache *c, size_t gap)
{
    size_t mask = c->table_size - 1;

    for (size_t at = (gap + 1) & mask; c->table[at] != 0; at = (at + 1) & mask) {
        size_t home = place_of(c, c->entry[c->table[at]].key);

        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        c->table[gap] = c->table[at];
        gap = at;
    }
    c->table[gap] = 0;
}

static void grow(struct cache *c)
{
    uint32_t room = 2 * c->room;
    struct entry *entry = arena_array(c->sim->arena, room, sizeof *entry);

    ASSERT(c->room < UINT32_C(1) << 30);
    memcpy(entry, c->entry, c->entries * sizeof *entry);
    c->entry = entry;
    c->room = room;
    c->table_size = 2 * (size_t)room;
    c->table = arena_array(c->sim->arena, c->table_size, sizeof *c->table);
    for (uint32_t head = ACTIVE; head <= INACTIVE; head++)
        for (uint32_t e = entry[head].next; e != head; e = entry[e].next)
            table_put(c, e);
}

struct cache *cache_new(struct sim *sim, enum cache_policy policy, int64_t capacity)
{
    struct cache *c = ARENA_NEW(sim->arena, struct cache);

    ASSERT(capacity >= 0);
    c->sim = sim;
    c->policy = policy;
    c->capacity = capacity;
    c->room = 16;
    c->entry = arena_array(sim->arena, c->room, sizeof *c->entry);
    c->entry[INACTIVE].next = c->entry[INACTIVE].previous = INACTIVE;
    c->entries = HEADS;
    c->table_size = 2 * (size_t)c->room;
    c->table = arena_array(sim->arena, c->table_size, sizeof *c->table);
    return c;
}

static void unlink_entry(struct cache *c, uint32_t e)
{
    struct entry *x = &c->entry[e];

    c->entry[x->previous].next = x->next;
    c->entry[x->next].previous = x->previous;
    c->active -= x->list == ACTIVE ? x->size : 0;
}

/* As the newest of a list. */
static void link_entry(struct cache *c, uint32_t e, uint32_t list)
{
    struct entry *x = &c->entry[e], *head = &c->entry[list];

    x->list = list;
    x->previous = list;
    x->next = head->next;
    c->entry[head->next].previous = e;
    head->next = e;
    c->active += list == ACTIVE ? x->size : 0;
}

static void remove_at(struct cache *c, size_t at)
{
    uint32_t e = c->table[at];

    table_remove(c, at);
    unlink_entry(c, e);
    c->used -= c->entry[e].size;
    c->count--;
    c->entry[e].next = c->free;
    c->free = e;
}

static void evict_one(struct cache *c)
{
    uint32_t oldest = c->entry[INACTIVE].previous;

    if (oldest == INACTIVE)
        oldest = c->entry[ACTIVE].previous;
    remove_at(c, table_find(c, c->entry[oldest].key));
    c->evicted++;
}

static void touched(struct cache *c, uint32_t e)
{
    unlink_entry(c, e);
    link_entry(c, e, c->policy == CACHE_LRU ? INACTIVE : ACTIVE);
    while (c->active > c->capacity / 2) {
        uint32_t oldest = c->entry[ACTIVE].previous;

        unlink_entry(c, oldest);
        link_entry(c, oldest, INACTIVE);
    }
}

bool cache_ask(struct cache *c, uint64_t key, int64_t size)
{
    size_t at = table_find(c, key);
    uint32_t e = c->table[at];

    ASSERT(size >= 0);
    if (e != 0) {
        c->hits++;
        touched(c, e);
        return true;
    }
    c->misses++;
    if (size > c->capacity)
        return false;
    while (c->used + size > c->capacity)
        evict_one(c);
    e = c->free;
    if (e != 0)
        c->free = c->entry[e].next;
    else if (c->entries == c->room)
        grow(c);
    if (e == 0)
        e = c->entries++;
    c->entry[e].key = key;
    c->entry[e].size = size;
    c->used += size;
    c->count++;
    link_entry(c, e, INACTIVE);
    table_put(c, e);
    return false;
}

bool cache_has(const struct cache *c, uint64_t key)
{
    return c->table[table_find(c, key)] != 0;
}

bool cache_drop(struct cache *c, uint64_t key)
{
    size_t at = table_find(c, key);

    if (c->table[at] == 0)
        return false;
    remove_at(c, at);
    return true;
}

void cache_begin_measuring(struct cache *c)
{
    c->hits = c->misses = c->evicted = 0;
}

struct cache_stats cache_stats(const struct cache *c)
{
    double asked = (double)(c->hits + c->misses);

    return (struct cache_stats){
        .used = c->used,
        .hits = c->hits,
        .misses = c->misses,
        .evicted = c->evicted,
        .hit_frac = asked > 0 ? (double)c->hits / asked : 0,
    };
}
