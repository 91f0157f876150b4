/*
 * recipe_spark.c - the law of a task's time from the tasks of Spark jobs.
 *
 *   run_s = fixed + bytes read / read rate + bytes shuffled in / fetch rate + bytes written / write rate,
 *           times a lognormal of the spread that is left
 *
 * Only tasks that succeeded in their first attempt count, and no speculative
 * copies.  Around the run stand launching, deserializing and returning the
 * result: `overhead`, the median over tasks.  Skew is the coefficient of
 * variation of a stage's tasks in bytes, on average over stages.
 */
#include "calibrate/linear.h"
#include "calibrate/recipes.h"
#include "engine/stats.h"
#include "store/view.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

enum {
    T_RUN,
    T_LAUNCH,
    T_FINISH,
    T_INPUT,
    T_REMOTE,
    T_LOCAL,
    T_SHUFFLE_OUT,
    T_OUTPUT,
    T_STAGE,
    T_ATTEMPT,
    T_SPECULATIVE,
    T_OUTCOME,
    T_SEQ,
    T_COLUMNS
};
static const double LOG_RESOLUTION_S = 1e-3; /* event logs count milliseconds */

enum { PARTS = 4, FEWEST_TASKS = 30 };

struct tasks {
    struct view_column c[T_COLUMNS];
    size_t n;                 /* that count */
    double *x, *run, *around; /* n rows of PARTS; seconds run, and seconds around the run */
    double *bytes, *stage;
    int64_t first, last;
};

static int load(struct fitting *f, int64_t trace, struct tasks *t, size_t *rows, struct err *err)
{
    static const char *const names[T_COLUMNS] = {"run_s",
                                                 "launch_s",
                                                 "finish_s",
                                                 "input_bytes",
                                                 "shuffle_remote_bytes",
                                                 "shuffle_local_bytes",
                                                 "shuffle_write_bytes",
                                                 "output_bytes",
                                                 "stage",
                                                 "attempt",
                                                 "speculative",
                                                 "outcome",
                                                 "seq"};

    for (int k = 0; k < T_COLUMNS; k++)
        t->c[k] = (struct view_column){.name = names[k]};
    return view_load(f->store, "spark_task", trace, t->c, T_COLUMNS, f->a, rows, err);
}

static double known(const struct tasks *t, int column, size_t i)
{
    double v = t->c[column].real[i];

    return v > 0 ? v : 0; /* NULL: nothing of the kind was read or written */
}

static bool counts(const struct tasks *t, size_t i)
{
    return strcmp(t->c[T_OUTCOME].text[i], "Success") == 0 && t->c[T_ATTEMPT].real[i] == 0 &&
           t->c[T_SPECULATIVE].real[i] == 0 && t->c[T_RUN].real[i] > 0;
}

static void gather(struct tasks *t, size_t rows, struct arena *a)
{
    t->x = arena_array(a, rows * PARTS + 1, sizeof *t->x);
    t->run = arena_array(a, rows + 1, sizeof *t->run);
    t->around = arena_array(a, rows + 1, sizeof *t->around);
    t->bytes = arena_array(a, rows + 1, sizeof *t->bytes);
    t->stage = arena_array(a, rows + 1, sizeof *t->stage);
    for (size_t i = 0; i < rows; i++) {
        double *x = t->x + t->n * PARTS;

        if (!counts(t, i))
            continue;
        x[0] = 1;
        x[1] = known(t, T_INPUT, i);
        x[2] = known(t, T_REMOTE, i) + known(t, T_LOCAL, i);
        x[3] = known(t, T_SHUFFLE_OUT, i) + known(t, T_OUTPUT, i);
        t->run[t->n] = t->c[T_RUN].real[i];
        t->around[t->n] = t->c[T_FINISH].real[i] - t->c[T_LAUNCH].real[i] - t->run[t->n];
        t->bytes[t->n] = x[1] + x[2];
        t->stage[t->n] = t->c[T_STAGE].real[i];
        t->last = (int64_t)t->c[T_SEQ].real[i];
        if (t->n++ == 0)
            t->first = t->last;
    }
}

/* Seconds per byte become bytes a second; what costs nothing has no rate. */
static void as_rates(struct fit *fit)
{
    for (int k = 1; k < fit->params_n; k++) {
        struct fit_param *p = &fit->param[k];
        double slope = p->value > 0 ? -1 / (p->value * p->value) : 0;

        p->unit = "bytes/s";
        p->identifiable = p->identifiable && p->value > 0;
        p->value = p->value > 0 ? 1 / p->value : 0;
        p->stderr_ *= fabs(slope);
        for (int j = 0; j < fit->params_n; j++) {
            fit->cov[k][j] *= slope;
            fit->cov[j][k] *= slope;
        }
    }
}

/* Bytes a task read, fetched and wrote. */
static void size_range(const struct tasks *t, struct fit *fit)
{
    fit->valid_from = INFINITY;
    fit->valid_to = 0;
    for (size_t i = 0; i < t->n; i++) {
        double bytes = t->x[i * PARTS + 1] + t->x[i * PARTS + 2] + t->x[i * PARTS + 3];

        fit->valid_from = fmin(fit->valid_from, bytes);
        fit->valid_to = fmax(fit->valid_to, bytes);
    }
}

static int fit_run(struct fitting *f, const struct tasks *t, struct err *err)
{
    static const char *const names[PARTS] = {"fixed", "read_rate", "fetch_rate", "write_rate"};
    static const char *const units[PARTS] = {"s", "s", "s", "s"};
    struct linear_data d = {
        .x = t->x, .y = t->run, .n = t->n, .k = PARTS, .name = names, .unit = units, .range_of = 1};
    struct linear_options o = {.noise = NOISE_RELATIVE, .huber = 3};
    const char *prefix = arena_printf(f->a, "fits.%s.task", f->target);
    struct fit fit;

    TRY(linear_fit(&d, &o, &fit, err));
    as_rates(&fit);
    if (!isfinite(fit.noise_frac)) {
        fitting_remark(f, "suspect", "the tasks' times do not follow from the bytes they move: no rates");
        return 0;
    }
    size_range(t, &fit);
    fitting_fit(f, prefix, &fit, "bytes");
    fitting_row(f, &(struct calibration_row){.path = arena_printf(f->a, "%s.cv", prefix),
                                             .value = fit.noise_frac,
                                             .stderr_ = fit.noise_frac / sqrt(2.0 * (double)t->n),
                                             .unit = "",
                                             .n = (long)t->n,
                                             .method = "spread of the residuals",
                                             .r2 = NAN,
                                             .holdout_error_frac = NAN,
                                             .valid_from = NAN,
                                             .valid_to = NAN});
    return 0;
}

/* The median, and its standard error from the order statistics one sigma around it. */
static void add_overhead(struct fitting *f, const struct tasks *t)
{
    double lo, hi, half = 0.5 / sqrt((double)t->n);

    gsl_sort(t->around, 1, t->n);
    lo = gsl_stats_quantile_from_sorted_data(t->around, 1, t->n, fmax(0, 0.5 - half));
    hi = gsl_stats_quantile_from_sorted_data(t->around, 1, t->n, fmin(1, 0.5 + half));
    fitting_row(f, &(struct calibration_row){.path = fitting_path(f, "overhead"),
                                             .value = gsl_stats_median_from_sorted_data(t->around, 1, t->n),
                                             .stderr_ = fmax((hi - lo) / 2, LOG_RESOLUTION_S / sqrt(12)),
                                             .unit = "s",
                                             .n = (long)t->n,
                                             .method = "median of finish - launch - run",
                                             .r2 = NAN,
                                             .holdout_error_frac = NAN,
                                             .valid_from = NAN,
                                             .valid_to = NAN});
}

struct stage_bytes {
    double stage;
    struct tally bytes;
};

static size_t bytes_by_stage(const struct tasks *t, struct arena *a, struct stage_bytes **out)
{
    struct stage_bytes *s = arena_array(a, t->n + 1, sizeof *s);
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++) {
        size_t k = n;

        while (k > 0 && s[k - 1].stage != t->stage[i]) /* tasks of a stage stand together, mostly */
            k--;
        if (k == 0) {
            s[n] = (struct stage_bytes){.stage = t->stage[i]};
            k = ++n;
        }
        tally_add(&s[k - 1].bytes, t->bytes[i]);
    }
    *out = s;
    return n;
}

/* Spread of a task's bytes within its stage: mean over the stages of at least 4 tasks that move any. */
static void add_skew(struct fitting *f, const struct tasks *t)
{
    struct stage_bytes *s;
    size_t n = bytes_by_stage(t, f->a, &s);
    struct tally cv = {0};

    for (size_t i = 0; i < n; i++)
        if (s[i].bytes.n >= 4 && s[i].bytes.mean > 0)
            tally_add(&cv, sqrt(tally_variance(&s[i].bytes)) / s[i].bytes.mean);
    if (cv.n >= 2)
        fitting_plain(f, fitting_path(f, "skew"), cv.mean, sqrt(tally_variance(&cv) / (double)cv.n), "",
                      (long)cv.n, "spread of bytes within a stage");
}

/* Attempts that failed; killed ones (copies that lost, stages given up) did not. */
static void add_failures(struct fitting *f, const struct tasks *t, size_t rows)
{
    double failed = 0, p;

    for (size_t i = 0; i < rows; i++)
        failed += strcmp(t->c[T_OUTCOME].text[i], "Success") != 0 &&
                  strcmp(t->c[T_OUTCOME].text[i], "TaskKilled") != 0;
    p = failed / (double)rows;
    if (failed > 0)
        fitting_plain(f, fitting_path(f, "fail_prob"), p, sqrt(p * (1 - p) / (double)rows), "", (long)rows,
                      "attempts that failed");
}

int recipe_task_law(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                    struct err *err)
{
    struct tasks t = {.n = 0};
    size_t rows;

    (void)info;
    *used = false;
    TRY(load(f, trace_id, &t, &rows, err));
    if (rows == 0)
        return 0;
    gather(&t, rows, f->a);
    if (t.n < FEWEST_TASKS) {
        fitting_remark(f, "note", "%zu tasks that succeeded at once: fewer than %d make no law", t.n,
                       FEWEST_TASKS);
        return 0;
    }
    if (rows - t.n > rows / 20)
        fitting_remark(f, "suspect", "%zu of %zu tasks failed, were tried again or were copies: left out",
                       rows - t.n, rows);
    TRY(fit_run(f, &t, err));
    add_overhead(f, &t);
    add_skew(f, &t);
    add_failures(f, &t, rows);
    fitting_source(f, arena_printf(f->a, "fits.%s.task", f->target),
                   &(struct rows_used){trace_id, "spark_task", "outcome=Success,attempt=0,speculative=0",
                                       t.first, t.last, (long)t.n});
    *used = true;
    return 0;
}
