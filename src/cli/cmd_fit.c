#include "cli/cmd.h"

#include "calibrate/calibrate.h"
#include "cli/load.h"
#include "cli/print.h"
#include "store/trace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NEWEST = 8 }; /* executions a fit looks at */

/* The newest profile of the scenario (of any edit of it: operators alone do not depend on the switches), and
   the executions of exactly this content, oldest first. */
static int find_traces(const struct args *args, const struct loaded *l, struct calibrate_input *in,
                       struct err *err)
{
    struct trace_row *rows;
    size_t n;
    int64_t *runs;

    TRY(calibrate_find_profile(in->store, l->scenario->name, l->arena, &in->profile, err));
    if (args_get(args, "trace", NULL) != NULL)
        TRY(trace_find(in->store, args_get(args, "trace", NULL), &in->profile, err));
    if (in->profile == 0)
        return err_set(err, ERR_USAGE, "%s: no profile of \"%s\" in %s; first: foresight exec --profile %s",
                       l->file, l->scenario->name, args->store, l->file);
    TRY(trace_list(in->store, "exec", l->arena, &rows, &n, err));
    runs = arena_array(l->arena, n + 1, sizeof *runs);
    for (size_t i = 0; i < n && in->runs_n < NEWEST; i++)
        if (strcmp(rows[i].info.scenario_sha256, l->scenario->sha256) == 0)
            runs[in->runs_n++] = rows[i].id;
    for (int i = 0; i < in->runs_n / 2; i++) {
        int64_t swapped = runs[i];

        runs[i] = runs[in->runs_n - 1 - i];
        runs[in->runs_n - 1 - i] = swapped;
    }
    in->runs = runs;
    return 0;
}

static struct json *number_or_null(double v)
{
    return isfinite(v) ? json_new_number(v) : json_new_null();
}

static struct json *fit_json(const struct calibrate_input *in, const struct calibration *c)
{
    struct json *doc = result_document("fit", in->scenario), *list, *o;

    json_set_string(doc, "calibration", in->name);
    json_set_number(doc, "profile_trace_id", (double)in->profile);
    json_set_number(doc, "executions", (double)in->runs_n);
    json_set(doc, "baseline_measured_per_s", number_or_null(c->baseline_measured_per_s));
    json_set(doc, "baseline_predicted_per_s", number_or_null(c->baseline_predicted_per_s));
    list = json_set_array(doc, "params");
    for (size_t i = 0; i < c->n; i++) {
        const struct calibration_row *r = &c->rows[i];
        struct json *valid;

        o = json_push(list, json_new_object());
        json_set_string(o, "path", r->path);
        json_set_number(o, "value", r->value);
        json_set_number(o, "stderr", r->stderr_);
        json_set_string(o, "unit", r->unit);
        json_set_number(o, "n", (double)r->n);
        json_set_string(o, "method", r->method);
        json_set(o, "r2", number_or_null(r->r2));
        json_set(o, "holdout_error_frac", number_or_null(r->holdout_error_frac));
        valid = json_set_object(o, "valid");
        json_set(valid, "from", number_or_null(r->valid_from));
        json_set(valid, "to", number_or_null(r->valid_to));
    }
    list = json_set_array(doc, "remarks");
    for (int i = 0; i < c->remarks_n; i++)
        json_push(list, json_new_string(c->remarks[i]));
    return doc;
}

static void print_fit(const struct calibrate_input *in, const struct calibration *c)
{
    printf("calibration \"%s\": %zu parameters from profile %lld and %d executions\n\n", in->name, c->n,
           (long long)in->profile, in->runs_n);
    printf("  %-52s %12s %10s %7s %8s %9s\n", "parameter (SI units)", "value", "std error", "n", "r2",
           "held out");
    for (size_t i = 0; i < c->n; i++) {
        const struct calibration_row *r = &c->rows[i];

        if (r->value == 0)
            continue;
        printf("  %-52s %12.4g %9.2g%% %7ld ", r->path, r->value, 100 * r->stderr_ / r->value, r->n);
        if (isfinite(r->r2))
            printf("%8.4f ", r->r2);
        else
            printf("%8s ", "-");
        if (isfinite(r->holdout_error_frac))
            printf("%7.1f %%\n", 100 * r->holdout_error_frac);
        else
            printf("%9s\n", "-");
    }
    if (isfinite(c->baseline_measured_per_s))
        printf("\n  baseline: %.4g/s executed, %.4g/s simulated (%+.1f %%); executions vary by %.1f %%\n",
               c->baseline_measured_per_s, c->baseline_predicted_per_s,
               100 * (c->baseline_predicted_per_s / c->baseline_measured_per_s - 1),
               100 * c->run_to_run_frac);
    for (int i = 0; i < c->remarks_n; i++)
        printf("  note: %s\n", c->remarks[i]);
}

static int fit_loaded(const struct args *args, struct loaded *l, struct store *store, struct err *err)
{
    struct calibrate_input in = {.scenario = l->scenario,
                                 .tree = l->tree,
                                 .resolver = &l->resolver,
                                 .name = args_get(args, "name", l->scenario->name),
                                 .store = store};
    struct calibration c;

    TRY(find_traces(args, l, &in, err));
    TRY(calibrate(&in, l->arena, &c, err));
    TRY(calibration_save(store, in.name, l->scenario->sha256, in.profile, c.rows, c.n, err));
    if (args->json)
        print_document(fit_json(&in, &c));
    else
        print_fit(&in, &c);
    return 0;
}

static int run(const struct args *args, struct err *err)
{
    struct store *store = NULL;
    struct loaded l;
    int rc = load_scenario(args, args->words[0], &l, err);

    if (rc != 0)
        return rc;
    rc = store_open(args->store, STORE_WRITE, &store, err);
    if (rc == 0)
        rc = fit_loaded(args, &l, store, err);
    store_close(store);
    loaded_free(&l);
    return rc;
}

const struct cmd cmd_fit = {
    .name = "fit",
    .args = "SCENARIO",
    .help = "calibrate the scenario's parameters from recorded spans",
    .group = "Measure",
    .about = "Fits cost = fixed + per item + per byte of every operator, with standard errors, from the "
             "newest profile\n"
             "(operators alone) and the executions of the scenario as it stands, of which the last is held "
             "out. The\n"
             "parameters are kept in the store; stages that say \"calibration\": NAME use them.",
    .options = "set,apply,name,trace",
    .examples = "  foresight fit scenarios/quickstart.json\n  foresight fit scenarios/quickstart.json --name "
                "mine --json\n",
    .least = 1,
    .most = 1,
    .run = run,
};
