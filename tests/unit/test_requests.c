/* Requests: what a source draws, replays or goes on with, and what a sink makes of it. */
#include "asking_models.h"
#include "pipeline/flow_parts.h"
#include "pipeline/outcome.h"
#include "pipeline/simulate.h"
#include "scenario_text.h"

#include <stdio.h>

/* A clerk with servers for all; WORKLOAD and MORE are replaced. */
static const char DESK[] =
    "{\"name\": \"desk\", \"unit\": \"request\", \"workload\": {WORKLOAD}, MORE \"resources\": {\"s\": "
    "{\"kind\": \"servers\", \"count\": 10000}}, \"stages\": [{\"name\": \"clerk\", \"model\": \"clerk\", "
    "\"on\": {\"servers\": \"s\"}, \"params\": {\"service\": \"1s\"}}]}";

static char *desk(const char *workload, const char *more)
{
    char *half = text_replaced(DESK, "WORKLOAD", workload), *text = text_replaced(half, "MORE", more);

    free(half);
    return text;
}

static struct outcome simulated(const char *workload, const char *more, long replications, struct arena *a,
                                struct scenario **s)
{
    struct simulate_options opt = {.replications = replications};
    char *text = desk(workload, more);
    struct err err = {0};
    struct outcome o;

    *s = text_scenario(text);
    cr_assert_eq(simulate(*s, &opt, a, &o, &err), 0, "%s\n%s", err.text, text);
    free(text);
    return o;
}

static void expect_near(const char *what, const struct estimate *e, double truth)
{
    double se = (e->hi - e->lo) / 2 / student_quantile(0.975, (double)e->n - 1);

    cr_expect(fabs(e->mean - truth) <= 4 * se + 1e-9 * truth, "%s: %g +- %g, not %g", what, e->mean, se,
              truth);
}

#define TEN_A_SECOND "\"open\": {\"arrivals\": {\"exponential\": \"0.1s\"}}"

Test(requests, lengths_and_classes_are_drawn_as_written)
{
    struct arena *a = arena_new();
    struct scenario *s;
    struct outcome o =
        simulated(TEN_A_SECOND ", \"requests\": {\"output_tokens\": {\"exponential\": 50}, "
                               "\"classes\": [{\"name\": \"short\", \"share\": 0.75, "
                               "\"input_tokens\": 100}, {\"name\": \"long\", \"input_tokens\": "
                               "{\"uniform\": [1000, 3000]}, \"prefix_tokens\": 500}]}",
                  "", 8, a, &s);

    expect_near("prompt", &o.metrics->ttft_s[LATENCY_MEAN], 0.75 * 0.1 + 0.25 * 2.5);
    cr_expect_float_eq(o.metrics->ttft_s[LATENCY_P50].mean, 0.1, 1e-6);
    expect_near("answer", &o.metrics->tpot_s[LATENCY_MEAN], 0.05);
    expect_near("difficulty", &o.metrics->quality, 0.5);
    cr_expect_float_eq(o.metrics->queue_s[LATENCY_P99].mean, 0.001, 1e-9);
    cr_expect_float_eq(o.metrics->usd_per_unit.mean, 0.01, 1e-9);
    expect_near("cost", &o.cost_usd_per_h, 0.01 * 10 * 3600);
    cr_expect_float_eq(o.cost_per_1m.mean, 1e4, 1e-3);
    cr_expect_not(o.metrics->has_goodput);
    scenario_free(s);
    arena_free(a);
}

Test(requests, goodput_counts_those_that_meet_every_limit)
{
    struct arena *a = arena_new();
    struct scenario *s;
    struct outcome o = simulated(
        TEN_A_SECOND ", \"requests\": {\"input_tokens\": {\"uniform\": [0, 1000]}, \"output_tokens\": "
                     "{\"uniform\": [0, 1000]}}",
        "\"slo\": {\"ttft_s\": {\"p50\": \"100ms\", \"p99\": \"500ms\"}, \"tpot_s\": \"400ms\", "
        "\"latency_s\": "
        "{\"p99\": \"2s\"}}, ",
        8, a, &s);

    cr_expect(o.metrics->has_goodput);
    expect_near("goodput", &o.metrics->goodput_per_s, 10 * (500.5 / 1000) * (400.5 / 1000));
    scenario_free(s);
    o = simulated(TEN_A_SECOND, "\"slo\": {\"latency_s\": \"0.9s\"}, ", 2, a, &s);
    cr_expect_eq(o.metrics->goodput_per_s.mean, 0);
    scenario_free(s);
    arena_free(a);
}

/* Turn by turn a prompt holds all that was said: 10, 25, 40 tokens, and blocks of 5 of which 0, 2, 5 are
 * known. */
Test(requests, sessions_remember_what_was_said)
{
    static const char *const workloads[] = {
        "\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}, \"requests\": {\"input_tokens\": 10, "
        "\"output_tokens\": 5, \"block_tokens\": 5}, \"sessions\": {\"turns\": 3, \"think\": "
        "{\"exponential\": "
        "\"2s\"}}",
        "\"clients\": {\"count\": 6, \"think\": \"1s\"}, \"requests\": {\"input_tokens\": 10, "
        "\"output_tokens\": 5, \"block_tokens\": 5}, \"sessions\": {\"turns\": 3, \"think\": \"0s\"}"};

    for (int i = 0; i < 2; i++) {
        struct arena *a = arena_new();
        struct scenario *s;
        struct outcome o = simulated(workloads[i], "", 4, a, &s);

        cr_expect(fabs(o.metrics->ttft_s[LATENCY_MEAN].mean - 0.025) < 1e-4, "%g",
                  o.metrics->ttft_s[LATENCY_MEAN].mean);
        cr_expect_float_eq(o.metrics->ttft_s[LATENCY_P99].mean, 0.040, 2e-4);
        cr_expect_str_eq(o.stages[0].figure_names[1], "known_frac");
        cr_expect(fabs(o.stages[0].figures[1].mean - 7.0 / 15) < 2e-3, "%g", o.stages[0].figures[1].mean);
        /* three requests in 3 s of work and 1 s of thinking; or three for each that comes */
        cr_expect(fabs(o.throughput_per_s.mean / (i == 0 ? 3 : 6 * 3 / 4.0) - 1) < 0.03, "%g",
                  o.throughput_per_s.mean);
        scenario_free(s);
        arena_free(a);
    }
}

/* Every prompt of a class begins alike, and nothing else is alike. */
Test(requests, a_class_shares_its_prefix)
{
    struct arena *a = arena_new();
    struct scenario *s;
    struct outcome o =
        simulated(TEN_A_SECOND ", \"requests\": {\"input_tokens\": 64, \"prefix_tokens\": 192, "
                               "\"block_tokens\": 64}",
                  "", 2, a, &s);

    /* Three blocks are everybody's; what is the prompt's own nobody can ask for again, and it gets no hashes. */
    cr_expect(o.stages[0].figures[1].mean > 0.999, "%g", o.stages[0].figures[1].mean);
    cr_expect(o.stages[0].figures[1].mean < 1, "the first prompt finds nothing");
    scenario_free(s);
    arena_free(a);
}

/* ------------------------------------------------------------------------------------- recordings */

#define ONE_SERVER "\"count\": 1}}"

static struct outcome replayed(const char *trace, struct arena *a, struct scenario **s)
{
    struct simulate_options opt = {.replications = 2};
    char *text = desk(trace, ""), *one = text_replaced(text, "\"count\": 10000}}", ONE_SERVER);
    struct err err = {0};
    struct outcome o;

    *s = text_scenario(one);
    cr_assert_eq(simulate(*s, &opt, a, &o, &err), 0, "%s", err.text);
    free(one);
    free(text);
    return o;
}

Test(recordings, come_as_they_were_recorded)
{
    struct arena *a = arena_new();
    struct scenario *s;
    struct outcome o =
        replayed("\"trace\": {\"source\": {\"inline\": [[5, 10, 1], [\"6s\", 20, 2], [6.5, 30, 3]]}}", a, &s);

    cr_expect_eq(s->horizon.kind, HORIZON_ITEMS);
    cr_expect_float_eq(o.latency_s[LATENCY_MEAN].mean, (1 + 1 + 1.5) / 3, 1e-12);
    cr_expect_float_eq(o.makespan_s.mean, 3, 1e-12);
    cr_expect_float_eq(o.metrics->ttft_s[LATENCY_MEAN].mean, 0.020, 1e-12);
    scenario_free(s);
    o = replayed(
        "\"trace\": {\"source\": {\"inline\": [[5, 10, 1], [6, 20, 2], [6.5, 30, 3]]}, \"rate_scale\": 2}", a,
        &s);
    cr_expect_float_eq(o.latency_s[LATENCY_MEAN].mean, (1 + 1.5 + 2.25) / 3, 1e-12);
    scenario_free(s);
    o = replayed(
        "\"trace\": {\"source\": {\"inline\": [{\"arrival\": 1, \"class\": \"a\", \"input_tokens\": 8}, "
        "{\"arrival\": 2, \"class\": \"b\"}, {\"arrival\": 7, \"class\": \"a\", \"input_tokens\": 16}]}, "
        "\"class\": \"a\"}",
        a, &s);
    cr_expect_float_eq(o.makespan_s.mean, 7, 1e-12);
    cr_expect_float_eq(o.metrics->ttft_s[LATENCY_MEAN].mean, 0.012, 1e-12);
    scenario_free(s);
    arena_free(a);
}

/* Four requests in 8 s, and one mean gap before they come again. */
Test(recordings, may_go_round_in_a_loop)
{
    struct arena *a = arena_new();
    struct scenario *s;
    struct outcome o =
        replayed("\"trace\": {\"loop\": true, \"source\": {\"inline\": [[0], [1], [4.5], [6]]}}", a, &s);

    cr_expect_eq(s->horizon.kind, HORIZON_STEADY);
    cr_expect(fabs(o.throughput_per_s.mean - 0.5) < 1e-3, "%g", o.throughput_per_s.mean);
    cr_expect(fabs(o.latency_s[LATENCY_MEAN].mean - 1) < 1e-6, "%g", o.latency_s[LATENCY_MEAN].mean);
    scenario_free(s);
    arena_free(a);
}

/* -------------------------------------------------------------------------------- arrival processes */

/* Counts of arrivals in windows. */
static struct tally count_windows(const struct stream *def, double window_s, int windows, double *first_hour)
{
    struct stream_rt st = {.def = def};
    struct arena *a = arena_new();
    struct tally counts = {0};
    double now = 0;
    long n = 0;

    rng_stream(&st.rng, 3, 0, "arrivals");
    stream_begin(&st, a);
    now = stream_gap(&st);
    for (int i = 1; i <= windows; i++) {
        for (n = 0; now < i * window_s; n++)
            now += stream_gap(&st);
        tally_add(&counts, (double)n);
        if (i == 1 && first_hour != NULL)
            *first_hour = (double)n;
    }
    arena_free(a);
    return counts;
}

/* Two states: the index of dispersion of long windows is 1 + 2 (l1 - l2)^2 p1 p2 / (l (r1 + r2)). */
Test(arrivals, a_markov_chain_clusters_them_as_theory_says)
{
    double rates[] = {10, 2}, stays[] = {5, 20}, mean = (10 * 5 + 2 * 20) / 25.0;
    double dispersion = 1 + 2 * 64 * (0.2 * 0.8) / (mean * (1 / 5.0 + 1 / 20.0));
    struct process p = {PROCESS_MMPP, 2, rates, stays, 1};
    struct stream st = {.gaps = law_constant(1 / mean), .process = &p};
    struct tally counts = count_windows(&st, 1000, 4000, NULL);
    double seen = tally_variance(&counts) / counts.mean;

    cr_expect(fabs(counts.mean / (1000 * mean) - 1) < 0.01, "%g", counts.mean);
    cr_expect(fabs(seen / dispersion - 1) < 0.1, "%g, not %g", seen, dispersion);
}

Test(arrivals, a_schedule_holds_hour_by_hour)
{
    double rates[] = {4, 0, 1}, lengths[] = {3600, 3600, 3600}, first;
    struct process p = {PROCESS_SCHEDULE, 3, rates, lengths, 0};
    struct stream st = {.process = &p};
    struct tally hours = count_windows(&st, 3600, 3, &first);

    cr_expect(fabs(first - 4 * 3600) <= 1, "%g", first);
    cr_expect(fabs(hours.mean * 3 - 5 * 3600) <= 2);
    cr_expect_leq(hours.min, 1, "the one on the stroke of the hour");
    p.cv = 1;
    hours = count_windows(&st, 3 * 3600, 2000, NULL);
    cr_expect(fabs(hours.mean / 18000 - 1) < 0.001, "%g", hours.mean);
    cr_expect(fabs(tally_variance(&hours) / hours.mean - 1) < 0.15, "whole cycles of it are Poisson");
}

Test(arrivals, streams_of_several_classes_come_together)
{
    struct arena *a = arena_new();
    struct scenario *s;
    struct outcome o = simulated(
        "\"open\": {\"arrivals\": {\"superpose\": [{\"class\": \"b\", \"arrivals\": {\"exponential\": "
        "\"0.5s\"}}, "
        "{\"class\": \"a\", \"arrivals\": \"1s\"}, {\"class\": \"a\", \"arrivals\": {\"schedule\": "
        "{\"rates\": "
        "[\"3/s\", \"1/s\"], \"period\": \"10s\"}}}]}}, \"requests\": {\"classes\": [{\"name\": \"a\", "
        "\"input_tokens\": 100}, {\"name\": \"b\", \"input_tokens\": 200}]}",
        "", 8, a, &s);

    expect_near("throughput", &o.throughput_per_s, 5);
    expect_near("prompt", &o.metrics->ttft_s[LATENCY_MEAN], (3 * 0.1 + 2 * 0.2) / 5);
    cr_expect_str_eq(o.bound.bottleneck, "arrivals");
    cr_expect_float_eq(o.bound.throughput_per_s, 5, 1e-9);
    scenario_free(s);
    arena_free(a);
}

/* -------------------------------------------------------------------------------------- what is wrong */

static void expect_refused(const char *workload, const char *more, const char *says)
{
    char *text = desk(workload, more);
    struct scenario *s = NULL;
    struct err err = {0};

    cr_expect_eq(text_build(text, &s, &err), ERR_SCENARIO, "%s", text);
    cr_expect_not_null(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
    free(text);
}

Test(requests, what_makes_no_sense_is_refused)
{
#define LOADED(requests) TEN_A_SECOND ", \"requests\": " requests
    expect_refused(LOADED("[]"), "", "$.workload.requests: an object is needed");
    expect_refused(LOADED("{\"input_tokns\": 5}"), "", "did you mean \"input_tokens\"");
    expect_refused(LOADED("{\"classes\": []}"), "", "at least one class");
    expect_refused(LOADED("{\"classes\": [{\"share\": 1}]}"), "", "$.workload.requests.classes[0]");
    expect_refused(
        LOADED("{\"classes\": [{\"name\": \"a\", \"share\": 0.5}, {\"name\": \"b\", \"share\": 0.6}]}"), "",
        "add up to 1.1");
    expect_refused(TEN_A_SECOND ", \"sessions\": {\"turns\": 0}", "", "$.workload.sessions.turns");
    expect_refused("\"trace\": {\"source\": \"azure\"}", "", "\"trace:NAME\"");
    expect_refused("\"trace\": {\"source\": \"trace:azure\"}", "", "there is no store");
    expect_refused("\"trace\": {\"source\": {\"inline\": [[2], [1]]}}", "",
                   "$.workload.trace.source.inline[1]: requests stand in the order");
    expect_refused("\"trace\": {\"source\": {\"inline\": [[2]]}, \"class\": \"x\"}", "", "of class \"x\"");
    expect_refused("\"trace\": {\"source\": {\"inline\": [[2]]}}", "\"horizon\": \"steady\", ",
                   "a recording ends");
    expect_refused("\"trace\": {\"source\": {\"inline\": [[2]]}}", "\"horizon\": {\"items\": 2}, ",
                   "holds 1 requests only");
    expect_refused("\"trace\": {\"source\": {\"inline\": [[2]]}}, \"requests\": {}", "",
                   "as they were recorded");
    expect_refused("\"open\": {\"arrivals\": {\"mmpp\": {\"rates\": [1, 2], \"stays\": [1]}}}", "",
                   "one value for each");
    expect_refused("\"open\": {\"arrivals\": {\"schedule\": {\"rates\": [0]}}}", "", "must be above 0");
    expect_refused("\"open\": {\"arrivals\": {\"superpose\": [{\"class\": \"a\", \"arrivals\": 1}]}}", "",
                   "no class \"a\"");
    expect_refused(TEN_A_SECOND, "\"slo\": {\"ttft\": 1}, ", "did you mean \"ttft_s\"");
    expect_refused(TEN_A_SECOND, "\"slo\": {\"ttft_s\": {\"p90\": 1}}, ",
                   "$.slo.ttft_s: unknown key \"p90\"");
}
