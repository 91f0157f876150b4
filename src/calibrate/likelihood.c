#include "calibrate/likelihood.h"

#include "calibrate/maximum.h"

#include <math.h>
#include <string.h>

enum { P = FAMILY_PARAMS, EM_ROUNDS = 60 };

double samples_upper(const struct samples *s)
{
    return s->to > 0 ? s->to : INFINITY;
}

bool samples_truncated(const struct samples *s)
{
    return s->from > 0 || isfinite(samples_upper(s));
}

/* ---------------------------------------------------------------------------------------------- likelihood
 */

double member_between(const struct member *m, double lo, double hi)
{
    double above = member_above(m, lo);

    return above < 0.5 ? above - member_above(m, hi) : member_below(m, hi) - member_below(m, lo);
}

double likelihood_of_one(const struct member *m, const struct sample *s, double ln_x)
{
    return s->lo == s->hi ? member_log_density(m, s->lo, ln_x) : log(member_between(m, s->lo, s->hi));
}

double likelihood_of_all(const struct likelihood *l, const double *theta)
{
    struct member m = family_member(l->family, theta);
    double sum = 0;

    for (size_t i = 0; i < l->s->n; i++)
        if (l->count[i] > 0)
            sum += l->count[i] * likelihood_of_one(&m, &l->s->s[i], l->ln_x[i]);
    if (samples_truncated(l->s))
        sum -= l->n * log(member_between(&m, l->s->from, samples_upper(l->s)));
    return sum;
}

static double objective(const double *theta, const void *ctx)
{
    const struct likelihood *l = ctx;

    return likelihood_of_all(l, theta);
}

/* ------------------------------------------------------------------------------------------------- start */

/* A point to begin with: the value, the geometric middle of a bucket, the lower limit times e. */
static double middle(const struct sample *s)
{
    if (s->lo == s->hi)
        return s->lo;
    if (isinf(s->hi))
        return s->lo * 1.5;
    return s->lo > 0 ? sqrt(s->lo * s->hi) : s->hi / 2;
}

static void moments(const struct likelihood *l, double *mean, double *cv)
{
    double m2 = 0, n = 0;

    *mean = 0;
    for (size_t i = 0; i < l->s->n; i++) {
        double d = middle(&l->s->s[i]) - *mean;

        if (l->count[i] <= 0)
            continue;
        n += l->count[i];
        *mean += d * l->count[i] / n;
        m2 += l->count[i] * d * (middle(&l->s->s[i]) - *mean);
    }
    *cv = fmin(fmax(sqrt(m2 / n) / *mean, 0.01), 20);
}

/* Each observation belongs to a phase with some chance; each phase is the mean of what belongs to it. */
static void expectation_maximization(const struct likelihood *l, double mean, double *v)
{
    v[0] = 0.6;
    v[1] = 0.4 * mean;
    v[2] = 1.9 * mean;
    for (int round = 0; round < EM_ROUNDS; round++) {
        double fast_n = 0, fast_sum = 0, sum = 0;

        for (size_t i = 0; i < l->s->n; i++) {
            double x = middle(&l->s->s[i]), f = v[0] / v[1] * exp(-x / v[1]),
                   s = (1 - v[0]) / v[2] * exp(-x / v[2]), fast = f + s > 0 ? f / (f + s) : 0;

            fast_n += l->count[i] * fast;
            fast_sum += l->count[i] * fast * x;
            sum += l->count[i] * x;
        }
        v[0] = fmin(fmax(fast_n / l->n, 1e-3), 1 - 1e-3);
        v[1] = fmax(fast_sum / fmax(fast_n, 1e-9), 1e-6 * mean);
        v[2] = fmax((sum - fast_sum) / fmax(l->n - fast_n, 1e-9), 1.0001 * v[1]);
    }
}

static void start(const struct likelihood *l, double *theta)
{
    double v[P], mean, cv;

    moments(l, &mean, &cv);
    v[0] = mean;
    v[1] = l->family->kind == LAW_WEIBULL ? pow(cv, -1.086) : cv; /* Justus et al. 1978 */
    if (l->family->kind == LAW_HYPEREXPONENTIAL)
        expectation_maximization(l, mean, v);
    for (int i = 0; i < l->family->n; i++)
        theta[i] = family_theta(l->family, i, v[i]);
}

/* -------------------------------------------------------------------------------------------- the maximum */

void likelihood_climb(const struct likelihood *l, double *theta)
{
    maximum_climb(objective, l, (size_t)l->family->n, l->n, theta);
    if (l->family->kind == LAW_HYPEREXPONENTIAL && theta[1] > theta[2]) {
        double t = theta[1];

        theta[1] = theta[2];
        theta[2] = t;
        theta[0] = -theta[0];
    }
}

void likelihood_maximize(const struct likelihood *l, double *theta)
{
    start(l, theta);
    likelihood_climb(l, theta);
}

bool likelihood_information(const struct likelihood *l, const double *theta, double cov[P][P])
{
    double all[MAXIMUM_PARAMS][MAXIMUM_PARAMS];
    bool hill = maximum_information(objective, l, (size_t)l->family->n, theta, all);

    for (int i = 0; hill && i < l->family->n; i++)
        for (int j = 0; j < l->family->n; j++)
            cov[i][j] = all[i][j];
    return hill;
}
