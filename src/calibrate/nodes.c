#include "calibrate/nodes.h"

#include "base/arena.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PENALTY = 1e-6, FLATNESS = 1e-9;

enum { DYKSTRA_ROUNDS = 200 };

void nodes_init(struct nodes *s, const struct knots_points *p)
{
    double *v = xcalloc(p->n, sizeof *v), *w = xcalloc(p->n, sizeof *w), sum = 0;

    *s = (struct nodes){.p = p, .v = v, .w = w, .clip = INFINITY};
    for (size_t i = 0; i < p->n; i++) {
        v[i] = scale_to(p->value_scale, p->y[i]);
        w[i] = p->weight != NULL ? p->weight[i] : 1;
        sum += w[i] / (double)p->n;
    }
    for (size_t i = 0; i < p->n; i++)
        w[i] /= sum;
    s->residual = xcalloc(p->n, sizeof(double));
    s->left_residual = xcalloc(p->n, sizeof(double));
    s->leverage = xcalloc(p->n, sizeof(double));
    s->z = xcalloc(KNOTS_NODES_MAX, sizeof(double));
    s->variance = xcalloc(KNOTS_NODES_MAX, sizeof(double));
    s->supported = xcalloc(KNOTS_NODES_MAX, sizeof(bool));
}

void nodes_fini(struct nodes *s)
{
    free((double *)s->v);
    free((double *)s->w);
    free(s->residual);
    free(s->left_residual);
    free(s->leverage);
    free(s->z);
    free(s->variance);
    free(s->supported);
}

static bool left_out(const struct nodes *s, size_t i)
{
    return s->skip_every > 0 && i % (size_t)s->skip_every == (size_t)s->skip_every - 1;
}

/* ------------------------------------------------------------------------------------ the band matrix */

struct band {
    size_t n, width; /* element (r, c), r >= c, r - c <= width, stands at a[c * (width + 1) + r - c] */
    double *a, *b;
};

static void add_to(struct band *m, size_t r, size_t c, double x)
{
    if (r < c)
        return;
    m->a[c * (m->width + 1) + (r - c)] += x;
}

/* (sum of coef * z[node])^2 times `weight`. */
static void add_square(struct band *m, const size_t *node, const double *coef, int n, double weight)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            add_to(m, node[i], node[j], weight * coef[i] * coef[j]);
}

static size_t stride(const struct table *t, int axis)
{
    size_t s = 1;

    for (int i = axis + 1; i < t->axes_n; i++)
        s *= t->axis[i].n;
    return s;
}

/* Each node is to lie on the line between its neighbours, much more weakly at the level of the next. */
static void add_penalty(struct band *m, const struct table *t)
{
    for (int a = 0; a < t->axes_n; a++) {
        size_t s = stride(t, a), n = t->axis[a].n;
        const double *u = t->axis[a].u;

        for (size_t j = 0; j < m->n; j++) {
            size_t k = j / s % n;

            if (k + 1 < n)
                add_square(m, (const size_t[]){j, j + s}, (const double[]){-1, 1}, 2, FLATNESS);
            if (k + 2 < n) {
                double f = (u[k + 1] - u[k]) / (u[k + 2] - u[k]);

                add_square(m, (const size_t[]){j, j + s, j + 2 * s}, (const double[]){f - 1, 1, -f}, 3,
                           PENALTY);
            }
        }
    }
}

static void add_points(struct nodes *s, const struct table *t, struct band *m)
{
    memset(s->supported, 0, m->n * sizeof *s->supported);
    for (size_t i = 0; i < s->p->n; i++) {
        size_t node[8];
        double c[8];
        bool outside;
        int n;

        if (left_out(s, i))
            continue;
        n = table_corners(t, s->p->x + i * (size_t)t->axes_n, node, c, &outside);
        add_square(m, node, c, n, s->w[i]);
        for (int k = 0; k < n; k++) {
            m->b[node[k]] += s->w[i] * c[k] * s->v[i];
            s->supported[node[k]] = true;
        }
    }
}

static struct band normal_equations(struct nodes *s, const struct table *t)
{
    struct band m = {.n = table_nodes(t)};

    for (int a = 0; a < t->axes_n;
         a++) { /* the furthest corner of a cell, or the next but one along an axis */
        m.width += t->axis[a].n > 1 ? stride(t, a) : 0;
        if (t->axis[a].n > 2 && 2 * stride(t, a) > m.width)
            m.width = 2 * stride(t, a);
    }
    m.width = m.width < m.n ? m.width : m.n - 1;
    m.a = xcalloc(m.n * (m.width + 1), sizeof *m.a);
    m.b = xcalloc(m.n, sizeof *m.b);
    add_points(s, t, &m);
    add_penalty(&m, t);
    return m;
}

/* ------------------------------------------------------------------------------------------- monotone */

/* Pool adjacent violators on a line of n values `step` apart. */
static void pool_violators(double *z, const double *weight, size_t n, size_t step)
{
    double mean[KNOTS_NODES_MAX], mass[KNOTS_NODES_MAX];
    size_t length[KNOTS_NODES_MAX], blocks = 0, at = 0;

    for (size_t i = 0; i < n; i++) {
        mean[blocks] = z[i * step];
        mass[blocks] = weight[i * step];
        length[blocks++] = 1;
        while (blocks > 1 && mean[blocks - 2] > mean[blocks - 1]) {
            double sum = mass[blocks - 2] + mass[blocks - 1];

            mean[blocks - 2] =
                (mean[blocks - 2] * mass[blocks - 2] + mean[blocks - 1] * mass[blocks - 1]) / sum;
            mass[blocks - 2] = sum;
            length[blocks - 2] += length[blocks - 1];
            blocks--;
        }
    }
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = 0; i < length[b]; i++)
            z[at++ * step] = mean[b];
}

static void pool_axis(double *z, const double *weight, const struct table *t, int axis)
{
    size_t s = stride(t, axis), n = t->axis[axis].n, nodes = table_nodes(t);

    for (size_t j = 0; j < nodes; j++)
        if (j / s % n == 0)
            pool_violators(z + j, weight + j, n, s);
}

/* Dykstra's alternating projections: what a projection moved is given back before its next turn. */
static void make_monotone(const struct nodes *s, const struct table *t, double *z, const double *weight)
{
    size_t n = table_nodes(t);
    double *moved = xcalloc(n * TABLE_AXES, sizeof *moved), *before = xcalloc(n, sizeof *before), change = 1;

    for (int round = 0; round < DYKSTRA_ROUNDS && change > 1e-12; round++) {
        change = 0;
        for (int a = 0; a < t->axes_n; a++) {
            double *give = moved + (size_t)a * n;

            if (!s->p->rising[a])
                continue;
            for (size_t j = 0; j < n; j++)
                before[j] = z[j] + give[j];
            memcpy(z, before, n * sizeof *z);
            pool_axis(z, weight, t, a);
            for (size_t j = 0; j < n; j++) {
                change = fmax(change, fabs(before[j] - z[j] - give[j]));
                give[j] = before[j] - z[j];
            }
        }
    }
    free(before);
    free(moved);
}

/* ------------------------------------------------------------------------------------------- the fit */

static void find_residuals(struct nodes *s, const struct table *t)
{
    s->rss = s->clipped = 0;
    for (size_t i = 0; i < s->p->n; i++) {
        size_t node[8];
        double c[8];
        bool outside;
        int n = table_corners(t, s->p->x + i * (size_t)t->axes_n, node, c, &outside);

        s->residual[i] = s->v[i];
        for (int k = 0; k < n; k++)
            s->residual[i] -= c[k] * s->z[node[k]];
        if (left_out(s, i))
            continue;
        s->rss += s->w[i] * s->residual[i] * s->residual[i];
        s->clipped += s->w[i] * pow(fmin(fabs(s->residual[i]), s->clip), 2);
    }
}

static void find_leverages(struct nodes *s, const struct table *t, const gsl_matrix *inverse)
{
    double trace = 0;

    for (size_t i = 0; i < s->p->n; i++) {
        size_t node[8];
        double c[8], h = 0;
        bool outside;
        int n = table_corners(t, s->p->x + i * (size_t)t->axes_n, node, c, &outside);

        for (int j = 0; j < n; j++)
            for (int k = 0; k < n; k++)
                h += c[j] * c[k] * gsl_matrix_get(inverse, node[j], node[k]);
        s->leverage[i] = left_out(s, i) ? 0 : h * s->w[i];
        s->left_residual[i] = s->residual[i] / fmax(1 - s->leverage[i], 1e-12);
        trace += s->leverage[i];
    }
    for (size_t j = 0; j < table_nodes(t); j++)
        s->variance[j] = gsl_matrix_get(inverse, j, j);
    s->noise = (double)s->p->n - trace > 0.5 ? sqrt(s->rss / ((double)s->p->n - trace)) : NAN;
}

static bool any_rising(const struct nodes *s, const struct table *t)
{
    bool any = false;

    for (int a = 0; a < t->axes_n; a++)
        any = any || s->p->rising[a];
    return any;
}

/* The leave-one-out residuals move with the values. */
static void project(struct nodes *s, const struct table *t, const double *weight)
{
    for (size_t i = 0; i < s->p->n; i++)
        s->left_residual[i] -= s->residual[i];
    make_monotone(s, t, s->z, weight);
    find_residuals(s, t);
    for (size_t i = 0; i < s->p->n; i++)
        s->left_residual[i] += s->residual[i];
}

bool nodes_fit(struct nodes *s, const struct table *t, bool thorough)
{
    struct band m = normal_equations(s, t);
    gsl_matrix_view a = gsl_matrix_view_array(m.a, m.n, m.width + 1);
    gsl_vector_view z = gsl_vector_view_array(s->z, m.n);
    double *weight = xcalloc(m.n, sizeof *weight);
    bool ok;

    for (size_t j = 0; j < m.n; j++)
        weight[j] = m.a[j * (m.width + 1)];
    memcpy(s->z, m.b, m.n * sizeof *s->z);
    ok = gsl_linalg_cholesky_band_decomp(&a.matrix) == 0 &&
         gsl_linalg_cholesky_band_svx(&a.matrix, &z.vector) == 0;
    if (ok)
        find_residuals(s, t);
    if (ok && thorough) {
        gsl_matrix *inverse = gsl_matrix_alloc(m.n, m.n);

        gsl_linalg_cholesky_band_invert(&a.matrix, inverse);
        find_leverages(s, t, inverse);
        gsl_matrix_free(inverse);
    }
    if (ok && thorough && any_rising(s, t))
        project(s, t, weight);
    free(weight);
    free(m.b);
    free(m.a);
    return ok;
}
