/*
 * grid.h - the knots of a table while they are being chosen: sorted lists, one per axis; behind knots.h.
 */
#ifndef CALIBRATE_GRID_H
#define CALIBRATE_GRID_H

#include "calibrate/knots.h"

struct grid {
    size_t n[TABLE_AXES];
    double *at[TABLE_AXES], *u[TABLE_AXES]; /* u: on the axis' scale; room for KNOTS_NODES_MAX each */
};

void grid_init(struct grid *g, int axes_n);
void grid_fini(struct grid *g, int axes_n);
void grid_copy(struct grid *to, const struct grid *from, int axes_n);
void grid_insert(struct grid *g, int axis, double x, enum scale scale);
void grid_remove(struct grid *g, int axis, size_t i);
size_t grid_nodes(const struct grid *g, int axes_n);

#endif
