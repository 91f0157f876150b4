/*
 * method_list.c - every candidate: simulated (exhaustive), or in the order of its bound (branch and bound).
 *
 * A bound costs microseconds, so that the bounds of all leaves are computed at once and the tree is walked
 * best first: the order in which leaves come is that in which a queue of branches, each worth its best leaf,
 * would give them.  As soon as the best bound that is left cannot beat the incumbent, all that is left is cut
 * off.
 */
#include "study/search/method.h"

#include <math.h>
#include <stdlib.h>

struct leaf {
    double best;
    size_t number;
    int changes;
};

struct walk {
    const struct search_view *view;
    struct leaf *leaf; /* those that are legal and could meet the constraints, best first; exhaustive: NULL */
    size_t n, next;
    size_t cut;
};

static int exhaustive_init(const struct search_view *view, void **state, struct err *err)
{
    struct walk *w = xcalloc(1, sizeof *w);

    (void)err;
    w->view = view;
    w->n = space_count(view->sp);
    *state = w;
    return 0;
}

static size_t exhaustive_propose(void *state, struct candidate *out, size_t most)
{
    struct walk *w = state;
    size_t n = 0;

    while (n < most && w->next < w->n) {
        struct candidate c;

        if (space_at(w->view->sp, w->next++, &c))
            out[n++] = c;
    }
    return n;
}

static void walk_tell(void *state, struct point *const *points, size_t n)
{
    (void)state;
    (void)points;
    (void)n;
}

static bool walk_done(const void *state)
{
    const struct walk *w = state;

    return w->next >= w->n;
}

static size_t walk_cut(const void *state)
{
    const struct walk *w = state;

    return w->cut;
}

static double walk_ahead(const void *state)
{
    const struct walk *w = state;

    if (walk_done(state))
        return -INFINITY;
    return w->leaf != NULL ? w->leaf[w->next].best : INFINITY;
}

static void walk_free(void *state)
{
    struct walk *w = state;

    free(w->leaf);
    free(w);
}

/* ------------------------------------------------------ branch and bound */

static int by_bound(const void *x, const void *y)
{
    const struct leaf *a = x, *b = y;

    if (a->best != b->best)
        return a->best > b->best ? -1 : 1;
    if (a->changes != b->changes)
        return a->changes - b->changes;
    return (a->number > b->number) - (a->number < b->number);
}

static int branch_init(const struct search_view *view, void **state, struct err *err)
{
    struct walk *w = xcalloc(1, sizeof *w);
    size_t all = space_count(view->sp);

    (void)err;
    w->view = view;
    w->leaf = xcalloc(all + 1, sizeof *w->leaf);
    for (size_t i = 0; i < all; i++) {
        struct candidate c;
        struct optimistic o;

        if (!space_at(view->sp, i, &c))
            continue;
        o = points_bound(view->points, &c);
        if (!o.is_legal) /* proposed last, so that it is counted as what it is */
            o.score = -INFINITY;
        else if (!o.could_meet || o.score == -INFINITY) {
            w->cut += !points_has(view->points, &c);
            continue;
        }
        w->leaf[w->n++] = (struct leaf){o.score, i, space_changes(view->sp, &c)};
    }
    qsort(w->leaf, w->n, sizeof *w->leaf, by_bound);
    *state = w;
    return 0;
}

/* What cannot win is passed over at once; what is not legal stands behind it. */
static size_t branch_propose(void *state, struct candidate *out, size_t most)
{
    struct walk *w = state;
    size_t n = 0;

    while (n < most && w->next < w->n) {
        struct optimistic o = {true, true, w->leaf[w->next].best};
        struct candidate c;

        space_at(w->view->sp, w->leaf[w->next++].number, &c);
        if (o.score == -INFINITY || points_is_open(w->view->points, &o))
            out[n++] = c;
        else
            w->cut += !points_has(w->view->points, &c);
    }
    return n;
}

/* ---------------------------------------------------------------- table */

const struct search_method method_exhaustive = {
    .name = "exhaustive",
    .about = "simulates every legal candidate",
    .is_whole = true,
    .needs_list = true,
    .init = exhaustive_init,
    .propose = exhaustive_propose,
    .tell = walk_tell,
    .done = walk_done,
    .cut = walk_cut,
    .ahead = walk_ahead,
    .free = walk_free,
};

const struct search_method method_branch = {
    .name = "branch-and-bound",
    .about = "in the order of bounds, until none that is left can beat the best",
    .is_whole = true,
    .needs_list = true,
    .prune = PRUNE_BEATEN,
    .init = branch_init,
    .propose = branch_propose,
    .tell = walk_tell,
    .done = walk_done,
    .cut = walk_cut,
    .ahead = walk_ahead,
    .free = walk_free,
};
