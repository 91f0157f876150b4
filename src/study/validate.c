#include "study/validate.h"

#include "calibrate/resolve.h"
#include "executor/host.h"
#include "pipeline/uncertainty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static opt_set one(int i)
{
    return (opt_set)1 << i;
}

/* --------------------------------------------------------------- design */

static const char *set_name(const struct study *st, opt_set set, struct arena *a)
{
    const char *name = set == 0 ? "baseline" : "";

    for (int i = 0; i < st->n; i++)
        if (set >> i & 1)
            name = arena_printf(a, "%s%s%s", name, name[0] ? " & " : "", st->optimizations[i].name);
    return name;
}

static void add_variant(const struct study *st, struct validation *v, long most, opt_set set, struct arena *a)
{
    if (v->n >= most || !set_is_legal(st, set))
        return;
    for (int i = 0; i < v->n; i++)
        if (v->variants[i].set == set)
            return;
    v->variants[v->n++] = (struct validate_variant){.set = set, .name = set_name(st, set, a)};
}

/* The baseline, singles, the largest set that fits in declared order, then pairs. */
static void design(const struct study *st, long most, struct arena *a, struct validation *v)
{
    opt_set all = 0;

    v->variants = arena_array(a, (size_t)most + 1, sizeof *v->variants);
    add_variant(st, v, most, 0, a);
    for (int i = 0; i < st->n; i++)
        add_variant(st, v, most, one(i), a);
    for (int i = 0; i < st->n; i++)
        if (set_is_legal(st, all | one(i)))
            all |= one(i);
    add_variant(st, v, most, all, a);
    for (int step = 1; step < st->n; step++)
        for (int i = 0; i + step < st->n; i++)
            add_variant(st, v, most, one(i) | one(i + step), a);
}

/* -------------------------------------------------------------- measure */

static int measure_all(const struct study *st, const struct validate_options *opt, struct arena *a,
                       struct validation *v, struct err *err)
{
    struct progress *p = opt->measure.progress;
    int rc = 0, retries = v->n; /* a third of the runs, with the default repeats: the time stays bounded */

    for (int i = 0; i < v->n; i++) {
        v->variants[i].runs = arena_array(a, (size_t)opt->repeats, sizeof(struct measurement));
        v->variants[i].throughput = arena_array(a, (size_t)opt->repeats, sizeof(double));
    }
    progress_begin(p, "executing variants", (double)(v->n * opt->repeats));
    for (long r = 0; r < opt->repeats && rc == 0; r++)
        for (int i = 0; i < v->n && rc == 0; i++) {
            struct measure_options mo = opt->measure;
            struct scenario *s = NULL;

            mo.progress = NULL;
            mo.retries = &retries;
            mo.spans = true; /* of all, so that all bear the same burden; only the baseline's are kept */
            if (i > 0)
                mo.store = NULL;
            rc = variant_build(st, v->variants[i].set, NULL, 0, &s, err);
            if (rc == 0)
                rc = measure_run(s, &mo, &v->variants[i].runs[r], err);
            scenario_free(s);
            v->variants[i].throughput[r] = v->variants[i].runs[r].throughput_per_s;
            progress_step(p, (double)(r * v->n + i + 1), v->variants[i].name);
        }
    progress_end(p);
    return rc;
}

/* -------------------------------------------------------------- predict */

static void add_figure(struct validate_variant *v, long repeats, double confidence, const char *name,
                       const char *unit, enum measured_figure figure, int stage,
                       const struct estimate *predicted)
{
    struct validate_figure *f = &v->figures[v->figures_n++];

    *f = (struct validate_figure){.name = name, .unit = unit, .predicted = *predicted};
    f->measured = measured_estimate(v->runs, repeats, figure, stage, confidence);
    f->error_frac = f->measured.mean != 0 ? predicted->mean / f->measured.mean - 1 : 0;
    f->inside_interval =
        predicted->has_pred ? f->measured.mean >= predicted->pred_lo && f->measured.mean <= predicted->pred_hi
                            : f->measured.mean >= predicted->lo && f->measured.mean <= predicted->hi;
}

static void compare_stage(const struct study *st, long repeats, const struct scenario *s,
                          const struct outcome *o, int stage, struct arena *a, struct validate_variant *v)
{
    const struct outcome_stage *p = &o->stages[stage];
    struct estimate disk = estimate_exact(p->disk_bytes_per_unit), cpu;

    if (p->disk_bytes_per_unit > 0)
        add_figure(v, repeats, st->confidence, arena_printf(a, "%s.disk_bytes_per_unit", p->name), "bytes",
                   MEASURED_DISK, stage, &disk);
    if (s->stages[stage].on[ROLE_CPU] < 0)
        return;
    /* Measured CPU time holds what the cores cost each other. */
    cpu = estimate_exact(p->cpu_s_per_unit * o->resources[s->stages[stage].on[ROLE_CPU]].slowdown);
    add_figure(v, repeats, st->confidence, arena_printf(a, "%s.cpu_s_per_unit", p->name), "s", MEASURED_CPU,
               stage, &cpu);
}

static void compare(const struct study *st, long repeats, const struct scenario *s, const struct outcome *o,
                    struct arena *a, struct validate_variant *v)
{
    v->figures = arena_array(a, (size_t)(VALIDATE_FIGURES_WHOLE + 2 * s->stages_n), sizeof *v->figures);
    add_figure(v, repeats, st->confidence, "throughput_per_s", "1/s", MEASURED_THROUGHPUT, -1,
               &o->throughput_per_s);
    if (o->has_latency) {
        add_figure(v, repeats, st->confidence, "latency_p50_s", "s", MEASURED_P50, -1,
                   &o->latency_s[LATENCY_P50]);
        add_figure(v, repeats, st->confidence, "latency_p95_s", "s", MEASURED_P95, -1,
                   &o->latency_s[LATENCY_P95]);
    }
    if (o->metrics->has_quality && v->runs[0].result.quality_unit != NULL)
        add_figure(v, repeats, st->confidence, "quality", "", MEASURED_QUALITY, -1, &o->metrics->quality);
    for (int i = 0; i < v->runs[0].result.stages_n; i++)
        compare_stage(st, repeats, s, o, i, a, v);
}

/* One variant's prediction, from the calibration of the scenario as it stands. */
static int predict(const struct study *st, const struct validate_options *opt, double discrepancy,
                   struct arena *a, struct validate_variant *v, double *objective, struct err *err)
{
    struct simulate_options so = study_simulation(st, st->threads);
    struct discrepancy off = {.rate = discrepancy, .time = discrepancy};
    struct json *tree = json_copy(st->tree);
    struct scenario *s = NULL;
    struct outcome o;
    int rc = 0;

    for (int i = 0; i < st->n && rc == 0; i++)
        if (v->set >> i & 1)
            rc = optimization_apply(tree, &st->optimizations[i], err);
    if (rc == 0)
        rc = variant_build(st, v->set, NULL, 0, &s, err);
    if (rc == 0)
        rc = variant_simulate(st, s, st->threads, a, &o, err);
    if (rc == 0)
        rc = simulate_uncertainty(tree, st->file, st->resolver, opt->draws, &off, &so, &o, err);
    if (rc == 0) {
        memcpy(objective, o.objective_rep, (size_t)st->replications * sizeof *objective);
        compare(st, opt->repeats, s, &o, a, v);
    }
    scenario_free(s);
    json_free(tree);
    return rc;
}

static int predict_all(const struct study *st, const struct validate_options *opt, struct arena *a,
                       struct validation *v, struct err *err)
{
    size_t reps = (size_t)st->replications;
    double *base = arena_array(a, reps, sizeof *base), *x = arena_array(a, reps, sizeof *x);

    for (int i = 0; i < v->n; i++) {
        TRY(predict(st, opt, v->discrepancy, a, &v->variants[i], i == 0 ? base : x, err));
        v->variants[i].speedup_predicted = estimate_ratio(i == 0 ? base : x, base, reps, st->confidence);
        v->variants[i].speedup_measured = estimate_ratio(v->variants[i].throughput, v->variants[0].throughput,
                                                         (size_t)opt->repeats, st->confidence);
    }
    return 0;
}

/* ---------------------------------------------------------------- score */

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* The q-quantile of n values, by linear interpolation between order statistics; sorts x. */
static double quantile(double *x, int n, double q)
{
    double at = q * (n - 1);
    int k = (int)at;

    if (n == 0)
        return NAN;
    qsort(x, (size_t)n, sizeof *x, ascending);
    return k + 1 < n ? x[k] + (at - k) * (x[k + 1] - x[k]) : x[n - 1];
}

static void score_errors(struct validation *v)
{
    double *x = xcalloc((size_t)v->n, sizeof *x), *all;
    double *width = xcalloc((size_t)v->n, sizeof *width);
    int all_n = 0, inside = 0, most = 0;

    for (int i = 0; i < v->n; i++)
        most += v->variants[i].figures_n;
    all = xcalloc((size_t)most, sizeof *all);
    for (int i = 0; i < v->n; i++) {
        const struct validate_figure *f = &v->variants[i].figures[0];

        x[i] = fabs(f->error_frac);
        width[i] = (f->predicted.pred_hi - f->predicted.pred_lo) / f->predicted.mean;
        inside += f->inside_interval;
        for (int k = 0; k < v->variants[i].figures_n; k++)
            all[all_n++] = fabs(v->variants[i].figures[k].error_frac);
    }
    v->median_error = quantile(x, v->n, 0.5);
    v->p90_error = quantile(x, v->n, 0.9);
    v->median_error_all = quantile(all, all_n, 0.5);
    v->width = quantile(width, v->n, 0.5);
    v->coverage = (double)inside / v->n;
    free(x);
    free(all);
    free(width);
}

/* Pairs whose measured intervals do not overlap: is the prediction in the same order? */
static void score_order(struct validation *v)
{
    int agree = 0, disagree = 0;

    for (int i = 0; i < v->n; i++)
        for (int k = i + 1; k < v->n; k++) {
            const struct validate_figure *a = &v->variants[i].figures[0], *b = &v->variants[k].figures[0];
            double sign = (a->measured.mean - b->measured.mean) * (a->predicted.mean - b->predicted.mean);

            if (!(a->measured.lo > b->measured.hi || b->measured.lo > a->measured.hi))
                continue;
            agree += sign > 0;
            disagree += sign <= 0;
        }
    v->pairs = agree + disagree;
    v->kendall_tau = v->pairs > 0 ? (double)(agree - disagree) / v->pairs : NAN;
}

/* What a team loses that builds the one optimization the simulation, or the local view, prefers. */
static int score_choices(const struct study *st, struct validation *v, struct err *err)
{
    int top = -1, local = -1, best = -1;
    double local_gain = 0;

    for (int i = 0; i < v->n; i++) {
        const struct validate_variant *x = &v->variants[i];
        struct estimate gain;
        int opt = 0;

        if (x->set == 0 || (x->set & (x->set - 1)) != 0) /* single optimizations only */
            continue;
        while (!(x->set >> opt & 1))
            opt++;
        TRY(variant_local_gain(st, opt, &gain, err));
        if (top < 0 || x->figures[0].predicted.mean > v->variants[top].figures[0].predicted.mean)
            top = i;
        if (best < 0 || x->figures[0].measured.mean > v->variants[best].figures[0].measured.mean)
            best = i;
        if (local < 0 || gain.mean > local_gain) {
            local = i;
            local_gain = gain.mean;
        }
    }
    if (best < 0)
        return 0;
    v->measured_best = v->variants[best].name;
    v->top_choice = v->variants[top].name;
    v->local_choice = v->variants[local].name;
    v->top_choice_regret =
        1 - v->variants[top].figures[0].measured.mean / v->variants[best].figures[0].measured.mean;
    v->local_choice_regret =
        1 - v->variants[local].figures[0].measured.mean / v->variants[best].figures[0].measured.mean;
    return 0;
}

/* The profile, and the baseline's executions from between the variants; kept as the calibration in force. */
static int calibrate_baseline(const struct study *st, const struct scenario *base,
                              const struct validate_options *opt, struct arena *a, struct validation *v,
                              struct err *err)
{
    int64_t *runs = arena_array(a, (size_t)opt->repeats, sizeof *runs);
    struct calibrate_input in = {.scenario = base,
                                 .tree = st->tree,
                                 .resolver = st->resolver,
                                 .name = opt->calibration,
                                 .store = opt->measure.store,
                                 .profile = v->profile,
                                 .runs = runs,
                                 .runs_n = (int)opt->repeats};

    for (long r = 0; r < opt->repeats; r++)
        runs[r] = v->variants[0].runs[r].trace_id;
    TRY(calibrate(&in, a, &v->calibration, err));
    for (size_t i = 0; i < v->calibration.n; i++)
        if (strcmp(v->calibration.rows[i].path, DISCREPANCY_PATH) == 0)
            v->discrepancy = v->calibration.rows[i].value;
    return calibration_keep(&in, &v->calibration, err);
}

static int need_profile(const struct scenario *base, const struct validate_options *opt, struct arena *a,
                        struct validation *v, struct err *err)
{
    TRY(calibrate_find_profile(opt->measure.store, base->name, a, &v->profile, err));
    if (v->profile == 0)
        return err_set(err, ERR_USAGE,
                       "%s: no profile of \"%s\" in the store; first: foresight exec --profile %s",
                       base->file, base->name, base->file);
    return 0;
}

int validate(const struct study *st, const struct scenario *base, const struct validate_options *opt,
             struct arena *a, struct validation *out, struct err *err)
{
    *out = (struct validation){0};
    TRY(need_profile(base, opt, a, out, err));
    design(st, opt->variants, a, out);
    TRY(measure_all(st, opt, a, out, err));
    TRY(calibrate_baseline(st, base, opt, a, out, err));
    TRY(predict_all(st, opt, a, out, err));
    out->drift_frac = out->variants[0].throughput[opt->repeats - 1] / out->variants[0].throughput[0] - 1;
    for (int i = 0; i < out->n; i++)
        for (long r = 0; r < opt->repeats; r++)
            out->disturbed_frac = fmax(out->disturbed_frac, out->variants[i].runs[r].disturbed_frac);
    score_errors(out);
    score_order(out);
    return score_choices(st, out, err);
}

/* ----------------------------------------------------------------- JSON */

static struct json *figure_json(const struct validate_figure *f)
{
    struct json *o = json_new_object();

    json_set_string(o, "name", f->name);
    json_set_string(o, "unit", f->unit);
    json_set(o, "measured", estimate_json(&f->measured));
    json_set(o, "predicted", estimate_json(&f->predicted));
    json_set_number(o, "error_frac", f->error_frac);
    json_set_bool(o, "inside_interval", f->inside_interval);
    return o;
}

struct json *validation_json(const struct study *st, const struct scenario *s, const struct validation *v)
{
    struct json *doc = result_document("validate", s), *list, *o;

    json_set_number(doc, "seed", (double)st->seed);
    json_set_number(doc, "profile_trace_id", (double)v->profile);
    json_set_number(doc, "discrepancy_frac", v->discrepancy);
    list = json_set_array(doc, "variants");
    for (int i = 0; i < v->n; i++) {
        struct json *figures;

        o = json_push(list, json_new_object());
        json_set_string(o, "name", v->variants[i].name);
        figures = json_set_array(o, "figures");
        for (int k = 0; k < v->variants[i].figures_n; k++)
            json_push(figures, figure_json(&v->variants[i].figures[k]));
        for (int k = 0; k < v->variants[i].runs[0].result.figures_n; k++)
            json_set_number(o, v->variants[i].runs[0].result.figures[k].name,
                            v->variants[i].runs[0].result.figures[k].value);
    }
    list = json_set_array(doc, "speedups");
    for (int i = 1; i < v->n; i++) {
        o = json_push(list, json_new_object());
        json_set_string(o, "name", v->variants[i].name);
        json_set(o, "measured", estimate_json(&v->variants[i].speedup_measured));
        json_set(o, "predicted", estimate_json(&v->variants[i].speedup_predicted));
    }
    json_set_number(doc, "median_abs_error_frac", v->median_error);
    json_set_number(doc, "p90_abs_error_frac", v->p90_error);
    json_set_number(doc, "median_abs_error_all_figures_frac", v->median_error_all);
    json_set_number(doc, "kendall_tau", v->kendall_tau);
    json_set_number(doc, "separated_pairs", v->pairs);
    json_set_number(doc, "top_choice_regret_frac", v->top_choice_regret);
    json_set_number(doc, "local_choice_regret_frac", v->local_choice_regret);
    json_set_string(doc, "top_choice", v->top_choice);
    json_set_string(doc, "local_choice", v->local_choice);
    json_set_string(doc, "measured_best", v->measured_best);
    json_set_number(doc, "interval_coverage_frac", v->coverage);
    json_set_number(doc, "interval_width_frac", v->width);
    json_set_number(doc, "drift_frac", v->drift_frac);
    json_set_number(doc, "disturbed_frac", v->disturbed_frac);
    json_set_string(doc, "storage", v->variants[0].runs[0].result.cache_note);
    json_set(doc, "host", host_describe());
    return doc;
}
