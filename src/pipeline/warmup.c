#include "pipeline/warmup.h"

#include "base/arena.h"
#include "engine/output.h"

#include <stdlib.h>

static size_t shortest(const struct flow_result *results, long n)
{
    size_t least = results[0].series_n;

    for (long i = 1; i < n; i++)
        least = results[i].series_n < least ? results[i].series_n : least;
    return least;
}

/* The average of one series over the replications: what is luck fades, what is settling stays. */
static struct truncation truncation_of(const struct flow_result *results, long n, size_t values, bool inside,
                                       double *mean)
{
    for (size_t k = 0; k < values; k++) {
        mean[k] = 0;
        for (long i = 0; i < n; i++)
            mean[k] += (inside ? results[i].series_inside : results[i].series_response)[k] / (double)n;
    }
    return output_mser5(mean, values);
}

struct warmup warmup_decide(const struct flow_result *results, long n, double pieces_per_value)
{
    size_t values = shortest(results, n);
    double *mean = xcalloc(values + 1, sizeof *mean);
    struct truncation a = truncation_of(results, n, values, false, mean);
    struct truncation b = truncation_of(results, n, values, true, mean);

    free(mean);
    return (struct warmup){.pieces = pieces_per_value * (double)(a.drop > b.drop ? a.drop : b.drop),
                           .refused = a.refused || b.refused};
}
