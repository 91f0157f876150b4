/*
 * view.h - columns of the store's views, as arrays.
 *
 * A study that wants the requests, operator costs or Spark tasks of one trace
 * names the view (see docs/store.md) and the columns:
 *
 *     struct view_column c[] = {{.name = "tokens"}, {.name = "op"}, {.name = "time_s"}};
 *
 *     view_load(store, "operator_costs", trace_id, c, 3, arena, &rows, &err);
 *     for (size_t i = 0; i < rows; i++)
 *         ... c[0].real[i], c[1].text[i], c[2].real[i]
 *
 * Rows come in the order of `seq` where the view has one.  Memory is the arena's.
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

struct view_column {
    const char *name;
    double *real;      /* NAN where the value is unknown or a text */
    const char **text; /* NULL where it is a number; "" where it is unknown */
};

/* Of tables too.  `view` and the names are the program's own: a name that does not exist is ERR_IO. */
int view_load(struct store *s, const char *view, int64_t trace_id, struct view_column *columns, size_t n,
              struct arena *a, size_t *rows, struct err *err);

#endif
