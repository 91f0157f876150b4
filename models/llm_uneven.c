/*
 * llm_uneven.c - what the longest context adds to attention, from rows that measured it.
 *
 *   a row: a batch of n decodes, a few of them long, beside a chunk or alone, took time_s; equal contexts of
 *   the same mean took even_us.  Extra seconds a token = (time / even - 1) T(n, mean) / (longest - mean)
 *
 * T is the table's own time, so that only the quotient of the two measurements matters.  Of all rows with the
 * same chunk and batch the median stands: what is to be known is the effect of a few contexts (at most an
 * eighth of the batch) that are at least twice the mean.
 */
#include "models/llm_ops_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct uneven {
    double chunk, n, mean, longest, extra_frac, token_s;
};

void llm_uneven_add(struct reading *r, const struct cost_row *row)
{
    double longs = llm_row_variant(row->variant, "longs"), mean = llm_row_variant(row->variant, "mean"),
           longest = llm_row_variant(row->variant, "longest"),
           even_s = llm_row_variant(row->variant, "even_us") / 1e6;

    if (row->context > 0 || !(even_s > 0) || !(longest >= 2 * mean) || longs > fmax(1, row->batch / 8))
        return;
    if ((r->uneven_n & (r->uneven_n - 1)) == 0) { /* room is the next power of two */
        struct uneven *more = arena_array(r->a, r->uneven_n == 0 ? 1 : (size_t)r->uneven_n * 2, sizeof *more);

        if (r->uneven_n > 0)
            memcpy(more, r->uneven, (size_t)r->uneven_n * sizeof *more);
        r->uneven = more;
    }
    r->uneven[r->uneven_n++] = (struct uneven){.chunk = row->chunk,
                                               .n = row->batch,
                                               .mean = mean,
                                               .longest = longest,
                                               .extra_frac = row->time_s / even_s - 1};
}

static int by_place(const void *a, const void *b)
{
    const struct uneven *x = a, *y = b;

    if (x->chunk != y->chunk)
        return x->chunk < y->chunk ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return (x->token_s > y->token_s) - (x->token_s < y->token_s);
}

/* The table's time for equal contexts of that mean, one layer. */
static double even_s(const struct reading *r, const struct uneven *u)
{
    bool outside = false;

    if (u->chunk <= 0)
        return llm_grid_at(&r->decode, u->n, u->mean, &outside);
    for (int i = 0; i < r->mixed_n; i++)
        if (r->mixed_chunk[i] == u->chunk)
            return llm_grid_at(&r->prefill, u->chunk, 0, &outside) +
                   llm_grid_at(&r->mixed[i], u->n, u->mean, &outside);
    return 0;
}

void llm_uneven_curves(struct reading *r, double layers, struct llm_cost *out)
{
    for (int i = 0; i < r->uneven_n; i++) {
        struct uneven *u = &r->uneven[i];

        u->token_s = u->extra_frac * even_s(r, u) / (u->longest - u->mean);
    }
    if (r->uneven_n > 0)
        qsort(r->uneven, (size_t)r->uneven_n, sizeof *r->uneven, by_place);
    for (int i = 0, end; i < r->uneven_n; i = end) {
        const struct uneven *u = &r->uneven[i];
        double median_s;

        for (end = i; end < r->uneven_n && r->uneven[end].chunk == u->chunk && r->uneven[end].n == u->n;)
            end++;
        median_s =
            layers * fmax(0, (r->uneven[(i + end - 1) / 2].token_s + r->uneven[(i + end) / 2].token_s) / 2);
        llm_curve_add(u->chunk <= 0 ? &out->uneven : llm_grid_row(&out->uneven_mixed, u->chunk, r->a), u->n,
                      median_s, r->a);
    }
}
