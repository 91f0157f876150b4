/* What is exported for Perfetto: valid JSON, in order of time, and on every track slices that nest or stand
 * apart. */
#include "import_helpers.h"

#include "base/json.h"
#include "store/trace.h"

#include <math.h>

TestSuite(trace_chrome, .init = temp_begin, .fini = temp_end, .timeout = 60);

static struct json *exported(struct store *s, int64_t id)
{
    char *text = NULL;
    struct json *doc;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    OK(trace_export(s, id, TRACE_CHROME, f, &err));
    fclose(f);
    OK(json_parse(text, "export", &doc, &err));
    free(text);
    return doc;
}

/* Microseconds with three decimals, as whole nanoseconds. */
static int64_t ns(const struct json *event, const char *key)
{
    return llround(json_get_number(event, key, NAN) * 1000);
}

enum { TRACKS = 4096, DEEPEST = 64, SPANS = 3000 };

static struct {
    int64_t end_ns[DEEPEST];
    int depth;
    bool named;
} track[TRACKS]; /* by thread id, which are unique over processes */

static void check_slice(const struct json *e, int tid)
{
    int64_t start = ns(e, "ts"), end = start + ns(e, "dur");

    cr_assert_geq(end, start);
    while (track[tid].depth > 0 && track[tid].end_ns[track[tid].depth - 1] <= start)
        track[tid].depth--;
    if (track[tid].depth > 0)
        cr_assert_leq(end, track[tid].end_ns[track[tid].depth - 1],
                      "a slice at %lld ns sticks out of the one around it", (long long)start);
    cr_assert_lt(track[tid].depth, DEEPEST);
    track[tid].end_ns[track[tid].depth++] = end;
}

/* Checks every event; hands out how many slices and threads there are. */
static void check(const struct json *doc, int *slices, int *threads)
{
    const struct json *events = json_get(doc, "traceEvents");
    int64_t latest = 0;

    memset(track, 0, sizeof track);
    *slices = *threads = 0;
    for (size_t i = 0; i < json_size(events); i++) {
        const struct json *e = json_at(events, i);
        const char *ph = json_get_string(e, "ph", "");
        int tid = (int)json_get_number(e, "tid", -1);

        cr_assert(tid >= 0 && tid < TRACKS && json_get_number(e, "pid", -1) >= 1);
        if (strcmp(ph, "M") == 0) {
            track[tid].named = true;
            *threads += strcmp(json_get_string(e, "name", ""), "thread_name") == 0;
            continue;
        }
        cr_assert(track[tid].named, "a thread without a name");
        cr_assert_geq(ns(e, "ts"), latest, "events are in order of their start");
        latest = ns(e, "ts");
        if (strcmp(ph, "X") == 0)
            check_slice(e, tid);
        else
            cr_assert_str_eq(ph, "i");
        *slices += strcmp(ph, "X") == 0;
    }
}

static uint32_t state = 7;

static double drawn(void)
{
    state = state * 1664525u + 1013904223u;
    return (double)(state >> 8) / (1 << 24);
}

/* Spans of one worker that overlap in every way: nested, staggered, equal, empty, and before second 0. */
Test(trace_chrome, overlapping_spans_are_dealt_out_to_lanes)
{
    struct store *s = temp_open(STORE_WRITE);
    static struct span spans[SPANS];
    struct trace_info info = {.name = "t", .kind = "exec"};
    struct json *doc;
    int64_t id;
    int slices, threads;

    OK(trace_create(s, &info, &id, &err));
    for (int i = 0; i < SPANS; i++) {
        struct span *p = &spans[i];

        *p = (struct span){.stage = i % 2 ? "prep" : "train", .op = "x", .item = i, .worker = i % 3};
        p->start_s = -1 + 20 * drawn();
        p->end_s = p->start_s + (i % 7 == 0 ? 0 : i % 5 == 0 ? 2 * drawn() : 1e-3 * drawn());
        p->cpu_s = p->items = p->bytes_in = p->bytes_out = NAN;
    }
    OK(trace_append(s, id, spans, SPANS, &err));
    doc = exported(s, id);
    check(doc, &slices, &threads);
    cr_expect_eq(slices, SPANS);
    cr_expect_gt(threads, 6, "staggered spans need lanes of their own");
    json_free(doc);
    store_close(s);
}

Test(trace_chrome, nested_spans_stay_on_one_track)
{
    struct store *s = temp_open(STORE_WRITE);
    struct trace_info info = {.name = "t", .kind = "exec"};
    struct span p[] = {{.stage = "a", .op = "outer", .start_s = 0, .end_s = 1},
                       {.stage = "a", .op = "inner", .start_s = 0.25, .end_s = 1},
                       {.stage = "a", .op = "next", .start_s = 1, .end_s = 2}};
    struct json *doc;
    int64_t id;
    int slices, threads;

    OK(trace_create(s, &info, &id, &err));
    OK(trace_append(s, id, p, 3, &err));
    doc = exported(s, id);
    check(doc, &slices, &threads);
    cr_expect_eq(slices, 3);
    cr_expect_eq(threads, 1);
    json_free(doc);
    store_close(s);
}

Test(trace_chrome, requests_are_slices_of_queue_prefill_and_decode)
{
    static const char csv[] =
        "at,in,out,wait,first,all\n0,10,5,0.5,1,3\n1,10,5,0,0.5,4\n3.5,10,5,,,1\n6,1,1,,,\n";
    static const struct import_options map = {
        .map = "requests: arrival_s = at, input_tokens = in, output_tokens = out, "
               "queue_s = wait, ttft_s = first, latency_s = all"};
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;
    struct json *doc;
    int slices, threads;

    OK(import_into(s, write_text("r.csv", csv), &map, &r));
    doc = exported(s, r.trace_id);
    check(doc, &slices, &threads);
    cr_expect_eq(slices, 3 + 2 + 3, "three requests; the second never waited; the third knows no parts");
    cr_expect_eq(threads, 2,
                 "two at a time; the third finds the first one's lane free, the fourth is an instant");
    json_free(doc);
    store_close(s);
}

Test(trace_chrome, what_has_no_place_in_time_is_not_drawn)
{
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;

    OK(import_into(s,
                   write_text("ops.csv", "op,tokens,batch,chunk,context,time_s\nprefill,512,1,512,0,0.041\n"),
                   NULL, &r));
    FAILS(trace_export(s, r.trace_id, TRACE_CHROME, stdout, &err), ERR_USAGE, "nothing to draw");
    store_close(s);
}

/* What is exported as CSV can be imported again, and says the same. */
Test(trace_chrome, csv_of_costs_and_spans_comes_back)
{
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r, again;
    char path[200];
    FILE *f;

    snprintf(path, sizeof path, "%s/again.csv", temp_folder);
    OK(import_into(s,
                   write_text("ops.csv", "op,tokens,batch,chunk,context,time_s\nprefill,512,1,512,0,0.1\n"
                                         "decode,8,8,,1024,0.0097\n"),
                   NULL, &r));
    f = fopen(path, "w");
    OK(trace_export(s, r.trace_id, TRACE_CSV, f, &err));
    fclose(f);
    OK(import_into(s, path, NULL, &again));
    cr_expect_str_eq(again.format, "llm-ops");
    cr_expect_eq(again.kept, 2);
    cr_expect_eq(again.unknown_n, 0);
    cr_expect_eq(
        ask_number(
            "SELECT count(*) FROM operator_costs a JOIN operator_costs b USING (op, tokens, batch, context, "
            "time_s) WHERE a.trace_id = 1 AND b.trace_id = 2"),
        2);
    store_close(s);
}
