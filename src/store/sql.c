#include "store/sql.h"

#include "base/arena.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int sql_fail(struct store *s, const char *doing, struct err *err)
{
    int code = sqlite3_errcode(s->db) & 0xff, system = sqlite3_system_errno(s->db);

    s->failed = code;
    if (code == SQLITE_FULL ||
        (code == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT || system == EFBIG)))
        return err_set(err, ERR_IO,
                       "%s: cannot %s: the disk is full; what the store held before is unharmed "
                       "(free some space, or name a store elsewhere with --store)",
                       s->path, doing);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return err_set(err, ERR_IO,
                       "%s: cannot %s: another program has been writing to the store for too long", s->path,
                       doing);
    if (code == SQLITE_NOTADB)
        return err_set(err, ERR_IO, "%s: not a foresight store (not an SQLite file at all)", s->path);
    if (code == SQLITE_READONLY)
        return err_set(err, ERR_IO, "%s: cannot %s: the file or its folder is write-protected", s->path,
                       doing);
    if (code == SQLITE_CORRUPT)
        return err_set(err, ERR_IO,
                       "%s: cannot %s: the file is damaged (%s); \"foresight doctor\" shows where, "
                       "sqlite3's \".recover\" saves what can be read",
                       s->path, doing, sqlite3_errmsg(s->db));
    if ((code == SQLITE_IOERR || code == SQLITE_CANTOPEN) && system != 0)
        return err_set(err, ERR_IO, "%s: cannot %s: %s", s->path, doing, strerror(system));
    return err_set(err, ERR_IO, "%s: cannot %s: %s", s->path, doing, sqlite3_errmsg(s->db));
}

int sql_exec(struct store *s, const char *sql, struct err *err)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sql_fail(s, "change the store", err);
    return 0;
}

static int bind_one(sqlite3_stmt *st, int i, char type, va_list *ap)
{
    switch (type) {
    case 't': {
        const char *text = va_arg(*ap, const char *);

        return sqlite3_bind_text(st, i, text != NULL ? text : "", -1, SQLITE_TRANSIENT);
    }
    case 'i':
        return sqlite3_bind_int64(st, i, va_arg(*ap, int64_t));
    case 'd': /* SQLite turns NaN into NULL */
        return sqlite3_bind_double(st, i, va_arg(*ap, double));
    }
    return SQLITE_MISUSE;
}

static int query(struct store *s, sqlite3_stmt **out, struct err *err, const char *sql, const char *types,
                 va_list *ap)
{
    *out = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, out, NULL) != SQLITE_OK)
        return sql_fail(s, "read the store", err);
    ASSERT(sqlite3_bind_parameter_count(*out) == (int)strlen(types));
    for (int i = 0; types[i] != '\0'; i++) {
        if (bind_one(*out, i + 1, types[i], ap) == SQLITE_OK)
            continue;
        sql_fail(s, "read the store", err);
        sqlite3_finalize(*out);
        *out = NULL;
        return err->code;
    }
    return 0;
}

int sql_query(struct store *s, sqlite3_stmt **out, struct err *err, const char *sql, const char *types, ...)
{
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = query(s, out, err, sql, types, &ap);
    va_end(ap);
    return rc;
}

int sql_step(struct store *s, sqlite3_stmt *st, struct err *err)
{
    switch (sqlite3_step(st)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        return 0;
    default:
        return sql_fail(s, sqlite3_stmt_readonly(st) ? "read the store" : "write to the store", err);
    }
}

int sql_do(struct store *s, struct err *err, const char *sql, const char *types, ...)
{
    sqlite3_stmt *st;
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = query(s, &st, err, sql, types, &ap);
    va_end(ap);
    TRY(rc);
    while ((rc = sql_step(s, st, err)) > 0)
        ;
    sqlite3_finalize(st);
    return rc;
}

int sql_number(struct store *s, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    *out = 0;
    TRY(sql_query(s, &st, err, sql, ""));
    rc = sql_step(s, st, err);
    if (rc > 0)
        *out = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

const char *sql_text(sqlite3_stmt *st, int column, struct arena *a)
{
    const char *text = (const char *)sqlite3_column_text(st, column);

    return arena_strdup(a, text != NULL ? text : "");
}

double sql_real(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? NAN : sqlite3_column_double(st, column);
}

void *sql_grow(struct arena *a, void *rows, size_t n, size_t row_size)
{
    void *grown;

    if (n != 0 && (n < 8 || (n & (n - 1)) != 0)) /* full at 0, 8, 16, 32, ... */
        return rows;
    grown = arena_array(a, n == 0 ? 8 : 2 * n, row_size);
    return n == 0 ? grown : memcpy(grown, rows, n * row_size);
}

char *sql_shown(char *buf, size_t size, const char *name)
{
    size_t n = 0;

    for (; name[n] != '\0' && n + 1 < size; n++)
        buf[n] = (unsigned char)name[n] < 0x20 || name[n] == 0x7f ? '?' : name[n];
    buf[n] = '\0';
    if (name[n] != '\0' && n >= 3)
        memcpy(buf + n - 3, "...", 3);
    return buf;
}

static int select_names(struct store *s, const char *names_sql, struct arena *a, const char ***names,
                        size_t *n, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    *names = NULL;
    *n = 0;
    TRY(sql_query(s, &st, err, names_sql, ""));
    while ((rc = sql_step(s, st, err)) > 0) {
        *names = sql_grow(a, *names, *n, sizeof **names);
        (*names)[(*n)++] = sql_text(st, 0, a);
    }
    sqlite3_finalize(st);
    return rc;
}

int sql_not_found(struct store *s, const char *what, const char *name, const char *names_sql, const char *how,
                  struct err *err)
{
    enum { MOST_LISTED = 6 };
    struct arena *a = arena_new();
    struct text list = {0};
    const char **names, *nearest;
    char shown[80], other[80];
    size_t n;

    sql_shown(shown, sizeof shown, name);
    if (select_names(s, names_sql, a, &names, &n, err) != 0)
        goto out;
    for (size_t i = 0; i < n && i < MOST_LISTED; i++)
        text_printf(&list, "%s\"%s\"", i > 0 ? ", " : "", sql_shown(other, sizeof other, names[i]));
    nearest = n > 0 ? text_nearest(name, names, n) : NULL;
    if (n == 0)
        err_set(err, ERR_USAGE, "%s: no %s \"%s\": the store holds no %ss yet; %s", s->path, what, shown,
                what, how);
    else if (nearest != NULL)
        err_set(err, ERR_USAGE, "%s: no %s \"%s\"; did you mean \"%s\"?", s->path, what, shown,
                sql_shown(other, sizeof other, nearest));
    else
        err_set(err, ERR_USAGE, "%s: no %s \"%s\"; there is %s%s", s->path, what, shown, list.s,
                n > MOST_LISTED ? ", ..." : "");
out:
    text_free(&list);
    arena_free(a);
    return err->code;
}
