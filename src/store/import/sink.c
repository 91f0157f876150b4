#include "store/import/sink.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "store/import/state.h"
#include "store/sql.h"
#include "store/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns behind trace_id and seq, one letter each: t text, i integer, d real. */
static const struct table {
    const char *name, *types;
} tables[TABLES] = {
    [TABLE_BLOCK_LENGTH] = {"block_length", "tii"},
    [TABLE_SPARK_JOB] = {"spark_job", "iddi"},
    [TABLE_SPARK_STAGE] = {"spark_stage", "iitiddi"},
    [TABLE_SPARK_JOB_STAGE] = {"spark_job_stage", "iii"},
    [TABLE_SPARK_EXECUTOR] = {"spark_executor", "ttidd"},
    [TABLE_SPARK_TASK] = {"spark_task", "iiiiitttitddddddddddddddddddddddd"},
    [TABLE_KEPT_TEXT] = {"kept_text", "itt"},
    [TABLE_REQUEST] = {"request", "diittddd"},
    [TABLE_PROMPT_BLOCK] = {"prompt_block", "iti"},
    [TABLE_MEASUREMENT] = {"measurement", "tt"},
    [TABLE_FIGURE] = {"figure", "itdd"},
    [TABLE_COST] = {"cost", "dddddddd"},
};

/* ------------------------------------------------------------ transactions */

static int open_batch(struct import *im, struct err *err)
{
    if (im->in_batch)
        return 0;
    TRY(store_begin(im->s, err));
    im->in_batch = true;
    return 0;
}

static int flush_spans(struct import *im, struct err *err)
{
    size_t n = im->spans_n;

    im->spans_n = 0;
    if (n > 0)
        TRY(trace_append(im->s, im->trace_id, im->spans, n, err));
    arena_reset(im->span_names);
    return 0;
}

int sink_commit(struct import *im, struct err *err)
{
    TRY(open_batch(im, err));
    TRY(flush_spans(im, err));
    /* The old mark must still stand there: two programs must not finish one import together. */
    TRY(sql_do(im->s, err, "UPDATE import SET rows = ? WHERE trace_id = ? AND rows = ? AND complete = 0",
               "iii", im->rows, im->trace_id, im->mark));
    if (sqlite3_changes(im->s->db) != 1)
        return err_set(err, ERR_IO, "%s: another program is importing this file into the same store",
                       im->path);
    im->mark = im->rows;
    im->in_batch = false;
    return store_commit(im->s, err);
}

void sink_abandon(struct import *im)
{
    if (im->in_batch)
        store_rollback(im->s);
    im->in_batch = false;
}

/* Counts a row; true when it is not in the store yet. */
static bool is_new(struct import *im)
{
    return ++im->rows > im->mark;
}

static int row_done(struct import *im, struct err *err)
{
    return im->rows - im->mark >= IMPORT_BATCH ? sink_commit(im, err) : 0;
}

/* -------------------------------------------------------------------- rows */

static int prepare(struct import *im, enum import_table table, struct err *err)
{
    struct text sql = {0};
    int rc = 0;

    if (im->insert[table] != NULL)
        return 0;
    text_printf(&sql, "INSERT INTO %s VALUES (?, ?", tables[table].name);
    for (size_t i = 0; i < strlen(tables[table].types); i++)
        text_add(&sql, ", ?");
    text_add(&sql, ")");
    if (sqlite3_prepare_v3(im->s->db, sql.s, -1, SQLITE_PREPARE_PERSISTENT, &im->insert[table], NULL) !=
        SQLITE_OK)
        rc = sql_fail(im->s, "write to the store", err);
    text_free(&sql);
    return rc;
}

static void bind_values(sqlite3_stmt *st, int first, const char *types, va_list *ap)
{
    for (int i = 0; types[i] != '\0'; i++) {
        const char *text;
        int64_t whole;

        switch (types[i]) {
        case 't':
            text = va_arg(*ap, const char *);
            sqlite3_bind_text(st, first + i, text != NULL ? text : "", -1, SQLITE_STATIC);
            break;
        case 'i':
            whole = va_arg(*ap, int64_t);
            if (whole == IMPORT_NONE)
                sqlite3_bind_null(st, first + i);
            else
                sqlite3_bind_int64(st, first + i, whole);
            break;
        default:
            sqlite3_bind_double(st, first + i, va_arg(*ap, double));
        }
    }
}

static int insert_row(struct import *im, enum import_table table, int64_t parent, int64_t seq,
                      struct err *err, va_list *ap)
{
    sqlite3_stmt *st;
    int rc;

    if (!is_new(im))
        return 0;
    TRY(open_batch(im, err));
    TRY(prepare(im, table, err));
    st = im->insert[table];
    sqlite3_bind_int64(st, 1, parent);
    sqlite3_bind_int64(st, 2, seq);
    bind_values(st, 3, tables[table].types, ap);
    rc = sql_step(im->s, st, err);
    sqlite3_reset(st);
    TRY(rc);
    return row_done(im, err);
}

/* A row of `table` under `parent`, which is the trace except for cost. */
static int put(struct import *im, enum import_table table, int64_t parent, int64_t seq, struct err *err, ...)
{
    va_list ap;
    int rc;

    va_start(ap, err);
    rc = insert_row(im, table, parent, seq, err, &ap);
    va_end(ap);
    return rc;
}

int import_row(struct import *im, enum import_table table, struct err *err, ...)
{
    va_list ap;
    int rc;

    va_start(ap, err);
    rc = insert_row(im, table, im->trace_id, im->seq[table]++, err, &ap);
    va_end(ap);
    return rc;
}

int import_request(struct import *im, const struct import_request *r, struct err *err)
{
    im->position = 0;
    return import_row(im, TABLE_REQUEST, err, r->arrival_s, r->input_tokens, r->output_tokens, r->class_,
                      r->session, r->queue_s, r->ttft_s, r->latency_s);
}

/* Here seq is the request and the position follows: the columns after trace_id are (request, position, ...).
 */
int import_prompt_block(struct import *im, const char *part, int64_t block, struct err *err)
{
    return put(im, TABLE_PROMPT_BLOCK, im->trace_id, im->seq[TABLE_REQUEST] - 1, err, im->position++, part,
               block);
}

int import_span(struct import *im, const struct span *p, struct err *err)
{
    struct span *kept;

    if (!is_new(im))
        return 0;
    TRY(open_batch(im, err));
    kept = &im->spans[im->spans_n++];
    *kept = *p;
    kept->stage = arena_strdup(im->span_names, p->stage);
    kept->op = arena_strdup(im->span_names, p->op);
    kept->variant = arena_strdup(im->span_names, p->variant != NULL ? p->variant : "");
    if (im->spans_n == SINK_SPANS)
        TRY(flush_spans(im, err));
    return row_done(im, err);
}

/* ------------------------------------------------------------------- costs */

static bool is_same_op(const struct import_cost *a, const struct import_cost *b)
{
    return a->devices == b->devices && strcmp(a->op, b->op) == 0 && strcmp(a->variant, b->variant) == 0 &&
           strcmp(a->model, b->model) == 0 && strcmp(a->hardware, b->hardware) == 0;
}

static unsigned hash(unsigned h, const char *s)
{
    while (*s != '\0')
        h = (h ^ (unsigned char)*s++) * 16777619u; /* FNV-1a */
    return h * 16777619u;
}

static struct cost_op *slot_of(struct import *im, const struct import_cost *c)
{
    return &im->op[(hash(hash(hash(2166136261u, c->op), c->variant), c->model) + (unsigned)c->devices) %
                   SINK_OPS];
}

static void remember(struct cost_op *slot, const struct import_cost *c, int64_t id)
{
    size_t h = strlen(c->hardware) + 1, m = strlen(c->model) + 1, o = strlen(c->op) + 1;
    char *t = xmalloc(h + m + o + strlen(c->variant) + 1);

    free(slot->text);
    slot->text = t;
    slot->id = id;
    slot->key = *c;
    slot->key.hardware = memcpy(t, c->hardware, h);
    slot->key.model = memcpy(t + h, c->model, m);
    slot->key.op = memcpy(t + h + m, c->op, o);
    slot->key.variant = strcpy(t + h + m + o, c->variant);
}

/* The row of cost_op, found or added.  A direct-mapped table remembers the common ones. */
static int cost_op_id(struct import *im, const struct import_cost *c, int64_t *id, struct err *err)
{
    struct cost_op *slot = slot_of(im, c);
    sqlite3_stmt *st;
    int rc;

    *id = slot->id;
    if (slot->id != 0 && is_same_op(&slot->key, c))
        return 0;
    TRY(sql_query(im->s, &st, err,
                  "SELECT id FROM cost_op WHERE trace_id = ? AND hardware = ? AND model = ? AND devices = ? "
                  "AND op = ? AND variant = ?",
                  "ittitt", im->trace_id, c->hardware, c->model, c->devices, c->op, c->variant));
    rc = sql_step(im->s, st, err);
    *id = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_finalize(st);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        TRY(sql_do(
            im->s, err,
            "INSERT INTO cost_op(trace_id, hardware, model, devices, op, variant) VALUES (?,?,?,?,?,?)",
            "ittitt", im->trace_id, c->hardware, c->model, c->devices, c->op, c->variant));
        *id = sqlite3_last_insert_rowid(im->s->db);
    }
    remember(slot, c, *id);
    return 0;
}

int import_cost(struct import *im, const struct import_cost *given, struct err *err)
{
    struct import_cost c = *given;
    int64_t id = 0;

    c.hardware = c.hardware != NULL ? c.hardware : "";
    c.model = c.model != NULL ? c.model : "";
    c.variant = c.variant != NULL ? c.variant : "";
    if (im->rows >= im->mark) {
        TRY(open_batch(im, err));
        TRY(cost_op_id(im, &c, &id, err));
    }
    return put(im, TABLE_COST, id, im->seq[TABLE_COST]++, err, c.tokens, c.batch, c.chunk, c.context, c.bytes,
               c.time_s, c.time_sd_s, c.power_w);
}

/* ------------------------------------------------------------ measurements */

void import_measure(struct import *im, const char *subject)
{
    json_free(im->settings);
    im->settings = json_new_object();
    im->subject = subject;
    im->figures_n = 0;
}

void import_setting(struct import *im, const char *name, const char *value)
{
    if (value != NULL && *value != '\0')
        json_set_string(im->settings, name, value);
}

void import_setting_number(struct import *im, const char *name, double value)
{
    if (isfinite(value))
        json_set_number(im->settings, name, value);
}

void import_figure(struct import *im, const char *name, double at, double value)
{
    if (!isfinite(value))
        return;
    if (im->figures_n == im->figures_size) {
        im->figures_size = im->figures_size == 0 ? 64 : 2 * im->figures_size;
        im->figures = xrealloc(im->figures, im->figures_size, sizeof *im->figures);
    }
    im->figures[im->figures_n].name = name;
    im->figures[im->figures_n].at = at;
    im->figures[im->figures_n++].value = value;
}

int import_measure_end(struct import *im, bool *stored, struct err *err)
{
    int64_t seq = im->seq[TABLE_MEASUREMENT];
    char *settings;
    int rc;

    *stored = im->figures_n > 0;
    if (!*stored)
        return 0;
    settings = json_compact(im->settings);
    rc = import_row(im, TABLE_MEASUREMENT, err, im->subject, settings);
    free(settings);
    /* seq of a figure is its measurement; its number in it comes first among the values. */
    for (size_t i = 0; i < im->figures_n && rc == 0; i++)
        rc = put(im, TABLE_FIGURE, im->trace_id, seq, err, (int64_t)i, im->figures[i].name, im->figures[i].at,
                 im->figures[i].value);
    return rc;
}
