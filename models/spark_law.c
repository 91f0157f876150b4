/*
 * spark_law.c - the law of task times from recorded tasks; spark_app.h states it.
 *
 * For given (b, gamma) a task of stage s has the regressor x = (1 - b + b size)(1 + gamma busy), and
 *
 *     t = A_s x + W cold,    A_s and W by least squares, tasks weighted by 1 / (n_s mean_s^2).
 */
#include "models/spark_app.h"

#include <math.h>
#include <stdlib.h>

enum { EXECUTORS = 64 }; /* more share a group: dispersion between them is then told apart less well */

struct stage_sums {
    double n, cold, mean, xx, tx, cx;
};

struct fit {
    const struct spark_observation *obs;
    const double *fixed_s;
    size_t n;
    struct stage_sums *stage;
    int stages;
};

double spark_size_share(const struct spark_law *law, double fixed_s, double work_s)
{
    return work_s > 0 ? law->size_share * fmax(0, 1 - fixed_s / work_s) : 0;
}

static double regressor(const struct fit *f, const struct spark_observation *o, const struct spark_law *law)
{
    double b = spark_size_share(law, f->fixed_s[o->stage], f->stage[o->stage].mean);

    return (1 - b + b * o->size) * (1 + law->contention * o->busy) * (o->cold ? 1 + law->warm_factor : 1);
}

static double weight(const struct stage_sums *s)
{
    return s->n >= 4 && s->mean > 0 ? 1 / (s->n * s->mean * s->mean) : 0;
}

static void sum_stages(struct fit *f, const struct spark_law *law)
{
    for (int i = 0; i < f->stages; i++)
        f->stage[i] =
            (struct stage_sums){.n = f->stage[i].n, .cold = f->stage[i].cold, .mean = f->stage[i].mean};
    for (size_t i = 0; i < f->n; i++) {
        struct stage_sums *s = &f->stage[f->obs[i].stage];
        double x = regressor(f, &f->obs[i], law);

        s->xx += x * x;
        s->tx += x * f->obs[i].took_s;
        s->cx += x * f->obs[i].cold;
    }
}

/* The best W, and how badly the whole then fits. */
static double solve(struct fit *f, const struct spark_law *law, double *warm_s)
{
    double tc = 0, cc = 0, sum = 0;

    sum_stages(f, law);
    for (size_t i = 0; i < f->n; i++) {
        const struct stage_sums *s = &f->stage[f->obs[i].stage];
        double x = regressor(f, &f->obs[i], law);
        double t = f->obs[i].took_s - x * s->tx / s->xx, c = f->obs[i].cold - x * s->cx / s->xx;

        if (s->cold == 0 || s->cold == s->n) /* nothing to compare with */
            continue;
        tc += weight(s) * t * c;
        cc += weight(s) * c * c;
    }
    *warm_s = cc > 1e-12 ? fmax(0, tc / cc) : 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct stage_sums *s = &f->stage[f->obs[i].stage];
        double x = regressor(f, &f->obs[i], law);
        double rest = f->obs[i].took_s - *warm_s * f->obs[i].cold - x * (s->tx - *warm_s * s->cx) / s->xx;

        sum += weight(s) * rest * rest;
    }
    return sum;
}

/*
 * Of a stage's tasks (its warm ones, if there are four), each relative to what the law says of it: the mean
 * square within executors, and what the executors' means vary more than they would by it.  False: too few
 * tasks to say.
 */
static bool spread_of(struct fit *f, const struct spark_law *law, int stage, struct spark_spread *out)
{
    const struct stage_sums *s = &f->stage[stage];
    double n[EXECUTORS] = {0}, sum[EXECUTORS] = {0}, squares = 0, tasks = 0, all = 0, groups = 0, nn = 0;
    double between = 0, within;

    for (size_t i = 0; i < f->n; i++) {
        const struct spark_observation *o = &f->obs[i];
        double fitted, ratio;

        if (o->stage != stage || (o->cold && s->n - s->cold >= 4))
            continue;
        fitted = regressor(f, o, law) * (s->tx - law->warm_s * s->cx) / s->xx;
        if (fitted <= 0)
            continue;
        ratio = (o->took_s - law->warm_s * o->cold) / fitted;
        n[o->executor % EXECUTORS]++;
        sum[o->executor % EXECUTORS] += ratio;
        squares += ratio * ratio;
        all += ratio;
        tasks++;
    }
    for (int e = 0; e < EXECUTORS; e++)
        if (n[e] > 0) {
            double off = sum[e] / n[e] - all / tasks;

            groups++;
            nn += n[e] * n[e];
            squares -= sum[e] * sum[e] / n[e];
            between += off * off * n[e];
        }
    if (tasks <= groups)
        return false;
    within = fmax(0, squares) / (tasks - groups);
    out->cv = sqrt(within);
    out->executor_cv =
        groups > 1 ? sqrt(fmax(0, (between - (groups - 1) * within) / (tasks - nn / tasks))) : 0;
    return true;
}

static void dispersion(struct fit *f, struct arena *a, struct spark_law *law)
{
    struct spark_spread *spread = arena_array(a, (size_t)f->stages + 1, sizeof *spread);
    int n = 0;

    solve(f, law, &(double){0});
    for (int i = 0; i < f->stages; i++)
        if (f->stage[i].n >= 4 && spread_of(f, law, i, &spread[n]))
            n++;
    law->spread = spread;
    law->spread_n = n;
}

static const double warm_factors[] = {0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6};
enum { WARM_FACTORS = sizeof warm_factors / sizeof *warm_factors };

static void try_law(struct fit *f, const struct spark_law *law, double *best, struct spark_law *out)
{
    double warm_s, sum = solve(f, law, &warm_s);

    if (sum >= *best * (1 - 1e-6)) /* equal: the simpler one came first */
        return;
    *best = sum;
    *out = *law;
    out->warm_s = warm_s;
}

void spark_law_fit(const struct spark_observation *obs, size_t n, int stages, const double *fixed_s,
                   struct arena *a, struct spark_law *out)
{
    struct fit f = {.obs = obs, .fixed_s = fixed_s, .n = n, .stages = stages};
    double best = INFINITY;

    f.stage = xcalloc((size_t)stages, sizeof *f.stage);
    for (size_t i = 0; i < n; i++) {
        f.stage[obs[i].stage].n++;
        f.stage[obs[i].stage].cold += obs[i].cold;
        f.stage[obs[i].stage].mean += obs[i].took_s;
    }
    for (int i = 0; i < stages; i++)
        f.stage[i].mean /= fmax(1, f.stage[i].n);
    for (int w = 0; w < WARM_FACTORS; w++)
        for (int b = 0; b <= 10; b++)
            for (int g = 0; g <= 20; g++)
                try_law(&f,
                        &(struct spark_law){
                            .warm_factor = warm_factors[w], .size_share = b * 0.1, .contention = g * 0.1},
                        &best, out);
    dispersion(&f, a, out);
    free(f.stage);
}

/* Minimizes sum ((F + a r) / t - 1)^2 over F, a >= 0. */
double spark_fixed_fit(const double *records, const double *task_s, int stages)
{
    double ff = 0, fa = 0, aa = 0, f1 = 0, a1 = 0, det, fixed, slope;

    for (int i = 0; i < stages; i++) {
        double f = 1 / task_s[i], a = records[i] / task_s[i];

        ff += f * f;
        fa += f * a;
        aa += a * a;
        f1 += f;
        a1 += a;
    }
    det = ff * aa - fa * fa;
    if (stages < 2 || !(det > 1e-9 * ff * aa))
        return 0;
    fixed = (f1 * aa - a1 * fa) / det;
    slope = (ff * a1 - fa * f1) / det;
    if (slope < 0)
        fixed = f1 / ff;
    return fmax(0, fixed);
}
