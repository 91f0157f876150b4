#include "study/search/method.h"

#include "engine/rng.h"

#include <stdlib.h>
#include <string.h>

const struct search_method *const search_methods[] = {&method_branch,
                                                      &method_exhaustive,
                                                      &method_coordinate,
                                                      &method_beam,
                                                      &method_nsga2,
                                                      &method_nelder_mead,
                                                      NULL};

const struct search_method *search_method_find(const char *name)
{
    for (int i = 0; search_methods[i] != NULL; i++)
        if (strcmp(search_methods[i]->name, name) == 0)
            return search_methods[i];
    return NULL;
}

void shuffle(int *list, int n, struct rng *r)
{
    for (int i = n - 1; i > 0; i--) {
        int k = (int)rng_below(r, (uint64_t)i + 1), t = list[i];

        list[i] = list[k];
        list[k] = t;
    }
}

struct candidate random_candidate(const struct space *sp, struct rng *r)
{
    int order[OPTS_MAX];
    struct candidate c = space_base(sp), with;

    for (int i = 0; i < sp->st->n; i++)
        order[i] = i;
    shuffle(order, sp->st->n, r);
    for (int i = 0; i < sp->st->n; i++) {
        with = c;
        with.set |= (opt_set)1 << order[i];
        if (rng_below(r, 2) == 1 && space_settle(sp, &with))
            c.set = with.set;
    }
    for (int i = 0; i < sp->knobs_n; i++)
        c.level[i] = (double)rng_below(r, (uint64_t)sp->knobs[i].n);
    space_settle(sp, &c);
    return c;
}

/* ----------------------------------------------------------- proposals */

void proposals_clear(struct proposals *p)
{
    p->n = p->given = 0;
}

void proposals_add(struct proposals *p, const struct space *sp, struct candidate c)
{
    if (!space_settle(sp, &c))
        return;
    for (size_t i = 0; i < p->n; i++)
        if (memcmp(&p->list[i], &c, sizeof c) == 0)
            return;
    if (p->n == p->cap) {
        p->cap = p->cap > 0 ? 2 * p->cap : 64;
        p->list = xrealloc(p->list, p->cap, sizeof *p->list);
    }
    p->list[p->n++] = c;
}

size_t proposals_give(struct proposals *p, struct candidate *out, size_t most)
{
    size_t n = p->n - p->given < most ? p->n - p->given : most;

    memcpy(out, p->list + p->given, n * sizeof *out);
    p->given += n;
    return n;
}

void proposals_free(struct proposals *p)
{
    free(p->list);
}

void proposals_add_values(struct proposals *p, const struct space *sp, const struct candidate *c, int dim)
{
    for (int v = 0; v < space_values(sp, dim); v++) {
        struct candidate with = *c;

        space_put(sp, &with, dim, v);
        if (v != space_get(sp, c, dim))
            proposals_add(p, sp, with);
    }
}
