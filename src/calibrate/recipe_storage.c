/*
 * recipe_storage.c - what disks and storage systems give, from repeated runs.
 *
 * "cloud machine": one benchmark on many machines for months.  Runs of one
 * machine resemble each other: machines are pooled (pooling.h), so the error of
 * the mean counts machines, and their spread has an error of its own.
 *
 * "training storage": runs of emulated training.  What a system moved is a lower
 * limit of what it can while the accelerators were kept busy; where they waited,
 * it is what it could.
 *
 * "storage": fio.  Large blocks tell the bandwidth, small ones the operations a second.
 */
#include "calibrate/drift.h"
#include "calibrate/pooling.h"
#include "calibrate/recipes.h"
#include "calibrate/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_MACHINES = 4 }; /* that pooling can tell something of */

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

/* -------------------------------------------------------- cloud machines */

static const struct {
    const char *figure, *param, *unit;
} machine_figures[] = {{"throughput_bytes_per_s", "read_bw", "bytes/s"},
                       {"ios_per_s", "iops", "per s"},
                       {"latency_mean_s", "latency", "s"}};

/* The runs of one figure, by machine. */
struct machine_runs {
    double *value, *when;
    size_t *machine;
    size_t n, machines;
};

static void collect_runs(struct fitting *f, const struct measured_group *g, size_t n, const char *figure,
                         struct machine_runs *r)
{
    size_t rows = 0;

    for (size_t i = 0; i < n; i++)
        rows += g[i].n;
    *r = (struct machine_runs){.value = arena_array(f->a, rows + 1, sizeof *r->value),
                               .when = arena_array(f->a, rows + 1, sizeof *r->when),
                               .machine = arena_array(f->a, rows + 1, sizeof *r->machine)};
    for (size_t i = 0; i < n; i++) {
        size_t before = r->n;

        for (size_t j = 0; j < g[i].n; j++) {
            double v = measured_figure(g[i].row[j], figure);

            if (!(v > 0))
                continue;
            r->when[r->n] = measured_figure(g[i].row[j], "start_s");
            r->machine[r->n] = r->machines;
            r->value[r->n++] = v;
        }
        r->machines += r->n > before;
    }
}

static struct moments *by_machine(struct fitting *f, const struct machine_runs *r)
{
    struct moments *own = arena_array(f->a, r->machines + 1, sizeof *own);

    for (size_t i = 0; i < r->n; i++)
        add(&own[r->machine[i]], r->value[i]);
    return own;
}

/* Variance of runs of one machine, all machines together. */
static double within_machines(const struct machine_runs *r, const struct moments *own)
{
    double within = 0;

    for (size_t k = 0; k < r->machines; k++)
        within += own[k].m2;
    return within / (double)(r->n - r->machines);
}

static void machine_rows(struct fitting *f, int figure, const struct machine_runs *r, double mean,
                         double mean_error, double between, double between_error, const char *method)
{
    const char *param = machine_figures[figure].param;
    double within = within_machines(r, by_machine(f, r));

    fitting_plain(f, arena_printf(f->a, "kinds.disk.%s", param), mean, mean_error,
                  machine_figures[figure].unit, (long)r->n, method);
    fitting_plain(f, arena_printf(f->a, "fits.disk.%s.between_machines_cv", param), between / mean,
                  between_error / mean, "", (long)r->machines,
                  isfinite(between_error) ? method : "one-way random effects");
    fitting_plain(f, arena_printf(f->a, "fits.disk.%s.between_runs_cv", param), sqrt(within) / mean, NAN, "",
                  (long)r->n, "one-way random effects");
}

/* Machines that were seen a few times each are pooled: neither believed alone nor all taken for one. */
static int pool_machines(struct fitting *f, int figure, const struct machine_runs *r, struct err *err)
{
    struct group *own = arena_array(f->a, r->machines, sizeof *own);
    struct pooled_group *pooled = arena_array(f->a, r->machines, sizeof *pooled);
    struct fit fit;

    TRY(pooling_groups(r->value, r->machine, r->n, r->machines, own, err));
    TRY(pooling_fit(own, r->machines, pooled, &fit, err));
    machine_rows(f, figure, r, fit.param[0].value, fit.param[0].stderr_, fit.param[1].value,
                 fit.param[1].stderr_, fit.method);
    fitting_suspects(f, machine_figures[figure].param, &fit);
    return 0;
}

/* Too few machines to tell how they spread: the mean of their means. */
static void average_machines(struct fitting *f, int figure, const struct machine_runs *r)
{
    struct moments *own = by_machine(f, r), machines = {0};
    double per_machine = (double)r->n / (double)r->machines, between;

    for (size_t k = 0; k < r->machines; k++)
        add(&machines, own[k].mean);
    between = fmax(0, variance(&machines) - within_machines(r, own) / per_machine);
    machine_rows(f, figure, r, machines.mean, sqrt(variance(&machines) / machines.n), sqrt(between), NAN,
                 "mean of the machines' means");
}

static int fit_machines(struct fitting *f, const struct measured_group *g, size_t n, int figure,
                        struct err *err)
{
    struct machine_runs r;

    collect_runs(f, g, n, machine_figures[figure].figure, &r);
    if (r.machines < 2 || r.n < r.machines + 2)
        return 0;
    if (r.machines >= FEWEST_MACHINES)
        TRY(pool_machines(f, figure, &r, err));
    else
        average_machines(f, figure, &r);
    drift_check(f, machine_figures[figure].figure, r.when, r.value, r.n);
    return 0;
}

static int cloud_machines(struct fitting *f, int64_t trace, bool *used, struct err *err)
{
    static const char *const vary[] = {NULL};
    struct measured_group *g;
    size_t n;

    TRY(samples_measured(f->store, trace, "cloud machine", f->where, vary, false, f->a, &g, &n, err));
    for (int k = 0; n > 0 && k < 3; k++)
        TRY(fit_machines(f, g, n, k, err));
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
    fitting_plain(f, path, value, NAN, iops ? "per s" : "bytes/s", 1, "one run of fio");
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

static void system_rows(struct fitting *f, const struct fit_info *info, const struct measured_group *g,
                        int64_t trace)
{
    struct setting s = largest_setting(g);
    const struct measured_row *m = g->row[0];
    const char *prefix =
        arena_printf(f->a, "fits.%s.%s[%s,%s,%s]", f->target, info->param, measured_text(m, "system"),
                     measured_text(m, "model"), measured_text(m, "accelerator"));
    double compute = measured_number(m, "compute_s"), busy = s.busy.mean;

    if (!(s.io.mean > 0))
        return;
    fitting_row(f, &(struct calibration_row){.path = arena_printf(f->a, "%s.bandwidth", prefix),
                                             .value = s.io.mean,
                                             .stderr_ = sqrt(variance(&s.io) / s.io.n),
                                             .unit = "bytes/s",
                                             .n = (long)s.io.n,
                                             .method = busy >= KEPT_BUSY_FRAC
                                                           ? "lower limit: the accelerators were kept busy"
                                                           : "the accelerators waited",
                                             .r2 = NAN,
                                             .holdout_error_frac = NAN,
                                             .valid_from = smallest_count(g),
                                             .valid_to = s.accelerators,
                                             .valid_of = "accelerators"});
    if (busy > 0 && compute > 0) /* a step takes compute / busy */
        fitting_plain(f, arena_printf(f->a, "%s.step_wait", prefix), compute * (1 / busy - 1),
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
