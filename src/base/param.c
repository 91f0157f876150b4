#include "base/param.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One value on its way from JSON into a field. */
struct slot {
    const struct param *p;
    const char *where; /* JSON path of the value */
    struct arena *a;
    void *field;
    struct err *err;
};

enum { BRIEF = 60 };

size_t param_count(const struct param *table)
{
    size_t n = 0;

    while (table[n].type != PARAM_END)
        n++;
    return n;
}

const struct param *param_find(const struct param *table, const char *name)
{
    for (; table->type != PARAM_END; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

/* ------------------------------------------------------------------------------------------------ quantities
 */

static int out_of_range(const char *where, const char *found, double min, double max, enum unit unit,
                        struct err *err)
{
    char lo[40], hi[40];

    return err_set(err, ERR_SCENARIO, "%s: found %s; it must lie between %s and %s", where, found,
                   units_format(lo, sizeof lo, min, unit), units_format(hi, sizeof hi, max, unit));
}

static int check_range(const struct json *v, double value, enum unit unit, double min, double max,
                       const char *where, struct err *err)
{
    char found[BRIEF];

    if (value >= min && value <= max)
        return 0;
    return out_of_range(where, json_brief(v, found, sizeof found), min, max, unit, err);
}

int param_read_real(const struct json *v, enum unit unit, double min, double max, const char *where,
                    double *out, struct err *err)
{
    char found[BRIEF];

    switch (json_type(v)) {
    case JSON_NUMBER:
        *out = json_number(v);
        break;
    case JSON_STRING:
        if (units_parse(json_string(v), unit, out, err) != 0)
            return err_at(err, "%s", where);
        break;
    default:
        return err_set(err, ERR_SCENARIO, "%s: found %s; write a quantity such as \"%s\"", where,
                       json_brief(v, found, sizeof found), units_example(unit));
    }
    return check_range(v, *out, unit, min, max, where, err);
}

/* ----------------------------------------------------------------------------------------- one type of field
 */

static int load_int(const struct slot *s, const struct json *v)
{
    const double largest_exact = 9007199254740992.0; /* 2^53 */
    char found[BRIEF];
    double value;

    TRY(param_read_real(v, UNIT_NONE, fmax(s->p->min, -largest_exact), fmin(s->p->max, largest_exact),
                        s->where, &value, s->err));
    if (value != floor(value))
        return err_set(s->err, ERR_SCENARIO, "%s: found %s; it must be a whole number", s->where,
                       json_brief(v, found, sizeof found));
    *(long *)s->field = (long)value;
    return 0;
}

static int load_bool(const struct slot *s, const struct json *v)
{
    char found[BRIEF];

    if (json_type(v) != JSON_BOOL)
        return err_set(s->err, ERR_SCENARIO, "%s: found %s; it must be true or false", s->where,
                       json_brief(v, found, sizeof found));
    *(bool *)s->field = json_bool(v);
    return 0;
}

static size_t count_names(const char *const *names)
{
    size_t n = 0;

    while (names[n] != NULL)
        n++;
    return n;
}

static int name_index(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static int unknown_name(const char *where, const char *what, const char *found, const char *const *names,
                        size_t n, struct err *err)
{
    struct text t = {0};

    text_add_suggestion(&t, found, names, n);
    err_set(err, ERR_SCENARIO, "%s: %s; %s", where, what, t.s);
    text_free(&t);
    return err->code;
}

static int load_choice(const struct slot *s, const struct json *v)
{
    const char *name = json_string(v);
    char found[BRIEF], what[BRIEF + 8];
    int i = name != NULL ? name_index(s->p->choices, name) : -1;

    if (i < 0) {
        snprintf(what, sizeof what, "found %s", json_brief(v, found, sizeof found));
        return unknown_name(s->where, what, name != NULL ? name : "", s->p->choices,
                            count_names(s->p->choices), s->err);
    }
    *(int *)s->field = i;
    return 0;
}

static int load_law(const struct slot *s, const struct json *v)
{
    struct law *law = s->field;

    TRY(law_read(v, s->p->unit, s->where, s->a, law, s->err));
    if (check_range(v, law->mean, s->p->unit, s->p->min, s->p->max, s->where, s->err) != 0)
        return err_at(s->err, "mean out of range");
    return 0;
}

/* --------------------------------------------------------------------------------------- costs of operators
 */

static int load_cost(const struct slot *s, const char *where, const struct json *v, struct cost *out)
{
    static const char *const names[] = {"fixed", "per_item", "per_byte", "cv", NULL};
    double *const fields[] = {&out->fixed_s, &out->per_item_s, &out->per_byte_s, &out->cv};
    const double largest_cv = 100;

    if (json_type(v) != JSON_OBJECT)
        return param_read_real(v, UNIT_S, s->p->min, s->p->max, where, &out->fixed_s, s->err);
    JSON_EACH (c, v) {
        const char *below = arena_printf(s->a, "%s.%s", where, json_key(c));
        int i = name_index(names, json_key(c));
        bool is_cv = fields[3] == fields[i < 0 ? 0 : i];

        if (i < 0)
            return unknown_name(below, "no such key", json_key(c), names, count_names(names), s->err);
        TRY(param_read_real(c, is_cv ? UNIT_NONE : UNIT_S, is_cv ? 0 : s->p->min,
                            is_cv ? largest_cv : s->p->max, below, fields[i], s->err));
    }
    return 0;
}

static int load_costs(const struct slot *s, const struct json *v)
{
    const char *const *names = s->p->choices;
    struct cost *costs = s->field;
    char found[BRIEF];

    if (json_type(v) != JSON_OBJECT)
        return err_set(s->err, ERR_SCENARIO,
                       "%s: found %s; write {\"OPERATOR\": {\"fixed\": \"20us\", ..}, ..}", s->where,
                       json_brief(v, found, sizeof found));
    memset(costs, 0, count_names(names) * sizeof *costs);
    JSON_EACH (c, v) {
        const char *where = arena_printf(s->a, "%s.%s", s->where, json_key(c));
        int i = name_index(names, json_key(c));

        if (i < 0)
            return unknown_name(where, "no such operator", json_key(c), names, count_names(names), s->err);
        TRY(load_cost(s, where, c, &costs[i]));
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------ whole
 * table */

static int load_value(const struct slot *s, const struct json *v)
{
    switch (s->p->type) {
    case PARAM_REAL:
        return param_read_real(v, s->p->unit, s->p->min, s->p->max, s->where, s->field, s->err);
    case PARAM_INT:
        return load_int(s, v);
    case PARAM_BOOL:
        return load_bool(s, v);
    case PARAM_CHOICE:
        return load_choice(s, v);
    case PARAM_LAW:
        return load_law(s, v);
    case PARAM_COSTS:
        return load_costs(s, v);
    case PARAM_JSON:
        *(const struct json **)s->field = v;
        return 0;
    case PARAM_END:
        break;
    }
    ASSERT(!"a parameter type without a reader");
    return ERR_FAILED;
}

int param_check(const struct param *p, const struct json *v, const char *where, struct arena *a,
                struct err *err)
{
    size_t one = p->type == PARAM_COSTS ? count_names(p->choices) * sizeof(struct cost) : sizeof(struct law);
    struct slot s = {p, where, a, arena_alloc(a, one), err};

    return load_value(&s, v);
}

/* The default is text as a user would write it: JSON where it looks like JSON, else a quantity or a name. */
static int load_default(const struct slot *s)
{
    const char *def = s->p->def;
    bool is_json = *def == '{' || *def == '[' || s->p->type == PARAM_BOOL;
    struct json *v;
    int rc;

    if (!is_json)
        v = json_new_string(def);
    else if (json_parse(def, s->where, &v, s->err) != 0)
        return s->err->code;
    rc = load_value(s, v);
    json_free(v);
    return rc;
}

static int load_one(const struct slot *s, const struct json *obj)
{
    const struct json *v = obj != NULL ? json_get(obj, s->p->name) : NULL;

    if (v != NULL)
        return load_value(s, v);
    if (s->p->type == PARAM_JSON) {
        *(const struct json **)s->field = NULL;
        return 0;
    }
    if (s->p->def != NULL)
        return load_default(s);
    return err_set(s->err, ERR_SCENARIO, "%s: missing; %s (for example \"%s\")", s->where, s->p->help,
                   s->p->type == PARAM_CHOICE ? s->p->choices[0] : units_example(s->p->unit));
}

static int refuse_unknown(const struct param *table, const struct json *obj, const char *where,
                          struct arena *a, struct err *err)
{
    size_t n = param_count(table);
    const char **names = arena_array(a, n, sizeof *names);

    for (size_t i = 0; i < n; i++)
        names[i] = table[i].name;
    JSON_EACH (c, obj)
        if (param_find(table, json_key(c)) == NULL)
            return unknown_name(arena_printf(a, "%s.%s", where, json_key(c)), "no such parameter",
                                json_key(c), names, n, err);
    return 0;
}

int param_load(const struct param *table, const struct json *obj, const char *where, struct arena *a,
               void *cfg, struct err *err)
{
    char found[BRIEF];

    if (obj != NULL && json_type(obj) != JSON_OBJECT)
        return err_set(err, ERR_SCENARIO, "%s: found %s; it must be an object", where,
                       json_brief(obj, found, sizeof found));
    if (obj != NULL)
        TRY(refuse_unknown(table, obj, where, a, err));
    for (const struct param *p = table; p->type != PARAM_END; p++) {
        struct slot s = {p, arena_printf(a, "%s.%s", where, p->name), a, (char *)cfg + p->offset, err};

        TRY(load_one(&s, obj));
    }
    return 0;
}

/* --------------------------------------------------------------------------------------------------- showing
 */

static void show_law(const struct law *law, enum unit unit, struct text *t)
{
    char mean[40];

    units_format(mean, sizeof mean, law->mean, unit);
    if (law->kind == LAW_CONSTANT)
        text_add(t, mean);
    else if (isfinite(law->cv))
        text_printf(t, "%s, mean %s, cv %.3g", law_kind_name(law->kind), mean, law->cv);
    else
        text_printf(t, "%s, mean %s, alpha %.3g", law_kind_name(law->kind), mean, law->alpha);
}

static void show_costs(const struct cost *costs, const char *const *names, struct text *t)
{
    static const char *const parts[] = {"", " per item", " per byte"};
    char buf[40];

    for (size_t i = 0; names[i] != NULL; i++) {
        const double values[] = {costs[i].fixed_s, costs[i].per_item_s, costs[i].per_byte_s};
        const char *plus = "";

        if (values[0] == 0 && values[1] == 0 && values[2] == 0)
            continue;
        text_printf(t, "%s%s: ", t->len > 0 ? "; " : "", names[i]);
        for (int k = 0; k < 3; k++) {
            if (values[k] == 0)
                continue;
            text_printf(t, "%s%s%s", plus, units_format(buf, sizeof buf, values[k], UNIT_S), parts[k]);
            plus = " + ";
        }
        if (costs[i].cv > 0)
            text_printf(t, " (cv %.3g)", costs[i].cv);
    }
    if (t->len == 0)
        text_add(t, "none");
}

char *param_show(const struct param *p, const void *cfg, char *buf, size_t size)
{
    const void *field = (const char *)cfg + p->offset;
    struct text t = {0};

    switch (p->type) {
    case PARAM_REAL:
        return units_format(buf, size, *(const double *)field, p->unit);
    case PARAM_INT:
        snprintf(buf, size, "%ld", *(const long *)field);
        return buf;
    case PARAM_BOOL:
        snprintf(buf, size, "%s", *(const bool *)field ? "true" : "false");
        return buf;
    case PARAM_CHOICE:
        snprintf(buf, size, "%s", p->choices[*(const int *)field]);
        return buf;
    case PARAM_LAW:
        show_law(field, p->unit, &t);
        break;
    case PARAM_COSTS:
        show_costs(field, p->choices, &t);
        break;
    case PARAM_JSON:
        if (*(const struct json *const *)field == NULL) {
            snprintf(buf, size, "none");
            return buf;
        }
        return (char *)json_brief(*(const struct json *const *)field, buf, size);
    case PARAM_END:
        break;
    }
    snprintf(buf, size, "%s", t.s != NULL ? t.s : "");
    text_free(&t);
    return buf;
}
