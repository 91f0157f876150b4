#include "study/validate.h"

#include "calibrate/resolve.h"
#include "store/trace.h"
#include "study/validate_parts.h"

#include <math.h>
#include <string.h>

/* The profiles, and the baseline's executions from between the variants; kept as the calibration in force. */
static int calibrate_baseline(struct validating *v, struct err *err)
{
    struct validation *out = v->out;
    long repeats = v->opt->repeats;
    int64_t *runs = arena_array(v->a, (size_t)repeats, sizeof *runs);
    struct calibrate_input in = {.scenario = v->base,
                                 .tree = v->st.tree,
                                 .resolver = v->st.resolver,
                                 .name = v->opt->calibration,
                                 .store = v->opt->measure.store,
                                 .profile = out->profile,
                                 .profile_after = out->profile_after,
                                 .runs = runs,
                                 .runs_n = (int)repeats};

    for (long r = 0; r < repeats; r++)
        runs[r] = out->variants[0].runs[r].trace_id;
    TRY(calibrate(&in, v->a, &out->calibration, err));
    for (size_t i = 0; i < out->calibration.n; i++)
        if (strcmp(out->calibration.rows[i].path, DISCREPANCY_PATH) == 0)
            out->discrepancy = out->calibration.rows[i].value;
    return calibration_keep(&in, &out->calibration, err);
}

static int need_profile(struct validating *v, struct err *err)
{
    TRY(calibrate_find_profile(v->opt->measure.store, v->base->name, v->a, &v->out->profile, err));
    if (v->out->profile == 0)
        return err_set(err, ERR_USAGE,
                       "%s: no profile of \"%s\" in the store; first: foresight exec --profile %s",
                       v->base->file, v->base->name, v->base->file);
    return 0;
}

static const struct trace_op *same_op(const struct trace_op *list, size_t n, const struct trace_op *op)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].stage, op->stage) == 0 && strcmp(list[i].op, op->op) == 0 &&
            strcmp(list[i].variant, op->variant) == 0)
            return &list[i];
    return NULL;
}

/* The same operators alone, before and after: how much slower the machine has become. */
static int find_drift(struct validating *v, struct err *err)
{
    struct store *store = v->opt->measure.store;
    struct trace_op *before, *after;
    double then_s = 0, now_s = 0;
    size_t n, m;

    TRY(trace_summary(store, v->out->profile, v->a, &before, &n, err));
    TRY(trace_summary(store, v->out->profile_after, v->a, &after, &m, err));
    for (size_t i = 0; i < n; i++) {
        const struct trace_op *op = same_op(after, m, &before[i]);

        if (op == NULL || !(before[i].cpu_s > 0) || !(op->cpu_s > 0))
            continue;
        then_s += before[i].cpu_s / (double)before[i].n;
        now_s += op->cpu_s / (double)op->n;
    }
    v->out->profile_drift_frac = then_s > 0 ? now_s / then_s - 1 : NAN;
    return 0;
}

static int profile_again(struct validating *v, struct err *err)
{
    v->out->profile_drift_frac = NAN;
    if (!v->opt->profile_after)
        return 0;
    TRY(measure_profile(v->base, &v->opt->measure, &v->out->profile_after, err));
    return find_drift(v, err);
}

static int run_steps(struct validating *v, struct err *err)
{
    TRY(need_profile(v, err));
    TRY(validate_design(v, err));
    TRY(validate_measure(v, err));
    TRY(profile_again(v, err));
    TRY(calibrate_baseline(v, err));
    TRY(validate_predict(v, err));
    return validate_score(v, err);
}

int validate(const struct study *st, const struct scenario *base, const struct validate_options *opt,
             struct arena *a, struct validation *out, struct err *err)
{
    struct validating v = {.st = *st, .base = base, .opt = opt, .a = a, .out = out};
    struct exec_job job;
    int rc;

    *out = (struct validation){0};
    TRY(exec_prepare(base, a, &job, err));
    v.edits = json_new_array();
    rc = run_steps(&v, err);
    json_free(v.edits);
    return rc;
}
