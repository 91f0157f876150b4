/*
 * storage_mlperf.c - MLPerf Storage: from few emulated accelerators on a system to many.
 *
 * A step takes its compute time and a wait w; the accelerators' utilization is compute / (compute + w).
 * Workers read ahead, so w is no reading time but what is shared beside it: handing batches over, the
 * client's processors, memory and network, the slowest of all at the end of an epoch.  Per system, workload
 * and accelerator, from all counts but the largest:
 *
 *   two counts or more    w(n) = w(m) (n / m)^p, p from the two largest, between 0 and 1
 *   one count             w(n) = w(m) n / m: what is waited for is shared by all
 *   one a client          w(n) = w(m): alone on its client it says nothing of sharing
 *
 * The naive prediction is the utilization of the largest count measured.  Intervals come from the spread of
 * the predictions of those largest low counts that have two lower ones or one, made by the same rule.
 */
#include "study/replay.h"
#include "store/measurement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTS = 16 };

/* One system, workload and accelerator type; runs of one count are averaged. */
struct group {
    const char *system, *workload, *accelerator;
    int n;
    double count[COUNTS], hosts[COUNTS], runs[COUNTS], busy[COUNTS], busy2[COUNTS];
};

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static struct group *group_of(struct group *groups, size_t *n, const struct measured_row *m)
{
    const char *system = measured_text(m, "system"), *workload = measured_text(m, "model");
    const char *accelerator = measured_text(m, "accelerator");

    for (size_t i = 0; i < *n; i++)
        if (same(groups[i].system, system) && same(groups[i].workload, workload) &&
            same(groups[i].accelerator, accelerator))
            return &groups[i];
    groups[*n] = (struct group){.system = system, .workload = workload, .accelerator = accelerator};
    return &groups[(*n)++];
}

static void add_run(struct group *g, const struct measured_row *m)
{
    double count = measured_number(m, "accelerators"),
           busy = measured_figure(m, "accelerator_utilization_frac");
    int k = 0;

    if (!(count >= 1) || !(busy > 0 && busy < 1))
        return;
    while (k < g->n && g->count[k] != count)
        k++;
    if (k == COUNTS)
        return;
    if (k == g->n) { /* kept in order of the counts */
        for (; k > 0 && g->count[k - 1] > count; k--) {
            g->count[k] = g->count[k - 1];
            g->hosts[k] = g->hosts[k - 1];
            g->runs[k] = g->runs[k - 1];
            g->busy[k] = g->busy[k - 1];
            g->busy2[k] = g->busy2[k - 1];
        }
        g->count[k] = count;
        g->hosts[k] = measured_number(m, "hosts");
        g->runs[k] = g->busy[k] = g->busy2[k] = 0;
        g->n++;
    }
    g->runs[k]++;
    g->busy[k] += busy;
    g->busy2[k] += busy * busy;
}

static double mean(const struct group *g, int k)
{
    return g->busy[k] / g->runs[k];
}

/* Of the mean of the runs, relative. */
static double noise(const struct group *g, int k)
{
    double m = mean(g, k), variance = g->busy2[k] / g->runs[k] - m * m;

    return g->runs[k] > 1 ? sqrt(fmax(0, variance) / (g->runs[k] - 1)) / m : NAN;
}

/* Of a step, over its compute time. */
static double wait(const struct group *g, int k)
{
    return 1 / mean(g, k) - 1;
}

/* Utilization at count[k] from the counts before it. */
static double predict(const struct group *g, int k)
{
    double w = wait(g, k - 1), ratio = g->count[k] / g->count[k - 1],
           p = g->count[k - 1] > g->hosts[k - 1] ? 1 : 0;

    if (k >= 2)
        p = fmin(1, fmax(0, log(w / wait(g, k - 2)) / log(g->count[k - 1] / g->count[k - 2])));
    return 1 / (1 + w * pow(ratio, p));
}

static int run(struct replay *r, struct err *err)
{
    const struct json *files = json_get(r->c->spec, "files");
    struct measured_row *rows;
    struct group *groups;
    double *predicted, *measured, sd;
    size_t n, groups_n = 0, checks = 0;
    int64_t trace;

    TRY(replay_import(r, json_string(json_at(files, 0)), &trace, err));
    TRY(measured_load(r->store, trace, r->arena, &rows, &n, err));
    groups = arena_array(r->arena, n + 1, sizeof *groups);
    predicted = arena_array(r->arena, n + 1, sizeof *predicted);
    measured = arena_array(r->arena, n + 1, sizeof *measured);
    for (size_t i = 0; i < n; i++)
        add_run(group_of(groups, &groups_n, &rows[i]), &rows[i]);
    for (size_t i = 0; i < groups_n; i++)
        for (int k = 1; k < groups[i].n - 1; k++, checks++) {
            predicted[checks] = predict(&groups[i], k);
            measured[checks] = mean(&groups[i], k);
        }
    sd = replay_log_spread(predicted, measured, checks);
    for (size_t i = 0; i < groups_n; i++) {
        const struct group *g = &groups[i];
        int top = g->n - 1;
        struct replay_figure f = {.unit = "frac"};

        if (g->n < 2)
            continue;
        f.name = arena_printf(r->arena, "%s %g, %s", g->workload, g->count[top], g->system);
        f.measured = mean(g, top);
        f.noise_frac = noise(g, top);
        f.predicted = replay_estimate(predict(g, top), sd, (double)checks - 1);
        f.predicted.pred_hi = fmin(1, f.predicted.pred_hi);
        f.naive = mean(g, top - 1);
        f.group = "utilizations";
        replay_emit(r, &f);
    }
    return 0;
}

const struct replay_kind replay_storage_mlperf = {
    .name = "storage_mlperf",
    .about = "MLPerf Storage: accelerator utilization of a system, from few accelerators to many",
    .run = run,
};
