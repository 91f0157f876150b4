#include "pipeline/edit.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int read_names(const struct json *list, const char *where, struct arena *a, const char ***out, int *n,
                      struct err *err)
{
    *n = 0;
    if (list == NULL)
        return 0;
    if (json_type(list) != JSON_ARRAY)
        return err_set(err, ERR_SCENARIO, "%s: %s found; a list of names is needed", where,
                       json_type_name(json_type(list)));
    *out = arena_array(a, json_size(list) + 1, sizeof **out);
    JSON_EACH (v, list) {
        if (json_string(v) == NULL)
            return err_set(err, ERR_SCENARIO, "%s[%d]: %s found; a name is needed", where, *n,
                           json_type_name(json_type(v)));
        (*out)[(*n)++] = json_string(v);
    }
    return 0;
}

static void touch(struct optimization *o, const char *stage)
{
    for (int i = 0; i < o->touches_n; i++)
        if (strcmp(o->touches[i], stage) == 0)
            return;
    o->touches[o->touches_n++] = stage;
}

static bool runs_on(const struct json *stage, const char *resource)
{
    JSON_EACH (role, json_get(stage, "on"))
        if (json_string(role) != NULL && strcmp(json_string(role), resource) == 0)
            return true;
    return false;
}

/* What belongs to one pipeline touches the stages of that one; what belongs to all touches all. */
static bool is_of_pipeline(const struct json *tree, const char *pipeline, const char *stage)
{
    const struct json *list = json_get(tree, "pipelines");

    JSON_EACH (p, list)
        if (strcmp(json_get_string(p, "name", ""), pipeline) == 0)
            JSON_EACH (st, json_get(p, "stages"))
                if (strcmp(json_get_string(st, "name", ""), stage) == 0)
                    return true;
    return false;
}

/*
 * The stages an optimization changes, when its author did not say: those whose parameters it sets, those on a
 * resource it changes, those of a pipeline it changes, and all when it changes something that belongs to none
 * of them.
 */
static void touched_by(const struct json *tree, const char *path, struct arena *a, struct optimization *o)
{
    static const char *const prefixes[] = {"resources.", "pipelines.", "stages."};
    struct stage_walk w = STAGE_WALK;
    const struct json *st;
    size_t kind = 0;
    char *name;

    while (kind < 3 && strncmp(path, prefixes[kind], strlen(prefixes[kind])) != 0)
        kind++;
    name = arena_strdup(a, kind < 3 ? path + strlen(prefixes[kind]) : path);
    name[strcspn(name, ".[")] = '\0';
    if (kind >= 2 && !edit_is_top(name)) {
        touch(o, name);
        return;
    }
    while ((st = tree_stage_next(tree, &w)) != NULL) {
        const char *stage = json_get_string(st, "name", NULL);

        if (stage != NULL &&
            (kind >= 2 || (kind == 0 ? runs_on(st, name) : is_of_pipeline(tree, name, stage))))
            touch(o, stage);
    }
}

static void touched_stages(const struct json *tree, const struct json *edits, struct arena *a,
                           struct optimization *o)
{
    struct stage_walk w = STAGE_WALK;
    size_t stages = 0;

    while (tree_stage_next(tree, &w) != NULL)
        stages++;
    o->touches = arena_array(a, json_size(edits) + stages + 1, sizeof *o->touches);
    JSON_EACH (e, edits)
        touched_by(tree, json_key(e), a, o);
}

static int check_touches(const struct json *tree, const char *where, const struct optimization *o,
                         struct err *err)
{
    struct stage_walk any = STAGE_WALK;

    for (int i = 0; tree_stage_next(tree, &any) != NULL && i < o->touches_n; i++) {
        struct stage_walk w = STAGE_WALK;
        const struct json *st;

        while ((st = tree_stage_next(tree, &w)) != NULL)
            if (strcmp(json_get_string(st, "name", ""), o->touches[i]) == 0)
                break;
        if (st == NULL)
            return no_such_stage(tree, where, o->touches[i], err);
        any = (struct stage_walk)STAGE_WALK;
    }
    return 0;
}

/* "effort": {"usd": 90000, "weeks": 6, "confidence": 0.8} */
static int read_effort(const struct json *v, const char *where, struct optimization *o, struct err *err)
{
    static const char *const names[] = {"usd", "weeks", "confidence"};
    double *const into[] = {&o->effort_usd, &o->effort_weeks, &o->confidence};
    static const double most[] = {1e12, 1e6, 1};

    o->effort_usd = o->effort_weeks = NAN;
    o->confidence = 1;
    if (v != NULL && json_type(v) != JSON_OBJECT)
        return err_set(err, ERR_SCENARIO,
                       "%s.effort: %s found; {\"usd\": .., \"weeks\": .., \"confidence\": ..} is needed",
                       where, json_type_name(json_type(v)));
    JSON_EACH (c, v) {
        size_t i = 0;

        while (i < 3 && strcmp(names[i], json_key(c)) != 0)
            i++;
        if (i == 3)
            return err_set(err, ERR_SCENARIO,
                           "%s.effort: unknown key \"%s\"; allowed: usd, weeks, confidence", where,
                           json_key(c));
        if (json_type(c) != JSON_NUMBER || !(json_number(c) > 0) || json_number(c) > most[i])
            return err_set(err, ERR_SCENARIO, "%s.effort.%s: a number above 0, at most %g, is needed", where,
                           names[i], most[i]);
        *into[i] = json_number(c);
    }
    return 0;
}

static int read_one(const struct json *tree, const struct json *v, const char *where, struct arena *a,
                    struct optimization *o, struct err *err)
{
    static const char *const keys[] = {"name", "about", "touches", "excludes", "set", "effort"};
    const struct json *edits = json_get(v, "set");

    if (json_type(v) != JSON_OBJECT)
        return err_set(err, ERR_SCENARIO, "%s: %s found; an optimization is an object", where,
                       json_type_name(json_type(v)));
    JSON_EACH (c, v) {
        const char *near;
        size_t i = 0;

        while (i < 6 && strcmp(keys[i], json_key(c)) != 0)
            i++;
        if (i == 6) {
            near = text_nearest(json_key(c), keys, 6);
            return err_set(
                err, ERR_SCENARIO,
                "%s: unknown key \"%s\"%s%s%s; allowed: name, about, touches, excludes, set, effort", where,
                json_key(c), near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
    }
    o->name = json_get_string(v, "name", NULL);
    o->about = json_get_string(v, "about", "");
    if (o->name == NULL || json_type(edits) != JSON_OBJECT || json_size(edits) == 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: an optimization needs a name and \"set\": {\"STAGE.KEY\": value, ...}", where);
    o->edits = edits;
    TRY(read_effort(json_get(v, "effort"), where, o, err));
    TRY(read_names(json_get(v, "excludes"), where, a, &o->excludes, &o->excludes_n, err));
    TRY(read_names(json_get(v, "touches"), where, a, &o->touches, &o->touches_n, err));
    if (o->touches_n == 0)
        touched_stages(tree, edits, a, o);
    return check_touches(tree, where, o, err);
}

int optimizations_read(const struct json *tree, const char *file, struct arena *a, struct optimization **out,
                       int *n, struct err *err)
{
    const struct json *list = json_get(tree, "optimizations");

    *n = 0;
    *out = NULL;
    if (list == NULL)
        return 0;
    if (json_type(list) != JSON_ARRAY)
        return err_set(err, ERR_SCENARIO, "%s: $.optimizations: %s found; a list is needed", file,
                       json_type_name(json_type(list)));
    *out = arena_array(a, json_size(list) + 1, sizeof **out);
    JSON_EACH (v, list) {
        const char *where = arena_printf(a, "%s: $.optimizations[%d]", file, *n);

        TRY(read_one(tree, v, where, a, &(*out)[*n], err));
        if (optimization_find(*out, *n, (*out)[*n].name) != NULL)
            return err_set(err, ERR_SCENARIO, "%s: the name \"%s\" is used twice", where, (*out)[*n].name);
        ++*n;
    }
    for (int i = 0; i < *n; i++)
        for (int k = 0; k < (*out)[i].excludes_n; k++)
            if (optimization_find(*out, *n, (*out)[i].excludes[k]) == NULL)
                return err_set(err, ERR_SCENARIO,
                               "%s: $.optimizations[%d].excludes[%d]: no optimization \"%s\"", file, i, k,
                               (*out)[i].excludes[k]);
    return 0;
}

const struct optimization *optimization_find(const struct optimization *list, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

int optimization_apply(struct json *tree, const struct optimization *o, struct err *err)
{
    JSON_EACH (e, o->edits)
        if (edit_set(tree, json_key(e), json_copy(e), err) != 0)
            return err_at(err, "optimization \"%s\"", o->name);
    return 0;
}

static bool excludes(const struct optimization *a, const struct optimization *b)
{
    for (int i = 0; i < a->excludes_n; i++)
        if (strcmp(a->excludes[i], b->name) == 0)
            return true;
    return false;
}

static bool same_value(const struct json *x, const struct json *y)
{
    char *a = json_compact(x), *b = json_compact(y);
    bool same = strcmp(a, b) == 0;

    free(a);
    free(b);
    return same;
}

bool optimizations_compatible(const struct optimization *a, const struct optimization *b)
{
    if (excludes(a, b) || excludes(b, a))
        return false;
    JSON_EACH (x, a->edits)
        JSON_EACH (y, b->edits)
            if (edit_same_path(json_key(x), json_key(y)) && !same_value(x, y))
                return false;
    return true;
}
