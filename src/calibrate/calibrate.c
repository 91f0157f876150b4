#include "calibrate/calibrate.h"

#include "calibrate/cost.h"
#include "calibrate/resolve.h"
#include "pipeline/simulate.h"
#include "store/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPS_MAX = 16, RATIOS_MAX = 4, VERIFY_REPLICATIONS = 8 };

/* The spans of one operator: alone, and in place (the last execution apart). */
struct op_data {
    struct observation *alone;
    size_t alone_n, cap;
    double cpu_s, items, bytes, runs; /* in place, summed; runs: how many spans */
    double held_cpu_s, held_items, held_bytes, held_runs;
    double bytes_in, bytes_out;
    struct cost_fit fit;
    bool fitted;
    double factor, holdout_error;
};

/* A ratio of two counts: its value is that of the sums, its error from how it varies between spans. */
struct ratio_data {
    double in, out, sum, sum2;
    long n;
};

struct stage_data {
    const struct stage *def;
    struct op_data ops[OPS_MAX];
    int ops_n;
    struct ratio_data ratios[RATIOS_MAX]; /* as the model lists them */
};

struct work {
    const struct calibrate_input *in;
    struct arena *a;
    struct calibration *out;
    size_t rows_cap;
    struct stage_data *stages;
    struct ratio_data ratios[2][2][2]; /* order, codec - 1, used */
    struct op_data disk_read, disk_write;
    struct tally speed[65]; /* CPU seconds of the same work by number of threads */
    double contention, contention_stderr, slowdown;
    /* of the execution being read */
    bool held_out;
    double end_s, cpu_s;
    struct tally throughput, load; /* per execution: units/s; CPU seconds per second */
};

/* ---------------------------------------------------------------- rows */

static void add_row(struct work *w, const char *path, double value, double stderr_, const char *unit, long n,
                    const char *method, double r2, double holdout, double from, double to)
{
    if (w->out->n == w->rows_cap) {
        struct calibration_row *grown = arena_array(w->a, 2 * w->rows_cap + 64, sizeof *grown);

        if (w->out->n > 0)
            memcpy(grown, w->out->rows, w->out->n * sizeof *grown);
        w->out->rows = grown;
        w->rows_cap = 2 * w->rows_cap + 64;
    }
    w->out->rows[w->out->n++] = (struct calibration_row){.path = path,
                                                         .value = value,
                                                         .stderr_ = stderr_,
                                                         .unit = unit,
                                                         .n = n,
                                                         .method = method,
                                                         .r2 = r2,
                                                         .holdout_error_frac = holdout,
                                                         .valid_from = from,
                                                         .valid_to = to};
}

/* Which size the ranges of the rows from `first` on speak of. */
static void ranges_are_of(struct work *w, size_t first, const char *size)
{
    for (size_t i = first; i < w->out->n; i++)
        w->out->rows[i].valid_of = size;
}

static void remark(struct work *w, const char *text)
{
    const char **grown = arena_array(w->a, (size_t)w->out->remarks_n + 1, sizeof *grown);

    if (w->out->remarks_n > 0)
        memcpy(grown, w->out->remarks, (size_t)w->out->remarks_n * sizeof *grown);
    grown[w->out->remarks_n++] = text;
    w->out->remarks = grown;
}

/* -------------------------------------------------------------- reading */

static void observe(struct op_data *d, double seconds, double items, double bytes)
{
    if (d->alone_n == d->cap) {
        d->cap = 2 * d->cap + 64;
        d->alone = xrealloc(d->alone, d->cap, sizeof *d->alone);
    }
    d->alone[d->alone_n++] = (struct observation){seconds, items, bytes};
}

static struct stage_data *find_stage(struct work *w, const char *name)
{
    for (int i = 0; i < w->in->scenario->stages_n; i++)
        if (strcmp(w->in->scenario->stages[i].name, name) == 0)
            return &w->stages[i];
    return NULL;
}

static int find_op(const struct stage_data *sd, const char *name)
{
    for (int i = 0; i < sd->ops_n; i++)
        if (strcmp(sd->def->model->ops[i].name, name) == 0)
            return i;
    return -1;
}

static double counted(const struct span *s, enum op_counts from, enum op_counts fallback)
{
    double v;

    if (from == COUNT_DEFAULT)
        from = fallback;
    v = from == COUNT_ITEMS ? s->items : from == COUNT_BYTES_IN ? s->bytes_in : s->bytes_out;
    return isfinite(v) ? v : 0;
}

static void span_size(const struct op_info *info, const struct span *s, double *items, double *bytes)
{
    *items = info->items != NULL ? counted(s, info->items_from, COUNT_ITEMS) : 0;
    *bytes = info->bytes != NULL ? counted(s, info->bytes_from, COUNT_BYTES_IN) : 0;
}

static void add_ratio(struct ratio_data *r, double out, double in)
{
    if (!(in > 0))
        return;
    r->in += in;
    r->out += out;
    r->sum += out / in;
    r->sum2 += out / in * (out / in);
    r->n++;
}

static void observe_ratios(struct stage_data *sd, const struct span *s)
{
    const struct ratio_info *info = sd->def->model->ratios;

    for (int i = 0; info != NULL && info[i].param != NULL; i++) {
        ASSERT(i < RATIOS_MAX);
        if (strcmp(info[i].op, s->op) == 0)
            add_ratio(&sd->ratios[i], counted(s, info[i].over, COUNT_BYTES_IN),
                      counted(s, info[i].under, COUNT_ITEMS));
    }
}

/* "zstd/session" or "zstd/session/used" */
static void observe_compression(struct work *w, const struct span *s)
{
    const char *slash = strchr(s->variant, '/');
    int codec = strncmp(s->variant, "lz4/", 4) == 0 ? 0 : strncmp(s->variant, "zstd/", 5) == 0 ? 1 : -1;
    bool used;

    if (codec < 0 || slash == NULL || strncmp(s->op, "compress_", 9) != 0 || !(s->bytes_in > 0))
        return;
    used = strstr(slash, "/used") != NULL;
    add_ratio(&w->ratios[strncmp(slash + 1, "session", 7) == 0][codec][used], s->bytes_out, s->bytes_in);
}

static int read_profile_span(void *ctx, const struct span *s, struct err *err)
{
    struct work *w = ctx;
    struct stage_data *sd = find_stage(w, s->stage);
    int op = sd != NULL ? find_op(sd, s->op) : -1;
    double items, bytes;

    (void)err;
    if (strcmp(s->stage, "disk") == 0) {
        observe(strcmp(s->op, "disk_read") == 0 ? &w->disk_read : &w->disk_write,
                fmax(s->end_s - s->start_s - s->cpu_s, 1e-9), 0, s->bytes_in);
        return 0;
    }
    if (strcmp(s->stage, "cores") == 0) {
        int threads = atoi(s->variant);

        if (threads >= 1 && threads <= 64)
            tally_add(&w->speed[threads], s->cpu_s);
        return 0;
    }
    if (op < 0)
        return 0;
    span_size(&sd->def->model->ops[op], s, &items, &bytes);
    if (s->cpu_s > 0)
        observe(&sd->ops[op], s->cpu_s, items, bytes);
    observe_ratios(sd, s);
    observe_compression(w, s);
    return 0;
}

static int read_run_span(void *ctx, const struct span *s, struct err *err)
{
    struct work *w = ctx;
    struct stage_data *sd = find_stage(w, s->stage);
    int op = sd != NULL ? find_op(sd, s->op) : -1;
    double items, bytes;

    (void)err;
    w->end_s = fmax(w->end_s, s->end_s);
    w->cpu_s += s->cpu_s > 0 ? s->cpu_s : 0;
    if (op < 0 || !(s->cpu_s > 0))
        return 0;
    span_size(&sd->def->model->ops[op], s, &items, &bytes);
    if (w->held_out) {
        sd->ops[op].held_cpu_s += s->cpu_s;
        sd->ops[op].held_items += items;
        sd->ops[op].held_bytes += bytes;
        sd->ops[op].held_runs++;
    } else {
        sd->ops[op].cpu_s += s->cpu_s;
        sd->ops[op].items += items;
        sd->ops[op].bytes += bytes;
        sd->ops[op].runs++;
    }
    return 0;
}

static int read_traces(struct work *w, struct err *err)
{
    TRY(trace_each(w->in->store, w->in->profile, NULL, NULL, read_profile_span, w, err));
    for (int i = 0; i < w->in->runs_n; i++) {
        w->held_out = w->in->runs_n > 1 && i == w->in->runs_n - 1;
        w->end_s = w->cpu_s = 0;
        TRY(trace_each(w->in->store, w->in->runs[i], NULL, NULL, read_run_span, w, err));
        if (w->end_s > 0) {
            tally_add(&w->throughput, w->in->scenario->horizon.items / w->end_s);
            tally_add(&w->load, w->cpu_s / w->end_s);
        }
    }
    return 0;
}

/* ----------------------------------------------------- cores and disks */

/* speed(k) = 1 / (1 + contention * (k - 1)): least squares through the origin, weighted by the spans' number.
 */
static void fit_contention(struct work *w)
{
    double sxx = 0, sxy = 0, var = 0, alone = w->speed[1].mean;

    for (int k = 2; k <= 64 && w->speed[1].n > 0; k++) {
        double x = k - 1, n = (double)w->speed[k].n;

        if (w->speed[k].n == 0)
            continue;
        sxx += n * x * x;
        sxy += n * x * (w->speed[k].mean / alone - 1);
        var += n * x * x * tally_variance(&w->speed[k]) / (alone * alone);
    }
    if (sxx > 0) {
        w->contention = fmax(0, sxy / sxx);
        w->contention_stderr = sqrt(var) / sxx;
    }
}

/* With u cores busy on average, one always, two are busy for u - 1 of the time: 2 (u - 1) / u of the CPU
 * time. */
static void find_slowdown(struct work *w)
{
    double u = w->load.mean;

    w->slowdown = u > 1 ? 1 + w->contention * (u < 2 ? 2 * (u - 1) / u : u - 1) : 1;
}

static int fit_resources(struct work *w, struct err *err)
{
    const struct scenario *s = w->in->scenario;
    struct cost_fit read, write;
    bool disk = w->disk_read.alone_n >= 3 && w->disk_write.alone_n >= 3;

    if (disk) {
        TRY(fit_cost(w->disk_read.alone, w->disk_read.alone_n, false, true, &read, err));
        TRY(fit_cost(w->disk_write.alone, w->disk_write.alone_n, false, true, &write, err));
    }
    for (int i = 0; i < s->resources_n; i++) {
        const char *base = arena_printf(w->a, "resources.%s", s->resources[i].name);
        size_t first = w->out->n;

        if (s->resources[i].kind == RESOURCE_CORES && w->speed[1].n > 0)
            add_row(w, arena_printf(w->a, "%s.contention", base), w->contention, w->contention_stderr, "",
                    (long)w->speed[2].n, "same work on one core and on several", NAN, NAN, 1,
                    (double)s->resources[i].count);
        if (s->resources[i].kind != RESOURCE_DISK || !disk)
            continue;
        if (read.cost.per_byte_s > 1e-13)
            add_row(w, arena_printf(w->a, "%s.read_bw", base), 1 / read.cost.per_byte_s,
                    read.per_byte_stderr / (read.cost.per_byte_s * read.cost.per_byte_s), "bytes/s", read.n,
                    "robust regression", read.r2, read.holdout_error_frac, read.from, read.to);
        if (write.cost.per_byte_s > 1e-13)
            add_row(w, arena_printf(w->a, "%s.write_bw", base), 1 / write.cost.per_byte_s,
                    write.per_byte_stderr / (write.cost.per_byte_s * write.cost.per_byte_s), "bytes/s",
                    write.n, "robust regression", write.r2, write.holdout_error_frac, write.from, write.to);
        add_row(w, arena_printf(w->a, "%s.latency", base), read.cost.fixed_s, read.fixed_stderr, "s", read.n,
                "robust regression", read.r2, read.holdout_error_frac, read.from, read.to);
        ranges_are_of(w, first, "bytes");
    }
    return 0;
}

/* ----------------------------------------------------------- operators */

/* Totals are linear in the sizes, so sums over spans are all that is needed. */
static double predicted_total(const struct cost *c, double runs, double items, double bytes)
{
    return c->fixed_s * runs + c->per_item_s * items + c->per_byte_s * bytes;
}

static void find_factors(struct work *w, struct stage_data *sd)
{
    double measured = 0, predicted = 0;

    for (int i = 0; i < sd->ops_n; i++) {
        struct op_data *d = &sd->ops[i];
        double alone =
            d->fitted ? predicted_total(&d->fit.cost, d->runs, d->items, d->bytes) * w->slowdown : 0;

        if (d->runs == 0 || !(alone > 0))
            continue;
        d->factor = d->cpu_s / alone;
        measured += d->cpu_s;
        predicted += alone;
    }
    for (int i = 0; i < sd->ops_n; i++)
        if (sd->ops[i].factor == 0)
            sd->ops[i].factor = predicted > 0 ? measured / predicted : 1;
}

static void add_op_rows(struct work *w, const struct stage_data *sd, int op)
{
    const struct op_data *d = &sd->ops[op];
    const struct op_info *info = &sd->def->model->ops[op];
    const char *base = arena_printf(w->a, "stages.%s.params.costs.%s", sd->def->name, info->name);
    double f = d->factor, held = d->holdout_error;
    /* Fits of one operator's terms are correlated; the error that matters is that of their sum. */
    double relative = d->fit.relative_stderr;
    size_t first = w->out->n;
    const char *method =
        d->runs > 0 ? "robust regression, scaled in place" : "robust regression, scaled as its stage";

    add_row(w, arena_printf(w->a, "%s.fixed", base), f * d->fit.cost.fixed_s,
            f * d->fit.cost.fixed_s * relative, "s", d->fit.n, method, d->fit.r2, held, d->fit.from,
            d->fit.to);
    if (info->items != NULL)
        add_row(w, arena_printf(w->a, "%s.per_item", base), f * d->fit.cost.per_item_s,
                f * d->fit.cost.per_item_s * relative, "s", d->fit.n, method, d->fit.r2, held, d->fit.from,
                d->fit.to);
    if (info->bytes != NULL)
        add_row(w, arena_printf(w->a, "%s.per_byte", base), f * d->fit.cost.per_byte_s,
                f * d->fit.cost.per_byte_s * relative, "s", d->fit.n, method, d->fit.r2, held, d->fit.from,
                d->fit.to);
    add_row(w, arena_printf(w->a, "%s.cv", base), d->fit.cost.cv, 0, "", d->fit.n, "residuals", NAN, NAN,
            d->fit.from, d->fit.to);
    ranges_are_of(w, first, info->items != NULL ? "items" : "bytes");
}

/* Tests the factor on the execution that was held out; then that execution counts like the others. */
static void admit_held_out(const struct work *w, struct op_data *d)
{
    double predicted =
        d->factor * w->slowdown * predicted_total(&d->fit.cost, d->held_runs, d->held_items, d->held_bytes);

    d->holdout_error = d->fit.holdout_error_frac;
    if (d->held_runs > 0 && d->fitted)
        d->holdout_error = fabs(predicted / d->held_cpu_s - 1);
    d->cpu_s += d->held_cpu_s;
    d->items += d->held_items;
    d->bytes += d->held_bytes;
    d->runs += d->held_runs;
    d->factor = 0;
}

static int fit_stage(struct work *w, struct stage_data *sd, struct err *err)
{
    bool any = false;

    for (int i = 0; i < sd->ops_n; i++) {
        struct op_data *d = &sd->ops[i];
        const struct op_info *info = &sd->def->model->ops[i];

        if (d->alone_n < 3)
            continue;
        if (fit_cost(d->alone, d->alone_n, info->items != NULL, info->bytes != NULL, &d->fit, err) != 0)
            return err_at(err, "stage \"%s\", operator \"%s\"", sd->def->name, info->name);
        d->fitted = any = true;
    }
    find_factors(w, sd);
    for (int i = 0; i < sd->ops_n; i++)
        admit_held_out(w, &sd->ops[i]);
    find_factors(w, sd);
    for (int i = 0; i < sd->ops_n; i++)
        if (sd->ops[i].fitted)
            add_op_rows(w, sd, i);
    if (!any)
        remark(w, arena_printf(
                      w->a,
                      "stage \"%s\": the profile has no spans of its operators; its costs stay as they are",
                      sd->def->name));
    return 0;
}

static void add_ratio_row(struct work *w, const char *path, const struct ratio_data *r, const char *what)
{
    double mean = r->n > 0 ? r->sum / (double)r->n : 0;
    double var = r->n > 1 ? fmax(0, r->sum2 / (double)r->n - mean * mean) / (double)(r->n - 1) : 0;

    if (r->n > 0)
        add_row(w, path, r->out / r->in, sqrt(var), "", r->n, what, NAN, NAN, NAN, NAN);
}

static void add_compression(struct work *w, const char *stage)
{
    static const char *const codecs[] = {"lz4", "zstd"};

    for (int order = 0; order < 2; order++)
        for (int codec = 0; codec < 2; codec++)
            for (int used = 0; used < 2; used++)
                add_ratio_row(w,
                              arena_printf(w->a, "stages.%s.params.%sratio_%s_%s", stage, used ? "used_" : "",
                                           table_order_names[order], codecs[codec]),
                              &w->ratios[order][codec][used], "bytes out over bytes in");
}

static void add_ratios(struct work *w)
{
    for (int i = 0; i < w->in->scenario->stages_n; i++) {
        const struct stage *st = &w->in->scenario->stages[i];

        if (strcmp(st->model->name, "etl") == 0)
            add_compression(w, st->name);
        for (int k = 0; st->model->ratios != NULL && st->model->ratios[k].param != NULL; k++)
            add_ratio_row(w, arena_printf(w->a, "stages.%s.params.%s", st->name, st->model->ratios[k].param),
                          &w->stages[i].ratios[k], "ratio of the spans' counts");
    }
}

/* --------------------------------------------------------------- verify */

/* Serves the rows just fitted under the calibration's name; everything else as before. */
struct overlay {
    const struct calibrate_input *in;
    const struct calibration *fit;
};

static int overlay_calibration(void *ctx, const char *name, struct arena *a, struct param_row **rows,
                               size_t *n, struct err *err)
{
    const struct overlay *o = ctx;

    if (strcmp(name, o->in->name) != 0)
        return o->in->resolver->calibration(o->in->resolver->ctx, name, a, rows, n, err);
    *n = o->fit->n;
    *rows = arena_array(a, *n + 1, sizeof **rows);
    for (size_t i = 0; i < *n; i++)
        (*rows)[i] = (struct param_row){
            .path = o->fit->rows[i].path, .value = o->fit->rows[i].value, .stderr_ = o->fit->rows[i].stderr_};
    return 0;
}

static int overlay_preset(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                          struct err *err)
{
    const struct overlay *o = ctx;

    return o->in->resolver->preset(o->in->resolver->ctx, name, a, rows, n, err);
}

/*
 * How much the factors of operators differ from their stage's, weighted by CPU time: the standard deviation
 * that an operator seen only alone must be expected to have in place.
 */
static double factor_spread(const struct work *w)
{
    double sum = 0, weight = 0;

    for (int i = 0; i < w->in->scenario->stages_n; i++) {
        const struct stage_data *sd = &w->stages[i];
        double measured = 0, alone = 0;

        for (int k = 0; k < sd->ops_n; k++)
            if (sd->ops[k].runs > 0 && sd->ops[k].fitted) {
                measured += sd->ops[k].cpu_s;
                alone += sd->ops[k].cpu_s / sd->ops[k].factor;
            }
        for (int k = 0; k < sd->ops_n; k++)
            if (sd->ops[k].runs > 0 && sd->ops[k].fitted) {
                double off = log(sd->ops[k].factor * alone / measured);

                sum += sd->ops[k].cpu_s * off * off;
                weight += sd->ops[k].cpu_s;
            }
    }
    return weight > 0 ? sqrt(sum / weight) : 0;
}

/* Simulates the scenario with the fit and sets it beside the executions: what is left is the model's
 * discrepancy. */
static int verify(struct work *w, struct err *err)
{
    struct overlay overlay = {.in = w->in, .fit = w->out};
    struct resolver resolver = {
        .ctx = &overlay, .calibration = overlay_calibration, .preset = overlay_preset};
    struct scenario_options so = {.resolver = &resolver};
    struct simulate_options opt = {.replications = VERIFY_REPLICATIONS};
    struct scenario *s;
    struct outcome o;
    double error, noise;
    int rc;

    w->out->baseline_measured_per_s = w->out->baseline_predicted_per_s = NAN;
    if (w->throughput.n == 0)
        return 0;
    TRY(scenario_build(w->in->tree, w->in->scenario->file, &so, &s, err));
    rc = simulate(s, &opt, w->a, &o, err);
    scenario_free(s);
    if (rc != 0 && rc != ERR_PRECISION)
        return rc;
    w->out->baseline_measured_per_s = w->throughput.mean;
    w->out->baseline_predicted_per_s = o.throughput_per_s.mean;
    w->out->run_to_run_frac = noise = sqrt(tally_variance(&w->throughput)) / w->throughput.mean;
    error = o.throughput_per_s.mean / w->throughput.mean - 1;
    add_row(w, GAIN_DISCREPANCY_PATH, factor_spread(w), 0, "", (long)w->throughput.n,
            "spread of operators' factors between alone and in place", NAN, NAN, NAN, NAN);
    add_row(w, DISCREPANCY_PATH, sqrt(error * error + noise * noise), 0, "", (long)w->throughput.n,
            "simulated against executed baseline, and run-to-run noise", NAN, fabs(error), NAN, NAN);
    return 0;
}

/* ---------------------------------------------------------------- whole */

static void prepare_stages(struct work *w)
{
    const struct scenario *s = w->in->scenario;

    w->stages = arena_array(w->a, (size_t)s->stages_n, sizeof *w->stages);
    for (int i = 0; i < s->stages_n; i++) {
        w->stages[i].def = &s->stages[i];
        while (s->stages[i].model->ops != NULL && s->stages[i].model->kernel != NULL &&
               s->stages[i].model->ops[w->stages[i].ops_n].name != NULL)
            w->stages[i].ops_n++;
        ASSERT(w->stages[i].ops_n <= OPS_MAX);
    }
}

static void free_observations(struct work *w)
{
    for (int i = 0; i < w->in->scenario->stages_n; i++)
        for (int k = 0; k < w->stages[i].ops_n; k++)
            free(w->stages[i].ops[k].alone);
    free(w->disk_read.alone);
    free(w->disk_write.alone);
}

static int fit_everything(struct work *w, struct err *err)
{
    bool any = false;

    TRY(read_traces(w, err));
    fit_contention(w);
    find_slowdown(w);
    TRY(fit_resources(w, err));
    for (int i = 0; i < w->in->scenario->stages_n; i++)
        if (w->stages[i].ops_n > 0)
            TRY(fit_stage(w, &w->stages[i], err));
    for (int i = 0; i < w->in->scenario->stages_n; i++)
        for (int k = 0; k < w->stages[i].ops_n; k++)
            any = any || w->stages[i].ops[k].fitted;
    if (!any)
        return err_set(
            err, ERR_FAILED,
            "profile %lld holds no measurements of the operators of \"%s\"; measure them: foresight exec "
            "--profile %s",
            (long long)w->in->profile, w->in->scenario->name, w->in->scenario->file);
    add_ratios(w);
    if (w->in->runs_n == 0)
        remark(
            w,
            "no execution of the scenario as it stands is in the store: costs are those of operators alone");
    return verify(w, err);
}

int calibrate_find_profile(struct store *store, const char *scenario, struct arena *a, int64_t *id,
                           struct err *err)
{
    struct trace_row *rows;
    size_t n;

    *id = 0;
    TRY(trace_list(store, "profile", a, &rows, &n, err));
    for (size_t i = 0; i < n && *id == 0; i++)
        if (strcmp(rows[i].info.scenario, scenario) == 0)
            *id = rows[i].id;
    return 0;
}

int calibrate(const struct calibrate_input *in, struct arena *a, struct calibration *out, struct err *err)
{
    struct work w = {.in = in, .a = a, .out = out};
    int rc;

    *out = (struct calibration){0};
    prepare_stages(&w);
    rc = fit_everything(&w, err);
    free_observations(&w);
    return rc;
}
