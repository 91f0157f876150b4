#include "cli/cmd.h"

#include "base/units.h"
#include "cli/chart.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"
#include "study/validate.h"

#include <math.h>
#include <stdio.h>

enum { REPEATS = 3, VARIANTS = 14, REPLICATIONS = 8, DRAWS = 12 };

static void print_variants(const struct validation *v)
{
    char a[60], b[60], lo[30], hi[30];

    printf("  %-34s %-18s %-12s %-20s %8s  %s\n", "variant", "measured", "predicted", "prediction interval",
           "error", "inside");
    for (int i = 0; i < v->n; i++) {
        const struct validate_figure *f = &v->variants[i].figures[0];

        printf("  %-34.34s %-19s %-12s %s .. %-12s %+6.1f %%  %s\n", v->variants[i].name,
               print_estimate(a, sizeof a, &f->measured, UNIT_PER_S),
               units_format(b, sizeof b, f->predicted.mean, UNIT_PER_S),
               units_format(lo, sizeof lo, f->predicted.pred_lo, UNIT_PER_S),
               units_format(hi, sizeof hi, f->predicted.pred_hi, UNIT_PER_S), 100 * f->error_frac,
               f->inside_interval ? "yes" : "no");
    }
}

/* Where the model is wrong: the other figures, as a table of errors. */
static void print_figures(const struct validation *v)
{
    printf("\n  errors of the other figures\n  %-34s", "variant");
    for (int k = 1; k < v->variants[0].figures_n; k++)
        printf(" %11.11s", v->variants[0].figures[k].name);
    putchar('\n');
    for (int i = 0; i < v->n; i++) {
        printf("  %-34.34s", v->variants[i].name);
        for (int k = 1; k < v->variants[i].figures_n; k++)
            printf("   %+6.1f %%", 100 * v->variants[i].figures[k].error_frac);
        putchar('\n');
    }
}

static void print_validation(const struct scenario *s, const struct validation *v)
{
    printf("%s: %d variants executed and predicted from one calibration (storage: %s)\n\n", s->name, v->n,
           v->variants[0].runs[0].result.cache_note);
    print_variants(v);
    print_figures(v);
    printf("\n  throughput: median absolute error %.1f %%, p90 %.1f %%; %.0f %% of measurements inside the "
           "prediction\n"
           "  interval (median width %.0f %% of the prediction); Kendall tau %.2f over %d separated pairs\n",
           100 * v->median_error, 100 * v->p90_error, 100 * v->coverage, 100 * v->width, v->kendall_tau,
           v->pairs);
    printf("  one optimization to build: measured best is %s; the simulation says %s (regret %.1f %%), the "
           "local view\n"
           "  says %s (regret %.1f %%); drift of the baseline over the run: %+.1f %%\n",
           v->measured_best, v->top_choice, 100 * v->top_choice_regret, v->local_choice,
           100 * v->local_choice_regret, 100 * v->drift_frac);
}

static int validate_loaded(const struct args *args, struct loaded *l, struct validate_options *opt,
                           struct err *err)
{
    struct study st = study_of(args, l, REPLICATIONS);
    struct validation v;

    TRY(args_long(args, "repeats", REPEATS, 2, 100, &opt->repeats, err));
    TRY(args_long(args, "variants", VARIANTS, 2, 1000, &opt->variants, err));
    opt->calibration = args_get(args, "name", l->scenario->name);
    TRY(validate(&st, l->scenario, opt, l->arena, &v, err));
    if (args->json)
        print_document(validation_json(&st, l->scenario, &v));
    else
        print_validation(l->scenario, &v);
    TRY(keep_result(args, l, "validate", validation_json(&st, l->scenario, &v), NULL, err));
    return chart_validation(args, &v, err);
}

static int run(const struct args *args, struct err *err)
{
    struct progress *progress = progress_new(args->progress, args->quiet);
    struct validate_options opt = {
        .measure = {.folder = args_get(args, "folder", "foresight.work"), .progress = progress},
        .draws = DRAWS};
    struct loaded l;
    int rc = load_scenario(args, args->words[0], &l, err);

    if (rc == 0) {
        rc = store_open(args->store, STORE_WRITE, &opt.measure.store, err);
        if (rc == 0)
            rc = validate_loaded(args, &l, &opt, err);
        store_close(opt.measure.store);
        loaded_free(&l);
    }
    progress_free(progress);
    return rc;
}

const struct cmd cmd_validate = {
    .name = "validate",
    .args = "SCENARIO",
    .help = "execute variants and predict each from one calibration: how far off is it?",
    .group = "Measure",
    .about =
        "Executes the scenario as it stands, every optimization alone, and combinations, repeats "
        "interleaved, and\n"
        "sets each beside its prediction. One calibration serves all: the newest profile of operators alone, "
        "and the\n"
        "executions of the scenario as it stands that stand between the variants. It is kept in the store.",
    .options = "set,apply,repeats,variants,folder,name",
    .examples = "  foresight validate scenarios/quickstart.json\n"
                "  foresight validate scenarios/quickstart.json --repeats 5 --variants 20 --json\n",
    .least = 1,
    .most = 1,
    .run = run,
};
