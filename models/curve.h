/*
 * curve.h - a measured curve as a few knots: recall against search effort, evidence against rank.
 *
 * A scenario writes the knots, [[x, y], ...] with rising x, or the name of a
 * preset whose document holds them under "curve".  Between two knots the curve
 * is straight in y against log x when `log_x` (effort, rank: what doubles adds
 * the same), else against x.  It is never continued beyond its ends: outside,
 * the nearest knot answers, and curve_covers() says that it did.
 */
#ifndef MODELS_CURVE_H
#define MODELS_CURVE_H

#include "models/model.h"

struct curve {
    int n; /* 0: none given */
    bool log_x;
    const double *x, *y;
};

/* `v` NULL leaves an empty curve; `name` is the parameter's; y must lie in [y_min, y_max]. */
int curve_read(const struct json *v, const char *name, bool log_x, double y_min, double y_max,
               const struct model_env *env, struct curve *out, struct err *err);

double curve_at(const struct curve *c, double x);
bool curve_covers(const struct curve *c, double x);

#endif
