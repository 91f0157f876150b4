#include "study/details.h"

#include "base/json.h"
#include "engine/replicate.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody knows the range of what was assumed, so each value is moved by the same share. */
enum { MOST_CALIBRATED = 12 };
static const double assumed_by[2] = {0.75, 1.25};

struct row {
    const char *path;
    bool is_calibrated; /* raised by one standard error: `gain[1]` alone */
    bool known[2];
    struct estimate gain[2]; /* of the objective, over the base */
};

struct sweep {
    const struct study *st;
    const double *base;
    struct row *rows;
};

/* ------------------------------------------------------- moving a value */

static struct json *scaled(const struct json *v, double by);

/* "50us" times `by`: the number in front is moved, the unit stays.  NULL: no number there. */
static struct json *scaled_text(const char *s, double by)
{
    char *end, buf[80];
    double value = strtod(s, &end);

    if (end == s || !isfinite(value) || strlen(end) > 20)
        return NULL;
    snprintf(buf, sizeof buf, "%.12g%s", by * value, end);
    return json_new_string(buf);
}

/* A whole number stays one, and moves by one at least. */
static struct json *scaled_number(double x, double by)
{
    double y = by * x;

    if (x == floor(x) && fabs(x) >= 1)
        y = round(y) != x ? round(y) : x + (by > 1 ? 1 : -1);
    return json_new_number(y);
}

/* Of a table of [size, time] pairs the times move, of a law its place and not its shape. */
static struct json *scaled_list(const struct json *v, double by)
{
    struct json *list = json_new_array();
    size_t i = 0, n = json_size(v);
    bool is_pair =
        n == 2 && json_type(json_at(v, 0)) == JSON_NUMBER && json_type(json_at(v, 1)) != JSON_ARRAY;

    JSON_EACH (c, v) {
        struct json *moved = is_pair && i == 0 ? NULL : scaled(c, by);

        json_push(list, moved != NULL ? moved : json_copy(c));
        i++;
    }
    return list;
}

static struct json *scaled_object(const struct json *v, double by)
{
    static const char *const shapes[] = {"cv", "alpha", "shape", "share", "name", NULL};
    struct json *o = json_new_object();

    JSON_EACH (c, v) {
        struct json *moved = scaled(c, by);

        for (int i = 0; shapes[i] != NULL; i++)
            if (strcmp(json_key(c), shapes[i]) == 0) {
                json_free(moved);
                moved = NULL;
            }
        json_set(o, json_key(c), moved != NULL ? moved : json_copy(c));
    }
    return o;
}

/* NULL: nothing in it can be moved. */
static struct json *scaled(const struct json *v, double by)
{
    switch (json_type(v)) {
    case JSON_NUMBER:
        return scaled_number(json_number(v), by);
    case JSON_STRING:
        return scaled_text(json_string(v), by);
    case JSON_ARRAY:
        return scaled_list(v, by);
    case JSON_OBJECT:
        return scaled_object(v, by);
    default:
        return NULL;
    }
}

/* What the file leaves to a default: "stages.NAME.params.KEY" in the table of the stage's model. */
static struct json *default_of(const struct scenario *s, const char *path)
{
    char name[128];
    const char *dot = strncmp(path, "stages.", 7) == 0 ? strstr(path + 7, ".params.") : NULL;
    const struct stage *st;
    const struct param *p;

    if (dot == NULL || (size_t)(dot - path - 7) >= sizeof name)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)(dot - path - 7), path + 7);
    st = scenario_stage(s, name);
    p = st != NULL ? param_find(st->model->params, dot + 8) : NULL;
    return p != NULL && p->def != NULL ? json_new_string(p->def) : NULL;
}

static int build_moved(const struct study *st, const struct row *r, double by, struct scenario **out,
                       struct err *err)
{
    struct scenario_options so = {.resolver = st->resolver};
    struct scenario *base = NULL;
    const struct json *found = edit_get(st->tree, r->path);
    struct json *tree, *value = found != NULL ? scaled(found, by) : NULL, *def = NULL;
    int rc = found == NULL ? variant_build(st, 0, NULL, 0, &base, err) : 0;

    if (rc == 0 && found == NULL)
        def = default_of(base, r->path);
    if (def != NULL)
        value = scaled(def, by);
    json_free(def);
    scenario_free(base);
    if (rc == 0 && value == NULL)
        return err_set(err, ERR_SCENARIO, "%s: nothing there that can be moved", r->path);
    tree = json_copy(st->tree);
    if (rc == 0)
        rc = edit_set(tree, r->path, value, err);
    if (rc == 0)
        rc = scenario_build(tree, st->file, &so, out, err);
    json_free(tree);
    return rc;
}

static int build_bumped(const struct study *st, const char *name, struct scenario **out, struct err *err)
{
    struct scenario_options so = {.resolver = st->resolver, .bump = name};

    return scenario_build(st->tree, st->file, &so, out, err);
}

/* A value that the scenario refuses (a chance above 1) leaves its side of the row unknown. */
static int simulate_side(void *ctx, uint32_t i, struct err *err)
{
    struct sweep *w = ctx;
    struct row *r = &w->rows[i / 2];
    int side = (int)(i % 2), rc;
    struct scenario *s = NULL;
    struct arena *a = arena_new();
    struct err refused = {0};
    struct outcome o;

    (void)err;
    if (r->is_calibrated)
        rc = side == 0 ? ERR_SCENARIO : build_bumped(w->st, r->path, &s, &refused);
    else
        rc = build_moved(w->st, r, assumed_by[side], &s, &refused);
    if (rc == 0)
        rc = variant_simulate(w->st, s, 1, a, &o, &refused);
    if (rc == 0) {
        r->gain[side] = estimate_ratio(o.objective_rep, w->base, (size_t)o.replications, w->st->confidence);
        r->known[side] = isfinite(r->gain[side].mean);
    }
    scenario_free(s);
    arena_free(a);
    return 0;
}

/* ----------------------------------------------------------------- whole */

static double swing(const struct row *r)
{
    double lo = r->known[0] ? r->gain[0].mean : 1, hi = r->known[1] ? r->gain[1].mean : 1;

    return fmax(fabs(lo - 1), fabs(hi - 1));
}

static int by_swing(const void *x, const void *y)
{
    double a = swing(x), b = swing(y);

    return a != b ? (a < b) - (a > b) : strcmp(((const struct row *)x)->path, ((const struct row *)y)->path);
}

static void row_json(const struct row *r, struct json *list)
{
    static const char *const sides[2] = {"lower", "higher"};
    struct json *v = json_push(list, json_new_object());

    json_set_string(v, "path", r->path);
    json_set_string(v, "kind", r->is_calibrated ? "calibrated" : "assumed");
    for (int side = 0; side < 2; side++)
        json_set(v, sides[side], r->known[side] ? estimate_json(&r->gain[side]) : json_new_null());
}

int sensitivity_json(const struct study *st, const struct scenario *base, const struct outcome *o,
                     struct json *doc, struct err *err)
{
    struct json *member = json_set_object(doc, "sensitivity"), *list;
    struct sweep w = {.st = st, .base = o->objective_rep};
    int calibrated = base->uncertain_n < MOST_CALIBRATED ? base->uncertain_n : MOST_CALIBRATED;
    int n = base->assumed_n + calibrated, rc;

    json_set_string(member, "of",
                    scenario_has_latency(base) && base->workload.kind != WORKLOAD_CLIENTS ? "1 / mean latency"
                                                                                          : "throughput");
    json_set_number(member, "assumed_by_frac", assumed_by[1] - 1);
    json_set_number(member, "calibrated_left_out", base->uncertain_n - calibrated);
    list = json_set_array(member, "rows");
    w.rows = xcalloc((size_t)n + 1, sizeof *w.rows);
    for (int i = 0; i < n; i++)
        w.rows[i] = (struct row){.path = i < base->assumed_n ? base->assumed[i]
                                                             : base->uncertain[i - base->assumed_n],
                                 .is_calibrated = i >= base->assumed_n};
    rc = replicate_run(0, 2 * (uint32_t)n, st->threads, simulate_side, &w, err);
    qsort(w.rows, (size_t)n, sizeof *w.rows, by_swing);
    for (int i = 0; rc == 0 && i < n; i++)
        row_json(&w.rows[i], list);
    free(w.rows);
    return rc;
}
