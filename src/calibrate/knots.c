#include "calibrate/knots.h"

#include "base/arena.h"
#include "calibrate/nodes.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOLD_OUT_EVERY = 5, WORST_CELLS = 3, PATIENCE = 8 };

/* The knots under discussion; `at` has room for KNOTS_NODES_MAX each. */
struct grid {
    size_t n[TABLE_AXES];
    double *at[TABLE_AXES], *u[TABLE_AXES];
};

struct choosing {
    const struct knots_points *p;
    double quantile, bound;
    size_t nodes_max, axis_max;
    struct nodes nodes;
    struct grid grid;
    double *error; /* leave-one-out, relative, of the points that count */
    size_t counted;
    double mean_y;
};

/* ---------------------------------------------------------------------------------------------- the grid */

static void grid_init(struct grid *g, int axes_n)
{
    for (int a = 0; a < axes_n; a++) {
        g->at[a] = xcalloc(KNOTS_NODES_MAX, sizeof(double));
        g->u[a] = xcalloc(KNOTS_NODES_MAX, sizeof(double));
    }
}

static void grid_fini(struct grid *g, int axes_n)
{
    for (int a = 0; a < axes_n; a++) {
        free(g->at[a]);
        free(g->u[a]);
    }
}

static void grid_copy(struct grid *to, const struct grid *from, int axes_n)
{
    for (int a = 0; a < axes_n; a++) {
        to->n[a] = from->n[a];
        memcpy(to->at[a], from->at[a], from->n[a] * sizeof(double));
        memcpy(to->u[a], from->u[a], from->n[a] * sizeof(double));
    }
}

static void grid_insert(struct grid *g, int axis, double x, enum scale scale)
{
    size_t i = g->n[axis]++;

    for (; i > 0 && g->at[axis][i - 1] > x; i--) {
        g->at[axis][i] = g->at[axis][i - 1];
        g->u[axis][i] = g->u[axis][i - 1];
    }
    g->at[axis][i] = x;
    g->u[axis][i] = scale_to(scale, x);
}

static void grid_remove(struct grid *g, int axis, size_t i)
{
    size_t rest = --g->n[axis] - i;

    memmove(g->at[axis] + i, g->at[axis] + i + 1, rest * sizeof(double));
    memmove(g->u[axis] + i, g->u[axis] + i + 1, rest * sizeof(double));
}

static size_t grid_nodes(const struct grid *g, int axes_n)
{
    size_t n = 1;

    for (int a = 0; a < axes_n; a++)
        n *= g->n[a];
    return n;
}

/* A table that borrows the grid; without values. */
static struct table grid_table(const struct choosing *c)
{
    struct table t = {.axes_n = c->p->axes_n, .scale = c->p->value_scale, .error_frac = NAN};

    for (int a = 0; a < t.axes_n; a++)
        t.axis[a] =
            (struct table_axis){c->p->name[a], c->p->scale[a], c->grid.n[a], c->grid.at[a], c->grid.u[a]};
    return t;
}

/* ------------------------------------------------------------------------------------ leave-one-out error */

static bool at_edge(const struct choosing *c, size_t i)
{
    for (int a = 0; a < c->p->axes_n; a++) {
        double x = c->p->x[i * (size_t)c->p->axes_n + (size_t)a];

        if (c->grid.n[a] > 1 && (x <= c->grid.at[a][0] || x >= c->grid.at[a][c->grid.n[a] - 1]))
            return true;
    }
    return false;
}

static double relative(const struct choosing *c, double residual)
{
    return c->p->value_scale == SCALE_LOG ? expm1(fabs(residual)) : fabs(residual) / c->mean_y;
}

static double quantile_of(const struct choosing *c, double q)
{
    return c->counted > 0 ? gsl_stats_quantile_from_sorted_data(c->error, 1, c->counted, q) : 0;
}

/* Fits the grid as it stands; the error at the quantile asked for. */
static double judge(struct choosing *c)
{
    struct table t = grid_table(c);

    c->counted = 0;
    if (!nodes_fit(&c->nodes, &t, true))
        return INFINITY;
    for (size_t i = 0; i < c->p->n; i++) {
        double h = c->nodes.leverage[i];

        if (h > 0.5 && at_edge(c, i))
            continue;
        c->error[c->counted++] = relative(c, c->nodes.left_residual[i]);
    }
    gsl_sort(c->error, 1, c->counted);
    return quantile_of(c, c->quantile);
}

/* ------------------------------------------------------------------------------------------ where to add */

struct cell {
    int axis;
    double rss, place;
};

/* The place within (from, to) that halves the squared residuals, on a measured coordinate; NAN: none inside.
 */
static double halving_place(const struct choosing *c, int axis, double from, double to, double *rss)
{
    size_t k = 0, stride = (size_t)c->p->axes_n;
    double *x = xcalloc(c->p->n, sizeof *x), *r = xcalloc(c->p->n, sizeof *r), sum = 0, place = NAN;

    *rss = 0;
    for (size_t i = 0; i < c->p->n; i++) {
        double at = c->p->x[i * stride + (size_t)axis];

        if (at > from && at < to) {
            x[k] = at;
            r[k] = c->nodes.w[i] * pow(fmin(fabs(c->nodes.residual[i]), c->nodes.clip), 2);
            *rss += r[k++];
        }
    }
    gsl_sort2(x, 1, r, 1, k);
    for (size_t i = 0; i < k && isnan(place); i++)
        if ((sum += r[i]) >= *rss / 2)
            place = x[i];
    free(r);
    free(x);
    return place;
}

/* The cells of all axes with the largest residuals, WORST_CELLS of each. */
static int worst_cells(const struct choosing *c, struct cell *out)
{
    int n = 0;

    for (int a = 0; a < c->p->axes_n; a++) {
        int first = n;

        if (c->grid.n[a] >= c->axis_max)
            continue;
        for (size_t k = 0; k + 1 < c->grid.n[a]; k++) {
            struct cell cell = {.axis = a};
            int i;

            cell.place = halving_place(c, a, c->grid.at[a][k], c->grid.at[a][k + 1], &cell.rss);
            if (isnan(cell.place))
                continue;
            for (i = n; i > first && out[i - 1].rss < cell.rss; i--)
                if (i - first < WORST_CELLS)
                    out[i] = out[i - 1];
            if (i - first < WORST_CELLS) {
                out[i] = cell;
                n += n - first < WORST_CELLS;
            }
        }
    }
    return n;
}

/* Adds the knot that leaves least unexplained; false: there is no place or no room. */
static bool add_knot(struct choosing *c)
{
    struct cell cell[TABLE_AXES * WORST_CELLS];
    int n = worst_cells(c, cell), best = -1;
    double least = INFINITY;

    for (int i = 0; i < n; i++) {
        int a = cell[i].axis;
        struct table t;
        size_t k = 0;

        if (grid_nodes(&c->grid, c->p->axes_n) / c->grid.n[a] * (c->grid.n[a] + 1) > c->nodes_max)
            continue;
        grid_insert(&c->grid, a, cell[i].place, c->p->scale[a]);
        t = grid_table(c);
        if (nodes_fit(&c->nodes, &t, false) && c->nodes.clipped < least) {
            least = c->nodes.clipped;
            best = i;
        }
        while (c->grid.at[a][k] != cell[i].place)
            k++;
        grid_remove(&c->grid, a, k);
    }
    if (best >= 0)
        grid_insert(&c->grid, cell[best].axis, cell[best].place, c->p->scale[cell[best].axis]);
    return best >= 0;
}

/* Beyond three robust standard deviations (and the bound) a residual says nothing about where knots are
 * needed. */
static void set_clip(struct choosing *c)
{
    double *r = xcalloc(c->p->n, sizeof *r), unit = c->p->value_scale == SCALE_LOG ? 1 : c->mean_y;

    for (size_t i = 0; i < c->p->n; i++)
        r[i] = fabs(c->nodes.residual[i]);
    c->nodes.clip = fmax(3 * 1.4826 * gsl_stats_median(r, 1, c->p->n), c->bound * unit);
    free(r);
}

/* Begins with the ends of each axis and adds until the error is below the bound or does not fall any more. */
static double grow(struct choosing *c)
{
    struct grid best = {0};
    double error = judge(c), least = error;
    int waited = 0;

    grid_init(&best, c->p->axes_n);
    grid_copy(&best, &c->grid, c->p->axes_n);
    while (error > c->bound && waited < PATIENCE && add_knot(c)) {
        error = judge(c);
        set_clip(c);
        waited = error < least * 0.999 ? 0 : waited + 1;
        if (error < least) {
            least = error;
            grid_copy(&best, &c->grid, c->p->axes_n);
        }
    }
    grid_copy(&c->grid, &best, c->p->axes_n);
    grid_fini(&best, c->p->axes_n);
    return least;
}

/* Removes inner knots without which the error stays below the bound (or what was reached). */
static void prune(struct choosing *c, double reached)
{
    double allowed = fmax(c->bound, reached);

    for (int a = 0; a < c->p->axes_n; a++)
        for (size_t k = 1; k + 1 < c->grid.n[a];) {
            double x = c->grid.at[a][k];

            grid_remove(&c->grid, a, k);
            if (judge(c) <= allowed)
                continue;
            grid_insert(&c->grid, a, x, c->p->scale[a]);
            k++;
        }
}

/* -------------------------------------------------------------------------------------------- the result */

static void write_table(const struct choosing *c, struct arena *a, struct knots_fit *out)
{
    struct table t = grid_table(c);
    size_t nodes = table_nodes(&t);
    double *value = arena_array(a, nodes, sizeof *value), *stderr_ = arena_array(a, nodes, sizeof *stderr_);
    bool *supported = arena_array(a, nodes, sizeof *supported), all = true;

    for (int i = 0; i < t.axes_n; i++) {
        double *at = arena_array(a, t.axis[i].n, sizeof *at);

        memcpy(at, t.axis[i].at, t.axis[i].n * sizeof *at);
        t.axis[i].at = at;
        t.axis[i].name = arena_strdup(a, t.axis[i].name);
    }
    for (size_t j = 0; j < nodes; j++) {
        double s = c->nodes.noise * sqrt(c->nodes.variance[j]);

        value[j] = scale_from(t.scale, c->nodes.z[j]);
        supported[j] = c->nodes.supported[j];
        all = all && supported[j];
        stderr_[j] = !supported[j] ? INFINITY : t.scale == SCALE_LOG ? value[j] * s : s;
    }
    t.value = value;
    t.supported = all ? NULL : supported;
    t.error_frac = out->error_frac;
    table_prepare(&t, a);
    out->table = t;
    out->stderr_ = stderr_;
}

static void hold_out(struct choosing *c, struct fit *f)
{
    struct table t = grid_table(c);
    double *predicted = xcalloc(c->p->n, sizeof *predicted), *measured = xcalloc(c->p->n, sizeof *measured);
    size_t n = 0;

    c->nodes.skip_every = HOLD_OUT_EVERY;
    if (nodes_fit(&c->nodes, &t, false))
        for (size_t i = HOLD_OUT_EVERY - 1; i < c->p->n; i += HOLD_OUT_EVERY) {
            predicted[n] = scale_from(c->p->value_scale, c->nodes.v[i] - c->nodes.residual[i]);
            measured[n++] = c->p->y[i];
        }
    c->nodes.skip_every = 0;
    fit_held_out(f, predicted, measured, n);
    free(measured);
    free(predicted);
}

static double r_squared(const struct choosing *c)
{
    double mean = 0, total = 0;

    for (size_t i = 0; i < c->p->n; i++)
        mean += c->nodes.w[i] * c->nodes.v[i] / (double)c->p->n;
    for (size_t i = 0; i < c->p->n; i++)
        total += c->nodes.w[i] * (c->nodes.v[i] - mean) * (c->nodes.v[i] - mean);
    return total > 0 ? 1 - c->nodes.rss / total : NAN;
}

static void say_doubts(const struct choosing *c, struct knots_fit *out)
{
    size_t missing = 0;

    for (size_t j = 0; j < table_nodes(&out->table); j++)
        missing += out->table.supported != NULL && !out->table.supported[j];
    if (!out->met)
        fit_suspect(&out->fit,
                    "the leave-one-out error stays at %.3g where %.3g was asked: what is left is noise, or "
                    "steps finer than the points",
                    out->error_frac, c->bound);
    if (missing > 0)
        fit_suspect(&out->fit, "%zu of %zu nodes have no measurement near them; the table is outside there",
                    missing, table_nodes(&out->table));
    if (c->counted == 0)
        fit_suspect(&out->fit, "every point holds an edge of the table alone: the error is not known");
}

static void finish(struct choosing *c, struct arena *a, struct knots_fit *out)
{
    struct fit *f = &out->fit;

    *out = (struct knots_fit){.fit = fit_begin("interpolation table")};
    hold_out(c, f);
    out->error_frac = judge(c);
    out->median_error_frac = quantile_of(c, 0.5);
    out->worst_error_frac = quantile_of(c, 1);
    if (c->counted == 0)
        out->error_frac = out->median_error_frac = out->worst_error_frac = NAN;
    out->met = out->error_frac <= c->bound;
    write_table(c, a, out);
    f->n = (long)c->p->n;
    f->r2 = r_squared(c);
    f->noise_frac = c->p->value_scale == SCALE_LOG ? c->nodes.noise : c->nodes.noise / c->mean_y;
    f->valid_from = c->grid.at[0][0];
    f->valid_to = c->grid.at[0][c->grid.n[0] - 1];
    say_doubts(c, out);
}

/* --------------------------------------------------------------------------------------------- the doors */

static bool fits_scale(enum scale s, double x)
{
    return isfinite(x) && (s == SCALE_LINEAR || (s == SCALE_LOG && x > 0) || (s == SCALE_LOG1P && x > -1));
}

static int check(const struct knots_points *p, struct err *err)
{
    ASSERT(p->axes_n >= 1 && p->axes_n <= TABLE_AXES && p->value_scale != SCALE_LOG1P);
    if (p->n == 0)
        return err_set(err, ERR_FAILED, "no points for a table");
    for (size_t i = 0; i < p->n; i++) {
        if (!fits_scale(p->value_scale, p->y[i]))
            return err_set(err, ERR_FAILED, "point %zu: the value is %g; it must be %s", i, p->y[i],
                           p->value_scale == SCALE_LOG ? "above 0" : "finite");
        for (int a = 0; a < p->axes_n; a++)
            if (!fits_scale(p->scale[a], p->x[i * (size_t)p->axes_n + (size_t)a]))
                return err_set(err, ERR_FAILED, "point %zu: %s is %g, which its scale cannot take", i,
                               p->name[a], p->x[i * (size_t)p->axes_n + (size_t)a]);
    }
    return 0;
}

static void choosing_init(struct choosing *c, const struct knots_points *p)
{
    *c = (struct choosing){.p = p, .quantile = 0.95, .bound = INFINITY};
    grid_init(&c->grid, p->axes_n);
    nodes_init(&c->nodes, p);
    c->error = xcalloc(p->n, sizeof *c->error);
    for (size_t i = 0; i < p->n; i++)
        c->mean_y += fabs(p->y[i]) / (double)p->n;
    c->mean_y = fmax(c->mean_y, 1e-300);
}

static void choosing_fini(struct choosing *c)
{
    free(c->error);
    nodes_fini(&c->nodes);
    grid_fini(&c->grid, c->p->axes_n);
}

static void start_with_ends(struct choosing *c)
{
    for (int a = 0; a < c->p->axes_n; a++) {
        double lo = INFINITY, hi = -INFINITY;

        for (size_t i = 0; i < c->p->n; i++) {
            double x = c->p->x[i * (size_t)c->p->axes_n + (size_t)a];

            lo = fmin(lo, x);
            hi = fmax(hi, x);
        }
        grid_insert(&c->grid, a, lo, c->p->scale[a]);
        if (hi > lo)
            grid_insert(&c->grid, a, hi, c->p->scale[a]);
    }
}

int knots_choose(const struct knots_points *p, const struct knots_options *o, struct arena *a,
                 struct knots_fit *out, struct err *err)
{
    struct choosing c;

    TRY(check(p, err));
    choosing_init(&c, p);
    c.bound = o->bound_frac;
    c.quantile = o->quantile > 0 ? fmin(o->quantile, 1) : 0.95;
    c.nodes_max = o->nodes_max > 0 && o->nodes_max < KNOTS_NODES_MAX ? o->nodes_max : KNOTS_NODES_MAX;
    c.axis_max = o->axis_max > 0 ? o->axis_max : KNOTS_NODES_MAX;
    start_with_ends(&c);
    prune(&c, grow(&c));
    finish(&c, a, out);
    choosing_fini(&c);
    return 0;
}

int knots_at(const struct knots_points *p, const double *const *at, const size_t *n, struct arena *a,
             struct knots_fit *out, struct err *err)
{
    struct choosing c;

    TRY(check(p, err));
    choosing_init(&c, p);
    for (int i = 0; i < p->axes_n; i++)
        for (size_t k = 0; k < n[i]; k++)
            grid_insert(&c.grid, i, at[i][k], p->scale[i]);
    ASSERT(grid_nodes(&c.grid, p->axes_n) <= KNOTS_NODES_MAX);
    finish(&c, a, out);
    choosing_fini(&c);
    return 0;
}
