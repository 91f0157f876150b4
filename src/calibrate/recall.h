/*
 * recall.h - how much of the right answer a search finds for how much effort (nprobe, ef, candidates).
 *
 *     recall(e) = 1 / (1 + (half / e)^slope),    logit recall = slope (ln e - ln half)
 *
 * Rising and saturating.  Logistic regression by iterated weights; each point
 * counts by its queries, and the dispersion is estimated (quasi-binomial:
 * Pearson's chi-square / (n - 2)), because neighbouring answers of a query are
 * found or missed together.  A measured recall of 1 is fine.
 *
 * The curve is not true of every index.  Beside it stands a table: recall at the
 * measured efforts, made monotone (knots.h).  Each inner point is left out and
 * predicted by both; the one that errs less is used.
 *
 * Beyond the efforts measured (and, for the table, beyond the recalls) answers
 * carry `outside`.
 */
#ifndef CALIBRATE_RECALL_H
#define CALIBRATE_RECALL_H

#include "base/table.h"
#include "calibrate/fitted.h"

struct arena;

struct recall_point {
    double effort, recall;
    double queries; /* 0: unknown, all points count alike */
};

struct recall {
    struct fit fit; /* "half" (effort of recall .5), "slope" */
    bool use_table;
    struct table table;
    double curve_error,
        table_error; /* mean |predicted - measured| recall of left-out inner points; NAN: none */
};

struct recall_effort {
    double effort, lo, hi; /* 95 %; the table has none: lo = hi = effort */
    bool outside;
};

/* The table lives in `a`.  ERR_FAILED: fewer than 3 different efforts, a recall outside 0 .. 1, or all the
 * same. */
int recall_fit(const struct recall_point *p, size_t n, struct arena *a, struct recall *out, struct err *err);

struct table_value recall_at(const struct recall *r, double effort);
struct recall_effort recall_effort(const struct recall *r, double recall);

#endif
