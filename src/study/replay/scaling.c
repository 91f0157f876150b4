/*
 * scaling.c - throughput of n equal workers on shared cores.
 *
 *     X(n) = a n / (1 + gamma (n - 1))
 *
 * the law of a `cores` resource whose busy cores slow each other down by `contention` = gamma each (memory
 * bandwidth, hardware threads, the one process that feeds them all).  a and gamma by least squares on the
 * measured counts; gamma on a grid of steps of 0.001, a in closed form.  The interval is Student's with what
 * the fit leaves, n - 2 degrees of freedom.  The naive prediction is the straight line through the two
 * largest counts that were measured.
 */
#include "study/replay.h"

#include <math.h>

enum { POINTS = 64 };

struct curve {
    double at[POINTS], rate[POINTS];
    int n;
    double a, gamma, residual; /* root mean square of relative residuals, n - 2 in the denominator */
};

static double shape(double workers, double gamma)
{
    return workers / (1 + gamma * (workers - 1));
}

static double squares(const struct curve *c, double gamma, double *a)
{
    double xg = 0, gg = 0, sum = 0;

    for (int i = 0; i < c->n; i++) {
        xg += c->rate[i] * shape(c->at[i], gamma);
        gg += shape(c->at[i], gamma) * shape(c->at[i], gamma);
    }
    *a = xg / gg;
    for (int i = 0; i < c->n; i++) {
        double off = c->rate[i] - *a * shape(c->at[i], gamma);

        sum += off * off;
    }
    return sum;
}

static void fit(struct curve *c)
{
    double best = INFINITY, a, sum = 0;

    for (int g = 0; g <= 1000; g++)
        if (squares(c, g * 1e-3, &a) < best) {
            best = squares(c, g * 1e-3, &a);
            c->a = a;
            c->gamma = g * 1e-3;
        }
    for (int i = 0; i < c->n; i++) {
        double off = c->a * shape(c->at[i], c->gamma) / c->rate[i] - 1;

        sum += off * off;
    }
    c->residual = sqrt(sum / (c->n - 2));
}

static int read_curve(const struct replay *r, struct curve *c, struct err *err)
{
    int i = 0;

    JSON_EACH (v, json_get(r->params, "measured")) {
        const char *where = arena_printf(r->arena, "$.params.measured[%d]", i++);

        if (c->n == POINTS)
            return err_set(err, ERR_SCENARIO, "%s: %s: at most %d counts", r->c->path, where, POINTS);
        TRY(replay_number(r, v, where, "workers", &c->at[c->n], err));
        TRY(replay_number(r, v, where, "rate_per_s", &c->rate[c->n], err));
        if (!(c->at[c->n] >= 1) || !(c->rate[c->n] > 0) || (c->n > 0 && c->at[c->n] <= c->at[c->n - 1]))
            return err_set(err, ERR_SCENARIO, "%s: %s: growing counts of 1 or more, rates above 0",
                           r->c->path, where);
        c->n++;
    }
    if (c->n < 3)
        return err_set(err, ERR_SCENARIO, "%s: $.params.measured: three counts or more are needed",
                       r->c->path);
    return 0;
}

static double straight(const struct curve *c, double at)
{
    int k = c->n - 1;

    return c->rate[k] + (at - c->at[k]) * (c->rate[k] - c->rate[k - 1]) / (c->at[k] - c->at[k - 1]);
}

static int run(struct replay *r, struct err *err)
{
    struct curve c = {.n = 0};
    int i = 0;

    TRY(read_curve(r, &c, err));
    fit(&c);
    JSON_EACH (v, json_get(r->c->spec, "figures")) {
        const char *where = arena_printf(r->arena, "$.figures[%d]", i++);
        struct replay_figure f = {.unit = "samples/s", .noise_frac = NAN, .group = "worker counts"};
        double at;

        TRY(replay_number(r, v, where, "workers", &at, err));
        TRY(replay_number(r, v, where, "measured", &f.measured, err));
        f.name = arena_printf(r->arena, "%g workers", at);
        f.predicted = replay_estimate(c.a * shape(at, c.gamma), c.residual, c.n - 2);
        f.naive = straight(&c, at);
        replay_emit(r, &f);
    }
    return 0;
}

const struct replay_kind replay_scaling = {
    .name = "scaling",
    .about = "throughput of n equal workers on shared cores, from some counts to others",
    .run = run,
};
