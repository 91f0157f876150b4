#include "study/validate_parts.h"

#include "calibrate/resolve.h"
#include "pipeline/uncertainty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const validate_part_names[] = {"working", "blocked", "starved", NULL};

enum { FIGURES_WHOLE = 4, FIGURES_A_STAGE = 2 };

struct comparing {
    const struct validating *v;
    const struct scenario *s;
    const struct outcome *o;
    struct validate_variant *x;
};

static struct estimate measured(const struct comparing *c, enum measured_figure f, int stage)
{
    return measured_estimate(c->x->runs, c->v->opt->repeats, f, stage, c->v->st.confidence);
}

static bool is_inside(double value, const struct estimate *e)
{
    return e->has_pred ? value >= e->pred_lo && value <= e->pred_hi : value >= e->lo && value <= e->hi;
}

/* ------------------------------------------------------------------------------ figures */

static void add_figure(const struct comparing *c, const char *name, const char *unit,
                       enum measured_figure figure, int stage, const struct estimate *predicted)
{
    struct validate_figure *f = &c->x->figures[c->x->figures_n++];

    *f = (struct validate_figure){
        .name = name, .unit = unit, .measured = measured(c, figure, stage), .predicted = *predicted};
    f->error_frac = f->measured.mean != 0 ? predicted->mean / f->measured.mean - 1 : 0;
    f->inside_interval = is_inside(f->measured.mean, predicted);
}

static void stage_figures(const struct comparing *c, int stage)
{
    const struct outcome_stage *p = &c->o->stages[stage];
    int cores = c->s->stages[stage].on[ROLE_CPU];
    struct estimate disk = estimate_exact(p->disk_bytes_per_unit), cpu;

    if (p->disk_bytes_per_unit > 0)
        add_figure(c, arena_printf(c->v->a, "%s.disk_bytes_per_unit", p->name), "bytes", MEASURED_DISK, stage,
                   &disk);
    if (cores < 0)
        return;
    /* Measured CPU time holds what the cores cost each other. */
    cpu = estimate_exact(p->cpu_s_per_unit * c->o->resources[cores].slowdown);
    add_figure(c, arena_printf(c->v->a, "%s.cpu_s_per_unit", p->name), "s", MEASURED_CPU, stage, &cpu);
}

static void compare_figures(const struct comparing *c)
{
    const struct outcome *o = c->o;
    int stages = c->x->runs[0].result.stages_n;

    c->x->figures =
        arena_array(c->v->a, (size_t)(FIGURES_WHOLE + FIGURES_A_STAGE * stages), sizeof *c->x->figures);
    add_figure(c, "throughput_per_s", "1/s", MEASURED_THROUGHPUT, -1, &o->throughput_per_s);
    if (o->has_latency) {
        add_figure(c, "latency_p50_s", "s", MEASURED_P50, -1, &o->latency_s[LATENCY_P50]);
        add_figure(c, "latency_p95_s", "s", MEASURED_P95, -1, &o->latency_s[LATENCY_P95]);
    }
    if (o->metrics->has_quality && c->x->runs[0].result.quality_unit != NULL)
        add_figure(c, "quality", "", MEASURED_QUALITY, -1, &o->metrics->quality);
    for (int i = 0; i < stages; i++)
        stage_figures(c, i);
}

/* ------------------------------------------------------------------- where it is wrong */

/* Seconds of a stage's workers per unit: the share of their time, over the rate of the whole. */
static struct estimate part_measured(const struct comparing *c, int stage, enum measured_figure share)
{
    const struct exec_stage *s = &c->x->runs[0].result.stages[stage];
    long n = c->v->opt->repeats;
    double *x = xcalloc((size_t)n, sizeof *x);
    struct estimate e;

    for (long r = 0; r < n; r++)
        x[r] = measured_value(&c->x->runs[r], share, stage) * (double)s->workers /
               c->x->runs[r].throughput_per_s;
    e = estimate_student(x, (size_t)n, c->v->st.confidence);
    free(x);
    return e;
}

static void compare_stage(const struct comparing *c, int stage, struct validate_stage *out)
{
    static const enum measured_figure shares[VALIDATE_PARTS] = {MEASURED_BUSY, MEASURED_BLOCKED,
                                                                MEASURED_STARVED};
    const struct outcome_stage *p = &c->o->stages[stage];
    const struct exec_stage *e = &c->x->runs[0].result.stages[stage];
    double predicted[VALIDATE_PARTS] = {p->utilization.mean, p->blocked.mean, p->starved.mean};
    double workers = (double)c->s->stages[stage].shape.workers, rate = c->o->throughput_per_s.mean,
           work_s = 0;
    double there_s = (double)e->workers / c->x->figures[0].measured.mean;

    *out = (struct validate_stage){.name = arena_strdup(c->v->a, p->name),
                                   .wait_measured_s = measured(c, MEASURED_WAIT, stage),
                                   .wait_predicted_s = p->wait_s.mean};
    for (int k = 0; k < p->ops_n; k++)
        work_s += p->op_s_per_unit[k].mean;
    for (int k = 0; k < VALIDATE_PARTS; k++) {
        out->measured_s[k] = part_measured(c, stage, shares[k]);
        out->predicted_s[k] = workers > 0 ? predicted[k] * workers / rate : work_s;
        out->known[k] = isfinite(out->measured_s[k].mean) && (workers > 0 || k == PART_WORKING);
        out->error_frac[k] = (out->predicted_s[k] - out->measured_s[k].mean) / there_s;
    }
}

/* Work that takes another time than predicted explains waiting elsewhere: waiting is only named when no work
 * misses by as much as the whole does. */
static void find_wrong(struct validate_variant *x)
{
    double time_error = 1 / (1 + x->figures[0].error_frac) - 1, most = 0;

    x->wrong_stage = -1;
    for (int round = 0; round < 2 && (x->wrong_stage < 0 || most < fabs(time_error) / 2); round++)
        for (int i = 0; i < x->stages_n; i++)
            for (int k = round == 0 ? PART_WORKING : PART_BLOCKED;
                 k < (round == 0 ? PART_BLOCKED : VALIDATE_PARTS); k++)
                if (x->stages[i].known[k] && fabs(x->stages[i].error_frac[k]) > most) {
                    most = fabs(x->stages[i].error_frac[k]);
                    x->wrong_stage = i;
                    x->wrong_part = (enum validate_part)k;
                }
}

static void compare_stages(const struct comparing *c)
{
    c->x->stages_n = c->x->runs[0].result.stages_n;
    c->x->stages = arena_array(c->v->a, (size_t)c->x->stages_n, sizeof *c->x->stages);
    for (int i = 0; i < c->x->stages_n; i++)
        compare_stage(c, i, &c->x->stages[i]);
    find_wrong(c->x);
}

const char *validation_why(const struct validate_variant *x, struct arena *a)
{
    static const char *const words[VALIDATE_PARTS] = {"works", "is blocked", "waits for input"};
    const struct validate_stage *s = &x->stages[x->wrong_stage < 0 ? 0 : x->wrong_stage];
    double measured_s, predicted_s;

    if (x->wrong_stage < 0)
        return "";
    measured_s = s->measured_s[x->wrong_part].mean;
    predicted_s = s->predicted_s[x->wrong_part];
    return arena_printf(a, "%s %s %.3g us a unit, predicted %.3g (%+.1f %%)", s->name, words[x->wrong_part],
                        1e6 * measured_s, 1e6 * predicted_s, 100 * s->error_frac[x->wrong_part]);
}

/* --------------------------------------------------------------------------- prediction */

static int simulate_variant(const struct validating *v, struct scenario *s, const struct json *tree,
                            struct outcome *o, struct err *err)
{
    struct simulate_options so = study_simulation(&v->st, v->st.threads);
    struct discrepancy off = {.rate = v->out->discrepancy, .time = v->out->discrepancy};

    for (size_t i = 0; i < v->out->calibration.n; i++)
        if (strcmp(v->out->calibration.rows[i].path, LATENCY_DISCREPANCY_PATH) == 0)
            off.time = v->out->calibration.rows[i].value;
    TRY(variant_simulate(&v->st, s, v->st.threads, v->a, o, err));
    return simulate_uncertainty(tree, v->st.file, v->st.resolver, v->opt->draws, &off, &so, o, err);
}

/* One variant's prediction, from the calibration of the scenario as it stands. */
static int predict(const struct validating *v, struct validate_variant *x, double *objective, struct err *err)
{
    struct json *tree = json_copy(v->st.tree);
    struct scenario *s = NULL;
    struct outcome o;
    int rc = 0;

    for (int i = 0; i < v->st.n && rc == 0; i++)
        if (x->set >> i & 1)
            rc = optimization_apply(tree, &v->st.optimizations[i], err);
    if (rc == 0)
        rc = variant_build(&v->st, x->set, NULL, 0, &s, err);
    if (rc == 0)
        rc = simulate_variant(v, s, tree, &o, err);
    if (rc == 0) {
        struct comparing c = {v, s, &o, x};

        memcpy(objective, o.objective_rep, (size_t)v->st.replications * sizeof *objective);
        compare_figures(&c);
        compare_stages(&c);
    }
    scenario_free(s);
    json_free(tree);
    return rc == 0 ? 0 : err_at(err, "variant \"%s\"", x->name);
}

int validate_predict(struct validating *v, struct err *err)
{
    size_t reps = (size_t)v->st.replications, repeats = (size_t)v->opt->repeats;
    double *base = arena_array(v->a, reps, sizeof *base), *x = arena_array(v->a, reps, sizeof *x);
    struct validate_variant *first = v->out->variants;
    double confidence = v->st.confidence;

    for (int i = 0; i < v->out->n; i++) {
        struct validate_variant *y = &v->out->variants[i];

        TRY(predict(v, y, i == 0 ? base : x, err));
        y->objective_measured = estimate_student(y->objective, repeats, confidence);
        y->objective_predicted = estimate_student(i == 0 ? base : x, reps, confidence);
        y->speedup_predicted = estimate_ratio(i == 0 ? base : x, base, reps, confidence);
        y->speedup_measured = estimate_ratio(y->objective, first->objective, repeats, confidence);
        y->speedup_error_frac = y->speedup_predicted.mean / y->speedup_measured.mean - 1;
    }
    return 0;
}
