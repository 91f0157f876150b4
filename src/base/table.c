#include "base/table.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/param.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

static const char *const scales[] = {"linear", "log", "log1p"};
enum { SCALES = sizeof scales / sizeof *scales };

double scale_to(enum scale s, double x)
{
    return s == SCALE_LOG ? log(x) : s == SCALE_LOG1P ? log1p(x) : x;
}

double scale_from(enum scale s, double u)
{
    return s == SCALE_LOG ? exp(u) : s == SCALE_LOG1P ? expm1(u) : u;
}

/* ------------------------------------------------------------------------------------------- evaluation */

size_t table_nodes(const struct table *t)
{
    size_t n = 1;

    for (int i = 0; i < t->axes_n; i++)
        n *= t->axis[i].n;
    return n;
}

static const double *scaled(enum scale s, const double *x, size_t n, struct arena *a)
{
    double *u;

    if (s == SCALE_LINEAR)
        return x;
    u = arena_array(a, n, sizeof *u);
    for (size_t i = 0; i < n; i++)
        u[i] = scale_to(s, x[i]);
    return u;
}

void table_prepare(struct table *t, struct arena *a)
{
    for (int i = 0; i < t->axes_n; i++)
        t->axis[i].u = scaled(t->axis[i].scale, t->axis[i].at, t->axis[i].n, a);
    t->u = scaled(t->scale, t->value, table_nodes(t), a);
}

struct place {
    size_t below;   /* the knot at or below */
    double above_w; /* weight of the next one */
};

/* NAN, or a value that the scale cannot take, is outside, at the lowest knot. */
static struct place locate(const struct table_axis *axis, double x, bool *outside)
{
    size_t lo = 0, hi = axis->n - 1;

    if (!(x >= axis->at[0] && x <= axis->at[hi])) {
        double slack =
            1e-9 * fabs(axis->at[x > axis->at[hi] ? hi : 0]); /* what printing and reading may do */

        *outside = *outside || !(x >= axis->at[0] - slack && x <= axis->at[hi] + slack);
        return (struct place){x > axis->at[hi] ? hi : 0, 0};
    }
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;

        if (axis->at[mid] <= x)
            lo = mid;
        else
            hi = mid;
    }
    if (x == axis->at[hi]) /* a corner of weight 0 is not asked for */
        return (struct place){hi, 0};
    return (struct place){lo, (scale_to(axis->scale, x) - axis->u[lo]) / (axis->u[hi] - axis->u[lo])};
}

int table_corners(const struct table *t, const double *x, size_t node[8], double weight[8], bool *outside)
{
    int n = 1;

    *outside = false;
    node[0] = 0;
    weight[0] = 1;
    for (int a = 0; a < t->axes_n; a++) {
        struct place p = locate(&t->axis[a], x[a], outside);
        int before = n;

        for (int i = 0; i < before; i++) {
            node[i] = node[i] * t->axis[a].n + p.below;
            if (p.above_w > 0) {
                node[n] = node[i] + 1;
                weight[n++] = weight[i] * p.above_w;
                weight[i] *= 1 - p.above_w;
            }
        }
    }
    return n;
}

struct table_value table_eval(const struct table *t, const double *x)
{
    struct table_value v = {0};
    size_t node[8];
    double weight[8], sum = 0;
    int n = table_corners(t, x, node, weight, &v.outside);

    for (int i = 0; i < n; i++) {
        sum += weight[i] * t->u[node[i]];
        v.outside = v.outside || (t->supported != NULL && !t->supported[node[i]]);
    }
    v.value = scale_from(t->scale, sum);
    return v;
}

/* ---------------------------------------------------------------------------------------------- reading */

struct reading {
    const char *where;
    struct arena *a;
    struct err *err;
};

static int unknown_key(const struct reading *r, const struct json *obj, const char *where,
                       const char *const *names, size_t n)
{
    JSON_EACH (c, obj) {
        struct text t = {0};
        bool known = false;

        for (size_t i = 0; i < n; i++)
            known = known || strcmp(json_key(c), names[i]) == 0;
        if (known)
            continue;
        text_add_suggestion(&t, json_key(c), names, n);
        err_set(r->err, ERR_SCENARIO, "%s.%s: no such key; %s", where, json_key(c), t.s);
        text_free(&t);
        return r->err->code;
    }
    return 0;
}

static int read_scale(const struct reading *r, const struct json *v, const char *where, enum scale *out)
{
    const char *s = json_string(v);

    *out = SCALE_LINEAR;
    if (v == NULL)
        return 0;
    for (int i = 0; s != NULL && i < SCALES; i++)
        if (strcmp(s, scales[i]) == 0) {
            *out = (enum scale)i;
            return 0;
        }
    return err_set(r->err, ERR_SCENARIO, "%s.scale: no such scale; write \"linear\", \"log\" or \"log1p\"",
                   where);
}

static int read_array(const struct reading *r, const struct json *v, const char *where, const char **at,
                      size_t *n)
{
    char found[60];

    *at = arena_printf(r->a, "%s", where);
    *n = json_size(v);
    if (v == NULL)
        return err_set(r->err, ERR_SCENARIO, "%s: missing", where);
    if (json_type(v) != JSON_ARRAY || *n == 0 || *n > TABLE_NODES_MAX)
        return err_set(r->err, ERR_SCENARIO, "%s: found %s; write a list of 1 to %d", where,
                       json_brief(v, found, sizeof found), TABLE_NODES_MAX);
    return 0;
}

static int read_axis(const struct reading *r, const struct json *v, const char *where, struct table_axis *out)
{
    static const char *const names[] = {"name", "scale", "at"};
    const char *at_where;
    double *at;
    char found[60];
    size_t i = 0;

    if (json_type(v) != JSON_OBJECT)
        return err_set(r->err, ERR_SCENARIO,
                       "%s: found %s; write {\"name\": .., \"scale\": .., \"at\": [..]}", where,
                       json_brief(v, found, sizeof found));
    TRY(unknown_key(r, v, where, names, 3));
    TRY(read_scale(r, json_get(v, "scale"), where, &out->scale));
    TRY(read_array(r, json_get(v, "at"), arena_printf(r->a, "%s.at", where), &at_where, &out->n));
    out->name = arena_strdup(r->a, json_get_string(v, "name", ""));
    out->at = at = arena_array(r->a, out->n, sizeof *at);
    JSON_EACH (c, json_get(v, "at")) {
        const char *here = arena_printf(r->a, "%s[%zu]", at_where, i);

        TRY(param_read_real(c, UNIT_NONE, out->scale == SCALE_LOG ? 1e-300 : 0, 1e300, here, &at[i], r->err));
        if (i > 0 && !(at[i] > at[i - 1]))
            return err_set(r->err, ERR_SCENARIO, "%s: found %g after %g; knots must rise", here, at[i],
                           at[i - 1]);
        i++;
    }
    return 0;
}

static int read_axes(const struct reading *r, const struct json *v, struct table *out)
{
    const char *where = arena_printf(r->a, "%s.axes", r->where);
    size_t n;

    TRY(read_array(r, v, where, &where, &n));
    if (n > TABLE_AXES)
        return err_set(r->err, ERR_SCENARIO, "%s: found %zu axes; a table has 1 to %d", where, n, TABLE_AXES);
    JSON_EACH (c, v) {
        TRY(read_axis(r, c, arena_printf(r->a, "%s[%d]", where, out->axes_n), &out->axis[out->axes_n]));
        out->axes_n++;
    }
    return 0;
}

static int read_values(const struct reading *r, const struct json *v, enum unit unit, struct table *out)
{
    const char *where;
    size_t n, nodes = table_nodes(out), i = 0;
    double *value;

    TRY(read_array(r, v, arena_printf(r->a, "%s.values", r->where), &where, &n));
    if (n != nodes)
        return err_set(r->err, ERR_SCENARIO, "%s: found %zu values; the axes have %zu nodes", where, n,
                       nodes);
    out->value = value = arena_array(r->a, n, sizeof *value);
    JSON_EACH (c, v) {
        TRY(param_read_real(c, unit, out->scale == SCALE_LOG ? 1e-300 : 0, 1e300,
                            arena_printf(r->a, "%s[%zu]", where, i), &value[i], r->err));
        i++;
    }
    return 0;
}

static int read_unsupported(const struct reading *r, const struct json *v, struct table *out)
{
    size_t nodes = table_nodes(out), i = 0;
    bool *supported;
    char found[60];

    if (v == NULL)
        return 0;
    if (json_type(v) != JSON_ARRAY)
        return err_set(r->err, ERR_SCENARIO, "%s.unsupported: found %s; write a list of nodes", r->where,
                       json_brief(v, found, sizeof found));
    out->supported = supported = arena_array(r->a, nodes, sizeof *supported);
    memset(supported, 1, nodes * sizeof *supported);
    JSON_EACH (c, v) {
        double node;
        const char *here = arena_printf(r->a, "%s.unsupported[%zu]", r->where, i++);

        TRY(param_read_real(c, UNIT_NONE, 0, (double)nodes - 1, here, &node, r->err));
        supported[(size_t)node] = false;
    }
    return 0;
}

int table_read(const struct json *v, enum unit unit, const char *where, struct arena *a, struct table *out,
               struct err *err)
{
    static const char *const names[] = {"axes", "scale", "values", "unsupported", "error_frac"};
    struct reading r = {where, a, err};
    char found[60];

    *out = (struct table){.error_frac = NAN};
    if (json_type(v) != JSON_OBJECT)
        return err_set(err, ERR_SCENARIO, "%s: found %s; write {\"axes\": [..], \"values\": [..]}", where,
                       json_brief(v, found, sizeof found));
    TRY(unknown_key(&r, v, where, names, 5));
    TRY(read_axes(&r, json_get(v, "axes"), out));
    if (table_nodes(out) > TABLE_NODES_MAX)
        return err_set(err, ERR_SCENARIO, "%s: %zu nodes; at most %d", where, table_nodes(out),
                       TABLE_NODES_MAX);
    TRY(read_scale(&r, json_get(v, "scale"), where, &out->scale));
    TRY(read_values(&r, json_get(v, "values"), unit, out));
    out->error_frac = json_get_number(v, "error_frac", NAN);
    TRY(read_unsupported(&r, json_get(v, "unsupported"), out));
    table_prepare(out, a);
    return 0;
}

/* ---------------------------------------------------------------------------------------------- writing */

struct json *table_json(const struct table *t)
{
    struct json *root = json_new_object(), *axes = json_set_array(root, "axes"), *list;
    size_t nodes = table_nodes(t);

    for (int i = 0; i < t->axes_n; i++) {
        struct json *axis = json_push(axes, json_new_object());

        json_set_string(axis, "name", t->axis[i].name);
        json_set_string(axis, "scale", scales[t->axis[i].scale]);
        list = json_set_array(axis, "at");
        for (size_t k = 0; k < t->axis[i].n; k++)
            json_push(list, json_new_number(t->axis[i].at[k]));
    }
    json_set_string(root, "scale", scales[t->scale]);
    list = json_set_array(root, "values");
    for (size_t k = 0; k < nodes; k++)
        json_push(list, json_new_number(t->value[k]));
    list = NULL;
    for (size_t k = 0; t->supported != NULL && k < nodes; k++) {
        if (t->supported[k])
            continue;
        if (list == NULL)
            list = json_set_array(root, "unsupported");
        json_push(list, json_new_number((double)k));
    }
    if (isfinite(t->error_frac))
        json_set_number(root, "error_frac", t->error_frac);
    return root;
}
