#include "store/view.h"

#include "base/arena.h"
#include "store/sql.h"

#include <math.h>

static bool has_seq(struct store *s, const char *view, struct err *err)
{
    sqlite3_stmt *st;
    bool found = false;

    if (sql_query(s, &st, err, "SELECT 1 FROM pragma_table_info(?) WHERE name = 'seq'", "t", view) == 0)
        found = sqlite3_step(st) == SQLITE_ROW;
    sqlite3_finalize(st);
    return found;
}

static void read_row(sqlite3_stmt *st, struct view_column *columns, size_t n, size_t row, struct arena *a)
{
    for (size_t k = 0; k < n; k++) {
        struct view_column *c = &columns[k];
        bool is_text = sqlite3_column_type(st, (int)k) == SQLITE_TEXT;
        bool unknown = sqlite3_column_type(st, (int)k) == SQLITE_NULL;

        c->real = sql_grow(a, c->real, row, sizeof *c->real);
        c->text = sql_grow(a, c->text, row, sizeof *c->text);
        c->real[row] = is_text ? NAN : sql_real(st, (int)k);
        c->text[row] = is_text ? sql_text(st, (int)k, a) : unknown ? "" : NULL;
    }
}

/* Names are qualified and quoted: SQLite would take an unknown name in plain quotes for a text. */
static char *select_columns(const char *view, const struct view_column *columns, size_t n, bool ordered)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);

    for (size_t k = 0; k < n; k++)
        sqlite3_str_appendf(sql, "%s v.\"%w\"", k == 0 ? "SELECT" : ",", columns[k].name);
    sqlite3_str_appendf(sql, " FROM \"%w\" v WHERE v.trace_id = ?%s", view, ordered ? " ORDER BY v.seq" : "");
    return sqlite3_str_finish(sql);
}

int view_load(struct store *s, const char *view, int64_t trace_id, struct view_column *columns, size_t n,
              struct arena *a, size_t *rows, struct err *err)
{
    char *sql = select_columns(view, columns, n, has_seq(s, view, err));
    sqlite3_stmt *st;
    int rc = sql_query(s, &st, err, sql, "i", trace_id);

    *rows = 0;
    sqlite3_free(sql);
    TRY(rc);
    for (size_t k = 0; k < n; k++) {
        columns[k].real = NULL;
        columns[k].text = NULL;
    }
    while ((rc = sql_step(s, st, err)) > 0)
        read_row(st, columns, n, (*rows)++, a);
    sqlite3_finalize(st);
    return rc;
}
