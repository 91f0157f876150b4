/*
 * trace_export.c - a trace as CSV: its spans, or, where it has none, the rows of the first view that has
 * some.
 */
#include "store/trace_export.h"

#include "base/arena.h"
#include "store/sql.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a spreadsheet would calculate stands behind an apostrophe, which import takes away again. */
static void csv_text(FILE *out, const char *s)
{
    bool formula = s[0] != '\0' && strchr("=+-@\t\r", s[0]) != NULL;

    if (!formula && s[strcspn(s, ",\"\r\n")] == '\0') {
        fputs(s, out);
        return;
    }
    fputs(formula ? "\"'" : "\"", out);
    for (; *s != '\0'; s++) {
        if (*s == '"')
            putc('"', out);
        putc(*s, out);
    }
    putc('"', out);
}

/* The fewest digits that read back as the same double; nothing for an unknown value. */
static void csv_number(FILE *out, double v)
{
    char buf[32];

    if (isnan(v))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buf, sizeof buf, "%.*g", digits, v);
        if (strtod(buf, NULL) == v)
            break;
    }
    fputs(buf, out);
}

/*
 * What each kind of trace is exported as.  The columns are those that can be imported again: the names that
 * the store has for them, in SI units.
 */
static const char *const queries[] = {
    "SELECT o.stage, o.op, o.variant, s.item, s.worker, s.start_s, s.end_s, s.cpu_s, s.items, s.bytes_in, "
    "s.bytes_out "
    "FROM operator o JOIN span s ON s.operator_id = o.id WHERE o.trace_id = ? ORDER BY o.id, s.seq",
    "SELECT seq, arrival_s, input_tokens, output_tokens, class, session, queue_s, ttft_s, latency_s FROM "
    "request "
    "WHERE trace_id = ? ORDER BY seq",
    "SELECT op, tokens, batch, chunk, context, time_s, hardware, model, devices, variant, bytes, time_sd_s, "
    "power_w "
    "FROM operator_costs WHERE trace_id = ? ORDER BY seq",
    "SELECT seq, subject, settings, name, at, value FROM measurements WHERE trace_id = ? ORDER BY seq, name, "
    "at",
    "SELECT part, block, tokens FROM block_length WHERE trace_id = ? ORDER BY seq",
};
enum { QUERIES = sizeof queries / sizeof *queries };

static void csv_cell(FILE *out, sqlite3_stmt *st, int column)
{
    if (column > 0)
        putc(',', out);
    switch (sqlite3_column_type(st, column)) {
    case SQLITE_TEXT:
        csv_text(out, (const char *)sqlite3_column_text(st, column));
        break;
    case SQLITE_INTEGER:
        fprintf(out, "%lld", (long long)sqlite3_column_int64(st, column));
        break;
    default:
        csv_number(out, sql_real(st, column));
    }
}

static void csv_header(FILE *out, sqlite3_stmt *st)
{
    for (int i = 0; i < sqlite3_column_count(st); i++)
        fprintf(out, "%s%s", i > 0 ? "," : "", sqlite3_column_name(st, i));
    putc('\n', out);
}

/* Rows of one query; *n is how many there were.  The header of the first is written even when there are none.
 */
static int csv_rows(struct store *s, int64_t trace_id, const char *sql, bool header_anyway, FILE *out,
                    int64_t *n, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    *n = 0;
    TRY(sql_query(s, &st, err, sql, "i", trace_id));
    while ((rc = sql_step(s, st, err)) > 0) {
        if ((*n)++ == 0)
            csv_header(out, st);
        for (int i = 0; i < sqlite3_column_count(st); i++)
            csv_cell(out, st, i);
        putc('\n', out);
        if (ferror(out)) {
            rc = err_io(err, "write", "the exported trace");
            break;
        }
    }
    if (rc == 0 && *n == 0 && header_anyway)
        csv_header(out, st);
    sqlite3_finalize(st);
    return rc;
}

static int export_csv(struct store *s, const struct trace_row *trace, FILE *out, struct err *err)
{
    int64_t n = 0;

    for (int i = 0; i < QUERIES && n == 0; i++)
        TRY(csv_rows(s, trace->id, queries[i], i == 0 && trace->format[0] == '\0', out, &n, err));
    return 0;
}

int trace_export(struct store *s, int64_t trace_id, enum trace_format format, FILE *out, struct err *err)
{
    struct arena *a = arena_new();
    struct trace_row row;
    int rc = trace_info_load(s, trace_id, a, &row, err);

    if (rc == 0)
        rc = (format == TRACE_CSV ? export_csv : trace_export_chrome)(s, &row, out, err);
    arena_free(a);
    if (rc == 0 && fflush(out) != 0)
        rc = err_io(err, "write", "the exported trace");
    return rc;
}
