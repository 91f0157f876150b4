#include "pipeline/scenario_read.h"

#include <string.h>

/*
 * Laws that stand in a recording: {"empirical": "trace:TRACE/OP"} becomes {"empirical": [seconds ...]} before
 * anything reads it, so that whoever reads laws need not know where recordings are kept.
 */

static int put_values(struct reader *r, struct json *law, const char *ref, const char *where)
{
    const struct resolver *resolver = r->opt != NULL ? r->opt->resolver : NULL;
    struct json *list;
    double *values;
    size_t n;

    if (resolver == NULL || resolver->values == NULL)
        return 0; /* law_read() says that it must be resolved first */
    if (resolver->values(resolver->ctx, ref, r->s->arena, &values, &n, r->err) != 0)
        return err_at(r->err, "%s: %s.empirical", r->s->file, where);
    list = json_set_array(law, "empirical");
    for (size_t i = 0; i < n; i++)
        json_push(list, json_new_number(values[i]));
    return 0;
}

static int walk(struct reader *r, struct json *v, const char *where);

static int walk_array(struct reader *r, struct json *v, const char *where)
{
    for (size_t i = 0; i < json_size(v); i++)
        TRY(walk(r, json_at_mutable(v, i), arena_printf(r->s->arena, "%s[%zu]", where, i)));
    return 0;
}

static int walk(struct reader *r, struct json *v, const char *where)
{
    const char *ref;

    if (json_type(v) == JSON_ARRAY && json_size(v) > 0 &&
        json_type(json_first(v)) == JSON_OBJECT) /* not long lists of numbers */
        return walk_array(r, v, where);
    if (json_type(v) != JSON_OBJECT)
        return 0;
    ref = json_get_string(v, "empirical", "");
    if (strncmp(ref, "trace:", 6) == 0)
        return put_values(r, v, ref, where);
    JSON_EACH (c, v)
        if (json_type(c) == JSON_ARRAY || json_type(c) == JSON_OBJECT)
            TRY(walk(r, json_get_mutable(v, json_key(c)),
                     arena_printf(r->s->arena, "%s.%s", where, json_key(c))));
    return 0;
}

int resolve_values(struct reader *r)
{
    return walk(r, r->s->tree, "$");
}
