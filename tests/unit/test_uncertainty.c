/* What is not known about parameters: drawn together, carried into every figure, asked only where it holds.
 */
#include "pipeline/uncertainty.h"
#include "pipeline/validity.h"
#include "scenario_text.h"

#include <math.h>

static const char CLIENTS[] = "{ \"name\": \"c\", \"unit\": \"request\", \"horizon\": {\"items\": 4000},\n"
                              "  \"workload\": {\"clients\": {\"count\": 4, \"think\": \"1s\"}},\n"
                              "  \"resources\": {\"a\": {\"kind\": \"servers\", \"count\": 4}, \"b\": "
                              "{\"kind\": \"servers\", \"count\": 4}},\n"
                              "  \"stages\": [ {\"name\": \"one\", \"model\": \"station\", \"on\": "
                              "{\"servers\": \"a\"}, \"calibration\": \"k\"},\n"
                              "               {\"name\": \"two\", \"model\": \"station\", \"on\": "
                              "{\"servers\": \"b\"}, \"calibration\": \"k\"} ] }\n";

/* Two service times of 1 s, each known to 10 %, that err together or against each other. */
struct given {
    struct param_row rows[2];
    double load[2][2];
};

static const char *const factors[] = {"u", "v"};

static int answer(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                  struct err *err)
{
    struct given *g = ctx;

    (void)name;
    (void)a;
    (void)err;
    *rows = g->rows;
    *n = 2;
    return 0;
}

static struct resolver given(struct given *g, double correlation)
{
    static const char *const paths[] = {"stages.one.params.service", "stages.two.params.service"};

    g->load[0][0] = 1;
    g->load[0][1] = 0;
    g->load[1][0] = correlation;
    g->load[1][1] = sqrt(1 - correlation * correlation);
    for (int i = 0; i < 2; i++)
        g->rows[i] = (struct param_row){.path = paths[i],
                                        .value = 1,
                                        .stderr_ = 0.1,
                                        .load = g->load[i],
                                        .factor = factors,
                                        .loads_n = 2,
                                        .valid_from = 1,
                                        .valid_to = 8,
                                        .valid_of = "concurrency"};
    return (struct resolver){.ctx = g, .calibration = answer};
}

/* Relative half-width of the prediction interval of the mean latency: 1.96 times what the draws vary by. */
static double spread(double correlation, const struct discrepancy *off)
{
    struct given g;
    struct resolver r = given(&g, correlation);
    struct scenario_options so = {.resolver = &r};
    struct simulate_options opt = {.replications = 4, .threads = 1};
    struct arena *a = arena_new();
    struct err err = {0};
    struct json *tree;
    struct scenario *s;
    struct outcome o;
    double wide;

    cr_assert_eq(json_parse(CLIENTS, "c.json", &tree, &err), 0);
    cr_assert_eq(scenario_build(tree, "c.json", &so, &s, &err), 0, "%s", err.text);
    cr_assert_eq(simulate(s, &opt, a, &o, &err), 0, "%s", err.text);
    cr_assert_eq(simulate_uncertainty(tree, "c.json", &r, 40, off, &opt, &o, &err), 0, "%s", err.text);
    cr_assert(o.latency_s[LATENCY_MEAN].has_pred && o.throughput_per_s.has_pred && o.makespan_s.has_pred);
    cr_expect(o.latency_s[LATENCY_MEAN].pred_lo <= o.latency_s[LATENCY_MEAN].lo);
    cr_expect(o.latency_s[LATENCY_P99].pred_hi >= o.latency_s[LATENCY_P99].hi);
    wide = log(o.latency_s[LATENCY_MEAN].pred_hi / o.latency_s[LATENCY_MEAN].pred_lo) / 2;
    scenario_free(s);
    json_free(tree);
    arena_free(a);
    return wide;
}

/*
 * Latency is the sum of both services: it varies by 10 % when they err together, by 7.1 % when independently,
 * and hardly when one errs against the other.  40 draws know a spread to a ninth, so a third is far.
 */
Test(uncertainty, parameters_fitted_together_are_drawn_together)
{
    const struct discrepancy none = {0, 0};
    double t = student_quantile(0.975, 39);
    double together = spread(1, &none), apart = spread(0, &none), against = spread(-1, &none);

    cr_expect_float_eq(together, t * 0.1, t * 0.033, "%g", together);
    cr_expect_float_eq(apart, t * 0.0707, t * 0.024, "%g", apart);
    cr_expect_lt(against, t * 0.02, "%g", against);
}

Test(uncertainty, the_discrepancy_adds_as_a_variance)
{
    const struct discrepancy off = {.rate = 0.1, .time = 0.2};
    double t = student_quantile(0.975, 39), wide = spread(-1, &off);

    cr_expect_float_eq(wide, t * 0.2, t * 0.03, "%g", wide);
}

static struct scenario *clients(struct given *g, const char *count)
{
    struct resolver r = given(g, 0);
    struct scenario_options so = {.resolver = &r};
    char *text = text_replaced(CLIENTS, "\"count\": 4, \"think\"", count);
    struct err err = {0};
    struct json *tree;
    struct scenario *s;

    cr_assert_eq(json_parse(text, "c.json", &tree, &err), 0);
    cr_assert_eq(scenario_build(tree, "c.json", &so, &s, &err), 0, "%s", err.text);
    json_free(tree);
    free(text);
    return s;
}

Test(validity, outside_its_range_a_parameter_is_refused_or_marked)
{
    struct given g;
    struct err err = {0};
    struct scenario *inside = clients(&g, "\"count\": 8, \"think\""),
                    *outside = clients(&g, "\"count\": 9, \"think\"");

    cr_expect_eq(scenario_check_validity(inside, false, &err), 0, "%s", err.text);
    cr_expect_eq(inside->warnings_n, 0);
    cr_expect_eq(scenario_check_validity(outside, false, &err), ERR_SCENARIO);
    cr_expect_not_null(strstr(err.text, "concurrency from 1 to 8"), "%s", err.text);
    cr_expect_not_null(strstr(err.text, "asked for 9"), "%s", err.text);
    cr_expect_eq(scenario_check_validity(outside, true, &err), 0);
    cr_assert_eq(outside->warnings_n, 2, "one for each stage");
    cr_expect_not_null(strstr(outside->warnings[0].text, "extrapolated"));
    scenario_free(inside);
    scenario_free(outside);
}

static int batches(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                   struct err *err)
{
    const double *most = ctx;

    (void)name;
    (void)err;
    *rows = arena_array(a, 1, sizeof **rows);
    (*rows)[0] = (struct param_row){.path = "models.etl.params.costs.parse.per_item",
                                    .value = 1e-6,
                                    .valid_from = 1,
                                    .valid_to = *most,
                                    .valid_of = "items"};
    *n = 1;
    return 0;
}

Test(validity, sizes_of_operators_are_those_the_mean_item_brings)
{
    char *text = text_replaced(DATASET, "\"model\": \"etl\"", "\"model\": \"etl\", \"calibration\": \"k\"");
    double most = 4096; /* rows of a partition: what parse gets */
    struct resolver r = {.ctx = &most, .calibration = batches};
    struct scenario_options so = {.resolver = &r};
    struct err err = {0};
    struct json *tree;
    struct scenario *s;

    cr_assert_eq(json_parse(text, "d.json", &tree, &err), 0);
    cr_assert_eq(scenario_build(tree, "d.json", &so, &s, &err), 0, "%s", err.text);
    cr_expect_eq(scenario_check_validity(s, false, &err), 0, "%s", err.text);
    scenario_free(s);
    most = 1000;
    cr_assert_eq(scenario_build(tree, "d.json", &so, &s, &err), 0, "%s", err.text);
    cr_expect_eq(scenario_check_validity(s, false, &err), ERR_SCENARIO);
    cr_expect_not_null(strstr(err.text, "asked for 4096"), "%s", err.text);
    scenario_free(s);
    json_free(tree);
    free(text);
}
