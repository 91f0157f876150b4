#include "theory.h"

#include <math.h>
#include <stdio.h>

/*
 * Theory through the front door: a scenario's text in, figures out, as a user gets them.  32 replications of
 * fixed length; a figure passes when it is within 4 standard errors of the closed form.
 */

enum { REPLICATIONS = 32 };

/* `known_to`: how exactly the figure can be known at all (a histogram's bin), relative. */
static void expect_figure(const char *name, const struct estimate *e, double truth, double known_to)
{
    double se = standard_error(e), error = fmax(0, fabs(e->mean - truth) - known_to * truth);

    cr_expect(se < 0.1 * truth, "%s: too noisy to mean anything: %g +- %g", name, e->mean, se);
    cr_expect(error <= 4 * se, "%s: %.6g +- %.2g, theory says %.6g (z = %.1f)", name, e->mean, se, truth,
              error / se);
}

static char *file_text(const char *name)
{
    char path[4000], *text;
    struct err err = {0};

    snprintf(path, sizeof path, "%s/scenarios/%s", getenv("abs_srcdir"), name);
    cr_assert_eq(text_read_file(path, &text, NULL, &err), 0, "%s", err.text);
    return text;
}

/* ---------------------------------------------------------------------------------- one station */

Test(pipeline, one_server_waits_as_m_m_1)
{
    char *text = file_text("01-one-stage.json");
    struct experiment x = experiment(text, REPLICATIONS);

    expect_figure("wait", &x.o.stages[0].wait_s, 9, 0);
    expect_figure("latency", &x.o.latency_s[LATENCY_MEAN], 10, 0);
    expect_figure("median", &x.o.latency_s[LATENCY_P50], 10 * log(2), 0.004);
    expect_figure("p95", &x.o.latency_s[LATENCY_P95], -10 * log(0.05), 0.004);
    expect_figure("p99", &x.o.latency_s[LATENCY_P99], -10 * log(0.01), 0.004);
    expect_figure("utilization", &x.o.stages[0].utilization, 0.9, 0);
    expect_figure("server busy", &x.o.resources[0].utilization, 0.9, 0);
    expect_figure("queue", &x.o.stages[0].queue_mean, 8.1, 0);
    expect_figure("service", &x.o.stages[0].service_s, 1, 0);
    expect_figure("throughput", &x.o.throughput_per_s, 0.9, 0);
    cr_expect_str_eq(x.o.bound.bottleneck, "arrivals");
    experiment_end(&x);
    free(text);
}

Test(pipeline, several_servers_wait_as_erlang_c_says)
{
    struct experiment x = experiment(MMC, REPLICATIONS);
    double wait = mmc_wait(4, 1, 3.2);

    cr_assert_float_eq(erlang_c(4, 3.2), 0.596432, 1e-6);
    expect_figure("wait", &x.o.stages[0].wait_s, wait, 0);
    expect_figure("latency", &x.o.latency_s[LATENCY_MEAN], wait + 3.2, 0);
    expect_figure("utilization", &x.o.resources[0].utilization, 0.8, 0);
    experiment_end(&x);
}

#define OPEN_STATION(service, more)                                                                          \
    "{\"name\": \"station\", \"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}},"           \
    " \"resources\": {\"server\": {\"kind\": \"servers\"}}, \"stages\": [{\"name\": \"desk\", \"model\": "   \
    "\"station\", \"on\": {\"servers\": \"server\"}, \"params\": {\"service\": " service more "}}]}"

Test(pipeline, constant_service_waits_half_as_long)
{
    struct experiment x = experiment(OPEN_STATION("\"0.8s\"", ""), REPLICATIONS);

    expect_figure("wait", &x.o.stages[0].wait_s, 2 * 0.8, 0);
    experiment_end(&x);
}

Test(pipeline, uneven_service_waits_as_pollaczek_and_khinchine_say)
{
    struct experiment x =
        experiment(OPEN_STATION("{\"lognormal\": {\"mean\": \"0.8s\", \"cv\": 2}}", ""), REPLICATIONS);

    expect_figure("wait", &x.o.stages[0].wait_s, 10 * 0.8, 0);
    expect_figure("utilization", &x.o.resources[0].utilization, 0.8, 0);
    experiment_end(&x);
}

/* M/M/1/10: one in service, nine wait. */
Test(pipeline, a_full_queue_loses_what_theory_says)
{
    struct experiment x =
        experiment(OPEN_STATION("{\"exponential\": \"0.9s\"}", ", \"queue_limit\": 9"), REPLICATIONS);
    double lost = 0.050814, inside = 3.969441;

    expect_figure("throughput", &x.o.throughput_per_s, 1 - lost, 1e-6);
    expect_figure("latency", &x.o.latency_s[LATENCY_MEAN], inside / (1 - lost), 1e-6);
    expect_figure("utilization", &x.o.resources[0].utilization, 0.9 * (1 - lost), 1e-6);
    experiment_end(&x);
}

/* ------------------------------------------------------------------------------- closed networks */

static const char CLIENTS[] = "{\"name\": \"clients\", \"workload\": {\"clients\": {\"count\": 5, \"think\": "
                              "{\"exponential\": \"5s\"}}},"
                              " \"resources\": {\"a\": {\"kind\": \"servers\"}, \"b\": {\"kind\": "
                              "\"servers\"}, \"c\": {\"kind\": \"servers\"}},"
                              " \"stages\": [{\"name\": \"x\", \"model\": \"station\", \"on\": {\"servers\": "
                              "\"a\"}, \"params\": {\"service\": {\"exponential\": \"1s\"}}},"
                              " {\"name\": \"y\", \"model\": \"station\", \"on\": {\"servers\": \"b\"}, "
                              "\"params\": {\"service\": {\"exponential\": \"0.5s\"}}},"
                              " {\"name\": \"z\", \"model\": \"station\", \"on\": {\"servers\": \"c\"}, "
                              "\"params\": {\"service\": {\"exponential\": \"0.25s\"}}}]}";

static void expect_mva(int clients, double truth_x, double truth_r)
{
    static const double demands[] = {1, 0.5, 0.25};
    char count[40], *text;
    struct experiment e;
    double x, r;

    mva(clients, 5, demands, 3, &x, &r);
    cr_assert_float_eq(x, truth_x, 1e-6);
    cr_assert_float_eq(r, truth_r, 1e-6);
    snprintf(count, sizeof count, "\"count\": %d", clients);
    text = text_replaced(CLIENTS, "\"count\": 5", count);
    e = experiment(text, REPLICATIONS);
    expect_figure("throughput", &e.o.throughput_per_s, x, 0);
    expect_figure("response", &e.o.latency_s[LATENCY_MEAN], r, 0);
    expect_figure("first station busy", &e.o.resources[0].utilization, x, 0);
    expect_figure("last station busy", &e.o.resources[2].utilization, 0.25 * x, 0);
    cr_expect(e.o.throughput_per_s.mean <= e.o.bound.throughput_per_s, "bound %g",
              e.o.bound.throughput_per_s);
    experiment_end(&e);
    free(text);
}

Test(pipeline, few_clients_are_served_as_mean_value_analysis_says)
{
    expect_mva(5, 0.641946, 2.788821);
}

Test(pipeline, many_clients_are_served_as_mean_value_analysis_says)
{
    expect_mva(20, 0.999895, 15.002108);
}

/* ------------------------------------------------------------------------------- shared resources */

Test(pipeline, loader_and_trainer_on_two_cores_get_what_two_cores_can_do)
{
    struct experiment x = experiment(SHARED_CORES, 8);
    double per_batch = 64 * (0.6e-3 + 0.5e-3) + 22e-3 + 80e-3, best = 64 * 2 / per_batch;

    cr_expect_float_eq(x.o.bound.throughput_per_s, best, 1e-9 * best);
    cr_expect_str_eq(x.o.bound.bottleneck, "host");
    cr_expect(x.o.throughput_per_s.mean <= best * 1.001 && x.o.throughput_per_s.mean >= 0.99 * best,
              "%g of %g samples/s", x.o.throughput_per_s.mean, best);
    cr_expect(x.o.resources[0].utilization.mean > 0.99, "host %g", x.o.resources[0].utilization.mean);
    experiment_end(&x);
}

/* Two stages of constant times, each with a core of its own: the slower one decides, the other waits or
 * blocks. */
Test(pipeline, the_slower_of_two_stages_decides)
{
    static const char text[] =
        "{\"name\": \"two\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}},"
        " \"resources\": {\"p\": {\"kind\": \"cores\"}, \"q\": {\"kind\": \"cores\"}},"
        " \"stages\": [{\"name\": \"fast\", \"model\": \"operators\", \"on\": {\"cpu\": \"p\"}, \"params\": "
        "{\"ops\": [{\"name\": \"x\", \"cpu\": \"30ms\"}]}},"
        " {\"name\": \"slow\", \"model\": \"operators\", \"on\": {\"cpu\": \"q\"}, \"params\": {\"ops\": "
        "[{\"name\": \"x\", \"cpu\": \"40ms\"}]}}]}";
    struct experiment x = experiment(text, 2);

    cr_expect_float_eq(x.o.throughput_per_s.mean, 25, 1e-6);
    cr_expect_float_eq(x.o.stages[0].utilization.mean, 0.75, 1e-4);
    cr_expect_float_eq(x.o.stages[0].blocked.mean, 0.25, 1e-4);
    cr_expect_float_eq(x.o.stages[1].utilization.mean, 1, 1e-4);
    cr_expect_float_eq(x.o.stall.mean, 0, 1e-4);
    cr_expect_str_eq(x.o.bound.bottleneck, "slow");
    experiment_end(&x);
}

/* ------------------------------------------------------------- what a bound must still be above */

/* 3 units at a time reach a worker that asks for 4: it takes 6, at the price of one batch. */
Test(pipeline, a_worker_that_gathers_more_than_it_asked_for_stays_below_the_bound)
{
    static const char text[] =
        "{\"name\": \"odd\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}},"
        " \"resources\": {\"p\": {\"kind\": \"cores\", \"count\": 8}},"
        " \"stages\": [{\"name\": \"a\", \"model\": \"operators\", \"on\": {\"cpu\": \"p\"}, \"params\": "
        "{\"batch\": 3, \"ops\": [{\"name\": \"x\", \"cpu\": \"1ms\"}]}},"
        " {\"name\": \"b\", \"model\": \"operators\", \"on\": {\"cpu\": \"p\"}, \"params\": {\"batch\": 4, "
        "\"ops\": [{\"name\": \"x\", \"per_batch\": true, \"cpu\": \"60ms\"}]}}]}";
    struct experiment x = experiment(text, 2);

    cr_expect_float_eq(x.o.throughput_per_s.mean, 100, 1e-3, "%g", x.o.throughput_per_s.mean);
    cr_expect(x.o.bound.throughput_per_s >= 100 * (1 - 1e-9), "bound %g", x.o.bound.throughput_per_s);
    experiment_end(&x);
}

/* One partition in flight: its stripes and batches overlap in the stages, so less time passes than their sum.
 */
Test(pipeline, pieces_of_one_item_overlap_and_stay_below_the_bound)
{
    char *text = text_replaced(DATASET, "\"in_flight\": \"max\"", "\"in_flight\": 4096"), *costly;
    struct experiment x;

    costly = text_replaced(
        text,
        "\"on\": {\"cpu\": \"host\"}},\n    {\"name\": \"train\", \"model\": \"training\", \"on\": {\"cpu\": "
        "\"host\"}}",
        "\"on\": {\"cpu\": \"host\"}, \"params\": {\"costs\": {\"hash\": {\"per_item\": \"100ns\"}}}},\n"
        "    {\"name\": \"train\", \"model\": \"training\", \"on\": {\"cpu\": \"host\"}, \"params\": "
        "{\"costs\": {\"mlp\": {\"per_item\": \"20us\"}}}}");
    x = experiment(costly, 2);
    cr_expect(x.o.throughput_per_s.mean <= x.o.bound.throughput_per_s * (1 + 1e-9), "%g of %g",
              x.o.throughput_per_s.mean, x.o.bound.throughput_per_s);
    experiment_end(&x);
    free(text);
    free(costly);
}

/* A short run's rate is above the long one's on average (the mean of 1/T is above 1/mean of T): that is no
 * luck. */
Test(pipeline, a_short_run_of_uneven_items_is_held_against_the_bound_fairly)
{
    char *text = text_replaced(OPEN_STATION("{\"exponential\": \"1s\"}", ""), "\"name\": \"station\"",
                               "\"name\": \"short\", \"horizon\": {\"items\": 5}"),
         *closed;
    struct experiment x;

    closed = text_replaced(text, "{\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}}",
                           "{\"closed\": {\"in_flight\": 1}}");
    x = experiment(closed, 10000);
    expect_figure("makespan", &x.o.makespan_s, 5, 0);
    experiment_end(&x);
    free(text);
    free(closed);
}
