/*
 * describe.c - one sentence about what an import brought, for `foresight trace list`.
 *
 * The kind of row that says most about a recording comes first: requests, tasks of Spark, costs of operators,
 * spans, measurements, lengths of blocks.
 */
#include "base/arena.h"
#include "base/units.h"
#include "store/import/state.h"
#include "store/sql.h"

#include <math.h>
#include <stdio.h>

/* The first row of a query about this trace; 1 when there is one whose first column is above 0. */
static int first_row(struct import *im, const char *sql, sqlite3_stmt **st, struct err *err)
{
    int rc;

    TRY(sql_query(im->s, st, err, sql, "i", im->trace_id));
    rc = sql_step(im->s, *st, err);
    return rc > 0 ? sqlite3_column_int64(*st, 0) > 0 : rc;
}

static const char *duration(char buf[40], double seconds)
{
    if (seconds >= 2 * 3600)
        snprintf(buf, 40, "%.3g h", seconds / 3600);
    else if (seconds >= 120)
        snprintf(buf, 40, "%.3g min", seconds / 60);
    else
        units_format(buf, 40, seconds, UNIT_S);
    return buf;
}

static void requests(sqlite3_stmt *st, char *out, size_t size)
{
    double n = sqlite3_column_double(st, 0), span_s = sql_real(st, 1), in = sql_real(st, 2),
           back = sql_real(st, 3);
    char buf[40], over[80] = "";

    if (span_s > 0)
        snprintf(over, sizeof over, " over %s (%.3g/s)", duration(buf, span_s), n / span_s);
    snprintf(out, size, "%.0f requests%s, %.0f tokens in and %.0f out each", n, over, isnan(in) ? 0 : in,
             isnan(back) ? 0 : back);
}

static void tasks(sqlite3_stmt *st, char *out, size_t size)
{
    char buf[40];

    snprintf(out, size, "%lld tasks in %lld stages over %s", (long long)sqlite3_column_int64(st, 0),
             (long long)sqlite3_column_int64(st, 1), duration(buf, sqlite3_column_double(st, 2)));
}

static void costs(sqlite3_stmt *st, char *out, size_t size)
{
    const char *model = (const char *)sqlite3_column_text(st, 2),
               *hardware = (const char *)sqlite3_column_text(st, 3);

    snprintf(out, size, "%lld costs of %lld operators%s%s%s%s", (long long)sqlite3_column_int64(st, 0),
             (long long)sqlite3_column_int64(st, 1), *model != '\0' ? ", " : "", model,
             *hardware != '\0' ? " on " : "", hardware);
}

static void spans(sqlite3_stmt *st, char *out, size_t size)
{
    char buf[40];

    snprintf(out, size, "%lld spans over %s: %s", (long long)sqlite3_column_int64(st, 0),
             duration(buf, sqlite3_column_double(st, 1)), (const char *)sqlite3_column_text(st, 2));
}

static void measurements(sqlite3_stmt *st, char *out, size_t size)
{
    snprintf(out, size, "%lld measurements of %s: %s", (long long)sqlite3_column_int64(st, 0),
             (const char *)sqlite3_column_text(st, 1), (const char *)sqlite3_column_text(st, 2));
}

static void lengths(sqlite3_stmt *st, char *out, size_t size)
{
    snprintf(out, size, "lengths of %lld prompt blocks (%s)", (long long)sqlite3_column_int64(st, 0),
             (const char *)sqlite3_column_text(st, 1));
}

static const struct {
    const char *sql;
    void (*say)(sqlite3_stmt *st, char *out, size_t size);
} about[] = {
    {"SELECT count(*), max(arrival_s) - min(arrival_s), avg(input_tokens), avg(output_tokens) FROM request "
     "WHERE "
     "trace_id = ?",
     requests},
    {"SELECT count(*), count(DISTINCT stage), max(finish_s) - min(launch_s) FROM spark_task WHERE trace_id = "
     "?",
     tasks},
    {"SELECT count(*), count(DISTINCT o.id), CASE count(DISTINCT model) WHEN 1 THEN max(model) ELSE '' END, "
     "CASE count(DISTINCT hardware) WHEN 1 THEN max(hardware) ELSE '' END "
     "FROM cost_op o JOIN cost c ON c.cost_op_id = o.id WHERE o.trace_id = ?",
     costs},
    {"SELECT sum(n), max(last) - min(first), group_concat(stage, ', ') FROM (SELECT o.stage, count(*) AS n, "
     "min(start_s) AS first, max(end_s) AS last FROM operator o JOIN span s ON s.operator_id = o.id "
     "WHERE o.trace_id = ? GROUP BY o.stage ORDER BY n DESC)",
     spans},
    {"SELECT m.n, m.subject, (SELECT group_concat(name, ', ') FROM (SELECT DISTINCT name FROM figure f WHERE "
     "f.trace_id = m.trace_id AND f.measurement <= 3 ORDER BY number)) FROM (SELECT trace_id, count(*) AS n, "
     "max(subject) AS subject FROM measurement WHERE trace_id = ?) m",
     measurements},
    {"SELECT count(*), max(part) FROM block_length WHERE trace_id = ?", lengths},
};

int describe_import(struct import *im, char *out, size_t size, struct err *err)
{
    snprintf(out, size, "%lld of %lld records", (long long)im->kept, (long long)im->read);
    for (size_t i = 0; i < sizeof about / sizeof *about; i++) {
        sqlite3_stmt *st;
        int rc = first_row(im, about[i].sql, &st, err);

        if (rc > 0)
            about[i].say(st, out, size);
        sqlite3_finalize(st);
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    return 0;
}
