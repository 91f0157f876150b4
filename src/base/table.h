/*
 * table.h - a quantity known at a few knots on one to three axes, and what lies between them.
 *
 *     value(x) = multilinear interpolation between the knots around x, each axis on its own scale
 *
 * An operator of an LLM is measured at so many tokens, so much context, so many
 * sequences; what costs 1 us at 64 tokens and 1 s at a million asks for
 * logarithms: SCALE_LOG spaces an axis by ln x (x > 0), SCALE_LOG1P by
 * ln(1 + x) (x >= 0), and a value of SCALE_LOG is interpolated in ln value, so
 * that a power law between two knots is exact.
 *
 * A table never extrapolates silently: outside the axes, or in a cell with a
 * corner that no measurement supports (the far corner of a grid that ran out of
 * memory), `outside` is set; the value is that of the nearest edge, in such
 * a cell a smooth guess.  What to do about it is the caller's decision.
 *
 * In a scenario or preset:
 *
 *     {"axes": [{"name": "tokens", "scale": "log", "at": [1, 64, 4096]}, ...], "scale": "log",
 *      "values": ["1us", ...], "unsupported": [17, 18], "error_frac": 0.03}
 *
 * Values are row-major, the last axis runs fastest.  The arrays belong to the
 * arena that built the table.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct json;

enum { TABLE_AXES = 3, TABLE_NODES_MAX = 4096 };

enum scale { SCALE_LINEAR, SCALE_LOG, SCALE_LOG1P };

double scale_to(enum scale s, double x); /* x, ln x, ln(1 + x) */
double scale_from(enum scale s, double u);

struct table_axis {
    const char *name; /* "tokens" */
    enum scale scale;
    size_t n;         /* >= 1; an axis with one knot is a condition, not a dimension: elsewhere is outside */
    const double *at; /* strictly ascending */
    const double *u;  /* at, on the scale: by table_prepare() */
};

struct table {
    int axes_n;
    struct table_axis axis[TABLE_AXES];
    enum scale scale;      /* of the value: SCALE_LINEAR or SCALE_LOG */
    const double *value;   /* one per node */
    const double *u;       /* value, on the scale: by table_prepare() */
    const bool *supported; /* one per node; NULL: all are */
    double error_frac;     /* leave-one-out error said by the fit; NAN: unknown */
};

struct table_value {
    double value;
    bool outside;
};

/* Takes the logarithms of knots and values once; a table made by hand needs it before anything else. */
void table_prepare(struct table *t, struct arena *a);

struct table_value table_eval(const struct table *t, const double *x);

size_t table_nodes(const struct table *t);

/*
 * The corners around x and their weights, which sum to 1: value on the table's scale is the weighted sum.
 * Returns how many (at most 8).
 */
int table_corners(const struct table *t, const double *x, size_t node[8], double weight[8], bool *outside);

/* Reads what table_json() wrote; errors name `where` (a JSON path). */
int table_read(const struct json *v, enum unit unit, const char *where, struct arena *a, struct table *out,
               struct err *err);
struct json *table_json(const struct table *t);

#endif
