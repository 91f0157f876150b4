/*
 * method_nelder_mead.c - settings between the points of the grid, by the downhill simplex.
 *
 * Nelder and Mead, Computer Journal 7, 1965, with the usual coefficients (reflect 1, expand 2, contract 1/2,
 * shrink 1/2).  First one dimension at a time chooses among optimizations, names and switches; then a simplex
 * over the numeric knobs starts from there.  Only comparisons are needed, so that constraints and pruned
 * candidates need no penalty.  GSL's simplex calls the function itself and has one value to minimize; this
 * one is asked and told.
 *
 * A corner has a place (levels, not rounded) and the point that the place rounds to.
 */
#include "study/search/method.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum simplex_phase {
    PHASE_COORDINATE,
    PHASE_CORNERS,
    PHASE_REFLECT,
    PHASE_EXPAND,
    PHASE_CONTRACT,
    PHASE_SHRINK,
    PHASE_DONE
};
enum { ROUNDS_PER_KNOB = 40 };
static const double SMALL = 0.01; /* of a knob's levels: the simplex has closed in */

struct corner {
    double at[KNOBS_MAX];
    const struct point *x;
};

struct simplex {
    const struct search_view *view;
    void *coordinate; /* state of that method */
    enum simplex_phase phase;
    int knobs[KNOBS_MAX], n; /* the numeric ones */
    struct candidate start;
    struct corner corner[KNOBS_MAX + 1], reflected, tried;
    int asked, told; /* corners of this phase, in order */
    int rounds;
};

static int simplex_init(const struct search_view *view, void **state, struct err *err)
{
    struct simplex *m = xcalloc(1, sizeof *m);

    m->view = view;
    for (int i = 0; i < view->sp->knobs_n; i++)
        if (view->sp->knobs[i].kind == KNOB_NUMBERS && view->sp->knobs[i].n > 1)
            m->knobs[m->n++] = i;
    *state = m;
    return method_coordinate.init(view, &m->coordinate, err);
}

static const struct knob *knob_of(const struct simplex *m, int i)
{
    return &m->view->sp->knobs[m->knobs[i]];
}

static struct candidate candidate_at(const struct simplex *m, const struct corner *c)
{
    struct candidate out = m->start;

    for (int i = 0; i < m->n; i++)
        out.level[m->knobs[i]] = fmin(fmax(c->at[i], 0), knob_of(m, i)->n - 1);
    space_settle(m->view->sp, &out);
    return out;
}

/* ------------------------------------------------------------ the simplex */

/* A quarter of a knob's levels away from the start, to the side with more room. */
static void first_corners(struct simplex *m)
{
    m->start = m->view->points->incumbent != NULL ? m->view->points->incumbent->c : space_base(m->view->sp);
    for (int k = 0; k <= m->n; k++)
        for (int i = 0; i < m->n; i++) {
            double last = knob_of(m, i)->n - 1, from = m->start.level[m->knobs[i]], step = fmax(1, last / 4);

            from = from == KNOB_AS_IS ? last / 2 : from;
            m->corner[k].at[i] = k != i + 1 ? from : from + step <= last ? from + step : from - step;
        }
}

static void sort_corners(struct simplex *m)
{
    for (int i = 1; i <= m->n; i++) {
        struct corner c = m->corner[i];
        int k = i;

        for (; k > 0 && point_compare(m->view->sp, c.x, m->corner[k - 1].x) < 0; k--)
            m->corner[k] = m->corner[k - 1];
        m->corner[k] = c;
    }
}

/* center + t (worst - center): the center is that of all but the worst. */
static struct corner along(const struct simplex *m, double t)
{
    struct corner out = {0};

    for (int i = 0; i < m->n; i++) {
        double center = 0;

        for (int k = 0; k < m->n; k++)
            center += m->corner[k].at[i] / m->n;
        out.at[i] = center + t * (m->corner[m->n].at[i] - center);
        out.at[i] = fmin(fmax(out.at[i], 0), knob_of(m, i)->n - 1);
    }
    return out;
}

static bool has_closed_in(const struct simplex *m)
{
    for (int i = 0; i < m->n; i++)
        for (int k = 1; k <= m->n; k++)
            if (fabs(m->corner[k].at[i] - m->corner[0].at[i]) > SMALL * (knob_of(m, i)->n - 1))
                return false;
    return true;
}

static void begin(struct simplex *m, enum simplex_phase phase)
{
    m->phase = phase;
    m->asked = m->told = 0;
}

static void next_round(struct simplex *m)
{
    sort_corners(m);
    if (++m->rounds > ROUNDS_PER_KNOB * m->n || has_closed_in(m)) {
        begin(m, PHASE_DONE);
        return;
    }
    m->tried = along(m, -1);
    begin(m, PHASE_REFLECT);
}

static void shrink(struct simplex *m)
{
    for (int k = 1; k <= m->n; k++)
        for (int i = 0; i < m->n; i++)
            m->corner[k].at[i] = (m->corner[k].at[i] + m->corner[0].at[i]) / 2;
    begin(m, PHASE_SHRINK);
}

static bool is_better(const struct simplex *m, const struct corner *a, const struct corner *b)
{
    return point_compare(m->view->sp, a->x, b->x) < 0;
}

static void replace_worst(struct simplex *m, const struct corner *c)
{
    m->corner[m->n] = *c;
    next_round(m);
}

static void judge_reflected(struct simplex *m)
{
    m->reflected = m->tried;
    if (is_better(m, &m->reflected, &m->corner[0])) {
        m->tried = along(m, -2);
        begin(m, PHASE_EXPAND);
    } else if (is_better(m, &m->reflected, &m->corner[m->n - 1])) {
        replace_worst(m, &m->reflected);
    } else {
        m->tried = along(m, is_better(m, &m->reflected, &m->corner[m->n]) ? -0.5 : 0.5);
        begin(m, PHASE_CONTRACT);
    }
}

static void judge_contracted(struct simplex *m)
{
    const struct corner *against =
        is_better(m, &m->reflected, &m->corner[m->n]) ? &m->reflected : &m->corner[m->n];

    if (is_better(m, &m->tried, against))
        replace_worst(m, &m->tried);
    else
        shrink(m);
}

/* --------------------------------------------------------- ask and tell */

/* The corner that proposal number i of this phase speaks of. */
static struct corner *corner_asked(struct simplex *m, int i)
{
    if (m->phase == PHASE_CORNERS)
        return &m->corner[i];
    return m->phase == PHASE_SHRINK ? &m->corner[i + 1] : &m->tried;
}

static int corners_asked(const struct simplex *m)
{
    return m->phase == PHASE_CORNERS ? m->n + 1 : m->phase == PHASE_SHRINK ? m->n : 1;
}

static size_t simplex_propose(void *state, struct candidate *out, size_t most)
{
    struct simplex *m = state;
    size_t n = 0;

    if (m->phase == PHASE_COORDINATE) {
        n = method_coordinate.propose(m->coordinate, out, most);
        if (n > 0 || !method_coordinate.done(m->coordinate))
            return n;
        first_corners(m);
        begin(m, m->n > 0 ? PHASE_CORNERS : PHASE_DONE);
    }
    if (m->phase == PHASE_DONE)
        return 0;
    while (n < most && m->asked < corners_asked(m))
        out[n++] = candidate_at(m, corner_asked(m, m->asked++));
    return n;
}

static void simplex_tell(void *state, struct point *const *points, size_t n)
{
    struct simplex *m = state;

    if (m->phase == PHASE_COORDINATE) {
        method_coordinate.tell(m->coordinate, points, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        corner_asked(m, m->told++)->x = points[i];
    if (m->told < corners_asked(m))
        return;
    switch (m->phase) {
    case PHASE_REFLECT:
        judge_reflected(m);
        break;
    case PHASE_EXPAND:
        replace_worst(m, is_better(m, &m->tried, &m->reflected) ? &m->tried : &m->reflected);
        break;
    case PHASE_CONTRACT:
        judge_contracted(m);
        break;
    default: /* all corners, or all but the best, are new */
        next_round(m);
        break;
    }
}

static bool simplex_done(const void *state)
{
    return ((const struct simplex *)state)->phase == PHASE_DONE;
}

static void simplex_free(void *state)
{
    struct simplex *m = state;

    if (m->coordinate != NULL)
        method_coordinate.free(m->coordinate);
    free(m);
}

const struct search_method method_nelder_mead = {
    .name = "nelder-mead",
    .about = "coordinate first, then a downhill simplex over the numeric knobs, between their points too",
    .prune = PRUNE_BEATEN,
    .init = simplex_init,
    .propose = simplex_propose,
    .tell = simplex_tell,
    .done = simplex_done,
    .free = simplex_free,
};
