/*
 * knob.h - settings that search and plan may turn.
 *
 *     "knobs": [ {"name": "workers", "path": "load.workers", "range": [1, 64], "scale": "log", "points": 7},
 *                {"name": "policy", "path": "gen.policy", "values": ["vllm", "chunked"]},
 *                {"name": "engines", "path": ["gen.replicas", "resources.gpus.count"], "values": [1, 2, 4]},
 *                {"name": "ef", "path": "search.ef"} ]
 *
 * A path is one that --set takes; several paths are turned together, to the same value.  What a knob may be
 * is said by `values`, by a `range` with a `step` or a number of `points` (even, or with "scale": "log" by
 * equal factors), or by nothing but the parameter table: a choice has its names, a switch true and false, a
 * number the table's range.
 *
 * Every knob is a grid of n values; a setting is a level in [0, n - 1].  Levels between those of the grid
 * stand for a number between its values where the knob is continuous, and for the nearest value elsewhere.
 */
#ifndef PIPELINE_KNOB_H
#define PIPELINE_KNOB_H

#include "base/arena.h"
#include "base/json.h"
#include "base/units.h"

#include <stdbool.h>

enum knob_kind { KNOB_GIVEN, KNOB_CHOICE, KNOB_SWITCH, KNOB_NUMBERS };

struct knob {
    const char *name, *about;
    const char **paths; /* one at least */
    int paths_n;
    enum knob_kind kind;
    int n;                      /* values of the grid */
    int now;                    /* level of the value that the scenario has; -1: it has another */
    const struct json **given;  /* KNOB_GIVEN: as the scenario writes them */
    const char *const *choices; /* KNOB_CHOICE */
    double *numbers;            /* KNOB_NUMBERS: from lowest to highest */
    bool is_continuous, is_log; /* KNOB_NUMBERS */
    enum unit unit;             /* of numbers, where the parameter table knows it */
};

enum { KNOBS_MAX = 32, KNOB_VALUES_MAX = 1000 };

/* Reads the `knobs` of a tree.  Texts and values are borrowed from the tree, the rest lives in `a`. */
int knobs_read(const struct json *tree, const char *file, struct arena *a, struct knob **out, int *n,
               struct err *err);
const struct knob *knob_find(const struct knob *list, int n, const char *name);

/* The level nearest to `level` that the knob has: a whole one unless it is continuous. */
double knob_round(const struct knob *k, double level);

struct json *knob_value(const struct knob *k, double level); /* the caller frees it */
double knob_number(const struct knob *k, double level);      /* NAN where the value is no number */
int knob_apply(struct json *tree, const struct knob *k, double level, struct err *err);
bool knob_sets(const struct knob *k, const char *path);

/* "4", "lz4", "20 GB/s", as a person reads it; returns buf. */
char *knob_show(const struct knob *k, double level, char *buf, size_t size);

extern const char *const knob_keys[]; /* for the schema; NULL at the end */

#endif
