#include "pipeline/warmup.h"

#include "base/arena.h"
#include "engine/output.h"

#include <math.h>
#include <stdlib.h>

static size_t shortest(const struct flow_result *results, long n, int line)
{
    size_t least = results[0].lines[line].series_n;

    for (long i = 1; i < n; i++)
        least = results[i].lines[line].series_n < least ? results[i].lines[line].series_n : least;
    return least;
}

/* Where a series becomes constant, but for the rounding of a clock that grows; n - 1 when it never does. */
static size_t constant_from(const double *x, size_t n)
{
    size_t k = n > 0 ? n - 1 : 0;

    while (k > 0 && fabs(x[k - 1] - x[n - 1]) <= 1e-9 * fabs(x[n - 1]))
        k--;
    return k;
}

/* The average of one series over the replications: what is luck fades, what is settling stays. */
static struct truncation truncation_of(const struct flow_result *results, long n, int line, size_t values,
                                       bool inside, double *mean)
{
    size_t constant;

    for (size_t k = 0; k < values; k++) {
        mean[k] = 0;
        for (long i = 0; i < n; i++)
            mean[k] +=
                (inside ? results[i].lines[line].series_inside : results[i].lines[line].series_response)[k] /
                (double)n;
    }
    constant = constant_from(mean, values);
    if (constant < values / 2)
        return (struct truncation){.drop = constant}; /* MSER would settle on the rounding */
    return output_mser5(mean, values);
}

struct warmup warmup_decide(const struct flow_result *results, long n, int line, double pieces_per_value)
{
    size_t values = shortest(results, n, line);
    double *mean = xcalloc(values + 1, sizeof *mean);
    struct truncation a = truncation_of(results, n, line, values, false, mean);
    struct truncation b = truncation_of(results, n, line, values, true, mean);

    free(mean);
    return (struct warmup){.pieces = pieces_per_value * (double)(a.drop > b.drop ? a.drop : b.drop),
                           .refused = a.refused || b.refused};
}
