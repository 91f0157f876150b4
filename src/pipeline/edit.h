/*
 * edit.h - changes to a scenario's JSON tree: --set, optimizations, calibrations.
 *
 * A path names stages and resources by their names, whatever their order:
 *
 *     stages.prep.params.workers      resources.host.count      workload.dataset.rows
 *     prep.workers                    short for stages.prep.params.workers
 *     stages.prep.params.ops[0]       an element of a list
 *     pipelines.night.horizon         of one pipeline of several; their stages by their own names
 *
 * Objects on the way are made when missing; whether the last name exists is
 * checked when the scenario is built, with the same message as for a file.
 */
#ifndef PIPELINE_EDIT_H
#define PIPELINE_EDIT_H

#include "base/arena.h"
#include "base/json.h"

/* Takes ownership of `value`, also on failure. */
int edit_set(struct json *tree, const char *path, struct json *value, struct err *err);
int edit_set_text(struct json *tree, const char *assignment /* "PATH=VALUE" */, struct err *err);

/* Keys of an object that are not in the NULL-terminated list are errors that name the nearest; `where` stands in
   front. */
int known_keys(const struct json *o, const char *const *keys, const char *where, struct err *err);

/* The value at a path, or NULL. */
const struct json *edit_get(const struct json *tree, const char *path);

/* Whether a path could be set: 0, or the error that edit_set() would give for its first names. */
int edit_check(const struct json *tree, const char *path, struct err *err);

/* "stages.NAME.params.KEY" and "NAME.KEY" are one place. */
bool edit_same_path(const char *x, const char *y);

/* What a path changes: one stage (its parameters, preset, calibration), one resource (not its kind), or more
   than that.  The name goes into `name`, of EDIT_NAME bytes. */
enum edit_target { EDIT_STAGE, EDIT_RESOURCE, EDIT_MORE };
enum { EDIT_NAME = 128 };
enum edit_target edit_target(const char *path, char *name);

/* The row of the parameter table that a path sets: of a stage's model or of a resource.  NULL: the value lies
   deeper, or elsewhere.  ERR_SCENARIO when the table has no such parameter. */
struct param;
int edit_param(const struct json *tree, const char *path, const struct param **out, struct err *err);

/* What stands beside the stages: whether a path's first name is one of these ("workload", "resources" ...).
 */
bool edit_is_top(const char *name);

/* Every stage of a tree: of its own list and of those of its pipelines. */
struct stage_walk {
    long list;
    const struct json *stage;
};
#define STAGE_WALK                                                                                           \
    {                                                                                                        \
        -1, NULL                                                                                             \
    }
const struct json *tree_stage_next(const struct json *tree, struct stage_walk *w); /* NULL: no more */
int no_such_stage(const struct json *tree, const char *path, const char *name, struct err *err);

/* An optimization declared in the scenario: named edits on several stages at once. */
struct optimization {
    const char *name, *about;
    const char **touches; /* stage names */
    int touches_n;
    const char **excludes; /* names of optimizations that cannot be combined with it */
    int excludes_n;
    const struct json *edits;        /* object: path -> value */
    double effort_usd, effort_weeks; /* what it takes to build it; NAN: not given */
    double confidence;               /* that it does what it says */
};

/* Reads the `optimizations` list of a tree; strings are borrowed from the tree, arrays live in `a`. */
int optimizations_read(const struct json *tree, const char *file, struct arena *a, struct optimization **out,
                       int *n, struct err *err);
const struct optimization *optimization_find(const struct optimization *list, int n, const char *name);
int optimization_apply(struct json *tree, const struct optimization *o, struct err *err);
/* False when two members of the set exclude each other or set the same path to different values. */
bool optimizations_compatible(const struct optimization *a, const struct optimization *b);

#endif
