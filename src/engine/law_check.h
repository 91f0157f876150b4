/*
 * law_check.h - do two ways of counting the same thing agree?
 *
 * Conservation laws are identities; only rounding may separate the two sides.
 * Both are sums: each of `steps` terms is a difference of clock readings,
 * right to half a unit in the last place of the clock, and the sum itself
 * rounds with every addition.
 */
#ifndef ENGINE_LAW_CHECK_H
#define ENGINE_LAW_CHECK_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* `scale`: what one unit of the clock's rounding is worth in the thing counted (1 for seconds), times the
 * clock. */
static inline bool law_holds(double a, double b, double scale, double steps)
{
    return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)) + 4 * DBL_EPSILON * scale * (steps + 16);
}

#endif
