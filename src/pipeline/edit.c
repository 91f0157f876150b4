#include "pipeline/edit.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- paths */

struct step {
    char name[128];
    long index; /* >= 0: an element of a list */
};

/* Takes the next step off *p; false at the end or when the text is not a path. */
static bool next_step(const char **p, struct step *s)
{
    size_t n;
    char *end;

    if (**p == '[') {
        s->index = strtol(*p + 1, &end, 10);
        if (end == *p + 1 || *end != ']' || s->index < 0)
            return false;
        *p = end + 1;
        return true;
    }
    if (**p == '.')
        ++*p;
    n = strcspn(*p, ".[");
    if (n == 0 || n >= sizeof s->name)
        return false;
    memcpy(s->name, *p, n);
    s->name[n] = '\0';
    s->index = -1;
    *p += n;
    return true;
}

static struct json *named_member(struct json *list, const char *name)
{
    for (size_t i = 0; list != NULL && json_type(list) == JSON_ARRAY && i < json_size(list); i++) {
        struct json *member = json_at_mutable(list, i);
        const char *found = json_get_string(member, "name", NULL);

        if (found != NULL && strcmp(found, name) == 0)
            return member;
    }
    return NULL;
}

static int no_such_name(const struct json *list, const char *path, const char *what, const char *name,
                        struct err *err)
{
    const char *names[64], *near;
    size_t n = 0;

    JSON_EACH (c, list)
        if (n < 64 && json_get_string(c, "name", json_key(c)) != NULL)
            names[n++] = json_get_string(c, "name", json_key(c));
    near = text_nearest(name, names, n);
    if (near != NULL)
        return err_set(err, ERR_SCENARIO, "%s: no %s \"%s\"; did you mean \"%s\"?", path, what, name, near);
    return err_set(err, ERR_SCENARIO, "%s: no %s \"%s\"", path, what, name);
}

/* What a path may start with beside a stage; nothing of it belongs to one stage. */
static const char *const tops[] = {"resources", "workload", "horizon", "seed",      "edges",
                                   "unit",      "exec",     "knobs",   "objective", "name"};

static bool is_top(const char *name)
{
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++)
        if (strcmp(tops[i], name) == 0)
            return true;
    return false;
}

/* A key of a resource that is not there is a misspelt name; a whole new resource may be put in. */
static int check_resource(const struct json *tree, const char *path, const char *behind, struct err *err)
{
    const struct json *resources = json_get(tree, "resources");
    struct step s;

    if (!next_step(&behind, &s) || s.index >= 0 || *behind == '\0' || json_get(resources, s.name) != NULL)
        return 0;
    return no_such_name(resources, path, "resource", s.name, err);
}

/* Where a path starts: the stage, or the top of the tree. Leaves *p behind what it used. */
static int path_root(struct json *tree, const char *path, const char **p, struct json **out, struct err *err)
{
    struct json *stages = json_get_mutable(tree, "stages"), *stage;
    const char *behind;
    struct step s;

    *p = path;
    if (!next_step(p, &s) || s.index >= 0)
        return err_set(err, ERR_USAGE,
                       "\"%s\": not a path; write stages.NAME.params.KEY, resources.NAME.KEY or STAGE.KEY",
                       path);
    *out = tree;
    if (is_top(s.name)) {
        behind = *p;
        *p = path;
        return strcmp(s.name, "resources") == 0 ? check_resource(tree, path, behind, err) : 0;
    }
    if (strcmp(s.name, "stages") == 0) {
        if (!next_step(p, &s) || s.index >= 0)
            return err_set(err, ERR_USAGE, "\"%s\": name a stage, as in stages.prep.params.workers", path);
        *out = named_member(stages, s.name);
        return *out != NULL ? 0 : no_such_name(stages, path, "stage", s.name, err);
    }
    stage = named_member(stages, s.name);
    if (stage == NULL)
        return no_such_name(stages, path, "stage", s.name, err);
    *out = json_get_mutable(stage, "params");
    if (*out == NULL)
        *out = json_set_object(stage, "params");
    return 0;
}

static struct json *walk_step(struct json *at, const struct step *s)
{
    if (s->index >= 0)
        return json_type(at) == JSON_ARRAY ? json_at_mutable(at, (size_t)s->index) : NULL;
    return json_type(at) == JSON_OBJECT ? json_get_mutable(at, s->name) : NULL;
}

static int place(struct json *at, const struct step *s, const char *path, struct json *value, struct err *err)
{
    if (s->index >= 0) {
        if (json_type(at) != JSON_ARRAY || (size_t)s->index >= json_size(at)) {
            json_free(value);
            return err_set(err, ERR_SCENARIO, "%s: no element [%ld] there", path, s->index);
        }
        json_replace(at, (size_t)s->index, value);
        return 0;
    }
    if (json_type(at) != JSON_OBJECT) {
        json_free(value);
        return err_set(err, ERR_SCENARIO, "%s: \"%s\" would be put into %s, not an object", path, s->name,
                       json_type_name(json_type(at)));
    }
    json_set(at, s->name, value);
    return 0;
}

int edit_set(struct json *tree, const char *path, struct json *value, struct err *err)
{
    const char *p;
    struct json *at, *next;
    struct step s;
    int rc = path_root(tree, path, &p, &at, err);

    if (rc != 0 || !next_step(&p, &s)) {
        json_free(value);
        return rc != 0 ? rc : err_set(err, ERR_USAGE, "\"%s\": the path names no value", path);
    }
    while (*p != '\0') {
        struct step ahead;

        next = walk_step(at, &s);
        if (next == NULL && s.index < 0 && json_type(at) == JSON_OBJECT && *p == '.')
            next = json_set_object(at, s.name);
        if (next == NULL || !next_step(&p, &ahead)) {
            json_free(value);
            return err_set(err, ERR_SCENARIO, "%s: no such place in the scenario", path);
        }
        /* A law or quantity standing where members are set makes room for them. */
        if (ahead.index < 0 && json_type(next) != JSON_OBJECT)
            next = s.index < 0 ? json_set_object(at, s.name) : next;
        at = next;
        s = ahead;
    }
    return place(at, &s, path, value, err);
}

int edit_set_text(struct json *tree, const char *assignment, struct err *err)
{
    const char *eq = strchr(assignment, '=');
    struct json *value;
    struct err not_json = {0};
    char *path;
    int rc;

    if (eq == NULL || eq == assignment)
        return err_set(err, ERR_USAGE, "--set %s: write PATH=VALUE, as in prep.workers=4", assignment);
    path = xstrdup(assignment);
    path[eq - assignment] = '\0';
    if (json_parse(eq + 1, "--set", &value, &not_json) != 0)
        value = json_new_string(eq + 1); /* 200us, lz4: text needs no quotes here */
    rc = edit_set(tree, path, value, err);
    free(path);
    return rc;
}

const struct json *edit_get(const struct json *tree, const char *path)
{
    const char *p;
    struct json *at;
    struct step s;
    struct err ignored = {0};
    struct json *writable = (struct json *)(size_t)tree; /* only walked */

    if (path_root(writable, path, &p, &at, &ignored) != 0)
        return NULL;
    while (at != NULL && *p != '\0') {
        if (!next_step(&p, &s))
            return NULL;
        at = walk_step(at, &s);
    }
    return at;
}

/* ----------------------------------------------------- optimizations */

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

/*
 * The stages an optimization changes, when its author did not say: those whose parameters it sets, those on a
 * resource it changes, and all when it changes something that belongs to none of them.
 */
static void touched_stages(const struct json *tree, const struct json *edits, struct arena *a,
                           struct optimization *o)
{
    const struct json *stages = json_get(tree, "stages");

    o->touches = arena_array(a, json_size(edits) + json_size(stages) + 1, sizeof *o->touches);
    JSON_EACH (e, edits) {
        const char *path = strncmp(json_key(e), "stages.", 7) == 0 ? json_key(e) + 7 : json_key(e);
        const char *resource = strncmp(path, "resources.", 10) == 0 ? path + 10 : NULL;
        char *name = arena_strdup(a, resource != NULL ? resource : path);

        name[strcspn(name, ".[")] = '\0';
        if (resource == NULL && (stages == NULL || !is_top(name)))
            touch(o, name);
        JSON_EACH (st, is_top(name) || resource != NULL ? stages : NULL)
            if (json_get_string(st, "name", NULL) != NULL && (resource == NULL || runs_on(st, name)))
                touch(o, json_get_string(st, "name", NULL));
    }
}

static int check_touches(const struct json *tree, const char *where, const struct optimization *o,
                         struct err *err)
{
    const struct json *stages = json_get(tree, "stages");

    for (int i = 0; stages != NULL && i < o->touches_n; i++) {
        bool found = false;

        JSON_EACH (st, stages)
            found = found || strcmp(json_get_string(st, "name", ""), o->touches[i]) == 0;
        if (!found)
            return no_such_name(stages, where, "stage", o->touches[i], err);
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

/* stages.NAME.params.KEY and NAME.KEY are one place. */
static bool same_path(const char *x, const char *y)
{
    const char *const paths[] = {x, y};
    char plain[2][256];

    for (int i = 0; i < 2; i++) {
        const char *p = strncmp(paths[i], "stages.", 7) == 0 ? paths[i] + 7 : paths[i];
        const char *rest = strchr(p, '.');

        if (p != paths[i] && rest != NULL && strncmp(rest, ".params.", 8) == 0)
            snprintf(plain[i], sizeof plain[i], "%.*s%s", (int)(rest - p), p, rest + 7);
        else
            snprintf(plain[i], sizeof plain[i], "%s", paths[i]);
    }
    return strcmp(plain[0], plain[1]) == 0;
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
            if (same_path(json_key(x), json_key(y)) && !same_value(x, y))
                return false;
    return true;
}
