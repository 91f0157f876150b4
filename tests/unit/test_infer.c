#include "calibrate/infer.h"

#include "pipeline/scenario.h"
#include "store/trace.h"
#include "temp_store.h"

#include <math.h>

/* Recordings made here, so that what must be found in them is known. */

static struct store *store;
static struct inferred found;

static void begin(void)
{
    temp_begin();
    store = temp_open(STORE_WRITE);
}

static void end(void)
{
    json_free(found.tree);
    store_close(store);
    temp_end();
}

TestSuite(infer, .init = begin, .fini = end);

static int64_t trace_of(const struct span *spans, size_t n)
{
    struct trace_info info = {.name = "recorded", .kind = "import"};
    int64_t id;

    OK(trace_create(store, &info, &id, &err));
    OK(trace_append(store, id, spans, n, &err));
    return id;
}

static struct span span_at(const char *stage, const char *op, int64_t item, double from, double to)
{
    return (struct span){.stage = stage,
                         .op = op,
                         .variant = "",
                         .item = item,
                         .start_s = from,
                         .end_s = to,
                         .cpu_s = NAN,
                         .items = NAN,
                         .bytes_in = NAN,
                         .bytes_out = NAN};
}

static double law_mean(const struct json *law)
{
    return json_type(law) == JSON_NUMBER ? json_number(law)
                                         : json_get_number(json_get(law, "lognormal"), "mean", NAN);
}

static const struct json *stage(size_t i)
{
    return json_at(json_get(found.tree, "stages"), i);
}

static const struct json *op(size_t i, size_t k)
{
    return json_at(json_get(json_get(stage(i), "params"), "ops"), k);
}

/* ------------------------------------------------------------------ steps */

enum { STEPS = 6 };

/* Steps of 10 ms: 3 ms waiting, then kernels on two overlapping streams for 5 ms, 2 ms of nothing; the first
 * and the last step take twice as long. */
static int64_t training(const char *loader, double wait_s)
{
    struct span s[4 * STEPS];
    double at = 100;
    size_t n = 0;

    for (int i = 0; i < STEPS; i++) {
        double begins = at;

        at += i == 0 || i == STEPS - 1 ? .020 : .010;
        s[n++] = span_at("step", "ProfilerStep", i, begins, at);
        s[n++] = span_at("loader", loader, -1, begins, begins + wait_s);
        s[n++] = span_at("kernel", "a", -1, begins + wait_s, begins + wait_s + .004);
        s[n++] = span_at("copy", "b", -1, begins + wait_s + .001, begins + wait_s + .005);
    }
    return trace_of(s, n);
}

Test(infer, a_loader_in_the_loop_gives_one_batch_at_a_time)
{
    int64_t id = training("enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__", .003);

    OK(infer(store, &id, 1, arena, &found, &err));
    cr_expect_float_eq(found.recorded.mean, 100, 1e-6, "%g", found.recorded.mean);
    cr_expect_float_eq(json_get_number(json_get(json_get(found.tree, "workload"), "closed"), "in_flight", 0),
                       1, 0);
    cr_expect_float_eq(law_mean(json_get(op(0, 0), "cpu")), .003, 1e-9);
    cr_expect_float_eq(law_mean(json_get(op(1, 0), "cpu")), .002, 1e-9); /* the host, alone */
    cr_expect_float_eq(law_mean(json_get(op(1, 1), "gpu")), .005, 1e-9); /* overlapping streams count once */
}

Test(infer, loader_processes_run_beside_the_loop_and_their_time_is_assumed)
{
    int64_t id = training("enumerate(DataLoader)#_MultiProcessingDataLoaderIter.__next__", .001);

    OK(infer(store, &id, 1, arena, &found, &err));
    cr_expect_str_eq(json_get_string(json_get(json_get(found.tree, "workload"), "closed"), "in_flight", ""),
                     "max");
    cr_expect_not_null(json_get(json_get(found.tree, "assumed"), "stages.load.params.ops[0].cpu"));
    cr_expect_str_eq(json_get_string(op(1, 0), "name", ""), "take-batch");
    cr_expect_float_eq(law_mean(json_get(op(1, 0), "cpu")), .001, 1e-9);
}

Test(infer, a_device_that_works_during_the_wait_hides_behind_it)
{
    struct span s[3 * STEPS];
    int64_t id;

    for (int i = 0; i < STEPS; i++) { /* the whole step waits, and the device is busy all along */
        s[3 * i] = span_at("step", "ProfilerStep", i, i, i + 1);
        s[3 * i + 1] = span_at("loader", "_SingleProcessDataLoaderIter", -1, i, i + .8);
        s[3 * i + 2] = span_at("kernel", "k", -1, i, i + 1);
    }
    id = trace_of(s, sizeof s / sizeof *s);
    OK(infer(store, &id, 1, arena, &found, &err));
    cr_expect_float_eq(law_mean(json_get(op(0, 0), "cpu")), .8, 1e-9);
    cr_expect_float_eq(law_mean(json_get(op(1, 0), "gpu")), .2, 1e-9);
    cr_expect_eq(json_size(json_get(json_get(stage(1), "params"), "ops")), 1, "the host does nothing alone");
}

Test(infer, one_step_is_too_few)
{
    struct span s[] = {span_at("step", "ProfilerStep", 0, 0, 1)};
    int64_t id = trace_of(s, 1);

    FAILS(infer(store, &id, 1, arena, &found, &err), ERR_TRACE, "at least 2");
}

/* ------------------------------------------------------------------ calls */

enum { REQUESTS = 20 };

/* ask [0, 100) calls search [10, 40), which calls rank [20, 30), and two lookups side by side [50, 70), [55,
 * 80); `gap`: a part of its own that no span covers. */
static int64_t service(bool gap)
{
    struct span s[6 * REQUESTS];
    size_t n = 0;

    for (int i = 0; i < REQUESTS; i++) {
        double t = i;

        s[n++] = span_at("web", "ask", i, t, t + .100);
        s[n++] = span_at("db", "rank", i, t + .020, t + .030);
        s[n++] = span_at("db", "search", i, t + .010, t + .040);
        s[n++] = span_at("db", "lookup", i, t + .050, t + .070);
        s[n++] = span_at("db", "lookup", i, t + .055, t + .080);
        if (gap)
            s[n++] = span_at("web", "send", i, t + .130, t + .150);
    }
    return trace_of(s, n);
}

static double charge(const char *name)
{
    JSON_EACH (st, json_get(found.tree, "stages"))
        if (strcmp(json_get_string(st, "name", ""), name) == 0)
            return law_mean(json_get(json_get(st, "params"), "service"));
    return 0;
}

Test(infer, every_moment_is_charged_to_the_innermost_call)
{
    int64_t id = service(false);

    OK(infer(store, &id, 1, arena, &found, &err));
    cr_expect_float_eq(charge("ask"), .040, 1e-9, "%g", charge("ask"));
    cr_expect_float_eq(charge("search"), .020, 1e-9);
    cr_expect_float_eq(charge("rank"), .010, 1e-9);
    cr_expect_float_eq(charge("lookup"), .030, 1e-9, "side by side counts once");
    cr_expect_float_eq(charge("ask") + charge("search") + charge("rank") + charge("lookup"), .1, 1e-9);
    cr_expect_float_eq(found.recorded.mean, 1, 1e-9);
    cr_expect_str_eq(json_get_string(stage(0), "name", ""), "ask");
    cr_expect_str_eq(json_get_string(stage(1), "name", ""), "search");
    cr_expect_str_eq(json_get_string(stage(2), "name", ""), "rank");
}

Test(infer, servers_are_the_most_spans_open_at_once)
{
    int64_t id = service(false);
    const struct json *r;

    OK(infer(store, &id, 1, arena, &found, &err));
    r = json_get(found.tree, "resources");
    cr_expect_float_eq(json_get_number(json_get(r, "lookup servers"), "count", 0), 2, 0);
    cr_expect_float_eq(json_get_number(json_get(r, "search servers"), "count", 0), 1, 0);
    cr_expect_not_null(json_get(json_get(found.tree, "assumed"), "resources.lookup servers.count"));
}

Test(infer, moments_without_a_span_are_a_stage_of_their_own)
{
    int64_t id = service(true);

    OK(infer(store, &id, 1, arena, &found, &err));
    cr_expect_float_eq(charge("elsewhere"), .030, 1e-9);
    cr_expect_float_eq(charge("send"), .020, 1e-9);
}

Test(infer, spans_without_a_request_are_refused)
{
    struct span s[] = {span_at("web", "ask", -1, 0, 1)};
    int64_t id = trace_of(s, 1);

    FAILS(infer(store, &id, 1, arena, &found, &err), ERR_TRACE, "which request");
}

Test(infer, names_are_data)
{
    struct span s[3 * HOSTILE];
    struct scenario_options so = {0};
    struct scenario *scenario;
    int64_t id;

    for (int i = 0; i < HOSTILE; i++)
        for (int k = 0; k < 3; k++)
            s[3 * i + k] = span_at(hostile[i], hostile[i], k, k + .01 * i, k + .01 * (i + 1));
    id = trace_of(s, sizeof s / sizeof *s);
    OK(infer(store, &id, 1, arena, &found, &err));
    if (scenario_build(found.tree, "inferred", &so, &scenario, &err) == 0)
        scenario_free(scenario);
    else
        cr_assert_not_null(strstr(err.text, "name"), "%s", err.text); /* an empty name is refused by name */
}

/* ------------------------------------------------------------- what is there */

Test(infer, a_trace_of_nothing_useful_says_what_to_look_at)
{
    int64_t id = trace_of(NULL, 0);

    FAILS(infer(store, &id, 1, arena, &found, &err), ERR_USAGE, "trace show");
}

Test(infer, two_pipelines_do_not_make_one_scenario)
{
    int64_t ids[] = {service(false), service(false)};

    FAILS(infer(store, ids, 2, arena, &found, &err), ERR_USAGE, "both describe");
}
