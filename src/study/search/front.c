#include "study/search/front.h"

#include <stdlib.h>
#include <string.h>

void front_figures(const struct points *p, const struct point *x, double out[FRONT_FIGURES])
{
    static const char *const names[] = {[FRONT_COST] = "cost_usd_per_h", [FRONT_QUALITY] = "quality"};
    struct estimate e;

    out[FRONT_SCORE] = x->mean.mean;
    for (int i = FRONT_COST; i < FRONT_FIGURES; i++) {
        struct figure_place f = {figure_find(names[i]), -1};

        out[i] = point_figure(p, x, &f, &e) ? i == FRONT_COST ? -e.mean : e.mean : 0;
    }
}

bool front_dominates(const double x[FRONT_FIGURES], const double y[FRONT_FIGURES])
{
    bool better = false;

    for (int i = 0; i < FRONT_FIGURES; i++) {
        if (x[i] < y[i])
            return false;
        better = better || x[i] > y[i];
    }
    return better;
}

struct ranked_point {
    const struct point *x;
    const struct space *sp;
    double figure[FRONT_FIGURES];
};

static int by_preference(const void *x, const void *y)
{
    const struct ranked_point *a = x, *b = y;

    return point_compare(a->sp, a->x, b->x);
}

/* In order of preference nobody is dominated by, or equal to, one who comes later and is not equal in score.
 */
static bool stays(const struct ranked_point *list, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (k != i && (front_dominates(list[k].figure, list[i].figure) ||
                       (k < i && memcmp(list[k].figure, list[i].figure, sizeof list[i].figure) == 0)))
            return false;
    return true;
}

size_t front_find(const struct points *p, struct arena *a, const struct point ***list)
{
    struct ranked_point *all = xcalloc(p->n + 1, sizeof *all);
    size_t n = 0, front = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct point *x = p->list[i];

        if (x->status != POINT_SIMULATED || x->n == 0 || !x->is_feasible)
            continue;
        all[n] = (struct ranked_point){.x = x, .sp = p->sp};
        front_figures(p, x, all[n++].figure);
    }
    qsort(all, n, sizeof *all, by_preference);
    *list = arena_array(a, n + 1, sizeof **list);
    for (size_t i = 0; i < n; i++)
        if (stays(all, n, i))
            (*list)[front++] = all[i].x;
    free(all);
    return front;
}
