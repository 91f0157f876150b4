/* What a scenario refers to: recordings from the store, documents from the presets' folders. */
#include "calibrate/resolve.h"
#include "import_helpers.h"

#include "base/json.h"

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
