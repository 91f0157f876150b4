/* Stages that ask other stages: closed forms of what the caller feels, and what the callee sees. */
#include "../unit/asking_models.h"
#include "pipeline/outcome.h"
#include "theory.h"

#include <stdio.h>

enum { REPLICATIONS = 16 };

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

/* An asker in front; the rest is only called. */
static char *network(const char *workload, const char *resources, const char *asker, const char *callees)
{
    struct text t = {0};

    text_printf(&t,
                "{\"name\": \"calls\", \"workload\": %s, \"resources\": {\"s\": {\"kind\": \"servers\"}%s},"
                " \"stages\": [{\"name\": \"ask\", \"model\": \"asker\", %s}, %s]}",
                workload, resources, asker, callees);
    return t.s;
}

#define OPEN(gap)  "{\"open\": {\"arrivals\": {\"exponential\": \"" gap "\"}}}"
#define CLIENTS(n) "{\"clients\": {\"count\": " n ", \"think\": {\"exponential\": \"5s\"}}}"
#define STATION(n, on, service)                                                                              \
    "{\"name\": \"" n "\", \"model\": \"station\", \"on\": {\"servers\": \"" on                              \
    "\"}, \"params\": {\"service\": {\"exponential\": \"" service "\"}}}"
#define CLERK(n, on, service)                                                                                \
    "{\"name\": \"" n "\", \"model\": \"clerk\", \"on\": {\"servers\": \"" on                                \
    "\"}, \"params\": {\"service\": {\"exponential\": \"" service "\"}}}"
#define FIRST "\"calls\": {\"first\": \"a\"}"
#define BOTH  "\"calls\": {\"first\": \"a\", \"second\": \"b\"}"

/* ----------------------------------------------------------------------------- one after the other */

Test(calls, who_only_asks_feels_what_it_asks)
{
    char *text = network(OPEN("1s"), "", FIRST, STATION("a", "s", "0.8s"));
    struct experiment x = experiment(text, REPLICATIONS);

    expect_near("latency", &x.o.latency_s[LATENCY_MEAN], 4);
    expect_near("time at the asker", &stage_of(&x, "ask")->service_s, 4);
    expect_near("wait at the callee", &stage_of(&x, "a")->wait_s, 3.2);
    expect_near("visits of the callee", &stage_of(&x, "a")->throughput_per_s, 1);
    expect_near("queue at the callee", &stage_of(&x, "a")->queue_mean, 3.2);
    cr_expect_eq(stage_of(&x, "ask")->pipeline, 0);
    cr_expect_eq(stage_of(&x, "a")->pipeline, -1);
    experiment_end(&x);
    free(text);
}

/* A model with state that holds a server is the same M/M/1 as the station. */
Test(calls, who_holds_a_server_waits_as_who_is_served_by_one)
{
    char *text = network(OPEN("1s"), "", FIRST, CLERK("a", "s", "0.8s"));
    struct experiment x = experiment(text, REPLICATIONS);

    expect_near("latency", &x.o.latency_s[LATENCY_MEAN], 4);
    expect_near("busy", &x.o.resources[0].utilization, 0.8);
    expect_near("busy by its own book", &stage_of(&x, "a")->utilization, 0.8);
    experiment_end(&x);
    free(text);
}

/* Workers with a buffer in front answer calls too: two on two cores are M/M/2. */
Test(calls, workers_answer_calls)
{
    char *text =
        network(OPEN("1s"), ", \"c\": {\"kind\": \"cores\", \"count\": 2}", FIRST,
                "{\"name\": \"a\", \"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": "
                "{\"workers\": 2, \"ops\": [{\"name\": \"w\", \"cpu\": {\"exponential\": \"1.6s\"}}]}}");
    struct experiment x = experiment(text, REPLICATIONS);

    expect_near("latency", &x.o.latency_s[LATENCY_MEAN], 1.6 + mmc_wait(2, 1, 1.6));
    experiment_end(&x);
    free(text);
}

/* k visits of D each are one demand of k D: product form, whatever the order of the visits. */
static void expect_visits(int clients, int rounds, double first, double second)
{
    double demand[] = {rounds * first, rounds * second, 0.25}, x = 0, r = 0;
    char workload[100], asker[200], callees[600];
    struct experiment e;
    char *text;

    snprintf(workload, sizeof workload,
             "{\"clients\": {\"count\": %d, \"think\": {\"exponential\": \"5s\"}}}", clients);
    snprintf(asker, sizeof asker,
             "\"on\": {\"servers\": \"own\"}, \"params\": {\"times\": %d, \"own\": {\"exponential\": "
             "\"0.25s\"}}, " BOTH,
             rounds);
    snprintf(callees, sizeof callees,
             "{\"name\": \"a\", \"model\": \"station\", \"on\": {\"servers\": \"s\"}, \"params\": "
             "{\"service\": {\"exponential\": \"%.9gs\"}}}, {\"name\": \"b\", \"model\": \"clerk\", \"on\": "
             "{\"servers\": \"t\"}, \"params\": {\"service\": {\"exponential\": \"%.9gs\"}}}",
             first, second);
    text = network(workload, ", \"t\": {\"kind\": \"servers\"}, \"own\": {\"kind\": \"servers\"}", asker,
                   callees);
    e = experiment(text, REPLICATIONS);
    mva(clients, 5, demand, 3, &x, &r);
    expect_near("throughput", &e.o.throughput_per_s, x);
    expect_near("response", &e.o.latency_s[LATENCY_MEAN], r);
    expect_near("visits", &stage_of(&e, "b")->throughput_per_s, rounds * x);
    cr_expect_geq(e.o.bound.throughput_per_s, x, "bound %g, truth %g", e.o.bound.throughput_per_s, x);
    experiment_end(&e);
    free(text);
}

Test(calls, several_visits_count_as_one_demand)
{
    struct rng r;

    rng_stream(&r, 20, 0, "visits");
    expect_visits(4, 3, 0.3, 0.1);
    for (int i = 0; i < 3; i++)
        expect_visits(2 + (int)rng_below(&r, 8), 1 + (int)rng_below(&r, 4), 0.1 + 0.4 * rng_uniform(&r),
                      0.1 + 0.4 * rng_uniform(&r));
}

/* ----------------------------------------------------------------------------------- at the same time */

/* Two queues fed by the same arrivals, joined: 7 at load .8 (Nelson and Tantawi: (12 - rho) / 8 * 1 / (1 -
 * rho)). */
Test(calls, fork_and_join_of_two_queues)
{
    char *text =
        network(OPEN("1.25s"), ", \"t\": {\"kind\": \"servers\"}", "\"params\": {\"together\": true}, " BOTH,
                STATION("a", "s", "1s") ", " STATION("b", "t", "1s"));
    struct experiment x = experiment(text, REPLICATIONS);

    expect_near("latency", &x.o.latency_s[LATENCY_MEAN], 7);
    experiment_end(&x);
    free(text);
}

static double harmonic(int from, int to)
{
    double sum = 0;

    for (int i = from; i <= to; i++)
        sum += 1.0 / i;
    return sum;
}

/* Without a queue the last of n exponential answers takes H(n), the k-th H(n) - H(n - k). */
Test(calls, the_slowest_of_many_answers_counts)
{
    char *text = network(OPEN("1s"), ", \"many\": {\"kind\": \"servers\", \"count\": 1000}",
                         "\"params\": {\"width\": 8}, " FIRST, STATION("a", "many", "1s"));
    struct experiment x = experiment(text, REPLICATIONS);

    expect_near("latency", &x.o.latency_s[LATENCY_MEAN], harmonic(1, 8));
    expect_near("visits", &stage_of(&x, "a")->throughput_per_s, 8);
    experiment_end(&x);
    free(text);
}

Test(calls, who_has_heard_enough_cancels_the_rest)
{
    char *text = network(OPEN("1s"), ", \"many\": {\"kind\": \"servers\", \"count\": 1000}",
                         "\"params\": {\"width\": 8, \"wait_for\": 3}, " FIRST, CLERK("a", "many", "1s"));
    struct experiment x = experiment(text, REPLICATIONS);
    double stays = harmonic(6, 8);

    expect_near("latency", &x.o.latency_s[LATENCY_MEAN], stays);
    expect_near("answers", &stage_of(&x, "a")->throughput_per_s, 3);
    /* each stays until it is done or the third is: the sum of the stays is 3, by memorylessness */
    expect_near("at the callee", &stage_of(&x, "a")->queue_mean, 3);
    experiment_end(&x);
    free(text);
}

/* A station cannot let go: what nobody waits for is served all the same. */
Test(calls, what_cannot_be_withdrawn_is_done_unheard)
{
    char *text = network(OPEN("1s"), ", \"many\": {\"kind\": \"servers\", \"count\": 1000}",
                         "\"params\": {\"width\": 8, \"wait_for\": 3}, " FIRST, STATION("a", "many", "1s"));
    struct experiment x = experiment(text, REPLICATIONS);

    expect_near("latency", &x.o.latency_s[LATENCY_MEAN], harmonic(6, 8));
    expect_near("answers, heard or not", &stage_of(&x, "a")->throughput_per_s, 8);
    experiment_end(&x);
    free(text);
}

/* The first of two askers wins; the other one's own calls are taken back with it, two floors down. */
Test(calls, cancellation_reaches_those_whom_the_callee_asked)
{
    char *text = network(OPEN("1s"), ", \"many\": {\"kind\": \"servers\", \"count\": 1000}",
                         "\"params\": {\"width\": 2, \"wait_for\": 1}, \"calls\": {\"first\": \"mid\"}",
                         "{\"name\": \"mid\", \"model\": \"asker\", \"calls\": {\"first\": \"a\"}}, " CLERK(
                             "a", "many", "1s"));
    struct experiment x = experiment(text, REPLICATIONS);
    const struct outcome_stage *a = stage_of(&x, "a");

    expect_near("latency", &x.o.latency_s[LATENCY_MEAN], 0.5);
    expect_near("inside the clerk", &a->queue_mean, 1);
    cr_assert_eq(a->figures_n, 1);
    cr_expect_str_eq(a->figure_names[0], "withdrawn");
    cr_expect_gt(a->figures[0].mean, 0.9 * 20000, "%g", a->figures[0].mean);
    experiment_end(&x);
    free(text);
}

/* Impatience in a queue: the caller has a faster answer, whoever still stands in the buffer is not worked on.
 */
Test(calls, what_is_cancelled_in_a_buffer_costs_nothing)
{
    char *text = network(OPEN("1s"),
                         ", \"many\": {\"kind\": \"servers\", \"count\": 1000}, \"c\": {\"kind\": \"cores\"}",
                         "\"params\": {\"together\": true, \"wait_for\": 1}, " BOTH,
                         "{\"name\": \"a\", \"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": "
                         "{\"ops\": [{\"name\": \"w\", \"cpu\": \"2s\"}]}}, {\"name\": \"b\", \"model\": "
                         "\"station\", \"on\": {\"servers\": \"many\"}, \"params\": {\"service\": \"1s\"}}");
    struct experiment x = experiment(text, 4);

    /* twice more work than there is capacity, were it all done */
    cr_expect_float_eq(x.o.latency_s[LATENCY_P99].mean, 1, 1e-9, "%g", x.o.latency_s[LATENCY_P99].mean);
    cr_expect_lt(stage_of(&x, "a")->queue_mean.mean, 3, "%g", stage_of(&x, "a")->queue_mean.mean);
    experiment_end(&x);
    free(text);
}

/* ----------------------------------------------------------------------------------- what must hold */

Test(calls, whoever_fails_says_so_and_the_caller_goes_on)
{
    char *text = network("{\"clients\": {\"count\": 3}}", ", \"many\": {\"kind\": \"servers\", \"count\": 9}",
                         "\"params\": {\"width\": 1}, " FIRST,
                         "{\"name\": \"a\", \"model\": \"clerk\", \"on\": {\"servers\": \"many\"}, "
                         "\"params\": {\"service\": {\"exponential\": \"1s\"}, \"lose\": 0.25}}");
    struct experiment x = experiment(text, REPLICATIONS);

    expect_near("throughput", &x.o.throughput_per_s, 3);
    expect_near("failed", &x.o.metrics->failed, 0.25);
    expect_near("lost by the callee", &stage_of(&x, "a")->lost, 0.25);
    experiment_end(&x);
    free(text);
}

/* In the flow a lost visit is gone; its client comes again all the same. */
Test(calls, clients_outlive_lost_visits)
{
    const char *text =
        "{\"name\": \"lossy\", \"workload\": {\"clients\": {\"count\": 2}}, \"resources\": {\"s\": "
        "{\"kind\": "
        "\"servers\", \"count\": 2}}, \"stages\": [{\"name\": \"a\", \"model\": \"clerk\", \"on\": "
        "{\"servers\": \"s\"}, \"params\": {\"service\": {\"exponential\": \"1s\"}, \"lose\": 0.5}}]}";
    struct experiment x = experiment(text, REPLICATIONS);

    expect_near("throughput", &x.o.throughput_per_s, 1);
    experiment_end(&x);
}

Test(calls, any_number_of_threads_gives_the_same_bytes)
{
    char *text = network(CLIENTS("5"), ", \"t\": {\"kind\": \"servers\"}",
                         "\"params\": {\"times\": 3, \"width\": 3, \"wait_for\": 2}, " BOTH,
                         STATION("a", "s", "0.2s") ", " CLERK("b", "t", "0.3s"));
    struct scenario *s = text_scenario(text);
    char *bytes[3];

    for (int i = 0; i < 3; i++) {
        struct simulate_options opt = {.replications = 4, .threads = 1 + 2 * (i % 2)};
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
    cr_expect_str_eq(bytes[0], bytes[2]);
    for (int i = 0; i < 3; i++)
        free(bytes[i]);
    scenario_free(s);
    free(text);
}

/* The bound knows visits: never below what the simulation delivers, and the bottleneck is where they add up.
 */
Test(calls, the_bound_multiplies_visits_and_demand)
{
    char *text = network("{\"clients\": {\"count\": 100}}", ", \"t\": {\"kind\": \"servers\", \"count\": 2}",
                         "\"params\": {\"times\": 4}, " BOTH,
                         STATION("a", "s", "0.1s") ", " STATION("b", "t", "0.5s"));
    struct scenario *s = text_scenario(text);
    struct arena *a = arena_new();
    struct bound b;

    bound_compute(s, a, &b);
    cr_expect_float_eq(b.throughput_per_s, 1, 1e-12, "%g", b.throughput_per_s); /* 4 visits of .5 s on 2 */
    cr_expect_str_eq(b.bottleneck, "t");
    cr_expect_float_eq(b.latency_s, 4 * 0.6, 1e-12, "%g", b.latency_s);
    cr_expect_float_eq(b.resource_per_s[0], 2.5, 1e-12);
    arena_free(a);
    scenario_free(s);
    free(text);
}

/* Local gains: all but the callee are infinitely fast, and it is still asked. */
Test(calls, an_infinitely_fast_caller_still_asks)
{
    char *text =
        network("{\"clients\": {\"count\": 1}}", ", \"own\": {\"kind\": \"servers\"}",
                "\"on\": {\"servers\": \"own\"}, \"params\": {\"times\": 2, \"own\": \"1s\"}, " FIRST,
                "{\"name\": \"a\", \"model\": \"station\", \"on\": {\"servers\": \"s\"}, \"params\": "
                "{\"service\": \"0.5s\"}}");
    struct scenario *s = text_scenario(text);
    struct simulate_options opt = {.replications = 2};
    struct arena *a = arena_new();
    struct err err = {0};
    struct outcome o;

    s->stages[0].instant = true;
    cr_assert_eq(simulate(s, &opt, a, &o, &err), 0, "%s", err.text);
    cr_expect_float_eq(o.throughput_per_s.mean, 1, 1e-3, "%g", o.throughput_per_s.mean);
    s->stages[0].instant = false;
    s->stages[1].instant = true;
    cr_assert_eq(simulate(s, &opt, a, &o, &err), 0, "%s", err.text);
    cr_expect_float_eq(o.throughput_per_s.mean, 1, 1e-3, "%g", o.throughput_per_s.mean);
    arena_free(a);
    scenario_free(s);
    free(text);
}

/* -------------------------------------------------------------------------------- what is refused */

static void expect_refused(const char *asker, const char *callees, const char *says)
{
    char *text = network(OPEN("1s"), ", \"c\": {\"kind\": \"cores\"}", asker, callees);
    struct scenario *s = NULL;
    struct err err = {0};

    cr_expect_eq(text_build(text, &s, &err), ERR_SCENARIO, "%s", text);
    cr_expect_not_null(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
    free(text);
}

#define ASKER(name, first)                                                                                   \
    "{\"name\": \"" name "\", \"model\": \"asker\", \"calls\": {\"first\": \"" first "\"}}"

Test(calls, what_makes_no_sense_is_refused)
{
    expect_refused("\"calls\": {\"first\": \"mid\"}", ASKER("mid", "ask"),
                   "calls in a circle: \"ask\" calls \"mid\" calls \"ask\"");
    expect_refused("\"calls\": {\"first\": \"ask\"}", STATION("a", "s", "1s"),
                   "\"ask\" calls \"ask\"; each would wait for the other");
    expect_refused("\"calls\": {}", STATION("a", "s", "1s"), "needs \"calls\": {\"first\": a stage}");
    expect_refused("\"calls\": {\"frist\": \"a\"}", STATION("a", "s", "1s"), "did you mean \"first\"");
    expect_refused("\"calls\": {\"first\": \"aa\"}", STATION("a", "s", "1s"),
                   "no stage \"aa\"; did you mean \"a\"");
    expect_refused("\"calls\": [\"a\"]", STATION("a", "s", "1s"),
                   "\"calls\" is an object from role to stage");
    expect_refused(FIRST,
                   "{\"name\": \"a\", \"model\": \"station\", \"on\": {\"servers\": \"s\"}, \"calls\": "
                   "{\"first\": \"ask\"}}",
                   "model \"station\" calls no other stage");
    expect_refused(FIRST,
                   "{\"name\": \"a\", \"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": "
                   "{\"batch\": 4, \"ops\": [{\"name\": \"w\", \"cpu\": \"1s\"}]}}",
                   "stage \"a\" cannot be called: it gathers items into batches");
    expect_refused(FIRST,
                   "{\"name\": \"a\", \"model\": \"station\", \"on\": {\"servers\": \"s\"}, \"params\": "
                   "{\"queue_limit\": 4}}",
                   "stage \"a\" cannot be called: it loses");
    expect_refused(
        "\"on\": {\"servers\": \"s\"}, " FIRST,
        STATION("a", "s", "1s") ", {\"name\": \"b\", \"model\": \"station\", \"on\": {\"servers\": "
                                "\"s\"}, \"params\": {\"queue_limit\": 4}}",
        "shares \"s\" with \"b\"");
}
