#include "pipeline/knob.h"

#include "base/param.h"
#include "base/text.h"
#include "pipeline/edit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EACH_UP_TO = 64, POINTS = 9 };
static const double WIDE = 100; /* hi / lo from which on equal factors say more than equal steps */

const char *const knob_keys[] = {"name",  "path",   "values", "range",  "step",
                                 "scale", "points", "about",  "effort", NULL};

struct knob_reader {
    const struct json *tree, *json;
    const char *where; /* "FILE: $.knobs[2]" */
    struct arena *a;
    const struct param *row;   /* of the first path in the parameter table; NULL: it has none */
    const struct param **rows; /* of each path */
    struct knob *k;
    struct err *err;
};

static int bad_key(const struct knob_reader *r, const char *key, const char *what)
{
    return err_set(r->err, ERR_SCENARIO, "%s.%s: %s", r->where, key, what);
}

static bool is_number_row(const struct param *row)
{
    return row != NULL && (row->type == PARAM_REAL || row->type == PARAM_INT);
}

/* Every path must be able to take it. */
static int check_value(const struct knob_reader *r, const struct json *v, const char *where)
{
    for (int i = 0; i < r->k->paths_n; i++)
        if (r->rows[i] != NULL)
            TRY(param_check(r->rows[i], v, where, r->a, r->err));
    return 0;
}

/* ------------------------------------------------------------- a range */

struct range {
    double lo, hi, step; /* step 0: none given */
    long points;         /* 0: not given */
    bool is_log, has_scale, is_whole;
};

static int read_scale(struct knob_reader *r, struct range *g)
{
    static const char *const scales[] = {"linear", "log"};
    const struct json *v = json_get(r->json, "scale");
    struct text t = {0};

    g->has_scale = v != NULL;
    g->is_log = v != NULL && json_string(v) != NULL && strcmp(json_string(v), "log") == 0;
    if (v == NULL || g->is_log || (json_string(v) != NULL && strcmp(json_string(v), "linear") == 0))
        return 0;
    text_add_suggestion(&t, json_string(v) != NULL ? json_string(v) : "?", scales, 2);
    bad_key(r, "scale", t.s);
    text_free(&t);
    return ERR_SCENARIO;
}

static int read_end(struct knob_reader *r, size_t i, double *out)
{
    const struct json *v = json_at(json_get(r->json, "range"), i);
    const char *where = arena_printf(r->a, "%s.range[%zu]", r->where, i);

    TRY(check_value(r, v, where));
    return param_read_real(v, r->k->unit, -1e18, 1e18, where, out, r->err);
}

static int read_ends(struct knob_reader *r, struct range *g)
{
    const struct json *v = json_get(r->json, "range");

    if (v == NULL) {
        g->lo = r->row->min;
        g->hi = r->row->max;
        return 0;
    }
    if (json_type(v) != JSON_ARRAY || json_size(v) != 2)
        return bad_key(r, "range", "[LOWEST, HIGHEST] is needed");
    if (r->row != NULL && !is_number_row(r->row))
        return bad_key(r, "range", "the parameter is no number; list its \"values\"");
    TRY(read_end(r, 0, &g->lo));
    TRY(read_end(r, 1, &g->hi));
    return g->lo < g->hi ? 0 : bad_key(r, "range", "the first value must be below the second");
}

static int read_grid(struct knob_reader *r, struct range *g)
{
    const struct json *step = json_get(r->json, "step"), *points = json_get(r->json, "points");
    double n = 0;

    TRY(read_scale(r, g));
    if (step != NULL && (points != NULL || g->is_log))
        return bad_key(r, "step", "either a step, or \"points\" and \"scale\"");
    if (step != NULL)
        TRY(param_read_real(step, r->k->unit, 0, 1e18, arena_printf(r->a, "%s.step", r->where), &g->step,
                            r->err));
    if (step != NULL && !(g->step > 0 && (g->hi - g->lo) / g->step < KNOB_VALUES_MAX))
        return bad_key(r, "step", "a positive number is needed that gives at most 1000 values");
    if (points != NULL)
        TRY(param_read_real(points, UNIT_NONE, 2, KNOB_VALUES_MAX, arena_printf(r->a, "%s.points", r->where),
                            &n, r->err));
    g->points = lround(n);
    if (g->is_log && g->lo <= 0)
        return bad_key(r, "scale", "\"log\" needs a range above zero");
    return 0;
}

/* What the scenario leaves open: each whole number of a few, else points, by equal factors where it is wide.
 */
static void complete(struct range *g)
{
    if (g->step == 0 && g->points == 0 && !g->has_scale && g->is_whole && g->hi - g->lo < EACH_UP_TO)
        g->step = 1;
    if (g->step == 0 && !g->has_scale)
        g->is_log = g->lo > 0 && g->hi / g->lo >= WIDE;
    if (g->step == 0 && g->points == 0)
        g->points = POINTS;
}

static double between(double lo, double hi, bool is_log, double share)
{
    return is_log ? lo * pow(hi / lo, share) : lo + (hi - lo) * share;
}

static void fill_numbers(struct knob_reader *r, const struct range *g)
{
    long n = g->step > 0 ? (long)floor((g->hi - g->lo) / g->step * (1 + 1e-12)) + 1 : g->points;
    struct knob *k = r->k;

    k->kind = KNOB_NUMBERS;
    k->is_log = g->is_log;
    k->is_continuous = g->step == 0 && !g->is_whole;
    k->numbers = arena_array(r->a, (size_t)n, sizeof *k->numbers);
    for (long i = 0; i < n; i++) {
        double x = g->step > 0  ? g->lo + (double)i * g->step
                   : i == n - 1 ? g->hi
                                : between(g->lo, g->hi, g->is_log, (double)i / (double)(n - 1));

        x = g->is_whole ? round(x) : x;
        if (k->n == 0 || x > k->numbers[k->n - 1])
            k->numbers[k->n++] = x;
    }
}

static int read_range(struct knob_reader *r)
{
    struct range g = {0};

    for (int i = 0; i < r->k->paths_n; i++)
        g.is_whole = g.is_whole || (r->rows[i] != NULL && r->rows[i]->type == PARAM_INT);
    TRY(read_ends(r, &g));
    TRY(read_grid(r, &g));
    complete(&g);
    fill_numbers(r, &g);
    return 0;
}

/* ------------------------------------------------------------- values */

static int read_values(struct knob_reader *r, const struct json *list)
{
    static const char *const of_ranges[] = {"range", "step", "scale", "points"};
    struct knob *k = r->k;

    for (size_t i = 0; i < 4; i++)
        if (json_get(r->json, of_ranges[i]) != NULL)
            return bad_key(r, of_ranges[i], "stands beside \"values\"; a knob has either");
    if (json_type(list) != JSON_ARRAY || json_size(list) == 0 || json_size(list) > KNOB_VALUES_MAX)
        return bad_key(r, "values", "a list of 1 to 1000 values is needed");
    k->kind = KNOB_GIVEN;
    k->given = arena_array(r->a, json_size(list), sizeof *k->given);
    JSON_EACH (v, list) {
        TRY(check_value(r, v, arena_printf(r->a, "%s.values[%d]", r->where, k->n)));
        k->given[k->n++] = v;
    }
    return 0;
}

static int read_domain(struct knob_reader *r)
{
    const struct json *values = json_get(r->json, "values");
    struct knob *k = r->k;

    if (values != NULL)
        return read_values(r, values);
    if (json_get(r->json, "range") != NULL || is_number_row(r->row))
        return read_range(r);
    if (r->row == NULL || (r->row->type != PARAM_BOOL && r->row->type != PARAM_CHOICE))
        return bad_key(r, "values", "no table says what this may be: give \"values\" or a \"range\"");
    k->kind = r->row->type == PARAM_BOOL ? KNOB_SWITCH : KNOB_CHOICE;
    k->choices = r->row->choices;
    while (k->kind == KNOB_CHOICE && k->choices[k->n] != NULL)
        k->n++;
    if (k->kind == KNOB_SWITCH)
        k->n = 2;
    return 0;
}

/* ----------------------------------------------------------- one knob */

static bool same_value(const struct json *x, const struct json *y, enum unit unit)
{
    struct err ignored = {0};
    double a, b;
    char *s, *t;
    bool same;

    if (param_read_real(x, unit, -INFINITY, INFINITY, "", &a, &ignored) == 0 &&
        param_read_real(y, unit, -INFINITY, INFINITY, "", &b, &ignored) == 0)
        return fabs(a - b) <= 1e-12 * fabs(a);
    s = json_compact(x);
    t = json_compact(y);
    same = strcmp(s, t) == 0;
    free(s);
    free(t);
    return same;
}

/* What the scenario has now, the table's default where it says nothing. */
static void find_now(struct knob_reader *r)
{
    const struct json *has = edit_get(r->tree, r->k->paths[0]);
    struct json *def = NULL;
    struct err ignored = {0};

    if (has == NULL && r->row != NULL && r->row->def != NULL &&
        (r->row->type != PARAM_BOOL || json_parse(r->row->def, "", &def, &ignored) != 0))
        def = json_new_string(r->row->def);
    r->k->now = -1;
    for (int i = 0; (has != NULL || def != NULL) && r->k->now < 0 && i < r->k->n; i++) {
        struct json *v = knob_value(r->k, i);

        if (same_value(v, has != NULL ? has : def, r->k->unit))
            r->k->now = i;
        json_free(v);
    }
    json_free(def);
}

static int check_names(struct knob_reader *r)
{
    size_t n = 0;

    if (json_type(r->json) != JSON_OBJECT)
        return err_set(r->err, ERR_SCENARIO, "%s: %s found; a knob is an object", r->where,
                       json_type_name(json_type(r->json)));
    while (knob_keys[n] != NULL)
        n++;
    JSON_EACH (c, r->json) {
        struct text t = {0};
        size_t i = 0;

        while (i < n && strcmp(knob_keys[i], json_key(c)) != 0)
            i++;
        if (i < n)
            continue;
        text_add_suggestion(&t, json_key(c), knob_keys, n);
        err_set(r->err, ERR_SCENARIO, "%s: unknown key \"%s\"; %s", r->where, json_key(c), t.s);
        text_free(&t);
        return ERR_SCENARIO;
    }
    return 0;
}

static int read_path(struct knob_reader *r, const struct json *v)
{
    struct knob *k = r->k;
    const struct param **row = &r->rows[k->paths_n];
    const char *path = json_string(v);
    int rc;

    if (path == NULL)
        return bad_key(r, "path", "a path is needed, as behind --set: \"STAGE.KEY\"; or a list of them");
    rc = edit_check(r->tree, path, r->err);
    if (rc == 0)
        rc = edit_param(r->tree, path, row, r->err);
    if (rc != 0) {
        err_at(r->err, "%s.path", r->where);
        return r->err->code = ERR_SCENARIO;
    }
    k->paths[k->paths_n++] = path;
    return 0;
}

static int read_paths(struct knob_reader *r)
{
    const struct json *v = json_get(r->json, "path");
    bool is_list = v != NULL && json_type(v) == JSON_ARRAY;
    size_t n = is_list ? json_size(v) : 1;

    r->k->paths = arena_array(r->a, n + 1, sizeof *r->k->paths);
    r->rows = arena_array(r->a, n + 1, sizeof *r->rows);
    if (v == NULL || n == 0)
        return bad_key(r, "path", "a path is needed, as behind --set: \"STAGE.KEY\"; or a list of them");
    if (!is_list)
        return read_path(r, v);
    JSON_EACH (p, v)
        TRY(read_path(r, p));
    return 0;
}

static int read_knob(struct knob_reader *r)
{
    struct knob *k = r->k;

    TRY(check_names(r));
    TRY(read_paths(r));
    r->row = r->rows[0];
    k->name = json_get_string(r->json, "name", k->paths[0]);
    k->about = json_get_string(r->json, "about", "");
    k->unit = r->row != NULL ? r->row->unit : UNIT_NONE;
    TRY(read_domain(r));
    find_now(r);
    return 0;
}

static int check_twice(const struct knob *list, int i, const char *where, struct err *err)
{
    for (int k = 0; k < i; k++) {
        if (strcmp(list[k].name, list[i].name) == 0)
            return err_set(err, ERR_SCENARIO, "%s: the name \"%s\" is used twice", where, list[i].name);
        for (int p = 0; p < list[i].paths_n; p++)
            if (knob_sets(&list[k], list[i].paths[p]))
                return err_set(err, ERR_SCENARIO, "%s: \"%s\" is what the knob \"%s\" sets already", where,
                               list[i].paths[p], list[k].name);
    }
    return 0;
}

int knobs_read(const struct json *tree, const char *file, struct arena *a, struct knob **out, int *n,
               struct err *err)
{
    const struct json *list = json_get(tree, "knobs");

    *n = 0;
    *out = NULL;
    if (list == NULL)
        return 0;
    if (json_type(list) != JSON_ARRAY || json_size(list) > KNOBS_MAX)
        return err_set(err, ERR_SCENARIO, "%s: $.knobs: a list of at most %d knobs is needed", file,
                       KNOBS_MAX);
    *out = arena_array(a, json_size(list) + 1, sizeof **out);
    JSON_EACH (v, list) {
        struct knob_reader r = {.tree = tree, .json = v, .a = a, .k = &(*out)[*n], .err = err};

        r.where = arena_printf(a, "%s: $.knobs[%d]", file, *n);
        TRY(read_knob(&r));
        TRY(check_twice(*out, *n, r.where, err));
        ++*n;
    }
    return 0;
}

/* ------------------------------------------------------------- levels */

const struct knob *knob_find(const struct knob *list, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

double knob_round(const struct knob *k, double level)
{
    double inside = fmin(fmax(level, 0), k->n - 1);

    return k->is_continuous ? inside : round(inside);
}

double knob_number(const struct knob *k, double level)
{
    double at = knob_round(k, level), below = floor(at);
    struct err ignored = {0};
    double x;

    if (k->kind == KNOB_GIVEN)
        return param_read_real(k->given[(int)at], k->unit, -INFINITY, INFINITY, "", &x, &ignored) == 0 ? x
                                                                                                       : NAN;
    if (k->kind != KNOB_NUMBERS)
        return NAN;
    if (at == below)
        return k->numbers[(int)at];
    return between(k->numbers[(int)below], k->numbers[(int)below + 1], k->is_log, at - below);
}

struct json *knob_value(const struct knob *k, double level)
{
    int at = (int)knob_round(k, level);

    switch (k->kind) {
    case KNOB_GIVEN:
        return json_copy(k->given[at]);
    case KNOB_CHOICE:
        return json_new_string(k->choices[at]);
    case KNOB_SWITCH:
        return json_new_bool(at == 1);
    case KNOB_NUMBERS:
        break;
    }
    return json_new_number(knob_number(k, level));
}

int knob_apply(struct json *tree, const struct knob *k, double level, struct err *err)
{
    for (int i = 0; i < k->paths_n; i++)
        if (edit_set(tree, k->paths[i], knob_value(k, level), err) != 0)
            return err_at(err, "knob \"%s\"", k->name);
    return 0;
}

bool knob_sets(const struct knob *k, const char *path)
{
    bool sets = false;

    for (int i = 0; i < k->paths_n; i++)
        sets = sets || edit_same_path(k->paths[i], path);
    return sets;
}

char *knob_show(const struct knob *k, double level, char *buf, size_t size)
{
    struct json *v;

    if (k->kind == KNOB_NUMBERS)
        return units_format(buf, size, knob_number(k, level), k->unit);
    v = knob_value(k, level);
    if (json_string(v) != NULL)
        snprintf(buf, size, "%s", json_string(v));
    else
        json_brief(v, buf, size);
    json_free(v);
    return buf;
}
