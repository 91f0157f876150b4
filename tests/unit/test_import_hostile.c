/* Files as the world has them: other line ends, marks, quotes, huge integers, damage, and somebody's malice.
 */
#include "import_helpers.h"

#include "base/text.h"
#include "store/import/source.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <zlib.h>
#include <zstd.h>

TestSuite(import_hostile, .init = temp_begin, .fini = temp_end);

static struct import_report report;

/* Imports `text` under `name`; the answers to `ask` are then about it alone. */
static int take(const char *name, const char *text, const struct import_options *o)
{
    struct store *s = temp_open(STORE_WRITE);
    int rc = import_into(s, write_text(name, text), o, &report);

    store_close(s);
    return rc;
}

static bool skipped(const char *why, int64_t n)
{
    for (size_t i = 0; i < report.skipped_n; i++)
        if (strstr(report.skipped[i].what, why) != NULL)
            return report.skipped[i].n == n;
    return false;
}

#define AZURE "TIMESTAMP,ContextTokens,GeneratedTokens\n"
#define LINE  "2023-11-16 18:15:46.68,374,44\n"

Test(import_hostile, a_byte_order_mark_is_no_part_of_the_first_name)
{
    OK(take("bom.csv", "\xef\xbb\xbf" AZURE LINE, NULL));
    OK(take("bom.json",
            "\xef\xbb\xbf{\"traceEvents\": "
            "[{\"ph\":\"X\",\"name\":\"a\",\"ts\":1,\"dur\":2,\"pid\":1,\"tid\":1}]}",
            NULL));
    cr_expect_str_eq(report.format, "chrome");
    FAILS(take("utf16.csv", "\xff\xfeT\x01I\x01", NULL), ERR_TRACE, "iconv -f UTF-16 -t UTF-8");
}

Test(import_hostile, lines_may_end_as_on_windows)
{
    OK(take("crlf.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.68,374,44\r\n\r\n",
            NULL));
    cr_expect_eq(report.read, 1);
    cr_expect_str_eq(ask("SELECT output_tokens FROM request"), "44");
}

Test(import_hostile, a_nul_byte_makes_its_record_malformed)
{
    static const char text[] = AZURE LINE "2023-11-16 18:15:47,3,4\0005\n" LINE;
    static const char header[] = "TIMESTAMP,Context\0Tokens,GeneratedTokens\n" LINE;
    struct store *s = temp_open(STORE_WRITE);

    OK(import_into(s, write_bytes("nul.csv", text, sizeof text - 1), NULL, &report));
    cr_expect_eq(report.kept, 2);
    cr_expect(skipped("NUL", 1));
    FAILS(import_into(s, write_bytes("h.csv", header, sizeof header - 1),
                      &(struct import_options){.format = "azure-llm"}, &report),
          ERR_TRACE, "h.csv:1: the header line");
    store_close(s);
}

Test(import_hostile, integers_keep_all_their_digits)
{
    OK(take("m.jsonl",
            "{\"timestamp\": 1, \"input_length\": 9007199254740993, \"output_length\": 1, "
            "\"hash_ids\": [9007199254740993, 18446744073709551615]}\n"
            "{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": [\"x\"]}\n"
            "{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": "
            "[-9223372036854775808]}\n",
            NULL));
    cr_expect_str_eq(ask("SELECT input_tokens FROM request"), "9007199254740993");
    cr_expect_str_eq(ask("SELECT block FROM prompt_block WHERE position = 1"), "-1", "all 64 bits");
    cr_expect(skipped("no integer", 2));
    OK(take("a.csv", AZURE "2023-11-16 18:15:46,9007199254740993,9223372036854775807\n", NULL));
    cr_expect_str_eq(ask("SELECT output_tokens FROM request WHERE trace_id = 2"), "9223372036854775807");
    cr_expect_str_eq(ask("SELECT input_tokens FROM request WHERE trace_id = 2"), "9007199254740993");
    OK(take("o.csv", "t,n\n1,9007199254740993\n",
            &(struct import_options){.map = "requests: arrival_s = t, input_tokens = n"}));
    cr_expect_str_eq(ask("SELECT input_tokens FROM request WHERE trace_id = 3"), "9007199254740993");
}

/* Python's json writes NaN and Infinity, pandas leaves the field empty or writes nan. */
Test(import_hostile, numbers_that_are_none_are_unknown)
{
    OK(take("b.json",
            "{\"request_throughput\": 2.5, \"num_prompts\": 3, \"request_rate\": Infinity,\n"
            " \"mean_ttft_ms\": NaN, \"median_ttft_ms\": 4.0, \"p99_ttft_ms\": -Infinity}",
            NULL));
    cr_expect_str_eq(ask("SELECT count(*) FROM figure WHERE name LIKE 'ttft%'"), "1");
    FAILS(take("w.json", "{\"request_throughput\": Nan, \"num_prompts\": 3}", NULL), ERR_TRACE, "w.json:1:");
}

/* A quote means something only where a field begins (RFC 4180). */
Test(import_hostile, quotes_hold_commas_and_line_ends_and_nothing_else)
{
    static const struct import_options map = {.map = "measurements: x = v, @name = n"};

    OK(take("q.csv", "n,v\n\"a, \"\"b\"\"\nc\",1\n5\" disk,2\nplain,3\n", &map));
    cr_expect_eq(report.kept, 3);
    cr_expect_str_eq(ask("SELECT settings ->> '$.name' FROM measurement WHERE seq = 0"), "a, \"b\"\nc");
    cr_expect_str_eq(ask("SELECT settings ->> '$.name' FROM measurement WHERE seq = 1"), "5\" disk");
    OK(take("r.csv", "n,v\na,1\n\"b\"x,2\nc,3,\n\"never closed,4\nd,5\n", &map));
    cr_expect_eq(report.kept, 1);
    cr_expect_eq(report.skipped_n, 2);
    cr_expect(skipped("as many fields", 2));
    cr_expect(skipped("does not end", 1));
    cr_expect_eq(report.skipped[1].line, 5, "where the record began, not where the file ended");
}

/* A stray quote costs its neighbours a record, not the program its time. */
Test(import_hostile, a_quote_without_end_is_read_once, .timeout = 60)
{
    struct text t = {0};

    text_add(&t, "n,v\n\"open,1\n");
    for (int i = 0; i < 600000; i++)
        text_add_n(&t, "a\n", 2);
    text_add(&t, "good,1\n");
    OK(take("open.csv", t.s, &(struct import_options){.map = "measurements: x = v, @name = n"}));
    cr_expect_eq(report.kept, 1);
    cr_expect(skipped("does not end", 1));
    text_free(&t);
}

Test(import_hostile, a_record_above_8_MiB_is_counted_and_the_next_one_read)
{
    size_t n = (8u << 20) + 100;
    struct text t = {0};

    text_add(&t, AZURE LINE);
    for (size_t i = 0; i < n; i++)
        text_add_n(&t, "7", 1);
    text_add(&t, "\n" LINE);
    OK(take("big.csv", t.s, NULL));
    cr_expect_eq(report.kept, 2);
    cr_expect(skipped("above 8 MiB", 1));
    text_free(&t);
}

/* Times far apart must not overflow, in whatever unit they are written. */
Test(import_hostile, times_beyond_all_calendars_are_malformed)
{
    OK(take("t.json",
            "{\"traceEvents\": "
            "[{\"ph\":\"X\",\"name\":\"a\",\"ts\":-9223372036854775807,\"dur\":1,\"pid\":1,\"tid\":1},"
            "{\"ph\":\"X\",\"name\":\"b\",\"ts\":9223372036854775807,\"dur\":1,\"pid\":1,\"tid\":1},"
            "{\"ph\":\"X\",\"name\":\"c\",\"ts\":1e300,\"dur\":1,\"pid\":1,\"tid\":1}]}",
            NULL));
    cr_expect_eq(report.kept, 1);
    FAILS(take("e", "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":1,\"Submission Time\":1e300}\n",
               &(struct import_options){.format = "spark"}),
          ERR_TRACE, "nothing in it");
}

/* --------------------------------------------------------------- compressed */

static const char *pack_zstd(const char *name, const char *text, int window_log)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    size_t room = strlen(text) + 1024, n;
    char *packed = malloc(room);
    ZSTD_inBuffer in = {text, strlen(text), 0};
    ZSTD_outBuffer out = {packed, room, 0};
    const char *path;

    ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, 0);
    ZSTD_compressStream2(z, &out, &in, ZSTD_e_continue); /* its end unknown: the window is the frame's */
    while ((n = ZSTD_compressStream2(z, &out, &in, ZSTD_e_end)) > 0 && !ZSTD_isError(n))
        ;
    ZSTD_freeCCtx(z);
    path = write_bytes(name, packed, out.pos);
    free(packed);
    return path;
}

Test(import_hostile, zstd_windows_above_32_MiB_are_refused)
{
    struct store *s = temp_open(STORE_WRITE);

    OK(import_into(s, pack_zstd("w25.zst", AZURE LINE, 25), NULL, &report));
    FAILS(import_into(s, pack_zstd("w26.zst", AZURE LINE, 26), NULL, &report), ERR_TRACE,
          "w26.zst: its zstd window is above 32 MiB");
    store_close(s);
}

Test(import_hostile, what_follows_a_gzip_member_is_another_member_or_damage)
{
    struct store *s = temp_open(STORE_WRITE);
    char path[200];
    FILE *f;

    snprintf(path, sizeof path, "%s/two.gz", temp_folder);
    for (int i = 0; i < 2; i++) {
        gzFile z = gzopen(path, i == 0 ? "wb" : "ab");

        gzputs(z, i == 0 ? AZURE LINE : LINE);
        gzclose(z);
    }
    OK(import_into(s, path, NULL, &report));
    cr_expect_eq(report.kept, 2);
    f = fopen(path, "ab");
    fputs("garbage", f);
    fclose(f);
    FAILS(import_into(s, path, NULL, &report), ERR_TRACE, "two.gz: the gzip data is damaged");
    cr_expect_str_eq(ask("SELECT count(*) FROM trace"), "1", "nothing of it stayed");
    store_close(s);
}

/* The worst a file can ask for at once: the largest window, records just below 8 MiB. */
static long peak_kib(const char *path)
{
    struct rusage u;
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct store *s;
        struct import_options o = {0};

        if (store_open(temp_path, STORE_WRITE, &s, &err) != 0 ||
            import_file(s, path, &o, arena, &report, &err) != 0)
            _exit(1);
        _exit(0);
    }
    cr_assert_eq(wait4(child, &status, 0, &u), child);
    cr_assert_eq(status, 0);
    return u.ru_maxrss;
}

#if defined(__has_feature)
#define INSTRUMENTED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define INSTRUMENTED 1
#else
#define INSTRUMENTED 0
#endif

Test(import_hostile, memory_stays_below_64_MiB_whatever_the_file_asks_for)
{
    struct text t = {0};
    const char *path;

    if (INSTRUMENTED)
        cr_skip_test("the sanitizer's own memory counts too");
    for (int k = 0; k < 5; k++) {
        text_add(
            &t, "{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": [1], \"x\": \"");
        for (int i = 0; i < (8 << 20) - 200; i += 10)
            text_add_n(&t, "0123456789", 10);
        text_add(&t, "\"}\n");
    }
    path = pack_zstd("large.zst", t.s, 25);
    text_free(&t);
    cr_expect_lt(peak_kib(path), 64 << 10);
    cr_expect_eq(ask_number("SELECT kept FROM import"), 5);
}

/* ------------------------------------------------------------------ moving */

Test(import_hostile, a_file_that_changes_while_it_is_read_is_noticed)
{
    const char *path = write_text("live.log", "a\nb\n");
    FILE *f = fopen(path, "a");
    struct source *s;

    OK(source_open(path, &s, &err));
    cr_expect(!source_has_changed(s));
    fputs("one more\n", f);
    fclose(f);
    cr_expect(source_has_changed(s));
    source_close(s);
}
