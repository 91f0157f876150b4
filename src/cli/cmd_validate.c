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
#include <stdlib.h>

enum { REPEATS = 3, VARIANTS = 14, REPLICATIONS = 8, DRAWS = 12 };

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* Sorts; the upper of the two middle ones. */
static double median_of_absolute(double *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] = fabs(x[i]);
    qsort(x, (size_t)n, sizeof *x, ascending);
    return n > 0 ? x[n / 2] : NAN;
}

static void print_variants(const struct validation *v)
{
    char a[60], b[60], lo[30], hi[30], interval[70];

    printf("  %-22s %-16s %-9s %-18s %8s\n", "variant", "measured", "predicted", "interval", "error");
    for (int i = 0; i < v->n; i++) {
        const struct validate_figure *f = &v->variants[i].figures[0];

        snprintf(interval, sizeof interval, "%s .. %s",
                 units_format(lo, sizeof lo, f->predicted.pred_lo, UNIT_PER_S),
                 units_format(hi, sizeof hi, f->predicted.pred_hi, UNIT_PER_S));
        printf("  %-22.22s %-17s %-9s %-19s %+6.1f %%%s\n", v->variants[i].name,
               print_estimate(a, sizeof a, &f->measured, UNIT_PER_S),
               units_format(b, sizeof b, f->predicted.mean, UNIT_PER_S), interval, 100 * f->error_frac,
               f->inside_interval ? "" : " *");
    }
    printf("  * the measurement lies outside the prediction interval\n");
}

/* The other figures: the median error over the variants, and the worst. */
static void print_figure(const struct validation *v, int figure, struct arena *a)
{
    double *x = arena_array(a, (size_t)v->n, sizeof *x);
    int worst = 0, n = 0;

    for (int i = 0; i < v->n; i++)
        if (figure < v->variants[i].figures_n) {
            x[n++] = v->variants[i].figures[figure].error_frac;
            if (fabs(x[n - 1]) > fabs(v->variants[worst].figures[figure].error_frac))
                worst = i;
        }
    printf("  %-30.30s %6.1f %%   %+6.1f %%  %s\n", v->variants[0].figures[figure].name,
           100 * median_of_absolute(x, n), 100 * v->variants[worst].figures[figure].error_frac,
           arena_printf(a, "%.28s", v->variants[worst].name));
}

static void print_figures(const struct validation *v, struct arena *a)
{
    printf("\n  %-30s %8s   %8s  %s\n", "error of other figures", "median", "worst", "in");
    for (int k = 1; k < v->variants[0].figures_n; k++)
        print_figure(v, k, a);
}

static void print_part(const struct validate_stage *s, enum validate_part k)
{
    if (s->known[k])
        printf(" %7.2f %7.2f %+6.1f%%", 1e6 * s->measured_s[k].mean, 1e6 * s->predicted_s[k],
               100 * s->error_frac[k]);
    else
        printf(" %7s %7s %7s", "-", "-", "");
}

/* Where the model is wrong: the stages of the scenario as it stands, then of each variant the part that
 * misses most. */
static void print_stages(const struct validation *v, struct arena *a)
{
    printf("\n  where the model is wrong: us that a stage's workers spend per unit, measured and\n"
           "  predicted, and the error as a share of their time\n  %-8s %23s %23s %23s\n",
           "baseline", "working", "blocked", "starved");
    for (int i = 0; i < v->variants[0].stages_n; i++) {
        printf("  %-8.8s", v->variants[0].stages[i].name);
        for (int k = 0; k < VALIDATE_PARTS; k++)
            print_part(&v->variants[0].stages[i], (enum validate_part)k);
        putchar('\n');
    }
    for (int i = 1; i < v->n; i++)
        printf("  %-22.22s %s\n", v->variants[i].name, validation_why(&v->variants[i], a));
}

static void print_scores(const struct validation *v)
{
    printf("\n  throughput: median absolute error %.1f %%, p90 %.1f %%; speed-ups: %.1f %%, %.1f %%\n",
           100 * v->median_error, 100 * v->p90_error, 100 * v->median_speedup_error,
           100 * v->p90_speedup_error);
    printf("  %.0f %% of measurements inside the interval, whose median width is %.0f %%; Kendall\n"
           "  tau %.2f over %d pairs that measurement can tell apart\n",
           100 * v->coverage, 100 * v->width, v->kendall_tau, v->pairs);
    if (isfinite(v->latency_p95_error))
        printf("  p95 latency: median absolute error %.1f %%; of all figures %.0f %% inside\n",
               100 * v->latency_p95_error, 100 * v->coverage_all);
    if (v->measured_best != NULL)
        printf("  one to build: measured best is %s; the simulation says %s (regret\n"
               "  %.1f %%), the local view says %s (regret %.1f %%)\n",
               v->measured_best, v->top_choice, 100 * v->top_choice_regret, v->local_choice,
               100 * v->local_choice_regret);
    printf("  drift: the baseline %+.1f %%", 100 * v->drift_frac);
    if (isfinite(v->profile_drift_frac))
        printf(", operators alone take %+.1f %%", 100 * v->profile_drift_frac);
    printf("; others took %.0f %% of the\n  machine at most\n", 100 * v->disturbed_frac);
}

static void print_validation(const struct scenario *s, const struct validation *v, struct arena *a)
{
    const char *note = v->variants[0].runs[0].result.cache_note;

    printf("%s: %d variants executed and predicted from one calibration%s%s%s\n\n", s->name, v->n,
           note != NULL ? " (storage: " : "", note != NULL ? note : "", note != NULL ? ")" : "");
    print_variants(v);
    print_figures(v, a);
    print_stages(v, a);
    print_scores(v);
    for (int i = 0; i < v->left_out_n; i++)
        printf("  left out: %s: %s\n", v->left_out[i].name, v->left_out[i].why);
}

static int validate_loaded(const struct args *args, struct loaded *l, struct validate_options *opt,
                           struct err *err)
{
    struct study st = study_of(args, l, REPLICATIONS);
    struct validation v;

    TRY(args_long(args, "repeats", REPEATS, 2, 100, &opt->repeats, err));
    TRY(args_long(args, "variants", VARIANTS, 2, 1000, &opt->variants, err));
    opt->profile_after = !args_has(args, "no-drift");
    opt->calibration = args_get(args, "name", l->scenario->name);
    TRY(validate(&st, l->scenario, opt, l->arena, &v, err));
    if (args->json)
        print_document(validation_json(&st, l->scenario, &v));
    else
        print_validation(l->scenario, &v, l->arena);
    TRY(keep_result(args, l, "validate", validation_json(&st, l->scenario, &v), NULL, err));
    return chart_validation(args, &v, err);
}

static int run(const struct args *args, struct err *err)
{
    struct validate_options opt = {.draws = DRAWS};
    struct loaded l;
    int rc;

    TRY(measure_options_of(args, &opt.measure, err));
    TRY(load_scenario(args, args->words[0], &l, err));
    opt.measure.progress = progress_new(args->progress, args->quiet);
    rc = check_executable(args, &l, err);
    if (rc == 0)
        rc = store_open(args->store, STORE_WRITE, &opt.measure.store, err);
    if (rc == 0)
        rc = validate_loaded(args, &l, &opt, err);
    store_close(opt.measure.store);
    progress_free(opt.measure.progress);
    loaded_free(&l);
    return rc;
}

const struct cmd cmd_validate = {
    .name = "validate",
    .args = "SCENARIO",
    .help = "execute variants and predict each from one calibration: how far off is it?",
    .group = "Measure",
    .about =
        "Executes the scenario as it stands, every optimization and knob alone, and combinations, repeats "
        "interleaved,\n"
        "and sets each beside its prediction. One calibration serves all: the newest profile of operators "
        "alone, another\n"
        "made at the end (--no-drift: only the first), and the executions of the scenario as it stands that "
        "stand between\n"
        "the variants. It is kept in the store.",
    .options = "set,apply,repeats,variants,folder,pin,no-drift,name",
    .examples = "  foresight validate scenarios/quickstart.json\n"
                "  foresight validate scenarios/quickstart.json --repeats 5 --variants 20 --json\n",
    .least = 1,
    .most = 1,
    .run = run,
};
