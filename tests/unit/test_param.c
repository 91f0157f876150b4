#include "base/param.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { READ_OP, DECODE_OP, OPS };
static const char *const op_names[] = {"read", "decode", NULL};
static const char *const codec_names[] = {"none", "lz4", "zstd", NULL};

struct disk_cfg {
    double read_bw;
    long workers;
    bool cached;
    int codec;
    struct law seek;
    struct cost ops[OPS];
    const struct json *table;
    double needed;
};

#define T struct disk_cfg
static const struct param params[] = {
    REAL(T, read_bw, UNIT_BYTES_PER_S, "500MB/s", 1, 1e13, "Sequential read bandwidth"),
    INT(T, workers, "4", 1, 1000, "Reader threads"),
    BOOL(T, cached, "true", "Whether the page cache is warm"),
    CHOICE(T, codec, "lz4", codec_names, "Compression of a stripe"),
    LAW(T, seek, UNIT_S, "{\"exponential\": \"4ms\"}", 0, 1, "Time to the first byte"),
    COSTS(T, ops, op_names, "Cost of each operator"),
    JSONV(T, table, "A table the model reads itself"),
    REAL(T, needed, UNIT_S, NULL, 0, 10, "A time without a default"),
    PARAMS_END,
};
#undef T

static int load(struct arena *a, const char *text, struct disk_cfg *cfg, struct json **tree, struct err *e)
{
    cr_assert_eq(json_parse(text, "t", tree, e), 0, "%s", e->text);
    return param_load(params, *tree, "$.disk", a, cfg, e);
}

Test(param, defaults_are_read_like_user_text)
{
    struct arena *a = arena_new();
    struct disk_cfg cfg;
    struct json *tree;
    struct err e = {0};

    cr_assert_eq(load(a, "{\"needed\": 1}", &cfg, &tree, &e), 0, "%s", e.text);
    cr_expect_eq(cfg.read_bw, 5e8);
    cr_expect_eq(cfg.workers, 4);
    cr_expect(cfg.cached);
    cr_expect_eq(cfg.codec, 1);
    cr_expect_eq(cfg.seek.kind, LAW_EXPONENTIAL);
    cr_expect_eq(cfg.seek.mean, 0.004);
    cr_expect_eq(cfg.ops[DECODE_OP].fixed_s, 0);
    cr_expect_eq(cfg.table, NULL);
    json_free(tree);
    arena_free(a);
}

Test(param, every_type_is_read)
{
    struct arena *a = arena_new();
    struct disk_cfg cfg;
    struct json *tree;
    struct err e = {0};

    cr_assert_eq(load(a,
                      "{\"read_bw\": \"1GiB/s\", \"workers\": \"1k\", \"cached\": false, \"codec\": "
                      "\"zstd\", \"seek\": \"2ms\","
                      " \"ops\": {\"decode\": {\"fixed\": \"20us\", \"per_byte\": 1e-9, \"cv\": 0.1}, "
                      "\"read\": \"5us\"},"
                      " \"table\": [[1, 2]], \"needed\": 0.5}",
                      &cfg, &tree, &e),
                 0, "%s", e.text);
    cr_expect_eq(cfg.read_bw, 1073741824);
    cr_expect_eq(cfg.workers, 1000);
    cr_expect_not(cfg.cached);
    cr_expect_eq(cfg.codec, 2);
    cr_expect_eq(cfg.seek.mean, 0.002);
    cr_expect_eq(cfg.ops[DECODE_OP].fixed_s, 20e-6);
    cr_expect_eq(cfg.ops[DECODE_OP].per_item_s, 0);
    cr_expect_eq(cfg.ops[DECODE_OP].per_byte_s, 1e-9);
    cr_expect_eq(cfg.ops[DECODE_OP].cv, 0.1);
    cr_expect_eq(cfg.ops[READ_OP].fixed_s, 5e-6);
    cr_expect_eq(json_size(cfg.table), 1);
    json_free(tree);
    arena_free(a);
}

Test(param, mistakes_name_path_value_and_what_is_allowed)
{
    static const char *const cases[][2] = {
        {"{\"worker\": 2}",
         "$.disk.worker: no such parameter; did you mean \"workers\"? (allowed: read_bw, workers,"},
        {"{\"workers\": 0}", "$.disk.workers: found 0; it must lie between 1 and 1000"},
        {"{\"workers\": 2.5}", "$.disk.workers: found 2.5; it must be a whole number"},
        {"{\"workers\": true}", "$.disk.workers: found true; write a quantity"},
        {"{\"workers\": null}", "$.disk.workers: found null; write a quantity"},
        {"{\"read_bw\": \"5 apples\"}", "$.disk.read_bw: \"5 apples\" is not a bandwidth; write for example"},
        {"{\"read_bw\": 0}", "$.disk.read_bw: found 0; it must lie between 1 B/s and 10 TB/s"},
        {"{\"cached\": \"yes\"}", "$.disk.cached: found \"yes\"; it must be true or false"},
        {"{\"codec\": \"zst\"}",
         "$.disk.codec: found \"zst\"; did you mean \"zstd\"? (allowed: none, lz4, zstd)"},
        {"{\"codec\": 1}", "$.disk.codec: found 1; (allowed: none, lz4, zstd)"},
        {"{\"seek\": {\"exponential\": \"2s\"}}",
         "mean out of range: $.disk.seek: found {\"exponential\": \"2s\"}; it must"},
        {"{\"seek\": {\"gamma\": {\"mean\": 1}}}", "$.disk.seek.gamma.cv: missing"},
        {"{\"ops\": {\"decod\": 1}}",
         "$.disk.ops.decod: no such operator; did you mean \"decode\"? (allowed: read, decode)"},
        {"{\"ops\": {\"decode\": {\"each\": 1}}}", "$.disk.ops.decode.each: no such key; "},
        {"{\"ops\": {\"decode\": {\"cv\": -1}}}",
         "$.disk.ops.decode.cv: found -1; it must lie between 0 and 100"},
        {"{\"ops\": {\"decode\": {\"fixed\": -1}}}",
         "$.disk.ops.decode.fixed: found -1; it must lie between 0 s"},
        {"{\"ops\": 5}", "$.disk.ops: found 5; write {"},
        {"{\"codec\": \"lz4\"}", "$.disk.needed: missing; A time without a default"},
        {"[]", "$.disk: found []; it must be an object"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *a = arena_new();
        struct disk_cfg cfg;
        struct json *tree;
        struct err e = {0};

        cr_expect_eq(load(a, cases[i][0], &cfg, &tree, &e), ERR_SCENARIO, "%s", cases[i][0]);
        cr_expect_eq(strncmp(e.text, cases[i][1], strlen(cases[i][1])), 0, "%s -> %s", cases[i][0], e.text);
        json_free(tree);
        arena_free(a);
    }
}

Test(param, no_object_means_all_defaults)
{
    struct arena *a = arena_new();
    struct disk_cfg cfg;
    struct err e = {0};

    cr_expect_eq(param_load(params, NULL, "$", a, &cfg, &e), ERR_SCENARIO, "one parameter has no default");
    cr_expect_eq(cfg.workers, 4);
    arena_free(a);
}

Test(param, find_and_count)
{
    cr_expect_eq(param_count(params), 8);
    cr_expect_eq(param_find(params, "codec"), &params[3]);
    cr_expect_eq(param_find(params, "Codec"), NULL);
}

Test(param, show_is_what_a_person_reads)
{
    static const char *const expected[] = {"20 GB/s",
                                           "12",
                                           "false",
                                           "zstd",
                                           "lognormal, mean 8 ms, cv 0.4",
                                           "decode: 20 us + 3 ns per item (cv 0.1)",
                                           "none",
                                           "1 s"};
    struct disk_cfg cfg = {.read_bw = 20e9, .workers = 12, .codec = 2, .needed = 1};
    char buf[80];

    cfg.seek = (struct law){.kind = LAW_LOGNORMAL, .mean = 0.008, .cv = 0.4};
    cfg.ops[DECODE_OP] = (struct cost){.fixed_s = 20e-6, .per_item_s = 3e-9, .cv = 0.1};
    for (int i = 0; i < 8; i++)
        cr_expect_str_eq(param_show(&params[i], &cfg, buf, sizeof buf), expected[i]);
    cr_expect_eq(strlen(param_show(&params[5], &cfg, buf, 10)), 9, "cut to fit");
}
