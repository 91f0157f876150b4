/*
 * llm_kv.h - the paged memory of one replica: blocks of KV, and which of them hold a known prefix.
 *
 *     total = free + held by sequences + shared by sequences + cached, held by nobody
 *
 * A prompt is a chain of hashed pieces (request.blocks), each of block_tokens tokens.  A piece counts only
 * together with everything before it, so its name is the hash of the chain up to it: the same passage in
 * another place of the prompt is another piece, and only a true prefix hits.  A piece nobody uses stays
 * until its room is needed; the least recently used goes first, of one chain the end before the beginning.
 * What falls out goes to the host's memory, where that has room, and can be fetched back over its bus.
 *
 * Blocks without a hash hold nothing that could be found again and are used first.
 */
#ifndef MODELS_LLM_KV_H
#define MODELS_LLM_KV_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct llm_piece;

struct llm_kv {
    struct arena *arena;
    long total, free, held, shared, cached; /* blocks */
    long block_tokens;
    long host_total, host_used; /* blocks of the host tier; 0: none */
    bool has_cache;
    struct llm_piece **bucket; /* chains through piece->next */
    uint64_t buckets, pieces;
    struct llm_piece *spare;
    struct llm_piece *lru[2], *mru[2]; /* on the device and on the host: those nobody uses, oldest first */
    uint64_t asked_tokens, hit_tokens; /* of prompts admitted */
};

struct llm_chain { /* of one prompt: the names of its hashed pieces, and those that a sequence uses */
    uint64_t *name;
    long names, names_room;
    struct llm_piece **piece;
    long n, room;
};

void llm_kv_init(struct llm_kv *kv, struct arena *a, long total, long block_tokens, bool has_cache,
                 long host_blocks);

/* Could `blocks` be had, dropping what is cached? */
static inline bool llm_kv_has(const struct llm_kv *kv, long blocks)
{
    return kv->free + kv->cached >= blocks;
}

void llm_kv_take(struct llm_kv *kv, long blocks); /* there must be room */
void llm_kv_give(struct llm_kv *kv, long blocks);

struct llm_prefix {
    long pieces, tokens; /* of the prompt, found */
    long blocks;         /* of these, free or to be brought in: what using them takes from what is left */
    long host_tokens;    /* of these, on the host */
};

/* Names the pieces, once for a prompt: each by the hash of the chain up to it. */
void llm_kv_name(struct llm_chain *chain, const uint64_t *hash, long n, struct arena *a);

/* How much of the prompt is there; changes nothing. */
struct llm_prefix llm_kv_find(const struct llm_kv *kv, const struct llm_chain *chain, long piece_tokens,
                              long input_tokens);

/* Holds what was found, on the device; the caller has made sure that there is room. */
void llm_kv_hold(struct llm_kv *kv, struct llm_chain *chain, long pieces);

/* The prompt has been computed: its whole pieces move from the sequence's `own` blocks to the cache, and stay
 * held, as far as the rest of its tokens still fits what is left.  Returns how many blocks have moved. */
long llm_kv_keep(struct llm_kv *kv, struct llm_chain *chain, long piece_tokens, long computed_tokens,
                 long own);

void llm_kv_drop(struct llm_kv *kv, struct llm_chain *chain); /* no longer held; stays cached */

void llm_kv_assert(const struct llm_kv *kv);

#endif
