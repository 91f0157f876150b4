/*
 * law.h - a random quantity as a scenario writes it.
 *
 * A law may stand wherever a duration, size or count may: a bare quantity is
 * constant, an object names the law, {"lognormal": {"mean": "8ms", "cv": 0.4}}.
 * What was measured is written {"empirical": ["1ms", "3ms"]} (these values) or
 * {"empirical": [[0, "1ms"], [0.5, "2ms"], [1, "9ms"]]} (these quantiles).
 * This file only describes and reads laws; the engine draws from them.
 */
#ifndef BASE_LAW_H
#define BASE_LAW_H

#include "base/units.h"

struct json;
struct arena;

enum law_kind {
    LAW_CONSTANT,    /* mean */
    LAW_EXPONENTIAL, /* mean */
    LAW_UNIFORM,     /* lo, hi */
    LAW_LOGNORMAL,   /* mean, cv (of the value itself, not of its logarithm) */
    LAW_GAMMA,       /* mean, cv */
    LAW_PARETO,      /* mean, alpha > 1 */
    LAW_WEIBULL,     /* mean, alpha: its shape */
    LAW_HYPEREXPONENTIAL, /* exponential of mean `fast` with chance `share`, else of mean `slow` */
    LAW_EMPIRICAL,   /* n sorted values: drawn with equal chance, or by their quantiles */
};

struct law {
    enum law_kind kind;
    double mean, cv;     /* valid for every kind: bounds and fits use them; cv is infinite for heavy Pareto */
    double lo, hi, alpha; /* lo and hi hold for every kind; hi may be infinite */
    double share, fast, slow; /* LAW_HYPEREXPONENTIAL */
    const double *values; /* LAW_EMPIRICAL: sorted, owned by whoever built the law */
    const double *at;     /* of each value the probability of being below, 0 first, 1 last, even between; NULL:
                             each value has the same chance and nothing lies between */
    size_t n;
};

struct law law_constant(double value);
struct law law_weibull(double mean, double shape);
struct law law_hyperexponential(double share, double fast, double slow);
struct law law_scaled(const struct law *law, double factor, struct arena *a); /* every draw times `factor` */
struct law law_quantiles(const double *at, const double *values, size_t n); /* borrows both */

/* Reads a law from a scenario value; errors name `where` (a JSON path). */
int law_read(const struct json *value, enum unit unit, const char *where, struct arena *a, struct law *out,
             struct err *err);

const char *law_kind_name(enum law_kind kind); /* "exponential", as a scenario writes it */

#endif
