/* What a review shows beside the run and the ranking: time lines, load curves, sensitivity, steps and fronts.
 */
#include "ranked_text.h"

#include "study/details.h"

#include <math.h>

static struct err err;

/* Documents of the scenario in `text`; the study is that of ranked_text.h. */
static struct json *details_of(const char *text, int threads)
{
    struct json *tree = NULL, *doc = NULL;
    struct scenario *s = NULL;
    struct study st;

    cr_assert_eq(json_parse(text, "two.json", &tree, &err), 0, "%s", err.text);
    cr_assert_eq(scenario_build(tree, "two.json", NULL, &s, &err), 0, "%s", err.text);
    st = (struct study){.tree = tree,
                        .file = "two.json",
                        .seed = 1,
                        .replications = 3,
                        .threads = threads,
                        .confidence = 0.95};
    cr_assert_eq(details_json(&st, s, &doc, &err), 0, "%s", err.text);
    scenario_free(s);
    json_free(tree);
    return doc;
}

#define ONE_DESK                                                                                             \
    "{\"name\": \"mm1\", \"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"2s\"}}},"               \
    " \"resources\": {\"p\": {\"kind\": \"servers\"}}, \"stages\": [{\"name\": \"desk\", \"model\": "        \
    "\"station\","                                                                                           \
    " \"on\": {\"servers\": \"p\"}, \"params\": {\"service\": {\"exponential\": \"1s\"}}}]}"

static double mean_of(const struct json *object, const char *key)
{
    return json_get_number(json_get(object, key), "mean", NAN);
}

/* M/M/1: 1 / (mu - lambda). */
Test(details, the_load_curve_of_one_desk_is_the_textbook_s)
{
    struct json *doc = details_of(ONE_DESK, 1);
    const struct json *curve = json_get(doc, "load_curve"), *points = json_get(curve, "points");

    cr_expect_eq(json_size(points), 9, "eight loads and the present one");
    cr_expect_float_eq(json_get_number(curve, "present", 0), 0.5, 1e-12);
    JSON_EACH (p, points) {
        double load = json_get_number(p, "load", NAN), latency = mean_of(json_get(p, "latency_s"), "mean");

        cr_expect_float_eq(mean_of(p, "throughput_per_s"), load, 0.02 * load);
        if (load < 0.95)
            cr_expect_float_eq(latency, 1 / (1 - load), 0.1 / (1 - load), "at %g: %g", load, latency);
    }
    /* throughput over latency, lambda (1 - lambda), is largest at one half */
    cr_expect_float_eq(json_get_number(json_get(curve, "knee"), "load", NAN), 0.5, 0.06);
    json_free(doc);
}

Test(details, quantiles_of_latency_are_those_of_an_exponential)
{
    struct json *doc = details_of(ONE_DESK, 1);
    const struct json *q = json_get(doc, "latency_quantiles_s");
    size_t n = json_size(q);
    double before = 0;

    cr_assert_eq(n, 200);
    JSON_EACH (v, q) {
        cr_expect_geq(json_number(v), before);
        before = json_number(v);
    }
    cr_expect_float_eq(json_number(json_at(q, n / 2)), 2 * log(2), 0.1);
    json_free(doc);
}

/* The means of all intervals, weighted by their length, are the mean of the run: 0.5 busy, 0.5 waiting. */
Test(details, the_time_line_adds_up_to_the_utilization)
{
    struct json *doc = details_of(ONE_DESK, 1);
    const struct json *line = json_get(doc, "timeline"), *at = json_get(line, "at_s");
    const struct json *stage = json_at(json_get(line, "stages"), 0);
    double busy = 0, queue = 0, before = 0;
    size_t n = json_size(at);

    cr_expect(n >= 55 && n <= 120, "%zu points", n);
    for (size_t i = 0; i < n; i++) {
        double step = json_number(json_at(at, i)) - before;

        before = json_number(json_at(at, i));
        busy += step * json_number(json_at(json_get(stage, "busy_frac"), i));
        queue += step * json_number(json_at(json_get(stage, "queue_mean"), i));
    }
    cr_expect_float_eq(busy / before, 0.5, 0.01, "%g", busy / before);
    cr_expect_float_eq(queue / before, 0.5, 0.06, "%g", queue / before);
    json_free(doc);
}

/* 40 ms a piece on one core: with a quarter less of it a third more comes out, with a quarter more a fifth
 * less.
 */
Test(details, an_assumed_cost_moves_the_objective_as_it_must)
{
    char *text = text_replaced(
        TWO_STAGES(""), "\"workload\"",
        "\"assumed\": {\"stages.b.params.ops[0].cpu\": \"a guess\", \"stages.a\": \"all of it\"}, "
        "\"workload\"");
    struct json *doc = details_of(text, 1);
    const struct json *rows = json_get(json_get(doc, "sensitivity"), "rows"), *first = json_at(rows, 0);

    cr_expect_eq(json_size(rows), 2);
    cr_expect_str_eq(json_get_string(first, "path", ""), "stages.b.params.ops[0].cpu");
    cr_expect_float_eq(mean_of(first, "lower"), 4.0 / 3, 2e-3); /* then a's 30 ms decide as well */
    cr_expect_float_eq(mean_of(first, "higher"), 0.8, 2e-3);
    json_free(doc);
    free(text);
}

Test(details, a_pipeline_without_arrivals_varies_its_busiest_workers)
{
    char *text = text_replaced(TWO_STAGES(""), "\"cpu\": \"p\"}, \"params\": {",
                               "\"cpu\": \"p\"}, \"params\": {\"workers\": 4, ");
    struct json *doc = details_of(text, 1);
    const struct json *curve = json_get(doc, "load_curve");

    cr_expect_str_eq(json_get_string(curve, "stage", ""), "a");
    cr_expect_str_eq(json_get_string(curve, "unit", ""), "workers");
    /* one core: a worker is as good as four, and b's 40 ms limit anyway */
    cr_expect_eq(json_get_number(json_get(curve, "knee"), "load", 0), 1);
    json_free(doc);
    free(text);
}

Test(details, are_the_same_for_any_number_of_threads)
{
    struct json *one = details_of(ONE_DESK, 1), *three = details_of(ONE_DESK, 3);
    char *a = json_compact(one), *b = json_compact(three);

    cr_expect_str_eq(a, b);
    free(a);
    free(b);
    json_free(one);
    json_free(three);
}

/* a15 alone gains nothing, with b20 in place 40/30: the steps say so, whatever the order of declaration. */
Test(rank, the_chosen_set_is_built_up_by_what_adds_most)
{
    struct ranked_text x = ranked(TWO_STAGES(A_15 "," B_20), 1);

    cr_assert_eq(x.r.steps_n, 2);
    cr_expect_eq(x.r.steps[0].set, 2); /* b20: a's 30 ms then limit */
    cr_expect_float_eq(x.r.steps[0].gain.mean, 4.0 / 3, 2e-3);
    cr_expect_float_eq(x.r.steps[1].step.mean, 1.5, 2e-3);
    cr_expect_float_eq(x.r.steps[1].gain.mean, 2, 4e-3);
    ranked_end(&x);
}

Test(rank, the_front_holds_what_no_other_set_beats)
{
    struct ranked_text x = ranked(TWO_STAGES(A_15 "," B_20 "," B_50), 1);

    cr_assert_eq(x.r.points_n, 6); /* b20 and b50 set the same value */
    for (int i = 0; i < x.r.points_n; i++)
        cr_expect_eq(x.r.points[i].front, x.r.points[i].set == 3, "without prices the fastest alone, set %d",
                     (int)x.r.points[i].set);
    ranked_end(&x);
}
