/*
 * An import killed at random moments: what is in the store is whole, and importing again ends as if nothing
 * had been.
 *
 *   import_killed [ROUNDS]      default 8; `make soak` runs 50
 *
 * Each round imports a file in a child, sends it SIGKILL at a moment drawn uniformly from the time such an
 * import takes (one round in three: twice), and then asks of the store
 *   - that SQLite finds it sound, and so do the store's own checks (rows against marks, references, counts of
 * spans),
 *   - that the mark of an unfinished import is a whole number of batches, or 0,
 *   - that after importing the file again all tables equal, row by row, those of an import nobody killed.
 */
#include "base/arena.h"
#include "base/text.h"
#include "store/import/import.h"
#include "store/import/sink.h"
#include "store/sql.h"
#include "store/store.h"
#include "tests/bench/import_files.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/foresight-killed-XXXXXX", store_path[100];

/* The files are left for whoever looks into it. */
static void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "import_killed: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, " (%s)\n", folder);
    va_end(ap);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void remove_store(void)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char path[120];

    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", store_path, endings[i]);
        unlink(path);
    }
}

static struct store *open_store(void)
{
    struct store *s;
    struct err err = {0};

    if (store_open(store_path, STORE_WRITE, &s, &err) != 0)
        die("%s", err.text);
    return s;
}

static void import(const char *file)
{
    struct store *s = open_store();
    struct arena *a = arena_new();
    struct import_report report;
    struct err err = {0};

    if (import_file(s, file, &(struct import_options){0}, a, &report, &err) != 0)
        die("%s", err.text);
    arena_free(a);
    store_close(s);
}

/* ------------------------------------------------------------- what is in the store */

static void add_table(sqlite3 *db, const char *table, struct text *out)
{
    sqlite3_stmt *st;
    char sql[200];

    if (strcmp(table, "trace") == 0) /* all but the time at which the row was written */
        snprintf(sql, sizeof sql, "SELECT id, name, kind, note, spans FROM trace");
    else
        snprintf(sql, sizeof sql, "SELECT * FROM \"%s\"", table);
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        die("%s", sqlite3_errmsg(db));
    text_printf(out, "--- %s\n", table);
    while (sqlite3_step(st) == SQLITE_ROW) {
        for (int c = 0; c < sqlite3_column_count(st); c++) {
            const char *value = (const char *)sqlite3_column_text(st, c);

            text_add(out, value != NULL ? value : "NULL");
            text_add_n(out, "|", 1);
        }
        text_add_n(out, "\n", 1);
    }
    sqlite3_finalize(st);
}

/* Every row of every table, in the order of the primary keys. */
static char *dump(void)
{
    struct text out = {0};
    sqlite3_stmt *st;
    sqlite3 *db;

    if (sqlite3_open(store_path, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(
            db,
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sqlite_sequence' ORDER BY 1",
            -1, &st, NULL) != SQLITE_OK)
        die("%s", sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW)
        add_table(db, (const char *)sqlite3_column_text(st, 0), &out);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return out.s;
}

static void compare(const char *whole, const char *resumed, int round)
{
    long line = 1;

    if (strcmp(whole, resumed) == 0)
        return;
    while (*whole == *resumed) {
        line += *whole++ == '\n';
        resumed++;
    }
    die("round %d: line %ld of the dump reads \"%.40s\" instead of \"%.40s\"", round, line, resumed, whole);
}

/* True when the import was struck between its first and its last batch. */
static bool check(int round)
{
    struct store *s = open_store();
    struct text found = {0};
    struct err err = {0};
    int64_t broken, part_way;

    if (store_check(s, &found, &err) != 0)
        die("round %d: %s\n%s", round, err.text, found.s);
    if (sql_number(s, "SELECT count(*) FROM import WHERE complete = 0 AND rows % 10000 <> 0", &broken,
                   &err) != 0 ||
        sql_number(s, "SELECT count(*) FROM import WHERE complete = 0 AND rows > 0", &part_way, &err) != 0)
        die("%s", err.text);
    if (broken > 0)
        die("round %d: a batch is there in part", round);
    text_free(&found);
    store_close(s);
    return part_way > 0;
}

/* ----------------------------------------------------------------------------- rounds */

static void kill_import(const char *file, double after_s)
{
    struct timespec pause = {.tv_sec = (time_t)after_s,
                             .tv_nsec = (long)(1e9 * (after_s - (double)(time_t)after_s))};
    pid_t child = fork();

    if (child < 0)
        die("cannot fork");
    if (child == 0) {
        import(file);
        _exit(0);
    }
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

struct subject {
    char file[120];
    char *whole; /* the store of an import nobody killed */
    double time_s;
};

static void prepare(const struct file_kind *k, struct subject *s)
{
    double start;

    snprintf(s->file, sizeof s->file, "%s/%s", folder, k->file);
    if (write_file(k, s->file, k->records / 8, 0, 1) != 0)
        die("cannot write %s", s->file);
    start = now_s();
    import(s->file);
    s->time_s = now_s() - start;
    s->whole = dump();
    remove_store();
}

static bool play(const struct subject *s, int round)
{
    int kills = round % 3 == 2 ? 2 : 1;
    bool part_way = false;
    char *resumed;

    for (int k = 0; k < kills; k++) {
        kill_import(s->file, s->time_s * (double)(drawn((uint64_t)(2 * round + k)) >> 11) * 0x1p-53);
        part_way |= check(round);
    }
    import(s->file);
    check(round);
    resumed = dump();
    compare(s->whole, resumed, round);
    free(resumed);
    remove_store();
    return part_way;
}

int main(int argc, char **argv)
{
    struct subject subject[FILE_KINDS];
    int rounds = argc > 1 ? atoi(argv[1]) : 8, part_way = 0;

    _Static_assert(IMPORT_BATCH == 10000, "check() asks for whole batches");
    if (mkdtemp(folder) == NULL)
        die("no folder in /tmp");
    snprintf(store_path, sizeof store_path, "%s/s.db", folder);
    for (int i = 0; i < FILE_KINDS; i++)
        prepare(&file_kinds[i], &subject[i]);
    for (int i = 0; i < rounds; i++)
        part_way += play(&subject[i % FILE_KINDS], i);
    if (rounds >= 8 && part_way == 0)
        die("no kill struck while rows were being stored");
    for (int i = 0; i < FILE_KINDS; i++) {
        unlink(subject[i].file);
        free(subject[i].whole);
    }
    rmdir(folder);
    printf("# %d rounds, %d struck while rows were being stored\n", rounds, part_way);
    return 0;
}
