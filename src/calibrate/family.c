#include "calibrate/family.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <string.h>

static const struct family families[] = {
    {LAW_EXPONENTIAL, 1, {"mean"}, {false}},
    {LAW_LOGNORMAL, 2, {"mean", "cv"}, {false, true}},
    {LAW_GAMMA, 2, {"mean", "cv"}, {false, true}},
    {LAW_WEIBULL, 2, {"mean", "shape"}, {false, true}},
    {LAW_HYPEREXPONENTIAL, 3, {"share", "fast", "slow"}, {true, false, false}},
};

static const double LN_SQRT_2_PI = 0.918938533204672741780329736406;

const struct family *family_of(enum law_kind kind)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (families[i].kind == kind)
            return &families[i];
    return NULL;
}

static bool is_share(const struct family *f, int param)
{
    return f->kind == LAW_HYPEREXPONENTIAL && param == 0;
}

double family_value(const struct family *f, int param, double theta)
{
    return is_share(f, param) ? 1 / (1 + exp(-theta)) : exp(theta);
}

double family_theta(const struct family *f, int param, double value)
{
    return is_share(f, param) ? log(value / (1 - value)) : log(value);
}

double family_slope(const struct family *f, int param, double theta)
{
    double v = family_value(f, param, theta);

    return is_share(f, param) ? v * (1 - v) : v;
}

struct member family_member(const struct family *f, const double *theta)
{
    struct member m = {.kind = f->kind, .a = family_value(f, 0, theta[0])};

    if (f->n > 1)
        m.b = family_value(f, 1, theta[1]);
    if (f->n > 2)
        m.c = family_value(f, 2, theta[2]);
    switch (f->kind) {
    case LAW_LOGNORMAL: /* a: mean, b: standard deviation of ln X */
        m.b = sqrt(log1p(m.b * m.b));
        m.a = log(m.a) - m.b * m.b / 2;
        m.constant = -log(m.b) - LN_SQRT_2_PI;
        break;
    case LAW_GAMMA: /* a: shape, b: scale */
    {
        double cv2 = m.b * m.b;

        m.b = m.a * cv2;
        m.a = 1 / cv2;
        m.constant = -m.a * log(m.b) - lgamma(m.a);
        break;
    }
    case LAW_WEIBULL: /* a: scale, b: shape */
        m.a = exp(log(m.a) - lgamma(1 + 1 / m.b));
        m.constant = log(m.b) - m.b * log(m.a);
        break;
    default:
        break;
    }
    return m;
}

double member_log_density(const struct member *m, double x, double ln_x)
{
    double z;

    switch (m->kind) {
    case LAW_LOGNORMAL:
        z = (ln_x - m->a) / m->b;
        return m->constant - ln_x - z * z / 2;
    case LAW_GAMMA:
        return m->constant + (m->a - 1) * ln_x - x / m->b;
    case LAW_WEIBULL:
        return m->constant + (m->b - 1) * ln_x - exp(m->b * (ln_x - log(m->a)));
    case LAW_HYPEREXPONENTIAL:
        return log(m->a / m->b * exp(-x / m->b) + (1 - m->a) / m->c * exp(-x / m->c));
    default:
        return -log(m->a) - x / m->a;
    }
}

double member_above(const struct member *m, double x)
{
    if (x <= 0)
        return 1;
    if (isinf(x))
        return 0;
    switch (m->kind) {
    case LAW_LOGNORMAL:
        return gsl_cdf_ugaussian_Q((log(x) - m->a) / m->b);
    case LAW_GAMMA:
        return gsl_cdf_gamma_Q(x, m->a, m->b);
    case LAW_WEIBULL:
        return exp(-pow(x / m->a, m->b));
    case LAW_HYPEREXPONENTIAL:
        return m->a * exp(-x / m->b) + (1 - m->a) * exp(-x / m->c);
    default:
        return exp(-x / m->a);
    }
}

double member_below(const struct member *m, double x)
{
    if (x <= 0)
        return 0;
    if (isinf(x))
        return 1;
    switch (m->kind) {
    case LAW_LOGNORMAL:
        return gsl_cdf_ugaussian_P((log(x) - m->a) / m->b);
    case LAW_GAMMA:
        return gsl_cdf_gamma_P(x, m->a, m->b);
    case LAW_WEIBULL:
        return -expm1(-pow(x / m->a, m->b));
    case LAW_HYPEREXPONENTIAL:
        return -m->a * expm1(-x / m->b) - (1 - m->a) * expm1(-x / m->c);
    default:
        return -expm1(-x / m->a);
    }
}

struct law family_law(const struct family *f, const double *theta)
{
    double v[FAMILY_PARAMS] = {0};

    for (int i = 0; i < f->n; i++)
        v[i] = family_value(f, i, theta[i]);
    switch (f->kind) {
    case LAW_HYPEREXPONENTIAL:
        return law_hyperexponential(v[0], v[1], v[2]);
    case LAW_WEIBULL:
        return law_weibull(v[0], v[1]);
    default:
        return (struct law){
            .kind = f->kind, .mean = v[0], .cv = f->kind == LAW_EXPONENTIAL ? 1 : v[1], .hi = INFINITY};
    }
}
