#include "store/result.h"

#include "base/arena.h"
#include "store/sql.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int result_save(struct store *s, const char *command, const char *scenario, const char *scenario_sha256,
                uint64_t seed, const char *version, const char *json, int64_t *id, struct err *err)
{
    sqlite3_stmt *st;
    int valid;

    TRY(sql_query(s, &st, err, "SELECT json_valid(?)", "t", json));
    valid = sql_step(s, st, err) > 0 && sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    if (!valid)
        return err_set(err, ERR_FAILED, "the result of \"%s\" is not a JSON document", command);
    TRY(sql_do(s, err,
               "INSERT INTO result(command, scenario, scenario_sha256, seed, version, json) VALUES (?, ?, ?, "
               "?, ?, ?)",
               "tttitt", command, scenario, scenario_sha256, (int64_t)seed, version, json));
    *id = sqlite3_last_insert_rowid(s->db);
    return 0;
}

/* Parameters 1 to 3 are the filter, '' where it does not restrict; 4 an id or 0; 5 a command or ''. */
#define SELECT_RESULT(json)                                                                                  \
    "SELECT id, command, scenario, scenario_sha256, version, created, seed, "                                \
    "json_extract(json, '$.metrics.throughput_per_s.mean'), " json " FROM result "                           \
    "WHERE ?1 IN ('', command) AND ?2 IN ('', scenario) AND ?3 IN ('', scenario_sha256) "

static void read_result(sqlite3_stmt *st, struct arena *a, struct result_row *r)
{
    bool has_throughput =
        sqlite3_column_type(st, 7) == SQLITE_FLOAT || sqlite3_column_type(st, 7) == SQLITE_INTEGER;

    r->id = sqlite3_column_int64(st, 0);
    r->command = sql_text(st, 1, a);
    r->scenario = sql_text(st, 2, a);
    r->scenario_sha256 = sql_text(st, 3, a);
    r->version = sql_text(st, 4, a);
    r->created = sql_text(st, 5, a);
    r->seed = (uint64_t)sqlite3_column_int64(st, 6);
    r->throughput_per_s = has_throughput ? sqlite3_column_double(st, 7) : NAN;
    r->json = sqlite3_column_type(st, 8) == SQLITE_NULL ? NULL : sql_text(st, 8, a);
}

/* An id, "latest" or "latest:COMMAND". */
static int parse_which(const char *which, int64_t *id, const char **command, struct err *err)
{
    char *end, shown[80];

    *id = 0;
    *command = "";
    if (strcmp(which, "latest") == 0)
        return 0;
    if (strncmp(which, "latest:", 7) == 0) {
        *command = which + 7;
        return 0;
    }
    errno = 0;
    *id = strtoll(which, &end, 10);
    if (which[0] < '0' || which[0] > '9' || *end != '\0' || errno != 0 || *id == 0)
        return err_set(err, ERR_USAGE,
                       "\"%s\" is no result; allowed are an id such as 12, \"latest\", \"latest:rank\"",
                       sql_shown(shown, sizeof shown, which));
    return 0;
}

static int no_result(struct store *s, const char *which, const struct result_filter *f, struct err *err)
{
    char scenario[80];
    int rc = sql_not_found(s, "result", which, "SELECT CAST(id AS TEXT) FROM result ORDER BY id DESC",
                           "\"foresight run\" and other commands keep theirs", err);

    if (f != NULL && f->scenario != NULL)
        return err_at(err, "scenario \"%s\"", sql_shown(scenario, sizeof scenario, f->scenario));
    return rc;
}

int result_load(struct store *s, const char *which, const struct result_filter *filter, struct arena *a,
                struct result_row *out, struct err *err)
{
    static const struct result_filter all = {0};
    const struct result_filter *f = filter != NULL ? filter : &all;
    const char *command;
    sqlite3_stmt *st;
    int64_t id;
    int rc;

    TRY(parse_which(which, &id, &command, err));
    TRY(sql_query(s, &st, err,
                  SELECT_RESULT("json") "AND ?4 IN (0, id) AND ?5 IN ('', command) ORDER BY id DESC LIMIT 1",
                  "tttit", f->command, f->scenario, f->scenario_sha256, id, command));
    rc = sql_step(s, st, err);
    if (rc > 0)
        read_result(st, a, out);
    sqlite3_finalize(st);
    if (rc == 0)
        return no_result(s, which, filter, err);
    return rc < 0 ? rc : 0;
}

int result_list(struct store *s, const struct result_filter *filter, struct arena *a,
                struct result_row **rows, size_t *n, struct err *err)
{
    static const struct result_filter all = {0};
    const struct result_filter *f = filter != NULL ? filter : &all;
    sqlite3_stmt *st;
    int rc;

    *rows = NULL;
    *n = 0;
    TRY(sql_query(s, &st, err, SELECT_RESULT("NULL") "ORDER BY id DESC", "ttt", f->command, f->scenario,
                  f->scenario_sha256));
    while ((rc = sql_step(s, st, err)) > 0) {
        *rows = sql_grow(a, *rows, *n, sizeof **rows);
        read_result(st, a, &(*rows)[(*n)++]);
    }
    sqlite3_finalize(st);
    return rc;
}

int result_remove(struct store *s, int64_t id, struct err *err)
{
    char shown[32];

    TRY(sql_do(s, err, "DELETE FROM result WHERE id = ?", "i", id));
    if (sqlite3_changes(s->db) > 0)
        return 0;
    snprintf(shown, sizeof shown, "%lld", (long long)id);
    return no_result(s, shown, NULL, err);
}
