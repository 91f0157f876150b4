#include "base/json.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json *parse(const char *text)
{
    struct err e = {0};
    struct json *v = NULL;

    cr_assert_eq(json_parse(text, "t", &v, &e), 0, "%s: %s", text, e.text);
    return v;
}

/* Takes ownership of v. */
static void prints(struct json *v, const char *expected)
{
    char *s = json_compact(v);

    cr_expect_str_eq(s, expected);
    free(s);
    json_free(v);
}

Test(json, reads_every_type)
{
    struct json *v =
        parse("{\"n\": null, \"t\": true, \"x\": -1.5e3, \"s\": \"a\\u00e9\\n\", \"l\": [1, 2], \"o\": {}}");

    cr_expect_eq(json_type(json_get(v, "n")), JSON_NULL);
    cr_expect(json_bool(json_get(v, "t")));
    cr_expect_eq(json_number(json_get(v, "x")), -1500);
    cr_expect_str_eq(json_string(json_get(v, "s")), "a\xc3\xa9\n");
    cr_expect_eq(json_number(json_at(json_get(v, "l"), 1)), 2);
    cr_expect_eq(json_at(json_get(v, "l"), 2), NULL);
    cr_expect_eq(json_size(v), 6);
    cr_expect_eq(json_get(v, "N"), NULL, "keys tell upper from lower case");
    cr_expect_str_eq(json_key(json_first(v)), "n");
    cr_expect(isnan(json_number(json_get(v, "s"))));
    cr_expect_eq(json_string(json_get(v, "x")), NULL);
    json_free(v);
}

Test(json, errors_name_line_column_and_reason)
{
    static const char *const cases[][2] = {
        {"", "t: not valid JSON: the text is empty"},
        {"{\"a\": 1,\n  \"b\": }", "t:2:8: not valid JSON: found } where a value"},
        {"{\"a\": 1,}", "t:1:8: not valid JSON: a comma before"},
        {"[1, 2", "t:1:6: not valid JSON: the text ends too early"},
        {"{\"a\": 1} x", "t:1:10: not valid JSON: found x where"},
        {"[\"\\ud800\"]", "t: not valid JSON: half a surrogate"},
        {"{\"a\": [1 2]}", "t:1:10: not valid JSON: found 2 where a comma or ] should stand"},
        {"{\"a\": 1]", "t:1:8: not valid JSON: found ] where a comma or } should stand"},
        {"{a: 1}", "t:1:2: not valid JSON: found a where a key in double quotes should stand"},
        {"[\"\\u12g4\"]", "t:1:3: not valid JSON: \\u needs four hexadecimal digits"},
        {"\x01", "t:1:1: not valid JSON: found byte 0x01 where a value"},
        {"[truex]", "t:1:6: not valid JSON: found x where"},
        {"{\"a\": 1 // why\n}", "t:1:9: not valid JSON: comments"},
        {"{'a': 1}", "t:1:2: not valid JSON: strings stand in double quotes"},
        {"[NaN]", "t:1:2: not valid JSON: a number must be finite"},
        {"[1e999]", "t:1:2: not valid JSON: a number too large"},
        {"[012]", "t:1:2: not valid JSON: a number starts with"},
        {"[1.]", "t:1:2: not valid JSON: a number needs digits after its point"},
        {"[1e]", "t:1:2: not valid JSON: a number needs digits after its e"},
        {"[\"abc]", "t:1:2: not valid JSON: this string has no end"},
        {"[\"a\\qb\"]", "t:1:4: not valid JSON: a backslash"},
        {"[\"a\\u0000b\"]", "t:1:4: not valid JSON: \\u0000"},
        {"[\"a\tb\"]", "t:1:4: not valid JSON: a control character"},
        {"[\"\xff\"]", "t:1:3: not valid JSON: bytes that are not UTF-8"},
        {"{\"a\" 1}", "t:1:6: not valid JSON: found 1 where"},
        {"{\"a\": tru}", "t:1:7: not valid JSON: found tru where"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        struct json *v = NULL;

        cr_expect_eq(json_parse(cases[i][0], "t", &v, &e), ERR_SCENARIO, "%s", cases[i][0]);
        cr_expect_eq(strncmp(e.text, cases[i][1], strlen(cases[i][1])), 0, "%s -> %s", cases[i][0], e.text);
    }
}

Test(json, duplicate_keys_are_errors_with_a_path)
{
    struct err e = {0};
    struct json *v = NULL;

    cr_expect_eq(json_parse("{\"a\": [0, {\"b\": 1, \"c\": 2, \"b\": 3}]}", "t", &v, &e), ERR_SCENARIO);
    cr_expect_str_eq(e.text, "t: $.a[1]: the key \"b\" stands here twice");
    json_free(parse("{\"b\": 1, \"B\": 2}"));
}

static char *nested(int depth)
{
    char *s = malloc((size_t)depth * 2 + 1);

    memset(s, '[', (size_t)depth);
    memset(s + depth, ']', (size_t)depth);
    s[depth * 2] = '\0';
    return s;
}

Test(json, deep_nesting_is_refused_before_it_can_hurt)
{
    struct err e = {0};
    struct json *v = NULL;
    char *fits = nested(512), *deeper = nested(513), *absurd = nested(3000000);

    json_free(parse(fits));
    cr_expect_eq(json_parse(deeper, "t", &v, &e), ERR_SCENARIO);
    cr_expect_eq(json_parse(absurd, "t", &v, &e), ERR_SCENARIO);
    cr_expect_neq(strstr(e.text, "nested deeper"), NULL, "%s", e.text);
    free(fits);
    free(deeper);
    free(absurd);
}

Test(json, numbers_print_with_the_fewest_digits_that_read_back)
{
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-17, "-17"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {100000, "100000"},
        {9007199254740993.0, "9007199254740992"},
        {1e300, "1e+300"},
        {5e-324, "5e-324"},
        {200e-6, "0.0002"},
        {NAN, "null"},
        {INFINITY, "null"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {2.5e-7, "2.5e-07"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        prints(json_new_number(cases[i].v), cases[i].text);
}

/* splitmix64, so that the loops below are the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

Test(json, any_double_survives_printing_and_reading)
{
    uint64_t state = 1;

    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&state);
        double v;
        char *s;
        struct json *n, *back;

        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        n = json_new_number(v);
        s = json_compact(n);
        back = parse(s);
        cr_assert_eq(json_number(back), v, "%s", s);
        json_free(n);
        json_free(back);
        free(s);
    }
}

Test(json, strings_escape_what_must_be_and_repair_what_is_not_utf8)
{
    prints(json_new_string("a\"b\\c\nd\te\x01/\xc3\xa9"), "\"a\\\"b\\\\c\\nd\\te\\u0001/\xc3\xa9\"");
    prints(json_new_string("x\xffy\xe2\x82"), "\"x\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd\"");
}

Test(json, text_is_indented_and_keeps_the_order_of_keys)
{
    struct json *v = json_new_object(), *list;
    char *s;

    json_set_number(v, "z", 1);
    list = json_set_array(v, "a");
    json_push(list, json_new_bool(true));
    json_push(list, json_new_null());
    json_set_object(v, "empty");
    json_set_array(v, "none");
    s = json_text(v);
    cr_expect_str_eq(
        s, "{\n  \"z\": 1,\n  \"a\": [\n    true,\n    null\n  ],\n  \"empty\": {},\n  \"none\": []\n}");
    free(s);
    json_free(v);
}

Test(json, editing_a_tree)
{
    struct json *v = parse("{\"a\": 1, \"b\": [1, 2, 3], \"c\": 3}"), *copy = json_copy(v);

    json_set_string(v, "a", "one");
    json_replace(json_get_mutable(v, "b"), 1, json_new_bool(false));
    json_remove(v, "c");
    json_remove(v, "not there");
    json_set_string(v, "d", NULL);
    prints(v, "{\"a\": \"one\", \"b\": [1, false, 3], \"d\": null}");
    prints(copy, "{\"a\": 1, \"b\": [1, 2, 3], \"c\": 3}");
}

Test(json, shorthands_fall_back_on_absence_and_other_types)
{
    struct json *v = parse("{\"x\": 2, \"s\": \"t\", \"b\": true}");

    cr_expect_eq(json_get_number(v, "x", 9), 2);
    cr_expect_eq(json_get_number(v, "s", 9), 9);
    cr_expect_eq(json_get_number(v, "none", 9), 9);
    cr_expect_str_eq(json_get_string(v, "s", "-"), "t");
    cr_expect_str_eq(json_get_string(v, "x", "-"), "-");
    cr_expect(json_get_bool(v, "b", false));
    cr_expect(json_get_bool(v, "x", true));
    json_free(v);
}

Test(json, brief_is_cut_between_characters)
{
    struct json *v = parse("[\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\", 1]");
    char buf[10];

    cr_expect_str_eq(json_brief(v, buf, sizeof buf), "[\"\xc3\xa9\xc3\xa9...");
    json_free(v);
}

Test(json, reading_files)
{
    struct err e = {0};
    struct json *v = NULL;
    char path[] = "/tmp/test_json.XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");

    fwrite("{\"a\": 1}\0{", 1, 10, f);
    fclose(f);
    cr_expect_eq(json_read(path, &v, &e), ERR_SCENARIO);
    cr_expect_neq(strstr(e.text, "NUL"), NULL);
    remove(path);
    cr_expect_eq(json_read(path, &v, &e), ERR_NOFILE);
    cr_expect_eq(json_read("/", &v, &e), ERR_IO);
}

/* Random tokens come much closer to valid documents than random bytes do. */
static void random_text(uint64_t *state, char *out, size_t size)
{
    static const char *const tokens[] = {
        "{",   "}", "[",    "]",    ":", ",",  "\"a\"",    "\"",       "\\",    "\\u00",  "1",   "-",
        "0.5", "e", "true", "null", " ", "\n", "\xc3\xa9", "\xf0\x9f", "1e308", "\"b\":", "\x01"};
    size_t n = 0, length = next_random(state) % (size - 16);

    while (n < length) {
        uint64_t r = next_random(state);
        const char *t = tokens[r % (sizeof tokens / sizeof *tokens)];

        if (r >> 60 == 0) {
            out[n++] = (char)(r >> 8 | 1);
            continue;
        }
        strcpy(out + n, t);
        n += strlen(t);
    }
    out[n] = '\0';
}

Test(json, random_text_never_crashes_and_what_parses_prints_stably)
{
    uint64_t state = 7;
    int parsed = 0;

    for (int i = 0; i < 30000; i++) {
        char text[80], *first, *second;
        struct err e = {0};
        struct json *v = NULL, *again;

        random_text(&state, text, i % 2 ? sizeof text : 24);
        if (json_parse(text, "t", &v, &e) != 0) {
            cr_assert_eq(e.code, ERR_SCENARIO);
            continue;
        }
        parsed++;
        first = json_compact(v);
        again = parse(first);
        second = json_compact(again);
        cr_assert_str_eq(first, second);
        free(first);
        free(second);
        json_free(again);
        json_free(v);
    }
    cr_expect_gt(parsed, 100, "only %d texts were valid: the loop tests too little", parsed);
}
