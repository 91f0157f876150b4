/* What surrounds a simulation: warm-up decided from the run, overload told beforehand, caps with partial
 * results. */
#include "base/json.h"
#include "pipeline/simulate.h"
#include "pipeline/warmup.h"
#include "scenario_text.h"

#include <math.h>
#include <stdio.h>

static struct outcome simulated(const char *text, const struct simulate_options *opt, struct arena *a,
                                int *rc, struct err *err)
{
    struct scenario *s = text_scenario(text);
    struct outcome o;

    *rc = simulate(s, opt, a, &o, err);
    o.scenario = NULL;
    scenario_free(s);
    return o;
}

static struct outcome of_mmc(const char *find, const char *with, const struct simulate_options *opt,
                             int expected)
{
    char *text = text_replaced(MMC, find, with);
    struct arena *a = arena_new();
    struct err err = {0};
    struct outcome o;
    int rc;

    o = simulated(text, opt, a, &rc, &err);
    cr_assert_eq(rc, expected, "%d: %s", rc, err.text);
    o.stages = NULL; /* what lived in the arena */
    o.resources = NULL;
    o.objective_rep = NULL;
    arena_free(a);
    free(text);
    return o;
}

static const struct simulate_options few = {.replications = 4, .threads = 1};

Test(warmup, forgets_what_all_replications_do_at_the_beginning)
{
    double response[3][100], inside[3][100];
    struct flow_line line[3] = {{0}};
    struct flow_result r[3] = {{0}};
    struct warmup w;

    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 100; k++) {
            response[i][k] = 5 + 0.1 * ((7 * k + i) % 5);
            inside[i][k] = (k < 20 ? 1 : 9) + 0.1 * ((3 * k + i) % 7);
        }
        line[i] =
            (struct flow_line){.series_response = response[i], .series_inside = inside[i], .series_n = 100};
        r[i].lines = &line[i];
    }
    w = warmup_decide(r, 3, 0, 10);
    cr_expect_not(w.refused);
    cr_expect_eq(w.pieces, 200, "%g", w.pieces);
    line[1].series_n = 60; /* the others do not count beyond the shortest */
    for (int k = 60; k < 100; k++)
        inside[0][k] = inside[2][k] = 1e6;
    cr_expect_eq(warmup_decide(r, 3, 0, 10).pieces, 200);
    for (int k = 0; k < 60; k++)
        inside[0][k] += k;
    cr_expect(warmup_decide(r, 3, 0, 10).refused, "what grows all the time never settles");
}

Test(simulate, a_steady_run_says_what_it_left_out)
{
    struct outcome o = of_mmc(NULL, NULL, &few, 0);

    cr_expect(o.warmup.used && o.warmup.settled);
    cr_expect_geq(o.warmup.discarded, 10000);
    cr_expect_eq(o.warmup.measured, 200000);
    o = of_mmc("\"steady\"", "{\"items\": 500}", &few, 0);
    cr_expect_not(o.warmup.used);
}

Test(simulate, a_slow_beginning_is_left_out_and_the_run_begins_again)
{
    char *text = text_replaced(MMC, "\"count\": 4", "\"count\": 20000"); /* it fills for hours */
    char *slow = text_replaced(text, "3.2s", "10000s");
    struct simulate_options opt = {.replications = 2, .threads = 1};
    struct arena *a = arena_new();
    struct err err = {0};
    int rc;
    struct outcome o = simulated(slow, &opt, a, &rc, &err), again;

    cr_assert_eq(rc, 0, "%s", err.text);
    cr_expect(o.warmup.settled);
    cr_expect_gt(o.warmup.discarded, 10000, "%g", o.warmup.discarded);
    cr_expect_lt(fabs(o.resources[0].utilization.mean - 0.5), 0.01, "%g", o.resources[0].utilization.mean);
    opt.threads = 3;
    again = simulated(slow, &opt, a, &rc, &err);
    cr_expect_eq(again.warmup.discarded, o.warmup.discarded);
    cr_expect_eq(again.latency_s[LATENCY_P99].mean, o.latency_s[LATENCY_P99].mean);
    arena_free(a);
    free(text);
    free(slow);
}

Test(simulate, overload_is_told_beforehand_and_never_called_steady)
{
    char *text = text_replaced(MMC, "3.2s", "4.4s");
    struct scenario *s = text_scenario(text);

    cr_assert_eq(s->warnings_n, 1);
    cr_expect_not_null(strstr(s->warnings[0].text, "\"pool\""), "%s", s->warnings[0].text);
    cr_expect_not_null(strstr(s->warnings[0].text, "queues grow"), "%s", s->warnings[0].text);
    scenario_free(s);
    free(text);
    cr_expect_not(of_mmc("3.2s", "4.4s", &few, ERR_PRECISION).warmup.settled);
    s = text_scenario(MMC);
    cr_expect_eq(s->warnings_n, 0);
    scenario_free(s);
}

Test(simulate, a_lossy_queue_is_never_overloaded)
{
    char *text = text_replaced(MMC, "\"3.2s\"}", "\"4.4s\"}, \"queue_limit\": 5");
    struct scenario *s = text_scenario(text);

    cr_expect_eq(s->warnings_n, 0);
    scenario_free(s);
    free(text);
}

/* The table knows prompts of 20 tokens at most. */
#define ENGINE                                                                                               \
    "{ \"name\": \"e\", \"unit\": \"request\", \"horizon\": {\"items\": 50},\n"                              \
    "  \"workload\": {\"closed\": {\"in_flight\": 2}},\n"                                                    \
    "  \"resources\": {\"gpus\": {\"kind\": \"gpus\", \"count\": 1}},\n"                                     \
    "  \"stages\": [ {\"name\": \"gen\", \"model\": \"llm_serving\", \"on\": {\"gpu\": \"gpus\"},\n"         \
    "    \"params\": {\"policy\": \"vllm\", \"input_tokens\": 10, \"output_tokens\": 3, \"ops\": {"          \
    "\"prefill\": [[1, \"1ms\"], [20, \"2ms\"]], \"decode\": [[1, \"1ms\"], [9, \"2ms\"]]}}} ] }\n"

/* The text of the result's only warning, "" when there is none. */
static void engine_warns(const char *input, char *path, char *text, size_t size)
{
    char *changed = text_replaced(ENGINE, "\"input_tokens\": 10", input);
    struct scenario *s = text_scenario(changed);
    struct arena *a = arena_new();
    struct err err = {0};
    struct outcome o;
    struct json *doc;
    const struct json *w;

    cr_assert_eq(simulate(s, &few, a, &o, &err), 0, "%s", err.text);
    doc = outcome_json(&o);
    w = json_first(json_get(doc, "warnings"));
    snprintf(path, size, "%s", w != NULL ? json_get_string(w, "path", "?") : "");
    snprintf(text, size, "%s", w != NULL ? json_get_string(w, "text", "?") : "");
    json_free(doc);
    arena_free(a);
    scenario_free(s);
    free(changed);
}

Test(simulate, a_run_outside_its_table_says_so_among_the_warnings)
{
    char path[400], text[400];

    engine_warns("\"input_tokens\": 10", path, text, sizeof text);
    cr_expect_str_eq(text, "");
    engine_warns("\"input_tokens\": 100", path, text, sizeof text);
    cr_expect_str_eq(path, "$.stages[0].params.ops");
    cr_expect_not_null(strstr(text, "extrapolated: a share of 0."), "%s", text);
    cr_expect_not_null(strstr(text, "\"gen\""), "%s", text);
}

Test(simulate, caps_leave_partial_results)
{
    struct simulate_options opt = few;
    struct outcome o;

    opt.max_events = 3000;
    o = of_mmc(NULL, NULL, &opt, ERR_CAP);
    cr_expect_eq(o.cap, CAP_EVENTS);
    cr_expect_eq(o.events, 4 * 3000);
    cr_expect(o.throughput_per_s.mean > 0.8 && o.throughput_per_s.mean < 1.2);
    cr_expect_not(o.warmup.used);
    opt = few;
    opt.max_wall_s = 1e-6;
    o = of_mmc(NULL, NULL, &opt, ERR_CAP);
    cr_expect_eq(o.cap, CAP_WALL);
    opt = few;
    opt.max_bytes = 1;
    o = of_mmc(NULL, NULL, &opt, ERR_CAP);
    cr_expect_eq(o.cap, CAP_BYTES);
}

Test(simulate, stops_when_it_is_precise_enough)
{
    struct simulate_options opt = {.threads = 1, .precision = 0.006};
    struct outcome o = of_mmc(NULL, NULL, &opt, 0), again;

    cr_expect_gt(o.replications, SIMULATE_REPLICATIONS);
    cr_expect_leq((o.latency_s[LATENCY_MEAN].hi - o.latency_s[LATENCY_MEAN].lo) / 2,
                  0.006 * o.latency_s[LATENCY_MEAN].mean);
    opt.threads = 3;
    again = of_mmc(NULL, NULL, &opt, 0);
    cr_expect_eq(again.replications, o.replications);
    cr_expect_eq(again.latency_s[LATENCY_MEAN].mean, o.latency_s[LATENCY_MEAN].mean);
    opt.replications = 3;
    opt.precision = 1e-4;
    cr_expect_eq(of_mmc(NULL, NULL, &opt, ERR_PRECISION).replications, 3);
}

Test(simulate, the_order_of_ties_can_be_shuffled)
{
    /* Each second one leaves and one comes, and there is no place to wait: who is first matters. */
    static const char tied[] =
        "{ \"name\": \"tied\", \"unit\": \"request\", \"horizon\": {\"items\": 400},"
        "  \"workload\": {\"open\": {\"arrivals\": \"1s\"}},"
        "  \"resources\": {\"a\": {\"kind\": \"servers\", \"count\": 1}},"
        "  \"stages\": [ {\"name\": \"desk\", \"model\": \"station\", \"on\": {\"servers\": \"a\"}, "
        "\"params\": {\"service\": \"1s\", \"queue_limit\": 0}} ] }";
    struct simulate_options opt = few;
    struct arena *a = arena_new();
    struct err err = {0};
    double fifo, shuffled, again;
    int rc;

    fifo = simulated(tied, &opt, a, &rc, &err).throughput_per_s.mean;
    cr_assert_eq(rc, 0, "%s", err.text);
    cr_expect_gt(fifo, 0.99);
    opt.ties = 5;
    shuffled = simulated(tied, &opt, a, &rc, &err).throughput_per_s.mean;
    again = simulated(tied, &opt, a, &rc, &err).throughput_per_s.mean;
    cr_expect_eq(shuffled, again);
    cr_expect_lt(shuffled, 0.8, "%g", shuffled);
    arena_free(a);
}
