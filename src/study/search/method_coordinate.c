/*
 * method_coordinate.c - one dimension at a time: all values of it, the best is kept; until a round changes
 * nothing.
 *
 * The first walk begins at the scenario as it stands, STARTS - 1 more at random candidates.
 */
#include "study/search/method.h"

#include "engine/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STARTS = 4 };

struct coordinate {
    const struct search_view *view;
    struct rng rng;
    struct proposals proposals;
    int order[OPTS_MAX + KNOBS_MAX]; /* of dimensions, drawn anew for each walk */
    int at, unchanged;               /* place in `order`; dimensions in a row that changed nothing */
    int starts;                      /* walks begun */
    struct candidate here;
    const struct point *point; /* of `here`; NULL: not looked at yet */
};

static void begin_walk(struct coordinate *w)
{
    int n = space_dims(w->view->sp);

    w->here = w->starts == 0 ? space_base(w->view->sp) : random_candidate(w->view->sp, &w->rng);
    w->point = NULL;
    w->at = w->unchanged = 0;
    w->starts++;
    for (int i = 0; i < n; i++)
        w->order[i] = i;
    shuffle(w->order, n, &w->rng);
}

static int coordinate_init(const struct search_view *view, void **state, struct err *err)
{
    struct coordinate *w = xcalloc(1, sizeof *w);

    (void)err;
    w->view = view;
    rng_stream(&w->rng, view->seed, 0, "search.coordinate");
    begin_walk(w);
    *state = w;
    return 0;
}

/* Goes on to the next dimension that has something to propose, or to the next walk. */
static void prepare(struct coordinate *w)
{
    const struct space *sp = w->view->sp;

    proposals_clear(&w->proposals);
    if (w->point == NULL)
        proposals_add(&w->proposals, sp, w->here);
    while (w->proposals.n == 0 && w->starts <= STARTS) {
        if (w->unchanged >= space_dims(sp)) {
            if (w->starts == STARTS) {
                w->starts++;
                return;
            }
            begin_walk(w);
            proposals_add(&w->proposals, sp, w->here);
            return;
        }
        proposals_add_values(&w->proposals, sp, &w->here, w->order[w->at]);
        w->unchanged++;
        w->at = (w->at + 1) % space_dims(sp);
    }
}

static size_t coordinate_propose(void *state, struct candidate *out, size_t most)
{
    struct coordinate *w = state;

    if (w->proposals.given == w->proposals.n)
        prepare(w);
    return proposals_give(&w->proposals, out, most);
}

static void coordinate_tell(void *state, struct point *const *points, size_t n)
{
    struct coordinate *w = state;

    for (size_t i = 0; i < n; i++)
        if (w->point == NULL || point_compare(w->view->sp, points[i], w->point) < 0) {
            if (w->point != NULL)
                w->unchanged = 0;
            w->point = points[i];
            w->here = points[i]->c;
        }
}

static bool coordinate_done(const void *state)
{
    return ((const struct coordinate *)state)->starts > STARTS;
}

static void coordinate_free(void *state)
{
    proposals_free(&((struct coordinate *)state)->proposals);
    free(state);
}

const struct search_method method_coordinate = {
    .name = "coordinate",
    .about = "one optimization or knob at a time, from the scenario as it stands and from random starts",
    .prune = PRUNE_BEATEN,
    .init = coordinate_init,
    .propose = coordinate_propose,
    .tell = coordinate_tell,
    .done = coordinate_done,
    .free = coordinate_free,
};
