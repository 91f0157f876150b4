#include "pipeline/knob_read.h"

#include "base/text.h"
#include "pipeline/edit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const knob_keys[] = {"name",  "path",   "values", "range",  "step",
                                 "scale", "points", "about",  "effort", NULL};

int knob_bad_key(const struct knob_reader *r, const char *key, const char *what)
{
    return err_set(r->err, ERR_SCENARIO, "%s.%s: %s", r->where, key, what);
}

/* Every path must be able to take it. */
int knob_check_value(const struct knob_reader *r, const struct json *v, const char *where)
{
    for (int i = 0; i < r->k->paths_n; i++)
        if (r->rows[i] != NULL)
            TRY(param_check(r->rows[i], v, where, r->a, r->err));
    return 0;
}

/* ------------------------------------------------------------- values */

static int read_values(struct knob_reader *r, const struct json *list)
{
    static const char *const of_ranges[] = {"range", "step", "scale", "points"};
    struct knob *k = r->k;

    for (size_t i = 0; i < 4; i++)
        if (json_get(r->json, of_ranges[i]) != NULL)
            return knob_bad_key(r, of_ranges[i], "stands beside \"values\"; a knob has either");
    if (json_type(list) != JSON_ARRAY || json_size(list) == 0 || json_size(list) > KNOB_VALUES_MAX)
        return knob_bad_key(r, "values", "a list of 1 to 1000 values is needed");
    k->kind = KNOB_GIVEN;
    k->given = arena_array(r->a, json_size(list), sizeof *k->given);
    JSON_EACH (v, list) {
        TRY(knob_check_value(r, v, arena_printf(r->a, "%s.values[%d]", r->where, k->n)));
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
    if (json_get(r->json, "range") != NULL || knob_is_number(r->row))
        return knob_read_range(r);
    if (r->row == NULL || (r->row->type != PARAM_BOOL && r->row->type != PARAM_CHOICE))
        return knob_bad_key(r, "values", "no table says what this may be: give \"values\" or a \"range\"");
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

static int read_path(struct knob_reader *r, const struct json *v)
{
    struct knob *k = r->k;
    const struct param **row = &r->rows[k->paths_n];
    const char *path = json_string(v);
    int rc;

    if (path == NULL)
        return knob_bad_key(r, "path", "a path is needed, as behind --set: \"STAGE.KEY\"; or a list of them");
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
        return knob_bad_key(r, "path", "a path is needed, as behind --set: \"STAGE.KEY\"; or a list of them");
    if (!is_list)
        return read_path(r, v);
    JSON_EACH (p, v)
        TRY(read_path(r, p));
    return 0;
}

static int read_knob(struct knob_reader *r)
{
    struct knob *k = r->k;

    if (json_type(r->json) != JSON_OBJECT)
        return err_set(r->err, ERR_SCENARIO, "%s: %s found; a knob is an object", r->where,
                       json_type_name(json_type(r->json)));
    TRY(known_keys(r->json, knob_keys, r->where, r->err));
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

double knob_between(double lo, double hi, bool is_log, double share)
{
    return is_log ? lo * pow(hi / lo, share) : lo + (hi - lo) * share;
}

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
    return knob_between(k->numbers[(int)below], k->numbers[(int)below + 1], k->is_log, at - below);
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
