#include "store/store.h"

#include "base/arena.h"
#include "base/text.h"
#include "store/schema.h"
#include "store/sql.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { BUSY_MS = 10000 };

/* A path that SQLite cannot take for a URI or an in-memory name. */
static char *plain_path(const char *path)
{
    struct text t = {0};

    if (path[0] == ':' || strncmp(path, "file:", 5) == 0)
        text_add(&t, "./");
    text_add(&t, path);
    return t.s;
}

/* As plain_path, as a URI that promises SQLite that nobody will change the file. */
static char *immutable_uri(const char *path)
{
    struct text t = {0};

    text_add(&t, path[0] == '/' ? "file://" : "file:");
    for (; *path != '\0'; path++)
        text_printf(&t, strchr("%?#", *path) != NULL ? "%%%02x" : "%c", (unsigned char)*path);
    text_add(&t, "?immutable=1");
    return t.s;
}

/*
 * A store under write-ahead logging needs a companion file even for reading,
 * so reading one on write-protected media takes the promise of immutable_uri.
 */
static int open_file(struct store *s, enum store_mode mode, bool immutable, struct err *err)
{
    int flags = SQLITE_OPEN_READWRITE | (mode == STORE_WRITE ? SQLITE_OPEN_CREATE : 0);
    char *name = immutable ? immutable_uri(s->path) : plain_path(s->path);
    int rc;

    if (immutable)
        flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    rc = sqlite3_open_v2(name, &s->db, flags, NULL);
    free(name);
    if (rc != SQLITE_OK)
        return sql_fail(s, "open the store", err);
    sqlite3_busy_timeout(s->db, BUSY_MS);
    return 0;
}

static int read_marks(struct store *s, int64_t *application, int64_t *version, int64_t *tables,
                      struct err *err)
{
    TRY(sql_number(s, "PRAGMA application_id", application, err));
    TRY(sql_number(s, "PRAGMA user_version", version, err));
    return sql_number(s, "SELECT count(*) FROM sqlite_schema", tables, err);
}

/* Says what the file is: its version, 0 for an empty file that may become a store. */
static int identify(struct store *s, int64_t *version, struct err *err)
{
    int64_t application, n;
    int rc;

    /* One transaction: another program may be creating the store at this moment. */
    TRY(sql_exec(s, "SAVEPOINT identify", err));
    rc = read_marks(s, &application, version, &n, err);
    sqlite3_exec(s->db, "RELEASE identify", NULL, NULL, NULL);
    TRY(rc);
    if (application == 0 && *version == 0 && n == 0)
        return 0;
    if (application != SCHEMA_APPLICATION_ID)
        return err_set(
            err, ERR_IO,
            "%s: not a foresight store (an SQLite file of another program); name another file with --store",
            s->path);
    if (*version > schema_version())
        return err_set(err, ERR_IO,
                       "%s: written by a newer foresight (store version %lld, this program knows up to %d); "
                       "upgrade foresight or name another file with --store",
                       s->path, (long long)*version, schema_version());
    if (*version < 1)
        return err_set(err, ERR_IO, "%s: damaged: a foresight store of version %lld cannot be", s->path,
                       (long long)*version);
    return 0;
}

/*
 * Another program may create or migrate the same file at the same moment, so the version is read again inside.
 * A step may make a table anew, under rows that refer to it: foreign keys must not be enforced yet, which
 * cannot be changed inside a transaction.
 */
static int migrate(struct store *s, struct err *err)
{
    int64_t version;
    char pragma[96];
    int rc;

    TRY(sql_exec(s, "PRAGMA foreign_keys=OFF", err));
    TRY(store_begin(s, err));
    rc = identify(s, &version, err);
    for (; rc == 0 && version < schema_version(); version++)
        rc = sql_exec(s, schema_steps[version], err);
    if (rc == 0) {
        snprintf(pragma, sizeof pragma, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                 SCHEMA_APPLICATION_ID, schema_version());
        rc = sql_exec(s, pragma, err);
    }
    if (rc != 0) {
        store_rollback(s);
        return rc;
    }
    return store_commit(s, err);
}

/*
 * Some network folders cannot do write-ahead logging; the store then works
 * without it.  SQLite does not wait for other programs here, so we do.
 */
static int turn_on_wal(struct store *s, struct err *err)
{
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    int waited_ms = 0, rc;

    while ((rc = sqlite3_exec(s->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL)) == SQLITE_BUSY &&
           waited_ms < BUSY_MS) {
        nanosleep(&pause, NULL);
        waited_ms += 5;
    }
    return rc == SQLITE_OK ? 0 : sql_fail(s, "open the store", err);
}

static int prepare_writing(struct store *s, int64_t version, struct err *err)
{
    if (sqlite3_db_readonly(s->db, "main") == 1)
        return err_set(err, ERR_IO, "%s: cannot write to the store: the file is write-protected", s->path);
    TRY(turn_on_wal(s, err));
    TRY(sql_exec(s, "PRAGMA synchronous=FULL", err));
    if (version < schema_version())
        TRY(migrate(s, err));
    return sql_exec(s, "PRAGMA foreign_keys=ON", err);
}

static int prepare(struct store *s, enum store_mode mode, struct err *err)
{
    int64_t version;

    TRY(identify(s, &version, err));
    if (mode == STORE_WRITE)
        return prepare_writing(s, version, err);
    if (version == 0)
        return err_set(err, ERR_IO, "%s: not a foresight store (the file is empty)", s->path);
    if (version < schema_version())
        return err_set(
            err, ERR_IO,
            "%s: written by an older foresight (store version %lld); any command that stores something, "
            "such as \"foresight run\", brings it up to date",
            s->path, (long long)version);
    return sql_exec(s, "PRAGMA query_only=ON", err);
}

static int check_path(const char *path, enum store_mode mode, struct err *err)
{
    struct stat st;

    if (path[0] == '\0')
        return err_set(err, ERR_USAGE, "the name of the store is empty");
    if (stat(path, &st) != 0) {
        if (errno != ENOENT)
            return err_io(err, "open the store", path);
        if (mode == STORE_READ)
            return err_set(err, ERR_NOFILE,
                           "%s: no such store; \"foresight exec\", \"run\" or \"import\" makes one, "
                           "--store FILE names another",
                           path);
        return 0;
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_IO, "%s: cannot open the store: %s", path,
                       S_ISDIR(st.st_mode) ? "it is a folder" : "it is not a plain file");
    return 0;
}

/* Could it be read if it were promised that nobody changes it?  Not while its log holds what the file lacks.
 */
static bool is_protected_but_complete(struct store *s)
{
    int code = s->failed;
    struct text log = {0};
    struct stat st;
    bool has_log;

    if (code != SQLITE_CANTOPEN && code != SQLITE_READONLY)
        return false;
    text_printf(&log, "%s-wal", s->path);
    has_log = stat(log.s, &st) == 0 && st.st_size > 0;
    text_free(&log);
    return !has_log;
}

int store_open(const char *path, enum store_mode mode, struct store **out, struct err *err)
{
    struct store *s;
    int rc;

    *out = NULL;
    TRY(check_path(path, mode, err));
    s = xcalloc(1, sizeof *s);
    s->path = xstrdup(path);
    rc = open_file(s, mode, false, err);
    if (rc == 0)
        rc = prepare(s, mode, err);
    if (rc != 0 && mode == STORE_READ && is_protected_but_complete(s)) {
        sqlite3_close(s->db);
        rc = open_file(s, mode, true, err);
        if (rc == 0)
            rc = prepare(s, mode, err);
    }
    if (rc != 0) {
        store_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

int store_open_memory(struct store **out, struct err *err)
{
    struct store *s = xcalloc(1, sizeof *s);
    int rc;

    *out = NULL;
    s->path = xstrdup("(store in memory)");
    rc = sqlite3_open_v2(":memory:", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) == SQLITE_OK
             ? migrate(s, err)
             : sql_fail(s, "open the store", err);
    if (rc == 0)
        rc = sql_exec(s, "PRAGMA foreign_keys=ON", err);
    if (rc != 0) {
        store_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    sqlite3_close(s->db);
    free(s->path);
    free(s);
}

int store_begin(struct store *s, struct err *err)
{
    char sql[40];

    /* The outermost takes the write lock at once: waiting for it later could fail half-way. */
    if (s->depth == 0)
        snprintf(sql, sizeof sql, "BEGIN IMMEDIATE");
    else
        snprintf(sql, sizeof sql, "SAVEPOINT nested_%d", s->depth);
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sql_fail(s, "write to the store", err);
    s->depth++;
    return 0;
}

int store_commit(struct store *s, struct err *err)
{
    char sql[40];

    ASSERT(s->depth > 0);
    if (sqlite3_get_autocommit(s->db)) { /* a full disk made SQLite undo the whole transaction */
        s->depth--;
        return err_set(err, ERR_IO, "%s: cannot write to the store: an earlier failure undid the transaction",
                       s->path);
    }
    if (s->depth == 1)
        snprintf(sql, sizeof sql, "COMMIT");
    else
        snprintf(sql, sizeof sql, "RELEASE nested_%d", s->depth - 1);
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        sql_fail(s, "write to the store", err);
        store_rollback(s);
        return err->code;
    }
    s->depth--;
    return 0;
}

void store_rollback(struct store *s)
{
    char sql[80];

    ASSERT(s->depth > 0);
    s->depth--;
    if (sqlite3_get_autocommit(s->db))
        return;
    if (s->depth == 0)
        snprintf(sql, sizeof sql, "ROLLBACK");
    else
        snprintf(sql, sizeof sql, "ROLLBACK TO nested_%d; RELEASE nested_%d", s->depth, s->depth);
    sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}
