#include "engine/stats.h"

#include "base/err.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

/* Chan, Golub, LeVeque: the variance of a union from the variances of its parts. */
void tally_merge(struct tally *into, const struct tally *from)
{
    double n = (double)(into->n + from->n), delta = from->mean - into->mean;

    if (from->n == 0)
        return;
    if (into->n == 0) {
        *into = *from;
        return;
    }
    into->m2 += from->m2 + delta * delta * (double)into->n * (double)from->n / n;
    into->mean += delta * (double)from->n / n;
    into->n += from->n;
    into->min = fmin(into->min, from->min);
    into->max = fmax(into->max, from->max);
}

double tally_variance(const struct tally *t)
{
    return t->n < 2 ? 0 : t->m2 / (double)(t->n - 1);
}

double level_mean(const struct level *l, double now_s)
{
    return now_s > l->start_s ? level_area(l, now_s) / (now_s - l->start_s) : l->value;
}

double student_quantile(double p, double degrees_of_freedom)
{
    return gsl_cdf_tdist_Pinv(p, degrees_of_freedom);
}

struct estimate estimate_exact(double value)
{
    return (struct estimate){.mean = value, .lo = value, .hi = value, .n = 1};
}

/* mean -+ t * se, where a single observation says nothing about its error. */
static struct estimate student_interval(double mean, double se, size_t n, double confidence)
{
    struct estimate e = {.mean = mean, .lo = -INFINITY, .hi = INFINITY, .n = (long)n};
    double half;

    ASSERT(confidence > 0 && confidence < 1);
    if (n < 2 || !isfinite(mean) || !isfinite(se))
        return e;
    half = se > 0 ? se * student_quantile(0.5 + 0.5 * confidence, (double)(n - 1)) : 0;
    e.lo = mean - half;
    e.hi = mean + half;
    return e;
}

struct estimate estimate_student(const double *x, size_t n, double confidence)
{
    struct tally t = {0};

    for (size_t i = 0; i < n; i++)
        tally_add(&t, x[i]);
    return student_interval(t.mean, n ? sqrt(tally_variance(&t) / (double)n) : 0, n, confidence);
}

struct estimate estimate_difference(const double *a, const double *b, size_t n, double confidence)
{
    struct tally t = {0};

    for (size_t i = 0; i < n; i++)
        tally_add(&t, a[i] - b[i]);
    return student_interval(t.mean, n ? sqrt(tally_variance(&t) / (double)n) : 0, n, confidence);
}

/*
 * The ratio is the plain one, so that it agrees with the two means printed beside it.
 * Its variance is that of the ratios with one replication left out, times (n - 1)^2 / n.
 */
struct estimate estimate_ratio(const double *a, const double *b, size_t n, double confidence)
{
    double sum_a = 0, sum_b = 0, se = 0;
    struct tally without = {0};

    for (size_t i = 0; i < n; i++) {
        sum_a += a[i];
        sum_b += b[i];
    }
    for (size_t i = 0; n > 1 && i < n; i++)
        tally_add(&without, (sum_a - a[i]) / (sum_b - b[i]));
    if (n > 1)
        se = (double)(n - 1) * sqrt(tally_variance(&without) / (double)n);
    return student_interval(sum_a / sum_b, se, n, confidence);
}
