#include "pipeline/edit.h"

#include "base/text.h"
#include "pipeline/scenario.h"

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

const struct json *tree_stage_next(const struct json *tree, struct stage_walk *w)
{
    while (w->stage == NULL || (w->stage = json_next(w->stage)) == NULL) {
        const struct json *lists = json_get(tree, "pipelines"), *list;

        if (w->list < 0)
            list = json_get(tree, "stages");
        else if (lists != NULL && json_type(lists) == JSON_ARRAY && (size_t)w->list < json_size(lists))
            list = json_get(json_at(lists, (size_t)w->list), "stages");
        else
            return NULL;
        w->list++;
        w->stage = list != NULL && json_type(list) == JSON_ARRAY ? json_first(list) : NULL;
        if (w->stage != NULL)
            break;
    }
    return w->stage;
}

/* The stage of that name, among those of the tree or of its pipelines. */
static struct json *stage_member(struct json *tree, const char *name)
{
    struct json *lists = json_get_mutable(tree, "pipelines");
    struct json *found = named_member(json_get_mutable(tree, "stages"), name);

    for (size_t i = 0;
         found == NULL && lists != NULL && json_type(lists) == JSON_ARRAY && i < json_size(lists); i++) {
        struct json *p = json_at_mutable(lists, i);

        if (json_type(p) == JSON_OBJECT)
            found = named_member(json_get_mutable(p, "stages"), name);
    }
    return found;
}

static int suggest_name(const char *path, const char *what, const char *name, const char *const *names,
                        size_t n, struct err *err)
{
    const char *near = text_nearest(name, names, n);

    if (near != NULL)
        return err_set(err, ERR_SCENARIO, "%s: no %s \"%s\"; did you mean \"%s\"?", path, what, name, near);
    return err_set(err, ERR_SCENARIO, "%s: no %s \"%s\"", path, what, name);
}

enum { NAMES_SHOWN = 64 };

/* `list`: resources, by key; or pipelines, by name. */
static int no_such_name(const struct json *list, const char *path, const char *what, const char *name,
                        struct err *err)
{
    const char *names[NAMES_SHOWN];
    size_t n = 0;

    JSON_EACH (c, list)
        if (n < NAMES_SHOWN && json_get_string(c, "name", json_key(c)) != NULL)
            names[n++] = json_get_string(c, "name", json_key(c));
    return suggest_name(path, what, name, names, n, err);
}

int no_such_stage(const struct json *tree, const char *path, const char *name, struct err *err)
{
    const char *names[NAMES_SHOWN];
    struct stage_walk w = STAGE_WALK;
    const struct json *st;
    size_t n = 0;

    while (n < NAMES_SHOWN && (st = tree_stage_next(tree, &w)) != NULL)
        if (json_get_string(st, "name", NULL) != NULL)
            names[n++] = json_get_string(st, "name", NULL);
    return suggest_name(path, "stage", name, names, n, err);
}

/* What a path may start with beside a stage; nothing of it belongs to one stage. */
static const char *const tops[] = {"resources", "workload", "horizon",   "seed", "edges", "unit",
                                   "exec",      "knobs",    "objective", "name", "slo", "constraints"};

bool edit_is_top(const char *name)
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
    struct json *stage;
    const char *behind;
    struct step s;

    *p = path;
    if (!next_step(p, &s) || s.index >= 0)
        return err_set(err, ERR_USAGE,
                       "\"%s\": not a path; write stages.NAME.params.KEY, resources.NAME.KEY or STAGE.KEY",
                       path);
    *out = tree;
    if (edit_is_top(s.name)) {
        behind = *p;
        *p = path;
        return strcmp(s.name, "resources") == 0 ? check_resource(tree, path, behind, err) : 0;
    }
    if (strcmp(s.name, "stages") == 0) {
        if (!next_step(p, &s) || s.index >= 0)
            return err_set(err, ERR_USAGE, "\"%s\": name a stage, as in stages.prep.params.workers", path);
        *out = stage_member(tree, s.name);
        return *out != NULL ? 0 : no_such_stage(tree, path, s.name, err);
    }
    if (strcmp(s.name, "pipelines") == 0) {
        if (!next_step(p, &s) || s.index >= 0)
            return err_set(err, ERR_USAGE, "\"%s\": name a pipeline, as in pipelines.night.horizon", path);
        *out = named_member(json_get_mutable(tree, "pipelines"), s.name);
        return *out != NULL ? 0 : no_such_name(json_get(tree, "pipelines"), path, "pipeline", s.name, err);
    }
    stage = stage_member(tree, s.name);
    if (stage == NULL)
        return no_such_stage(tree, path, s.name, err);
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

int edit_check(const struct json *tree, const char *path, struct err *err)
{
    const char *p;
    struct json *at;
    struct step s;
    struct json *writable = (struct json *)(size_t)tree; /* only walked */

    TRY(path_root(writable, path, &p, &at, err));
    return next_step(&p, &s) ? 0 : err_set(err, ERR_USAGE, "\"%s\": the path names no value", path);
}

/* ------------------------------------------------- what a path stands for */

/* "stages.NAME.params.KEY.." as "NAME.KEY..", anything else as it is. */
static void plain_path(const char *path, char *out, size_t size)
{
    const char *p = strncmp(path, "stages.", 7) == 0 ? path + 7 : path;
    const char *rest = strchr(p, '.');

    if (p != path && rest != NULL && strncmp(rest, ".params.", 8) == 0)
        snprintf(out, size, "%.*s%s", (int)(rest - p), p, rest + 7);
    else
        snprintf(out, size, "%s", path);
}

bool edit_same_path(const char *x, const char *y)
{
    char a[256], b[256];

    plain_path(x, a, sizeof a);
    plain_path(y, b, sizeof b);
    return strcmp(a, b) == 0;
}

static int find_row(const char *path, const char *key, const struct param *table, const char *of,
                    const struct param **out, struct err *err)
{
    const char *names[NAMES_SHOWN];
    struct text t = {0};
    size_t n = 0;

    *out = param_find(table, key);
    if (*out != NULL)
        return 0;
    for (; table[n].type != PARAM_END && n < NAMES_SHOWN; n++)
        names[n] = table[n].name;
    text_add_suggestion(&t, key, names, n);
    err_set(err, ERR_SCENARIO, "%s: no parameter \"%s\" of %s; %s", path, key, of, t.s);
    text_free(&t);
    return ERR_SCENARIO;
}

int edit_param(const struct json *tree, const char *path, const struct param **out, struct err *err)
{
    char plain[256];
    const char *p = plain;
    const struct model *m;
    struct step root, key;
    struct stage_walk w = STAGE_WALK;
    const struct json *st;

    *out = NULL;
    plain_path(path, plain, sizeof plain);
    if (!next_step(&p, &root) || root.index >= 0)
        return 0;
    if (strcmp(root.name, "resources") == 0)
        return next_step(&p, &root) && next_step(&p, &key) && *p == '\0'
                   ? find_row(path, key.name, resource_params, "a resource", out, err)
                   : 0;
    while ((st = tree_stage_next(tree, &w)) != NULL && strcmp(json_get_string(st, "name", ""), root.name) != 0)
        ;
    m = st != NULL ? model_find(json_get_string(st, "model", "")) : NULL;
    if (m == NULL || !next_step(&p, &key) || *p != '\0')
        return 0;
    return find_row(path, key.name, m->params, m->name, out, err);
}
