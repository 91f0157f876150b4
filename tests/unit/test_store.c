#include "temp_store.h"

#include "store/schema.h"
#include "store/sql.h"
#include "store/trace.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

TestSuite(store, .init = temp_begin, .fini = temp_end, .timeout = 60);

/* What another program would do to the file. */
static void other_program(const char *path, const char *sql)
{
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static int64_t add_trace(struct store *s, const char *name)
{
    struct trace_info info = {.name = name, .kind = "exec"};
    int64_t id = 0;

    OK(trace_create(s, &info, &id, &err));
    return id;
}

static size_t traces(struct store *s)
{
    struct trace_row *rows;
    size_t n = 0;

    OK(trace_list(s, NULL, arena, &rows, &n, &err));
    return n;
}

static struct span *many_spans(size_t n)
{
    struct span *spans = arena_array(arena, n, sizeof *spans);

    for (size_t i = 0; i < n; i++)
        spans[i] = (struct span){.stage = "prep",
                                 .op = "hash",
                                 .variant = "",
                                 .item = (int64_t)i,
                                 .start_s = (double)i,
                                 .end_s = (double)i + 0.5,
                                 .cpu_s = 0.4,
                                 .items = 64};
    return spans;
}

Test(store, fresh_store_is_sound_and_reopens_with_its_content)
{
    struct text report = {0};
    struct store *s = temp_open(STORE_WRITE);

    OK(store_check(s, &report, &err));
    cr_expect_not_null(strstr(report.s, "soundness    ok"));
    text_free(&report);
    add_trace(s, "one");
    store_close(s);
    s = temp_open(STORE_WRITE);
    cr_expect_eq(traces(s), 1);
    store_close(s);
    s = temp_open(STORE_READ);
    cr_expect_eq(traces(s), 1);
    store_close(s);
    store_close(NULL);
}

Test(store, reading_never_creates_or_changes)
{
    struct trace_info info = {.name = "x", .kind = "exec"};
    struct store *s = NULL;
    int64_t id;

    FAILS(store_open(temp_path, STORE_READ, &s, &err), ERR_NOFILE, "no such store");
    cr_expect_null(s);
    cr_expect_neq(access(temp_path, F_OK), 0);
    store_close(temp_open(STORE_WRITE));
    s = temp_open(STORE_READ);
    FAILS(trace_create(s, &info, &id, &err), ERR_IO, "write");
    store_close(s);
}

Test(store, refuses_what_is_no_store)
{
    static const char text[] =
        "stage,op,start\nprep,hash,0.1\nprep,hash,0.2\n and more bytes than a header has: "
        "0123456789012345678901234567890123456789012345678901234567890";
    struct store *s = NULL;
    char *back;
    size_t n;

    OK(text_write_file(temp_path, text, sizeof text - 1, &err));
    FAILS(store_open(temp_path, STORE_WRITE, &s, &err), ERR_IO, "not a foresight store");
    FAILS(store_open(temp_path, STORE_READ, &s, &err), ERR_IO, "not a foresight store");
    OK(text_read_file(temp_path, &back, &n, &err));
    cr_expect(n == sizeof text - 1 && memcmp(back, text, n) == 0, "the file was changed");
    free(back);
    FAILS(store_open(temp_folder, STORE_WRITE, &s, &err), ERR_IO, "it is a folder");
    FAILS(store_open("/dev/null", STORE_WRITE, &s, &err), ERR_IO, "not a plain file");
    FAILS(store_open("/no/such/folder/t.db", STORE_WRITE, &s, &err), ERR_IO, "/no/such/folder/t.db");
    FAILS(store_open("", STORE_WRITE, &s, &err), ERR_USAGE, "empty");
}

Test(store, refuses_another_programs_database_and_leaves_it_alone)
{
    struct store *s = NULL;
    char *before, *after;
    size_t n, m;

    other_program(temp_path, "CREATE TABLE bookmark(url TEXT)");
    OK(text_read_file(temp_path, &before, &n, &err));
    FAILS(store_open(temp_path, STORE_WRITE, &s, &err), ERR_IO, "another program");
    OK(text_read_file(temp_path, &after, &m, &err));
    cr_expect(n == m && memcmp(before, after, n) == 0, "the file was changed");
    free(before);
    free(after);
}

/* A store as version 3 left it: the kinds of traces were three. */
static void make_version_3(void)
{
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(temp_path, &db), SQLITE_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(sqlite3_exec(db, schema_steps[i], NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_exec(db,
                              "PRAGMA application_id = 0x46536774; PRAGMA user_version = 3;"
                              "INSERT INTO trace(name, kind, scenario, scenario_sha256, seed, host, note, spans) "
                              "VALUES ('old', 'exec', 's', 'x', 7, '{}', 'n', 1), ('gone', 'exec', '', '', 1, '', "
                              "'', 0); DELETE FROM trace WHERE name = 'gone';"
                              "INSERT INTO operator VALUES (5, 1, 'prep', 'hash', '');"
                              "INSERT INTO span VALUES (5, 0, 3, 1, 0.5, 2.0, 1.0, 64, NULL, NULL);"
                              "INSERT INTO calibration(name, version, scenario_sha256, trace_id) VALUES ('c', 1, "
                              "'x', 1)",
                              NULL, NULL, NULL),
                 SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

Test(store, version_3_becomes_one_that_takes_simulated_traces_and_loses_nothing)
{
    struct trace_info info = {.name = "sim", .kind = "simulated"};
    struct text report = {0};
    struct trace_row *rows;
    struct trace_op *ops;
    struct store *s;
    int64_t id = 0, n = 0;
    size_t count;

    make_version_3();
    s = temp_open(STORE_WRITE);
    OK(trace_create(s, &info, &id, &err));
    cr_expect_eq(id, 3, "id 2 was given away once: %lld", (long long)id);
    OK(trace_list(s, "exec", arena, &rows, &count, &err));
    cr_assert_eq(count, 1);
    cr_expect_str_eq(rows[0].info.note, "n");
    cr_expect_eq(rows[0].info.seed, 7);
    OK(trace_summary(s, 1, arena, &ops, &count, &err));
    cr_assert_eq(count, 1, "the spans went");
    cr_expect_float_eq(ops[0].wall_mean_s, 1.5, 1e-12);
    OK(sql_number(s, "SELECT trace_id FROM calibration", &n, &err));
    cr_expect_eq(n, 1);
    OK(store_check(s, &report, &err));
    text_free(&report);
    OK(trace_remove(s, 1, &err)); /* foreign keys are enforced again, and refer to the table made anew */
    OK(sql_number(s, "SELECT count(*) FROM span", &n, &err));
    cr_expect_eq(n, 0);
    OK(sql_number(s, "SELECT trace_id IS NULL FROM calibration", &n, &err));
    cr_expect_eq(n, 1);
    info.kind = "dreamt";
    FAILS(trace_create(s, &info, &id, &err), ERR_IO, "CHECK");
    store_close(s);
}

Test(store, a_simulated_trace_is_no_recording)
{
    struct trace_info info = {.name = "same", .kind = "simulated"};
    struct store *s = temp_open(STORE_WRITE);
    int64_t exec = add_trace(s, "one"), sim, id;

    OK(trace_create(s, &info, &sim, &err));
    OK(trace_find(s, "latest:exec", &id, &err));
    cr_expect_eq(id, exec);
    OK(trace_find(s, "latest:simulated", &id, &err));
    cr_expect_eq(id, sim);
    OK(trace_find_recorded(s, "one", &id, &err));
    cr_expect_eq(id, exec);
    FAILS(trace_find_recorded(s, "same", &id, &err), ERR_USAGE, "was simulated");
    store_close(s);
}

Test(store, refuses_a_newer_version)
{
    struct store *s = NULL;

    store_close(temp_open(STORE_WRITE));
    other_program(temp_path, "PRAGMA user_version = 99");
    FAILS(store_open(temp_path, STORE_WRITE, &s, &err), ERR_IO, "store version 99");
    FAILS(store_open(temp_path, STORE_READ, &s, &err), ERR_IO, "upgrade foresight");
}

Test(store, an_empty_file_becomes_a_store_only_when_writing)
{
    struct store *s = NULL;

    OK(text_write_file(temp_path, "", 0, &err));
    FAILS(store_open(temp_path, STORE_READ, &s, &err), ERR_IO, "empty");
    store_close(temp_open(STORE_WRITE));
    store_close(temp_open(STORE_READ));
}

Test(store, names_that_sqlite_reads_in_its_own_way_are_plain_files)
{
    struct store *s = NULL;

    cr_assert_eq(chdir(temp_folder), 0);
    OK(store_open(":memory:", STORE_WRITE, &s, &err));
    store_close(s);
    cr_expect_eq(access(":memory:", F_OK), 0);
    OK(store_open("file:a?mode=memory", STORE_WRITE, &s, &err));
    store_close(s);
    cr_expect_eq(access("file:a?mode=memory", F_OK), 0);
}

Test(store, nested_transactions_undo_only_themselves)
{
    struct store *s = temp_open(STORE_WRITE);

    OK(store_begin(s, &err));
    add_trace(s, "kept");
    OK(store_begin(s, &err));
    add_trace(s, "undone");
    store_rollback(s);
    OK(store_begin(s, &err));
    add_trace(s, "kept too");
    OK(store_commit(s, &err));
    OK(store_commit(s, &err));
    cr_expect_eq(traces(s), 2);
    OK(store_begin(s, &err));
    add_trace(s, "open at the end");
    store_close(s);
    s = temp_open(STORE_READ);
    cr_expect_eq(traces(s), 2);
    store_close(s);
}

/* Criterion cannot hear a child of a test, so a child speaks through its exit status. */
#define IN_CHILD(expr)                                                                                       \
    do {                                                                                                     \
        if ((expr) != 0) {                                                                                   \
            fprintf(stderr, "%s: %s\n", #expr, err.text);                                                    \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

static void commit_then_wait_in_mid_transaction(int ready)
{
    struct trace_info info = {.name = "committed", .kind = "exec"};
    struct store *s;
    int64_t id;

    alarm(30);
    IN_CHILD(store_open(temp_path, STORE_WRITE, &s, &err));
    IN_CHILD(trace_create(s, &info, &id, &err));
    IN_CHILD(trace_append(s, id, many_spans(1000), 1000, &err));
    IN_CHILD(store_begin(s, &err));
    IN_CHILD(trace_append(s, id, many_spans(50000), 50000, &err));
    info.name = "never committed";
    IN_CHILD(trace_create(s, &info, &id, &err));
    IN_CHILD(write(ready, "x", 1) != 1);
    pause();
}

Test(store, killed_in_mid_transaction_loses_nothing_committed)
{
    struct text report = {0};
    struct trace_row row;
    struct store *s;
    int ready[2], status;
    int64_t id;
    char c;
    pid_t pid;

    cr_assert_eq(pipe(ready), 0);
    pid = fork();
    if (pid == 0)
        commit_then_wait_in_mid_transaction(ready[1]);
    close(ready[1]);
    cr_assert_eq(read(ready[0], &c, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    cr_assert(WIFSIGNALED(status));

    s = temp_open(STORE_WRITE);
    OK(trace_find(s, "latest", &id, &err));
    OK(trace_info_load(s, id, arena, &row, &err));
    cr_expect_str_eq(row.info.name, "committed");
    cr_expect_eq(row.spans, 1000);
    OK(store_check(s, &report, &err));
    text_free(&report);
    store_close(s);
}

static void write_traces(int n)
{
    struct trace_info info = {.name = "t", .kind = "exec"};
    struct store *s;
    int64_t id;

    IN_CHILD(store_open(temp_path, STORE_WRITE, &s, &err));
    for (int i = 0; i < n; i++) {
        IN_CHILD(trace_create(s, &info, &id, &err));
        IN_CHILD(trace_append(s, id, many_spans(100), 100, &err));
    }
    store_close(s);
    _exit(0);
}

/* They meet when both find no file and create it, so that moment comes many times. */
Test(store, programs_create_and_write_at_the_same_time)
{
    enum { PROGRAMS = 4, EACH = 3, ROUNDS = 10 };
    pid_t pid[PROGRAMS];
    struct store *s;
    int status;

    for (int round = 0; round < ROUNDS; round++) {
        snprintf(temp_path, sizeof temp_path, "%s/%d.db", temp_folder, round);
        for (int p = 0; p < PROGRAMS; p++)
            if ((pid[p] = fork()) == 0)
                write_traces(EACH);
        for (int p = 0; p < PROGRAMS; p++) {
            waitpid(pid[p], &status, 0);
            cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "round %d: a writer failed", round);
        }
        s = temp_open(STORE_READ);
        cr_expect_eq(traces(s), PROGRAMS * EACH);
        store_close(s);
    }
}

/* The limit on file sizes stands for a full disk: the kernel refuses the write in the same place. */
Test(store, full_disk_leaves_the_old_content)
{
    struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY}, old;
    struct text report = {0};
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = add_trace(s, "before");

    OK(trace_append(s, id, many_spans(100), 100, &err));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    FAILS(trace_append(s, id, many_spans(100000), 100000, &err), ERR_IO, "unharmed");
    cr_expect_eq(traces(s), 1, "the store is still usable");
    setrlimit(RLIMIT_FSIZE, &old);
    OK(trace_append(s, id, many_spans(10), 10, &err));
    OK(store_check(s, &report, &err));
    cr_expect_not_null(strstr(report.s, "span         110\n"), "%s", report.s);
    text_free(&report);
    store_close(s);
}

/* The other way a disk is full: SQLite itself finds no page left. */
Test(store, full_file_leaves_the_old_content)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t id = add_trace(s, "before");

    cr_assert_eq(sqlite3_exec(s->db, "PRAGMA max_page_count = 40", NULL, NULL, NULL), SQLITE_OK);
    FAILS(trace_append(s, id, many_spans(100000), 100000, &err), ERR_IO, "unharmed");
    cr_assert_eq(sqlite3_exec(s->db, "PRAGMA max_page_count = 100000", NULL, NULL, NULL), SQLITE_OK);
    OK(trace_append(s, id, many_spans(10), 10, &err));
    cr_expect_eq(traces(s), 1);
    store_close(s);
}

Test(store, full_disk_inside_a_callers_transaction_fails_its_commit_or_its_rollback_is_clean)
{
    struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY}, old;
    struct store *s = temp_open(STORE_WRITE);
    int64_t id;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    setrlimit(RLIMIT_FSIZE, &limit);
    OK(store_begin(s, &err));
    id = add_trace(s, "unlucky");
    FAILS(trace_append(s, id, many_spans(200000), 200000, &err), ERR_IO, "unharmed");
    store_rollback(s);
    setrlimit(RLIMIT_FSIZE, &old);
    cr_expect_eq(traces(s), 0);
    add_trace(s, "lucky");
    cr_expect_eq(traces(s), 1);
    store_close(s);
}

Test(store, damage_is_found_and_named)
{
    struct text report = {0};
    struct store *s = temp_open(STORE_WRITE);

    OK(trace_append(s, add_trace(s, "t"), many_spans(10), 10, &err));
    store_close(s);
    other_program(temp_path, "DELETE FROM span WHERE seq = 3; DELETE FROM trace WHERE 0");
    s = temp_open(STORE_READ);
    FAILS(store_check(s, &report, &err), ERR_IO, "1 findings");
    cr_expect_not_null(strstr(report.s, "should have 10 spans"));
    text_free(&report);
    store_close(s);

    other_program(temp_path, "PRAGMA foreign_keys=OFF; DELETE FROM trace");
    s = temp_open(STORE_READ);
    FAILS(store_check(s, &report, &err), ERR_IO, "damaged");
    cr_expect_not_null(strstr(report.s, "belongs to no trace"), "%s", report.s);
    text_free(&report);
    store_close(s);
}

Test(store, write_protected_folder_can_still_be_read)
{
    struct store *s = temp_open(STORE_WRITE);

    add_trace(s, "t");
    store_close(s);
    chmod(temp_path, 0444);
    chmod(temp_folder, 0555);
    s = temp_open(STORE_READ);
    cr_expect_eq(traces(s), 1);
    store_close(s);
    chmod(temp_folder, 0755);
    if (geteuid() != 0) /* nothing is write-protected for root */
        FAILS(store_open(temp_path, STORE_WRITE, &s, &err), ERR_IO, "write-protected");
}
