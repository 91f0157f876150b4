/*
 * llm_prefix.c - a recorded stream of prompts through prefix caches of growing size: an identity, not a case.
 *
 * Requests pass one after the other through an engine that takes no time.  With a cache that holds everything
 * the tokens hit must be those that a plain count finds: of each prompt the blocks, from the first on, that
 * some earlier prompt began with.  Smaller caches may not hit more than larger ones.
 */
#include "store/serving.h"
#include "study/replay/llm_drive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct prompts {
    struct llm_driven *q;
    long n;
};

/* What comes in is no longer than its blocks say; the last token of a prompt is always computed. */
static int read_prompts(struct replay *r, long block_tokens, struct prompts *p, struct err *err)
{
    struct request_row *rows;
    const char *file;
    int64_t trace;
    size_t n;

    TRY(replay_text(r, r->params, "$.params", "requests", &file, err));
    TRY(replay_import(r, file, &trace, err));
    TRY(request_load(r->store, trace, r->arena, &rows, &n, err));
    p->q = arena_array(r->arena, n + 1, sizeof *p->q);
    for (size_t i = 0; i < n; i++)
        if (rows[i].blocks_n > 0 && rows[i].input_tokens > 0)
            p->q[p->n++] = (struct llm_driven){.at_s = (double)p->n,
                                               .input = rows[i].input_tokens,
                                               .output = 1,
                                               .blocks = rows[i].blocks,
                                               .blocks_n = rows[i].blocks_n,
                                               .block_tokens = block_tokens};
    if (p->n < 2)
        return err_set(err, ERR_TRACE, "%s: no prompts with blocks", file);
    return 0;
}

/* ------------------------------------------------------------ the plain count */

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

struct beginning { /* of a prompt: the hash of its blocks up to one of them */
    uint64_t hash;
    long first; /* prompt that had it first */
};

static int by_hash(const void *a, const void *b)
{
    const struct beginning *x = a, *y = b;
    int order = by_number(&x->hash, &y->hash);

    return order != 0 ? order : (x->first > y->first) - (x->first < y->first);
}

static uint64_t fold(uint64_t before, uint64_t block) /* FNV-1a by words */
{
    return (before ^ block) * UINT64_C(0x100000001b3) ^ before >> 29;
}

static double plain_count(struct replay *r, const struct prompts *p)
{
    struct beginning *all, *found, key;
    size_t n = 0, kept = 0;
    double asked = 0, hit = 0;

    for (long i = 0; i < p->n; i++)
        n += (size_t)p->q[i].blocks_n;
    all = arena_array(r->arena, n + 1, sizeof *all);
    n = 0;
    for (long i = 0; i < p->n; i++)
        for (long k = 0, last = -1; k < p->q[i].blocks_n; k++, last = (long)n - 1)
            all[n++] = (struct beginning){
                fold(last < 0 ? 14695981039346656037u : all[last].hash, p->q[i].blocks[k]), i};
    qsort(all, n, sizeof *all, by_hash);
    for (size_t i = 0; i < n; i++) /* of equal beginnings the first prompt */
        if (kept == 0 || all[kept - 1].hash != all[i].hash)
            all[kept++] = all[i];
    for (long i = 0; i < p->n; i++) {
        const struct llm_driven *q = &p->q[i];

        key.hash = 14695981039346656037u;
        asked += (double)q->input;
        for (long k = 0; k < q->blocks_n && (k + 1) * q->block_tokens < q->input; k++) {
            size_t lo = 0, hi = kept;

            key.hash = fold(key.hash, q->blocks[k]);
            while (lo < hi) {
                size_t mid = (lo + hi) / 2;

                if (all[mid].hash < key.hash)
                    lo = mid + 1;
                else
                    hi = mid;
            }
            found = lo < kept && all[lo].hash == key.hash ? &all[lo] : NULL;
            if (found == NULL || found->first >= i)
                break;
            hit += (double)q->block_tokens;
        }
    }
    return hit / asked;
}

/* ------------------------------------------------------------ the engine */

static int hits_of(struct replay *r, const struct prompts *p, double tokens, double *out, struct err *err)
{
    struct json *params = json_copy(json_get(r->params, "engine"));
    struct figure f[32];
    void *cfg;
    int rc;

    json_set_number(params, "kv_blocks", tokens / 16);
    rc = llm_configure(r, params, "$.params.engine", &cfg, err);
    if (rc == 0)
        *out = llm_figure(f, llm_drive(cfg, p->q, p->n, 0, 1, r->seed, f, 32), "prefix_hit_frac");
    json_free(params);
    return rc;
}

static int run(struct replay *r, struct err *err)
{
    const struct json *sizes = json_get(r->params, "cache_tokens");
    struct prompts p = {0};
    double block, all, last = 0, hits = 0;

    TRY(replay_number(r, r->params, "$.params", "block_tokens", &block, err));
    TRY(read_prompts(r, (long)block, &p, err));
    all = plain_count(r, &p);
    JSON_EACH (v, sizes) {
        TRY(hits_of(r, &p, json_number(v), &hits, err));
        if (hits < last || hits > all + 1e-12)
            return err_set(err, ERR_FAILED,
                           "a cache of %g tokens hits %g; a smaller one %g, the largest possible %g",
                           json_number(v), hits, last, all);
        last = hits;
    }
    replay_emit(r, &(struct replay_figure){.name = "tokens hit when everything is kept",
                                           .unit = "fraction",
                                           .measured = all,
                                           .predicted = estimate_exact(hits),
                                           .naive = NAN,
                                           .noise_frac = NAN});
    return 0;
}

const struct replay_kind replay_llm_prefix = {
    .name = "llm-prefix",
    .about = "a recorded stream of prompts through prefix caches of growing size",
    .run = run,
};
