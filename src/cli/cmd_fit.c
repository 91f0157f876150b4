#include "cli/cmd.h"

#include "calibrate/calibrate.h"
#include "cli/fit_print.h"
#include "cli/fit_target.h"
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
        TRY(trace_find_recorded(in->store, args_get(args, "trace", NULL), &in->profile, err));
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

static struct json *fit_json(const struct calibrate_input *in, const struct calibration *c)
{
    struct json *doc = result_document("fit", in->scenario), *list;

    json_set_string(doc, "calibration", in->name);
    json_set_number(doc, "profile_trace_id", (double)in->profile);
    json_set_number(doc, "executions", (double)in->runs_n);
    json_set(doc, "baseline_measured_per_s", number_or_null(c->baseline_measured_per_s));
    json_set(doc, "baseline_predicted_per_s", number_or_null(c->baseline_predicted_per_s));
    fit_rows_json(c->rows, c->n, json_set_array(doc, "params"));
    list = json_set_array(doc, "remarks");
    for (size_t i = 0; i < c->extra.remarks_n; i++)
        json_push(list, json_new_string(c->extra.remarks[i].text));
    return doc;
}

static void print_fit(const struct calibrate_input *in, const struct calibration *c)
{
    printf("calibration \"%s\": %zu parameters from profile %lld and %d executions\n\n", in->name, c->n,
           (long long)in->profile, in->runs_n);
    print_fit_rows(c->rows, c->n);
    if (isfinite(c->baseline_measured_per_s))
        printf("\n  baseline: %.4g/s executed, %.4g/s simulated (%+.1f %%); executions vary by %.1f %%\n",
               c->baseline_measured_per_s, c->baseline_predicted_per_s,
               100 * (c->baseline_predicted_per_s / c->baseline_measured_per_s - 1),
               100 * c->run_to_run_frac);
    for (size_t i = 0; i < c->extra.remarks_n; i++)
        printf("  note: %s\n", c->extra.remarks[i].text);
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
    TRY(calibration_keep(&in, &c, err));
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
    int rc;

    if (is_fit_target(args->words[0]))
        return fit_target(args, err);
    rc = load_scenario(args, args->words[0], &l, err);
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
    .args = "MODEL|SCENARIO",
    .help = "calibrate parameters from recordings",
    .group = "Measure",
    .about = "Of a scenario: fits cost = fixed + per item + per byte of every operator, with standard "
             "errors, from the\n"
             "newest profile (operators alone) and the executions of the scenario as it stands, of which the "
             "last is\n"
             "held out. Of a model, \"workload\", \"link\" or \"disk\": fits what it declares (foresight "
             "models NAME) from\n"
             "the imported traces named (or files, which are imported first). What was fitted is kept in the "
             "store; what\n"
             "says \"calibration\": NAME uses it; -o FILE writes it as a preset.",
    .options = "set,apply,name,trace,where,bound,output,note",
    .examples =
        "  foresight fit scenarios/quickstart.json\n"
        "  foresight fit link --trace a100_sxm-nccl_perf --where op=all_reduce,devices=8,nccl_dtype=half\n",
    .least = 1,
    .most = 1,
    .run = run,
};
