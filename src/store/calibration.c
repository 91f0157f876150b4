#include "store/calibration.h"

#include "base/arena.h"
#include "store/calibration_extra.h"
#include "store/sql.h"

#include <math.h>
#include <string.h>

static int next_version(struct store *s, const char *name, int64_t *version, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err, "SELECT coalesce(max(version), 0) + 1 FROM calibration WHERE name = ?", "t",
                  name));
    rc = sql_step(s, st, err);
    *version = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

static int check_row(const struct calibration_row *rows, size_t i, struct err *err)
{
    char shown[80];

    if (!isfinite(rows[i].value))
        return err_set(err, ERR_FAILED, "the fitted value of %s is not a finite number",
                       sql_shown(shown, sizeof shown, rows[i].path));
    for (size_t k = 0; k < i; k++)
        if (strcmp(rows[k].path, rows[i].path) == 0)
            return err_set(err, ERR_FAILED, "%s was fitted twice in one set",
                           sql_shown(shown, sizeof shown, rows[i].path));
    return 0;
}

static int insert_row(struct store *s, int64_t id, const struct calibration_row *r, struct err *err)
{
    return sql_do(s, err,
                  "INSERT INTO calibration_row(calibration_id, path, value, stderr, unit, n, method, r2, "
                  "holdout_error_frac, valid_from, valid_to, valid_of) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                  "itddtitddddt", id, r->path, r->value, r->stderr_, r->unit, (int64_t)r->n, r->method, r->r2,
                  r->holdout_error_frac, r->valid_from, r->valid_to, r->valid_of);
}

static int insert_set(struct store *s, const char *name, const char *scenario_sha256, int64_t trace_id,
                      const struct calibration_row *rows, size_t n, const struct calibration_extra *extra,
                      struct err *err)
{
    int64_t version, id;

    TRY(next_version(s, name, &version, err));
    TRY(sql_do(
        s, err,
        "INSERT INTO calibration(name, version, scenario_sha256, trace_id) VALUES (?, ?, ?, nullif(?, 0))",
        "titi", name, version, scenario_sha256, trace_id));
    id = sqlite3_last_insert_rowid(s->db);
    for (size_t i = 0; i < n; i++)
        TRY(insert_row(s, id, &rows[i], err));
    return extra != NULL ? calibration_extra_insert(s, id, extra, err) : 0;
}

int calibration_save(struct store *s, const char *name, const char *scenario_sha256, int64_t trace_id,
                     const struct calibration_row *rows, size_t n, struct err *err)
{
    return calibration_save_with(s, name, scenario_sha256, trace_id, rows, n, NULL, err);
}

int calibration_save_with(struct store *s, const char *name, const char *scenario_sha256, int64_t trace_id,
                          const struct calibration_row *rows, size_t n, const struct calibration_extra *extra,
                          struct err *err)
{
    for (size_t i = 0; i < n; i++)
        TRY(check_row(rows, i, err));
    TRY(store_begin(s, err));
    if (insert_set(s, name, scenario_sha256, trace_id, rows, n, extra, err) != 0) {
        store_rollback(s);
        return err->code;
    }
    return store_commit(s, err);
}

static void read_row(sqlite3_stmt *st, struct arena *a, struct calibration_row *r)
{
    r->path = sql_text(st, 0, a);
    r->value = sql_real(st, 1);
    r->stderr_ = sql_real(st, 2);
    r->unit = sql_text(st, 3, a);
    r->n = (long)sqlite3_column_int64(st, 4);
    r->method = sql_text(st, 5, a);
    r->r2 = sql_real(st, 6);
    r->holdout_error_frac = sql_real(st, 7);
    r->valid_from = sql_real(st, 8);
    r->valid_to = sql_real(st, 9);
    r->valid_of = sql_text(st, 10, a);
}

int calibration_load(struct store *s, const char *name, struct arena *a, struct calibration_row **rows,
                     size_t *n, struct err *err)
{
    struct calibration_info info;
    sqlite3_stmt *st;
    int rc;

    *rows = NULL;
    *n = 0;
    TRY(calibration_info_load(s, name, a, &info, err));
    TRY(sql_query(
        s, &st, err,
        "SELECT r.path, r.value, r.stderr, r.unit, r.n, r.method, r.r2, r.holdout_error_frac, r.valid_from, "
        "r.valid_to, r.valid_of FROM calibration c JOIN calibration_row r ON r.calibration_id = c.id "
        "WHERE c.name = ? AND c.version = ? ORDER BY r.path",
        "ti", name, (int64_t)info.version));
    while ((rc = sql_step(s, st, err)) > 0) {
        *rows = sql_grow(a, *rows, *n, sizeof **rows);
        read_row(st, a, &(*rows)[(*n)++]);
    }
    sqlite3_finalize(st);
    return rc;
}

#define SELECT_INFO                                                                                          \
    "SELECT c.name, c.version, c.scenario_sha256, c.created, coalesce(c.trace_id, 0), "                      \
    "(SELECT count(*) FROM calibration_row r WHERE r.calibration_id = c.id) FROM calibration c "

static void read_info(sqlite3_stmt *st, struct arena *a, struct calibration_info *info)
{
    info->name = sql_text(st, 0, a);
    info->version = (long)sqlite3_column_int64(st, 1);
    info->scenario_sha256 = sql_text(st, 2, a);
    info->created = sql_text(st, 3, a);
    info->trace_id = sqlite3_column_int64(st, 4);
    info->rows = (long)sqlite3_column_int64(st, 5);
}

int calibration_info_load(struct store *s, const char *name, struct arena *a, struct calibration_info *out,
                          struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err, SELECT_INFO "WHERE c.name = ? ORDER BY c.version DESC LIMIT 1", "t", name));
    rc = sql_step(s, st, err);
    if (rc > 0)
        read_info(st, a, out);
    sqlite3_finalize(st);
    if (rc == 0)
        return sql_not_found(s, "calibration", name, "SELECT DISTINCT name FROM calibration ORDER BY name",
                             "\"foresight fit\" makes one", err);
    return rc < 0 ? rc : 0;
}

int calibration_list(struct store *s, bool history, struct arena *a, struct calibration_info **rows,
                     size_t *n, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    *rows = NULL;
    *n = 0;
    TRY(sql_query(s, &st, err,
                  SELECT_INFO
                  "WHERE ? OR c.version = (SELECT max(version) FROM calibration l WHERE l.name = c.name) "
                  "ORDER BY c.name, c.version DESC",
                  "i", (int64_t)history));
    while ((rc = sql_step(s, st, err)) > 0) {
        *rows = sql_grow(a, *rows, *n, sizeof **rows);
        read_info(st, a, &(*rows)[(*n)++]);
    }
    sqlite3_finalize(st);
    return rc;
}

int calibration_remove(struct store *s, const char *name, struct err *err)
{
    TRY(sql_do(s, err, "DELETE FROM calibration WHERE name = ?", "t", name));
    if (sqlite3_changes(s->db) == 0)
        return sql_not_found(s, "calibration", name, "SELECT DISTINCT name FROM calibration ORDER BY name",
                             "\"foresight fit\" makes one", err);
    return 0;
}
