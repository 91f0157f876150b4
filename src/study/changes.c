#include "study/changes.h"

#include <math.h>
#include <string.h>

struct list {
    struct arena *a;
    struct change *at;
    size_t n, room;
};

static void add(struct list *l, const char *path, const struct json *before, const struct json *after)
{
    if (l->n == l->room) {
        struct change *grown = arena_array(l->a, 2 * l->room + 16, sizeof *grown);

        if (l->n > 0)
            memcpy(grown, l->at, l->n * sizeof *grown);
        l->at = grown;
        l->room = 2 * l->room + 16;
    }
    l->at[l->n++] = (struct change){path, before == NULL ? '+' : after == NULL ? '-' : '~', before, after};
}

/* What a member of an object or list is known by. */
static const char *known_by(const struct json *parent, const struct json *member, size_t i, struct arena *a)
{
    const char *name = json_type(parent) == JSON_OBJECT   ? json_key(member)
                       : json_type(member) == JSON_OBJECT ? json_get_string(member, "name", NULL)
                                                          : NULL;

    return name != NULL ? name : arena_printf(a, "[%zu]", i);
}

static const struct json *counterpart(const struct json *parent, const char *name, struct arena *a)
{
    size_t i = 0;

    if (parent == NULL)
        return NULL;
    JSON_EACH (m, parent)
        if (strcmp(known_by(parent, m, i++, a), name) == 0)
            return m;
    return NULL;
}

static bool is_compound(const struct json *v)
{
    return json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY;
}

static bool is_same(const struct json *x, const struct json *y)
{
    switch (json_type(x)) {
    case JSON_NUMBER:
        return json_number(x) == json_number(y);
    case JSON_STRING:
        return strcmp(json_string(x), json_string(y)) == 0;
    case JSON_BOOL:
        return json_bool(x) == json_bool(y);
    default:
        return true; /* null, or two compounds that are walked into */
    }
}

static void compare(struct list *l, const char *path, const struct json *before, const struct json *after);

static void compare_members(struct list *l, const char *path, const struct json *before,
                            const struct json *after)
{
    size_t i = 0;

    JSON_EACH (m, before) {
        const char *name = known_by(before, m, i++, l->a);
        bool dotted = name[0] != '[' && path[0] != '\0';

        compare(l, arena_printf(l->a, "%s%s%s", path, dotted ? "." : "", name), m,
                counterpart(after, name, l->a));
    }
    i = 0;
    JSON_EACH (m, after) {
        const char *name = known_by(after, m, i++, l->a);
        bool dotted = name[0] != '[' && path[0] != '\0';

        if (counterpart(before, name, l->a) == NULL)
            add(l, arena_printf(l->a, "%s%s%s", path, dotted ? "." : "", name), NULL, m);
    }
}

static void compare(struct list *l, const char *path, const struct json *before, const struct json *after)
{
    if (after == NULL || json_type(before) != json_type(after) || !is_same(before, after))
        add(l, path, before, after);
    else if (is_compound(before))
        compare_members(l, path, before, after);
}

size_t changes_find(const struct json *before, const struct json *after, struct arena *a, struct change **out)
{
    struct list l = {.a = a};

    compare(&l, "", before, after);
    *out = l.at;
    return l.n;
}
