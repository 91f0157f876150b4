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

double epochs_miss_frac(const struct epochs *e, uint64_t seed)
{
    uint32_t file_pages = (uint32_t)fmax(1, round(e->file_pages)), files = PAGES / file_pages;
    uint32_t pages = files * file_pages;
    struct arena *a = arena_new();
    uint32_t *order = arena_array(a, files, sizeof *order);
    struct page_cache *c;
    double missed = 0, asked = 0;
    struct rng r;

    ASSERT(e->first >= 1 && e->last >= e->first && files > 0);
    rng_stream(&r, seed, 0, "epochs");
    c = page_cache_new(a, (enum page_policy)e->policy, pages, (uint32_t)round(e->cached_frac * pages),
                       e->inactive_ratio, &r);
    for (uint32_t i = 0; i < files; i++)
        order[i] = i;
    for (int epoch = 1; epoch <= e->last; epoch++) {
        if (e->shuffled)
            shuffle(order, files, &r);
        for (uint32_t i = 0; i < files; i++) {
            uint32_t m = read_file(c, order[i] * file_pages, file_pages, e->header_again);

            missed += epoch >= e->first ? m : 0;
        }
        asked += epoch >= e->first ? pages : 0;
    }
    arena_free(a);
    return missed / asked;
}
