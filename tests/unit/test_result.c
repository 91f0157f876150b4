#include "temp_store.h"

#include "store/result.h"

#include <math.h>

TestSuite(result, .init = temp_begin, .fini = temp_end, .timeout = 60);

static const char document[] =
    "{\"command\":\"run\",\"metrics\":{\"throughput_per_s\":{\"mean\":812.5,\"lo\":800}}}";

static int64_t save(struct store *s, const char *command, const char *scenario, const char *json)
{
    int64_t id = 0;

    OK(result_save(s, command, scenario, "abc", UINT64_MAX, "0.1.0", json, &id, &err));
    return id;
}

Test(result, a_document_comes_back_byte_for_byte)
{
    struct store *s = temp_open(STORE_WRITE);
    struct result_row r;
    int64_t id = save(s, "run", "quickstart", document);

    OK(result_load(s, "latest", NULL, arena, &r, &err));
    cr_expect_eq(r.id, id);
    cr_expect_str_eq(r.json, document);
    cr_expect_str_eq(r.command, "run");
    cr_expect_str_eq(r.scenario, "quickstart");
    cr_expect_str_eq(r.scenario_sha256, "abc");
    cr_expect_str_eq(r.version, "0.1.0");
    cr_expect_eq(r.seed, UINT64_MAX);
    cr_expect_eq(r.throughput_per_s, 812.5);
    store_close(s);
}

Test(result, what_is_not_json_is_refused)
{
    static const char *const bad[] = {"", "{", "{\"a\":NaN}", "not json"};
    struct store *s = temp_open(STORE_WRITE);
    struct result_row *rows;
    int64_t id;
    size_t n;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        FAILS(result_save(s, "run", "x", "", 1, "0", bad[i], &id, &err), ERR_FAILED, "not a JSON document");
    OK(result_list(s, NULL, arena, &rows, &n, &err));
    cr_expect_eq(n, 0);
    store_close(s);
}

Test(result, latest_can_be_asked_by_command_and_by_scenario)
{
    struct store *s = temp_open(STORE_WRITE);
    struct result_filter quickstart = {.scenario = "quickstart"}, other = {.scenario_sha256 = "no such"};
    struct result_row r;
    int64_t run, rank, mmc;
    char id[32];

    FAILS(result_load(s, "latest", NULL, arena, &r, &err), ERR_USAGE, "holds no results yet");
    run = save(s, "run", "quickstart", document);
    rank = save(s, "rank", "quickstart", "{}");
    mmc = save(s, "run", "mmc", "[1]");
    OK(result_load(s, "latest", NULL, arena, &r, &err));
    cr_expect_eq(r.id, mmc);
    cr_expect(isnan(r.throughput_per_s));
    OK(result_load(s, "latest", &quickstart, arena, &r, &err));
    cr_expect_eq(r.id, rank);
    OK(result_load(s, "latest:run", &quickstart, arena, &r, &err));
    cr_expect_eq(r.id, run);
    snprintf(id, sizeof id, "%lld", (long long)rank);
    OK(result_load(s, id, NULL, arena, &r, &err));
    cr_expect_eq(r.id, rank);
    FAILS(result_load(s, "latest:validate", &quickstart, arena, &r, &err), ERR_USAGE, "quickstart");
    FAILS(result_load(s, "latest", &other, arena, &r, &err), ERR_USAGE, "no result");
    FAILS(result_load(s, "newest", NULL, arena, &r, &err), ERR_USAGE, "allowed are");
    FAILS(result_load(s, "-1", NULL, arena, &r, &err), ERR_USAGE, "allowed are");
    FAILS(result_load(s, "999", NULL, arena, &r, &err), ERR_USAGE, "no result \"999\"");
    store_close(s);
}

Test(result, list_and_remove)
{
    struct store *s = temp_open(STORE_WRITE);
    struct result_filter ranks = {.command = "rank"};
    struct result_row *rows;
    int64_t first = save(s, "run", "a", document);
    size_t n;

    save(s, "rank", "a", "{\"metrics\":{\"throughput_per_s\":{\"mean\":\"text\"}}}");
    OK(result_list(s, NULL, arena, &rows, &n, &err));
    cr_assert_eq(n, 2);
    cr_expect(isnan(rows[0].throughput_per_s));
    cr_expect_eq(rows[1].throughput_per_s, 812.5);
    cr_expect_null(rows[1].json);
    OK(result_list(s, &ranks, arena, &rows, &n, &err));
    cr_expect_eq(n, 1);
    OK(result_remove(s, first, &err));
    FAILS(result_remove(s, first, &err), ERR_USAGE, "no result");
    OK(result_list(s, NULL, arena, &rows, &n, &err));
    cr_expect_eq(n, 1);
    store_close(s);
}

Test(result, hostile_names_survive)
{
    struct store *s = temp_open(STORE_WRITE);
    struct result_row r;

    for (int i = 0; i < HOSTILE; i++) {
        struct result_filter f = {.scenario = hostile[i]};

        save(s, hostile[i], hostile[i], "{}");
        OK(result_load(s, "latest", &f, arena, &r, &err));
        cr_expect_str_eq(r.scenario, hostile[i]);
        cr_expect_str_eq(r.command, hostile[i]);
    }
    store_close(s);
}
