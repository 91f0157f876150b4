/*
 * recipe_storage.c - what disks and storage systems give, from repeated runs.
 *
 * "cloud machine": one benchmark on many machines for months.  Runs of one
 * machine resemble each other, so the mean is that of the machines and its error
 * counts machines, not runs (one-way random effects).
 *
 * "training storage": runs of emulated training.  What a system moved is a lower
 * limit of what it can while the accelerators were kept busy; where they waited,
 * it is what it could.
 *
 * "storage": fio.  Large blocks tell the bandwidth, small ones the operations a second.
 */
#include "calibrate/drift.h"
#include "calibrate/recipes.h"
#include "calibrate/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double KEPT_BUSY_FRAC = 0.9; /* MLPerf Storage asks for it */
static const double LARGE_BYTES = 65536, SMALL_BYTES = 16384;

struct moments {
    double n, mean, m2;
};

static void add(struct moments *m, double x)
{
    double before = x - m->mean;

    m->n++;
    m->mean += before / m->n;
    m->m2 += before * (x - m->mean);
}

static double variance(const struct moments *m)
{
    return m->n > 1 ? m->m2 / (m->n - 1) : NAN;
}

static void plain_row(struct fitting *f, const char *path, double value, double stderr_, const char *unit, long n,
                      const char *method)
{
    fitting_row(f, &(struct calibration_row){.path = path,
                                             .value = value,
                                             .stderr_ = stderr_,
                                             .unit = unit,
                                             .n = n,
                                             .method = method,
                                             .r2 = NAN,
                                             .holdout_error_frac = NAN,
                                             .valid_from = NAN,
                                             .valid_to = NAN});
}

/* -------------------------------------------------------- cloud machines */

static const struct {
    const char *figure, *param, *unit;
} machine_figures[] = {{"throughput_bytes_per_s", "read_bw", "bytes/s"},
                       {"ios_per_s", "iops", "per s"},
                       {"latency_mean_s", "latency", "s"}};

static void machine_rows(struct fitting *f, const char *param, const char *unit, const struct moments *all,
                         const struct moments *machines, double within, long runs)
{
    double per_machine = all->n / machines->n;
    double between = fmax(0, variance(machines) - within / per_machine);

    plain_row(f, arena_printf(f->a, "kinds.disk.%s", param), machines->mean, sqrt(variance(machines) / machines->n), unit,
              runs, "mean of the machines' means");
    plain_row(f, arena_printf(f->a, "fits.disk.%s.between_machines_cv", param), sqrt(between) / machines->mean, NAN, "",
              (long)machines->n, "one-way random effects");
    plain_row(f, arena_printf(f->a, "fits.disk.%s.between_runs_cv", param), sqrt(within) / machines->mean, NAN, "", runs,
              "one-way random effects");
}

/* One figure over groups of one machine each. */
static void fit_machines(struct fitting *f, const struct measured_group *g, size_t n, int figure)
{
    struct moments all = {0}, machines = {0};
    double within = 0, freedom = 0, *when, *value;
    size_t rows = 0, k = 0;

    for (size_t i = 0; i < n; i++)
        rows += g[i].n;
    when = arena_array(f->a, rows + 1, sizeof *when);
    value = arena_array(f->a, rows + 1, sizeof *value);
    for (size_t i = 0; i < n; i++) {
        struct moments own = {0};

        for (size_t j = 0; j < g[i].n; j++) {
            double v = measured_figure(g[i].row[j], machine_figures[figure].figure);

            if (!(v > 0))
                continue;
            when[k] = measured_figure(g[i].row[j], "start_s");
            value[k++] = v;
            add(&own, v);
            add(&all, v);
        }
        if (own.n < 2)
            continue;
        add(&machines, own.mean);
        within += own.m2;
        freedom += own.n - 1;
    }
    if (machines.n < 2)
        return;
    machine_rows(f, machine_figures[figure].param, machine_figures[figure].unit, &all, &machines, within / freedom,
                 (long)all.n);
    drift_check(f, machine_figures[figure].figure, when, value, k);
}

static int cloud_machines(struct fitting *f, int64_t trace, bool *used, struct err *err)
{
    static const char *const vary[] = {NULL};
    struct measured_group *g;
    size_t n;

    TRY(samples_measured(f->store, trace, "cloud machine", f->where, vary, false, f->a, &g, &n, err));
    for (int k = 0; n > 0 && k < 3; k++)
        fit_machines(f, g, n, k);
    if (n == 0)
        return 0;
    fitting_source(f, "kinds.disk",
                   &(struct rows_used){trace, "measurements", "subject=cloud machine", g[0].row[0]->seq,
                                       g[n - 1].row[g[n - 1].n - 1]->seq, (long)n});
    *used = true;
    return 0;
}

/* ------------------------------------------------------------------- fio */

static double block_bytes(const struct measured_row *m)
{
    const char *text = measured_text(m, "bs");
    double bytes = measured_number(m, "bs");
    char *end;

    if (text[0] != '\0') {
        bytes = strtod(text, &end);
        bytes *= *end == 'k' || *end == 'K' ? 1024 : *end == 'm' || *end == 'M' ? 1048576 : 1;
    }
    return bytes > 0 ? bytes : 4096; /* fio's default */
}

/* Which parameter of a disk the job tells; NULL: none. */
static const char *fio_tells(const struct measured_row *m)
{
    double block = block_bytes(m);
    bool write = strcmp(measured_text(m, "direction"), "write") == 0;

    if (block >= LARGE_BYTES)
        return write ? "write_bw" : "read_bw";
    return block <= SMALL_BYTES && !write ? "iops" : NULL;
}

static bool has_row(const struct fitting *f, const char *path)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->rows[i].path, path) == 0)
            return true;
    return false;
}

/* The first job of a kind counts. */
static void fio_row(struct fitting *f, const struct measured_row *m)
{
    const char *param = fio_tells(m);
    const char *path = param != NULL ? arena_printf(f->a, "kinds.disk.%s", param) : "";
    bool iops = param != NULL && strcmp(param, "iops") == 0;
    double value = measured_figure(m, iops ? "ios_per_s" : "bytes_per_s");

    if (param == NULL || !(value > 0) || has_row(f, path))
        return;
    plain_row(f, path, value, NAN, iops ? "per s" : "bytes/s", 1, "one run of fio");
    fitting_remark(f, "note", "job %s: one run; how much runs differ is not known", measured_text(m, "job"));
}

static int fio_runs(struct fitting *f, int64_t trace, bool *used, struct err *err)
{
    static const char *const vary[] = {NULL};
    struct measured_group *g;
    size_t n, before = f->n;

    TRY(samples_measured(f->store, trace, "storage", f->where, vary, false, f->a, &g, &n, err));
    for (size_t i = 0; i < n; i++)
        fio_row(f, g[i].row[0]);
    if (f->n == before)
        return 0;
    fitting_source(f, "kinds.disk",
                   &(struct rows_used){trace, "measurements", "subject=storage", g[0].row[0]->seq,
                                       g[n - 1].row[0]->seq, (long)n});
    *used = true;
    return 0;
}

/* ------------------------------------------------------ training storage */

/* Runs at one number of accelerators. */
struct setting {
    double accelerators;
    struct moments io, busy;
};

static struct setting largest_setting(const struct measured_group *g)
{
    struct setting best = {0};

    for (size_t i = 0; i < g->n; i++)
        best.accelerators = fmax(best.accelerators, measured_number(g->row[i], "accelerators"));
    for (size_t i = 0; i < g->n; i++)
        if (measured_number(g->row[i], "accelerators") == best.accelerators) {
            add(&best.io, measured_figure(g->row[i], "io_bytes_per_s"));
            add(&best.busy, measured_figure(g->row[i], "accelerator_utilization_frac"));
        }
    return best;
}

static double smallest_count(const struct measured_group *g)
{
    double least = INFINITY;

    for (size_t i = 0; i < g->n; i++)
        least = fmin(least, measured_number(g->row[i], "accelerators"));
    return least;
}

static void system_rows(struct fitting *f, const struct fit_info *info, const struct measured_group *g, int64_t trace)
{
    struct setting s = largest_setting(g);
    const struct measured_row *m = g->row[0];
    const char *prefix =
        arena_printf(f->a, "fits.%s.%s[%s,%s,%s]", f->target, info->param, measured_text(m, "system"),
                     measured_text(m, "model"), measured_text(m, "accelerator"));
    double compute = measured_number(m, "compute_s"), busy = s.busy.mean;

    if (!(s.io.mean > 0))
        return;
    fitting_row(f, &(struct calibration_row){
                       .path = arena_printf(f->a, "%s.bandwidth", prefix),
                       .value = s.io.mean,
                       .stderr_ = sqrt(variance(&s.io) / s.io.n),
                       .unit = "bytes/s",
                       .n = (long)s.io.n,
                       .method = busy >= KEPT_BUSY_FRAC ? "lower limit: the accelerators were kept busy"
                                                        : "the accelerators waited",
                       .r2 = NAN,
                       .holdout_error_frac = NAN,
                       .valid_from = smallest_count(g),
                       .valid_to = s.accelerators,
                       .valid_of = "accelerators"});
    if (busy > 0 && compute > 0) /* a step takes compute / busy */
        plain_row(f, arena_printf(f->a, "%s.step_wait", prefix), compute * (1 / busy - 1),
                  compute * sqrt(variance(&s.busy) / s.busy.n) / (busy * busy), "s", (long)s.busy.n,
                  "compute (1 / utilization - 1)");
    fitting_source(f, prefix,
                   &(struct rows_used){trace, "measurements", g->key, g->row[0]->seq, g->row[g->n - 1]->seq,
                                       (long)g->n});
}

static int training_storage(struct fitting *f, const struct fit_info *info, int64_t trace, bool *used,
                            struct err *err)
{
    static const char *const same[] = {"submitter", "system", "model", "accelerator", NULL};
    struct measured_group *g;
    size_t n;

    TRY(samples_measured(f->store, trace, "training storage", f->where, same, true, f->a, &g, &n, err));
    for (size_t i = 0; i < n; i++)
        system_rows(f, info, &g[i], trace);
    *used = *used || n > 0;
    return 0;
}

int recipe_storage_runs(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                        struct err *err)
{
    *used = false;
    if (strcmp(f->target, "disk") != 0)
        return training_storage(f, info, trace_id, used, err);
    TRY(cloud_machines(f, trace_id, used, err));
    return fio_runs(f, trace_id, used, err);
}
