/*
 * training_scale.c - data parallel training: from one node to many nodes and other batch sizes.
 *
 * Jobs (a network, a GPU type) are grouped by cluster.  For every job the step
 * time on one node is interpolated from the calibration batch sizes (every
 * other one of those measured); how gradients travel between nodes (rates for
 * two and for more nodes, step latency, bucket size) is fitted on the *other*
 * jobs of the cluster, so nothing measured of a job on several nodes enters its
 * prediction.  models/data_parallel.h does the rest: buckets that become ready
 * while backward goes on, a ring over the slowest link, the slowest worker.
 *
 * Two rates, because two nodes are joined by one connection each way, and more
 * nodes by two trees, hence two connections (NCCL 2.4 and later).
 *
 * Jobs whose workers get inputs of different length are predicted, but are no
 * witnesses of the network.
 *
 * The interval: quantiles of the errors of the cluster's other jobs, each
 * predicted with itself left out, widened because they are few.
 */
#include "models/data_parallel.h"
#include "store/measurement.h"
#include "study/replay/tools.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_TWO, RATE_MORE, LATENCY, BUCKET, BESIDE, CONSTANTS, NODE_GPUS = 8, KNOTS = 8 };

struct row {
    char placement[24]; /* one digit a node */
    int nodes, gpus, most;
    double batch, step_s;
    struct tally repeats; /* of step_s */
};

/* Step times of one node with a number of GPUs, over the calibration batch sizes. */
struct one_node {
    double batch[64], step_s[64];
    size_t n;
};

struct job {
    const char *name, *cluster;
    struct gradient gradient;
    struct ready_knot ready[KNOTS];
    bool variable_length; /* its workers get inputs of different length: no witness of the network */
    double straggler_cv, cv_at[64];       /* over all batch sizes, and at those of alone[1] */
    struct one_node alone[NODE_GPUS + 1]; /* by GPUs in use */
    struct row *rows;                     /* on several nodes */
    size_t n;
};

struct work {
    struct replay *r;
    struct job *jobs;
    size_t n;
    double slowest[256]; /* slowest_of() by number of GPUs */
};

/* ----------------------------------------------------------------- reading */

static int read_ready(struct work *w, const struct json *list, const char *where, struct job *j,
                      struct err *err)
{
    size_t k = 0;

    if (list == NULL || json_size(list) < 2 || json_size(list) > KNOTS)
        return err_set(err, ERR_SCENARIO, "%s: %s.ready: a list of 2 to %d pairs is needed", w->r->c->path,
                       where, KNOTS);
    JSON_EACH (v, list) {
        j->ready[k].backward_frac = json_number(json_at(v, 0));
        j->ready[k++].bytes_frac = json_number(json_at(v, 1));
    }
    j->gradient.ready = j->ready;
    j->gradient.knots = k;
    return 0;
}

static int by_digit(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

static void read_placement(struct row *row, const char *placement)
{
    snprintf(row->placement, sizeof row->placement, "%.20s", placement);
    qsort(row->placement, strlen(row->placement), 1, by_digit);
    row->nodes = (int)strlen(row->placement);
    row->gpus = row->most = 0;
    for (const char *p = row->placement; *p != '\0'; p++) {
        row->gpus += *p - '0';
        row->most = *p - '0' > row->most ? *p - '0' : row->most;
    }
}

/* Calibration takes every other batch size, the smallest first. */
static int by_batch(const void *a, const void *b)
{
    double x = ((const struct row *)a)->batch, y = ((const struct row *)b)->batch;

    return (x > y) - (x < y);
}

static void take_one_node(struct job *j, struct row *rows, size_t n, bool every)
{
    size_t seen[NODE_GPUS + 1] = {0};

    qsort(rows, n, sizeof *rows, by_batch);
    for (size_t i = 0; i < n; i++) {
        struct one_node *o = &j->alone[rows[i].most];

        if (rows[i].nodes != 1 || (seen[rows[i].most]++ % 2 != 0 && !every) || o->n == 64)
            continue;
        o->batch[o->n] = rows[i].batch;
        o->step_s[o->n++] = rows[i].step_s;
    }
}

static void add_repeat(struct row *into, const struct row *one)
{
    struct tally t = into->repeats;

    tally_add(&t, one->step_s);
    *into = *one;
    into->repeats = t;
    into->step_s = t.mean;
}

static bool same_setting(const struct row *a, const struct row *b)
{
    return a->batch == b->batch && strcmp(a->placement, b->placement) == 0;
}

/* Placements that differ only in which node is which are repeats of one measurement: their mean counts. */
static void keep_rows(struct work *w, struct job *j, struct row *rows, size_t n, bool every)
{
    take_one_node(j, rows, n, every);
    j->rows = arena_array(w->r->arena, n + 1, sizeof *j->rows);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;

        if (rows[i].nodes == 1)
            continue;
        while (k < j->n && !same_setting(&j->rows[k], &rows[i]))
            k++;
        if (k == j->n)
            j->rows[j->n++] = (struct row){.batch = rows[i].batch, .nodes = rows[i].nodes};
        add_repeat(&j->rows[k], &rows[i]);
    }
}

static int read_pollux(struct work *w, const char *file, struct job *j, struct err *err)
{
    struct measured_row *m;
    struct row *rows;
    int64_t trace;
    size_t n;

    TRY(replay_import(w->r, file, &trace, err));
    TRY(measured_load(w->r->store, trace, w->r->arena, &m, &n, err));
    rows = arena_array(w->r->arena, n + 1, sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        read_placement(&rows[i], measured_text(&m[i], "placement"));
        rows[i].batch = measured_number(&m[i], "local_batch");
        rows[i].step_s = measured_figure(&m[i], "step_s");
    }
    keep_rows(w, j, rows, n, false);
    return 0;
}

/* "ResNet-18 (batch size 16)": the batch of job `family`; 0 of another job. */
static double batch_of(const char *text, const char *family)
{
    size_t n = strlen(family);
    double batch = 0;

    if (strncmp(text, family, n) != 0 || sscanf(text + n, " (batch size %lf)", &batch) != 1)
        return 0;
    return batch;
}

/*
 * Gavel counts steps of all workers together, and calls workers on different nodes "unconsolidated"; its
 * one-node rows with several GPUs differ in more than the network (two K80 share a board), so they calibrate
 * only how unequal the workers are, where inputs are of variable length.
 */
static int read_gavel(struct work *w, const char *file, const char *gpu, const char *family, struct job *j,
                      struct err *err)
{
    static const char *const one_node_names[] = {"", "1", "2", "3", "4", "5", "6", "7", "8"};
    struct measured_row *m;
    struct row *rows;
    int64_t trace;
    size_t n, kept = 0;

    TRY(replay_import(w->r, file, &trace, err));
    TRY(measured_load(w->r->store, trace, w->r->arena, &m, &n, err));
    rows = arena_array(w->r->arena, n + 1, sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        const char *where = measured_text(&m[i], "gpu");
        double gpus = measured_number(&m[i], "gpus"), rate = measured_figure(&m[i], "steps_per_s");
        double batch = batch_of(measured_text(&m[i], "job"), family);
        bool alone = strcmp(where, gpu) == 0 && (gpus == 1 || (j->variable_length && gpus <= NODE_GPUS));
        bool spread =
            strncmp(where, gpu, strlen(gpu)) == 0 && strcmp(where + strlen(gpu), "_unconsolidated") == 0;

        if (batch == 0 || !(rate > 0) || measured_text(&m[i], "colocated_job")[0] != '\0' ||
            !(alone || (spread && gpus > 1 && gpus <= NODE_GPUS)))
            continue;
        read_placement(&rows[kept], alone ? one_node_names[(int)gpus] : "11111111" + NODE_GPUS - (int)gpus);
        rows[kept].batch = batch;
        rows[kept++].step_s = gpus / rate;
    }
    keep_rows(w, j, rows, kept, true);
    return 0;
}

static int read_job(struct work *w, const struct json *v, const char *where, struct job *j, struct err *err)
{
    const char *file, *gpu = json_get_string(v, "gpu", NULL), *family = json_get_string(v, "family", NULL);
    double parameters;

    TRY(replay_text(w->r, v, where, "name", &j->name, err));
    TRY(replay_text(w->r, v, where, "cluster", &j->cluster, err));
    TRY(replay_text(w->r, v, where, "file", &file, err));
    TRY(replay_number(w->r, v, where, "parameters", &parameters, err));
    TRY(read_ready(w, json_get(v, "ready"), where, j, err));
    j->gradient.bytes = 4 * parameters;
    j->variable_length = json_get_bool(v, "variable_length", false);
    if (gpu != NULL && family != NULL)
        return read_gavel(w, file, gpu, family, j, err);
    return read_pollux(w, file, j, err);
}

/* -------------------------------------------------------------- predicting */

static double one_node_step(const struct job *j, int gpus, double batch)
{
    const struct one_node *o = &j->alone[gpus <= NODE_GPUS && j->alone[gpus].n > 0 ? gpus : 1];

    return tools_interpolate(o->batch, o->step_s, o->n, batch);
}

/*
 * How unequal the workers of a job are: how its step grows from two GPUs of a node to more.  From one to two
 * it also grows because they share the host, which says nothing of how workers differ.  `slope` of every
 * batch size of every number of GPUs; returns how many.
 */
static size_t straggler_slopes(const struct work *w, const struct job *j, double at_batch, double *slope)
{
    size_t n = 0;

    for (int g = 3; g <= NODE_GPUS && j->alone[2].n > 0; g++)
        for (size_t i = 0; i < j->alone[g].n; i++) {
            double batch = j->alone[g].batch[i];
            double one = one_node_step(j, 1, batch), two = one_node_step(j, 2, batch);

            if (isnan(at_batch) || batch == at_batch)
                slope[n++] = (j->alone[g].step_s[i] - two) / one / (w->slowest[g] - w->slowest[2]);
        }
    return n;
}

/* Inputs padded to the longest of a batch differ less the larger the batch: then each batch size has its own.
 */
static void calibrate_stragglers(const struct work *w, struct job *j)
{
    double slope[NODE_GPUS * 64];
    size_t n = straggler_slopes(w, j, NAN, slope);

    j->straggler_cv = n > 0 ? fmax(0, tools_median(slope, n)) : 0;
    for (size_t i = 0; i < j->alone[1].n; i++) {
        n = j->variable_length ? straggler_slopes(w, j, j->alone[1].batch[i], slope) : 0;
        j->cv_at[i] = n > 0 ? fmax(0, tools_median(slope, n)) : j->straggler_cv;
    }
}

static double straggler_cv(const struct job *j, double batch)
{
    return fmax(0, tools_interpolate(j->alone[1].batch, j->cv_at, j->alone[1].n, batch));
}

static double predict(const struct work *w, const struct job *j, const struct row *row, const double *x)
{
    double cv = straggler_cv(j, row->batch);
    double more = (1 + cv * w->slowest[row->gpus]) / (1 + cv * w->slowest[row->most]);
    struct dp_step s = {.compute_s = one_node_step(j, row->most, row->batch) * more,
                        .backward_frac = 2.0 / 3,
                        .gradient = j->gradient,
                        .bucket_bytes = exp(x[BUCKET]),
                        .workers = row->gpus,
                        .link = fabric_of(exp(x[row->nodes == 2 ? RATE_TWO : RATE_MORE]), exp(x[LATENCY])),
                        .beside_rate = 1 / (1 + exp(-x[BESIDE])),
                        .accumulate = 1};

    s.gradient.ready = j->ready;
    return dp_step_s(&s);
}

/* ----------------------------------------------------------------- fitting */

struct fit {
    const struct work *w;
    const char *cluster;
    const struct job *without[2];
};

static bool fits_on(const struct fit *f, const struct job *j)
{
    return !j->variable_length && strcmp(j->cluster, f->cluster) == 0 && j != f->without[0] &&
           j != f->without[1];
}

enum { FIT_ROWS = 120 }; /* of a job, evenly spaced: enough for four constants */

/* Sum over jobs of the mean absolute error of logarithms: jobs count equally, outliers little. */
static double badness(const double *x, void *ctx)
{
    const struct fit *f = ctx;
    double sum = 0;

    if (x[BUCKET] < log(256e3) || x[BUCKET] > log(1e9))
        return 1e9;
    for (size_t k = 0; k < f->w->n; k++) {
        const struct job *j = &f->w->jobs[k];
        size_t step = j->n / FIT_ROWS + 1, n = 0;
        double of_job = 0;

        for (size_t i = 0; fits_on(f, j) && i < j->n; i += step, n++)
            of_job += fabs(log(predict(f->w, j, &j->rows[i], x) / j->rows[i].step_s));
        sum += n > 0 ? of_job / (double)n : 0;
    }
    return sum;
}

static int fit_cluster(const struct fit *f, double *x, struct err *err)
{
    static const double start[CONSTANTS] = {20, 20.3, -9, 15.5, 2}; /* 0.5, 0.7 GB/s; 0.1 ms; 5 MB; 0.9 */

    memcpy(x, start, sizeof start);
    return tools_minimize(badness, (void *)(size_t)f, x, CONSTANTS, 0.4, 200, err);
}

/* Errors of jobs predicted from the others, the job of interest never among them. */
static int left_out_spread(const struct work *w, const struct job *target, struct tools_spread *out,
                           struct err *err)
{
    double *predicted, *measured, x[CONSTANTS];
    size_t n = 0, most = 0, jobs = 0;

    for (size_t k = 0; k < w->n; k++)
        most += w->jobs[k].n;
    predicted = arena_array(w->r->arena, most + 1, sizeof *predicted);
    measured = arena_array(w->r->arena, most + 1, sizeof *measured);
    for (size_t k = 0; k < w->n; k++) {
        const struct job *j = &w->jobs[k];
        struct fit f = {w, target->cluster, {target, j}};

        if (j == target || strcmp(j->cluster, target->cluster) != 0)
            continue;
        TRY(fit_cluster(&f, x, err));
        jobs++;
        for (size_t i = 0; i < j->n; i++) {
            predicted[n] = predict(w, j, &j->rows[i], x);
            measured[n++] = j->rows[i].step_s;
        }
    }
    *out = tools_spread(predicted, measured, n, w->r->arena);
    tools_widen(out, jobs);
    return 0;
}

/* --------------------------------------------------------------- the figures */

/* Relative standard deviation of one measurement, pooled over the placements that were repeated. */
static double noise_of(const struct job *j)
{
    double sum = 0, n = 0;

    for (size_t i = 0; i < j->n; i++) {
        const struct tally *t = &j->rows[i].repeats;

        sum += t->m2 / (t->mean * t->mean);
        n += (double)t->n - 1;
    }
    return n > 0 ? sqrt(sum / n) : NAN;
}

static double nearest_placement(const struct job *j, const struct row *row)
{
    const struct one_node *o = NULL;
    size_t best = 0;

    for (int g = 1; g <= NODE_GPUS && g <= row->gpus; g++)
        if (j->alone[g].n > 0)
            o = &j->alone[g];
    for (size_t i = 1; o != NULL && i < o->n; i++)
        if (fabs(log(o->batch[i] / row->batch)) < fabs(log(o->batch[best] / row->batch)))
            best = i;
    return o != NULL ? o->step_s[best] : NAN;
}

static int predict_job(struct work *w, const struct job *j, struct err *err)
{
    struct fit f = {w, j->cluster, {j, NULL}};
    struct tools_spread spread;
    double x[CONSTANTS], noise = noise_of(j);

    TRY(fit_cluster(&f, x, err));
    TRY(left_out_spread(w, j, &spread, err));
    for (size_t i = 0; i < j->n; i++) {
        const struct row *row = &j->rows[i];
        struct replay_figure figure = {
            .name = arena_printf(w->r->arena, "%s batch %g on %s", j->name, row->batch, row->placement),
            .unit = "s/step",
            .measured = row->step_s,
            .predicted = tools_estimate(predict(w, j, row, x), &spread),
            .naive = nearest_placement(j, row),
            .noise_frac = noise / sqrt((double)row->repeats.n),
            .group = arena_printf(w->r->arena, "%s batch %g", j->name, row->batch)};

        replay_emit(w->r, &figure);
    }
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    const struct json *jobs = json_get(r->params, "jobs");
    struct work w = {.r = r, .jobs = arena_array(r->arena, json_size(jobs) + 1, sizeof *w.jobs)};

    for (size_t n = 0; n < sizeof w.slowest / sizeof *w.slowest; n++)
        w.slowest[n] = slowest_of((double)n);
    JSON_EACH (v, jobs) {
        TRY(read_job(&w, v, arena_printf(r->arena, "$.params.jobs[%zu]", w.n), &w.jobs[w.n], err));
        calibrate_stragglers(&w, &w.jobs[w.n]);
        w.n++;
    }
    for (size_t i = 0; i < w.n; i++) {
        progress_step(r->progress, -1, w.jobs[i].name);
        TRY(predict_job(&w, &w.jobs[i], err));
    }
    return 0;
}

const struct replay_kind replay_training_scale = {
    .name = "training-scale",
    .about = "data parallel training from one node to many (Pollux, Gavel)",
    .run = run,
};
