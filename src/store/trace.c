#include "store/trace.h"

#include "base/arena.h"
#include "store/sql.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define NAMES_SQL "SELECT DISTINCT name FROM trace ORDER BY name"
#define KINDS_SQL "SELECT DISTINCT 'latest:' || kind FROM trace ORDER BY 1"
#define HOW       "\"foresight exec\" records one, \"foresight import\" takes one in"

int trace_create(struct store *s, const struct trace_info *info, int64_t *trace_id, struct err *err)
{
    TRY(sql_do(s, err,
               "INSERT INTO trace(name, kind, scenario, scenario_sha256, seed, host, note) VALUES (?, ?, ?, "
               "?, ?, ?, ?)",
               "ttttitt", info->name, info->kind, info->scenario, info->scenario_sha256, (int64_t)info->seed,
               info->host_json, info->note));
    *trace_id = sqlite3_last_insert_rowid(s->db);
    return 0;
}

/* ------------------------------------------------------------------ append */

enum { KNOWN_OPERATORS = 256 };

/*
 * Millions of spans name the same few dozen operators.  Their ids are kept in a
 * direct-mapped table; the names point into the caller's spans.
 */
struct appender {
    struct store *s;
    int64_t trace_id, seq;
    sqlite3_stmt *find, *add, *insert;
    struct {
        const char *stage, *op, *variant;
        int64_t id;
    } known[KNOWN_OPERATORS];
};

static unsigned hash_text(unsigned h, const char *s)
{
    while (*s != '\0')
        h = (h ^ (unsigned char)*s++) * 16777619u; /* FNV-1a */
    return h * 16777619u;
}

static int appender_open(struct appender *ap, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(ap->s, &st, err, "SELECT spans FROM trace WHERE id = ?", "i", ap->trace_id));
    rc = sql_step(ap->s, st, err);
    ap->seq = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    if (rc == 0)
        return err_set(err, ERR_USAGE, "%s: no trace with id %lld", ap->s->path, (long long)ap->trace_id);
    if (rc < 0)
        return rc;
    TRY(sql_query(ap->s, &ap->find, err,
                  "SELECT id FROM operator WHERE trace_id = ? AND stage = ? AND op = ? AND variant = ?",
                  "ittt", ap->trace_id, "", "", ""));
    TRY(sql_query(ap->s, &ap->add, err,
                  "INSERT INTO operator(trace_id, stage, op, variant) VALUES (?, ?, ?, ?)", "ittt",
                  ap->trace_id, "", "", ""));
    return sql_query(ap->s, &ap->insert, err, "INSERT INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "iiiidddddd", (int64_t)0, (int64_t)0, (int64_t)0, (int64_t)0, 0.0, 0.0, 0.0, 0.0, 0.0,
                     0.0);
}

static void appender_close(struct appender *ap)
{
    sqlite3_finalize(ap->find);
    sqlite3_finalize(ap->add);
    sqlite3_finalize(ap->insert);
}

/* Runs `find` or `add` for the names of a span. */
static int step_names(struct appender *ap, sqlite3_stmt *st, const struct span *p, struct err *err)
{
    sqlite3_reset(st);
    sqlite3_bind_text(st, 2, p->stage, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, p->op, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, p->variant != NULL ? p->variant : "", -1, SQLITE_STATIC);
    return sql_step(ap->s, st, err);
}

static int operator_id(struct appender *ap, const struct span *p, int64_t *id, struct err *err)
{
    const char *variant = p->variant != NULL ? p->variant : "";
    unsigned slot = hash_text(hash_text(hash_text(2166136261u, p->stage), p->op), variant) % KNOWN_OPERATORS;
    int rc;

    if (ap->known[slot].stage != NULL && strcmp(ap->known[slot].stage, p->stage) == 0 &&
        strcmp(ap->known[slot].op, p->op) == 0 && strcmp(ap->known[slot].variant, variant) == 0) {
        *id = ap->known[slot].id;
        return 0;
    }
    rc = step_names(ap, ap->find, p, err);
    if (rc < 0)
        return rc;
    if (rc > 0) {
        *id = sqlite3_column_int64(ap->find, 0);
    } else {
        TRY(step_names(ap, ap->add, p, err));
        *id = sqlite3_last_insert_rowid(ap->s->db);
    }
    sqlite3_reset(ap->find);
    ap->known[slot].stage = p->stage;
    ap->known[slot].op = p->op;
    ap->known[slot].variant = variant;
    ap->known[slot].id = *id;
    return 0;
}

static int check_span(const struct span *p, struct err *err)
{
    char stage[60], op[60];

    if (isfinite(p->start_s) && isfinite(p->end_s) && p->end_s >= p->start_s)
        return 0;
    return err_set(err, ERR_TRACE, "a span of stage \"%s\", operator \"%s\" runs from %g s to %g s",
                   sql_shown(stage, sizeof stage, p->stage), sql_shown(op, sizeof op, p->op), p->start_s,
                   p->end_s);
}

static int append_one(struct appender *ap, const struct span *p, struct err *err)
{
    const double reals[] = {p->start_s, p->end_s, p->cpu_s, p->items, p->bytes_in, p->bytes_out};
    int64_t id;

    TRY(check_span(p, err));
    TRY(operator_id(ap, p, &id, err));
    sqlite3_reset(ap->insert);
    sqlite3_bind_int64(ap->insert, 1, id);
    sqlite3_bind_int64(ap->insert, 2, ap->seq++);
    sqlite3_bind_int64(ap->insert, 3, p->item);
    sqlite3_bind_int64(ap->insert, 4, p->worker);
    for (int i = 0; i < 6; i++)
        sqlite3_bind_double(ap->insert, 5 + i, reals[i]);
    return sql_step(ap->s, ap->insert, err);
}

static int append_all(struct appender *ap, const struct span *spans, size_t n, struct err *err)
{
    TRY(appender_open(ap, err));
    for (size_t i = 0; i < n; i++)
        TRY(append_one(ap, &spans[i], err));
    return sql_do(ap->s, err, "UPDATE trace SET spans = ? WHERE id = ?", "ii", ap->seq, ap->trace_id);
}

int trace_append(struct store *s, int64_t trace_id, const struct span *spans, size_t n, struct err *err)
{
    struct appender ap = {.s = s, .trace_id = trace_id};
    int rc;

    TRY(store_begin(s, err));
    rc = append_all(&ap, spans, n, err);
    appender_close(&ap);
    if (rc != 0) {
        store_rollback(s);
        return rc;
    }
    return store_commit(s, err);
}

/* -------------------------------------------------------------------- find */

/* The newest trace that `where` selects; 0 in *id when there is none. */
static int newest(struct store *s, const char *sql, const char *value, int64_t *id, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err, sql, "t", value));
    rc = sql_step(s, st, err);
    *id = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

static bool is_digits(const char *s)
{
    return s[0] != '\0' && s[strspn(s, "0123456789")] == '\0' && strlen(s) < 19;
}

int trace_find(struct store *s, const char *name, int64_t *id, struct err *err)
{
    bool latest_of = strncmp(name, "latest:", 7) == 0;

    *id = 0;
    if (strcmp(name, "latest") == 0)
        TRY(sql_number(s, "SELECT id FROM trace ORDER BY id DESC LIMIT 1", id, err));
    else if (latest_of)
        TRY(newest(s, "SELECT id FROM trace WHERE kind = ? ORDER BY id DESC LIMIT 1", name + 7, id, err));
    else if (is_digits(name))
        TRY(newest(s, "SELECT id FROM trace WHERE id = CAST(? AS INTEGER)", name, id, err));
    if (*id == 0 && !latest_of)
        TRY(newest(s, "SELECT id FROM trace WHERE name = ? ORDER BY id DESC LIMIT 1", name, id, err));
    if (*id != 0)
        return 0;
    return sql_not_found(s, "trace", name, latest_of ? KINDS_SQL : NAMES_SQL, HOW, err);
}

int trace_find_recorded(struct store *s, const char *name, int64_t *id, struct err *err)
{
    sqlite3_stmt *st;
    char shown[100];
    int rc;

    TRY(trace_find(s, name, id, err));
    TRY(sql_query(s, &st, err, "SELECT 1 FROM trace WHERE id = ? AND kind = 'simulated'", "i", *id));
    rc = sql_step(s, st, err);
    sqlite3_finalize(st);
    if (rc > 0)
        return err_set(err, ERR_USAGE,
                       "trace %lld, which \"%s\" means, was simulated: it tells nothing that was not put in; "
                       "a recording is needed",
                       (long long)*id, sql_shown(shown, sizeof shown, name));
    return rc;
}

/* -------------------------------------------------------------- list, load */

#define SELECT_TRACE                                                                                         \
    "SELECT id, name, kind, scenario, scenario_sha256, host, note, seed, created, spans, format, "           \
    "coalesce(rows, spans), (SELECT count(*) FROM import_note n WHERE n.trace_id = id AND n.kind = "         \
    "'suspect') "                                                                                            \
    "FROM trace LEFT JOIN import ON import.trace_id = id "

static void read_trace(sqlite3_stmt *st, struct arena *a, struct trace_row *t)
{
    t->id = sqlite3_column_int64(st, 0);
    t->info.name = sql_text(st, 1, a);
    t->info.kind = sql_text(st, 2, a);
    t->info.scenario = sql_text(st, 3, a);
    t->info.scenario_sha256 = sql_text(st, 4, a);
    t->info.host_json = sql_text(st, 5, a);
    t->info.note = sql_text(st, 6, a);
    t->info.seed = (uint64_t)sqlite3_column_int64(st, 7);
    t->created = sql_text(st, 8, a);
    t->spans = sqlite3_column_int64(st, 9);
    t->format = sql_text(st, 10, a);
    t->rows = sqlite3_column_int64(st, 11);
    t->suspects = sqlite3_column_int64(st, 12);
}

int trace_list(struct store *s, const char *kind, struct arena *a, struct trace_row **rows, size_t *n,
               struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    *rows = NULL;
    *n = 0;
    TRY(sql_query(s, &st, err, SELECT_TRACE "WHERE ? IN ('', kind) ORDER BY id DESC", "t", kind));
    while ((rc = sql_step(s, st, err)) > 0) {
        *rows = sql_grow(a, *rows, *n, sizeof **rows);
        read_trace(st, a, &(*rows)[(*n)++]);
    }
    sqlite3_finalize(st);
    return rc;
}

static int no_such_id(struct store *s, int64_t id, struct err *err)
{
    return err_set(err, ERR_USAGE, "%s: no trace with id %lld", s->path, (long long)id);
}

int trace_info_load(struct store *s, int64_t trace_id, struct arena *a, struct trace_row *out,
                    struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err, SELECT_TRACE "WHERE id = ?", "i", trace_id));
    rc = sql_step(s, st, err);
    if (rc > 0)
        read_trace(st, a, out);
    sqlite3_finalize(st);
    if (rc == 0)
        return no_such_id(s, trace_id, err);
    return rc < 0 ? rc : 0;
}

int trace_remove(struct store *s, int64_t trace_id, struct err *err)
{
    TRY(sql_do(s, err, "DELETE FROM trace WHERE id = ?", "i", trace_id));
    return sqlite3_changes(s->db) > 0 ? 0 : no_such_id(s, trace_id, err);
}

/* -------------------------------------------------------------------- walk */

static void read_span(sqlite3_stmt *st, struct span *p)
{
    p->stage = (const char *)sqlite3_column_text(st, 0);
    p->op = (const char *)sqlite3_column_text(st, 1);
    p->variant = (const char *)sqlite3_column_text(st, 2);
    p->item = sqlite3_column_int64(st, 3);
    p->worker = sqlite3_column_int(st, 4);
    p->start_s = sqlite3_column_double(st, 5);
    p->end_s = sqlite3_column_double(st, 6);
    p->cpu_s = sql_real(st, 7);
    p->items = sql_real(st, 8);
    p->bytes_in = sql_real(st, 9);
    p->bytes_out = sql_real(st, 10);
}

int trace_each(struct store *s, int64_t trace_id, const char *stage, const char *op, span_fn *fn, void *ctx,
               struct err *err)
{
    struct span span;
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err,
                  "SELECT o.stage, o.op, o.variant, s.item, s.worker, s.start_s, s.end_s, s.cpu_s, s.items, "
                  "s.bytes_in, "
                  "s.bytes_out FROM operator o JOIN span s ON s.operator_id = o.id "
                  "WHERE o.trace_id = ? AND (? OR o.stage = ?) AND (? OR o.op = ?) ORDER BY o.id, s.seq",
                  "iitit", trace_id, (int64_t)(stage == NULL), stage, (int64_t)(op == NULL), op));
    while ((rc = sql_step(s, st, err)) > 0) {
        read_span(st, &span);
        rc = fn(ctx, &span, err);
        if (rc != 0)
            break;
    }
    sqlite3_finalize(st);
    return rc;
}

int trace_summary(struct store *s, int64_t trace_id, struct arena *a, struct trace_op **rows, size_t *n,
                  struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    *rows = NULL;
    *n = 0;
    TRY(sql_query(
        s, &st, err,
        "SELECT stage, op, variant, n, cpu_s, wall_mean_s, items, bytes_in, bytes_out FROM operators "
        "WHERE trace_id = ? ORDER BY operator_id",
        "i", trace_id));
    while ((rc = sql_step(s, st, err)) > 0) {
        struct trace_op *o;

        *rows = sql_grow(a, *rows, *n, sizeof **rows);
        o = &(*rows)[(*n)++];
        o->stage = sql_text(st, 0, a);
        o->op = sql_text(st, 1, a);
        o->variant = sql_text(st, 2, a);
        o->n = sqlite3_column_int64(st, 3);
        o->cpu_s = sql_real(st, 4);
        o->wall_mean_s = sql_real(st, 5);
        o->items = sql_real(st, 6);
        o->bytes_in = sql_real(st, 7);
        o->bytes_out = sql_real(st, 8);
    }
    sqlite3_finalize(st);
    return rc;
}
