/*
 * method_beam.c - from the scenario as it stands, one change more at each step; the WIDTH best go on.
 *
 * It ends when a step brings nothing better than the best so far, or when nothing is left to change.
 */
#include "study/search/method.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 6, STEPS_MAX = OPTS_MAX + KNOBS_MAX };

struct beam {
    const struct search_view *view;
    struct proposals proposals;
    struct point *kept[WIDTH], *told[WIDTH]; /* best first: of the step before, of this one so far */
    int kept_n, told_n, steps;
    const struct point *best;
    bool improved, is_done;
};

static int beam_init(const struct search_view *view, void **state, struct err *err)
{
    struct beam *b = xcalloc(1, sizeof *b);

    (void)err;
    b->view = view;
    b->improved = true;
    *state = b;
    return 0;
}

static void prepare(struct beam *b)
{
    const struct space *sp = b->view->sp;

    proposals_clear(&b->proposals);
    if (b->steps > 0) {
        memcpy(b->kept, b->told, sizeof b->kept);
        b->kept_n = b->told_n;
        b->told_n = 0;
    }
    b->is_done = !b->improved || b->steps > STEPS_MAX;
    if (b->steps == 0)
        proposals_add(&b->proposals, sp, space_base(sp));
    for (int i = 0; !b->is_done && i < b->kept_n; i++)
        for (int d = 0; d < space_dims(sp); d++)
            proposals_add_values(&b->proposals, sp, &b->kept[i]->c, d);
    b->is_done = b->is_done || b->proposals.n == 0;
    b->improved = false;
    b->steps++;
}

static size_t beam_propose(void *state, struct candidate *out, size_t most)
{
    struct beam *b = state;

    if (b->proposals.given == b->proposals.n)
        prepare(b);
    return b->is_done ? 0 : proposals_give(&b->proposals, out, most);
}

/* Into its place among the best of this step. */
static void insert(struct beam *b, struct point *x)
{
    int i = b->told_n < WIDTH ? b->told_n++ : WIDTH;

    if (i == WIDTH) {
        if (point_compare(b->view->sp, x, b->told[WIDTH - 1]) >= 0)
            return;
        i = WIDTH - 1;
    }
    for (; i > 0 && point_compare(b->view->sp, x, b->told[i - 1]) < 0; i--)
        b->told[i] = b->told[i - 1];
    b->told[i] = x;
}

static void beam_tell(void *state, struct point *const *points, size_t n)
{
    struct beam *b = state;

    for (size_t i = 0; i < n; i++) {
        if (points[i]->status != POINT_SIMULATED)
            continue;
        insert(b, points[i]);
        if (b->best == NULL || point_compare(b->view->sp, points[i], b->best) < 0) {
            b->best = points[i];
            b->improved = true;
        }
    }
}

static bool beam_done(const void *state)
{
    return ((const struct beam *)state)->is_done;
}

static void beam_free(void *state)
{
    proposals_free(&((struct beam *)state)->proposals);
    free(state);
}

const struct search_method method_beam = {
    .name = "beam",
    .about = "one change more at each step from the scenario as it stands; the 6 best go on",
    .prune = PRUNE_BEATEN,
    .init = beam_init,
    .propose = beam_propose,
    .tell = beam_tell,
    .done = beam_done,
    .free = beam_free,
};
