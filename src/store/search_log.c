#include "store/search_log.h"

#include "base/arena.h"
#include "store/sql.h"

int search_log_open(struct store *s, const char *scenario, const char *scenario_sha256, uint64_t seed,
                    const char *version, const char *options, int64_t *id, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_exec(s, "PRAGMA synchronous=NORMAL", err));
    TRY(sql_do(s, err,
               "INSERT INTO search(scenario, scenario_sha256, seed, version, options) VALUES (?, ?, ?, ?, ?) "
               "ON CONFLICT DO NOTHING",
               "ttitt", scenario, scenario_sha256, (int64_t)seed, version, options));
    TRY(sql_query(
        s, &st, err,
        "SELECT id FROM search WHERE scenario_sha256 = ? AND seed = ? AND version = ? AND options = ?",
        "titt", scenario_sha256, (int64_t)seed, version, options));
    rc = sql_step(s, st, err);
    if (rc > 0)
        *id = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

int search_log_find(struct store *s, int64_t log, const char *candidate, long first, long n, struct arena *a,
                    struct search_row **rows, size_t *found, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    *rows = NULL;
    *found = 0;
    TRY(sql_query(s, &st, err,
                  "SELECT r.replication, r.warmup, r.figures FROM search_point p JOIN search_replication r "
                  "ON r.point_id = p.id WHERE p.search_id = ? AND p.candidate = ? AND r.replication >= ? AND "
                  "r.replication < ? ORDER BY r.replication",
                  "itii", log, candidate, (int64_t)first, (int64_t)(first + n)));
    while ((rc = sql_step(s, st, err)) > 0) {
        *rows = sql_grow(a, *rows, *found, sizeof **rows);
        (*rows)[(*found)++] =
            (struct search_row){(long)sqlite3_column_int64(st, 0), sql_real(st, 1), sql_text(st, 2, a)};
    }
    sqlite3_finalize(st);
    return rc;
}

static int keep_rows(struct store *s, int64_t log, const char *candidate, const struct search_row *rows,
                     size_t n, struct err *err)
{
    TRY(sql_do(s, err, "INSERT INTO search_point(search_id, candidate) VALUES (?, ?) ON CONFLICT DO NOTHING",
               "it", log, candidate));
    for (size_t i = 0; i < n; i++)
        TRY(sql_do(
            s, err,
            "INSERT INTO search_replication(point_id, replication, warmup, figures) SELECT id, ?3, ?4, ?5 "
            "FROM search_point WHERE search_id = ?1 AND candidate = ?2 ON CONFLICT DO NOTHING",
            "itidt", log, candidate, (int64_t)rows[i].replication, rows[i].warmup, rows[i].figures));
    return 0;
}

int search_log_keep(struct store *s, int64_t log, const char *candidate, const struct search_row *rows,
                    size_t n, struct err *err)
{
    int rc;

    TRY(store_begin(s, err));
    rc = keep_rows(s, log, candidate, rows, n, err);
    if (rc == 0)
        return store_commit(s, err);
    store_rollback(s);
    return rc;
}

int search_log_clear(struct store *s, int64_t log, struct err *err)
{
    return sql_do(s, err, "DELETE FROM search_point WHERE search_id = ?", "i", log);
}
