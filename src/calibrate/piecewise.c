#include "calibrate/piecewise.h"

#include "base/arena.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = 24 };

static const char *const names[] = {"fixed",  "slope1", "slope2", "slope3",
                                    "slope4", "slope5", "slope6", "slope7"};

/* How much of the segment [from, to] lies below x. */
static double share(double x, double from, double to)
{
    return x <= from ? 0 : fmin(x, to) - from;
}

static void columns(double x, const double *knot, int knots_n, double *row)
{
    row[0] = 1;
    for (int j = 0; j <= knots_n; j++)
        row[1 + j] = share(x, j == 0 ? 0 : knot[j - 1], j == knots_n ? INFINITY : knot[j]);
}

struct points {
    const double *x, *y, *weight;
    size_t n;
    double *rows; /* room for n rows */
    const struct linear_options *o;
};

static int fit_at(const struct points *p, const double *knot, int knots_n, struct fit *out, struct err *err)
{
    size_t k = (size_t)knots_n + 2;
    struct linear_data d = {
        .x = p->rows, .y = p->y, .weight = p->weight, .n = p->n, .k = k, .name = names, .range_of = 0};

    for (size_t i = 0; i < p->n; i++)
        columns(p->x[i], knot, knots_n, p->rows + i * k);
    TRY(linear_fit(&d, p->o, out, err));
    out->valid_from = INFINITY;
    out->valid_to = -INFINITY;
    for (size_t i = 0; i < p->n; i++) {
        out->valid_from = fmin(out->valid_from, p->x[i]);
        out->valid_to = fmax(out->valid_to, p->x[i]);
    }
    return 0;
}

/* Schwarz's criterion: -2 ln likelihood + ln n per parameter; a knot is two, its place and its slope. */
static double criterion(const struct points *p, const double *knot, int knots_n, const struct fit *f)
{
    double mean_y = 0, jacobian = 0, n = (double)p->n, sd, row[LINEAR_KNOTS + 2];

    for (size_t i = 0; i < p->n; i++) {
        mean_y += p->y[i] / n;
        columns(p->x[i], knot, knots_n, row);
        jacobian += log(fmax(linear_predict(f, row), 1e-300));
    }
    if (p->o->noise == NOISE_CONSTANT) /* noise_frac is relative to the mean */
        jacobian = n * log(fmax(fabs(mean_y), 1e-300));
    sd = fmax(f->noise_frac, 1e-9) * sqrt((n - f->params_n) / n);
    return 2 * n * log(sd) + 2 * jacobian + log(n) * (2 + 2 * knots_n);
}

/* Places for knots: quantiles of the distinct x, ends apart, so that each segment has points on both sides.
 */
static int candidates(const struct points *p, double *at)
{
    double *x = xcalloc(p->n, sizeof *x);
    size_t distinct = 0;
    int n = 0;

    memcpy(x, p->x, p->n * sizeof *x);
    gsl_sort(x, 1, p->n);
    for (size_t i = 0; i < p->n; i++)
        if (distinct == 0 || x[i] > x[distinct - 1])
            x[distinct++] = x[i];
    for (int c = 1; c <= CANDIDATES && distinct > 4; c++) {
        double place = x[1 + (size_t)((double)(distinct - 3) * c / (CANDIDATES + 1))];

        if (n == 0 || place > at[n - 1])
            at[n++] = place;
    }
    free(x);
    return n;
}

static void insert(const double *knot, int n, double place, double *out)
{
    int i = 0;

    for (; i < n && knot[i] < place; i++)
        out[i] = knot[i];
    out[i] = place;
    memcpy(out + i + 1, knot + i, (size_t)(n - i) * sizeof *knot);
}

/* One more knot where the criterion falls most; false: nowhere. */
static bool add_knot(const struct points *p, const double *place, int places, struct piecewise *out,
                     double *best)
{
    double with[LINEAR_KNOTS], chosen = 0;
    bool found = false;
    struct err ignored = {0};

    for (int c = 0; c < places; c++) {
        struct fit f;
        double value;
        bool taken = false;

        for (int i = 0; i < out->knots_n; i++)
            taken = taken || out->knot[i] == place[c];
        if (taken || (size_t)out->knots_n + 3 >= p->n)
            continue;
        insert(out->knot, out->knots_n, place[c], with);
        if (fit_at(p, with, out->knots_n + 1, &f, &ignored) != 0)
            continue;
        value = criterion(p, with, out->knots_n + 1, &f);
        if (value < *best) {
            *best = value;
            chosen = place[c];
            found = true;
        }
    }
    if (found) {
        insert(out->knot, out->knots_n, chosen, with);
        memcpy(out->knot, with, (size_t)++out->knots_n * sizeof *with);
    }
    return found;
}

static void choose(const struct points *p, int most, struct piecewise *out)
{
    double place[CANDIDATES], best = criterion(p, NULL, 0, &out->fit);
    int places = candidates(p, place);

    while (out->knots_n < most && add_knot(p, place, places, out, &best))
        ;
}

int piecewise_fit(const double *x, const double *y, const double *weight, size_t n, const double *knots,
                  int knots_n, const struct linear_options *o, struct piecewise *out, struct err *err)
{
    struct linear_options quick = *o;
    struct points p = {x, y, weight, n, NULL, &quick};
    int rc;

    ASSERT(knots_n >= 0 && knots_n <= LINEAR_KNOTS);
    *out = (struct piecewise){.knots_n = 0};
    p.rows = xcalloc(n * (LINEAR_KNOTS + 2), sizeof *p.rows);
    quick.resamples = 2; /* while choosing, only the values matter */
    rc = fit_at(&p, NULL, 0, &out->fit, err);
    if (rc == 0 && knots != NULL) {
        memcpy(out->knot, knots, (size_t)knots_n * sizeof *knots);
        out->knots_n = knots_n;
    } else if (rc == 0) {
        choose(&p, knots_n, out);
    }
    p.o = o;
    if (rc == 0)
        rc = fit_at(&p, out->knot, out->knots_n, &out->fit, err);
    free(p.rows);
    return rc;
}

double piecewise_predict(const struct piecewise *p, double x)
{
    double row[LINEAR_KNOTS + 2];

    columns(x, p->knot, p->knots_n, row);
    return linear_predict(&p->fit, row);
}
