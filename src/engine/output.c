#include "engine/output.h"

#include "base/err.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

enum { GROUP = 5, MOST_BATCHES = 40, LEAST_BATCHES = 10 };

static double mean_of(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/*
 * White: over the means of five, drop the d that minimizes (sum of squares of the rest about its mean) / (how
 * many rest)^2, the squared standard error if they were independent.  Reckoned from the end, where it is a
 * recurrence.
 */
struct truncation output_mser5(const double *x, size_t n)
{
    size_t groups = n / GROUP, best = 0;
    double least = INFINITY;
    struct tally rest = {0};

    for (size_t d = groups; d-- > 0;) {
        double error;

        tally_add(&rest, mean_of(x + d * GROUP, GROUP));
        error = rest.m2 / ((double)rest.n * (double)rest.n);
        if (d <= groups / 2 && error <= least) {
            least = error;
            best = d;
        }
    }
    return (struct truncation){.drop = best * GROUP, .refused = groups < 4 || best >= groups / 2};
}

/* Means of `count` batches; what does not fit is left out at the beginning, where it matters least. */
static struct batches batch(const double *x, size_t n, int count, double confidence)
{
    size_t size = n / (size_t)count, skip = n - size * (size_t)count;
    double mean[MOST_BATCHES], up = 0, down = 0, all;
    struct batches b = {.count = count};

    for (int i = 0; i < count; i++)
        mean[i] = mean_of(x + skip + (size_t)i * size, size);
    all = mean_of(mean, (size_t)count);
    for (int i = 0; i < count; i++) {
        down += (mean[i] - all) * (mean[i] - all);
        up += i > 0 ? (mean[i] - all) * (mean[i - 1] - all) : 0;
    }
    b.lag1 = down > 0 ? up / down : 0;
    b.estimate = estimate_student(mean, (size_t)count, confidence);
    /* One-sided at 10 %: about -1 / count and 1 / count are mean and variance of independent ones. */
    b.correlated = b.lag1 > -1.0 / count + gsl_cdf_ugaussian_Pinv(0.9) / sqrt(count);
    return b;
}

struct batches output_batch_means(const double *x, size_t n, double confidence)
{
    struct batches b = {.correlated = true};

    ASSERT(n >= 2 * LEAST_BATCHES);
    for (int count = MOST_BATCHES; b.correlated && count >= LEAST_BATCHES; count /= 2)
        if (n >= 2 * (size_t)count)
            b = batch(x, n, count, confidence);
    return b;
}

/* P(x_(lo) <= quantile <= x_(hi)) is a sum of binomial chances; an end that no observation reaches is
 * infinite. */
struct estimate output_quantile(const double *x, size_t n, double q, double confidence)
{
    struct estimate e = {.lo = -INFINITY, .hi = INFINITY, .n = (long)n};
    double tail = (1 - confidence) / 2;
    size_t lo, hi;

    ASSERT(n > 0 && q > 0 && q < 1 && confidence > 0 && confidence < 1);
    e.mean = x[(size_t)fmin(fmax(ceil(q * (double)n), 1), (double)n) - 1];
    for (lo = 0; lo < n && gsl_cdf_binomial_P((unsigned)lo, q, (unsigned)n) <= tail; lo++)
        ;
    for (hi = lo; hi < n && gsl_cdf_binomial_Q((unsigned)hi, q, (unsigned)n) > tail; hi++)
        ;
    if (lo > 0)
        e.lo = x[lo - 1];
    if (hi < n)
        e.hi = x[hi];
    return e;
}

struct estimate output_widen(struct estimate e, double relative)
{
    e.lo -= relative * fabs(e.lo);
    e.hi += relative * fabs(e.hi);
    return e;
}

bool output_precise(const struct estimate *e, double relative)
{
    return (e->hi - e->lo) / 2 <= relative * fabs(e->mean);
}

int output_replicate(uint32_t least, uint32_t most, int threads, replicate_fn *fn, enough_fn *enough,
                     void *ctx, uint32_t *n, bool *content, struct err *err)
{
    uint32_t next = least < most ? least : most;

    *n = 0;
    *content = false;
    for (;;) {
        TRY(replicate_run(*n, next, threads, fn, ctx, err));
        *n = next;
        if ((*content = enough(ctx, *n)) || *n >= most)
            return 0;
        next = *n + *n / 2 + 1;
        if (next > most)
            next = most;
    }
}
