#include "store/store.h"

#include "base/text.h"
#include "store/schema.h"
#include "store/sql.h"

#include <stdio.h>

/* Adds every row of a checking pragma; *n is how many there are. */
static int findings(struct store *s, const char *sql, int column, struct text *out, int64_t *n,
                    struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    *n = 0;
    TRY(sql_query(s, &st, err, sql, ""));
    while ((rc = sql_step(s, st, err)) > 0) {
        const char *finding = (const char *)sqlite3_column_text(st, column);

        if (++*n <= 10)
            text_printf(out, "    %s\n", finding != NULL ? finding : "");
    }
    sqlite3_finalize(st);
    return rc;
}

/* Rows that imports should have stored, against those that are there: none may be missing or stand twice. */
static const char import_rows[] =
    "SELECT 'import ' || trace_id || ' should have ' || rows || ' rows, but has ' || found FROM ("
    "SELECT i.trace_id, i.rows, t.spans"
    " + (SELECT count(*) FROM request x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM prompt_block x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM block_length x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM cost_op o JOIN cost x ON x.cost_op_id = o.id WHERE o.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM measurement x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM figure x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM spark_job x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM spark_stage x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM spark_job_stage x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM spark_task x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM spark_executor x WHERE x.trace_id = i.trace_id)"
    " + (SELECT count(*) FROM kept_text x WHERE x.trace_id = i.trace_id) AS found "
    "FROM import i JOIN trace t ON t.id = i.trace_id) WHERE rows <> found";

static int counts(struct store *s, struct text *out, struct err *err)
{
    static const char *const table[] = {"trace", "span", "import", "calibration", "result"};
    char sql[64];
    int64_t n;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table[i]);
        TRY(sql_number(s, sql, &n, err));
        text_printf(out, "%-12s %lld\n", table[i], (long long)n);
    }
    return 0;
}

int store_check(struct store *s, struct text *out, struct err *err)
{
    int64_t version, bytes, bad_pages, bad_references, bad_counts, bad_imports;
    struct text list = {0};
    int rc;

    TRY(sql_number(s, "PRAGMA user_version", &version, err));
    TRY(sql_number(s, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()", &bytes,
                   err));
    text_printf(out,
                "store        %s\nversion      %lld (this program: %d)\nsqlite       %s\nsize_bytes   %lld\n",
                s->path, (long long)version, schema_version(), sqlite3_libversion(), (long long)bytes);

    rc = findings(s, "SELECT * FROM pragma_integrity_check(10) WHERE integrity_check <> 'ok'", 0, &list,
                  &bad_pages, err);
    if (rc == 0)
        rc = findings(
            s, "SELECT 'a row of ' || \"table\" || ' belongs to no ' || parent FROM pragma_foreign_key_check",
            0, &list, &bad_references, err);
    if (rc == 0)
        rc = findings(
            s,
            "SELECT 'trace ' || t.id || ' should have ' || t.spans || ' spans' FROM trace t WHERE t.spans <> "
            "(SELECT count(*) FROM operator o JOIN span s ON s.operator_id = o.id WHERE o.trace_id = t.id)",
            0, &list, &bad_counts, err);
    if (rc == 0)
        rc = findings(s, import_rows, 0, &list, &bad_imports, err);
    if (rc == 0)
        rc = counts(s, out, err);
    if (rc == 0 && bad_pages + bad_references + bad_counts + bad_imports > 0) {
        text_printf(out, "soundness    damaged\n%s", list.s);
        rc = err_set(err, ERR_IO,
                     "%s: the store is damaged: %lld findings; sqlite3's \".recover\" saves what can be read",
                     s->path, (long long)(bad_pages + bad_references + bad_counts + bad_imports));
    } else if (rc == 0) {
        text_add(out, "soundness    ok\n");
    }
    text_free(&list);
    return rc;
}

int store_describe_tables(struct store *s, struct text *out, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err,
                  "SELECT sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%' "
                  "ORDER BY type, name",
                  ""));
    while ((rc = sql_step(s, st, err)) > 0)
        text_printf(out, "%s;\n\n", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    return rc;
}
