#include "calibrate/resolve_rows.h"

#include "base/table.h"
#include "base/text.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------- joint draws */

/* Which rows stand in any covariance, in their order. */
static size_t correlated(const struct param_row *rows, size_t n, const struct calibration_extra *x,
                         size_t *which)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < x->covs_n; k++)
            if (rows[i].stderr_ > 0 && rows[i].value > 0 &&
                (strcmp(x->covs[k].a, rows[i].path) == 0 || strcmp(x->covs[k].b, rows[i].path) == 0)) {
                which[found++] = i;
                break;
            }
    return found;
}

static size_t place(const struct param_row *rows, const size_t *which, size_t m, const char *path)
{
    for (size_t i = 0; i < m; i++)
        if (strcmp(rows[which[i]].path, path) == 0)
            return i;
    return m;
}

static void correlations(const struct param_row *rows, const size_t *which, size_t m,
                         const struct calibration_extra *x, gsl_matrix *r)
{
    gsl_matrix_set_identity(r);
    for (size_t k = 0; k < x->covs_n; k++) {
        size_t i = place(rows, which, m, x->covs[k].a), j = place(rows, which, m, x->covs[k].b);
        double c;

        if (i == m || j == m)
            continue;
        c = x->covs[k].covariance / (rows[which[i]].stderr_ * rows[which[j]].stderr_);
        c = fmax(-1, fmin(1, c));
        gsl_matrix_set(r, i, j, c);
        gsl_matrix_set(r, j, i, c);
    }
}

/* r becomes L, with r = L L'; off the diagonal it shrinks by a tenth as often as it takes. */
static void factorize(gsl_matrix *r)
{
    gsl_matrix *l = gsl_matrix_alloc(r->size1, r->size2);
    double shrink = 1;

    for (int tries = 0; tries < 60; tries++, shrink *= 0.9) {
        gsl_matrix_memcpy(l, r);
        gsl_matrix_scale(l, shrink);
        for (size_t i = 0; i < r->size1; i++)
            gsl_matrix_set(l, i, i, 1);
        if (gsl_linalg_cholesky_decomp1(l) == GSL_SUCCESS)
            break;
    }
    gsl_matrix_memcpy(r, l);
    gsl_matrix_free(l);
}

static void join_draws(struct param_row *rows, size_t n, const struct calibration_extra *x, struct arena *a)
{
    size_t *which = arena_array(a, n + 1, sizeof *which), m = correlated(rows, n, x, which);
    const char **factor;
    gsl_matrix *l;

    if (m < 2)
        return;
    l = gsl_matrix_alloc(m, m);
    correlations(rows, which, m, x, l);
    factorize(l);
    factor = arena_array(a, m, sizeof *factor);
    for (size_t i = 0; i < m; i++)
        factor[i] = rows[which[i]].path;
    for (size_t i = 0; i < m; i++) {
        double *load = arena_array(a, m, sizeof *load);

        for (size_t j = 0; j <= i; j++)
            load[j] = gsl_matrix_get(l, i, j);
        rows[which[i]].load = load;
        rows[which[i]].factor = factor;
        rows[which[i]].loads_n = (int)i + 1;
    }
    gsl_matrix_free(l);
}

/* ------------------------------------------------------------- documents */

static int parse(const char *name, const char *document, struct json **out, struct err *err)
{
    char where[200];

    snprintf(where, sizeof where, "calibration \"%.150s\"", name);
    return json_parse(document, where, out, err);
}

static void add_json(struct param_row *rows, size_t *n, const char *path, const char *json)
{
    rows[(*n)++] = (struct param_row){.path = path, .json = json, .valid_from = NAN, .valid_to = NAN};
}

/* Where a target's parameters stand, as fitting_path() writes them; of a whole scenario it is a path already.
 */
static const char *param_path(const char *target, const char *param, struct arena *a)
{
    if (target[0] == '\0')
        return arena_strdup(a, param);
    if (strcmp(target, "workload") == 0)
        return arena_printf(a, "workload.%s", param);
    return arena_printf(a, model_find(target) != NULL ? "models.%s.params.%s" : "kinds.%s.%s", target, param);
}

static int document_rows(const char *name, const struct calibration_extra *x, struct arena *a,
                         struct param_row **rows, size_t *n, struct err *err)
{
    struct json *doc;
    const struct json *params;
    struct param_row *more;

    if (x->document == NULL)
        return 0;
    TRY(parse(name, x->document, &doc, err));
    params = json_get(doc, "params");
    more = arena_array(a, *n + (params != NULL ? json_size(params) : 0) + 2, sizeof *more);
    if (*n > 0)
        memcpy(more, *rows, *n * sizeof *more);
    *rows = more;
    if (params != NULL)
        JSON_EACH (v, params) {
            char *text = json_compact(v);

            add_json(more, n, param_path(x->target, json_key(v), a), arena_strdup(a, text));
            free(text);
        }
    if (json_get(doc, "ops") != NULL && model_find(x->target) != NULL)
        add_json(more, n, param_path(x->target, "ops", a), arena_printf(a, "\"calibration:%s\"", name));
    json_free(doc);
    return 0;
}

int resolve_rows(const char *name, const struct calibration_row *found, size_t found_n,
                 const struct calibration_extra *extra, struct arena *a, struct param_row **rows, size_t *n,
                 struct err *err)
{
    *n = found_n;
    *rows = arena_array(a, found_n + 1, sizeof **rows);
    for (size_t i = 0; i < found_n; i++)
        (*rows)[i] = (struct param_row){.path = found[i].path,
                                        .value = found[i].value,
                                        .stderr_ = isfinite(found[i].stderr_) ? found[i].stderr_ : 0,
                                        .valid_from = found[i].valid_from,
                                        .valid_to = found[i].valid_to,
                                        .valid_of = found[i].valid_of};
    join_draws(*rows, *n, extra, a);
    return document_rows(name, extra, a, rows, n, err);
}

/* --------------------------------------------------------------- presets */

static int preset_row(const struct json *v, const char *file, size_t i, struct arena *a,
                      struct calibration_row *out, struct err *err)
{
    const char *path = json_get_string(v, "path", NULL);
    double value = json_get_number(v, "value", NAN);
    const struct json *valid = json_get(v, "valid");

    if (path == NULL || !isfinite(value))
        return err_set(err, ERR_SCENARIO, "%s: rows[%zu]: \"path\" and a number \"value\" are needed", file,
                       i);
    *out = (struct calibration_row){
        .path = arena_strdup(a, path),
        .value = value,
        .stderr_ = json_get_number(v, "stderr", 0),
        .valid_from = valid != NULL ? json_get_number(valid, "from", NAN) : NAN,
        .valid_to = valid != NULL ? json_get_number(valid, "to", NAN) : NAN,
        .valid_of = valid != NULL ? arena_strdup(a, json_get_string(valid, "of", "")) : ""};
    return 0;
}

static void preset_covariances(const struct json *doc, struct arena *a, struct calibration_extra *x)
{
    const struct json *list = json_get(doc, "covariances");

    if (list == NULL)
        return;
    x->covs = arena_array(a, json_size(list) + 1, sizeof *x->covs);
    JSON_EACH (v, list)
        x->covs[x->covs_n++] = (struct calibration_cov){arena_strdup(a, json_get_string(v, "a", "")),
                                                        arena_strdup(a, json_get_string(v, "b", "")),
                                                        json_get_number(v, "covariance", 0)};
}

int resolve_preset(const struct json *doc, const char *file, struct arena *a, struct param_row **rows,
                   size_t *n, struct err *err)
{
    const struct json *list = json_get(doc, json_get(doc, "fitted") != NULL ? "fitted" : "rows");
    struct calibration_row *found = arena_array(a, json_size(list) + 1, sizeof *found);
    struct calibration_extra x = {.target = ""};
    size_t k = 0;

    JSON_EACH (v, list) {
        TRY(preset_row(v, file, k, a, &found[k], err));
        k++;
    }
    preset_covariances(doc, a, &x);
    x.target = arena_strdup(a, json_get_string(doc, "target", ""));
    if (json_get(doc, "params") != NULL) { /* laws without a formula */
        char *text = json_compact(doc);

        x.document = arena_strdup(a, text);
        free(text);
    }
    return resolve_rows(file, found, k, &x, a, rows, n, err);
}

/* -------------------------------------------------------------- operators */

static void fold_mixed(struct cost_row *row, struct arena *a)
{
    row->variant = arena_printf(a, "decodes=%.15g,decode_context=%.15g", row->batch, row->context);
    row->batch = 1;
    row->context = 0;
}

/* One table becomes a row for each of its supported nodes. */
static void node_rows(const struct json *op, const struct table *t, struct arena *a, struct cost_row *out)
{
    struct cost_row base = {.hardware = arena_strdup(a, json_get_string(op, "hardware", "")),
                            .model = arena_strdup(a, json_get_string(op, "model", "")),
                            .op = arena_strdup(a, json_get_string(op, "op", "")),
                            .variant = arena_strdup(a, json_get_string(op, "variant", "")),
                            .devices = (int)json_get_number(op, "devices", 1),
                            .tokens = NAN,
                            .batch = NAN,
                            .chunk = NAN,
                            .context = NAN,
                            .bytes = NAN};
    size_t nodes = table_nodes(t);

    for (size_t i = 0; i < nodes; i++) {
        struct cost_row row = base;
        size_t rest = i;

        if (t->supported != NULL && !t->supported[i])
            continue;
        for (int k = t->axes_n - 1; k >= 0; k--) {
            double x = t->axis[k].at[rest % t->axis[k].n];
            const char *axis = t->axis[k].name;

            rest /= t->axis[k].n;
            *(strcmp(axis, "tokens") == 0    ? &row.tokens
              : strcmp(axis, "batch") == 0   ? &row.batch
              : strcmp(axis, "chunk") == 0   ? &row.chunk
              : strcmp(axis, "context") == 0 ? &row.context
                                             : &row.bytes) = x;
        }
        row.time_s = t->value[i];
        if (strcmp(base.op, "attention_mixed") == 0) /* as samples.c unfolded it */
            fold_mixed(&row, a);
        *out++ = row;
    }
}

static size_t supported_nodes(const struct table *t)
{
    size_t n = 0;

    for (size_t i = 0; i < table_nodes(t); i++)
        n += t->supported == NULL || t->supported[i];
    return n;
}

static int read_costs(const struct json *ops, const char *name, struct arena *a, struct cost_row **rows,
                      size_t *n, struct err *err)
{
    JSON_EACH (op, ops) {
        const char *where =
            arena_printf(a, "calibration \"%s\", operator %s", name, json_get_string(op, "op", "?"));
        const struct json *v = json_get(op, "table");
        struct cost_row *more;
        struct table t;
        size_t nodes;

        if (v == NULL)
            return err_set(err, ERR_FAILED, "%s: no table", where);
        TRY(table_read(v, UNIT_S, where, a, &t, err));
        nodes = supported_nodes(&t);
        more = arena_array(a, *n + nodes, sizeof *more);
        if (*n > 0)
            memcpy(more, *rows, *n * sizeof *more);
        node_rows(op, &t, a, more + *n);
        *rows = more;
        *n += nodes;
    }
    return 0;
}

int resolve_costs(const char *name, const char *document, struct arena *a, struct cost_row **rows, size_t *n,
                  struct err *err)
{
    struct json *doc;
    const struct json *ops;
    int rc;

    *rows = NULL;
    *n = 0;
    if (document == NULL)
        return err_set(err, ERR_FAILED, "calibration \"%s\" holds no tables of operators", name);
    TRY(parse(name, document, &doc, err));
    ops = json_get(doc, "ops");
    rc = ops != NULL ? read_costs(ops, name, a, rows, n, err)
                     : err_set(err, ERR_FAILED, "calibration \"%s\" holds no tables of operators", name);
    json_free(doc);
    return rc;
}

struct json *resolve_cost_list(const struct cost_row *rows, size_t n)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < n; i++) {
        const double size[] = {rows[i].tokens, rows[i].batch, rows[i].chunk, rows[i].context, rows[i].bytes};
        struct json *row = json_push(list, json_new_array());

        json_push(row, json_new_string(rows[i].op));
        for (size_t k = 0; k < sizeof size / sizeof *size; k++)
            json_push(row, isfinite(size[k]) ? json_new_number(size[k]) : json_new_null());
        json_push(row, json_new_number(rows[i].devices));
        json_push(row, json_new_number(rows[i].time_s));
        if (rows[i].variant[0] != '\0')
            json_push(row, json_new_string(rows[i].variant));
    }
    return list;
}

struct cost_row *resolve_measured_costs(const struct operator_cost *found, size_t n, struct arena *a)
{
    struct cost_row *rows = arena_array(a, n + 1, sizeof *rows);

    for (size_t i = 0; i < n; i++)
        rows[i] = (struct cost_row){.hardware = found[i].hardware,
                                    .model = found[i].model,
                                    .op = found[i].op,
                                    .variant = found[i].variant,
                                    .devices = found[i].devices,
                                    .tokens = found[i].tokens,
                                    .batch = found[i].batch,
                                    .chunk = found[i].chunk,
                                    .context = found[i].context,
                                    .bytes = found[i].bytes,
                                    .time_s = found[i].time_s};
    return rows;
}
