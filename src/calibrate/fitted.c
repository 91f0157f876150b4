#include "calibrate/fitted.h"

#include "base/arena.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fit fit_begin(const char *method)
{
    return (struct fit){.method = method,
                        .r2 = NAN,
                        .ks = NAN,
                        .noise_frac = NAN,
                        .holdout_error_frac = NAN,
                        .holdout_bias_frac = NAN,
                        .valid_from = NAN,
                        .valid_to = NAN};
}

struct fit_param *fit_add(struct fit *f, const char *name, const char *unit, double value, double stderr_,
                          double t, double least)
{
    struct fit_param *p = &f->param[f->params_n];

    ASSERT(f->params_n < FIT_PARAMS);
    *p = (struct fit_param){.name = name,
                            .unit = unit,
                            .value = value,
                            .stderr_ = stderr_,
                            .lo = fmax(least, value - t * stderr_),
                            .hi = value + t * stderr_,
                            .identifiable = true};
    f->cov[f->params_n][f->params_n] = stderr_ * stderr_;
    f->params_n++;
    return p;
}

void fit_add_unknown(struct fit *f, const char *name, const char *unit, double assumed)
{
    struct fit_param *p = fit_add(f, name, unit, assumed, INFINITY, 1, -INFINITY);

    f->cov[f->params_n - 1][f->params_n - 1] = 0;
    p->lo = -INFINITY;
    p->identifiable = false;
}

void fit_log_interval(struct fit_param *p, double t)
{
    double factor = p->value > 0 ? exp(t * p->stderr_ / p->value) : INFINITY;

    p->lo = p->value / factor;
    p->hi = p->value * factor;
}

void fit_from_draws(struct fit *f, const double *draws, size_t n, double widen, double least)
{
    size_t k = (size_t)f->params_n;
    double *column = xcalloc(n, sizeof *column);

    for (size_t i = 0; i < k; i++) {
        struct fit_param *p = &f->param[i];

        for (size_t j = 0; j < k; j++)
            f->cov[i][j] = widen * widen * gsl_stats_covariance(draws + i, k, draws + j, k, n);
        for (size_t r = 0; r < n; r++)
            column[r] = draws[r * k + i];
        gsl_sort(column, 1, n);
        p->stderr_ = sqrt(f->cov[i][i]);
        p->lo = gsl_stats_quantile_from_sorted_data(column, 1, n, 0.025);
        p->hi = gsl_stats_quantile_from_sorted_data(column, 1, n, 0.975);
        p->lo = fmax(least, p->value - widen * fmax(0, p->value - p->lo));
        p->hi = p->value + widen * fmax(0, p->hi - p->value);
    }
    free(column);
}

void fit_held_out(struct fit *f, const double *predicted, const double *measured, size_t n)
{
    double *error = xcalloc(n + 1, sizeof *error), total_predicted = 0, total_measured = 0;
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        total_predicted += predicted[i];
        total_measured += measured[i];
        if (measured[i] != 0)
            error[k++] = fabs(predicted[i] / measured[i] - 1);
    }
    f->holdout_error_frac = k > 0 ? gsl_stats_median(error, 1, k) : NAN;
    f->holdout_bias_frac = total_measured != 0 ? fabs(total_predicted / total_measured - 1) : NAN;
    free(error);
}

double fit_t95(double degrees_of_freedom)
{
    return isfinite(degrees_of_freedom) ? gsl_cdf_tdist_Pinv(0.975, fmax(degrees_of_freedom, 1))
                                        : gsl_cdf_ugaussian_Pinv(0.975);
}

void fit_suspect(struct fit *f, const char *fmt, ...)
{
    va_list ap;

    if (f->suspects_n == FIT_SUSPECTS)
        return;
    va_start(ap, fmt);
    vsnprintf(f->suspect[f->suspects_n++], FIT_SUSPECT_TEXT, fmt, ap);
    va_end(ap);
}

const struct fit_param *fit_find(const struct fit *f, const char *name)
{
    for (int i = 0; i < f->params_n; i++)
        if (strcmp(f->param[i].name, name) == 0)
            return &f->param[i];
    return NULL;
}

double fit_get(const struct fit *f, const char *name)
{
    const struct fit_param *p = fit_find(f, name);

    ASSERT(p != NULL);
    return p->value;
}
