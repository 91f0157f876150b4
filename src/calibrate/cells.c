#include "calibrate/cells.h"

#include "base/arena.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

static struct cell *find(struct cells *c, double x, double y)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->cell[i].x == x && (c->cell[i].y == y || (isnan(y) && isnan(c->cell[i].y))))
            return &c->cell[i];
    if (c->n == c->cap) {
        c->cap = 2 * c->cap + 16;
        c->cell = xrealloc(c->cell, c->cap, sizeof *c->cell);
    }
    c->cell[c->n] = (struct cell){.x = x, .y = y};
    return &c->cell[c->n++];
}

void cells_add(struct cells *c, double x, double y, double seconds)
{
    struct cell *cell = find(c, x, y);

    if (cell->n == cell->cap) {
        cell->cap = 2 * cell->cap + 8;
        cell->seconds = xrealloc(cell->seconds, cell->cap, sizeof *cell->seconds);
    }
    cell->seconds[cell->n++] = seconds;
}

void cells_free(struct cells *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->cell[i].seconds);
    free(c->cell);
    *c = (struct cells){0};
}

double cell_median(struct cell *c)
{
    gsl_sort(c->seconds, 1, c->n);
    return gsl_stats_median_from_sorted_data(c->seconds, 1, c->n);
}

double cell_sum(const struct cell *c)
{
    double sum = 0;

    for (size_t i = 0; i < c->n; i++)
        sum += c->seconds[i];
    return sum;
}
