#include "models/epochs.h"

#include <math.h>

enum { PAGES = 24000 }; /* of the miniature */

static void shuffle(uint32_t *order, uint32_t n, struct rng *r)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t k = (uint32_t)rng_below(r, i), kept = order[i - 1];

        order[i - 1] = order[k];
        order[k] = kept;
    }
}

static uint32_t read_file(struct page_cache *c, uint32_t first, uint32_t pages, bool header_again)
{
    uint32_t missed = 0;

    for (uint32_t p = first; p < first + pages; p++) {
        missed += !page_touch(c, p);
        if (p == first && header_again)
            page_touch(c, p);
    }
    return missed;
}

/* Every file once; pages that missed. */
static uint32_t read_all(struct page_cache *c, const uint32_t *order, uint32_t files, uint32_t file_pages,
                         bool header_again)
{
    uint32_t missed = 0;

    for (uint32_t i = 0; i < files; i++)
        missed += read_file(c, order[i] * file_pages, file_pages, header_again);
    return missed;
}

double epochs_miss_frac(const struct epochs *e, uint64_t seed)
{
    uint32_t file_pages = (uint32_t)fmax(1, round(e->file_pages)), files = PAGES / file_pages;
    uint32_t pages = files * file_pages;
    struct arena *a = arena_new();
    uint32_t *order = arena_array(a, files, sizeof *order), *mixed = arena_array(a, files, sizeof *mixed);
    struct page_cache *c;
    double missed = 0;
    struct rng r;

    ASSERT(e->before >= 0 && e->first >= 1 && e->last >= e->first && files > 0);
    rng_stream(&r, seed, 0, "epochs");
    c = page_cache_new(a, (enum page_policy)e->policy, pages, (uint32_t)round(e->cached_frac * pages),
                       e->inactive_ratio, &r);
    for (uint32_t i = 0; i < files; i++)
        order[i] = mixed[i] = i;
    for (int pass = 0; pass < e->before; pass++) {
        shuffle(mixed, files, &r);
        read_all(c, mixed, files, file_pages, e->header_again);
    }
    for (int epoch = 1; epoch <= e->last; epoch++) {
        uint32_t m;

        if (e->shuffled)
            shuffle(order, files, &r);
        m = read_all(c, order, files, file_pages, e->header_again);
        missed += epoch >= e->first ? m : 0;
    }
    arena_free(a);
    return missed / (double)pages / (double)(e->last - e->first + 1);
}
