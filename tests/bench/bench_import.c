/*
 * What an import costs, against the least that anybody must do with the same file; prints JSON lines.
 *
 *   least = decompress it + parse it (cJSON, or splitting at commas) + store the very rows that the import
 * stored with bound parameters in tables of the same columns, in transactions of as many rows, as durable.
 *
 * Both run in children, in turn, in fresh stores; what is printed is the ratio of the medians.  The rows come
 * from a store that was filled before the clock starts, so the least pays for no conversion and no
 * bookkeeping.
 *
 * Then each format is given a plain file of LARGE bytes (BENCH_IMPORT_MB, default 300), and the peak of its
 * memory is read from getrusage.
 */
#include "base/arena.h"
#include "import_files.h"
#include "store/import/import.h"
#include "store/import/sink.h"
#include "store/sql.h"
#include "store/store.h"

#include <cjson/cJSON.h> /* the least parser there is; the program itself reads JSON in base/json.c and jread.c only */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPEATS = 3, TARGET_RATIO = 2, TARGET_KIB = 64 << 10 };

static char folder[] = "/tmp/foresight-bench-XXXXXX";

static void die(const char *what)
{
    fprintf(stderr, "bench_import: %s\n", what);
    exit(1);
}

static char *in_folder(const char *name)
{
    char *path = xmalloc(400);

    snprintf(path, 400, "%s/%s", folder, name);
    return path;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ------------------------------------------------------- rows that were stored */

struct cell {
    int type; /* as SQLite numbers them */
    union {
        int64_t i;
        double d;
        char *t;
    };
};

struct rows {
    char create[4000], insert[400];
    int columns;
    size_t n;
    struct cell *cell; /* n * columns */
};

static const char *const tables[] = {"span", "request", "prompt_block", "spark_task"};
enum { TABLES_KEPT = sizeof tables / sizeof *tables };

static void keep_cell(struct cell *c, sqlite3_stmt *st, int k)
{
    c->type = sqlite3_column_type(st, k);
    if (c->type == SQLITE_INTEGER)
        c->i = sqlite3_column_int64(st, k);
    else if (c->type == SQLITE_FLOAT)
        c->d = sqlite3_column_double(st, k);
    else if (c->type == SQLITE_TEXT)
        c->t = xstrdup((const char *)sqlite3_column_text(st, k));
}

static void load_rows(sqlite3 *db, const char *table, struct rows *r)
{
    char sql[200];
    sqlite3_stmt *st;
    size_t size = 0;

    memset(r, 0, sizeof *r);
    snprintf(sql, sizeof sql, "SELECT sql FROM sqlite_schema WHERE name = '%s'", table);
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW)
        die(sqlite3_errmsg(db));
    snprintf(r->create, sizeof r->create, "%s", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY %s", table,
             strcmp(table, "span") == 0 ? "seq" : "1, 2");
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
    r->columns = sqlite3_column_count(st);
    snprintf(r->insert, sizeof r->insert, "INSERT INTO %s VALUES (?", table);
    for (int k = 1; k < r->columns; k++)
        strcat(r->insert, ", ?");
    strcat(r->insert, ")");
    for (; sqlite3_step(st) == SQLITE_ROW; r->n++) {
        if (r->n == size) {
            size = size == 0 ? 1024 : 2 * size;
            r->cell = xrealloc(r->cell, size * (size_t)r->columns, sizeof *r->cell);
        }
        for (int k = 0; k < r->columns; k++)
            keep_cell(&r->cell[r->n * (size_t)r->columns + (size_t)k], st, k);
    }
    sqlite3_finalize(st);
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
}

static void insert_row(sqlite3_stmt *st, const struct cell *c, int columns)
{
    for (int k = 0; k < columns; k++, c++)
        if (c->type == SQLITE_INTEGER)
            sqlite3_bind_int64(st, k + 1, c->i);
        else if (c->type == SQLITE_FLOAT)
            sqlite3_bind_double(st, k + 1, c->d);
        else if (c->type == SQLITE_TEXT)
            sqlite3_bind_text(st, k + 1, c->t, -1, SQLITE_STATIC);
        else
            sqlite3_bind_null(st, k + 1);
    if (sqlite3_step(st) != SQLITE_DONE)
        die("an insert failed");
    sqlite3_reset(st);
}

static void insert_all(sqlite3 *db, const struct rows *r)
{
    sqlite3_stmt *st;

    run(db, r->create);
    if (sqlite3_prepare_v2(db, r->insert, -1, &st, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
    run(db, "BEGIN");
    for (size_t i = 0; i < r->n; i++) {
        insert_row(st, &r->cell[i * (size_t)r->columns], r->columns);
        if ((i + 1) % IMPORT_BATCH == 0)
            run(db, "COMMIT; BEGIN");
    }
    run(db, "COMMIT");
    sqlite3_finalize(st);
}

/* ------------------------------------------------------------------- the least */

static char *decompressed(const char *path, size_t *n)
{
    gzFile f = gzopen(path, "rb");
    size_t size = 1 << 20;
    char *text = xmalloc(size);
    int got;

    if (f == NULL)
        die("a file cannot be read");
    gzbuffer(f, 1 << 17);
    for (*n = 0; (got = gzread(f, text + *n, (unsigned)(size - *n - 1))) > 0; *n += (size_t)got)
        if (size - *n - (size_t)got < 1 << 16)
            text = xrealloc(text, size *= 2, 1);
    gzclose(f);
    text[*n] = '\0';
    return text;
}

static void parse_document(char *text)
{
    cJSON *doc = cJSON_Parse(text);

    if (doc == NULL)
        die("cJSON does not read the file");
    cJSON_Delete(doc);
}

/* Hands out line after line, cut in place. */
static char *next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');

    if (*line == '\0')
        return NULL;
    *at = end != NULL ? end + 1 : line + strlen(line);
    if (end != NULL)
        *end = '\0';
    return line;
}

static void parse_lines(char *text)
{
    for (char *line; (line = next_line(&text)) != NULL;)
        parse_document(line);
}

static void split_lines(char *text)
{
    static volatile size_t fields; /* so that the splitting is not left out */

    for (char *line; (line = next_line(&text)) != NULL;)
        for (char *p = line; p != NULL; p = strchr(p, ',')) {
            if (p != line)
                *p++ = '\0';
            fields++;
        }
}

static void least(const struct file_kind *k, const char *path, const struct rows *rows)
{
    char *store = in_folder("least.db"), *text;
    sqlite3 *db;
    size_t n;

    text = decompressed(path, &n);
    if (strcmp(k->name, "chrome") == 0)
        parse_document(text);
    else if (strcmp(k->name, "azure-llm") == 0)
        split_lines(text);
    else
        parse_lines(text);
    free(text);
    if (sqlite3_open(store, &db) != SQLITE_OK)
        die(sqlite3_errmsg(db));
    run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    for (int i = 0; i < TABLES_KEPT; i++)
        if (rows[i].n > 0)
            insert_all(db, &rows[i]);
    sqlite3_close(db);
}

/* ------------------------------------------------------------------ the import */

static void import(const char *path, const char *store)
{
    struct import_options o = {0};
    struct import_report r;
    struct arena *a = arena_new();
    struct err err = {0};
    struct store *s;

    if (store_open(store, STORE_WRITE, &s, &err) != 0 || import_file(s, path, &o, a, &r, &err) != 0)
        die(err.text);
    store_close(s);
    arena_free(a);
}

struct cost {
    double wall_s, cpu_s;
    long peak_kib;
};

static void remove_store(const char *name)
{
    static const char *const endings[] = {"", "-wal", "-shm"};

    for (int i = 0; i < 3; i++) {
        char *base = in_folder(name), path[450];

        snprintf(path, sizeof path, "%s%s", base, endings[i]);
        unlink(path);
        free(base);
    }
}

/* One of the two in a child of its own. */
static struct cost measure(const struct file_kind *k, const char *path, const struct rows *rows)
{
    double start = now_s();
    struct cost c;
    struct rusage u;
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (rows != NULL)
            least(k, path, rows);
        else
            import(path, in_folder("import.db"));
        _exit(0);
    }
    if (wait4(child, &status, 0, &u) != child || status != 0)
        die("a child failed");
    c.wall_s = now_s() - start;
    c.cpu_s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
              1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    c.peak_kib = u.ru_maxrss;
    remove_store("least.db");
    remove_store("import.db");
    return c;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v)
{
    qsort(v, REPEATS, sizeof *v, compare);
    return v[REPEATS / 2];
}

static int64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static size_t rows_of(const char *path, struct rows *rows)
{
    char *store = in_folder("rows.db");
    size_t n = 0;
    sqlite3 *db;

    import(path, store);
    if (sqlite3_open(store, &db) != SQLITE_OK)
        die("the store cannot be read");
    for (int i = 0; i < TABLES_KEPT; i++) {
        load_rows(db, tables[i], &rows[i]);
        n += rows[i].n;
    }
    sqlite3_close(db);
    remove_store("rows.db");
    free(store);
    return n;
}

static void free_rows(struct rows *rows)
{
    for (int i = 0; i < TABLES_KEPT; i++) {
        for (size_t k = 0; k < rows[i].n * (size_t)rows[i].columns; k++)
            if (rows[i].cell[k].type == SQLITE_TEXT)
                free(rows[i].cell[k].t);
        free(rows[i].cell);
    }
}

static void bench_cost(const struct file_kind *k)
{
    double import_s[REPEATS], least_s[REPEATS], import_cpu_s[REPEATS], least_cpu_s[REPEATS];
    struct rows rows[TABLES_KEPT];
    char *path = in_folder(k->file);
    size_t n;

    if (write_file(k, path, k->records, 0, 1) != 0)
        die("a file cannot be written");
    n = rows_of(path, rows);
    for (int i = 0; i < REPEATS; i++) {
        struct cost theirs = measure(k, path, rows), ours = measure(k, path, NULL);

        import_s[i] = ours.wall_s;
        import_cpu_s[i] = ours.cpu_s;
        least_s[i] = theirs.wall_s;
        least_cpu_s[i] = theirs.cpu_s;
    }
    printf("{\"bench\": \"import\", \"format\": \"%s\", \"packed_bytes\": %lld, \"rows\": %zu, \"import_s\": "
           "%.3f, "
           "\"least_s\": %.3f, \"wall_ratio\": %.2f, \"cpu_ratio\": %.2f, \"target_ratio\": %d}\n",
           k->name, (long long)size_of(path), n, median(import_s), median(least_s),
           median(import_s) / median(least_s), median(import_cpu_s) / median(least_cpu_s), TARGET_RATIO);
    fflush(stdout);
    free_rows(rows);
    unlink(path);
    free(path);
}

static void bench_memory(const struct file_kind *k, int64_t bytes)
{
    char *path = in_folder(k->file);
    struct cost c;

    if (write_file(k, path, 0, bytes, 0) != 0)
        die("a file cannot be written");
    c = measure(k, path, NULL);
    printf("{\"bench\": \"import_memory\", \"format\": \"%s\", \"bytes\": %lld, \"import_s\": %.2f, "
           "\"bytes_per_s\": %.0f, "
           "\"peak_kib\": %ld, \"target_kib\": %d}\n",
           k->name, (long long)size_of(path), c.wall_s, (double)size_of(path) / c.wall_s, c.peak_kib,
           TARGET_KIB);
    fflush(stdout);
    unlink(path);
    free(path);
}

int main(void)
{
    const char *mb = getenv("BENCH_IMPORT_MB");

    if (mkdtemp(folder) == NULL)
        die("no folder in /tmp");
    for (int i = 0; i < FILE_KINDS;
         i++) /* before anything else: a child's peak counts what it was born with */
        bench_memory(&file_kinds[i], (mb != NULL ? atoll(mb) : 300) * 1000000);
    for (int i = 0; i < FILE_KINDS; i++)
        bench_cost(&file_kinds[i]);
    rmdir(folder);
    return 0;
}
