/* The data side through a scenario: loaders, Spark jobs, label experiments; what their numbers must add up
 * to. */
#include "pipeline/bound.h"
#include "pipeline/flow.h"
#include "scenario_text.h"

#include <math.h>
#include <stdio.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(data_path, .init = begin, .fini = end);

static struct flow_result run(const struct scenario *s)
{
    struct flow_limits limits = {.max_events = 10000000};
    struct flow_result r;
    struct err err = {0};

    cr_assert_eq(flow_run(s, 1, 0, &limits, arena, &r, &err), 0, "%s", err.text);
    return r;
}

static double figure(const struct flow_result *r, int stage, const char *name)
{
    for (int i = 0; i < r->stages[stage].figures_n; i++)
        if (strcmp(r->stages[stage].figures[i].name, name) == 0)
            return r->stages[stage].figures[i].value;
    cr_assert_fail("no figure %s", name);
    return NAN;
}

/* ------------------------------------------------------------------- loader */

static const char LOADER[] =
    "{ \"name\": \"l\", \"unit\": \"sample\", \"horizon\": {\"items\": 640},\n"
    "  \"workload\": {\"closed\": {\"in_flight\": \"max\"}},\n"
    "  \"resources\": {\"host\": {\"kind\": \"cores\", \"count\": 4}, \"disk\": {\"kind\": \"disk\", "
    "\"read_bw\": "
    "\"1GB/s\"}},\n"
    "  \"stages\": [ {\"name\": \"load\", \"model\": \"loader\", \"on\": {\"cpu\": \"host\", \"disk\": "
    "\"disk\"},\n"
    "    \"params\": {\"workers\": 2, \"prefetch\": -1, \"batch\": 10, \"item_bytes\": 1000000, \"items\": "
    "1000, \"ops\": [\n"
    "      {\"name\": \"decode\", \"fixed\": \"4ms\", \"bytes_ratio\": 4},\n"
    "      {\"name\": \"crop\", \"per_byte\": \"1ns\", \"bytes_ratio\": 0.25, \"random\": true},\n"
    "      {\"name\": \"gray\", \"per_byte\": \"1ns\", \"bytes_ratio\": 0.5} ]}} ] }\n";

Test(data_path, a_loader_takes_the_sum_of_its_operators)
{
    struct scenario *s = text_scenario(LOADER);
    struct flow_result r = run(s);

    /* a batch: 10 x (1 ms of disk at half its bandwidth when two read, 4 ms + 4 ms + 1 ms of a core) */
    cr_expect(r.lines[0].throughput_per_s > 2 / 11e-3 * 0.99 &&
                  r.lines[0].throughput_per_s < 2 / 10e-3 * 1.01,
              "%g", r.lines[0].throughput_per_s);
    scenario_free(s);
}

static double throughput(const char *find, const char *with)
{
    char *text = text_replaced(LOADER, find, with);
    struct scenario *s = text_scenario(text);
    double x = run(s).lines[0].throughput_per_s;

    scenario_free(s);
    free(text);
    return x;
}

Test(data_path, rewrites_of_a_loader_gain_what_they_save)
{
    double base = throughput("\"batch\"", "\"batch\"");

    cr_expect_gt(throughput("\"workers\": 2", "\"workers\": 2, \"order\": \"best\""), 1.1 * base);
    cr_expect_gt(
        throughput(
            "\"workers\": 2",
            "\"workers\": 2, \"cache_after\": \"decode\", \"cache_bytes\": \"4GB\", \"policy\": \"keep\""),
        1.5 * base);
    cr_expect_float_eq(throughput("\"workers\": 2",
                                  "\"workers\": 2, \"cache_after\": \"source\", \"cache_bytes\": "
                                  "\"0.5GB\", \"shuffled\": false, \"policy\": \"lru\""),
                       base, 1e-9 * base); /* LRU under a scan: all misses */
    cr_expect_lt(throughput("\"count\": 4", "\"count\": 2, \"threads_per_core\": 2, \"smt_yield\": 1.2"),
                 0.75 * base);
}

Test(data_path, a_cache_behind_a_random_operator_is_refused)
{
    struct scenario *s;
    struct err err = {0};
    char *text = text_replaced(LOADER, "\"workers\": 2", "\"workers\": 2, \"cache_after\": \"gray\"");

    cr_expect_neq(text_build(text, &s, &err), 0);
    cr_expect_not_null(strstr(err.text, "random operator \"crop\""), "%s", err.text);
    free(text);
    text = text_replaced(LOADER, "\"workers\": 2", "\"workers\": 2, \"cache_after\": \"decod\"");
    cr_expect_neq(text_build(text, &s, &err), 0);
    cr_expect_not_null(strstr(err.text, "did you mean \"decode\""), "%s", err.text);
    free(text);
}

/* -------------------------------------------------------------------- spark */

static const char SPARK[] =
    "{ \"name\": \"s\", \"unit\": \"job\", \"horizon\": {\"items\": 1},\n"
    "  \"workload\": {\"closed\": {\"in_flight\": 1}},\n"
    "  \"resources\": {\"host\": {\"kind\": \"cores\", \"count\": 8}, \"disk\": {\"kind\": \"disk\", "
    "\"read_bw\": "
    "\"1GB/s\"}, \"net\": {\"kind\": \"link\", \"bandwidth\": \"1GB/s\"}},\n"
    "  \"stages\": [ {\"name\": \"etl\", \"model\": \"spark\", \"on\": {\"cpu\": \"host\", \"disk\": "
    "\"disk\", "
    "\"net\": \"net\"},\n"
    "    \"params\": {\"executors\": 2, \"slots\": 4, \"warm\": 0, \"overhead\": 0, \"stage_delay\": 0, "
    "\"stages\": [\n"
    "      {\"name\": \"map\", \"tasks\": 17, \"cpu\": \"2s\"},\n"
    "      {\"name\": \"reduce\", \"tasks\": 8, \"cpu\": \"1s\", \"after\": [\"map\"]} ]}} ] }\n";

static struct flow_result spark(const char *find, const char *with, double *bound_s)
{
    char *text = text_replaced(SPARK, find, with);
    struct scenario *s = text_scenario(text);
    struct flow_result r = run(s);
    struct bound b;

    bound_compute(s, arena, &b);
    if (bound_s != NULL)
        *bound_s = 1 / b.throughput_per_s;
    scenario_free(s);
    free(text);
    return r;
}

Test(data_path, a_spark_job_runs_in_waves_and_within_its_bound)
{
    double bound_s, makespan_s = spark("\"warm\"", "\"warm\"", &bound_s).lines[0].makespan_s;

    cr_expect_float_eq(makespan_s, 3 * 2 + 1, 1e-6); /* 17 tasks on 8 slots: three waves; then one */
    cr_expect_leq(bound_s, makespan_s * (1 + 1e-9));
    cr_expect_float_eq(bound_s, 42 / 8., 1e-6);
}

Test(data_path, a_shuffle_crosses_disks_and_the_network)
{
    double without = spark("\"warm\"", "\"warm\"", NULL).lines[0].makespan_s;
    double with =
        spark("\"cpu\": \"1s\"", "\"cpu\": \"1s\", \"shuffle_read\": \"8GB\"", NULL).lines[0].makespan_s;

    /* 8 GB from the disk, then half of them over the link, tasks in step */
    cr_expect_float_eq(with - without, 8 + 4, 1e-6);
}

Test(data_path, few_shuffle_bytes_make_few_tasks)
{
    double s = spark("\"warm\": 0", "\"warm\": 0, \"coalesce_bytes\": \"64MB\"", NULL).lines[0].makespan_s;

    cr_expect_float_eq(s, 7, 1e-6); /* no shuffle bytes: as written */
    s = spark("\"cpu\": \"1s\", \"after\"", "\"cpu\": \"1s\", \"shuffle_read\": \"128MB\", \"after\"", NULL)
            .lines[0]
            .makespan_s;
    cr_expect(s > 7.1 && s < 7.3, "%g", s);
}

Test(data_path, executors_by_demand_come_when_tasks_wait)
{
    struct flow_result r = spark(
        "\"warm\": 0", "\"warm\": 0, \"max_executors\": 2, \"backlog\": \"1s\", \"start\": \"3s\"", NULL);

    /* nobody is there: one is asked for after 1 s, another after 2 s; they come at 4 s and 5 s */
    cr_expect_float_eq(r.lines[0].makespan_s, 11, 1e-6);
    cr_expect_leq(figure(&r, 0, "executors_mean"), 2);
    cr_expect_gt(figure(&r, 0, "slots_busy_frac"), 0.5);
}

/* --------------------------------------------------------------- experiments */

static const char LABEL[] =
    "{ \"name\": \"e\", \"unit\": \"experiment\", \"horizon\": {\"items\": 4},\n"
    "  \"workload\": {\"closed\": {\"in_flight\": 2}},\n"
    "  \"resources\": {\"host\": {\"kind\": \"cores\", \"count\": 64}, \"disk\": {\"kind\": \"disk\", "
    "\"read_bw\": "
    "\"10GB/s\"}},\n"
    "  \"stages\": [ {\"name\": \"label\", \"model\": \"experiment\", \"on\": {\"cpu\": \"host\", \"disk\": "
    "\"disk\"},\n"
    "    \"params\": {\"layout\": \"full_copy\", \"rows\": 1e9, \"row_bytes\": 2000, \"label_bytes\": 2, "
    "\"slots\": 64, "
    "\"tasks\": 64, \"replication\": 3, \"manifest_bytes\": 0, \"per_month\": 60, \"retention\": 3} } ] }\n";

Test(data_path, a_delta_writes_its_column_and_a_copy_the_table)
{
    struct scenario *copy = text_scenario(LABEL);
    char *text = text_replaced(LABEL, "full_copy", "delta");
    struct scenario *delta = text_scenario(text);
    struct flow_result a = run(copy), b = run(delta);

    cr_expect_float_eq(figure(&a, 0, "written_bytes_per_experiment"), 3 * 2002e9, 1);
    /* 5 % of the deltas are promoted, every eighth of these rewrites the table */
    cr_expect_float_eq(figure(&b, 0, "written_bytes_per_experiment"), 3 * (2e9 + 0.05 / 8 * 2002e9), 1);
    cr_expect_float_eq(figure(&a, 0, "footprint_bytes"), 181 * 3 * 2002e9, 1e3);
    cr_expect_gt(figure(&a, 0, "footprint_duplicate_frac"), 0.99);
    cr_expect_lt(figure(&b, 0, "footprint_bytes"), 0.2 * figure(&a, 0, "footprint_bytes"));
    cr_expect_gt(b.lines[0].throughput_per_s, 2 * a.lines[0].throughput_per_s);
    cr_expect_gt(figure(&b, 0, "jobs_s"), 0);
    scenario_free(copy);
    scenario_free(delta);
    free(text);
}

Test(data_path, merging_by_key_costs_more_than_by_position)
{
    char *text = text_replaced(LABEL, "full_copy\"", "delta\", \"align\": \"key\"");
    char *text2 = text_replaced(LABEL, "full_copy\"", "delta\", \"align\": \"position\"");
    struct scenario *key = text_scenario(text), *position = text_scenario(text2);
    struct flow_result a = run(key), b = run(position);

    cr_expect_gt(figure(&a, 0, "jobs_s"), figure(&b, 0, "jobs_s"));
    cr_expect_gt(figure(&a, 0, "written_bytes_per_experiment"),
                 figure(&b, 0, "written_bytes_per_experiment"));
    scenario_free(key);
    scenario_free(position);
    free(text);
    free(text2);
}

/* --------------------------------------------------------------------- auto */

static struct scenario *automatic(const char *find, const char *with)
{
    char *text = text_replaced(LOADER, find, with);
    struct scenario *s = text_scenario(text);

    free(text);
    return s;
}

static const char *reason(const struct scenario *s, const char *path)
{
    for (int i = 0; i < s->warnings_n; i++)
        if (strcmp(s->warnings[i].path, path) == 0)
            return s->warnings[i].text;
    cr_assert_fail("nothing is said of %s", path);
    return "";
}

Test(data_path, workers_are_as_many_as_the_bound_needs)
{
    struct scenario *s = automatic("\"workers\": 2", "\"workers\": \"auto\"");

    /* 1 ms of a disk and 9 ms of four cores: 444/s, and a worker of 10 ms makes 100/s */
    cr_expect_eq(s->stages[0].shape.workers, 5);
    cr_expect_not_null(strstr(reason(s, "stages.load.params.workers"), "auto: 5; with 5 \"host\" limits"),
                       "%s", reason(s, "stages.load.params.workers"));
    scenario_free(s);
    s = automatic("\"workers\": 2", "\"workers\": 2"); /* nothing open, nothing said */
    cr_expect_eq(s->warnings_n, 0);
    scenario_free(s);
}

Test(data_path, what_is_kept_is_chosen_among_what_is_legal)
{
    struct scenario *s = automatic("\"workers\": 2", "\"workers\": \"auto\", \"policy\": \"keep\", "
                                                     "\"cache_bytes\": \"8GB\", \"cache_after\": \"auto\"");

    cr_expect_not_null(strstr(reason(s, "stages.load.params.cache_after"), "auto: decode;"), "%s",
                       reason(s, "stages.load.params.cache_after"));
    scenario_free(s);
}

Test(data_path, an_illegal_scenario_stays_illegal_when_a_choice_is_open)
{
    struct scenario *s;
    struct err err = {0};
    char *text = text_replaced(LOADER, "\"workers\": 2", "\"workers\": \"auto\", \"batches\": 3");

    cr_expect_neq(text_build(text, &s, &err), 0);
    cr_expect_not_null(strstr(err.text, "batches"), "%s", err.text);
    free(text);
}

/* The bound's choice against all others, simulated: within 2 % of the best, with nothing smaller that is. */
Test(data_path, the_choice_agrees_with_trying_all)
{
    struct scenario *s = automatic("\"workers\": 2", "\"workers\": \"auto\"");
    long chosen = s->stages[0].shape.workers;
    double best = 0, rate[13];

    scenario_free(s);
    for (long w = 1; w <= 12; w++) {
        char with[40];

        snprintf(with, sizeof with, "\"workers\": %ld", w);
        s = automatic("\"workers\": 2", with);
        rate[w] = run(s).lines[0].throughput_per_s;
        best = fmax(best, rate[w]);
        scenario_free(s);
    }
    cr_expect_geq(rate[chosen], 0.93 * best, "%ld workers: %g of %g", chosen, rate[chosen], best);
    cr_expect_lt(rate[chosen - 2], 0.93 * best, "%g of %g", rate[chosen - 2], best);
}

/* --------------------------------------------------- a table on drives that seek, duplicates stored once */

static const char TABLE[] =
    "{ \"name\": \"t\", \"unit\": \"sample\", \"horizon\": {\"items\": 1024},\n"
    "  \"workload\": {\"closed\": {\"in_flight\": \"max\"}, \"dataset\": {\"rows\": 1024, "
    "\"partition_rows\": 1024,\n"
    "    \"session_samples\": 16, \"repeat_prob\": 0.9, \"active_sessions\": 8, \"session_features\": 0,\n"
    "    \"item_features\": 2, \"used_session_features\": 0, \"used_item_features\": 1, \"list_length\": 1,\n"
    "    \"dense_features\": 0, \"keep_frac\": 1}},\n"
    "  \"resources\": {\"host\": {\"kind\": \"cores\", \"count\": 2}, \"lake\": {\"kind\": \"disk\", "
    "\"read_bw\": \"1GB/s\"},\n"
    "    \"drives\": {\"kind\": \"servers\", \"count\": 1}, \"net\": {\"kind\": \"link\", \"bandwidth\": "
    "\"1GB/s\"}},\n"
    "  \"stages\": [\n"
    "    {\"name\": \"etl\", \"model\": \"etl\", \"on\": {\"cpu\": \"host\", \"disk\": \"lake\"},\n"
    "     \"params\": {\"codec\": \"none\", \"stripe_rows\": 1024, \"order\": \"session\", \"store_once\": "
    "true}},\n"
    "    {\"name\": \"table\", \"model\": \"storage\", \"on\": {\"cpu\": \"host\", \"servers\": \"drives\", "
    "\"net\": \"net\"},\n"
    "     \"params\": {\"projection\": true, \"layout\": \"map\", \"seek_s\": \"10ms\", \"drive_bw\": "
    "1000000,\n"
    "       \"fetch_bytes\": 10000, \"send\": true}} ],\n"
    "  \"edges\": [[\"etl\", \"table\", {\"buffer\": 2}]] }\n";

static struct flow_result table(const char *find, const char *with)
{
    char *text = text_replaced(TABLE, find, with);
    struct flow_result r = run(text_scenario(text));

    free(text);
    return r;
}

Test(data_path, a_map_column_is_read_whole_in_fetches_that_each_seek)
{
    struct flow_result r = table("\"map\"", "\"map\"");
    double bytes = 1024 * (2 * 8 + 28);

    cr_assert_float_eq(r.stages[1].used[ROLE_SERVERS], 5 * 0.010 + bytes / 1e6, 1e-9);
    cr_assert_float_eq(r.stages[1].used[ROLE_NET], bytes, 1e-6);
}

Test(data_path, a_flattened_feature_is_read_by_itself)
{
    struct flow_result r = table("\"map\"", "\"flattened\"");
    double bytes = 1024 * (8 + 28);

    cr_assert_float_eq(r.stages[1].used[ROLE_SERVERS], 3 * 0.010 + bytes / 1e6, 1e-9, "%g",
                       r.stages[1].used[ROLE_SERVERS]);
    cr_assert_float_eq(r.stages[1].used[ROLE_NET], bytes, 1e-6);
}

Test(data_path, lists_that_repeat_within_a_stripe_are_stored_once)
{
    struct flow_result r = table("\"session_features\": 0,\n", "\"session_features\": 3,\n");
    const struct dataset_cfg d = {.rows = 1024,
                                  .partition_rows = 1024,
                                  .session_samples = 16,
                                  .repeat_prob = 0.9,
                                  .active_sessions = 8};
    double groups = dataset_distinct_groups(&d, ORDER_SESSION, 1024, 1);

    cr_assert_lt(groups, 1024 / 4.0);
    cr_assert_float_eq(r.stages[0].used[ROLE_DISK_WRITE], 1024 * (2 * 8 + 28) + 3 * 8 * groups, 1e-6);
}

/* ------------------------------------------------- memory, logs without end */

/* Each sample of 1 MB crosses the bus once in decode: 100 MB/s carry 100 a second at best.  Two workers in
 * step share it, 20 ms a sample instead of 4, and leave it idle for the 5 ms of the rest and the 2 of
 * reading: 2 / 27 ms. */
Test(data_path, a_loader_waits_for_the_memory_of_its_host)
{
    char *bus = text_replaced(LOADER, "\"count\": 4", "\"count\": 4, \"mem_bw\": \"100MB/s\"");
    char *text = text_replaced(bus, "\"fixed\": \"4ms\"", "\"fixed\": \"4ms\", \"mem_per_byte\": 1");
    struct scenario *s = text_scenario(text);
    struct bound b;

    bound_compute(s, arena, &b);
    cr_expect_float_eq(b.throughput_per_s, 100, 1e-9);
    cr_expect_str_eq(b.bottleneck, "host");
    cr_expect_float_eq(run(s).lines[0].throughput_per_s, 2 / 0.027, 0.01);
    scenario_free(s);
    free(bus);
    free(text);
}

/* The log goes on: what was measured after it filled is the bound of its slowest part, whatever the number of
 * rows. */
Test(data_path, a_log_without_end_is_read_at_the_rate_of_the_filled_pipeline)
{
    struct flow_limits limits = {.max_events = 10000000, .warmup = 20, .measured = 200};
    char *steady = text_replaced(DATASET, "{\"items\": 16384}", "\"steady\"");
    char *text = text_replaced(steady, ", \"epochs\": 2", "");
    struct scenario *s = text_scenario(text), *no;
    struct flow_result r;
    struct err err = {0};
    struct bound b;

    bound_compute(s, arena, &b);
    cr_assert_eq(flow_run(s, 1, 0, &limits, arena, &r, &err), 0, "%s", err.text);
    cr_expect_float_eq(r.lines[0].throughput_per_s, b.throughput_per_s, 0.02 * b.throughput_per_s,
                       "%g, not %g", r.lines[0].throughput_per_s, b.throughput_per_s);
    scenario_free(s);
    cr_expect_neq(text_build(steady, &no, &err), 0); /* read twice it must end */
    cr_expect_not_null(strstr(err.text, "with one epoch also \"steady\""), "%s", err.text);
    free(steady);
    free(text);
}
