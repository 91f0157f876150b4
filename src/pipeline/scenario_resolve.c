#include "pipeline/scenario_read.h"

#include "pipeline/edit.h"

#include <math.h>
#include <string.h>

/* Fixed, per-item and per-byte cost of one operator are one uncertain thing: ...costs.hash. */
static const char *uncertain_name(const struct reader *r, const char *path)
{
    char *name = arena_strdup(r->s->arena, path), *dot = strrchr(name, '.');

    if (dot != NULL && strstr(name, ".costs.") != NULL)
        *dot = '\0';
    return name;
}

static double normal_of(const struct reader *r, const char *factor)
{
    struct rng rng;

    rng_keyed(&rng, r->s->seed, r->opt->parameter_draw, rng_hash("calibration"), rng_hash(factor), 0);
    return rng_normal(&rng);
}

/*
 * The k-th draw of a parameter: lognormal around the estimate, so that a cost stays positive.  The terms of
 * one operator's cost share their z: fits know their sum better than each of them.
 */
static double drawn_value(const struct reader *r, const struct param_row *row)
{
    const char *name;
    double z = 0;

    if (!(row->stderr_ > 0) || row->value <= 0)
        return row->value;
    name = uncertain_name(r, row->path);
    append_name(r->s, &r->s->uncertain, &r->s->uncertain_n, name);
    if (r->opt->parameter_draw > 0 && row->loads_n == 0)
        z = normal_of(r, name);
    for (int j = 0; r->opt->parameter_draw > 0 && j < row->loads_n; j++)
        z += row->load[j] != 0 ? row->load[j] * normal_of(r, row->factor[j]) : 0;
    if (r->opt->bump != NULL && strcmp(r->opt->bump, name) == 0)
        z += 1;
    return row->value * exp(z * fmin(row->stderr_ / row->value, 1));
}

static void note_validity(const struct reader *r, const struct param_row *row, const char *owner,
                          const char *calibration)
{
    struct scenario *s = r->s;

    if (row->valid_of == NULL || row->valid_of[0] == '\0' || !isfinite(row->valid_from) ||
        !isfinite(row->valid_to))
        return;
    if ((s->validity_n & (s->validity_n - 1)) == 0) {
        struct validity *more =
            arena_array(s->arena, s->validity_n == 0 ? 1 : 2 * (size_t)s->validity_n, sizeof *more);

        if (s->validity_n > 0)
            memcpy(more, s->validity, (size_t)s->validity_n * sizeof *more);
        s->validity = more;
    }
    s->validity[s->validity_n++] = (struct validity){.owner = owner,
                                                     .path = row->path,
                                                     .of = row->valid_of,
                                                     .from = row->valid_from,
                                                     .to = row->valid_to,
                                                     .calibration = calibration};
}

static int set_row(const struct reader *r, const struct param_row *row, const char *path)
{
    struct json *value;

    if (row->json == NULL)
        return edit_set(r->s->tree, path, json_new_number(drawn_value(r, row)), r->err);
    TRY(json_parse(row->json, row->path, &value, r->err));
    return edit_set(r->s->tree, path, value, r->err);
}

/* Applies the rows that speak of `owner` ("stages.prep" or "models.preprocess") to `target`; counts them. */
static int apply_rows(const struct reader *r, const struct param_row *rows, size_t n, const char *owner,
                      const char *target, const char *calibration, int *applied)
{
    size_t len = strlen(owner);

    for (size_t i = 0; i < n; i++) {
        const char *path;

        if (strncmp(rows[i].path, owner, len) != 0 || rows[i].path[len] != '.')
            continue;
        path = arena_printf(r->s->arena, "%s%s", target, rows[i].path + len);
        if (set_row(r, &rows[i], path) != 0)
            return err_at(r->err, "%s: calibrated parameter", r->s->file);
        note_validity(r, &rows[i], target, calibration);
        ++*applied;
    }
    return 0;
}

typedef int lookup_fn(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                      struct err *err);

/* `found` is the number of rows the reference provided; 0 when there is none of that name. */
static int apply_reference(const struct reader *r, lookup_fn *lookup, const char *name, const char *target,
                           const char *kind, int *applied)
{
    struct param_row *rows = NULL;
    size_t n = 0;

    *applied = 0;
    if (lookup == NULL)
        return 0;
    TRY(lookup(r->opt->resolver->ctx, name, r->s->arena, &rows, &n, r->err));
    TRY(apply_rows(r, rows, n, target, target, name, applied));
    if (kind != NULL)
        TRY(apply_rows(r, rows, n, kind, target, name, applied));
    return 0;
}

/* Every place is listed as assumed; one warning for all places that wanted the same calibration is enough. */
static void warn_missing(const struct reader *r, const char *where, const char *name, bool has_preset)
{
    const char *text =
        arena_printf(r->s->arena,
                     "calibration \"%s\" is not in the store; %s used. To measure this machine: "
                     "foresight exec --profile SCENARIO, foresight exec SCENARIO, foresight fit SCENARIO",
                     name, has_preset ? "the preset is" : "defaults are");

    append_name(r->s, &r->s->assumed, &r->s->assumed_n, where);
    for (int i = 0; i < r->s->warnings_n; i++)
        if (strcmp(r->s->warnings[i].text, text) == 0)
            return;
    warn(r->s, where, text);
}

static int no_preset(const struct reader *r, const char *where, const char *name)
{
    const struct resolver *res = r->opt->resolver;
    const char *near = res->nearest_preset != NULL ? res->nearest_preset(res->ctx, name, r->s->arena) : NULL;

    if (near != NULL && strcmp(near, name) != 0)
        return bad(r, where,
                   arena_printf(r->s->arena,
                                "no preset \"%s\"; did you mean \"%s\"? They lie in models/presets", name,
                                near));
    return bad(r, where,
               arena_printf(r->s->arena, "no preset \"%s\" in models/presets says anything about it", name));
}

/* Resolves "preset" first and "calibration" over it, for one stage or resource or the workload. */
int resolve_references(const struct reader *r, const struct json *obj, const char *where, const char *target,
                       const char *kind)
{
    const struct resolver *res = r->opt != NULL ? r->opt->resolver : NULL;
    const char *preset = json_get_string(obj, "preset", NULL),
               *cal = json_get_string(obj, "calibration", NULL);
    int from_preset = 0, from_cal = 0;

    if (preset != NULL) {
        TRY(apply_reference(r, res ? res->preset : NULL, preset, target, kind, &from_preset));
        if (from_preset == 0 && res != NULL)
            return no_preset(r, where, preset);
    }
    if (cal != NULL)
        TRY(apply_reference(r, res ? res->calibration : NULL, cal, target, kind, &from_cal));
    if (from_cal > 0)
        append_name(r->s, &r->s->calibrations, &r->s->calibrations_n, cal);
    else if (from_preset > 0)
        append_name(r->s, &r->s->calibrations, &r->s->calibrations_n,
                    arena_printf(r->s->arena, "preset:%s", preset));
    if (cal != NULL && from_cal == 0)
        warn_missing(r, where, cal, from_preset > 0);
    return 0;
}
