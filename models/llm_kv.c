#include "models/llm_kv.h"

#include "base/err.h"

#include <string.h>

enum tier { DEVICE, HOST };

struct llm_piece {
    uint64_t name; /* hash of the chain up to here */
    struct llm_piece *next;
    struct llm_piece *older, *newer; /* among those nobody uses */
    long blocks, users;
    enum tier tier;
};

void llm_kv_init(struct llm_kv *kv, struct arena *a, long total, long block_tokens, bool has_cache,
                 long host_blocks)
{
    *kv = (struct llm_kv){.arena = a,
                          .total = total,
                          .free = total,
                          .block_tokens = block_tokens,
                          .has_cache = has_cache,
                          .host_total = host_blocks};
}

/* ------------------------------------------------------------ the table of pieces */

/* Steele, Lea, Flood: the finalizer of SplitMix64. */
static uint64_t chained(uint64_t before, uint64_t hash)
{
    uint64_t x = (before ^ hash) * UINT64_C(0x9e3779b97f4a7c15) + hash;

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static struct llm_piece *find(const struct llm_kv *kv, uint64_t name)
{
    struct llm_piece *p = kv->buckets == 0 ? NULL : kv->bucket[name & (kv->buckets - 1)];

    while (p != NULL && p->name != name)
        p = p->next;
    return p;
}

static void more_buckets(struct llm_kv *kv)
{
    uint64_t n = kv->buckets == 0 ? 1024 : kv->buckets * 4;
    struct llm_piece **bucket = arena_array(kv->arena, n, sizeof *bucket);

    for (uint64_t i = 0; i < kv->buckets; i++)
        for (struct llm_piece *p = kv->bucket[i], *next; p != NULL; p = next) {
            next = p->next;
            p->next = bucket[p->name & (n - 1)];
            bucket[p->name & (n - 1)] = p;
        }
    kv->bucket = bucket;
    kv->buckets = n;
}

static struct llm_piece *add(struct llm_kv *kv, uint64_t name, long blocks)
{
    struct llm_piece *p = kv->spare;

    if (kv->pieces >= kv->buckets)
        more_buckets(kv);
    if (p != NULL)
        kv->spare = p->next;
    else
        p = ARENA_NEW(kv->arena, struct llm_piece);
    *p = (struct llm_piece){.name = name, .blocks = blocks, .next = kv->bucket[name & (kv->buckets - 1)]};
    kv->bucket[name & (kv->buckets - 1)] = p;
    kv->pieces++;
    return p;
}

static void forget(struct llm_kv *kv, struct llm_piece *p)
{
    struct llm_piece **at = &kv->bucket[p->name & (kv->buckets - 1)];

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->next = kv->spare;
    kv->spare = p;
    kv->pieces--;
}

/* ------------------------------------------------------------ pieces nobody uses */

static void unlink_piece(struct llm_kv *kv, struct llm_piece *p)
{
    *(p->older != NULL ? &p->older->newer : &kv->lru[p->tier]) = p->newer;
    *(p->newer != NULL ? &p->newer->older : &kv->mru[p->tier]) = p->older;
    p->older = p->newer = NULL;
}

static void append_piece(struct llm_kv *kv, struct llm_piece *p)
{
    p->older = kv->mru[p->tier];
    p->newer = NULL;
    *(p->older != NULL ? &p->older->newer : &kv->lru[p->tier]) = p;
    kv->mru[p->tier] = p;
}

static void to_host(struct llm_kv *kv, struct llm_piece *p)
{
    while (kv->host_used + p->blocks > kv->host_total && kv->lru[HOST] != NULL) {
        struct llm_piece *oldest = kv->lru[HOST];

        unlink_piece(kv, oldest);
        kv->host_used -= oldest->blocks;
        forget(kv, oldest);
    }
    if (kv->host_used + p->blocks > kv->host_total) {
        forget(kv, p);
        return;
    }
    p->tier = HOST;
    kv->host_used += p->blocks;
    append_piece(kv, p);
}

static void evict_oldest(struct llm_kv *kv)
{
    struct llm_piece *p = kv->lru[DEVICE];

    ASSERT(p != NULL);
    unlink_piece(kv, p);
    kv->cached -= p->blocks;
    kv->free += p->blocks;
    to_host(kv, p);
}

/* ------------------------------------------------------------ blocks */

void llm_kv_take(struct llm_kv *kv, long blocks)
{
    while (kv->free < blocks)
        evict_oldest(kv);
    kv->free -= blocks;
    kv->held += blocks;
}

void llm_kv_give(struct llm_kv *kv, long blocks)
{
    kv->free += blocks;
    kv->held -= blocks;
}

static long piece_blocks(const struct llm_kv *kv, long piece_tokens)
{
    return (piece_tokens + kv->block_tokens - 1) / kv->block_tokens;
}

void llm_kv_name(struct llm_chain *chain, const uint64_t *hash, long n, struct arena *a)
{
    uint64_t name = 0;

    if (n > chain->names_room) {
        chain->names_room = n < 32 ? 64 : 2 * n;
        chain->name = arena_array(a, (size_t)chain->names_room, sizeof *chain->name);
    }
    for (long i = 0; i < n; i++)
        chain->name[i] = name = chained(name, hash[i]);
    chain->names = n;
}

/*
 * On one tier what is there is a beginning of the chain: a piece is added after all before it, is used
 * whenever one behind it is, and of those nobody uses the end goes first.  So is what others are using.  Both
 * ends can be found by halving.
 */
static struct llm_prefix find_by_halving(const struct llm_kv *kv, const uint64_t *name, long n,
                                         long piece_tokens)
{
    struct llm_prefix found = {0};
    long lo = 0, hi = n, used;

    while (lo < hi) {
        long mid = lo + (hi - lo) / 2;

        if (find(kv, name[mid]) != NULL)
            lo = mid + 1;
        else
            hi = mid;
    }
    found.pieces = lo;
    found.tokens = lo * piece_tokens;
    for (used = 0, hi = lo; used < hi;) {
        long mid = used + (hi - used) / 2;

        if (find(kv, name[mid])->users > 0)
            used = mid + 1;
        else
            hi = mid;
    }
    found.blocks = (found.pieces - used) * piece_blocks(kv, piece_tokens);
    return found;
}

/* The last token is always computed: its logits are what the first answer token comes from. */
struct llm_prefix llm_kv_find(const struct llm_kv *kv, const struct llm_chain *chain, long piece_tokens,
                              long input_tokens)
{
    struct llm_prefix found = {0};
    long n = chain->names;

    if (!kv->has_cache || n == 0 || piece_tokens <= 0)
        return found;
    if ((input_tokens - 1) / piece_tokens < n)
        n = (input_tokens - 1) / piece_tokens;
    if (kv->host_total == 0)
        return find_by_halving(kv, chain->name, n, piece_tokens);
    for (long i = 0; i < n; i++) {
        const struct llm_piece *p = find(kv, chain->name[i]);

        if (p == NULL)
            break;
        found.pieces++;
        found.tokens += piece_tokens;
        if (p->tier == HOST)
            found.host_tokens += piece_tokens;
        if (p->users == 0)
            found.blocks += p->blocks;
    }
    return found;
}

static void hold(struct llm_kv *kv, struct llm_chain *chain, struct llm_piece *p)
{
    if (chain->n == chain->room) {
        long room = chain->room == 0 ? 16 : chain->room * 2;
        struct llm_piece **piece = arena_array(kv->arena, (size_t)room, sizeof(struct llm_piece *));

        if (chain->n > 0)
            memcpy(piece, chain->piece, (size_t)chain->n * sizeof *piece);
        chain->piece = piece;
        chain->room = room;
    }
    chain->piece[chain->n++] = p;
    p->users++;
}

/* First those on the device, so that what must be fetched does not push them out. */
void llm_kv_hold(struct llm_kv *kv, struct llm_chain *chain, long pieces)
{
    long fetch = 0;

    for (long i = 0; i < pieces; i++) {
        struct llm_piece *p = find(kv, chain->name[i]);

        ASSERT(p != NULL);
        if (p->users == 0) {
            unlink_piece(kv, p);
            if (p->tier == HOST) {
                kv->host_used -= p->blocks;
                fetch += p->blocks;
                p->tier = DEVICE;
            } else {
                kv->cached -= p->blocks;
                kv->shared += p->blocks;
            }
        }
        hold(kv, chain, p);
    }
    if (fetch > 0) {
        llm_kv_take(kv, fetch);
        kv->held -= fetch;
        kv->shared += fetch;
    }
}

long llm_kv_keep(struct llm_kv *kv, struct llm_chain *chain, long piece_tokens, long computed_tokens,
                 long own)
{
    long moved = 0, blocks = piece_blocks(kv, piece_tokens);

    if (!kv->has_cache)
        return 0;
    for (long i = chain->n; i < chain->names && (i + 1) * piece_tokens <= computed_tokens; i++) {
        struct llm_piece *p = find(kv, chain->name[i]);

        if (p != NULL && p->tier == HOST) { /* computed anew: the copy on the host is not needed */
            unlink_piece(kv, p);
            kv->host_used -= p->blocks;
            forget(kv, p);
            p = NULL;
        }
        if (own - moved - blocks <
            (computed_tokens - (i + 1) * piece_tokens + kv->block_tokens - 1) / kv->block_tokens)
            break;
        if (p != NULL) /* another sequence has it already; our own copy stays our own */
            break;
        hold(kv, chain, add(kv, chain->name[i], blocks));
        moved += blocks;
    }
    kv->held -= moved;
    kv->shared += moved;
    return moved;
}

void llm_kv_drop(struct llm_kv *kv, struct llm_chain *chain)
{
    while (chain->n > 0) {
        struct llm_piece *p = chain->piece[--chain->n];

        if (--p->users == 0) {
            kv->shared -= p->blocks;
            kv->cached += p->blocks;
            append_piece(kv, p);
        }
    }
}

void llm_kv_assert(const struct llm_kv *kv)
{
    ASSERT(kv->free >= 0 && kv->held >= 0 && kv->shared >= 0 && kv->cached >= 0);
    ASSERT(kv->free + kv->held + kv->shared + kv->cached == kv->total);
    ASSERT(kv->host_used >= 0 && kv->host_used <= kv->host_total);
}
