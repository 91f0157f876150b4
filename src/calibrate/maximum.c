#include "calibrate/maximum.h"

#include <gsl/gsl_linalg.h>
#include <gsl/gsl_multimin.h>
#include <math.h>
#include <string.h>

enum { P = MAXIMUM_PARAMS, STEPS = 600 };

static const double STEP = 1e-3; /* of the Hessian, in logarithms */

struct climb {
    log_likelihood_fn *f;
    const void *ctx;
    double n;
};

static double downhill(const gsl_vector *theta, void *ctx)
{
    const struct climb *c = ctx;
    double v = -c->f(theta->data, c->ctx) / c->n;

    return isfinite(v) ? v : 1e10;
}

void maximum_climb(log_likelihood_fn *f, const void *ctx, size_t params, double n, double *theta)
{
    struct climb c = {f, ctx, n};
    gsl_multimin_fminimizer *m = gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, params);
    gsl_multimin_function down = {downhill, params, &c};
    gsl_vector_view x = gsl_vector_view_array(theta, params);
    gsl_vector *step = gsl_vector_alloc(params);

    for (int again = 0; again < 2; again++) {
        gsl_vector_set_all(step, again ? 0.02 : 0.2);
        gsl_multimin_fminimizer_set(m, &down, &x.vector, step);
        for (int i = 0; i < STEPS; i++)
            if (gsl_multimin_fminimizer_iterate(m) != 0 || gsl_multimin_fminimizer_size(m) < 1e-5)
                break;
        memcpy(theta, gsl_multimin_fminimizer_x(m)->data, params * sizeof *theta);
    }
    gsl_vector_free(step);
    gsl_multimin_fminimizer_free(m);
}

/* d2 f / d theta_i d theta_j from the four corners around theta; for i = j from its two sides. */
static double second_difference(log_likelihood_fn *f, const void *ctx, size_t params, const double *theta,
                                double f0, size_t i, size_t j)
{
    double at[4];

    for (int k = 0; k < 4; k++) {
        double t[P];

        memcpy(t, theta, params * sizeof *t);
        t[i] += k & 1 ? STEP : -STEP;
        t[j] += i == j ? 0 : k & 2 ? STEP : -STEP;
        at[k] = f(t, ctx);
    }
    return i == j ? (at[1] - 2 * f0 + at[0]) / (STEP * STEP)
                  : (at[3] - at[2] - at[1] + at[0]) / (4 * STEP * STEP);
}

bool maximum_information(log_likelihood_fn *f, const void *ctx, size_t params, const double *theta,
                         double cov[P][P])
{
    double a[P * P], f0 = f(theta, ctx);
    gsl_matrix_view m = gsl_matrix_view_array(a, params, params);

    for (size_t i = 0; i < params; i++)
        for (size_t j = 0; j <= i; j++) {
            double d = -second_difference(f, ctx, params, theta, f0, i, j);

            if (!isfinite(d))
                return false;
            a[i * params + j] = a[j * params + i] = d;
        }
    if (gsl_linalg_cholesky_decomp1(&m.matrix) != 0)
        return false;
    gsl_linalg_cholesky_invert(&m.matrix);
    for (size_t i = 0; i < params; i++)
        for (size_t j = 0; j < params; j++)
            cov[i][j] = a[i * params + j];
    return true;
}
