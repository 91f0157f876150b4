#include "executor/image_cache.h"

#include "base/arena.h"
#include "executor/memory.h"

#include <stdlib.h>

enum { EMPTY, BEING_FILLED, FULL };

static size_t reduced(int side, long reduction)
{
    return (size_t)((side + reduction - 1) / reduction);
}

static size_t place_size(const struct image_loader_cfg *c, const struct jpeg_entry *e)
{
    long reduction = image_reduction(c->decode);

    return c->cache == IMAGE_CACHE_SOURCE
               ? e->size
               : reduced(e->width, reduction) * reduced(e->height, reduction) * IMAGE_CHANNELS;
}

void image_cache_init(struct image_cache *k, const struct image_loader_cfg *c, const struct jpegs *set)
{
    *k = (struct image_cache){.offset = xcalloc((size_t)set->n + 1, sizeof *k->offset)};
    while (c->cache != IMAGE_CACHE_NONE && k->kept < set->n) {
        size_t end = k->offset[k->kept] + place_size(c, &set->entry[k->kept]);

        if ((double)end > c->cache_bytes)
            break;
        k->offset[++k->kept] = end;
    }
    k->data = memory_new(k->offset[k->kept]);
    k->state = xcalloc((size_t)k->kept + 1, sizeof *k->state);
}

void image_cache_fini(struct image_cache *k)
{
    free(k->offset);
    free(k->data);
    free(k->state);
}

const unsigned char *image_cache_find(struct image_cache *k, long image)
{
    if (image >= k->kept || atomic_load_explicit(&k->state[image], memory_order_acquire) != FULL)
        return NULL;
    return k->data + k->offset[image];
}

unsigned char *image_cache_claim(struct image_cache *k, long image, size_t *size)
{
    int empty = EMPTY;

    if (image >= k->kept || !atomic_compare_exchange_strong(&k->state[image], &empty, BEING_FILLED))
        return NULL;
    *size = k->offset[image + 1] - k->offset[image];
    return k->data + k->offset[image];
}

void image_cache_filled(struct image_cache *k, long image)
{
    atomic_store_explicit(&k->state[image], FULL, memory_order_release);
}
