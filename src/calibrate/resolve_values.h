/*
 * resolve_values.h - "trace:TRACE/OP": how long the runs of an operator took in a recording.
 *
 * TRACE is a number or a name (which may hold a /), OP an operator of it; where several stages have one of
 * that name, STAGE/OP.  Handed out are the wall times of its spans in seconds, rising: all of them, or where
 * there are more than VALUES_MOST as many quantiles, each in the middle of a share of equal chance.
 */
#ifndef CALIBRATE_RESOLVE_VALUES_H
#define CALIBRATE_RESOLVE_VALUES_H

#include "store/store.h"

#include <stddef.h>

struct arena;

enum { VALUES_MOST = 1000 };

/* `ref` stands behind "trace:".  ERR_USAGE: no such trace or operator (with the nearest), or several. */
int resolve_span_values(struct store *s, const char *ref, struct arena *a, double **values, size_t *n,
                        struct err *err);

#endif
