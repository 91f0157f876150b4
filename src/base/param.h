/*
 * param.h - one table per component, from which everything else comes.
 *
 * A row binds a field of a config struct to a name, a unit, a default written
 * as a user would write it, a range and one sentence.  From the table come
 * defaults, validation messages, `foresight models`, the JSON schema, search
 * bounds and the list of what can be calibrated.  The macros compute the offset
 * and check the field's C type at compile time.
 *
 *     #define T struct disk_cfg
 *     static const struct param params[] = {
 *         REAL(T, read_bw, UNIT_BYTES_PER_S, "500MB/s", 1, 1e13, "Sequential read bandwidth"),
 *         PARAMS_END
 *     };
 *     #undef T
 */
#ifndef BASE_PARAM_H
#define BASE_PARAM_H

#include "base/arena.h"
#include "base/json.h"
#include "base/law.h"
#include "base/units.h"

enum param_type {
    PARAM_END,
    PARAM_REAL,   /* double */
    PARAM_INT,    /* long */
    PARAM_BOOL,   /* bool */
    PARAM_CHOICE, /* int: index into the NULL-terminated `choices` */
    PARAM_LAW,    /* struct law */
    PARAM_COSTS,  /* struct cost[], one per name in the NULL-terminated `choices` */
    PARAM_JSON,   /* const struct json *: the model reads it itself (lists, tables) */
};

/*
 * What one run of an operator costs on one core:
 *
 *     seconds = (fixed_s + per_item_s * items + per_byte_s * bytes) * noise,   E[noise] = 1, cv[noise] = cv
 *
 * Which things are counted as items and bytes is said by the model, per operator.
 */
struct cost {
    double fixed_s, per_item_s, per_byte_s, cv;
};

struct param {
    const char *name;
    enum param_type type;
    size_t offset;
    enum unit unit;
    const char *def; /* text read by the same parser as the user's file; NULL: must be given (PARAM_JSON: optional) */
    double min, max;
    const char *const *choices;
    const char *help;
};

#define PARAM_FIELD_(T, f, ctype)                                                                                      \
    (offsetof(T, f) + 0 * sizeof(char[_Generic(((T *)0)->f, ctype : 1, default : -1)]))
#define REAL(T, f, unit, def, min, max, help)                                                                          \
    {                                                                                                                  \
        #f, PARAM_REAL, PARAM_FIELD_(T, f, double), unit, def, min, max, NULL, help                                    \
    }
#define INT(T, f, def, min, max, help)                                                                                 \
    {                                                                                                                  \
        #f, PARAM_INT, PARAM_FIELD_(T, f, long), UNIT_NONE, def, min, max, NULL, help                                  \
    }
#define BOOL(T, f, def, help)                                                                                          \
    {                                                                                                                  \
        #f, PARAM_BOOL, PARAM_FIELD_(T, f, bool), UNIT_NONE, def, 0, 1, NULL, help                                     \
    }
#define CHOICE(T, f, def, names, help)                                                                                 \
    {                                                                                                                  \
        #f, PARAM_CHOICE, PARAM_FIELD_(T, f, int), UNIT_NONE, def, 0, 0, names, help                                   \
    }
#define LAW(T, f, unit, def, min, max, help)                                                                           \
    {                                                                                                                  \
        #f, PARAM_LAW, PARAM_FIELD_(T, f, struct law), unit, def, min, max, NULL, help                                 \
    }
#define COSTS(T, f, names, help)                                                                                       \
    {                                                                                                                  \
        #f, PARAM_COSTS, offsetof(T, f) + 0 * sizeof(char[_Generic(&((T *)0)->f[0], struct cost * : 1, default : -1)]), UNIT_S, "{}",        \
            0, 1e9, names, help                                                                                        \
    }
#define JSONV(T, f, help)                                                                                              \
    {                                                                                                                  \
        #f, PARAM_JSON, PARAM_FIELD_(T, f, const struct json *), UNIT_NONE, NULL, 0, 0, NULL, help                     \
    }
#define PARAMS_END                                                                                                     \
    {                                                                                                                  \
        NULL, PARAM_END, 0, UNIT_NONE, NULL, 0, 0, NULL, NULL                                                          \
    }

/*
 * Fills *cfg from `obj` (an object, or NULL for all defaults).  `where` is the JSON path of `obj`.
 * Unknown keys, wrong types and values out of range are errors that name the path and what is allowed.
 * JSON values kept by PARAM_JSON are borrowed from `obj`.
 */
int param_load(const struct param *table, const struct json *obj, const char *where, struct arena *a, void *cfg,
               struct err *err);

/* Whether `v` may stand for one parameter; `where` is its JSON path. */
int param_check(const struct param *p, const struct json *v, const char *where, struct arena *a, struct err *err);

size_t param_count(const struct param *table);
const struct param *param_find(const struct param *table, const char *name);

/* Reads one quantity (a number, or text with a unit) of `unit` within [min, max]. */
int param_read_real(const struct json *v, enum unit unit, double min, double max, const char *where, double *out,
                    struct err *err);

/* The value a table row stands for, as text a person reads ("20 GB/s", "lz4"). */
char *param_show(const struct param *p, const void *cfg, char *buf, size_t size);

#endif
