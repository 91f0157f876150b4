#include "study/rank_parts.h"

#include <math.h>

/* ------------------------------------------------------------- the steps */

static struct estimate over(const struct work *w, opt_set with, opt_set without)
{
    return estimate_ratio(values_find(&w->values, with)->objective, values_find(&w->values, without)->objective,
                          (size_t)w->st->replications, w->st->confidence);
}

/* The next set on the way to `best`: one more member, or all that is left when no such set was evaluated. */
static opt_set next_step(const struct work *w, opt_set from, opt_set best)
{
    const struct set_value *next = NULL;

    for (int i = 0; i < w->st->n; i++) {
        const struct set_value *v =
            (best & ~from) >> i & 1 ? values_find(&w->values, from | one(i)) : NULL;

        if (v != NULL && (next == NULL || v->mean > next->mean))
            next = v;
    }
    return next != NULL ? next->set : best;
}

void rank_steps(struct work *w)
{
    opt_set set = NOTHING, best = w->out->best;

    w->out->steps = arena_array(w->a, (size_t)w->st->n + 1, sizeof *w->out->steps);
    while (set != best) {
        opt_set next = next_step(w, set, best);

        w->out->steps[w->out->steps_n++] =
            (struct rank_step){.set = next, .gain = over(w, next, NOTHING), .step = over(w, next, set)};
        set = next;
    }
}

/* ------------------------------------------------------------- the front */

static struct estimate figure_of(const struct work *w, const struct set_value *v, enum rank_figure k)
{
    return estimate_student(v->figure[k], (size_t)w->st->replications, w->st->confidence);
}

/* What is not known, or the same for all, decides nothing. */
static int compare(double a, double b, double sign)
{
    double scale = fmax(fabs(a), fabs(b));

    if (!isfinite(a) || !isfinite(b) || fabs(a - b) <= 1e-9 * scale)
        return 0;
    return sign * (a - b) > 0 ? 1 : -1;
}

static bool dominates(const struct rank_point *a, const struct rank_point *b)
{
    int rate = compare(a->gain.mean, b->gain.mean, 1), cost = compare(a->cost.mean, b->cost.mean, -1),
        quality = compare(a->quality.mean, b->quality.mean, 1);

    return rate >= 0 && cost >= 0 && quality >= 0 && (rate > 0 || cost > 0 || quality > 0);
}

void rank_points(struct work *w)
{
    struct rank_point *p = arena_array(w->a, w->values.n, sizeof *p);

    for (size_t i = 0; i < w->values.n; i++) {
        const struct set_value *v = &w->values.list[i];

        p[i] = (struct rank_point){.set = v->set,
                                   .front = true,
                                   .gain = over(w, v->set, NOTHING),
                                   .throughput = figure_of(w, v, RANK_THROUGHPUT),
                                   .cost = figure_of(w, v, RANK_COST),
                                   .quality = figure_of(w, v, RANK_QUALITY)};
    }
    for (size_t i = 0; i < w->values.n; i++)
        for (size_t k = 0; k < w->values.n && p[i].front; k++)
            p[i].front = !dominates(&p[k], &p[i]);
    w->out->points = p;
    w->out->points_n = (int)w->values.n;
}
