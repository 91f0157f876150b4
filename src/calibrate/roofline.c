#include "calibrate/roofline.h"

#include "base/arena.h"
#include "calibrate/nonlinear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum param { PEAK, BANDWIDTH, HALF_SIZE, OVERHEAD, PARAMS };
enum { FLOPS, BYTES, SIZE, COLUMNS, HOLD_OUT_EVERY = 5 };

static const char *const missing[] = {
    [PEAK] =
        "no point computes longer than it moves: peak and half size are not told; measure larger problems",
    [BANDWIDTH] =
        "no point moves longer than it computes: bandwidth is not told; measure small or thin problems"};

static double computing_s(double peak, double half_size, double flops, double size)
{
    return flops > 0 ? flops / peak * (size + half_size) / size : 0;
}

double roofline_seconds(double peak, double bandwidth, double half_size, double overhead_s,
                        const struct kernel_time *k)
{
    return overhead_s + fmax(computing_s(peak, half_size, k->flops, k->size), k->bytes / bandwidth);
}

static double roof(const double *theta, const double *x, const void *setting)
{
    struct kernel_time k = {.flops = x[FLOPS], .bytes = x[BYTES], .size = x[SIZE]};

    (void)setting;
    return roofline_seconds(theta[PEAK], theta[BANDWIDTH], theta[HALF_SIZE], theta[OVERHEAD], &k);
}

/* Fastest rates seen, the smallest time; from there the curve can only be met from below. */
static void start(const struct kernel_time *k, size_t n, struct nonlinear *p)
{
    double peak = 0, bandwidth = 0, least = INFINITY, size = 0;

    for (size_t i = 0; i < n; i++) {
        peak = fmax(peak, k[i].flops / k[i].seconds);
        bandwidth = fmax(bandwidth, k[i].bytes / k[i].seconds);
        least = fmin(least, k[i].seconds);
        size += log(k[i].size) / (double)n;
    }
    p->param[PEAK] = (struct nonlinear_param){"peak", "FLOP/s", 1.1 * peak, false, false};
    p->param[BANDWIDTH] = (struct nonlinear_param){"bandwidth", "bytes/s", 1.1 * bandwidth, false, false};
    p->param[HALF_SIZE] = (struct nonlinear_param){"half_size", "", 0.2 * exp(size), true, false};
    p->param[OVERHEAD] = (struct nonlinear_param){"overhead", "s", 0.5 * least, true, false};
}

/* A side without points would only stand in the way: a roof so high that it never counts. */
static void leave_out(struct nonlinear *p, enum param side)
{
    p->param[side].fixed = true;
    p->param[side].start = 1e300;
    if (side == PEAK) {
        p->param[HALF_SIZE].fixed = true;
        p->param[HALF_SIZE].start = 1e-300;
    }
}

static void count_sides(const struct nonlinear *p, const struct fit *f, struct roofline *out)
{
    double theta[PARAMS];

    for (int k = 0; k < PARAMS; k++) {
        const struct fit_param *known = fit_find(f, p->param[k].name);

        theta[k] = known != NULL && !p->param[k].fixed ? known->value : p->param[k].start;
    }
    out->computing = out->moving = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double *x = p->x + i * COLUMNS;
        double c = computing_s(theta[PEAK], theta[HALF_SIZE], x[FLOPS], x[SIZE]),
               m = x[BYTES] / theta[BANDWIDTH];

        out->computing += c > m;
        out->moving += m > c;
    }
}

/*
 * The maximum has kinks: several starts (how efficient, how much of it overhead), the best counts.  Errors
 * are found once, from there.
 */
static int best_start(struct nonlinear *p, double *least, struct err *err)
{
    static const double size_times[] = {0.05, 1, 20}, roof_times[] = {1, 2};
    struct nonlinear try = *p, best = *p;

    *least = INFINITY;
    for (int i = 0; i < 6; i++) {
        struct fit f = fit_begin("");
        double rss;

        try = *p;
        try.resamples = -1;
        try.param[HALF_SIZE].start *= size_times[i % 3];
        try.param[PEAK].start *= p->param[PEAK].fixed ? 1 : roof_times[i / 3];
        try.param[BANDWIDTH].start *= p->param[BANDWIDTH].fixed ? 1 : roof_times[i / 3];
        TRY(nonlinear_fit(&try, &f, &rss, err));
        if (!(rss < *least))
            continue;
        *least = rss;
        best = *p;
        for (int k = 0; k < PARAMS; k++)
            if (!p->param[k].fixed && fit_get(&f, p->param[k].name) > 0)
                best.param[k].start = fit_get(&f, p->param[k].name);
    }
    *p = best;
    return 0;
}

/* Every fifth point, predicted by the others. */
static void hold_out(const struct nonlinear *p, struct fit *f)
{
    double *x = xcalloc(p->n * COLUMNS, sizeof *x), *y = xcalloc(p->n, sizeof *y);
    double *predicted = xcalloc(p->n, sizeof *predicted), *measured = xcalloc(p->n, sizeof *measured), rss;
    struct nonlinear rest = *p;
    struct fit part = fit_begin("");
    struct err ignored = {0};
    size_t m = 0;

    rest.n = 0;
    rest.resamples = -1;
    for (size_t i = 0; i < p->n; i++)
        if (i % HOLD_OUT_EVERY != HOLD_OUT_EVERY - 1) {
            memcpy(x + rest.n * COLUMNS, p->x + i * COLUMNS, COLUMNS * sizeof *x);
            y[rest.n++] = p->y[i];
        }
    rest.x = x;
    rest.y = y;
    if (rest.n >= 2 * PARAMS && nonlinear_fit(&rest, &part, &rss, &ignored) == 0)
        for (size_t i = HOLD_OUT_EVERY - 1; i < p->n; i += HOLD_OUT_EVERY) {
            predicted[m] = nonlinear_predict(&rest, &part, p->x + i * COLUMNS);
            measured[m++] = p->y[i];
        }
    fit_held_out(f, predicted, measured, m);
    free(measured);
    free(predicted);
    free(y);
    free(x);
}

/* Adds the parameters that were left out, in the order people expect. */
static void complete(const struct nonlinear *p, struct fit *f)
{
    static const char *const units[] = {"FLOP/s", "bytes/s", "", "s"};

    for (int k = 0; k < PARAMS; k++)
        if (p->param[k].fixed)
            fit_add_unknown(f, p->param[k].name, units[k], NAN);
}

/* Schwarz's criterion of the roofline without one of its sides. */
static int criterion(struct nonlinear *p, enum param without, double *out, struct err *err)
{
    double rss, n = (double)p->n, params = 0;

    if (without < PARAMS)
        leave_out(p, without);
    for (int k = 0; k < PARAMS; k++)
        params += !p->param[k].fixed;
    TRY(best_start(p, &rss, err));
    *out = n * log(fmax(rss, 1e-20 * n) / n) + params * log(n);
    return 0;
}

/* A side that does not earn its parameters is not told by these points. */
static int choose_sides(struct nonlinear *p, struct err *err)
{
    struct nonlinear full = *p, compute = *p, move = *p;
    double both, computing, moving;

    TRY(criterion(&full, PARAMS, &both, err));
    TRY(criterion(&compute, BANDWIDTH, &computing, err));
    TRY(criterion(&move, PEAK, &moving, err));
    *p = moving <= fmin(both, computing) ? move : computing <= both ? compute : full;
    return 0;
}

static int fit_sides(struct nonlinear *p, struct roofline *out, struct err *err)
{
    double rss;

    TRY(choose_sides(p, err));
    hold_out(p, &out->fit);
    TRY(nonlinear_fit(p, &out->fit, &rss, err));
    count_sides(p, &out->fit, out);
    for (int k = PEAK; k <= BANDWIDTH; k++)
        if (p->param[k].fixed)
            fit_suspect(&out->fit, "%s", missing[k]);
    complete(p, &out->fit);
    return 0;
}

static int check(const struct kernel_time *k, size_t n, struct err *err)
{
    if (n < PARAMS)
        return err_set(err, ERR_FAILED, "%zu measurements; a roofline needs at least %d", n, PARAMS);
    for (size_t i = 0; i < n; i++)
        if (!(k[i].seconds > 0) || !isfinite(k[i].seconds) || !(k[i].flops >= 0) || !(k[i].bytes >= 0) ||
            !(k[i].size > 0) || !isfinite(k[i].flops + k[i].bytes + k[i].size))
            return err_set(
                err, ERR_FAILED,
                "measurement %zu: %g FLOP, %g bytes, size %g in %g s; time and size must be positive", i,
                k[i].flops, k[i].bytes, k[i].size, k[i].seconds);
    return 0;
}

int roofline_fit(const struct kernel_time *k, size_t n, uint64_t seed, struct roofline *out, struct err *err)
{
    struct nonlinear p = {.f = roof, .params_n = PARAMS, .columns = COLUMNS, .n = n, .seed = seed};
    double *x, *y;
    int rc;

    *out = (struct roofline){.fit = fit_begin("roofline")};
    TRY(check(k, n, err));
    x = xcalloc(n * COLUMNS, sizeof *x);
    y = xcalloc(n, sizeof *y);
    out->fit.valid_from = INFINITY;
    out->fit.valid_to = 0;
    for (size_t i = 0; i < n; i++) {
        x[i * COLUMNS + FLOPS] = k[i].flops;
        x[i * COLUMNS + BYTES] = k[i].bytes;
        x[i * COLUMNS + SIZE] = k[i].size;
        y[i] = k[i].seconds;
        out->fit.valid_from = fmin(out->fit.valid_from, k[i].size);
        out->fit.valid_to = fmax(out->fit.valid_to, k[i].size);
    }
    p.x = x;
    p.y = y;
    start(k, n, &p);
    rc = fit_sides(&p, out, err);
    free(y);
    free(x);
    return rc;
}
