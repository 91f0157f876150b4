/* What a scenario refers to: recordings from the store, documents from the presets' folders. */
#include "calibrate/resolve.h"
#include "import_helpers.h"

#include "base/json.h"
#include "pipeline/bound.h"
#include "store/trace.h"

#include <math.h>
#include <sys/stat.h>

static const char LOG[] =
    "{\"timestamp\": 2000, \"input_length\": 700, \"output_length\": 9, \"hash_ids\": [7, 8]}\n"
    "{\"timestamp\": 0, \"input_length\": 1024, \"output_length\": 5, \"hash_ids\": [7, 9]}\n"
    "{\"timestamp\": 500, \"input_length\": 20, \"output_length\": 1, \"hash_ids\": [4]}\n";

static struct resolver resolver;

static void begin(void)
{
    struct import_report report;
    struct store *s;

    temp_begin();
    cr_assert_eq(store_open(temp_path, STORE_WRITE, &s, &err), 0, "%s", err.text);
    cr_assert_eq(import_into(s, write_text("log.jsonl", LOG), NULL, &report), 0, "%s", err.text);
    store_close(s);
    resolve_open(temp_path, "scenario.json", &resolver);
}

static void end(void)
{
    resolve_close(&resolver);
    temp_end();
}

Test(resolve, requests_come_in_order_with_their_prompts, .init = begin, .fini = end)
{
    struct recorded_request *rows;
    size_t n;

    cr_assert_eq(resolver.requests(resolver.ctx, "trace:log", arena, &rows, &n, &err), 0, "%s", err.text);
    cr_assert_eq(n, 3);
    cr_expect_eq(rows[0].input_tokens, 1024);
    cr_expect_eq(rows[1].output_tokens, 1);
    cr_expect_float_eq(rows[2].arrival_s - rows[0].arrival_s, 2, 1e-9);
    cr_assert_eq(rows[0].blocks_n, 2);
    cr_assert_eq(rows[1].blocks_n, 1);
    cr_expect_eq(rows[0].blocks[0], rows[2].blocks[0], "the same block");
    cr_expect_neq(rows[0].blocks[1], rows[2].blocks[1]);
}

Test(resolve, what_is_not_there_is_told_with_the_nearest, .init = begin, .fini = end)
{
    struct recorded_request *rows;
    struct cost_row *costs;
    size_t n;

    cr_expect_eq(resolver.requests(resolver.ctx, "trace:lgo", arena, &rows, &n, &err), ERR_SCENARIO);
    cr_expect_not_null(strstr(err.text, "log"), "%s", err.text);
    cr_expect_eq(resolver.costs(resolver.ctx, "trace:log", arena, &costs, &n, &err), ERR_SCENARIO);
    cr_expect_not_null(strstr(err.text, "no costs"), "%s", err.text);
}

Test(resolve, a_recording_is_replayed, .init = begin, .fini = end)
{
    static const char text[] =
        "{\"name\": \"r\", \"workload\": {\"trace\": {\"source\": \"trace:log\"}}, \"resources\": {\"s\": "
        "{\"kind\": \"servers\"}}, \"stages\": [{\"name\": \"a\", \"model\": \"station\", \"on\": "
        "{\"servers\": "
        "\"s\"}}]}";
    struct scenario_options opt = {.resolver = &resolver};
    struct scenario *s;
    struct json *tree;

    cr_assert_eq(json_parse(text, "r.json", &tree, &err), 0);
    cr_assert_eq(scenario_build(tree, "r.json", &opt, &s, &err), 0, "%s", err.text);
    cr_expect_eq(s->workload.recording->n, 3);
    cr_expect_eq(s->workload.requests->block_tokens, 512, "%ld", s->workload.requests->block_tokens);
    cr_expect_str_eq(s->recordings[0], "trace:log");
    scenario_free(s);
    json_free(tree);
}

Test(resolve, documents_are_found_below_the_presets, .init = begin, .fini = end)
{
    const struct json *doc, *again;
    char folder[200];

    snprintf(folder, sizeof folder, "%s/hardware", temp_folder);
    cr_assert_eq(mkdir(folder, 0700), 0);
    write_text("hardware/card.json", "{\"mem_bw\": 5}");
    setenv("FORESIGHT_PRESETS", temp_folder, 1);
    cr_assert_eq(resolver.document(resolver.ctx, "card", arena, &doc, &err), 0, "%s", err.text);
    cr_expect_eq(json_get_number(doc, "mem_bw", 0), 5);
    cr_assert_eq(resolver.document(resolver.ctx, "card", arena, &again, &err), 0);
    cr_expect_eq(doc, again, "read once");
    cr_expect_eq(resolver.document(resolver.ctx, "cart", arena, &doc, &err), ERR_SCENARIO);
    cr_expect_not_null(strstr(err.text, "no document \"cart\""), "%s", err.text);
    cr_expect_eq(resolver.document(resolver.ctx, "../t", arena, &doc, &err), ERR_SCENARIO);
    unlink(write_text("hardware/card.json", "x"));
    rmdir(folder);
}

/* ------------------------------------------------------------------ laws that stand in a recording */

enum { MANY = 5000 };

/* "scan" takes 1 ms .. 5 s, evenly, in any order; "both" is in two stages; a simulated trace beside it. */
static void record_spans(void)
{
    struct trace_info info = {.name = "recorded/here", .kind = "exec"};
    static struct span spans[MANY + 2];
    struct store *s = temp_open(STORE_WRITE);
    int64_t id;

    for (int i = 0; i < MANY + 2; i++) {
        spans[i] = (struct span){.stage = i == MANY ? "other" : "prep", .op = i < MANY ? "scan" : "both"};
        spans[i].start_s = 7;
        spans[i].end_s = 7 + (i < MANY ? 1e-3 * ((i * 7919L) % MANY + 1) : i - MANY + 1);
    }
    OK(trace_create(s, &info, &id, &err));
    OK(trace_append(s, id, spans, MANY + 2, &err));
    info.name = "dream";
    info.kind = "simulated";
    OK(trace_create(s, &info, &id, &err));
    OK(trace_append(s, id, spans, 3, &err));
    store_close(s);
}

static int build_empirical(const char *ref, struct scenario **out)
{
    struct scenario_options opt = {.resolver = &resolver};
    struct json *tree;
    int rc;

    OK(json_parse(
        arena_printf(arena,
                     "{\"name\": \"r\", \"workload\": {\"closed\": {\"in_flight\": 1}}, \"resources\": "
                     "{\"s\": {\"kind\": \"servers\"}}, \"stages\": [{\"name\": \"a\", \"model\": "
                     "\"station\", \"on\": {\"servers\": \"s\"}, \"params\": {\"service\": "
                     "{\"empirical\": \"%s\"}}}]}",
                     ref),
        "r.json", &tree, &err));
    rc = scenario_build(tree, "r.json", &opt, out, &err);
    json_free(tree);
    return rc;
}

Test(resolve, durations_of_an_operator_become_a_law, .init = begin, .fini = end)
{
    struct scenario *s;
    struct bound b;
    double *values;
    size_t n;

    record_spans();
    OK(resolver.values(resolver.ctx, "trace:recorded/here/scan", arena, &values, &n, &err));
    cr_assert_eq(n, 1000);
    for (size_t i = 0; i < n; i++) { /* the middle of its thousandth, between the 5000 */
        double exact = 1e-3 * (1 + (MANY - 1) * ((double)i + 0.5) / 1000);

        cr_assert_float_eq(values[i], exact, 1e-9, "%zu: %g", i, values[i]);
    }
    OK(resolver.values(resolver.ctx, "trace:recorded/here/other/both", arena, &values, &n, &err));
    cr_assert_eq(n, 1);
    cr_expect_float_eq(values[0], 1, 1e-12);
    OK(build_empirical("trace:recorded/here/scan", &s));
    bound_compute(s, arena, &b);
    cr_expect_float_eq(1 / b.throughput_per_s, 2.5005, 1e-5, "the mean service: %g", 1 / b.throughput_per_s);
    scenario_free(s);
}

Test(resolve, a_law_that_is_not_there_is_told_with_its_place_and_the_nearest, .init = begin, .fini = end)
{
    static const struct {
        const char *ref, *says;
    } cases[] = {{"trace:recorded/here/scam", "did you mean \"scan\""},
                 {"trace:recorded/her/scan", "did you mean \"recorded/here\""},
                 {"trace:recorded/here/both", "write trace:recorded/here/other/both"},
                 {"trace:log/scan", "holds no spans"},
                 {"trace:log", "write trace:TRACE/OPERATOR"},
                 {"trace:log/", "write trace:TRACE/OPERATOR"},
                 {"trace:/scan", "write trace:TRACE/OPERATOR"},
                 {"trace:dream/scan", "was simulated"}};
    struct scenario *s;

    record_spans();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err = (struct err){0};
        cr_expect_eq(build_empirical(cases[i].ref, &s), ERR_SCENARIO, "%s", cases[i].ref);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s: %s", cases[i].ref, err.text);
        cr_expect_not_null(strstr(err.text, "r.json: $.stages[0].params.service.empirical"), "%s", err.text);
    }
}
