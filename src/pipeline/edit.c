#include "pipeline/edit.h"

#include "base/text.h"

#include <ctype.h>
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

/* Where a path starts: the stage, or the top of the tree. Leaves *p behind what it used. */
static int path_root(struct json *tree, const char *path, const char **p, struct json **out, struct err *err)
{
    static const char *const tops[] = {"resources", "workload", "horizon", "seed",      "edges",
                                       "unit",      "exec",     "knobs",   "objective", "name"};
    struct json *stages = json_get_mutable(tree, "stages"), *stage;
    struct step s;

    *p = path;
    if (!next_step(p, &s) || s.index >= 0)
        return err_set(err, ERR_USAGE,
                       "\"%s\": not a path; write stages.NAME.params.KEY, resources.NAME.KEY or STAGE.KEY",
                       path);
    *out = tree;
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++)
        if (strcmp(s.name, tops[i]) == 0) {
            *p = path;
            return 0;
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

/* The stages whose parameters an optimization sets, when its author did not say what it touches. */
static void touched_stages(const struct json *edits, struct arena *a, struct optimization *o)
{
    o->touches = arena_array(a, json_size(edits) + 1, sizeof *o->touches);
    JSON_EACH (e, edits) {
        const char *path = json_key(e);
        char *name;
        bool seen = false;

        if (strncmp(path, "stages.", 7) == 0)
            path += 7;
        name = arena_strdup(a, path);
        name[strcspn(name, ".[")] = '\0';
        for (int i = 0; i < o->touches_n; i++)
            seen = seen || strcmp(o->touches[i], name) == 0;
        if (!seen)
            o->touches[o->touches_n++] = name;
    }
}

static int read_one(const struct json *v, const char *where, struct arena *a, struct optimization *o,
                    struct err *err)
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
        touched_stages(edits, a, o);
    return 0;
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

        TRY(read_one(v, where, a, &(*out)[*n], err));
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

bool optimizations_compatible(const struct optimization *a, const struct optimization *b)
{
    bool same = true;

    if (excludes(a, b) || excludes(b, a))
        return false;
    JSON_EACH (e, a->edits) {
        const struct json *other = json_get(b->edits, json_key(e));
        char *x, *y;

        if (other == NULL)
            continue;
        x = json_compact(e);
        y = json_compact(other);
        same = same && strcmp(x, y) == 0;
        free(x);
        free(y);
    }
    return same;
}
