/*
 * image_cache.h - images kept in memory from the first epoch on.
 *
 * The first so many images of the data set that fit have a place of their own,
 * allocated and touched before the clock starts.  Whoever makes an image first
 * claims its place, fills it, and says so; until then others make their own: no
 * thread waits for another, and what they see is the same bytes either way.
 */
#ifndef EXECUTOR_IMAGE_CACHE_H
#define EXECUTOR_IMAGE_CACHE_H

#include "executor/jpegs.h"

#include <stdatomic.h>

struct image_cache {
    long kept;
    size_t *offset; /* of each place; offset[kept] is the end */
    unsigned char *data;
    atomic_int *state;
};

/* What c->cache and c->cache_bytes say. */
void image_cache_init(struct image_cache *k, const struct image_loader_cfg *c, const struct jpegs *set);
void image_cache_fini(struct image_cache *k);

/* NULL: not there, or not yet. */
const unsigned char *image_cache_find(struct image_cache *k, long image);

/* A place to fill, of *size bytes; NULL: it has none, or somebody else does it. */
unsigned char *image_cache_claim(struct image_cache *k, long image, size_t *size);
void image_cache_filled(struct image_cache *k, long image);

#endif
