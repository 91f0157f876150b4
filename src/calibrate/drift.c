#include "calibrate/drift.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

enum { HALF_BATCHES = 10, FEWEST = 4 * HALF_BATCHES };

static const double CHANCE = 1e-3, NOTEWORTHY = 0.1;

void drift_check(struct fitting *f, const char *of, const double *when_s, const double *value, size_t n)
{
    size_t *order, batch = n / (2 * HALF_BATCHES);
    double mean[2][HALF_BATCHES] = {{0}}, m[2], v[2], t, change;

    if (n < FEWEST)
        return;
    order = arena_array(f->a, n, sizeof *order);
    gsl_sort_index(order, when_s, 1, n);
    for (size_t i = 0; i < 2 * HALF_BATCHES * batch; i++)
        mean[i / batch / HALF_BATCHES][i / batch % HALF_BATCHES] += value[order[i]] / (double)batch;
    for (int h = 0; h < 2; h++) {
        m[h] = gsl_stats_mean(mean[h], 1, HALF_BATCHES);
        v[h] = gsl_stats_variance(mean[h], 1, HALF_BATCHES) / HALF_BATCHES;
    }
    change = m[1] / m[0] - 1;
    t = (m[1] - m[0]) / sqrt(v[0] + v[1]);
    if (fabs(change) > NOTEWORTHY && v[0] + v[1] > 0 &&
        2 * gsl_cdf_tdist_Q(fabs(t), HALF_BATCHES - 1) < CHANCE) /* at least that many degrees of freedom */
        fitting_remark(f, "suspect", "%s: the second half of the recording is %.0f %% %s than the first: not stationary",
                       of, 100 * fabs(change), change > 0 ? "higher" : "lower");
}
