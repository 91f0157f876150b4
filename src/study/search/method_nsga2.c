/*
 * method_nsga2.c - NSGA-II: a population that spreads along the front of objective, cost and quality.
 *
 * Deb, Pratap, Agarwal and Meyarivan, IEEE Trans. Evolutionary Computation 6(2), 2002: parents and children
 * together are sorted into fronts (feasible before infeasible, those by violation), a front that does not fit
 * as a whole is thinned where it is crowded.  Parents by binary tournament; each dimension from either
 * parent; a dimension changes by chance, about one in each child.  It ends when the first front has not
 * changed for PATIENCE generations.
 */
#include "study/search/method.h"

#include "engine/rng.h"
#include "study/search/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POPULATION = 24, GENERATIONS = 60, PATIENCE = 5 };

struct member {
    const struct point *x;
    const struct space *sp;
    double figure[FRONT_FIGURES], crowding;
    int rank;
};

struct nsga2 {
    const struct search_view *view;
    struct rng rng;
    struct proposals proposals;
    struct member pool[2 * POPULATION + 8]; /* survivors first, then this generation's children */
    int survivors, pool_n, generation, unchanged;
    uint64_t front; /* hash of the first front */
    bool is_done;
};

static int nsga2_init(const struct search_view *view, void **state, struct err *err)
{
    struct nsga2 *g = xcalloc(1, sizeof *g);

    (void)err;
    g->view = view;
    rng_stream(&g->rng, view->seed, 0, "search.nsga2");
    *state = g;
    return 0;
}

/* ------------------------------------------------------------- sorting */

/* Deb's constrained domination. */
static bool dominates(const struct member *a, const struct member *b)
{
    if (a->x->status != b->x->status)
        return a->x->status > b->x->status;
    if (a->x->status != POINT_SIMULATED)
        return false;
    if (a->x->is_feasible != b->x->is_feasible)
        return a->x->is_feasible;
    if (!a->x->is_feasible)
        return a->x->violation < b->x->violation;
    return front_dominates(a->figure, b->figure);
}

static void rank_pool(struct nsga2 *g)
{
    int ranked = 0;

    for (int i = 0; i < g->pool_n; i++)
        g->pool[i].rank = -1;
    for (int rank = 0; ranked < g->pool_n; rank++) {
        int before = ranked;

        for (int i = 0; i < g->pool_n; i++) {
            bool beaten = g->pool[i].rank >= 0;

            for (int k = 0; k < g->pool_n && !beaten; k++)
                beaten =
                    (g->pool[k].rank < 0 || g->pool[k].rank == rank) && dominates(&g->pool[k], &g->pool[i]);
            if (!beaten) {
                g->pool[i].rank = rank;
                ranked++;
            }
        }
        ASSERT(ranked > before); /* domination has no circles */
    }
}

static bool is_below(const struct member *a, const struct member *b, int figure)
{
    double p = a->figure[figure], q = b->figure[figure];

    return p != q ? p < q : candidate_compare(&a->x->c, &b->x->c) < 0;
}

/* By insertion: there are a few dozen. */
static void sort_by_figure(struct member **list, int n, int figure)
{
    for (int i = 1; i < n; i++) {
        struct member *m = list[i];
        int k = i;

        for (; k > 0 && is_below(m, list[k - 1], figure); k--)
            list[k] = list[k - 1];
        list[k] = m;
    }
}

/* The way round the box between the neighbours, in units of the range of each figure. */
static void find_crowding(struct nsga2 *g, int rank)
{
    struct member *list[2 * POPULATION + 8];
    int n = 0;

    for (int i = 0; i < g->pool_n; i++)
        if (g->pool[i].rank == rank) {
            g->pool[i].crowding = 0;
            list[n++] = &g->pool[i];
        }
    for (int f = 0; f < FRONT_FIGURES && n > 0; f++) {
        double range;

        sort_by_figure(list, n, f);
        range = list[n - 1]->figure[f] - list[0]->figure[f];
        list[0]->crowding = list[n - 1]->crowding = range > 0 ? INFINITY : list[0]->crowding;
        for (int i = 1; i < n - 1 && range > 0; i++)
            list[i]->crowding += (list[i + 1]->figure[f] - list[i - 1]->figure[f]) / range;
    }
}

static int by_fitness(const void *x, const void *y)
{
    const struct member *a = x, *b = y;

    if (a->rank != b->rank)
        return a->rank - b->rank;
    if (a->crowding != b->crowding)
        return a->crowding > b->crowding ? -1 : 1;
    return point_compare(a->sp, a->x, b->x);
}

static uint64_t hash_front(const struct nsga2 *g)
{
    uint64_t h = 0;

    for (int i = 0; i < g->pool_n; i++)
        if (g->pool[i].rank == 0)
            h += candidate_hash(&g->pool[i].x->c);
    return h;
}

static void select_survivors(struct nsga2 *g)
{
    uint64_t front;

    rank_pool(g);
    for (int rank = 0; rank < g->pool_n; rank++)
        find_crowding(g, rank);
    front = hash_front(g);
    qsort(g->pool, (size_t)g->pool_n, sizeof *g->pool, by_fitness);
    g->pool_n = g->survivors = g->pool_n < POPULATION ? g->pool_n : POPULATION;
    g->unchanged = front == g->front ? g->unchanged + 1 : 0;
    g->front = front;
}

/* ------------------------------------------------------------ children */

static const struct member *tournament(struct nsga2 *g)
{
    const struct member *a = &g->pool[rng_below(&g->rng, (uint64_t)g->survivors)],
                        *b = &g->pool[rng_below(&g->rng, (uint64_t)g->survivors)];

    return by_fitness(a, b) <= 0 ? a : b;
}

static struct candidate child_of(struct nsga2 *g)
{
    const struct space *sp = g->view->sp;
    const struct candidate *a = &tournament(g)->x->c, *b = &tournament(g)->x->c;
    struct candidate c = *a;
    int dims = space_dims(sp);

    for (int d = 0; d < dims; d++) {
        struct candidate with = c;
        double v = rng_below(&g->rng, 2) == 1 ? space_get(sp, b, d) : space_get(sp, &c, d);

        if (rng_below(&g->rng, (uint64_t)dims) == 0)
            v = (double)rng_below(&g->rng, (uint64_t)space_values(sp, d));
        space_put(sp, &with, d, v);
        if (d >= sp->st->n || set_is_legal(sp->st, with.set))
            c = with;
    }
    return c;
}

static void prepare(struct nsga2 *g)
{
    proposals_clear(&g->proposals);
    if (g->generation > 0)
        select_survivors(g);
    g->is_done =
        g->generation == GENERATIONS || g->unchanged == PATIENCE || (g->generation > 0 && g->survivors == 0);
    if (g->generation == 0)
        proposals_add(&g->proposals, g->view->sp, space_base(g->view->sp));
    for (int tries = 0; !g->is_done && g->proposals.n < POPULATION && tries < 20 * POPULATION; tries++)
        proposals_add(&g->proposals, g->view->sp,
                      g->generation == 0 ? random_candidate(g->view->sp, &g->rng) : child_of(g));
    g->generation++;
}

static size_t nsga2_propose(void *state, struct candidate *out, size_t most)
{
    struct nsga2 *g = state;

    if (g->proposals.given == g->proposals.n)
        prepare(g);
    return g->is_done ? 0 : proposals_give(&g->proposals, out, most);
}

static void nsga2_tell(void *state, struct point *const *points, size_t n)
{
    struct nsga2 *g = state;

    for (size_t i = 0; i < n; i++) {
        struct member m = {.x = points[i], .sp = g->view->sp};
        bool known = false;

        for (int k = 0; k < g->pool_n; k++)
            known = known || g->pool[k].x == points[i];
        if (known || points[i]->status == POINT_ILLEGAL ||
            g->pool_n == (int)(sizeof g->pool / sizeof *g->pool))
            continue;
        if (m.x->status == POINT_SIMULATED)
            front_figures(g->view->points, m.x, m.figure);
        g->pool[g->pool_n++] = m;
    }
}

static bool nsga2_done(const void *state)
{
    return ((const struct nsga2 *)state)->is_done;
}

static void nsga2_free(void *state)
{
    proposals_free(&((struct nsga2 *)state)->proposals);
    free(state);
}

const struct search_method method_nsga2 = {
    .name = "nsga2",
    .about = "a population spread along the front of objective, cost and quality (NSGA-II)",
    .prune = PRUNE_HOPELESS,
    .init = nsga2_init,
    .propose = nsga2_propose,
    .tell = nsga2_tell,
    .done = nsga2_done,
    .free = nsga2_free,
};
