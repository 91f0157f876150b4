/*
 * rules_declare.c - what was found becomes optimizations of the scenario, or a document.
 *
 * Two that are legal alone may not be together: a new order moves a random operator in front of a cache.
 * Pairs that do not build exclude each other.
 */
#include "study/rules/rules_parts.h"

#include "pipeline/edit.h"

#include <stdlib.h>
#include <string.h>

static struct json *names_json(const char *const *names, int n)
{
    struct json *list = json_new_array();

    for (int i = 0; i < n; i++)
        json_push(list, json_new_string(names[i]));
    return list;
}

static bool same_edits(const struct json *x, const struct json *y)
{
    char *a = json_compact(x), *b = json_compact(y);
    bool same = strcmp(a, b) == 0;

    free(a);
    free(b);
    return same;
}

static bool is_declared(const struct json *list, const struct rewrite *r)
{
    JSON_EACH (o, list)
        if (strcmp(json_get_string(o, "name", ""), r->name) == 0 ||
            (json_get(o, "set") != NULL && same_edits(json_get(o, "set"), r->set)))
            return true;
    return false;
}

static void declare(struct json *list, const struct rewrite *r)
{
    struct json *o = json_push(list, json_new_object());

    json_set_string(o, "name", r->name);
    json_set_string(o, "about", r->about);
    json_set(o, "touches", names_json(r->touches, r->touches_n));
    json_set(o, "set", json_copy(r->set));
}

static bool build_together(const struct json *tree, const char *file, const struct resolver *resolver,
                           const struct optimization *a, const struct optimization *b)
{
    struct scenario_options opt = {.resolver = resolver};
    struct json *both = json_copy(tree);
    struct scenario *s = NULL;
    struct err unused = {0};
    int rc = optimization_apply(both, a, &unused);

    if (rc == 0)
        rc = optimization_apply(both, b, &unused);
    if (rc == 0)
        rc = scenario_build(both, file, &opt, &s, &unused);
    scenario_free(s);
    json_free(both);
    return rc == 0;
}

/* Pairs with one of those from `first` on. */
static int exclude_what_does_not_build(struct json *tree, const char *file, const struct resolver *resolver,
                                       int first, struct err *err)
{
    struct json *list = json_get_mutable(tree, "optimizations");
    struct arena *a = arena_new();
    struct optimization *all;
    int n, rc = optimizations_read(tree, file, a, &all, &n, err);

    for (int i = first; rc == 0 && i < n; i++) {
        struct json *excludes = json_new_array();

        for (int k = 0; k < i; k++)
            if (optimizations_compatible(&all[i], &all[k]) &&
                !build_together(tree, file, resolver, &all[i], &all[k]))
                json_push(excludes, json_new_string(all[k].name));
        json_set(json_at_mutable(list, (size_t)i), "excludes", excludes);
    }
    arena_free(a);
    return rc;
}

int rules_declare(struct json *tree, const char *file, const struct resolver *resolver,
                  const struct rules_found *r, struct err *err)
{
    struct json *list = json_get_mutable(tree, "optimizations");
    int declared;

    if (list == NULL)
        list = json_set_array(tree, "optimizations");
    if (json_type(list) != JSON_ARRAY)
        return err_set(err, ERR_SCENARIO, "%s: $.optimizations: %s found; a list is needed", file,
                       json_type_name(json_type(list)));
    declared = (int)json_size(list);
    for (int i = 0; i < r->legal; i++)
        if (!is_declared(list, &r->list[i]))
            declare(list, &r->list[i]);
    return exclude_what_does_not_build(tree, file, resolver, declared, err);
}

struct json *rules_json(const struct rules_found *r)
{
    struct json *list = json_new_array();

    for (int i = 0; i < r->n; i++) {
        const struct rewrite *x = &r->list[i];
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "rule", x->rule);
        json_set_string(o, "name", x->name);
        json_set_string(o, "on", x->on);
        json_set_bool(o, "legal", x->legal);
        json_set_bool(o, "lossy", x->lossy);
        json_set_string(o, "about", x->about);
        json_set_string(o, "why", x->why);
        json_set(o, "touches", names_json(x->touches, x->touches_n));
        if (x->set != NULL)
            json_set(o, "set", json_copy(x->set));
    }
    return list;
}
