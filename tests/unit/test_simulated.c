/* A simulated run kept as a trace: what its spans say is what the run reported, and it can be drawn. */
#include "study/simulated.h"

#include "base/json.h"
#include "scenario_text.h"
#include "store/trace.h"
#include "temp_store.h"

#include <math.h>

TestSuite(simulated, .init = temp_begin, .fini = temp_end, .timeout = 60);

/* Three workers, then one that holds them back, and an end. */
static const char CHAIN[] =
    "{ \"name\": \"chain\", \"unit\": \"sample\", \"horizon\": {\"items\": 300},\n"
    "  \"workload\": {\"closed\": {\"in_flight\": \"max\"}},\n"
    "  \"resources\": {\"p\": {\"kind\": \"cores\", \"count\": 2}, \"q\": {\"kind\": \"cores\"}},\n"
    "  \"stages\": [\n"
    "    {\"name\": \"a\", \"model\": \"operators\", \"on\": {\"cpu\": \"p\"}, \"params\": {\"workers\": 3, "
    "\"ops\": "
    "[{\"name\": \"x\", \"cpu\": {\"exponential\": \"30ms\"}}]}},\n"
    "    {\"name\": \"b\", \"model\": \"operators\", \"on\": {\"cpu\": \"q\"}, \"params\": {\"ops\": "
    "[{\"name\": "
    "\"x\", \"cpu\": {\"exponential\": \"20ms\"}}]}} ] }\n";

static struct simulated simulated(struct store *st, const struct scenario *s, struct outcome *o)
{
    struct simulate_options opt = {.replications = 1, .threads = 1};
    struct simulated out = {0};

    OK(simulate(s, &opt, arena, o, &err));
    OK(keep_simulated(s, &opt, o, st, "sim", &out, &err));
    return out;
}

struct seen {
    double busy_s, latest_s;
    int workers;
    long n;
};

static int see(void *ctx, const struct span *p, struct err *e)
{
    struct seen *s = ctx;

    (void)e;
    s->busy_s += p->end_s - p->start_s;
    s->latest_s = fmax(s->latest_s, p->end_s);
    s->workers = p->worker >= s->workers ? p->worker + 1 : s->workers;
    s->n++;
    return 0;
}

static struct seen seen_of(struct store *st, int64_t id, const char *stage)
{
    struct seen s = {0};

    OK(trace_each(st, id, stage, NULL, see, &s, &err));
    return s;
}

Test(simulated, busy_time_of_the_spans_is_the_reported_utilization)
{
    struct store *st = temp_open(STORE_WRITE);
    struct scenario *s = text_scenario(CHAIN);
    struct outcome o;
    struct simulated t = simulated(st, s, &o);
    struct seen a = seen_of(st, t.trace_id, "a"), b = seen_of(st, t.trace_id, "b");

    cr_expect_eq(t.left_out, 0);
    cr_expect_eq(a.n, 300);
    cr_expect_eq(b.n, 300);
    cr_expect_eq(t.spans, 600);
    cr_expect_eq(a.workers, 3);
    cr_expect_eq(b.workers, 1);
    cr_expect_float_eq(b.latest_s, o.makespan_s.mean, 1e-9 * b.latest_s);
    cr_expect_float_eq(a.busy_s / (3 * o.makespan_s.mean), o.stages[0].utilization.mean, 1e-9,
                       "%g, reported %g", a.busy_s / (3 * o.makespan_s.mean), o.stages[0].utilization.mean);
    cr_expect_float_eq(b.busy_s / o.makespan_s.mean, o.stages[1].utilization.mean, 1e-9);
    cr_expect_lt(o.stages[1].utilization.mean, 1);
    scenario_free(s);
    store_close(st);
}

Test(simulated, servers_without_workers_are_busy_for_the_time_of_service)
{
    struct store *st = temp_open(STORE_WRITE);
    struct scenario *s = text_scenario(MMC);
    struct outcome o;
    struct simulated t = simulated(st, s, &o);
    struct seen d = seen_of(st, t.trace_id, "desk");

    cr_expect_eq(t.spans, SIMULATED_SPANS, "200,000 pieces are measured");
    /* the mean service of 3.2 s, to three standard errors of 200,000 exponential draws */
    cr_expect_float_eq(d.busy_s / (double)d.n, 3.2, 3 * 3.2 / sqrt((double)d.n));
    cr_expect_float_eq(d.busy_s / (double)d.n, o.stages[0].service_s.mean, 1e-3);
    scenario_free(s);
    store_close(st);
}

Test(simulated, more_spans_than_are_kept_are_counted)
{
    char *text = text_replaced(CHAIN, "300}", "150000}");
    struct store *st = temp_open(STORE_WRITE);
    struct scenario *s = text_scenario(text);
    struct trace_row row;
    struct outcome o;
    struct simulated t = simulated(st, s, &o);

    cr_expect_eq(t.spans, SIMULATED_SPANS);
    cr_expect_eq(t.left_out, 300000 - SIMULATED_SPANS);
    OK(trace_info_load(st, t.trace_id, arena, &row, &err));
    cr_expect_eq(row.spans, SIMULATED_SPANS);
    cr_expect_str_eq(row.info.kind, "simulated");
    cr_expect_str_eq(row.info.note, "replication 0; cut: 100000 later spans are left out");
    scenario_free(s);
    store_close(st);
    free(text);
}

/* Every worker has one track, on which no slice begins before the last one ended. */
Test(simulated, the_drawing_has_a_track_per_worker_without_overlaps)
{
    struct store *st = temp_open(STORE_WRITE);
    struct scenario *s = text_scenario(CHAIN);
    struct outcome o;
    struct simulated t = simulated(st, s, &o);
    double until[16] = {0};
    int tracks = 0, slices = 0;
    struct json *doc;
    const struct json *events;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    OK(trace_export(st, t.trace_id, TRACE_CHROME, f, &err));
    fclose(f);
    OK(json_parse(text, "export", &doc, &err));
    events = json_get(doc, "traceEvents");
    for (size_t i = 0; i < json_size(events); i++) {
        const struct json *e = json_at(events, i);
        int tid = (int)json_get_number(e, "tid", -1);

        tracks += strcmp(json_get_string(e, "name", ""), "thread_name") == 0;
        if (strcmp(json_get_string(e, "ph", ""), "X") != 0)
            continue;
        cr_assert(tid > 0 && tid < 16);
        cr_assert_geq(json_get_number(e, "ts", -1), until[tid] - 1e-4); /* tenths of a nanosecond */
        until[tid] = json_get_number(e, "ts", 0) + json_get_number(e, "dur", 0);
        slices++;
    }
    cr_expect_eq(slices, 600);
    cr_expect_eq(tracks, 4);
    json_free(doc);
    free(text);
    scenario_free(s);
    store_close(st);
}

Test(simulated, visits_to_a_stage_with_state_are_in_it)
{
    static const char text[] =
        "{ \"name\": \"gen\", \"unit\": \"request\", \"horizon\": {\"items\": 50},\n"
        "  \"workload\": {\"clients\": {\"count\": 8, \"think\": \"0s\"}},\n"
        "  \"resources\": {\"c0\": {\"kind\": \"cores\"}, \"c1\": {\"kind\": \"cores\"}},\n"
        "  \"stages\": [ {\"name\": \"ask\", \"model\": \"prompt\", \"params\": {\"graph\": "
        "\"retrieve_each_round\", \"rounds\": 2, \"prompt_tokens\": 288, \"output_tokens\": {\"uniform\": "
        "[16, "
        "48]}}, \"calls\": {\"retriever\": \"search\", \"llm\": \"gen\"}},\n"
        "    {\"name\": \"search\", \"model\": \"station\", \"on\": {\"servers\": \"c0\"}, \"params\": "
        "{\"service\": \"1.7ms\"}},\n"
        "    {\"name\": \"gen\", \"model\": \"llm_serving\", \"on\": {\"gpu\": \"c1\"}, \"params\": "
        "{\"policy\": "
        "\"vllm\", \"max_batch\": 8, \"ops\": {\"prefill\": [[96, \"20ms\"], [288, \"63ms\"], [544, "
        "\"122ms\"]], "
        "\"decode\": [[1, \"4.7ms\"], [4, \"6.5ms\"], [8, \"9.7ms\"]]}}} ] }\n";
    struct store *st = temp_open(STORE_WRITE);
    struct scenario *s = text_scenario(text);
    struct outcome o;
    struct simulated t = simulated(st, s, &o);
    struct seen ask = seen_of(st, t.trace_id, "ask"), search = seen_of(st, t.trace_id, "search");

    cr_expect_geq(ask.n, 50);
    cr_expect_geq(search.n, 2 * 50, "two rounds of each that left");
    cr_expect_float_eq(search.busy_s / (double)search.n, 1.7e-3, 1e-9);
    cr_expect_float_eq(ask.busy_s / (double)ask.n, o.latency_s[0].mean, 1e-9 * ask.busy_s,
                       "all of a request's time is its visit: %g, reported %g", ask.busy_s / (double)ask.n,
                       o.latency_s[0].mean);
    cr_expect_gt(seen_of(st, t.trace_id, "gen").n, 0);
    scenario_free(s);
    store_close(st);
}
