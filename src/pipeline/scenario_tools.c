#include "pipeline/scenario_read.h"

#include "base/text.h"

#include <string.h>

int bad(const struct reader *r, const char *where, const char *what)
{
    return err_set(r->err, ERR_SCENARIO, "%s: %s: %s", r->s->file, where, what);
}

/* Unknown keys are errors that suggest the nearest known one. */
int check_keys(const struct reader *r, const struct json *obj, const char *where, const char *const *keys)
{
    size_t n = 0;

    while (keys[n] != NULL)
        n++;
    if (json_type(obj) != JSON_OBJECT)
        return err_set(r->err, ERR_SCENARIO, "%s: %s: %s found; an object is needed", r->s->file, where,
                       json_type_name(json_type(obj)));
    JSON_EACH (c, obj) {
        const char *near;
        size_t i = 0;

        while (i < n && strcmp(keys[i], json_key(c)) != 0)
            i++;
        if (i < n)
            continue;
        near = text_nearest(json_key(c), keys, n);
        if (near != NULL)
            return err_set(r->err, ERR_SCENARIO, "%s: %s: unknown key \"%s\"; did you mean \"%s\"?",
                           r->s->file, where, json_key(c), near);
        return err_set(r->err, ERR_SCENARIO, "%s: %s: unknown key \"%s\"; known keys: %s, %s, %s ...",
                       r->s->file, where, json_key(c), keys[0], keys[1], n > 2 ? keys[2] : "");
    }
    return 0;
}

/* A parameter table's errors name the JSON path; this puts the file in front. */
int load_params(const struct reader *r, const struct param *table, const struct json *obj, const char *where,
                void *cfg)
{
    if (param_load(table, obj, where, r->s->arena, cfg, r->err) != 0)
        return err_at(r->err, "%s", r->s->file);
    return 0;
}

void warn(struct scenario *s, const char *path, const char *text)
{
    struct warning *grown = arena_array(s->arena, (size_t)s->warnings_n + 1, sizeof *grown);

    if (s->warnings_n > 0)
        memcpy(grown, s->warnings, (size_t)s->warnings_n * sizeof *grown);
    grown[s->warnings_n++] = (struct warning){path, text};
    s->warnings = grown;
}

void append_name(struct scenario *s, const char ***list, int *n, const char *name)
{
    const char **grown;

    for (int i = 0; i < *n; i++)
        if (strcmp((*list)[i], name) == 0)
            return;
    grown = arena_array(s->arena, (size_t)*n + 1, sizeof *grown);
    if (*n > 0)
        memcpy(grown, *list, (size_t)*n * sizeof *grown);
    grown[(*n)++] = arena_strdup(s->arena, name);
    *list = grown;
}

int read_quantity(struct reader *r, const struct json *v, enum unit unit, double min, double max,
                  const char *where, double *out)
{
    if (param_read_real(v, unit, min, max, where, out, r->err) != 0)
        return err_at(r->err, "%s", r->s->file);
    return 0;
}

int read_law(struct reader *r, const struct json *v, enum unit unit, const char *where, struct law *out)
{
    if (law_read(v, unit, where, r->s->arena, out, r->err) != 0)
        return err_at(r->err, "%s", r->s->file);
    return 0;
}
