/* The parts of validate that need no execution: which variants, and what the scores say. */
#include "study/validate_parts.h"

#include "temp_store.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct scenario *scenario;
static struct json *tree;
static struct validation out;
static struct validate_options options;
static struct validating v;

static void load(const char *knobs, const char *more)
{
    static char path[4000];
    struct json *list, *value;
    struct optimization *opts;
    struct scenario_options so = {.resolver = NULL};
    int n;

    gsl_set_error_handler_off();
    arena = arena_new();
    snprintf(path, sizeof path, "%s/scenarios/quickstart.json", getenv("abs_srcdir"));
    OK(json_read(path, &tree, &err));
    OK(json_parse(knobs, "knobs", &value, &err));
    json_set(tree, "knobs", value);
    list = json_get_mutable(tree, "optimizations");
    if (more != NULL) {
        OK(json_parse(more, "more", &value, &err));
        json_push(list, value);
    }
    OK(scenario_build(tree, path, &so, &scenario, &err));
    OK(optimizations_read(tree, path, arena, &opts, &n, &err));
    options = (struct validate_options){.repeats = 3, .variants = 100};
    v = (struct validating){.st = {.tree = tree,
                                   .file = path,
                                   .optimizations = opts,
                                   .n = n,
                                   .seed = 1,
                                   .replications = 2,
                                   .threads = 1,
                                   .confidence = 0.95},
                            .base = scenario,
                            .opt = &options,
                            .a = arena,
                            .out = &out,
                            .edits = json_new_array()};
}

static void unload(void)
{
    json_free(v.edits);
    scenario_free(scenario);
    json_free(tree);
    arena_free(arena);
}

static int find(const char *name)
{
    for (int i = 0; i < out.n; i++)
        if (strcmp(out.variants[i].name, name) == 0)
            return i;
    return -1;
}

/* -------------------------------------------------------------------------------- design */

Test(validate, the_design_holds_the_baseline_singles_the_largest_set_and_pairs)
{
    load("[]", NULL);
    OK(validate_design(&v, &err));
    cr_expect_str_eq(out.variants[0].name, "baseline");
    cr_expect_eq(find("cluster+dedup"), 1);
    cr_expect_eq(find("batch-512"), 9);
    cr_expect_gt(find("cluster+dedup & lz4"), 10);
    cr_expect_eq(find("lz4 & no-codec"), -1, "they exclude each other");
    for (int i = 0; i < out.n; i++)
        for (int k = 0; k < i; k++)
            cr_expect_neq(out.variants[i].set, out.variants[k].set);
    unload();
}

Test(validate, knobs_are_turned_one_step_and_choices_to_every_value)
{
    load("[{\"name\": \"workers\", \"path\": \"prep.workers\", \"values\": [1, 2, 4]}, "
         "{\"name\": \"codec\", \"path\": \"etl.codec\"}]",
         NULL);
    OK(validate_design(&v, &err));
    cr_expect_gt(find("workers=2"), 0);
    cr_expect_eq(find("workers=4"), -1, "two steps away");
    cr_expect(find("codec=lz4") > 0 && find("codec=none") > 0 && find("codec=zstd") == -1);
    cr_expect_eq(find("codec=none & codec=lz4"), -1);
    cr_expect_eq(find("codec=lz4 & codec=none"), -1, "one knob has one value");
    unload();
}

Test(validate, what_the_executor_does_not_read_is_left_out_and_named)
{
    load("[]", "{\"name\": \"dream\", \"set\": {\"prep.costs.hash.per_item\": 0}, \"touches\": [\"prep\"]}");
    OK(validate_design(&v, &err));
    cr_assert_eq(out.left_out_n, 1);
    cr_expect_str_eq(out.left_out[0].name, "dream");
    cr_expect_not_null(strstr(out.left_out[0].why, "prep.costs.hash.per_item"), "%s", out.left_out[0].why);
    cr_expect_eq(find("dream"), -1);
    unload();
}

/* -------------------------------------------------------------------------------- scores */

enum { REPEATS = 3, VARIANTS = 4 };

/* Measured and predicted throughput of variants that are no single optimization. */
static void pretend(const double *measured, const double *predicted, double noise)
{
    load("[]", NULL);
    out = (struct validation){.n = VARIANTS};
    out.variants = arena_array(arena, VARIANTS, sizeof *out.variants);
    for (int i = 0; i < VARIANTS; i++) {
        struct validate_variant *x = &out.variants[i];
        struct validate_figure *f = arena_array(arena, 1, sizeof *f);

        x->runs = arena_array(arena, REPEATS, sizeof *x->runs);
        x->objective = arena_array(arena, REPEATS, sizeof(double));
        for (int r = 0; r < REPEATS; r++)
            x->objective[r] = measured[i] * (1 + noise * (r - 1));
        x->objective_measured = estimate_student(x->objective, REPEATS, 0.95);
        x->objective_predicted = estimate_exact(predicted[i]);
        x->speedup_error_frac = predicted[i] / predicted[0] / (measured[i] / measured[0]) - 1;
        f->predicted = (struct estimate){.mean = predicted[i],
                                         .has_pred = true,
                                         .pred_lo = 0.9 * predicted[i],
                                         .pred_hi = 1.1 * predicted[i]};
        f->measured = x->objective_measured;
        f->error_frac = predicted[i] / measured[i] - 1;
        f->inside_interval = fabs(f->error_frac) < 0.09;
        f->name = "throughput_per_s";
        x->figures = f;
        x->figures_n = 1;
    }
    OK(validate_score(&v, &err));
}

Test(validate, errors_are_scored_over_variants_and_speed_ups_without_the_baseline)
{
    pretend((double[]){100, 200, 300, 400}, (double[]){110, 210, 300, 440}, 0.001);
    cr_expect_float_eq(out.median_error, 0.075, 1e-9, "0, 5, 10, 10 %%");
    cr_expect_float_eq(out.median_speedup_error, 1 - 210 / 1.1 / 200, 1e-9, "0, 4.5, 9.1 %%");
    cr_expect_float_eq(out.coverage, 0.5, 1e-9);
    cr_expect_float_eq(out.width, 0.2, 1e-9);
    cr_expect_float_eq(out.drift_frac, 1.001 / 0.999 - 1, 1e-9);
    cr_expect_float_eq(out.kendall_tau, 1, 0);
    cr_expect_eq(out.pairs, 6);
    cr_expect_null(out.measured_best, "there was no single optimization to choose");
    unload();
}

Test(validate, only_pairs_that_measurement_can_tell_apart_count_for_the_order)
{
    pretend((double[]){100, 101, 300, 400}, (double[]){100, 90, 450, 400}, 0.02);
    cr_expect_eq(out.pairs, 5, "100 and 101 cannot be told apart");
    cr_expect_float_eq(out.kendall_tau, (4.0 - 1) / 5, 1e-9);
    unload();
}
