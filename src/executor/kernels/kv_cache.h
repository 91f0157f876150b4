/*
 * kernels/kv_cache.h - the keys and values of a language model, in blocks.
 *
 *     layer 0  k: [block 0 | block 1 | ...]   v: [block 0 | ...]      a block: block_tokens rows of `width`
 *     layer 1  ...                                                    width = kv_heads * head_dim
 *
 * A sequence owns a list of blocks, in the order of its tokens; the blocks lie
 * anywhere.  Whole blocks of a prompt can be published under the hash of all
 * tokens up to their end; a later prompt that begins alike finds them and
 * shares them.  A published block nobody uses stays until its room is needed,
 * the least recently used first.
 *
 *     blocks = free + used by sequences + published and unused
 *
 * One thread owns a cache.  Memory is touched when the cache is made.
 */
#ifndef EXECUTOR_KERNELS_KV_CACHE_H
#define EXECUTOR_KERNELS_KV_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct kv_cache;

struct kv_cache *kv_cache_new(long blocks, long block_tokens, long layers, long width);
void kv_cache_free(struct kv_cache *c); /* NULL is fine */

long kv_cache_block_tokens(const struct kv_cache *c);
float *kv_cache_keys(struct kv_cache *c, long layer);
float *kv_cache_values(struct kv_cache *c, long layer);

/* How many blocks could be taken now, unused published ones included. */
long kv_cache_available(const struct kv_cache *c);

/* Takes n blocks; false, and nothing is taken, when there are not so many. */
bool kv_cache_take(struct kv_cache *c, long n, long *block);
void kv_cache_release(struct kv_cache *c, const long *block, long n);

/* The name of the next block: of its own tokens and of everything before them. */
uint64_t kv_cache_hash(uint64_t before, const uint32_t *token, long n);

/* How many of the n named blocks are there, from the first on; *unused: of these, those nobody uses. */
long kv_cache_find(const struct kv_cache *c, const uint64_t *hash, long n, long *unused);
/* Uses the first n of them, which kv_cache_find() has found. */
void kv_cache_share(struct kv_cache *c, const uint64_t *hash, long n, long *block);
/* A block that is in use and full gets a name; false: another block has it, this one stays private. */
bool kv_cache_publish(struct kv_cache *c, long block, uint64_t hash);

#endif
