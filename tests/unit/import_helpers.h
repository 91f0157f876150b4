/* What the import tests share: files in the test's folder, one number out of a store, a store as text. */
#ifndef IMPORT_HELPERS_H
#define IMPORT_HELPERS_H

#include "store/import/import.h"
#include "temp_store.h"

#include <sqlite3.h>

static inline const char *write_bytes(const char *name, const void *data, size_t n)
{
    static char path[8][200];
    static int next;
    char *p = path[next++ % 8];
    FILE *f;

    snprintf(p, sizeof path[0], "%s/%s", temp_folder, name);
    f = fopen(p, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(data, 1, n, f), n);
    fclose(f);
    return p;
}

static inline const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

/* The first value of a query on the test's store, as text; "" for NULL and when there is no row. */
static inline const char *ask(const char *sql)
{
    static char answer[8][400];
    static int next;
    char *out = answer[next++ % 8];
    sqlite3 *db;
    sqlite3_stmt *st;

    cr_assert_eq(sqlite3_open(temp_path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    out[0] = '\0';
    if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_text(st, 0) != NULL)
        snprintf(out, sizeof answer[0], "%s", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(db);
    return out;
}

static inline double ask_number(const char *sql)
{
    const char *text = ask(sql);

    cr_assert_neq(text[0], '\0', "%s gives nothing", sql);
    return strtod(text, NULL);
}

/* All of a store but the times at which rows were written. */
static inline void dump_store(const char *path, struct text *out)
{
    static const char *const tables[] = {"SELECT id, name, kind, note, spans FROM trace ORDER BY id",
                                         "SELECT * FROM operator ORDER BY id",
                                         "SELECT * FROM span ORDER BY operator_id, seq",
                                         "SELECT format, sha256, options, rows, read, kept, complete, "
                                         "origin_unix_ns FROM import ORDER BY trace_id",
                                         "SELECT * FROM import_note ORDER BY 1, 2, 3",
                                         "SELECT * FROM request ORDER BY 1, 2",
                                         "SELECT * FROM prompt_block ORDER BY 1, 2, 3",
                                         "SELECT * FROM cost_op ORDER BY id",
                                         "SELECT * FROM cost ORDER BY 1, 2",
                                         "SELECT * FROM measurement ORDER BY 1, 2",
                                         "SELECT * FROM figure ORDER BY 1, 2, 3",
                                         "SELECT * FROM spark_task ORDER BY 1, 2",
                                         "SELECT * FROM spark_stage ORDER BY 1, 2",
                                         "SELECT * FROM spark_job ORDER BY 1, 2",
                                         "SELECT * FROM kept_text ORDER BY 1, 2"};
    sqlite3 *db;
    sqlite3_stmt *st;

    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        cr_assert_eq(sqlite3_prepare_v2(db, tables[i], -1, &st, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
        while (sqlite3_step(st) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(st); c++) {
                const char *text = (const char *)sqlite3_column_text(st, c);

                text_add(out, text != NULL ? text : "-");
                text_add(out, "|");
            }
            text_add(out, "\n");
        }
        sqlite3_finalize(st);
    }
    sqlite3_close(db);
}

static inline int import_into(struct store *s, const char *path, const struct import_options *o,
                              struct import_report *r)
{
    static const struct import_options plain;

    err.code = 0;
    return import_file(s, path, o != NULL ? o : &plain, arena, r, &err);
}

#endif
