#include "store/calibration_extra.h"

#include "base/arena.h"
#include "store/sql.h"

#include <string.h>

static int insert_source(struct store *s, int64_t id, int64_t seq, const struct calibration_source *x,
                         struct err *err)
{
    return sql_do(s, err,
                  "INSERT INTO calibration_source(calibration_id, seq, path, trace_id, trace, sha256, view, what, "
                  "first, last, n) SELECT ?1, ?2, ?3, t.id, t.name, coalesce(i.sha256, ''), ?5, ?6, ?7, ?8, ?9 "
                  "FROM trace t LEFT JOIN import i ON i.trace_id = t.id WHERE t.id = ?4",
                  "iitittiii", id, seq, x->path, x->trace_id, x->view, x->what, x->first, x->last,
                  (int64_t)x->n);
}

static int insert_cov(struct store *s, int64_t id, const struct calibration_cov *x, struct err *err)
{
    bool ordered = strcmp(x->a, x->b) < 0;

    return sql_do(s, err,
                  "INSERT INTO calibration_covariance(calibration_id, a, b, covariance) VALUES (?, ?, ?, ?)",
                  "ittd", id, ordered ? x->a : x->b, ordered ? x->b : x->a, x->covariance);
}

int calibration_extra_insert(struct store *s, int64_t calibration_id, const struct calibration_extra *x,
                             struct err *err)
{
    TRY(sql_do(s, err, "INSERT INTO calibration_document(calibration_id, target, json) VALUES (?, ?, ?)", "itt",
               calibration_id, x->target, x->document != NULL ? x->document : "{}"));
    for (size_t i = 0; i < x->sources_n; i++)
        TRY(insert_source(s, calibration_id, (int64_t)i, &x->sources[i], err));
    for (size_t i = 0; i < x->covs_n; i++)
        TRY(insert_cov(s, calibration_id, &x->covs[i], err));
    for (size_t i = 0; i < x->remarks_n; i++)
        TRY(sql_do(s, err,
                   "INSERT INTO calibration_remark(calibration_id, seq, kind, what) VALUES (?, ?, ?, ?)", "iitt",
                   calibration_id, (int64_t)i, x->remarks[i].kind, x->remarks[i].text));
    return 0;
}

/* -------------------------------------------------------------- loading */

#define NEWEST "(SELECT id FROM calibration WHERE name = ? ORDER BY version DESC LIMIT 1)"

static int load_document(struct store *s, const char *name, struct arena *a, struct calibration_extra *out,
                         struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err,
                  "SELECT target, json FROM calibration_document WHERE calibration_id = " NEWEST, "t", name));
    rc = sql_step(s, st, err);
    if (rc > 0) {
        out->target = sql_text(st, 0, a);
        out->document = sql_text(st, 1, a);
        if (strcmp(out->document, "{}") == 0)
            out->document = NULL;
    }
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

static int load_sources(struct store *s, const char *name, struct arena *a, struct calibration_extra *out,
                        struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err,
                  "SELECT path, coalesce(trace_id, 0), trace, sha256, view, what, first, last, n "
                  "FROM calibration_source WHERE calibration_id = " NEWEST " ORDER BY seq",
                  "t", name));
    while ((rc = sql_step(s, st, err)) > 0) {
        out->sources = sql_grow(a, out->sources, out->sources_n, sizeof *out->sources);
        out->sources[out->sources_n++] =
            (struct calibration_source){.path = sql_text(st, 0, a),
                                        .trace_id = sqlite3_column_int64(st, 1),
                                        .trace = sql_text(st, 2, a),
                                        .sha256 = sql_text(st, 3, a),
                                        .view = sql_text(st, 4, a),
                                        .what = sql_text(st, 5, a),
                                        .first = sqlite3_column_int64(st, 6),
                                        .last = sqlite3_column_int64(st, 7),
                                        .n = (long)sqlite3_column_int64(st, 8)};
    }
    sqlite3_finalize(st);
    return rc;
}

static int load_covariances(struct store *s, const char *name, struct arena *a, struct calibration_extra *out,
                            struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(
        s, &st, err,
        "SELECT a, b, covariance FROM calibration_covariance WHERE calibration_id = " NEWEST " ORDER BY a, b",
        "t", name));
    while ((rc = sql_step(s, st, err)) > 0) {
        out->covs = sql_grow(a, out->covs, out->covs_n, sizeof *out->covs);
        out->covs[out->covs_n++] =
            (struct calibration_cov){sql_text(st, 0, a), sql_text(st, 1, a), sql_real(st, 2)};
    }
    sqlite3_finalize(st);
    return rc;
}

static int load_remarks(struct store *s, const char *name, struct arena *a, struct calibration_extra *out,
                        struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err,
                  "SELECT kind, what FROM calibration_remark WHERE calibration_id = " NEWEST " ORDER BY seq", "t",
                  name));
    while ((rc = sql_step(s, st, err)) > 0) {
        out->remarks = sql_grow(a, out->remarks, out->remarks_n, sizeof *out->remarks);
        out->remarks[out->remarks_n++] =
            (struct calibration_remark){sql_text(st, 0, a), sql_text(st, 1, a)};
    }
    sqlite3_finalize(st);
    return rc;
}

int calibration_extra_load(struct store *s, const char *name, struct arena *a, struct calibration_extra *out,
                           struct err *err)
{
    *out = (struct calibration_extra){.target = ""};
    TRY(load_document(s, name, a, out, err));
    TRY(load_sources(s, name, a, out, err));
    TRY(load_covariances(s, name, a, out, err));
    return load_remarks(s, name, a, out, err);
}
