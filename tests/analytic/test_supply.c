/* What the servers cost, draw and do when they fail, are away or are ordered. */
#include "pipeline/outcome.h"
#include "theory.h"

#include <math.h>
#include <stdio.h>

enum { REPLICATIONS = 6 };

static void expect_near(const char *what, const struct estimate *e, double truth)
{
    double se = standard_error(e);

    cr_expect(se < 0.1 * fabs(truth), "%s: too noisy to mean anything: %g +- %g", what, e->mean, se);
    cr_expect(fabs(e->mean - truth) <= 4 * se + 1e-9 * fabs(truth),
              "%s: %.6g +- %.2g, theory says %.6g (z = %.1f)", what, e->mean, se, truth,
              (e->mean - truth) / se);
}

/* One station on a resource with MORE keys. */
static char *one(const char *gap, const char *service, const char *more)
{
    struct text t = {0};

    text_printf(
        &t,
        "{\"name\": \"one\", \"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"%s\"}}}, "
        "\"resources\": {\"s\": {\"kind\": \"servers\", %s}}, \"stages\": [{\"name\": \"a\", \"model\": "
        "\"station\", \"owner\": \"us\", \"on\": {\"servers\": \"s\"}, \"params\": {\"service\": "
        "{\"exponential\": \"%s\"}}}]}",
        gap, more, service);
    return t.s;
}

static struct experiment measured(const char *gap, const char *service, const char *more)
{
    char *text = one(gap, service, more);
    struct experiment x = experiment(text, REPLICATIONS);

    free(text);
    return x;
}

/* ------------------------------------------------------------------------------- how many there are */

/* White and Christie: M/M/1 whose server fails at rate f and is repaired at rate r, and resumes. */
Test(supply, a_server_that_breaks_down_waits_as_theory_says)
{
    struct experiment x = measured(
        "1s", "0.5s",
        "\"failures\": {\"mtbf\": {\"exponential\": \"20s\"}, \"repair\": {\"exponential\": \"5s\"}}");
    double l = 1, m = 2, f = 1 / 20.0, r = 1 / 5.0;
    double inside = l * (m * f + (f + r) * (f + r)) / ((f + r) * (m * r - l * (f + r)));

    expect_near("time in the system", &x.o.latency_s[LATENCY_MEAN], inside / l);
    expect_near("busy while it works", &x.o.resources[0].utilization, 0.5 / 0.8);
    cr_expect(fabs(x.o.resources[0].servers - 0.8) < 0.01, "%g", x.o.resources[0].servers);
    experiment_end(&x);
}

/* Away for 1 s in 10: whoever comes then waits for the rest of it, without any load beside. */
Test(supply, who_comes_during_maintenance_waits_for_its_end)
{
    struct experiment x = measured(
        "100s", "0.001s", "\"maintenance\": {\"every\": \"10s\", \"lasts\": \"1s\", \"first\": \"3s\"}");

    expect_near("wait", &x.o.latency_s[LATENCY_MEAN], 0.001 * 1.1 + 0.1 * 0.5);
    cr_expect(fabs(x.o.resources[0].servers - 0.9) < 1e-3, "%g", x.o.resources[0].servers);
    experiment_end(&x);
}

/* A load of 20 servers' work at a target of one half: about 40 are ordered, and nearly nobody waits. */
Test(supply, an_autoscaler_orders_what_its_target_says)
{
    struct experiment x =
        measured("0.05s", "1s",
                 "\"price\": \"1usd/h\", \"billing\": \"elastic\", \"count\": 4, \"autoscale\": "
                 "{\"period\": \"60s\", \"delay\": \"30s\", \"target\": 0.5, \"max\": 100}");

    cr_expect(fabs(x.o.resources[0].servers - 40.5) < 0.5, "%g", x.o.resources[0].servers);
    cr_expect(fabs(x.o.cost_usd_per_h.mean - x.o.resources[0].servers) < 1e-6, "paid for what is held: %g",
              x.o.cost_usd_per_h.mean);
    cr_expect_lt(x.o.stages[0].wait_s.mean, 0.01);
    experiment_end(&x);
}

Test(supply, an_autoscaler_follows_a_load_that_changes)
{
    static const char text[] =
        "{\"name\": \"day\", \"horizon\": {\"terminating\": \"20h\"}, \"workload\": {\"open\": "
        "{\"arrivals\": "
        "{\"schedule\": {\"rates\": [\"2/s\", \"0.2/s\"], \"period\": \"2h\"}}}}, \"resources\": {\"s\": "
        "{\"kind\": "
        "\"gpus\", \"count\": 2, \"autoscale\": {\"period\": \"5min\", \"delay\": \"5min\", \"target\": 0.8, "
        "\"min\": 1, \"max\": 50}}}, \"stages\": [{\"name\": \"a\", \"model\": \"station\", \"on\": "
        "{\"servers\": "
        "\"s\"}, \"params\": {\"service\": {\"exponential\": \"4s\"}}}]}";
    struct experiment x = experiment(text, 4);

    /* 8 and .8 servers' worth of work take about 10 and 1 */
    cr_expect(x.o.resources[0].servers > 4.5 && x.o.resources[0].servers < 7.5, "%g",
              x.o.resources[0].servers);
    cr_expect(fabs(x.o.throughput_per_s.mean - 1.1) < 0.05, "%g", x.o.throughput_per_s.mean);
    experiment_end(&x);
}

/* Nine servers in one hour and two in the next are five and a half, whatever comes. */
Test(supply, a_schedule_is_kept)
{
    static const char text[] =
        "{\"name\": \"day\", \"horizon\": {\"terminating\": \"20h\"}, \"workload\": {\"open\": {\"arrivals\": "
        "{\"schedule\": {\"rates\": [\"2/s\", \"0.2/s\"], \"period\": \"1h\"}}}}, \"resources\": {\"s\": {\"kind\": "
        "\"gpus\", \"count\": 9, \"price\": \"1usd/h\", \"billing\": \"elastic\", \"autoscale\": {\"period\": "
        "\"1h\", \"min\": 1, \"max\": 9, \"schedule\": [9, 2]}}}, \"stages\": [{\"name\": \"a\", \"model\": "
        "\"station\", \"on\": {\"servers\": \"s\"}, \"params\": {\"service\": {\"exponential\": \"4s\"}}}]}";
    struct experiment x = experiment(text, 4);

    cr_expect_float_eq(x.o.resources[0].servers, 5.5, 0.01, "%g", x.o.resources[0].servers);
    cr_expect_float_eq(x.o.cost_usd_per_h.mean, 5.5, 0.01, "paid for what is held: %g", x.o.cost_usd_per_h.mean);
    experiment_end(&x);
}

/* ------------------------------------------------------------------------------------ what it costs */

Test(ledger, billing_separates_cash_from_capacity)
{
    struct experiment x = measured("2s", "1s", "\"count\": 2, \"price\": \"3usd/h\"");

    cr_expect_eq(x.o.cost_usd_per_h.mean, 6);
    cr_expect_eq(x.o.cost_usd_per_h.n, 1, "known, not estimated");
    cr_expect_not(x.o.has_billing);
    experiment_end(&x);
    x = measured("2s", "1s", "\"count\": 2, \"price\": \"3usd/h\", \"billing\": \"elastic\"");
    expect_near("elastic", &x.o.cost_usd_per_h, 6 * 0.25);
    cr_expect_eq(x.o.idle_usd_per_h.mean, 0);
    experiment_end(&x);
    x = measured("2s", "1s", "\"count\": 2, \"price\": \"3usd/h\", \"billing\": \"owned\"");
    cr_expect_eq(x.o.cost_usd_per_h.mean, 0);
    expect_near("owned capacity that lies idle", &x.o.idle_usd_per_h, 6 * 0.75);
    experiment_end(&x);
}

Test(ledger, power_follows_use)
{
    struct experiment x = measured("2s", "1s", "\"count\": 2, \"idle_w\": \"100W\", \"active_w\": \"500W\"");

    cr_expect(x.o.has_power);
    expect_near("power", &x.o.power_w, 2 * (100 + 400 * 0.25));
    expect_near("of its owner", &x.o.owners[0].power_w, 2 * (100 + 400 * 0.25));
    experiment_end(&x);
}

/* Two teams on one pool: the bill is divided by use, and all of it is somebody's. */
Test(ledger, who_uses_pays)
{
    static const char text[] =
        "{\"name\": \"two\", \"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}}, "
        "\"resources\": "
        "{\"c\": {\"kind\": \"cores\", \"count\": 2, \"price\": \"2usd/h\"}, \"d\": {\"kind\": \"disk\", "
        "\"price\": "
        "\"1usd/h\"}}, \"stages\": [{\"name\": \"a\", \"owner\": \"x\", \"model\": \"operators\", \"on\": "
        "{\"cpu\": \"c\", \"disk\": \"d\"}, \"params\": {\"ops\": [{\"name\": \"r\", \"disk_bytes\": "
        "\"1MB\"}, "
        "{\"name\": \"w\", \"cpu\": {\"exponential\": \"0.3s\"}}]}}, {\"name\": \"b\", \"owner\": \"y\", "
        "\"model\": \"operators\", \"on\": {\"cpu\": \"c\"}, \"params\": {\"ops\": [{\"name\": \"w\", "
        "\"cpu\": "
        "{\"exponential\": \"0.1s\"}}]}}, {\"name\": \"e\", \"owner\": \"x\", \"model\": \"operators\", "
        "\"on\": "
        "{\"cpu\": \"c\"}, \"params\": {\"ops\": [{\"name\": \"w\", \"cpu\": {\"exponential\": "
        "\"0.1s\"}}]}}]}";
    struct experiment x = experiment(text, REPLICATIONS);

    cr_assert_eq(x.o.owners_n, 2);
    cr_expect_str_eq(x.o.owners[0].name, "x");
    expect_near("x", &x.o.owners[0].cost_usd_per_h, 4 * 0.8 + 1);
    expect_near("y", &x.o.owners[1].cost_usd_per_h, 4 * 0.2);
    cr_expect(fabs(x.o.owners[0].cost_usd_per_h.mean + x.o.owners[1].cost_usd_per_h.mean - 5) < 1e-9);
    experiment_end(&x);
}

/* ------------------------------------------------------------------------------------ what is wrong */

static void expect_refused(const char *more, const char *says)
{
    char *text = one("1s", "0.5s", more);
    struct scenario *s = NULL;
    struct err err = {0};

    cr_expect_eq(text_build(text, &s, &err), ERR_SCENARIO, "%s", text);
    cr_expect_not_null(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
    free(text);
}

Test(supply, what_makes_no_sense_is_refused)
{
    expect_refused("\"billing\": \"elastc\"", "did you mean \"elastic\"");
    expect_refused("\"failures\": {\"mtbf\": \"0s\"}", "$.resources.s.failures.mtbf");
    expect_refused("\"failures\": {\"mttr\": \"1s\"}", "$.resources.s.failures");
    expect_refused("\"maintenance\": {\"every\": \"1h\", \"lasts\": \"2h\"}",
                   "must end before it begins again");
    expect_refused("\"autoscale\": {\"min\": 2}", "1 does not lie between min 2");
    expect_refused("\"autoscale\": {\"schedule\": [2, 1]}", "it begins with 2, and \"count\" says 1");
    expect_refused("\"autoscale\": {\"schedule\": [1, 0]}", "[1] must be a whole number from min 1");
    expect_refused("\"autoscale\": {\"schedule\": 3}", "a list of how many servers");
    expect_refused("\"autoscale\": []", "$.resources.s.autoscale");
}
