#include "study/replay/tools.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double tools_quantile(const double *x, size_t n, double q)
{
    double *sorted, place = q * (double)(n > 0 ? n - 1 : 0), value;
    size_t i = (size_t)place;

    if (n == 0)
        return NAN;
    sorted = xmalloc(n * sizeof *sorted);
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    value = i + 1 < n ? sorted[i] + (place - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
    free(sorted);
    return value;
}

double tools_median(const double *x, size_t n)
{
    return tools_quantile(x, n, 0.5);
}

struct tools_spread tools_spread(const double *predicted, const double *measured, size_t n, struct arena *a)
{
    double *e = arena_array(a, n + 1, sizeof *e);

    for (size_t i = 0; i < n; i++)
        e[i] = log(measured[i] / predicted[i]);
    return (struct tools_spread){tools_quantile(e, n, 0.5 - REPLAY_LEVEL / 2),
                                 tools_quantile(e, n, 0.5 + REPLAY_LEVEL / 2), n};
}

void tools_widen(struct tools_spread *s, size_t groups)
{
    double by = groups > 0 ? sqrt(1 + 1 / (double)groups) : 1;

    s->lo *= by;
    s->hi *= by;
}

struct estimate tools_estimate(double mean, const struct tools_spread *s)
{
    struct estimate e = estimate_exact(mean);

    e.has_pred = s->n > 0;
    e.pred_lo = mean * exp(s->lo);
    e.pred_hi = mean * exp(s->hi);
    return e;
}

struct objective {
    tools_objective *f;
    void *ctx;
};

static double call(const gsl_vector *v, void *params)
{
    const struct objective *o = params;

    return o->f(v->data, o->ctx); /* a vector made by gsl_vector_alloc has stride 1 */
}

int tools_minimize(tools_objective *f, void *ctx, double *x, size_t n, double step, int iterations,
                   struct err *err)
{
    struct objective o = {f, ctx};
    gsl_multimin_function fn = {call, n, &o};
    gsl_multimin_fminimizer *m = gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, n);
    gsl_vector *at = gsl_vector_alloc(n), *size = gsl_vector_alloc(n);
    int status;

    memcpy(at->data, x, n * sizeof *x);
    gsl_vector_set_all(size, step);
    status = gsl_multimin_fminimizer_set(m, &fn, at, size);
    for (int i = 0; i < iterations && status == GSL_SUCCESS; i++)
        if (gsl_multimin_test_size(gsl_multimin_fminimizer_size(m), 1e-6) == GSL_SUCCESS ||
            (status = gsl_multimin_fminimizer_iterate(m)) == GSL_ENOPROG)
            break;
    if (status == GSL_SUCCESS || status == GSL_ENOPROG)
        memcpy(x, gsl_multimin_fminimizer_x(m)->data, n * sizeof *x);
    gsl_multimin_fminimizer_free(m);
    gsl_vector_free(at);
    gsl_vector_free(size);
    return status == GSL_SUCCESS || status == GSL_ENOPROG
               ? 0
               : err_set(err, ERR_FAILED, "the fit failed: %s", gsl_strerror(status));
}

double tools_interpolate(const double *x, const double *y, size_t n, double at)
{
    size_t i = 0;

    if (n == 1)
        return y[0];
    while (i + 2 < n && at > x[i + 1])
        i++;
    return y[i] + (y[i + 1] - y[i]) * (at - x[i]) / (x[i + 1] - x[i]);
}
