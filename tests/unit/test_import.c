/* The promises every import keeps: nothing half, nothing twice, nothing secret, and never a crash. */
#include "import_helpers.h"
#include "import_samples.h"

#include "base/text.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>

TestSuite(import, .init = temp_begin, .fini = temp_end);

Test(import, finds_the_format_of_every_sample_and_counts_its_records)
{
    struct store *s = temp_open(STORE_WRITE);

    for (int i = 0; i < SAMPLES; i++) {
        struct import_report r;
        int rc = import_into(s, write_text(samples[i].file, sample_text(&samples[i], arena)), NULL, &r);
        int64_t skipped = 0;

        cr_assert_eq(rc, 0, "%s: %s", samples[i].file, err.text);
        cr_expect_str_eq(r.format, samples[i].format, "%s", samples[i].file);
        cr_expect_eq(r.read, samples[i].read, "%s: read %d", samples[i].file, (int)r.read);
        cr_expect_eq(r.kept, samples[i].kept, "%s: kept %d", samples[i].file, (int)r.kept);
        cr_expect_gt(r.rows, 0, "%s", samples[i].file);
        for (size_t k = 0; k < r.skipped_n; k++)
            skipped += r.skipped[k].n;
        cr_expect_eq(r.read, r.kept + skipped, "%s", samples[i].file);
    }
    store_close(s);
}

Test(import, every_format_of_the_table_has_a_sample)
{
    for (int i = 0; importers[i] != NULL; i++) {
        bool found = importers[i]->sniff == NULL; /* csv and jsonl are told by a map, below */

        for (int k = 0; k < SAMPLES; k++)
            found = found || strcmp(samples[k].format, importers[i]->name) == 0;
        cr_expect(found, "%s", importers[i]->name);
        cr_expect(importers[i]->help[0] != '\0' && importers[i]->units[0] != '\0', "%s", importers[i]->name);
    }
}

Test(import, takes_a_file_in_once)
{
    struct store *s = temp_open(STORE_WRITE);
    struct text once = {0}, twice = {0};
    struct import_report first, second;

    for (int i = 0; i < SAMPLES; i++)
        OK(import_into(s, write_text(samples[i].file, sample_text(&samples[i], arena)), NULL, &first));
    dump_store(temp_path, &once);
    for (int i = 0; i < SAMPLES; i++) {
        OK(import_into(s, write_text("other-name", sample_text(&samples[i], arena)),
                       &(struct import_options){.format = samples[i].format}, &second));
        cr_expect(second.known, "%s", samples[i].file);
        cr_expect_eq(second.kept, samples[i].kept);
    }
    dump_store(temp_path, &twice);
    cr_expect_str_eq(once.s, twice.s);
    store_close(s);
    text_free(&once);
    text_free(&twice);
}

static const char *write_gzip(const char *name, const char *text)
{
    static char path[200];
    gzFile f;

    snprintf(path, sizeof path, "%s/%s", temp_folder, name);
    f = gzopen(path, "wb");
    cr_assert_eq(gzwrite(f, text, (unsigned)strlen(text)), (int)strlen(text));
    gzclose(f);
    return path;
}

Test(import, reads_gzip_and_zstd_whatever_the_file_is_called)
{
    const char *text = sample_text(&samples[0], arena);
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;
    char packed[4096];
    size_t n = ZSTD_compress(packed, sizeof packed, text, strlen(text), 3);

    OK(import_into(s, write_gzip("a.bin", text), NULL, &r));
    cr_expect_eq(r.kept, 2);
    OK(import_into(s, write_bytes("b.bin", packed, n), NULL, &r));
    cr_expect_eq(r.kept, 2);
    /* Two members in a row are one file. */
    memcpy(packed + n, packed, 0);
    FAILS(import_into(s, write_bytes("c.bin", packed, n - 4), NULL, &r), ERR_TRACE,
          "c.bin: the zstd data is damaged");
    store_close(s);
}

Test(import, refuses_a_gzip_file_that_ends_too_early)
{
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;
    char *bytes;
    size_t n;

    OK(text_read_file(write_gzip("a.gz", sample_text(&samples[0], arena)), &bytes, &n, &err));
    for (size_t cut = 3; cut < n; cut += 7)
        FAILS(import_into(s, write_bytes("cut.gz", bytes, cut), NULL, &r), ERR_TRACE, "cut.gz");
    cr_expect_str_eq(ask("SELECT count(*) FROM trace"), "0", "what is refused leaves nothing");
    free(bytes);
    store_close(s);
}

Test(import, says_what_is_wrong_with_files_it_cannot_take)
{
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;

    FAILS(import_into(s, "/no/such/file", NULL, &r), ERR_NOFILE, "/no/such/file: no such file");
    FAILS(import_into(s, temp_folder, NULL, &r), ERR_IO, "folder");
    FAILS(import_into(s, write_text("empty", ""), NULL, &r), ERR_TRACE, "no known trace format");
    FAILS(import_into(s, write_text("e.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n"), NULL, &r),
          ERR_TRACE, "holds no records");
    FAILS(import_into(s, write_text("g", "hello"), &(struct import_options){.format = "mooncak"}, &r),
          ERR_USAGE, "did you mean \"mooncake\"");
    FAILS(import_into(s, write_text("t.json", "{\"traceEvents\": [\n{\"ph\": \"X\",, }]}"), NULL, &r),
          ERR_TRACE, "t.json:2:12: ");
    cr_expect_str_eq(ask("SELECT count(*) FROM trace"), "0");
    store_close(s);
}

Test(import, counts_malformed_records_or_refuses_them_when_strict)
{
    const char *text =
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.1,374,44\nyesterday,1,1\n"
        "2023-11-16 18:15:47,-3,1\n2023-11-16 18:15:48,1\n2023-11-16 18:15:49,x1,1\n";
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;

    OK(import_into(s, write_text("a.csv", text), NULL, &r));
    cr_expect_eq(r.read, 5);
    cr_expect_eq(r.kept, 1);
    cr_expect_eq(r.skipped_n, 4);
    FAILS(import_into(s, write_text("b.csv", text),
                      &(struct import_options){.strict = true, .keep_text = true}, &r),
          ERR_TRACE, "b.csv:3:1: no point in time");
    store_close(s);
}

/* The JSON reader refuses what nests without end instead of running out of stack. */
Test(import, survives_hostile_documents)
{
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;
    struct text t = {0};

    text_add(&t, "{\"traceEvents\": [{\"ph\": \"X\", \"args\": ");
    for (int i = 0; i < 100000; i++)
        text_add(&t, "[");
    FAILS(import_into(s, write_text("deep.json", t.s), NULL, &r), ERR_TRACE, "nesting deeper");
    t.len = 0;
    text_add(&t, sample_text(&samples[3], arena));
    text_add(&t, "{\"timestamp\": 4000, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": [1");
    for (int i = 0; i < 5 << 20; i++)
        text_add_n(&t, ",1", 2);
    text_add(&t, "]}\n");
    OK(import_into(s, write_text("long.jsonl", t.s), NULL, &r));
    cr_expect_eq(r.kept, 2);
    cr_assert_eq(r.skipped_n, 1);
    cr_expect_str_eq(r.skipped[0].what, "a record above 8 MiB");
    text_free(&t);
    store_close(s);
}

/* Bytes changed, cut, doubled: counted or refused, but the program goes on and the store stays sound. */
static void mutate(struct store *s, const struct sample *sample, uint32_t *random, int rounds)
{
    const char *text = sample_text(sample, arena);
    size_t n = strlen(text);
    char *copy = malloc(2 * n + 1);

    for (int i = 0; i < rounds; i++) {
        struct import_report r;
        size_t length = n;
        int rc;

        memcpy(copy, text, n);
        for (int k = 0; k < 1 + i % 4; k++) {
            *random = *random * 1664525u + 1013904223u;
            if (i % 5 == 4)
                length = (*random >> 8) % n + 1;
            else
                copy[(*random >> 8) % n] =
                    i % 3 == 0 ? "{}[]\",:0-9eE.\n\\u"[*random >> 28] : (char)(*random >> 4);
        }
        rc = import_into(s, write_bytes(sample->file, copy, length),
                         &(struct import_options){.format = sample->format, .strict = i % 7 == 6}, &r);
        cr_assert(rc == 0 || rc == ERR_TRACE, "%s: code %d: %s", sample->file, rc, err.text);
        if (rc == ERR_TRACE)
            cr_assert_not_null(strstr(err.text, sample->file), "\"%s\" does not name the file", err.text);
    }
    free(copy);
}

Test(import, survives_changed_bytes_in_every_format, .timeout = 120)
{
    struct store *s = temp_open(STORE_WRITE);
    struct text t = {0};
    uint32_t random = 20240607;

    store_begin(s, &err); /* one disk write for all of it */
    for (int i = 0; i < SAMPLES; i++)
        mutate(s, &samples[i], &random, 120);
    store_commit(s, &err);
    OK(store_check(s, &t, &err));
    cr_expect_str_eq(ask("SELECT count(*) FROM import WHERE complete = 0"), "0");
    text_free(&t);
    store_close(s);
}

/* ------------------------------------------------------------------- killed */

static const char *write_long_trace(void)
{
    struct text t = {0};
    const char *path;

    for (int i = 0; i < 40000; i++)
        text_printf(
            &t,
            "{\"timestamp\": %d, \"input_length\": %d, \"output_length\": %d, \"hash_ids\": [%d, %d]}%s\n",
            i * 10, i % 900, i % 77, i / 3, i, i % 1000 == 999 ? "}" : "");
    path = write_text("long.jsonl", t.s);
    text_free(&t);
    return path;
}

static void import_in_child(const char *store, const char *trace)
{
    struct import_options o = {0};
    struct import_report r;
    struct store *s;

    if (store_open(store, STORE_WRITE, &s, &err) == 0) {
        import_file(s, trace, &o, arena, &r, &err);
        store_close(s);
    }
    _exit(0);
}

Test(import, killed_at_any_moment_it_goes_on_and_ends_the_same, .timeout = 240)
{
    const char *trace = write_long_trace();
    struct text whole = {0}, resumed = {0};
    struct import_report r;
    struct store *s = temp_open(STORE_WRITE);
    char path[120];
    int part_way = 0;

    OK(import_into(s, trace, NULL, &r));
    store_close(s);
    cr_expect_eq(r.skipped_n, 1);
    dump_store(temp_path, &whole);
    snprintf(path, sizeof path, "%s/killed.db", temp_folder);
    for (int i = 0; i < 12; i++) {
        struct timespec pause = {.tv_nsec = (20 + 25 * i) * 1000 * 1000};
        pid_t child = fork();

        if (child == 0)
            import_in_child(path, trace);
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        OK(store_open(path, STORE_WRITE, &s, &err));
        resumed.len = 0;
        OK(store_check(s, &resumed, &err)); /* sound, and no batch is there in part */
        OK(import_into(s, trace, NULL, &r));
        part_way += !r.known && strstr(resumed.s, "trace        1") != NULL;
        store_close(s);
        resumed.len = 0;
        dump_store(path, &resumed);
        cr_assert_str_eq(whole.s, resumed.s, "round %d", i);
        unlink(path);
    }
    cr_expect_gt(part_way, 0, "no kill struck while rows were being stored");
    text_free(&whole);
    text_free(&resumed);
}

/* ------------------------------------------------------------------ secrets */

static bool store_contains(const char *word)
{
    char *bytes;
    size_t n;
    bool found;

    OK(text_read_file(temp_path, &bytes, &n, &err));
    found = memmem(bytes, n, word, strlen(word)) != NULL;
    free(bytes);
    return found;
}

Test(import, keeps_no_prompt_no_password_no_property)
{
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;

    for (int i = 0; i < SAMPLES; i++)
        OK(import_into(s, write_text(samples[i].file, sample_text(&samples[i], arena)), NULL, &r));
    store_close(s);
    cr_expect_not(store_contains("secret"));
    cr_expect_not(store_contains("hunter2"));
}

Test(import, keeps_prompts_only_when_told)
{
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;

    for (int i = 0; i < SAMPLES; i++)
        if (strcmp(samples[i].format, "otlp") == 0)
            OK(import_into(s, write_text("o.json", sample_text(&samples[i], arena)),
                           &(struct import_options){.keep_text = true}, &r));
    cr_expect_str_eq(ask("SELECT text FROM kept_text"), "my secret prompt");
    store_close(s);
}

Test(import, anonymous_names_stay_equal_within_a_store_and_differ_between_stores)
{
    const struct import_options o = {.anonymize = true};
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;
    char first[40];

    for (int i = 0; i < SAMPLES; i++)
        if (strcmp(samples[i].format, "spark") == 0 || strcmp(samples[i].format, "ragpulse") == 0)
            OK(import_into(s, write_text(samples[i].file, sample_text(&samples[i], arena)), &o, &r));
    snprintf(first, sizeof first, "%s", ask("SELECT session FROM request ORDER BY seq LIMIT 1"));
    cr_expect_eq(strncmp(first, "n-", 2), 0, "%s", first);
    cr_expect_eq(strncmp(ask("SELECT host FROM spark_executor"), "n-", 2), 0);
    cr_expect_eq(strncmp(ask("SELECT name FROM trace"), "n-", 2), 0);
    cr_expect_eq(strncmp(ask("SELECT file FROM import"), "n-", 2), 0);
    store_close(s);
    cr_expect_not(store_contains("10.0.0.1"));
    unlink(temp_path);
    s = temp_open(STORE_WRITE);
    for (int i = 0; i < SAMPLES; i++)
        if (strcmp(samples[i].file, "rag.jsonl") == 0)
            OK(import_into(s, write_text(samples[i].file, sample_text(&samples[i], arena)), &o, &r));
    cr_expect_str_neq(first, ask("SELECT session FROM request ORDER BY seq LIMIT 1"));
    store_close(s);
}

/* --------------------------------------------------------------------- maps */

Test(import, reads_any_csv_by_a_map_and_keeps_the_map)
{
    const char *csv = "ts,who,in tok,out,lat\n1000,u1,10,5,250\n2500,u2,20,,300\n3000,u3,x,1,1\n";
    struct import_options o = {.map = "requests: arrival_s = ts ms, session = who, input_tokens = 'in tok', "
                                      "output_tokens = out, latency_s = lat ms"};
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;

    OK(import_into(s, write_text("mine.csv", csv), &o, &r));
    cr_expect_str_eq(r.format, "csv");
    cr_expect_eq(r.kept, 2);
    cr_expect_float_eq(ask_number("SELECT arrival_s FROM request WHERE session = 'u2'"), 2.5, 1e-12);
    cr_expect_float_eq(ask_number("SELECT latency_s FROM request WHERE session = 'u1'"), 0.25, 1e-12);
    cr_expect_str_eq(ask("SELECT output_tokens FROM request WHERE session = 'u2'"), "");
    o.map = "mine"; /* by the name it was kept under */
    OK(import_into(s, write_text("again.csv", "ts,who,in tok,out,lat\n1,u9,1,1,1\n"), &o, &r));
    cr_expect_eq(r.kept, 1);
    o.map = "requests: arival_s = ts";
    FAILS(import_into(s, write_text("c.csv", csv), &o, &r), ERR_USAGE, "did you mean \"arrival_s\"");
    o.map = "requests: arrival_s = ts parsec";
    FAILS(import_into(s, write_text("c.csv", csv), &o, &r), ERR_USAGE, "no unit");
    store_close(s);
}

Test(import, reads_any_json_lines_by_a_map)
{
    struct import_options o = {
        .map = "measurements: @engine = run.engine, @clients = run.clients, latency_p99_s = "
               "p99 us, throughput_per_s = qps"};
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;

    OK(import_into(
        s,
        write_text("m.jsonl",
                   "{\"run\": {\"engine\": \"x\", \"clients\": 8}, \"p99\": 1500, \"qps\": 12.5}\n"),
        &o, &r));
    cr_expect_str_eq(r.format, "jsonl");
    cr_expect_float_eq(ask_number("SELECT value FROM measurements WHERE name = 'latency_p99_s'"), 0.0015,
                       1e-12);
    cr_expect_str_eq(ask("SELECT settings ->> '$.clients' FROM measurement"), "8");
    store_close(s);
}

/* A store of the version before imports existed is brought up to date. */
Test(import, an_older_store_gets_the_new_tables)
{
    struct store *s = temp_open(STORE_WRITE);
    struct import_report r;
    sqlite3 *db;

    store_close(s);
    cr_assert_eq(sqlite3_open(temp_path, &db), SQLITE_OK);
    cr_assert_eq(
        sqlite3_exec(
            db,
            "DROP VIEW imports; DROP VIEW requests; DROP VIEW operator_costs; DROP VIEW measurements;"
            "DROP VIEW searched; DROP TABLE search_replication; DROP TABLE search_point; DROP TABLE search;"
            "DROP VIEW spark_jobs; DROP VIEW spark_executors; DROP TABLE import; DROP TABLE import_note;"
            "DROP TABLE import_map; DROP TABLE store_value; DROP TABLE request; DROP TABLE prompt_block;"
            "DROP TABLE block_length; DROP TABLE cost; DROP TABLE cost_op; DROP TABLE measurement;"
            "DROP TABLE figure; DROP TABLE spark_job; DROP TABLE spark_stage; DROP TABLE "
            "spark_job_stage; DROP TABLE spark_task; DROP TABLE spark_executor; DROP TABLE kept_text;"
            "DROP TABLE calibration_document; DROP TABLE calibration_source; DROP TABLE "
            "calibration_covariance; DROP TABLE calibration_remark; ALTER TABLE calibration_row DROP COLUMN "
            "valid_of;"
            "INSERT INTO trace(name, kind, scenario, scenario_sha256, seed, host, note) "
            "VALUES ('old', 'exec', '', '', 1, '', ''); PRAGMA user_version = 1",
            NULL, NULL, NULL),
        SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    s = temp_open(STORE_WRITE);
    OK(import_into(s, write_text(samples[0].file, sample_text(&samples[0], arena)), NULL, &r));
    cr_expect_str_eq(ask("SELECT count(*) FROM trace"), "2");
    cr_expect_str_eq(ask("PRAGMA user_version"), "5");
    store_close(s);
}

Test(import, the_check_of_the_store_finds_rows_that_are_missing)
{
    struct store *s = temp_open(STORE_WRITE);
    struct text t = {0};
    struct import_report r;

    for (int i = 0; i < SAMPLES; i++)
        OK(import_into(s, write_text(samples[i].file, sample_text(&samples[i], arena)), NULL, &r));
    OK(store_check(s, &t, &err));
    ask("DELETE FROM request WHERE trace_id = 1 AND seq = 1");
    FAILS(store_check(s, &t, &err), ERR_IO, "1 findings");
    cr_expect_not_null(strstr(t.s, "import 1 should have 2 rows, but has 1"), "%s", t.s);
    text_free(&t);
    store_close(s);
}
