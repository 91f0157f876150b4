/* What storage costs: bytes kept, requests and bytes that travel; drives side by side; the presets of
 * storage. */
#include "pipeline/bound.h"
#include "pipeline/simulate.h"
#include "scenario_text.h"

#include <math.h>

/* Four readers of 1 MB at 100 MB/s each request: 400 requests a second, whatever the order. */
#define READERS(lake)                                                                                        \
    "{\"name\": \"lake\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}}, \"resources\": {\"lake\": {" \
    "\"kind\": \"disk\", " lake "}}, \"stages\": [{\"name\": \"read\", \"model\": \"operators\", \"on\": {"  \
    "\"disk\": \"lake\"}, \"params\": {\"workers\": 4, \"ops\": [{\"name\": \"get\", \"disk_bytes\": "       \
    "\"1MB\"}]}}]}"
#define FAST "\"read_bw\": \"1GB/s\", \"flow_cap\": \"100MB/s\""

static struct outcome simulated(const char *text, struct arena *a, struct scenario **s)
{
    struct simulate_options opt = {.replications = 2, .threads = 1, .confidence = 0.95};
    struct outcome o;
    struct err err = {0};

    *s = text_scenario(text);
    cr_assert_eq(simulate(*s, &opt, a, &o, &err), 0, "%s", err.text);
    return o;
}

static void expect_price(const char *text, double usd_per_h)
{
    struct arena *a = arena_new();
    struct scenario *s;
    struct outcome o = simulated(text, a, &s);

    cr_expect_float_eq(o.cost_usd_per_h.mean, usd_per_h, 1e-3 * usd_per_h + 1e-12, "%g, not %g",
                       o.cost_usd_per_h.mean, usd_per_h);
    cr_expect_float_eq(o.resources[0].cost_usd_per_h, usd_per_h, 1e-3 * usd_per_h + 1e-12);
    scenario_free(s);
    arena_free(a);
}

Test(storage_price, kept_bytes_are_paid_by_the_month)
{
    expect_price(READERS(FAST ", \"capacity\": \"73TB\", \"tb_month_usd\": \"23usd\""), 73 * 23 / 730.);
    expect_price(READERS(FAST ", \"capacity\": \"73TB\", \"tb_month_usd\": \"23usd\", \"price\": \"1usd/h\""),
                 1 + 73 * 23 / 730.);
    expect_price(
        READERS(FAST ", \"capacity\": \"73TB\", \"tb_month_usd\": \"23usd\", \"billing\": \"owned\""), 0);
}

Test(storage_price, requests_are_paid_by_the_thousand_and_bytes_by_the_terabyte)
{
    expect_price(READERS(FAST ", \"read_usd\": \"0.0004usd\""), 400 * 3.6 * 0.0004);
    expect_price(READERS(FAST ", \"write_usd\": \"5usd\", \"read_tb_usd\": \"0.6usd\""),
                 400 * 3600 * 1e-6 * 0.6);
}

Test(storage_price, stripes_go_over_all_drives_and_a_request_stays_with_one)
{
    struct scenario *one = text_scenario(READERS("\"read_bw\": \"100MB/s\", \"iops\": 50")), *four;
    struct arena *a = arena_new();
    struct bound b;

    bound_compute(one, a, &b);
    cr_expect_float_eq(b.throughput_per_s, 50, 1e-9);
    four =
        text_scenario(READERS("\"read_bw\": \"100MB/s\", \"iops\": 50, \"count\": 4, \"price\": \"2usd/h\""));
    bound_compute(four, a, &b);
    cr_expect_float_eq(b.throughput_per_s, 200, 1e-9);
    cr_expect_float_eq(four->resources[0].read_bw, 400e6, 1);
    cr_expect_float_eq(four->resources[0].flow_cap, 100e6, 1);
    cr_expect_float_eq(four->resources[0].price, 8, 1e-12);
    scenario_free(one);
    scenario_free(four);
    arena_free(a);
}

/* An experiment costs what keeping its table costs: 2 copies of 1e6 rows of 100 + 4 bytes for 3 months. */
Test(storage_price, an_experiment_pays_for_what_it_keeps)
{
    static const char text[] =
        "{\"name\": \"e\", \"unit\": \"experiment\", \"horizon\": {\"items\": 4}, \"workload\": {\"closed\": "
        "{"
        "\"in_flight\": 1}}, \"resources\": {\"c\": {\"kind\": \"cores\", \"count\": 4}, \"d\": {\"kind\": "
        "\"disk\"}},"
        " \"stages\": [{\"name\": \"x\", \"model\": \"experiment\", \"on\": {\"cpu\": \"c\", \"disk\": "
        "\"d\"}, "
        "\"params\": {\"rows\": 1e6, \"row_bytes\": \"100B\", \"label_bytes\": \"4B\", \"manifest_bytes\": \"0B\", \"replication\": 2, "
        "\"retention\": 3, \"tb_month_usd\": \"1000usd\", \"put_usd\": \"0usd\", \"get_usd\": \"0usd\"}}]}";
    struct arena *a = arena_new();
    struct scenario *s;
    struct outcome o = simulated(text, a, &s);

    cr_expect_float_eq(o.cost_usd.mean, 4 * 2 * 104e6 * 1e-12 * 1000 * 3, 1e-6, "%g", o.cost_usd.mean);
    scenario_free(s);
    arena_free(a);
}
