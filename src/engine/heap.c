#include "engine/heap.h"

#include "base/err.h"

#include <stdlib.h>

enum { LINE = 64, FIRST_ROOM = 64 };

void heap_init(struct key_heap *h, struct arena *arena)
{
    *h = (struct key_heap){.end = HEAP_ROOT, .arena = arena};
    heap_grow(h);
}

void heap_fini(struct key_heap *h)
{
    if (h->arena == NULL)
        free(h->block);
    *h = (struct key_heap){.end = HEAP_ROOT};
}

void heap_grow(struct key_heap *h)
{
    size_t room = h->room ? 2 * h->room : FIRST_ROOM, size = room * sizeof(heap_key) + LINE;
    void *block = h->arena ? arena_alloc(h->arena, size) : xmalloc(size);
    heap_key *key = (heap_key *)(((uintptr_t)block + LINE - 1) & ~(uintptr_t)(LINE - 1));

    /* The unfinished group at the end goes along with its filling. */
    if (h->key != NULL)
        memcpy(key, h->key, ((h->end + 3) & ~(size_t)3) * sizeof *key);
    else
        key[HEAP_ROOT] = HEAP_LAST_KEY;
    if (h->arena == NULL)
        free(h->block);
    h->block = block;
    h->key = key;
    h->room = room;
}

static void fill_last_group(struct key_heap *h)
{
    for (size_t i = h->end; (i & 3) != 0; i++)
        h->key[i] = HEAP_LAST_KEY;
}

void heap_rebuild(struct key_heap *h, size_t count)
{
    h->end = HEAP_ROOT + count;
    ASSERT(h->end <= h->room);
    fill_last_group(h);
    if (count == 0)
        h->key[HEAP_ROOT] = HEAP_LAST_KEY;
    if (count < 2)
        return;
    for (size_t i = ((h->end - 1) >> 2) + 2; i >= HEAP_ROOT; i--)
        heap_sink(h, i, h->key[i]);
}

static int by_key(const void *a, const void *b)
{
    heap_key x = *(const heap_key *)a, y = *(const heap_key *)b;

    return (x > y) - (x < y);
}

void heap_sort(struct key_heap *h)
{
    qsort(h->key + HEAP_ROOT, heap_count(h), sizeof *h->key, by_key);
}
