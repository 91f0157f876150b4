#include "calibrate/calibrate.h"

#include "calibrate/twin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct calibration_row *twin_row(struct twin *t, const char *path, double value, double stderr_,
                                 const char *unit, long n, const char *method)
{
    return fitting_plain(&t->out, path, value, stderr_, unit, n, method);
}

void twin_row_valid(struct calibration_row *row, double r2, double holdout_error_frac, double from, double to,
                    const char *valid_of)
{
    row->r2 = r2;
    row->holdout_error_frac = holdout_error_frac;
    row->valid_from = from;
    row->valid_to = to;
    row->valid_of = valid_of;
}

void twin_ratio_add(struct twin_ratio *r, double in, double out)
{
    if (!(in > 0))
        return;
    r->in += in;
    r->out += out;
    tally_add(&r->each, out / in);
}

void twin_ratio_row(struct twin *t, const char *path, const struct twin_ratio *r)
{
    if (r->each.n > 0)
        twin_row(t, path, r->out / r->in, sqrt(tally_variance(&r->each) / (double)r->each.n), "",
                 (long)r->each.n, "bytes out over bytes in");
}

struct json *twin_params(struct twin *t)
{
    struct json *doc = fitting_document(&t->out), *params = json_get_mutable(doc, "params");

    return params != NULL ? params : json_set_object(doc, "params");
}

/* -------------------------------------------------------------- reading */

static struct twin_stage *find_stage(struct twin *t, const char *name)
{
    for (int i = 0; i < t->in->scenario->stages_n; i++)
        if (strcmp(t->in->scenario->stages[i].name, name) == 0)
            return &t->stages[i];
    return NULL;
}

static int read_profile_span(void *ctx, const struct span *s, struct err *err)
{
    struct twin *t = ctx;
    struct twin_stage *ts = find_stage(t, s->stage);

    (void)err;
    if (strcmp(s->stage, "disk") == 0 || strcmp(s->stage, "cores") == 0)
        twin_resource_alone(t, s);
    if (ts == NULL)
        return 0;
    twin_op_alone(ts, s);
    if (ts->recipe != NULL && ts->recipe->alone != NULL)
        ts->recipe->alone(ts->state, s);
    return 0;
}

static int read_run_span(void *ctx, const struct span *s, struct err *err)
{
    struct twin *t = ctx;
    struct twin_stage *ts = find_stage(t, s->stage);

    (void)err;
    t->end_s = fmax(t->end_s, s->end_s);
    if (strcmp(s->stage, TRACE_REQUESTS) == 0) {
        t->requests++;
        tally_add(&t->latency, s->end_s - s->start_s);
        return 0;
    }
    t->cpu_s += s->cpu_s > 0 ? s->cpu_s : 0;
    if (ts == NULL)
        return 0;
    twin_op_in_place(ts, s, t->held_out);
    if (ts->recipe != NULL && ts->recipe->in_place != NULL)
        ts->recipe->in_place(ts->state, s);
    return 0;
}

static int read_run(struct twin *t, int64_t trace_id, struct err *err)
{
    t->end_s = t->cpu_s = t->requests = 0;
    t->latency = (struct tally){0};
    TRY(trace_each(t->in->store, trace_id, NULL, NULL, read_run_span, t, err));
    if (!(t->end_s > 0))
        return 0;
    tally_add(&t->throughput, (t->requests > 0 ? t->requests : t->in->scenario->horizon.items) / t->end_s);
    tally_add(&t->load, t->cpu_s / t->end_s);
    if (t->requests > 0)
        tally_add(&t->latency_mean, t->latency.mean);
    return 0;
}

static int read_traces(struct twin *t, struct err *err)
{
    TRY(trace_each(t->in->store, t->in->profile, NULL, NULL, read_profile_span, t, err));
    if (t->in->profile_after != 0)
        TRY(trace_each(t->in->store, t->in->profile_after, NULL, NULL, read_profile_span, t, err));
    for (int i = 0; i < t->in->runs_n; i++) {
        t->held_out = t->in->runs_n > 1 && i == t->in->runs_n - 1;
        TRY(read_run(t, t->in->runs[i], err));
    }
    return 0;
}

/* ---------------------------------------------------------------- whole */

static void prepare_stages(struct twin *t)
{
    const struct scenario *s = t->in->scenario;

    t->stages = arena_array(t->a, (size_t)s->stages_n, sizeof *t->stages);
    for (int i = 0; i < s->stages_n; i++) {
        const struct model *m = s->stages[i].model;

        t->stages[i].def = &s->stages[i];
        while (twin_has_costs(m) && m->ops[t->stages[i].ops_n].name != NULL)
            t->stages[i].ops_n++;
        ASSERT(t->stages[i].ops_n <= TWIN_OPS_MAX);
        for (int k = 0; twin_recipes[k] != NULL; k++)
            if (strcmp(twin_recipes[k]->model, m->name) == 0) {
                t->stages[i].recipe = twin_recipes[k];
                t->stages[i].state = arena_array(t->a, 1, twin_recipes[k]->state_size);
            }
    }
}

static void free_observations(struct twin *t)
{
    for (int i = 0; i < t->in->scenario->stages_n; i++)
        for (int k = 0; k < t->stages[i].ops_n; k++)
            free(t->stages[i].ops[k].alone);
    free(t->disk_read.alone);
    free(t->disk_write.alone);
}

static int fit_stages(struct twin *t, struct err *err)
{
    size_t before = t->out.n;

    for (int i = 0; i < t->in->scenario->stages_n; i++) {
        struct twin_stage *ts = &t->stages[i];

        if (ts->ops_n > 0)
            TRY(twin_cost_rows(t, ts, err));
        if (ts->recipe != NULL)
            TRY(ts->recipe->rows(t, ts->def, ts->state, err));
    }
    if (t->out.n == before && t->out.document == NULL)
        return err_set(
            err, ERR_FAILED,
            "profile %lld holds no measurements of the operators of \"%s\"; measure them: foresight exec "
            "--profile %s",
            (long long)t->in->profile, t->in->scenario->name, t->in->scenario->file);
    return 0;
}

static int fit_everything(struct twin *t, struct calibration *out, struct err *err)
{
    TRY(read_traces(t, err));
    TRY(twin_resource_rows(t, err));
    TRY(fit_stages(t, err));
    if (t->in->runs_n == 0)
        fitting_remark(
            &t->out, "note",
            "no execution of the scenario as it stands is in the store: costs are those of operators alone");
    return twin_verify(t, out, err);
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
    struct twin t = {.in = in, .a = a, .out = {.store = in->store, .a = a, .target = ""}};
    int rc;

    *out = (struct calibration){0};
    prepare_stages(&t);
    rc = fit_everything(&t, out, err);
    t.out.worst_bias_frac = 0; /* what a whole scenario is off by has been found by simulating it */
    fitting_end(&t.out);
    fitting_free(&t.out);
    free_observations(&t);
    out->rows = t.out.rows;
    out->n = t.out.n;
    out->extra = t.out.extra;
    return rc;
}

int calibration_keep(const struct calibrate_input *in, const struct calibration *c, struct err *err)
{
    return calibration_save_with(in->store, in->name, in->scenario->sha256, in->profile, c->rows, c->n,
                                 &c->extra, err);
}
