#include "base/law.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/param.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"constant", "exponential", "uniform",          "lognormal", "gamma",
                                    "pareto",   "weibull",     "hyperexponential", "empirical"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const double LARGEST = 1e300; /* of any value, so that sums stay finite */

struct reading {
    enum unit unit;
    const char *where; /* the JSON path of the law's body */
    struct arena *a;
    struct err *err;
};

struct law law_constant(double value)
{
    return (struct law){.kind = LAW_CONSTANT, .mean = value, .lo = value, .hi = value};
}

/* E[X] = scale Gamma(1 + 1/k), E[X^2] = scale^2 Gamma(1 + 2/k). */
struct law law_weibull(double mean, double shape)
{
    struct law law = {.kind = LAW_WEIBULL, .mean = mean, .alpha = shape, .hi = INFINITY};

    law.cv = sqrt(fmax(0, expm1(lgamma(1 + 2 / shape) - 2 * lgamma(1 + 1 / shape))));
    return law;
}

struct law law_scaled(const struct law *law, double factor, struct arena *a)
{
    struct law scaled = *law;
    double *values;

    scaled.mean *= factor;
    scaled.lo *= factor;
    scaled.hi *= factor;
    scaled.fast *= factor;
    scaled.slow *= factor;
    if (law->n == 0)
        return scaled;
    values = arena_array(a, law->n, sizeof *values);
    for (size_t i = 0; i < law->n; i++)
        values[i] = law->values[i] * factor;
    scaled.values = values;
    return scaled;
}

struct law law_hyperexponential(double share, double fast, double slow)
{
    double mean = share * fast + (1 - share) * slow;
    double f = mean > 0 ? fast / mean : 0,
           s = mean > 0 ? slow / mean : 0; /* squares of ratios do not overflow */
    double square = 2 * (share * f * f + (1 - share) * s * s);

    return (struct law){.kind = LAW_HYPEREXPONENTIAL,
                        .mean = mean,
                        .cv = mean > 0 ? sqrt(fmax(0, square - 1)) : 0,
                        .hi = INFINITY,
                        .share = share,
                        .fast = fast,
                        .slow = slow};
}

/* Even between a and b: mean (a + b) / 2, mean square (a^2 + ab + b^2) / 3; relative to the law's mean. */
struct law law_quantiles(const double *at, const double *values, size_t n)
{
    struct law law = {
        .kind = LAW_EMPIRICAL, .lo = values[0], .hi = values[n - 1], .values = values, .at = at, .n = n};
    double square = 0;

    for (size_t i = 1; i < n; i++)
        law.mean += (at[i] - at[i - 1]) * (values[i - 1] + (values[i] - values[i - 1]) / 2);
    for (size_t i = 1; i < n && law.mean > 0; i++) {
        double a = values[i - 1] / law.mean - 1, b = values[i] / law.mean - 1;

        square += (at[i] - at[i - 1]) * (a * a + a * b + b * b) / 3;
    }
    law.cv = sqrt(square);
    return law;
}

/* ------------------------------------------------------------------------------------------ pieces of a body
 */

static int read_value(const struct reading *r, const struct json *v, const char *where, double *out)
{
    return param_read_real(v, r->unit, 0, LARGEST, where, out, r->err);
}

/* A key of a law's body: a quantity of the law's unit, or a plain number within [min, max]. */
struct field {
    const char *name;
    bool plain;
    double min, max;
    double *out;
};

/* An object with exactly the keys of the `n` fields. */
static int read_fields(const struct reading *r, const struct json *body, const struct field *field, size_t n)
{
    const char *names[3];
    char found[60];
    size_t i;

    ASSERT(n <= 3);
    for (i = 0; i < n; i++)
        names[i] = field[i].name;
    if (json_type(body) != JSON_OBJECT) {
        struct text t = {0};

        for (i = 0; i < n; i++) {
            text_printf(&t, "%s\"%s\": ", i > 0 ? ", " : "", names[i]);
            text_printf(&t, field[i].plain ? ".." : "\"%s\"", units_example(r->unit));
        }
        err_set(r->err, ERR_SCENARIO, "%s: found %s; write {%s}", r->where,
                json_brief(body, found, sizeof found), t.s);
        text_free(&t);
        return r->err->code;
    }
    JSON_EACH (c, body) {
        struct text t = {0};

        for (i = 0; i < n && strcmp(json_key(c), names[i]) != 0; i++)
            ;
        if (i < n)
            continue;
        text_add_suggestion(&t, json_key(c), names, n);
        err_set(r->err, ERR_SCENARIO, "%s.%s: no such key; %s", r->where, json_key(c), t.s);
        text_free(&t);
        return r->err->code;
    }
    for (i = 0; i < n; i++) {
        const struct json *v = json_get(body, names[i]);
        const char *where = arena_printf(r->a, "%s.%s", r->where, names[i]);

        if (v == NULL)
            return err_set(r->err, ERR_SCENARIO, "%s: missing", where);
        TRY(field[i].plain
                ? param_read_real(v, UNIT_NONE, field[i].min, field[i].max, where, field[i].out, r->err)
                : read_value(r, v, where, field[i].out));
    }
    return 0;
}

/* Keys "mean" and `second`, which is a plain number within [min, max]. */
static int read_pair(const struct reading *r, const struct json *body, const char *second, double min,
                     double max, double *mean, double *number)
{
    const struct field fields[] = {{.name = "mean", .out = mean}, {second, true, min, max, number}};

    return read_fields(r, body, fields, 2);
}

/* ------------------------------------------------------------------------------------------- one kind of law
 */

static int read_constant(const struct reading *r, const struct json *body, struct law *out)
{
    double value;

    TRY(read_value(r, body, r->where, &value));
    *out = law_constant(value);
    return 0;
}

static int read_exponential(const struct reading *r, const struct json *body, struct law *out)
{
    double mean;

    TRY(read_value(r, body, r->where, &mean));
    *out = (struct law){.kind = LAW_EXPONENTIAL, .mean = mean, .cv = 1, .hi = INFINITY};
    return 0;
}

static int read_uniform(const struct reading *r, const struct json *body, struct law *out)
{
    char found[60];
    double lo, hi;

    if (json_type(body) != JSON_ARRAY || json_size(body) != 2)
        return err_set(r->err, ERR_SCENARIO, "%s: found %s; write [lowest, highest]", r->where,
                       json_brief(body, found, sizeof found));
    TRY(read_value(r, json_at(body, 0), arena_printf(r->a, "%s[0]", r->where), &lo));
    TRY(read_value(r, json_at(body, 1), arena_printf(r->a, "%s[1]", r->where), &hi));
    if (lo > hi)
        return err_set(r->err, ERR_SCENARIO, "%s: found %s; the lowest value must not exceed the highest",
                       r->where, json_brief(body, found, sizeof found));
    *out = (struct law){.kind = LAW_UNIFORM, .mean = lo + (hi - lo) / 2, .lo = lo, .hi = hi};
    out->cv = out->mean > 0 ? (hi - lo) / sqrt(12) / out->mean : 0;
    return 0;
}

static int read_lognormal(const struct reading *r, const struct json *body, struct law *out)
{
    *out = (struct law){.kind = LAW_LOGNORMAL, .hi = INFINITY};
    return read_pair(r, body, "cv", 0, 100, &out->mean, &out->cv);
}

static int read_gamma(const struct reading *r, const struct json *body, struct law *out)
{
    *out = (struct law){.kind = LAW_GAMMA, .hi = INFINITY};
    return read_pair(r, body, "cv", 0, 100, &out->mean, &out->cv);
}

/* Density alpha lo^alpha / x^(alpha + 1) from lo = mean (alpha - 1) / alpha; the variance exists for alpha
 * > 2. */
static int read_pareto(const struct reading *r, const struct json *body, struct law *out)
{
    double mean, alpha;

    TRY(read_pair(r, body, "alpha", 1.01, 1000, &mean, &alpha));
    *out = (struct law){.kind = LAW_PARETO, .mean = mean, .alpha = alpha, .hi = INFINITY};
    out->lo = mean * (alpha - 1) / alpha;
    out->cv = alpha > 2 ? 1 / sqrt(alpha * (alpha - 2)) : INFINITY;
    return 0;
}

static int read_weibull(const struct reading *r, const struct json *body, struct law *out)
{
    double mean, shape;

    TRY(read_pair(r, body, "shape", 0.1, 100, &mean, &shape));
    *out = law_weibull(mean, shape);
    return 0;
}

static int read_hyperexponential(const struct reading *r, const struct json *body, struct law *out)
{
    double share, fast, slow;
    const struct field fields[] = {
        {"share", true, 0, 1, &share}, {.name = "fast", .out = &fast}, {.name = "slow", .out = &slow}};

    TRY(read_fields(r, body, fields, 3));
    *out = law_hyperexponential(share, fast, slow);
    return 0;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* [[0, lowest], [probability, value] ..., [1, highest]], both rising. */
static int read_quantiles(const struct reading *r, const struct json *body, struct law *out)
{
    size_t n = json_size(body), i = 0;
    double *at = arena_array(r->a, n, sizeof *at), *values = arena_array(r->a, n, sizeof *values);
    char found[60];

    JSON_EACH (c, body) {
        const char *where = arena_printf(r->a, "%s[%zu]", r->where, i);

        if (json_type(c) != JSON_ARRAY || json_size(c) != 2)
            return err_set(r->err, ERR_SCENARIO, "%s: found %s; write [probability, value], like the others",
                           where, json_brief(c, found, sizeof found));
        TRY(param_read_real(json_at(c, 0), UNIT_NONE, 0, 1, arena_printf(r->a, "%s[0]", where), &at[i],
                            r->err));
        TRY(read_value(r, json_at(c, 1), arena_printf(r->a, "%s[1]", where), &values[i]));
        if (i > 0 && (at[i] <= at[i - 1] || values[i] < values[i - 1]))
            return err_set(r->err, ERR_SCENARIO, "%s: found %s; probabilities and values must rise", where,
                           json_brief(c, found, sizeof found));
        i++;
    }
    if (n < 2 || at[0] != 0 || at[n - 1] != 1)
        return err_set(r->err, ERR_SCENARIO,
                       "%s: found %s; quantiles begin with [0, lowest] and end with [1, highest]", r->where,
                       json_brief(body, found, sizeof found));
    *out = law_quantiles(at, values, n);
    return 0;
}

static int read_empirical(const struct reading *r, const struct json *body, struct law *out)
{
    double *values, mean = 0, square = 0;
    size_t n = 0;
    char found[60];

    if (json_type(body) == JSON_STRING && strncmp(json_string(body), "trace:", 6) == 0)
        return err_set(r->err, ERR_SCENARIO,
                       "%s: \"%s\" must be resolved first: a trace is read from the store", r->where,
                       json_string(body));
    if (json_type(body) != JSON_ARRAY || json_first(body) == NULL)
        return err_set(r->err, ERR_SCENARIO,
                       "%s: found %s; write a list of values, or of [probability, value], or "
                       "\"trace:TRACE/OPERATOR\"",
                       r->where, json_brief(body, found, sizeof found));
    if (json_type(json_first(body)) == JSON_ARRAY)
        return read_quantiles(r, body, out);
    values = arena_array(r->a, json_size(body), sizeof *values);
    JSON_EACH (c, body) {
        TRY(read_value(r, c, arena_printf(r->a, "%s[%zu]", r->where, n), &values[n]));
        n++;
    }
    qsort(values, n, sizeof *values, ascending);
    /* Running mean and sum of squared deviations: both stay accurate when the values are large and close. */
    for (size_t i = 0; i < n; i++) {
        double d = values[i] - mean;

        mean += d / (double)(i + 1);
        square += d * (values[i] - mean);
    }
    *out = (struct law){
        .kind = LAW_EMPIRICAL, .mean = mean, .lo = values[0], .hi = values[n - 1], .values = values, .n = n};
    out->cv = mean > 0 ? sqrt(square / (double)n) / mean : 0;
    return 0;
}

/* ------------------------------------------------------------------------------------------------- any law
 */

static int read_kind(const struct reading *r, const struct json *body, const char *key, struct law *out)
{
    static int (*const readers[KINDS])(const struct reading *, const struct json *, struct law *) = {
        [LAW_CONSTANT] = read_constant,   [LAW_EXPONENTIAL] = read_exponential,
        [LAW_UNIFORM] = read_uniform,     [LAW_LOGNORMAL] = read_lognormal,
        [LAW_GAMMA] = read_gamma,         [LAW_PARETO] = read_pareto,
        [LAW_WEIBULL] = read_weibull,     [LAW_HYPEREXPONENTIAL] = read_hyperexponential,
        [LAW_EMPIRICAL] = read_empirical,
    };
    struct text t = {0};

    for (int k = 0; k < KINDS; k++)
        if (strcmp(key, kinds[k]) == 0)
            return readers[k](r, body, out);
    text_add_suggestion(&t, key, kinds, KINDS);
    err_set(r->err, ERR_SCENARIO, "%s: no such law; %s", r->where, t.s);
    text_free(&t);
    return r->err->code;
}

int law_read(const struct json *value, enum unit unit, const char *where, struct arena *a, struct law *out,
             struct err *err)
{
    struct reading r = {unit, where, a, err};
    const struct json *body = json_first(value);
    char found[60];

    if (json_type(value) != JSON_OBJECT)
        return read_constant(&r, value, out);
    if (json_size(value) != 1)
        return err_set(err, ERR_SCENARIO, "%s: found %s; a law is an object with one key, its name", where,
                       json_brief(value, found, sizeof found));
    r.where = arena_printf(a, "%s.%s", where, json_key(body));
    TRY(read_kind(&r, body, json_key(body), out));
    if (out->mean == 0 || (out->cv == 0 && out->kind != LAW_EMPIRICAL)) /* nothing is left to draw */
        *out = law_constant(out->mean);
    return 0;
}

const char *law_kind_name(enum law_kind kind)
{
    return kinds[kind];
}
