/*
 * cells.h - times of one operator by the sizes at which it was run.
 *
 * A cell is one size, (x, y); y is NAN where there is one size only.  The
 * median of a cell is not moved by the run that an interrupt fell into.
 */
#ifndef CALIBRATE_CELLS_H
#define CALIBRATE_CELLS_H

#include <stddef.h>

struct cell {
    double x, y;
    double *seconds;
    size_t n, cap;
};

struct cells {
    struct cell *cell;
    size_t n, cap;
};

void cells_add(struct cells *c, double x, double y, double seconds);
void cells_free(struct cells *c);

double cell_median(struct cell *c); /* sorts it */
double cell_sum(const struct cell *c);

#endif
