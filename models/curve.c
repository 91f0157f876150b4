#include "models/curve.h"

#include <math.h>

static int read_knot(const struct json *v, const char *where, int i, const struct curve *c, double *x,
                     double *y, double y_min, double y_max, struct err *err)
{
    if (json_type(v) != JSON_ARRAY || json_size(v) != 2)
        return err_set(err, ERR_SCENARIO, "%s[%d]: a knot is a pair [x, y]", where, i);
    TRY(param_read_real(json_at(v, 0), UNIT_NONE, c->log_x ? 1e-12 : -1e18, 1e18, where, &x[i], err));
    TRY(param_read_real(json_at(v, 1), UNIT_NONE, y_min, y_max, where, &y[i], err));
    if (i > 0 && x[i] <= x[i - 1])
        return err_set(err, ERR_SCENARIO, "%s[%d]: x is %g after %g; knots are sorted by rising x", where, i,
                       x[i], x[i - 1]);
    return 0;
}

static int resolve(const struct json **v, const char *where, const struct model_env *env, struct err *err)
{
    const struct json *doc;
    const char *name = json_string(*v);

    if (name == NULL)
        return 0;
    if (env->lookup == NULL || env->lookup->document == NULL)
        return err_set(err, ERR_SCENARIO, "%s: \"%s\" names a preset, but none can be looked up here", where,
                       name);
    if (env->lookup->document(env->lookup->ctx, name, env->arena, &doc, err) != 0)
        return err_at(err, "%s", where);
    *v = json_get(doc, "curve");
    if (*v == NULL)
        return err_set(err, ERR_SCENARIO, "%s: preset \"%s\" holds no \"curve\"", where, name);
    return 0;
}

int curve_read(const struct json *v, const char *name, bool log_x, double y_min, double y_max,
               const struct model_env *env, struct curve *out, struct err *err)
{
    const char *where = arena_printf(env->arena, "%s.%s", env->where, name);
    double *x, *y;
    int n = 0;

    *out = (struct curve){.log_x = log_x};
    if (v == NULL)
        return 0;
    TRY(resolve(&v, where, env, err));
    if (json_type(v) != JSON_ARRAY || json_size(v) == 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: a list of knots [[x, y], ...] or the name of a preset is needed", where);
    x = arena_array(env->arena, json_size(v), sizeof *x);
    y = arena_array(env->arena, json_size(v), sizeof *y);
    JSON_EACH (knot, v) {
        TRY(read_knot(knot, where, n, out, x, y, y_min, y_max, err));
        n++;
    }
    out->x = x;
    out->y = y;
    out->n = n;
    return 0;
}

bool curve_covers(const struct curve *c, double x)
{
    return c->n > 0 && x >= c->x[0] && x <= c->x[c->n - 1];
}

double curve_at(const struct curve *c, double x)
{
    int i = 1;
    double part;

    ASSERT(c->n > 0);
    if (x <= c->x[0])
        return c->y[0];
    if (x >= c->x[c->n - 1])
        return c->y[c->n - 1];
    while (c->x[i] < x)
        i++;
    part = c->log_x ? log(x / c->x[i - 1]) / log(c->x[i] / c->x[i - 1])
                    : (x - c->x[i - 1]) / (c->x[i] - c->x[i - 1]);
    return c->y[i - 1] + part * (c->y[i] - c->y[i - 1]);
}
