/*
 * trace_chrome.c - a trace as Chrome trace event JSON, for the Perfetto UI and chrome://tracing.
 *
 * A stage is a process, a worker a thread.  A viewer draws the slices of a thread on one track, where a slice
 * may lie inside another but must not stick out of it.  Spans that do (several batches of one worker in
 * flight, say) are therefore dealt out to lanes: a span goes to the first lane of its worker in which it is
 * nested or free, and each lane is a thread of its own.  Events come in the order of their start; times are
 * whole nanoseconds, so that rounding cannot push the end of a slice over that of the one around it.
 *
 * Requests are drawn as slices with their parts inside: queue, prefill, decode; those of which only the
 * arrival is known as instants.
 */
#include "store/trace_export.h"

#include "base/arena.h"
#include "base/json_scan.h"
#include "store/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 };

struct lane {
    int tid;
    int64_t request; /* that it belongs to until its end */
    int64_t *end_ns; /* of the slices that are open, the innermost last */
    size_t depth, size;
};

struct track { /* a worker of a stage */
    const char *stage;
    int64_t worker;
    int pid;
    struct lane *lane;
    size_t lanes;
    struct track *next;
};

struct chrome {
    FILE *out;
    struct arena *arena;
    struct track *bucket[BUCKETS];
    const char **stage; /* their places, from 1, are the process ids */
    size_t stages;
    int tids;
    bool began; /* an event is written: the next one follows a comma */
    bool has_origin;
    int64_t origin_ns; /* what is drawn at 0 */
};

/* ---------------------------------------------------------------------- writing */

static void quoted(FILE *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    putc('"', out);
    while (*s != '\0') {
        int n = json_utf8_length(s);

        if (n == 0)
            fputs("\\ufffd", out);
        else if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(out, "\\u%04x", *s);
        else
            fwrite(s, 1, (size_t)n, out);
        s += n > 0 ? n : 1;
    }
    putc('"', out);
}

static void member(FILE *out, const char *key, double v)
{
    if (isfinite(v))
        fprintf(out, ",\"%s\":%.17g", key, v);
}

static void separate(struct chrome *x)
{
    fputs(x->began ? ",\n" : "\n", x->out);
    x->began = true;
}

static void name_of(struct chrome *x, const char *what, int pid, int tid, const char *name)
{
    separate(x);
    fprintf(x->out, "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":", what, pid,
            tid);
    quoted(x->out, name);
    fputs("}}", x->out);
}

/* Microseconds with three digits behind the point: exactly the nanoseconds. */
static void microseconds(FILE *out, const char *key, int64_t ns)
{
    fprintf(out, ",\"%s\":%lld.%03lld", key, (long long)(ns / 1000), (long long)(ns % 1000));
}

/* ------------------------------------------------------------------------ tracks */

static int process_of(struct chrome *x, const char *stage)
{
    size_t i = 0;

    while (i < x->stages && strcmp(x->stage[i], stage) != 0)
        i++;
    if (i < x->stages)
        return (int)i + 1;
    x->stage = sql_grow(x->arena, x->stage, x->stages, sizeof *x->stage);
    x->stage[x->stages++] = arena_strdup(x->arena, stage);
    name_of(x, "process_name", (int)i + 1, 0, stage);
    return (int)i + 1;
}

static struct track *track_of(struct chrome *x, const char *stage, int64_t worker)
{
    unsigned h = 2166136261u + (unsigned)worker;
    struct track **at, *t;

    for (const char *s = stage; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * 16777619u; /* FNV-1a */
    at = &x->bucket[h % BUCKETS];
    for (t = *at; t != NULL; t = t->next)
        if (t->worker == worker && strcmp(t->stage, stage) == 0)
            return t;
    t = ARENA_NEW(x->arena, struct track);
    *t = (struct track){.stage = arena_strdup(x->arena, stage), .worker = worker, .next = *at};
    t->pid = process_of(x, stage);
    *at = t;
    return t;
}

/* A slice from start to end may lie in this lane: what has ended by then is forgotten, the innermost left
 * holds it. */
static bool fits(struct lane *l, int64_t start_ns, int64_t end_ns)
{
    while (l->depth > 0 && l->end_ns[l->depth - 1] <= start_ns)
        l->depth--;
    return l->depth == 0 || end_ns <= l->end_ns[l->depth - 1];
}

static struct lane *add_lane(struct chrome *x, struct track *t, const char *what)
{
    char name[80];
    struct lane *l;

    t->lane = xrealloc(t->lane, t->lanes + 1, sizeof *t->lane);
    l = &t->lane[t->lanes++];
    *l = (struct lane){.tid = ++x->tids};
    snprintf(name, sizeof name, t->lanes > 1 ? "%s %lld, lane %zu" : "%s %lld", what, (long long)t->worker,
             t->lanes);
    name_of(x, "thread_name", t->pid, l->tid, name);
    return l;
}

static void push(struct lane *l, int64_t end_ns)
{
    if (l->depth == l->size) {
        l->size = l->size == 0 ? 8 : 2 * l->size;
        l->end_ns = xrealloc(l->end_ns, l->size, sizeof *l->end_ns);
    }
    l->end_ns[l->depth++] = end_ns;
}

/* The lane for a span.  Spans must come in the order of their start, longer ones first. */
static struct lane *span_lane(struct chrome *x, struct track *t, int64_t start_ns, int64_t end_ns)
{
    struct lane *l = NULL;

    for (size_t i = 0; i < t->lanes && l == NULL; i++)
        if (fits(&t->lane[i], start_ns, end_ns))
            l = &t->lane[i];
    if (l == NULL)
        l = add_lane(x, t, "worker");
    push(l, end_ns);
    return l;
}

/* A request is not part of another, so only a free lane will do; its parts follow it there. */
static struct lane *request_lane(struct chrome *x, struct track *t, int64_t request, bool is_part,
                                 int64_t start_ns, int64_t end_ns)
{
    struct lane *l = NULL;

    for (size_t i = 0; i < t->lanes && l == NULL; i++)
        if (is_part ? t->lane[i].request == request
                    : fits(&t->lane[i], start_ns, end_ns) && t->lane[i].depth == 0)
            l = &t->lane[i];
    if (l == NULL)
        l = add_lane(x, t, "requests");
    if (!is_part)
        push(l, end_ns);
    l->request = request;
    return l;
}

/* Seconds of the trace as nanoseconds that are drawn; a trace that begins before its second 0 is moved there.
 */
static int64_t drawn_ns(struct chrome *x, double s)
{
    int64_t ns = llround(fmin(fmax(s * 1e9, -4e18), 4e18)); /* 127 years: the integer holds no more */

    if (!x->has_origin)
        x->origin_ns = ns < 0 ? ns : 0;
    x->has_origin = true;
    return ns - x->origin_ns;
}

/* ------------------------------------------------------------------------- rows */

/*
 * Both queries give: stage, op, variant, item, worker, start_s, end_s (NULL: an instant), part (NULL: a span,
 * 0: a request, above: a part of it), and then what becomes an argument under the column's name.
 */
static const char spans_by_start[] =
    "SELECT o.stage, o.op, o.variant, s.item, s.worker, s.start_s, s.end_s, NULL, s.cpu_s, s.items, "
    "s.bytes_in, "
    "s.bytes_out FROM operator o JOIN span s ON s.operator_id = o.id WHERE o.trace_id = ?1 "
    "ORDER BY s.start_s, s.end_s DESC, s.seq";

static const char requests_by_arrival[] =
    "WITH r AS (SELECT *, CASE class WHEN '' THEN 'requests' ELSE class END AS stage, "
    "coalesce(queue_s >= 0 AND queue_s <= ttft_s AND ttft_s <= latency_s, 0) AS whole FROM request "
    "WHERE trace_id = ?1 AND arrival_s IS NOT NULL AND (latency_s IS NULL OR latency_s >= 0)) "
    "SELECT stage, 'request', '', seq, 0, arrival_s AS at_s, arrival_s + latency_s, 0 AS part, input_tokens, "
    "output_tokens FROM r UNION ALL "
    "SELECT stage, 'queue', '', seq, 0, arrival_s, arrival_s + queue_s, 1, NULL, NULL FROM r WHERE whole AND "
    "queue_s > 0 "
    "UNION ALL SELECT stage, 'prefill', '', seq, 0, arrival_s + queue_s, arrival_s + ttft_s, 2, NULL, NULL "
    "FROM r WHERE "
    "whole AND ttft_s > queue_s "
    "UNION ALL SELECT stage, 'decode', '', seq, 0, arrival_s + ttft_s, arrival_s + latency_s, 3, NULL, NULL "
    "FROM r WHERE "
    "whole AND latency_s > ttft_s ORDER BY at_s, part, seq";

enum { STAGE, OP, VARIANT, ITEM, WORKER, START, END, PART, ARGUMENTS };

static void write_arguments(struct chrome *x, sqlite3_stmt *st)
{
    const char *variant = (const char *)sqlite3_column_text(st, VARIANT);

    fprintf(x->out, ",\"args\":{\"item\":%lld", (long long)sqlite3_column_int64(st, ITEM));
    if (variant[0] != '\0') {
        fputs(",\"variant\":", x->out);
        quoted(x->out, variant);
    }
    for (int i = ARGUMENTS; i < sqlite3_column_count(st); i++)
        member(x->out, sqlite3_column_name(st, i), sql_real(st, i));
    fputs("}}", x->out);
}

static void draw(struct chrome *x, sqlite3_stmt *st)
{
    bool is_instant = sqlite3_column_type(st, END) == SQLITE_NULL,
         is_span = sqlite3_column_type(st, PART) == SQLITE_NULL;
    int64_t item = sqlite3_column_int64(st, ITEM), start_ns = drawn_ns(x, sqlite3_column_double(st, START));
    int64_t end_ns = is_instant ? start_ns : drawn_ns(x, sqlite3_column_double(st, END));
    struct track *t =
        track_of(x, (const char *)sqlite3_column_text(st, STAGE), sqlite3_column_int64(st, WORKER));
    struct lane *l = is_span ? span_lane(x, t, start_ns, end_ns)
                             : request_lane(x, t, item, sqlite3_column_int(st, PART) > 0, start_ns, end_ns);

    separate(x);
    fputs(is_instant ? "{\"ph\":\"i\",\"s\":\"t\",\"name\":" : "{\"ph\":\"X\",\"name\":", x->out);
    quoted(x->out, (const char *)sqlite3_column_text(st, OP));
    fprintf(x->out, ",\"pid\":%d,\"tid\":%d", t->pid, l->tid);
    microseconds(x->out, "ts", start_ns);
    if (!is_instant)
        microseconds(x->out, "dur", end_ns - start_ns);
    write_arguments(x, st);
}

static int draw_all(struct chrome *x, struct store *s, int64_t trace_id, const char *sql, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err, sql, "i", trace_id));
    while ((rc = sql_step(s, st, err)) > 0) {
        draw(x, st);
        if (ferror(x->out)) {
            rc = err_io(err, "write", "the exported trace");
            break;
        }
    }
    sqlite3_finalize(st);
    return rc;
}

static void chrome_fini(struct chrome *x)
{
    for (int i = 0; i < BUCKETS; i++)
        for (struct track *t = x->bucket[i]; t != NULL; t = t->next) {
            for (size_t k = 0; k < t->lanes; k++)
                free(t->lane[k].end_ns);
            free(t->lane);
        }
    arena_free(x->arena);
}

static int refuse_nothing(struct store *s, const struct trace_row *trace, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    if (trace->spans > 0 || trace->format[0] == '\0')
        return 0;
    TRY(sql_query(s, &st, err, "SELECT 1 FROM request WHERE trace_id = ? AND arrival_s IS NOT NULL LIMIT 1",
                  "i", trace->id));
    rc = sql_step(s, st, err);
    sqlite3_finalize(st);
    if (rc == 0)
        rc = err_set(
            err, ERR_USAGE,
            "trace %lld \"%s\" has neither spans nor requests with a time, so there is nothing to draw; "
            "--format csv exports what it has",
            (long long)trace->id, trace->info.name);
    return rc > 0 ? 0 : rc;
}

int trace_export_chrome(struct store *s, const struct trace_row *trace, FILE *out, struct err *err)
{
    struct chrome x = {.out = out};
    int rc;

    TRY(refuse_nothing(s, trace, err));
    x.arena = arena_new();
    fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"trace\":", out);
    quoted(out, trace->info.name);
    fputs("},\"traceEvents\":[", out);
    rc = draw_all(&x, s, trace->id, trace->spans > 0 ? spans_by_start : requests_by_arrival, err);
    fputs("\n]}\n", out);
    chrome_fini(&x);
    return rc;
}
