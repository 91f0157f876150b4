/*
 * recipe_operators.c - measured operators of a language model become tables of few knots, collectives a
 * latency and a bandwidth.
 */
#include "calibrate/knots.h"
#include "calibrate/linear.h"
#include "calibrate/recipes.h"
#include "calibrate/samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST = 4 }; /* rows below which there is no table */

/* Sizes that may be 0 are spaced by ln(1 + x). */
static enum scale axis_scale(const struct op_samples *g, enum op_size s)
{
    for (size_t i = 0; i < g->n; i++)
        if (!(g->size[s][i] > 0))
            return SCALE_LOG1P;
    return SCALE_LOG;
}

static struct knots_points points_of(const struct op_samples *g, struct arena *a)
{
    struct knots_points p = {.axes_n = g->axes_n, .n = g->n, .y = g->time_s, .value_scale = SCALE_LOG};
    double *x = arena_array(a, g->n * (size_t)g->axes_n, sizeof *x);

    for (int k = 0; k < g->axes_n; k++) {
        p.name[k] = op_size_names[g->axis[k]];
        p.scale[k] = axis_scale(g, g->axis[k]);
        p.rising[k] = true;
        for (size_t i = 0; i < g->n; i++)
            x[i * (size_t)g->axes_n + (size_t)k] = g->size[g->axis[k]][i];
    }
    p.x = x;
    return p;
}

/* The middle of each axis, on its scale: where the table's value is quoted. */
static double middle_time(const struct table *t)
{
    double x[TABLE_AXES];

    for (int k = 0; k < t->axes_n; k++) {
        double lo = t->axis[k].at[0], hi = t->axis[k].at[t->axis[k].n - 1];

        x[k] = t->axis[k].scale == SCALE_LINEAR  ? (lo + hi) / 2
               : t->axis[k].scale == SCALE_LOG1P ? expm1((log1p(lo) + log1p(hi)) / 2)
                                                 : sqrt(lo * hi);
    }
    return table_eval(t, x).value;
}

static struct json *table_document(const struct op_samples *g, const struct knots_fit *k)
{
    struct json *o = json_new_object();

    json_set_string(o, "op", g->op);
    json_set_string(o, "variant", g->variant);
    json_set_number(o, "devices", g->devices);
    json_set_string(o, "hardware", g->hardware);
    json_set_string(o, "model", g->model);
    json_set_number(o, "n", (double)g->n);
    json_set_number(o, "median_error_frac", round(1e5 * k->median_error_frac) / 1e5);
    json_set(o, "table", table_json(&k->table));
    return o;
}

static const char *short_name(const struct op_samples *g, struct arena *a)
{
    return arena_printf(a, "%s%s%s%s", g->op, g->variant[0] != '\0' ? "[" : "", g->variant,
                        g->variant[0] != '\0' ? "]" : "");
}

/* A table rounds to what its values are worth: five digits, far below any error of it. */
static void round_values(struct table *t, struct arena *a)
{
    size_t n = table_nodes(t);
    double *v = arena_array(a, n, sizeof *v);

    for (size_t i = 0; i < n; i++) {
        char text[40];

        snprintf(text, sizeof text, "%.5g", t->value[i]);
        v[i] = strtod(text, NULL);
    }
    t->value = v;
    table_prepare(t, a);
}

static int add_table(struct fitting *f, const struct fit_info *info, const struct op_samples *g, int64_t trace,
                     struct err *err)
{
    struct knots_points p = points_of(g, f->a);
    struct knots_options o = {.bound_frac = f->bound_frac};
    const char *name = short_name(g, f->a), *path;
    struct json *ops = json_get_mutable(fitting_document(f), "ops");
    struct knots_fit k;

    if (knots_choose(&p, &o, f->a, &k, err) != 0)
        return err_at(err, "operator %s", name);
    round_values(&k.table, f->a);
    json_push(ops != NULL ? ops : json_set_array(fitting_document(f), "ops"), table_document(g, &k));
    path = arena_printf(f->a, "fits.%s.%s.%s@%d", f->target, info->param, name, g->devices);
    fitting_row(f, &(struct calibration_row){
                       .path = path,
                       .value = middle_time(&k.table),
                       .stderr_ = middle_time(&k.table) * k.fit.noise_frac / sqrt((double)g->n),
                       .unit = "s",
                       .n = (long)g->n,
                       .method = arena_printf(f->a, "%zu knots, at the middle", table_nodes(&k.table)),
                       .r2 = k.fit.r2,
                       .holdout_error_frac = k.fit.holdout_error_frac,
                       .valid_from = k.fit.valid_from,
                       .valid_to = k.fit.valid_to,
                       .valid_of = p.name[0]});
    fitting_suspects(f, name, &k.fit);
    fitting_bias(f, &k.fit);
    fitting_source(f, path,
                   &(struct rows_used){trace, "operator_costs", samples_describe(g, f->a), g->first, g->last,
                                       (long)g->n});
    return 0;
}

int recipe_operator_table(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                          struct err *err)
{
    struct op_samples *g;
    size_t n;

    *used = false;
    TRY(samples_operators(f->store, trace_id, f->where, f->a, &g, &n, err));
    for (size_t i = 0; i < n; i++) {
        if (g[i].axes_n == 0 || g[i].n < FEWEST) {
            fitting_remark(f, "note", "%s: %zu rows of one size make no table", short_name(&g[i], f->a), g[i].n);
            continue;
        }
        TRY(add_table(f, info, &g[i], trace_id, err));
        *used = true;
    }
    return 0;
}

/* ----------------------------------------------------------- collectives */

/*
 * A ring of n: every rank sends to its neighbour in so many steps, each with its share of the message
 * (Thakur, Rabenseifner, Gropp 2005).
 */
struct ring {
    double steps, share; /* share of the message that crosses one link */
};

static struct ring ring_of(const char *op, int devices)
{
    double n = devices;

    if (strcmp(op, "all_reduce") == 0)
        return (struct ring){2 * (n - 1), 2 * (n - 1) / n};
    if (strcmp(op, "send_recv") == 0 || devices < 2)
        return (struct ring){1, 1};
    return (struct ring){n - 1, (n - 1) / n};
}

/* t = steps * latency + share * bytes / bandwidth */
static int fit_link(const struct op_samples *g, struct arena *a, struct fit *out, struct err *err)
{
    static const char *const names[] = {"latency", "per_byte"}, *const units[] = {"s", "s"};
    struct ring ring = ring_of(g->op, g->devices);
    double *x = arena_array(a, 2 * g->n, sizeof *x);
    struct linear_data d = {
        .x = x, .y = g->time_s, .n = g->n, .k = 2, .name = names, .unit = units, .range_of = 1};
    struct linear_options o = {.noise = NOISE_RELATIVE, .huber = 3};
    struct fit_param *p;

    for (size_t i = 0; i < g->n; i++) {
        x[2 * i] = ring.steps;
        x[2 * i + 1] = ring.share * g->size[SIZE_BYTES][i];
    }
    TRY(linear_fit(&d, &o, out, err));
    p = &out->param[1];
    p->name = "bandwidth";
    p->unit = "bytes/s";
    if (!(p->value > 0)) {
        p->identifiable = false;
        return 0;
    }
    p->stderr_ /= p->value * p->value; /* of 1 / x */
    out->cov[0][1] /= -p->value * p->value;
    out->cov[1][0] = out->cov[0][1];
    p->value = 1 / p->value;
    out->cov[1][1] = p->stderr_ * p->stderr_;
    out->valid_from /= ring.share;
    out->valid_to /= ring.share;
    return 0;
}

int recipe_collective(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                      struct err *err)
{
    struct op_samples *g;
    size_t n, collectives = 0;

    *used = false;
    TRY(samples_operators(f->store, trace_id, f->where, f->a, &g, &n, err));
    for (size_t i = 0; i < n; i++)
        collectives += g[i].axes_n == 1 && g[i].axis[0] == SIZE_BYTES && g[i].n >= FEWEST;
    for (size_t i = 0; i < n; i++) {
        struct fit fit;
        const char *prefix = "kinds.link";

        if (g[i].axes_n != 1 || g[i].axis[0] != SIZE_BYTES || g[i].n < FEWEST)
            continue;
        if (fit_link(&g[i], f->a, &fit, err) != 0)
            return err_at(err, "operator %s", short_name(&g[i], f->a));
        if (collectives > 1) /* several: none of them is the link's */
            prefix = arena_printf(f->a, "fits.%s.%s@%d", f->target, short_name(&g[i], f->a), g[i].devices);
        fitting_fit(f, prefix, &fit, "bytes");
        TRY(add_table(f, info, &g[i], trace_id, err));
        *used = true;
    }
    return 0;
}
