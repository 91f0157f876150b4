#include "cli/cmd.h"

#include "base/arena.h"
#include "calibrate/resolve.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"
#include "store/import/import.h"
#include "store/result.h"
#include "store/trace.h"
#include "study/reconcile.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------- printed */

static const char *percent(char *buf, size_t size, double frac)
{
    if (isfinite(frac))
        snprintf(buf, size, "%.0f %%", 100 * frac);
    else
        snprintf(buf, size, "-");
    return buf;
}

/* A value of a parameter: with its unit, or as it is. */
static const char *amount(char *buf, size_t size, double x, enum unit unit)
{
    if (unit != UNIT_NONE)
        return units_format(buf, size, x, unit);
    snprintf(buf, size, "%.4g", x);
    return buf;
}

static void print_answer(const struct reconciled *r)
{
    const struct reconcile_figure *f = r->worst >= 0 ? &r->figure[r->worst] : NULL;
    char achieved[60], predicted[60], used[40], seen[40], part[20], text[900];

    if (f == NULL) {
        snprintf(text, sizeof text,
                 "%s: what was predicted was achieved: %d of %d figures of \"%s\" are inside.", r->scenario,
                 r->inside_n, r->figures_n, r->achieved.trace);
        print_wrapped(text, 0);
        return;
    }
    snprintf(text, sizeof text, "%s: %s came out at %s, and %s was predicted", r->scenario, f->def->name,
             print_estimate(achieved, sizeof achieved, &f->achieved, f->def->unit),
             print_estimate(predicted, sizeof predicted, &f->predicted, f->def->unit));
    if (r->most >= 0) {
        const struct reconcile_param *p = &r->param[r->most];
        size_t n = strlen(text);

        snprintf(text + n, sizeof text - n, ": %s %s %s, not %s, which explains %s of the miss", p->path,
                 p->change == CHANGE_VALUE || p->change == CHANGE_SPEED ? "is" : "were",
                 amount(seen, sizeof seen, p->achieved, p->unit), amount(used, sizeof used, p->used, p->unit),
                 percent(part, sizeof part, p->explained));
    } else {
        size_t n = strlen(text);

        snprintf(text + n, sizeof text - n, "; no assumption that the recording can tell is off");
    }
    strncat(text, ".", sizeof text - strlen(text) - 1);
    print_wrapped(text, 0);
}

static void print_figures(const struct reconciled *r)
{
    char a[60], b[60];

    printf("\n  %-18s %-22s %-22s %s\n", "figure", "predicted", "achieved", "");
    for (int i = 0; i < r->figures_n; i++) {
        const struct reconcile_figure *f = &r->figure[i];

        printf("  %-18s %-22s %-22s %s\n", f->def->name,
               print_estimate(a, sizeof a, &f->predicted, f->def->unit),
               print_estimate(b, sizeof b, &f->achieved, f->def->unit), f->inside ? "inside" : "OUTSIDE");
    }
}

static void print_params(const struct reconciled *r)
{
    char used[40], seen[40], error[40], part[20];

    if (r->params_n > 0)
        printf("\n  %-11s %-11s %-11s %8s %9s  %s\n", "used", "achieved", "stderr", "z", "explains",
               "assumption");
    for (int i = 0; i < r->params_n; i++) {
        const struct reconcile_param *p = &r->param[i];

        printf("  %-11s %-11s %-11s %+8.1f %9s  %s\n", amount(used, sizeof used, p->used, p->unit),
               amount(seen, sizeof seen, p->achieved, p->unit),
               amount(error, sizeof error, p->stderr_, p->unit), p->z,
               percent(part, sizeof part, p->was_tried ? p->explained : NAN), p->path);
    }
    if (isfinite(r->explained_by_all))
        printf("\n  all that are off (|z| >= 2) together explain %s of the miss of %s\n",
               percent(part, sizeof part, r->explained_by_all), r->figure[r->worst].def->name);
}

static void print_reconciled(const struct reconciled *r)
{
    print_answer(r);
    print_figures(r);
    print_params(r);
    printf("\n  %s against trace %" PRId64 ": %s, %zu observed\n", r->run, r->achieved.trace_id,
           r->achieved.from, r->achieved.observed);
}

/* ------------------------------------------------------------------- the run */

struct stored_run {
    struct loaded l;
    struct json *doc;
    const char *name;
    uint64_t seed;
    long replications;
};

static bool is_file(const char *word)
{
    return access(word, F_OK) == 0 && strstr(word, ".json") != NULL;
}

/* The scenario as it was run, with all edits: it is kept with the result. */
static int load_stored(const struct args *args, struct stored_run *r, struct err *err)
{
    struct result_row row;
    struct store *store = NULL;
    const struct json *tree;
    int rc = store_open(args->store, STORE_READ, &store, err);

    r->l.arena = arena_new();
    if (rc == 0)
        rc = result_load(store, args->words[0], NULL, r->l.arena, &row, err);
    if (rc == 0)
        rc = json_parse(row.json, arena_printf(r->l.arena, "run %s", args->words[0]), &r->doc, err);
    store_close(store);
    TRY(rc);
    tree = json_get(r->doc, "scenario_document");
    if (tree == NULL)
        return err_set(err, ERR_USAGE,
                       "reconcile: run %" PRId64
                       " (`%s`) does not hold its scenario: an older version kept it. "
                       "Give the scenario's file in the place of the run",
                       row.id, row.command);
    r->name = arena_printf(r->l.arena, "run %" PRId64 " (%s)", row.id, row.command);
    r->seed = row.seed;
    r->replications = (long)json_get_number(r->doc, "replications", 0);
    r->l.file = arena_printf(r->l.arena, "run %" PRId64, row.id);
    r->l.tree = json_copy(tree);
    resolve_open(args->store, r->l.file, &r->l.resolver);
    return scenario_build(r->l.tree, r->l.file, &(struct scenario_options){.resolver = &r->l.resolver},
                          &r->l.scenario, err);
}

static int load_run(const struct args *args, struct stored_run *r, struct err *err)
{
    if (!is_file(args->words[0])) {
        int rc = load_stored(args, r, err);

        if (rc != 0)
            loaded_free(&r->l);
        return rc;
    }
    r->name = args->words[0];
    return load_scenario(args, args->words[0], &r->l, err);
}

/* A file is imported first (once); anything else is the name or number of a trace in the store. */
static int find_trace(const char *word, struct store *store, struct arena *a, int64_t *id, struct err *err)
{
    struct import_options options = {0};
    struct import_report report;

    if (access(word, F_OK) != 0)
        return trace_find_recorded(store, word, id, err);
    TRY(import_file(store, word, &options, a, &report, err));
    *id = report.trace_id;
    return 0;
}

static int reconcile_run(const struct args *args, struct stored_run *run, struct store *store,
                         struct err *err)
{
    struct progress *progress = progress_new(args->progress, args->quiet);
    struct reconcile_input in = {.store = store, .run = run->name, .progress = progress};
    struct reconciled r = {0};
    int rc;

    in.study = study_of(args, &run->l, run->replications > 0 ? run->replications : SIMULATE_REPLICATIONS);
    if (args->seed == 0 && run->seed != 0)
        in.study.seed = run->seed;
    rc = find_trace(args->words[1], store, run->l.arena, &in.trace_id, err);
    if (rc == 0)
        rc = reconcile(&in, run->l.arena, &r, err);
    progress_free(progress);
    if (rc == 0 && args->json)
        print_document(reconciled_json(run->l.scenario, &r));
    else if (rc == 0)
        print_reconciled(&r);
    if (rc == 0)
        rc = keep_result(args, &run->l, "reconcile", reconciled_json(run->l.scenario, &r), NULL, err);
    reconciled_fini(&r);
    return rc;
}

static int run(const struct args *args, struct err *err)
{
    struct stored_run r = {0};
    struct store *store = NULL;
    int rc;

    TRY(load_run(args, &r, err));
    rc = store_open(args->store, STORE_WRITE, &store, err);
    if (rc == 0)
        rc = reconcile_run(args, &r, store, err);
    store_close(store);
    json_free(r.doc);
    loaded_free(&r.l);
    return rc;
}

const struct cmd cmd_reconcile = {
    .name = "reconcile",
    .args = "RUN TRACE",
    .help = "after the roll-out: predicted against achieved, and which assumption was off",
    .group = "Choose",
    .about = "RUN is a stored run (`foresight runs list`; of `whatif` the scenario with its edits) or a "
             "scenario file;\n"
             "TRACE a recording of what was achieved: a file, or a trace in the store. Figures are set side "
             "by side with\n"
             "their intervals; then what the recording tells of the assumptions (traffic, lengths, times of "
             "stages and\n"
             "operators, the speed of an engine) is measured again, and the run simulated with each replaced "
             "alone: what\n"
             "disappears of the miss is what it explains.",
    .options = "set,apply",
    .examples = "  foresight exec scenarios/quickstart.json && foresight reconcile scenarios/quickstart.json latest:exec\n"
                "  foresight reconcile latest:run latest:exec --json\n",
    .least = 2,
    .most = 2,
    .run = run,
};
