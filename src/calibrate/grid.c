#include "calibrate/grid.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

void grid_init(struct grid *g, int axes_n)
{
    for (int a = 0; a < axes_n; a++) {
        g->at[a] = xcalloc(KNOTS_NODES_MAX, sizeof(double));
        g->u[a] = xcalloc(KNOTS_NODES_MAX, sizeof(double));
    }
}

void grid_fini(struct grid *g, int axes_n)
{
    for (int a = 0; a < axes_n; a++) {
        free(g->at[a]);
        free(g->u[a]);
    }
}

void grid_copy(struct grid *to, const struct grid *from, int axes_n)
{
    for (int a = 0; a < axes_n; a++) {
        to->n[a] = from->n[a];
        memcpy(to->at[a], from->at[a], from->n[a] * sizeof(double));
        memcpy(to->u[a], from->u[a], from->n[a] * sizeof(double));
    }
}

void grid_insert(struct grid *g, int axis, double x, enum scale scale)
{
    size_t i = g->n[axis]++;

    for (; i > 0 && g->at[axis][i - 1] > x; i--) {
        g->at[axis][i] = g->at[axis][i - 1];
        g->u[axis][i] = g->u[axis][i - 1];
    }
    g->at[axis][i] = x;
    g->u[axis][i] = scale_to(scale, x);
}

void grid_remove(struct grid *g, int axis, size_t i)
{
    size_t rest = --g->n[axis] - i;

    memmove(g->at[axis] + i, g->at[axis] + i + 1, rest * sizeof(double));
    memmove(g->u[axis] + i, g->u[axis] + i + 1, rest * sizeof(double));
}

size_t grid_nodes(const struct grid *g, int axes_n)
{
    size_t n = 1;

    for (int a = 0; a < axes_n; a++)
        n *= g->n[a];
    return n;
}
