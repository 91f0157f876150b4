/* Edges that fork, merge and lead back, and several pipelines on the same resources, against closed forms. */
#include "pipeline/outcome.h"
#include "theory.h"

#include <math.h>
#include <stdio.h>

enum { REPLICATIONS = 8 };

static void expect_near(const char *what, const struct estimate *e, double truth)
{
    double se = standard_error(e);

    cr_expect(se < 0.1 * truth, "%s: too noisy to mean anything: %g +- %g", what, e->mean, se);
    cr_expect(fabs(e->mean - truth) <= 4 * se + 1e-9 * truth, "%s: %.6g +- %.2g, theory says %.6g (z = %.1f)",
              what, e->mean, se, truth, (e->mean - truth) / se);
}

static const struct outcome_stage *stage_of(const struct experiment *x, const char *name)
{
    for (int i = 0; i < x->o.stages_n; i++)
        if (strcmp(x->o.stages[i].name, name) == 0)
            return &x->o.stages[i];
    cr_assert_fail("no stage %s", name);
    return NULL;
}

#define STATION(n, on, service)                                                                              \
    "{\"name\": \"" n "\", \"model\": \"station\", \"on\": {\"servers\": \"" on                              \
    "\"}, \"params\": {\"service\": {\"exponential\": \"" service "\"}}}"

/* ------------------------------------------------------------------------------------- networks */

/* 1 a second into A, .6 of what leaves A goes to B and from there back: A sees 2.5 a second, B 1.5. */
Test(routes, a_network_with_feedback_is_jackson_s)
{
    static const char text[] =
        "{\"name\": \"jackson\", \"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}}, "
        "\"resources\": {\"a\": {\"kind\": \"servers\"}, \"b\": {\"kind\": \"servers\"}}, \"stages\": "
        "[" STATION("A", "a", "0.25s") ", " STATION("B", "b",
                                                    "0.333333333333s") "], \"edges\": [[\"A\", \"B\", "
                                                                       "{\"share\": 0.6}], [\"B\", \"A\"]]}";
    struct experiment x = experiment(text, REPLICATIONS);

    expect_near("time in the network", &x.o.latency_s[LATENCY_MEAN], 2.666667);
    expect_near("throughput", &x.o.throughput_per_s, 1);
    expect_near("A passes", &stage_of(&x, "A")->throughput_per_s, 2.5);
    expect_near("A waits", &stage_of(&x, "A")->queue_mean, 1.666667 - 0.625);
    expect_near("B busy", &stage_of(&x, "B")->utilization, 0.5);
    cr_expect_float_eq(x.o.bound.resource_per_s[0], 4 / 2.5, 1e-9);
    cr_expect_float_eq(x.o.bound.resource_per_s[1], 3 / 1.5, 1e-9);
    cr_expect_float_eq(x.o.bound.latency_s, 2.5 / 4 + 1.5 / 3, 1e-9);
    experiment_end(&x);
}

/* A random network: x = what enters + P' x is iterated until it stands. */
struct network {
    int n;
    double p[5][5], flow[5], service[5];
};

static struct network any_network(struct rng *r)
{
    struct network w = {.n = 2 + (int)rng_below(r, 4)};
    double next[5] = {0};

    for (int i = 0; i < w.n; i++) {
        double left = 1 - 0.2 - 0.3 * rng_uniform(r);

        for (int k = 0; k < w.n; k++)
            if (rng_below(r, 3) == 0 || k == i + 1) {
                w.p[i][k] = left * (k == i + 1 ? 0.7 : rng_uniform(r));
                left -= w.p[i][k];
            }
    }
    for (int round = 0; round < 2000; round++) {
        for (int k = 0; k < w.n; k++) {
            next[k] = k == 0;
            for (int i = 0; i < w.n; i++)
                next[k] += w.flow[i] * w.p[i][k];
        }
        memcpy(w.flow, next, sizeof next);
    }
    for (int i = 0; i < w.n; i++)
        w.service[i] = (0.3 + 0.5 * rng_uniform(r)) / w.flow[i];
    return w;
}

/* What is seldom visited is seldom seen: only networks all of whose stations are used. */
static struct network random_network(struct rng *r)
{
    for (;;) {
        struct network w = any_network(r);
        double least = 1;

        for (int i = 0; i < w.n; i++)
            least = fmin(least, w.flow[i]);
        if (least > 0.3)
            return w;
    }
}

static char *write_network(const struct network *w)
{
    struct text t = {0};
    bool first = true;

    text_add(&t,
             "{\"name\": \"random\", \"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}}, "
             "\"resources\": {");
    for (int i = 0; i < w->n; i++)
        text_printf(&t, "%s\"r%d\": {\"kind\": \"servers\"}", i ? ", " : "", i);
    text_add(&t, "}, \"stages\": [");
    for (int i = 0; i < w->n; i++)
        text_printf(
            &t,
            "%s{\"name\": \"s%d\", \"model\": \"station\", \"on\": {\"servers\": \"r%d\"}, \"params\": "
            "{\"service\": {\"exponential\": \"%.15gs\"}}}",
            i ? ", " : "", i, i, w->service[i]);
    text_add(&t, "], \"edges\": [");
    for (int i = 0; i < w->n; i++)
        for (int k = 0; k < w->n; k++)
            if (w->p[i][k] > 0) {
                text_printf(&t, "%s[\"s%d\", \"s%d\", {\"share\": %.15g}]", first ? "" : ", ", i, k,
                            w->p[i][k]);
                first = false;
            }
    text_add(&t, "]}");
    return t.s;
}

Test(routes, random_networks_are_jackson_s)
{
    struct rng r;

    rng_stream(&r, 4, 0, "networks");
    for (int i = 0; i < 2; i++) {
        struct network w = random_network(&r);
        char *text = write_network(&w), name[20];
        struct experiment x = experiment(text, 10);
        double inside = 0;

        for (int k = 0; k < w.n; k++) {
            double rho = w.flow[k] * w.service[k];

            snprintf(name, sizeof name, "s%d", k);
            inside += rho / (1 - rho);
            expect_near("busy", &stage_of(&x, name)->utilization, rho);
            expect_near("passes", &stage_of(&x, name)->throughput_per_s, w.flow[k]);
        }
        expect_near(text, &x.o.latency_s[LATENCY_MEAN], inside);
        experiment_end(&x);
        free(text);
    }
}

/* Three ways that split and come together again, workers and buffers on the way: what goes in comes out. */
Test(routes, ways_that_fork_and_merge_keep_everything)
{
    static const char text[] =
        "{\"name\": \"fork\", \"horizon\": {\"items\": 4000}, \"workload\": {\"closed\": {\"in_flight\": "
        "\"max\"}}, \"resources\": {\"c\": {\"kind\": \"cores\", \"count\": 8}}, \"stages\": ["
        "{\"name\": \"in\", \"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": {\"workers\": 2, "
        "\"ops\": [{\"name\": \"w\", \"cpu\": {\"exponential\": \"1ms\"}}]}},"
        "{\"name\": \"big\", \"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": {\"workers\": "
        "2, "
        "\"ops\": [{\"name\": \"w\", \"cpu\": {\"exponential\": \"4ms\"}}]}},"
        "{\"name\": \"small\", \"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": {\"ops\": "
        "[{\"name\": \"w\", \"cpu\": \"1ms\"}]}},"
        "{\"name\": \"out\", \"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": {\"batch\": 4, "
        "\"ops\": [{\"name\": \"w\", \"cpu\": \"0.1ms\"}]}}],"
        "\"edges\": [[\"in\", \"big\", {\"share\": 0.3, \"buffer\": 3}], [\"in\", \"small\", {\"share\": "
        "0.5}], "
        "[\"in\", \"out\", {\"share\": 0.2}], [\"big\", \"out\"], [\"small\", \"out\"]]}";
    struct experiment x = experiment(text, 8);

    cr_expect_eq(x.s->pipelines[0].is_chain, false);
    cr_expect_float_eq(x.o.throughput_per_s.mean * x.o.makespan_s.mean, 4000, 100);
    cr_expect(fabs(stage_of(&x, "big")->throughput_per_s.mean / x.o.throughput_per_s.mean - 0.3) < 0.02);
    cr_expect(fabs(stage_of(&x, "small")->throughput_per_s.mean / x.o.throughput_per_s.mean - 0.5) < 0.02);
    /* 2 workers of 4 ms for .3 of the items, which is what narrows it */
    cr_expect_str_eq(x.o.bound.bottleneck, "big");
    cr_expect_float_eq(x.o.bound.throughput_per_s, 2 / 0.004 / 0.3, 1e-6);
    cr_expect_gt(x.o.throughput_per_s.mean, 0.7 * x.o.bound.throughput_per_s);
    experiment_end(&x);
}

/* ------------------------------------------------------------------------------ several pipelines */

#define PIPE(name, gap, stage, more)                                                                         \
    "{\"name\": \"" name "\", \"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"" gap              \
    "\"}}}, \"stages\": [" stage "]" more "}"

/* Two Poisson streams of the same work at one server are one M/M/1 of both, and each waits as that. */
Test(pipelines, what_shares_a_server_waits_under_the_load_of_both)
{
    static const char text[] =
        "{\"name\": \"two\", \"unit\": \"request\", \"resources\": {\"s\": {\"kind\": \"servers\"}}, "
        "\"pipelines\": [" PIPE("slow", "5s", STATION("x", "s", "1s"), "") ", " PIPE(
            "fast", "2s", STATION("y", "s", "1s"), ", \"objective\": true, \"unit\": \"query\"") "]}";
    struct experiment x = experiment(text, REPLICATIONS);

    cr_assert_eq(x.o.pipelines_n, 2);
    expect_near("fast", &x.o.latency_s[LATENCY_MEAN], 1 / 0.3);
    expect_near("slow", &x.o.pipelines[0].latency_s[LATENCY_MEAN], 1 / 0.3);
    expect_near("fast rate", &x.o.throughput_per_s, 0.5);
    expect_near("slow rate", &x.o.pipelines[0].throughput_per_s, 0.2);
    expect_near("busy", &x.o.resources[0].utilization, 0.7);
    cr_expect(x.o.warmup.settled);
    experiment_end(&x);
}

/*
 * A job with an end begins when the services beside it have settled, and they are measured while it lasts:
 * with the shares of two cores a query of 10 ms and a job that never rests make each other slower.
 */
Test(pipelines, services_are_measured_while_the_jobs_beside_them_last)
{
    static const char text[] =
        "{\"name\": \"night\", \"resources\": {\"c\": {\"kind\": \"cores\"}}, \"pipelines\": ["
        "{\"name\": \"queries\", \"objective\": true, \"workload\": {\"open\": {\"arrivals\": "
        "{\"exponential\": "
        "\"40ms\"}}}, \"stages\": [{\"name\": \"q\", \"model\": \"station\", \"on\": {\"servers\": \"c\"}, "
        "\"params\": {\"service\": \"10ms\"}}]},"
        "{\"name\": \"etl\", \"horizon\": {\"items\": 1500}, \"workload\": {\"closed\": {\"in_flight\": "
        "\"max\"}}, "
        "\"stages\": [{\"name\": \"e\", \"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": "
        "{\"ops\": [{\"name\": \"w\", \"cpu\": {\"exponential\": \"1s\"}}]}}]}]}";
    struct experiment x = experiment(text, REPLICATIONS);

    /* A core shared by Poisson queries (load 1/4) and one job that is always there: the share of the job is
       that of one customer more in M/G/1-PS, 1 - rho; a query's time is S (1 + 1) / (1 - rho). */
    expect_near("makespan of the job", &x.o.pipelines[1].makespan_s, 1500 / 0.75);
    expect_near("a query", &x.o.latency_s[LATENCY_MEAN], 0.02 / 0.75);
    expect_near("the core", &x.o.resources[0].utilization, 1);
    cr_expect_not(x.o.terminating);
    cr_expect(x.o.pipelines[1].terminating);
    experiment_end(&x);
}

Test(pipelines, any_number_of_threads_gives_the_same_bytes)
{
    static const char text[] =
        "{\"name\": \"two\", \"resources\": {\"s\": {\"kind\": \"servers\"}}, \"pipelines\": [" PIPE(
            "a", "5s", STATION("x", "s", "1s"), "") ", " PIPE("b", "2s", STATION("y", "s", "1s"), "") "]}";
    struct scenario *s = text_scenario(text);
    char *bytes[2];

    for (int i = 0; i < 2; i++) {
        struct simulate_options opt = {.replications = 3, .threads = 1 + 2 * i};
        struct arena *a = arena_new();
        struct err err = {0};
        struct outcome o;
        struct json *doc;

        cr_assert_eq(simulate(s, &opt, a, &o, &err), 0, "%s", err.text);
        doc = outcome_json(&o);
        bytes[i] = json_text(doc);
        json_free(doc);
        arena_free(a);
    }
    cr_expect_str_eq(bytes[0], bytes[1]);
    cr_expect_not_null(strstr(bytes[0], "\"pipelines\""));
    free(bytes[0]);
    free(bytes[1]);
    scenario_free(s);
}

/* The stage of one pipeline can be set by its name wherever it stands. */
Test(pipelines, edits_find_their_stages)
{
    static const char text[] =
        "{\"name\": \"two\", \"resources\": {\"s\": {\"kind\": \"servers\"}}, \"pipelines\": [" PIPE(
            "a", "5s", STATION("x", "s", "1s"),
            "") ", " PIPE("b", "2s", STATION("y", "s", "1s"),
                          "") "], "
                              "\"optimizations\": [{\"name\": \"o\", \"set\": {\"y.service\": \"0.5s\"}}, "
                              "{\"name\": \"p\", \"set\": "
                              "{\"pipelines.a.workload.open.arrivals\": \"3s\"}}]}";
    struct arena *a = arena_new();
    struct optimization *list;
    struct json *tree = NULL;
    struct scenario *s;
    struct err err = {0};
    int n;

    cr_assert_eq(json_parse(text, "e.json", &tree, &err), 0);
    cr_assert_eq(optimizations_read(tree, "e.json", a, &list, &n, &err), 0, "%s", err.text);
    cr_assert_eq(list[0].touches_n, 1);
    cr_expect_str_eq(list[0].touches[0], "y");
    cr_expect_eq(list[1].touches_n, 1, "what belongs to a pipeline touches its stages: %d",
                 list[1].touches_n);
    for (int i = 0; i < n; i++)
        cr_assert_eq(optimization_apply(tree, &list[i], &err), 0, "%s", err.text);
    cr_assert_eq(edit_set_text(tree, "stages.x.params.service=0.25s", &err), 0, "%s", err.text);
    cr_assert_eq(scenario_build(tree, "e.json", NULL, &s, &err), 0, "%s", err.text);
    cr_expect_eq(s->pipelines[0].workload.arrivals.mean, 3);
    cr_expect_neq(edit_set_text(tree, "pipelines.c.horizon=steady", &err), 0);
    cr_expect_not_null(strstr(err.text, "no pipeline \"c\""), "%s", err.text);
    scenario_free(s);
    json_free(tree);
    arena_free(a);
}

/* ------------------------------------------------------------------------------------ what is wrong */

static void expect_refused(const char *rest, const char *says)
{
    char *text = text_replaced("{\"name\": \"wrong\", \"resources\": {\"s\": {\"kind\": \"servers\"}, \"c\": "
                               "{\"kind\": \"cores\"}}, REST}",
                               "REST", rest);
    struct scenario *s = NULL;
    struct err err = {0};

    cr_expect_eq(text_build(text, &s, &err), ERR_SCENARIO, "%s", text);
    cr_expect_not_null(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
    free(text);
}

#define OPEN_AB                                                                                              \
    "\"workload\": {\"open\": {\"arrivals\": 1}}, \"stages\": [" STATION("A", "s", "1s") ", " STATION(       \
        "B", "s", "1s") "], \"edges\": "
#define WORKER(n)                                                                                            \
    "{\"name\": \"" n "\", \"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": {\"ops\": "       \
    "[{\"name\": \"w\", \"cpu\": 1}]}}"

Test(routes, what_makes_no_sense_is_refused)
{
    expect_refused(OPEN_AB "[[\"A\", \"B\"], [\"A\", \"A\"]]", "a second edge leaves \"A\"; say which part");
    expect_refused(OPEN_AB "[[\"A\", \"B\", {\"share\": 0.7}], [\"A\", \"A\", {\"share\": 0.4}]]",
                   "leave \"A\" add up to 1.1");
    expect_refused(OPEN_AB "[[\"A\", \"B\"], [\"B\", \"A\"]]", "never leaves: the edges form a cycle");
    expect_refused(OPEN_AB "[[\"A\", \"B\", {\"share\": 1.5}]]", "$.edges[0]");
    expect_refused(OPEN_AB "[[\"A\", \"B\", {\"shard\": 0.5}]]", "did you mean \"share\"");
    expect_refused(OPEN_AB "[]", "items enter a pipeline at one stage");
    expect_refused("\"workload\": {\"open\": {\"arrivals\": 1}}, \"stages\": [" WORKER("A") ", " WORKER(
                       "B") "], \"edges\": [[\"A\", \"B\", {\"buffer\": 2, \"share\": 0.5}], [\"B\", \"A\"]]",
                   "\"B\" lies on a cycle");
    expect_refused(
        "\"workload\": {\"open\": {\"arrivals\": 1}}, \"stages\": [" WORKER("A") ", " WORKER("B") ", " WORKER(
            "C") "], \"edges\": [[\"A\", \"B\", {\"share\": 0.5, \"buffer\": 1}], "
                 "[\"A\", \"C\", {\"share\": 0.5}], [\"C\", \"B\", {\"buffer\": 2}]]",
        "the buffer in front of \"B\" has two sizes");
}

Test(pipelines, what_makes_no_sense_is_refused)
{
    expect_refused("\"pipelines\": []", "at least one pipeline");
    expect_refused("\"pipelines\": [{}]", "$.pipelines[0]: a pipeline needs a \"name\"");
    expect_refused("\"pipelines\": [{\"name\": \"p\", \"stage\": []}]", "did you mean \"stages\"");
    expect_refused("\"pipelines\": [" PIPE("p", "1s", STATION("A", "s", "1s"),
                                           "") ", " PIPE("p", "1s", STATION("B", "s", "1s"), "") "]",
                   "the name \"p\" is used twice");
    expect_refused("\"pipelines\": [" PIPE("p", "1s", STATION("A", "s", "1s"),
                                           "") ", " PIPE("q", "1s", STATION("A", "s", "1s"), "") "]",
                   "$.pipelines[1].stages[0]: the name \"A\" is used twice");
    expect_refused("\"workload\": {}, \"pipelines\": [" PIPE("p", "1s", STATION("A", "s", "1s"), "") "]",
                   "$.workload: with \"pipelines\" each of them has its own");
    expect_refused(
        "\"pipelines\": [" PIPE("p", "1s", STATION("A", "s", "1s"), ", \"objective\": true") ", " PIPE(
            "q", "1s", STATION("B", "s", "1s"), ", \"objective\": true") "]",
        "at more than one pipeline");
    expect_refused("\"pipelines\": [" PIPE(
                       "p", "1s", STATION("A", "s", "1s"),
                       ", \"edges\": [[\"A\", \"B\"]]") ", " PIPE("q", "1s", STATION("B", "s", "1s"), "") "]",
                   "stage \"B\" belongs to the pipeline q");
    expect_refused("\"pipelines\": [" PIPE("p", "1s", STATION("A", "s", "1s"),
                                           "") "], \"stages\": [" STATION("B", "s", "1s") "]",
                   "(\"B\"): no pipeline leads here and no stage calls it");
    expect_refused(
        "\"pipelines\": [{\"name\": \"p\", \"workload\": {\"open\": {\"arrivals\": 0}}, \"stages\": "
        "[" STATION("A", "s", "1s") "]}]",
        "$.pipelines[0].workload.open.arrivals");
}

/* ---------------------------------------------------------------------------------------- local gains */

/* A stage alone: what stands beside it, closed loops too, takes no time and does not run for ever. */
Test(pipelines, one_stage_can_be_looked_at_alone)
{
    static const char text[] =
        "{\"name\": \"two\", \"resources\": {\"s\": {\"kind\": \"servers\"}, \"c\": {\"kind\": \"cores\"}}, "
        "\"pipelines\": [" PIPE("a", "5s", STATION("x", "s", "1s"),
                                "") ", {\"name\": \"b\", \"workload\": "
                                    "{\"closed\": {\"in_flight\": \"max\"}}, \"stages\": [" WORKER(
                                        "y") ", " WORKER("z") "]}]}";
    static const char *const alone[][1] = {{"z"}, {"x"}};

    for (int i = 0; i < 2; i++) {
        struct simulate_options opt = {.replications = 2};
        struct scenario *s = text_scenario(text);
        struct arena *a = arena_new();
        struct err err = {0};
        struct outcome o;

        scenario_isolate(s, alone[i], 1);
        cr_expect_eq(s->objective, 1 - i);
        cr_assert_eq(simulate(s, &opt, a, &o, &err), 0, "%s", err.text);
        cr_expect(fabs(o.throughput_per_s.mean - (i == 0 ? 1 : 0.2)) < 0.01, "%g", o.throughput_per_s.mean);
        arena_free(a);
        scenario_free(s);
    }
}
