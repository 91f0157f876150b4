#include "store/import/drift.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST = 30, MOST = 100000 };

void drift_add(struct drift *d, double value)
{
    if (isnan(value) || d->n == MOST)
        return;
    if (d->n == d->size) {
        d->size = d->size == 0 ? 64 : 2 * d->size;
        d->v = xrealloc(d->v, d->size, sizeof *d->v);
    }
    d->v[d->n++] = value;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/*
 * The Mann-Whitney statistic of two sorted samples of n values each, as a standard normal deviate:
 * U = #{a < b} + #{a = b} / 2, mean n^2 / 2, variance n^2 (2n + 1) / 12 (ties make the true one smaller).
 */
static double deviate(const double *a, const double *b, size_t n)
{
    double u = 0, size = (double)n;
    size_t below = 0, equal = 0;

    for (size_t i = 0; i < n; i++) {
        while (below < n && a[below] < b[i])
            below++;
        for (equal = below; equal < n && a[equal] <= b[i];)
            equal++;
        u += (double)below + (double)(equal - below) / 2;
    }
    return (u - size * size / 2) / sqrt(size * size * (2 * size + 1) / 12);
}

static void compare_ends(struct drift *d, struct import *im, const char *what, const char *unit)
{
    size_t n = d->n / 3;
    double *late = d->v + (d->n - n), before, after;

    qsort(d->v, n, sizeof *d->v, compare);
    qsort(late, n, sizeof *d->v, compare);
    before = d->v[n / 2];
    after = late[n / 2];
    if (fabs(after - before) > 0.1 * fabs(before) && fabs(deviate(d->v, late, n)) > 4)
        import_suspect(
            im, 1,
            "not stationary: the median of %s goes from %.4g%s in the first third to %.4g%s in the last",
            what, before, unit, after, unit);
}

void drift_end(struct drift *d, struct import *im, const char *what, const char *unit)
{
    if (d->n >= FEWEST)
        compare_ends(d, im, what, unit);
    free(d->v);
    *d = (struct drift){0};
}
