#include "temp_store.h"

#include "store/trace.h"

#include <math.h>

TestSuite(trace, .init = temp_begin, .fini = temp_end, .timeout = 60);

static int64_t create(struct store *s, const char *name, const char *kind)
{
    struct trace_info info = {.name = name, .kind = kind};
    int64_t id = 0;

    OK(trace_create(s, &info, &id, &err));
    return id;
}

static struct span a_span(const char *stage, const char *op, double start_s)
{
    return (struct span){.stage = stage,
                         .op = op,
                         .variant = "",
                         .item = 7,
                         .worker = 1,
                         .start_s = start_s,
                         .end_s = start_s + 0.25,
                         .cpu_s = 0.125,
                         .items = 64,
                         .bytes_in = 1000,
                         .bytes_out = 500};
}

struct seen {
    int n;
    struct span last;
    char names[200], stages[200];
    int stop_after;
};

static int look(void *ctx, const struct span *p, struct err *e)
{
    struct seen *seen = ctx;

    seen->last = *p;
    snprintf(seen->names, sizeof seen->names, "%s|%s|%s", p->stage, p->op, p->variant);
    snprintf(seen->stages + strlen(seen->stages), sizeof seen->stages - strlen(seen->stages), "%s.%s ",
             p->stage, p->op);
    if (++seen->n == seen->stop_after)
        return err_set(e, ERR_TRACE, "enough");
    return 0;
}

Test(trace, everything_about_a_trace_comes_back)
{
    struct store *s = temp_open(STORE_WRITE);
    struct trace_info info = {.name = "n",
                              .kind = "profile",
                              .scenario = "sc",
                              .scenario_sha256 = "ab",
                              .host_json = "{\"cores\": 2}",
                              .note = "cold cache",
                              .seed = UINT64_MAX};
    struct trace_row row;
    int64_t id;

    OK(trace_create(s, &info, &id, &err));
    OK(trace_info_load(s, id, arena, &row, &err));
    cr_expect_eq(row.id, id);
    cr_expect_str_eq(row.info.name, "n");
    cr_expect_str_eq(row.info.kind, "profile");
    cr_expect_str_eq(row.info.scenario, "sc");
    cr_expect_str_eq(row.info.scenario_sha256, "ab");
    cr_expect_str_eq(row.info.host_json, "{\"cores\": 2}");
    cr_expect_str_eq(row.info.note, "cold cache");
    cr_expect_eq(row.info.seed, UINT64_MAX);
    cr_expect_eq(strlen(row.created), 20);
    FAILS(trace_info_load(s, 99, arena, &row, &err), ERR_USAGE, "99");
    store_close(s);
}

Test(trace, a_span_comes_back_exactly_and_unknown_stays_unknown)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = create(s, "t", "exec");
    struct span p = {.stage = "prep",
                     .op = "hash",
                     .variant = "zstd/session",
                     .item = -1,
                     .worker = 3,
                     .start_s = 0.1,
                     .end_s = 1.0 / 3,
                     .cpu_s = NAN,
                     .items = 1e17,
                     .bytes_in = NAN,
                     .bytes_out = 0};
    struct seen seen = {0};

    OK(trace_append(s, id, &p, 1, &err));
    OK(trace_each(s, id, NULL, NULL, look, &seen, &err));
    cr_expect_eq(seen.n, 1);
    cr_expect_str_eq(seen.names, "prep|hash|zstd/session");
    cr_expect_eq(seen.last.item, -1);
    cr_expect_eq(seen.last.worker, 3);
    cr_expect_eq(seen.last.start_s, 0.1);
    cr_expect_eq(seen.last.end_s, 1.0 / 3);
    cr_expect(isnan(seen.last.cpu_s) && isnan(seen.last.bytes_in));
    cr_expect_eq(seen.last.items, 1e17);
    cr_expect_eq(seen.last.bytes_out, 0);
    store_close(s);
}

Test(trace, hostile_names_survive)
{
    struct store *s = temp_open(STORE_WRITE);

    for (int i = 0; i < HOSTILE; i++) {
        struct trace_info info = {
            .name = hostile[i], .kind = "import", .scenario = hostile[i], .note = hostile[i]};
        struct span p = {.stage = hostile[i], .op = hostile[i], .variant = hostile[i], .end_s = 1};
        struct seen seen = {0};
        struct trace_row row;
        char expected[200];
        int64_t id, found;

        OK(trace_create(s, &info, &id, &err));
        OK(trace_append(s, id, &p, 1, &err));
        OK(trace_each(s, id, hostile[i], hostile[i], look, &seen, &err));
        snprintf(expected, sizeof expected, "%s|%s|%s", hostile[i], hostile[i], hostile[i]);
        cr_expect_str_eq(seen.names, expected);
        OK(trace_info_load(s, id, arena, &row, &err));
        cr_expect_str_eq(row.info.name, hostile[i]);
        cr_expect_str_eq(row.info.note, hostile[i]);
        if (strcmp(hostile[i], "latest:") != 0) {
            OK(trace_find(s, hostile[i], &found, &err));
            cr_expect_eq(found, id);
        }
    }
    store_close(s);
}

Test(trace, each_filters_by_stage_and_operator_in_a_stable_order)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = create(s, "t", "exec"), other = create(s, "other", "exec");
    struct span p[] = {a_span("read", "zstd", 0), a_span("prep", "hash", 1), a_span("read", "zstd", 2),
                       a_span("prep", "clip", 3)};
    struct seen all = {0}, prep = {0}, one = {0}, none = {0};

    OK(trace_append(s, id, p, 4, &err));
    OK(trace_append(s, other, p, 1, &err));
    OK(trace_append(s, id, p, 2, &err));
    OK(trace_each(s, id, NULL, NULL, look, &all, &err));
    cr_expect_str_eq(all.stages, "read.zstd read.zstd read.zstd prep.hash prep.hash prep.clip ");
    OK(trace_each(s, id, "prep", NULL, look, &prep, &err));
    cr_expect_eq(prep.n, 3);
    OK(trace_each(s, id, "prep", "clip", look, &one, &err));
    cr_expect_eq(one.n, 1);
    OK(trace_each(s, id, "", NULL, look, &none, &err));
    cr_expect_eq(none.n, 0);
    store_close(s);
}

Test(trace, the_callers_error_stops_the_walk)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = create(s, "t", "exec");
    struct span p[] = {a_span("a", "b", 0), a_span("a", "b", 1), a_span("a", "b", 2)};
    struct seen seen = {.stop_after = 2};

    OK(trace_append(s, id, p, 3, &err));
    FAILS(trace_each(s, id, NULL, NULL, look, &seen, &err), ERR_TRACE, "enough");
    cr_expect_eq(seen.n, 2);
    store_close(s);
}

Test(trace, an_impossible_span_stores_nothing)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = create(s, "t", "exec");
    struct span p[] = {a_span("prep", "hash", 0), a_span("prep", "ha\nsh", 5)};
    struct trace_row row;

    p[1].end_s = 4;
    FAILS(trace_append(s, id, p, 2, &err), ERR_TRACE, "\"ha?sh\" runs from 5 s to 4 s");
    p[1].end_s = NAN;
    FAILS(trace_append(s, id, p, 2, &err), ERR_TRACE, "prep");
    p[1].end_s = INFINITY;
    FAILS(trace_append(s, id, p, 2, &err), ERR_TRACE, "inf");
    FAILS(trace_append(s, id + 1, p, 1, &err), ERR_USAGE, "no trace");
    OK(trace_info_load(s, id, arena, &row, &err));
    cr_expect_eq(row.spans, 0);
    store_close(s);
}

Test(trace, many_operators_keep_their_own_spans)
{
    enum { OPERATORS = 2000 }; /* more than the appender remembers */
    struct store *s = temp_open(STORE_WRITE);
    struct span *p = arena_array(arena, 2 * OPERATORS, sizeof *p);
    int64_t id = create(s, "t", "import");
    struct trace_op *ops;
    size_t n;

    for (int i = 0; i < 2 * OPERATORS; i++)
        p[i] = a_span("gpu", arena_printf(arena, "kernel_%d", i % OPERATORS), i);
    OK(trace_append(s, id, p, 2 * OPERATORS, &err));
    OK(trace_summary(s, id, arena, &ops, &n, &err));
    cr_assert_eq(n, OPERATORS);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(ops[i].n, 2);
        cr_assert_str_eq(ops[i].op, p[i].op);
    }
    store_close(s);
}

Test(trace, summary_adds_up_and_leaves_out_what_is_unknown)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = create(s, "t", "exec");
    struct span p[] = {a_span("prep", "hash", 0), a_span("prep", "hash", 2), a_span("read", "zstd", 1)};
    struct trace_op *ops;
    size_t n;

    p[1].cpu_s = NAN;
    p[2].cpu_s = p[2].bytes_out = NAN;
    OK(trace_append(s, id, p, 3, &err));
    OK(trace_summary(s, id, arena, &ops, &n, &err));
    cr_assert_eq(n, 2);
    cr_expect_str_eq(ops[0].op, "hash");
    cr_expect_eq(ops[0].n, 2);
    cr_expect_eq(ops[0].cpu_s, 0.125);
    cr_expect_eq(ops[0].wall_mean_s, 0.25);
    cr_expect_eq(ops[0].items, 128);
    cr_expect_eq(ops[0].bytes_in, 2000);
    cr_expect(isnan(ops[1].cpu_s) && isnan(ops[1].bytes_out));
    store_close(s);
}

Test(trace, find_takes_ids_names_and_latest)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t found, a, b, c;
    char id[32];

    FAILS(trace_find(s, "baseline", &found, &err), ERR_USAGE, "holds no traces yet");
    a = create(s, "baseline", "exec");
    b = create(s, "operators", "profile");
    c = create(s, "baseline", "exec");
    OK(trace_find(s, "latest", &found, &err));
    cr_expect_eq(found, c);
    OK(trace_find(s, "latest:profile", &found, &err));
    cr_expect_eq(found, b);
    OK(trace_find(s, "baseline", &found, &err));
    cr_expect_eq(found, c, "a name means the newest");
    snprintf(id, sizeof id, "%lld", (long long)a);
    OK(trace_find(s, id, &found, &err));
    cr_expect_eq(found, a);
    FAILS(trace_find(s, "basline", &found, &err), ERR_USAGE, "did you mean \"baseline\"?");
    FAILS(trace_find(s, "latest:import", &found, &err), ERR_USAGE, "latest:");
    FAILS(trace_find(s, "zzzzzzzzzzzzz", &found, &err), ERR_USAGE, "there is \"baseline\", \"operators\"");
    FAILS(trace_find(s, "99999999999999999999", &found, &err), ERR_USAGE, "no trace");
    store_close(s);
}

Test(trace, list_is_newest_first_and_filters_by_kind)
{
    struct store *s = temp_open(STORE_WRITE);
    struct trace_row *rows;
    size_t n;

    for (int i = 0; i < 20; i++)
        create(s, i == 19 ? "last" : "t", i % 2 ? "exec" : "import");
    OK(trace_list(s, NULL, arena, &rows, &n, &err));
    cr_assert_eq(n, 20);
    cr_expect_str_eq(rows[0].info.name, "last");
    for (size_t i = 1; i < n; i++)
        cr_expect_lt(rows[i].id, rows[i - 1].id);
    OK(trace_list(s, "import", arena, &rows, &n, &err));
    cr_expect_eq(n, 10);
    store_close(s);
}

Test(trace, removal_takes_the_spans_along_and_never_reuses_the_id)
{
    struct store *s = temp_open(STORE_WRITE);
    struct span p[] = {a_span("prep", "hash", 0), a_span("prep", "clip", 1)};
    int64_t keep = create(s, "keep", "exec"), gone = create(s, "gone", "exec");
    struct text report = {0};
    struct seen seen = {0};

    OK(trace_append(s, keep, p, 2, &err));
    OK(trace_append(s, gone, p, 2, &err));
    OK(trace_remove(s, gone, &err));
    FAILS(trace_remove(s, gone, &err), ERR_USAGE, "no trace");
    OK(trace_each(s, gone, NULL, NULL, look, &seen, &err));
    cr_expect_eq(seen.n, 0);
    OK(trace_each(s, keep, NULL, NULL, look, &seen, &err));
    cr_expect_eq(seen.n, 2);
    cr_expect_gt(create(s, "next", "exec"), gone);
    OK(store_check(s, &report, &err));
    cr_expect_not_null(strstr(report.s, "span         2\n"));
    text_free(&report);
    store_close(s);
}

static char *exported(struct store *s, int64_t id, enum trace_format format)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    OK(trace_export(s, id, format, f, &err));
    fclose(f);
    return text;
}

Test(trace, csv_quotes_names_and_keeps_numbers)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = create(s, "t", "exec");
    struct span p = a_span("pr,ep", "say \"hi\"", 0.1);
    char *csv;

    p.cpu_s = NAN;
    p.end_s = 0.1 + 0.2;
    OK(trace_append(s, id, &p, 1, &err));
    csv = exported(s, id, TRACE_CSV);
    cr_expect_str_eq(csv, "stage,op,variant,item,worker,start_s,end_s,cpu_s,items,bytes_in,bytes_out\n"
                          "\"pr,ep\",\"say \"\"hi\"\"\",,7,1,0.1,0.30000000000000004,,64,1000,500\n");
    free(csv);
    store_close(s);
}

Test(trace, chrome_export_escapes_names_and_counts_microseconds)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = create(s, "a \"b\"\n", "exec");
    struct span p[] = {a_span("prep", "hash", 0.5), a_span("</script>\"\\\x01\xff", "\xc3\xa9", 1)};
    char *json;

    p[0].variant = "lz4";
    p[1].cpu_s = NAN;
    OK(trace_append(s, id, p, 2, &err));
    json = exported(s, id, TRACE_CHROME);
    cr_expect_str_eq(
        json,
        "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"trace\":\"a \\\"b\\\"\\u000a\"},\"traceEvents\":[\n"
        "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,\"tid\":0,\"args\":{\"name\":\"prep\"}},\n"
        "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":1,\"args\":{\"name\":\"worker 1\"}},\n"
        "{\"ph\":\"X\",\"name\":\"hash\",\"pid\":1,\"tid\":1,\"ts\":500000.000,\"dur\":250000.000,\"args\":"
        "{\"item\":7,\"variant\":\"lz4\",\"cpu_s\":0.125,\"items\":64,\"bytes_in\":1000,\"bytes_out\":500}},"
        "\n"
        "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":2,\"tid\":0,\"args\":{\"name\":"
        "\"</script>\\\"\\\\\\u0001\\ufffd\"}},\n"
        "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":2,\"tid\":2,\"args\":{\"name\":\"worker 1\"}},\n"
        "{\"ph\":\"X\",\"name\":\"\xc3\xa9\",\"pid\":2,\"tid\":2,\"ts\":1000000.000,\"dur\":250000.000,"
        "\"args\":{\"item\":7,\"items\":64,\"bytes_in\":1000,\"bytes_out\":500}}\n]}\n");
    free(json);
    json = exported(s, create(s, "empty", "exec"), TRACE_CHROME);
    cr_expect_str_eq(
        json, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"trace\":\"empty\"},\"traceEvents\":[\n]}\n");
    free(json);
    store_close(s);
}

Test(trace, export_to_a_full_device_is_an_error)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = create(s, "t", "exec");
    FILE *full = fopen("/dev/full", "w");

    cr_assert_not_null(full);
    FAILS(trace_export(s, id, TRACE_CSV, full, &err), ERR_IO, "full");
    fclose(full);
    FAILS(trace_export(s, id + 1, TRACE_CSV, stdout, &err), ERR_USAGE, "no trace");
    store_close(s);
}
