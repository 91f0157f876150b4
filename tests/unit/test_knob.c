#include "pipeline/knob.h"

#include "pipeline/constraint.h"
#include "scenario_text.h"

#include <math.h>

static struct arena *a;

static void begin(void)
{
    a = arena_new();
}

static void end(void)
{
    arena_free(a);
}

TestSuite(knob, .init = begin, .fini = end);
TestSuite(constraint, .init = begin, .fini = end);

/* SHARED_CORES with these keys beside the others. */
static char *with_keys(const char *keys)
{
    char *put = arena_printf(a, "\"name\": \"shared-cores\", %s,", keys);

    return text_replaced(SHARED_CORES, "\"name\": \"shared-cores\",", put);
}

static struct json *tree_with(const char *keys)
{
    struct err err = {0};
    struct json *tree = NULL;
    char *text = with_keys(keys);

    cr_assert_eq(json_parse(text, "t", &tree, &err), 0, "%s", err.text);
    free(text);
    return tree;
}

/* The values of the only knob, as "[1,2,4]". */
static char *values_of(const char *knob)
{
    struct json *tree = tree_with(arena_printf(a, "\"knobs\": [%s]", knob)), *list = json_new_array();
    struct err err = {0};
    struct knob *k;
    char *text;
    int n;

    cr_assert_eq(knobs_read(tree, "t", a, &k, &n, &err), 0, "%s", err.text);
    cr_assert_eq(n, 1);
    for (int i = 0; i < k->n; i++)
        json_push(list, knob_value(k, i));
    text = json_compact(list);
    json_free(list);
    json_free(tree);
    return text;
}

Test(knob, what_is_left_out_comes_from_the_table)
{
    static const struct {
        const char *knob, *values;
    } cases[] = {
        {"{\"path\": \"load.workers\", \"values\": [1, 2, 4]}", "[1, 2, 4]"},
        {"{\"path\": \"stages.load.params.workers\", \"range\": [1, 5]}", "[1, 2, 3, 4, 5]"},
        {"{\"path\": \"load.workers\", \"range\": [1, 10], \"step\": 3}", "[1, 4, 7, 10]"},
        {"{\"path\": \"load.workers\", \"range\": [1, 64], \"scale\": \"log\", \"points\": 7}",
         "[1, 2, 4, 8, 16, 32, 64]"},
        {"{\"path\": \"load.workers\", \"range\": [1, 4], \"scale\": \"log\", \"points\": 9}",
         "[1, 2, 3, 4]"},
        {"{\"path\": \"load.in_order\"}", "[false, true]"},
        {"{\"path\": \"resources.disk.read_bw\", \"range\": [\"1GB/s\", \"3GB/s\"], \"points\": 3}",
         "[1000000000, 2000000000, 3000000000]"},
        {"{\"path\": \"resources.host.billing\"}", "[\"committed\", \"elastic\", \"owned\"]"},
        {"{\"path\": \"resources.host.count\"}", "[1, 7, 56, 422, 3162, 23714, 177828, 1333521, 10000000]"},
        {"{\"path\": \"load.ops[1].cpu\", \"values\": [\"1ms\", \"2ms\"]}", "[\"1ms\", \"2ms\"]"},
        {"{\"path\": \"workload.closed.in_flight\", \"range\": [1, 3], \"step\": 1}", "[1, 2, 3]"},
        {"{\"path\": [\"load.workers\", \"resources.host.count\"], \"range\": [1, 3]}", "[1, 2, 3]"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = values_of(cases[i].knob);

        cr_expect_str_eq(got, cases[i].values, "%s: %s", cases[i].knob, got);
        free(got);
    }
}

Test(knob, only_a_number_without_steps_has_levels_between)
{
    struct json *tree = tree_with(
        "\"knobs\": [{\"path\": \"resources.disk.read_bw\", \"range\": [100, 10000], \"scale\": \"log\", "
        "\"points\": 3}, {\"path\": \"load.workers\", \"range\": [1, 3]}]");
    struct err err = {0};
    struct knob *k;
    int n;

    cr_assert_eq(knobs_read(tree, "t", a, &k, &n, &err), 0, "%s", err.text);
    cr_expect(k[0].is_continuous && !k[1].is_continuous);
    cr_expect_float_eq(knob_number(&k[0], 0.5), sqrt(100 * 1000.0), 1e-9);
    cr_expect_eq(knob_number(&k[0], 7), 10000);
    cr_expect_eq(knob_number(&k[1], 1.4), 2);
    cr_expect_eq(k[1].now, 1, "load has 2 workers");
    cr_expect_eq(k[0].now, -1);
    json_free(tree);
}

Test(knob, a_wrong_knob_says_what_is_wrong)
{
    static const struct {
        const char *knob, *says;
    } cases[] = {
        {"4", "$.knobs[0]: a number found"},
        {"{\"name\": \"w\"}", "$.knobs[0].path"},
        {"{\"path\": \"lod.workers\"}", "did you mean \"load\""},
        {"{\"path\": \"load.workrs\"}", "did you mean \"workers\""},
        {"{\"path\": \"resources.host.cont\"}", "did you mean \"count\""},
        {"{\"path\": \"load\"}", "names no value"},
        {"{\"path\": \"load.workers\", \"value\": [1]}", "did you mean \"values\""},
        {"{\"path\": \"load.workers\", \"values\": []}", "1 to 1000 values"},
        {"{\"path\": \"load.workers\", \"values\": [1, \"many\"]}", "$.knobs[0].values[1]"},
        {"{\"path\": \"load.workers\", \"values\": [1], \"range\": [1, 2]}", "either"},
        {"{\"path\": \"load.workers\", \"range\": [4, 1]}", "below the second"},
        {"{\"path\": \"load.workers\", \"range\": [1]}", "[LOWEST, HIGHEST]"},
        {"{\"path\": \"load.workers\", \"range\": [0, 4]}", "$.knobs[0].range[0]"},
        {"{\"path\": \"load.workers\", \"range\": [1, 4], \"step\": 0}", "$.knobs[0].step"},
        {"{\"path\": \"load.workers\", \"range\": [1, 4], \"step\": 1, \"points\": 3}", "either a step"},
        {"{\"path\": \"load.workers\", \"range\": [1, 4], \"scale\": \"lg\"}", "did you mean \"log\""},
        {"{\"path\": \"resources.disk.latency\", \"range\": [0, 1], \"scale\": \"log\"}", "above zero"},
        {"{\"path\": \"load.in_order\", \"range\": [0, 1]}", "no number"},
        {"{\"path\": \"load.ops\"}", "give \"values\""},
        {"{\"path\": \"load.workers\"}, {\"path\": \"load.workers\"}", "used twice"},
        {"{\"path\": []}", "a path is needed"},
        {"{\"path\": [\"load.workers\", 3]}", "a path is needed"},
        {"{\"path\": [\"load.workers\", \"resources.host.cont\"]}", "did you mean \"count\""},
        {"{\"path\": [\"workload.closed.in_flight\", \"load.workers\"], \"values\": [0.5]}",
         "$.knobs[0].values[0]"},
        {"{\"path\": \"load.workers\"}, {\"name\": \"x\", \"path\": \"stages.load.params.workers\"}",
         "sets already"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = with_keys(arena_printf(a, "\"knobs\": [%s]", cases[i].knob));
        struct scenario *s = NULL;
        struct err err = {0};

        cr_expect_eq(text_build(text, &s, &err), ERR_SCENARIO, "%s", cases[i].knob);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s: %s", cases[i].knob, err.text);
        cr_expect_not_null(strstr(err.text, "broken.json"), "%s", err.text);
        scenario_free(s);
        free(text);
    }
}

Test(knob, several_places_are_turned_together)
{
    struct json *tree =
        tree_with("\"knobs\": [{\"path\": [\"load.workers\", \"resources.host.count\"], \"range\": [1, 8]}]");
    struct err err = {0};
    struct knob *k;
    int n;

    cr_assert_eq(knobs_read(tree, "t", a, &k, &n, &err), 0, "%s", err.text);
    cr_assert_eq(knob_apply(tree, k, 6, &err), 0, "%s", err.text);
    cr_expect_eq(json_number(edit_get(tree, "load.workers")), 7);
    cr_expect_eq(json_number(edit_get(tree, "resources.host.count")), 7);
    cr_expect(knob_sets(k, "stages.load.params.workers") && !knob_sets(k, "train.workers"));
    json_free(tree);
}

/* --------------------------------------------------------- constraints */

static struct scenario *scenario_with(const char *keys)
{
    char *text = with_keys(keys);
    struct scenario *s = text_scenario(text);

    free(text);
    return s;
}

Test(constraint, comparisons_are_read_in_the_figures_unit)
{
    static const struct {
        const char *text, *figure;
        bool is_at_least;
        double limit;
    } cases[] = {
        {"latency_s.p95 <= 2s", "latency_s.p95", false, 2},
        {"ttft_s.p95<500ms", "ttft_s.p95", false, 0.5},
        {"queue_s.p99 <= 10ms", "queue_s.p99", false, 0.01},
        {" tpot_s.mean  <=  50ms ", "tpot_s.mean", false, 0.05},
        {"quality >= 0.8", "quality", true, 0.8},
        {"cost_usd_per_h <= 40usd/h", "cost_usd_per_h", false, 40},
        {"power_w <= 30kW", "power_w", false, 30000},
        {"stall_frac <= 5%", "stall_frac", false, 0.05},
        {"throughput_per_s >= 120/min", "throughput_per_s", true, 2},
        {"pipelines[shared-cores].makespan_s <= 6h", "makespan_s", false, 21600},
    };
    struct scenario *s = scenario_with("\"seed\": 1");

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct constraint *list = NULL;
        struct err err = {0};
        int n = 0;

        cr_assert_eq(constraints_parse(cases[i].text, "--slo", s, a, &list, &n, &err), 0, "%s", err.text);
        cr_assert_eq(n, 1);
        cr_expect_str_eq(list->figure.def->name, cases[i].figure);
        cr_expect_eq(list->is_at_least, cases[i].is_at_least);
        cr_expect_float_eq(list->limit, cases[i].limit, 1e-12 * cases[i].limit);
    }
    scenario_free(s);
}

Test(constraint, commas_and_the_word_and_join)
{
    struct scenario *s =
        scenario_with("\"constraints\": [\"quality >= 0.8\", \"power_w <= 1kW, stall_frac < 1%\"]");
    struct constraint *list = NULL;
    struct err err = {0};
    int n = 0;

    cr_assert_eq(constraints_read(s, a, &list, &n, &err), 0, "%s", err.text);
    cr_assert_eq(n, 3);
    cr_expect_str_eq(list[2].text, "stall_frac < 1%");
    cr_assert_eq(
        constraints_parse("ttft_s.p95 <= 500ms and tpot_s.p95 <= 50ms", "--slo", s, a, &list, &n, &err), 0);
    cr_assert_eq(n, 5);
    cr_expect_str_eq(list[3].text, "ttft_s.p95 <= 500ms");
    cr_expect_float_eq(constraint_slack(&list[3], 0.25), 0.5, 1e-12);
    cr_expect_float_eq(constraint_slack(&list[3], 1), -1, 1e-12);
    cr_expect_float_eq(constraint_slack(&list[0], 0.4), -0.5, 1e-12);
    scenario_free(s);
}

Test(constraint, a_wrong_one_says_what_is_wrong)
{
    static const struct {
        const char *keys, *says;
    } cases[] = {
        {"\"constraints\": \"quality >= 1\"", "$.constraints: a string found"},
        {"\"constraints\": [3]", "$.constraints[0]: a number found"},
        {"\"constraints\": [\"quality\"]", "no comparison"},
        {"\"constraints\": [\"quality >= 1\", \"\"]", "$.constraints[1]"},
        {"\"constraints\": [\"quality >= 1,\"]", "no comparison"},
        {"\"constraints\": [\"latency_s.p96 <= 2s\"]", "did you mean \"latency_s.p95\""},
        {"\"constraints\": [\"latency_s.p95 <= 2GB\"]", "is not a time"},
        {"\"constraints\": [\"latency_s.p95 <= \"]", "is not a time"},
        {"\"constraints\": [\"pipelines[nite].quality <= 1\"]", "no pipeline \"nite\""},
        {"\"constraints\": [\"pipelines[x.quality <= 1\"]", "pipelines[NAME].FIGURE"},
        {"\"objective\": 3", "$.objective: a number found"},
        {"\"objective\": {\"maximise\": \"quality\"}", "did you mean \"maximize\""},
        {"\"objective\": {\"maximize\": \"qality\"}", "did you mean \"quality\""},
        {"\"objective\": {\"maximize\": \"quality\", \"minimize\": \"quality\"}", "either"},
        {"\"objective\": {\"maximize\": 1}", "$.objective.maximize"},
        {"\"objective\": {\"quality_usd\": 0}", "positive number"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = with_keys(cases[i].keys);
        struct scenario *s = NULL;
        struct err err = {0};

        cr_expect_eq(text_build(text, &s, &err), ERR_SCENARIO, "%s", cases[i].keys);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s: %s", cases[i].keys, err.text);
        cr_expect_not_null(strstr(err.text, "broken.json"), "%s", err.text);
        scenario_free(s);
        free(text);
    }
}

Test(constraint, the_objective_is_what_the_scenario_says_or_what_its_workload_wants)
{
    static const struct {
        const char *keys, *figure;
        bool is_maximized;
    } cases[] = {
        {"\"seed\": 1", "throughput_per_s", true},
        {"\"objective\": {\"quality_usd\": 0.1}", "throughput_per_s", true},
        {"\"objective\": {\"minimize\": \"cost_usd_per_h\"}", "cost_usd_per_h", false},
        {"\"objective\": {\"maximize\": \"goodput_per_s\"}", "goodput_per_s", true},
    };
    struct scenario *open = text_scenario(MMC);
    struct objective o;
    struct err err = {0};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scenario *s = scenario_with(cases[i].keys);

        cr_assert_eq(objective_read(s, &o, &err), 0, "%s", err.text);
        cr_expect_str_eq(o.figure.def->name, cases[i].figure);
        cr_expect_eq(o.is_maximized, cases[i].is_maximized);
        scenario_free(s);
    }
    cr_assert_eq(objective_read(open, &o, &err), 0, "%s", err.text);
    cr_expect_str_eq(o.figure.def->name, "latency_s.mean");
    cr_expect(!o.is_maximized);
    scenario_free(open);
}
