#include "store/measurement.h"

#include "base/arena.h"
#include "base/json.h"
#include "store/sql.h"

#include <math.h>
#include <string.h>

static int read_settings(const char *text, struct arena *a, struct measured_row *m, struct err *err)
{
    struct json *tree;
    size_t k = 0;

    TRY(json_parse(text, "settings of a measurement", &tree, err));
    m->settings_n = json_size(tree);
    m->settings = arena_array(a, m->settings_n, sizeof *m->settings);
    JSON_EACH (v, tree) {
        const char *word = json_string(v);

        m->settings[k++] = (struct measured_setting){.name = arena_strdup(a, json_key(v)),
                                                     .text = word != NULL ? arena_strdup(a, word) : NULL,
                                                     .number = json_number(v)};
    }
    json_free(tree);
    return 0;
}

static int read_rows(struct store *s, int64_t trace_id, struct arena *a, struct measured_row **rows,
                     size_t *n, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(s, &st, err,
                  "SELECT seq, subject, settings FROM measurement WHERE trace_id = ? ORDER BY seq", "i",
                  trace_id));
    while ((rc = sql_step(s, st, err)) > 0) {
        struct measured_row *m;

        *rows = sql_grow(a, *rows, *n, sizeof **rows);
        m = &(*rows)[(*n)++];
        memset(m, 0, sizeof *m);
        m->seq = sqlite3_column_int64(st, 0);
        m->subject = sql_text(st, 1, a);
        rc = read_settings((const char *)sqlite3_column_text(st, 2), a, m, err);
        if (rc != 0)
            break;
    }
    sqlite3_finalize(st);
    return rc;
}

/* Figures come in the order of their measurements, so one walk hands each to its row. */
static int read_values(struct store *s, int64_t trace_id, struct arena *a, struct measured_row *rows,
                       size_t n, struct err *err)
{
    sqlite3_stmt *st;
    size_t i = 0;
    int rc;

    TRY(sql_query(s, &st, err,
                  "SELECT measurement, name, at, value FROM figure WHERE trace_id = ? "
                  "ORDER BY measurement, number",
                  "i", trace_id));
    while ((rc = sql_step(s, st, err)) > 0) {
        int64_t seq = sqlite3_column_int64(st, 0);

        while (i < n && rows[i].seq < seq)
            i++;
        if (i == n || rows[i].seq != seq)
            continue;
        rows[i].values = sql_grow(a, rows[i].values, rows[i].values_n, sizeof *rows[i].values);
        rows[i].values[rows[i].values_n++] =
            (struct measured_value){sql_text(st, 1, a), sql_real(st, 2), sql_real(st, 3)};
    }
    sqlite3_finalize(st);
    return rc;
}

int measured_load(struct store *s, int64_t trace_id, struct arena *a, struct measured_row **rows, size_t *n,
                  struct err *err)
{
    *rows = NULL;
    *n = 0;
    TRY(read_rows(s, trace_id, a, rows, n, err));
    return read_values(s, trace_id, a, *rows, *n, err);
}

static const struct measured_setting *find(const struct measured_row *m, const char *name)
{
    for (size_t i = 0; i < m->settings_n; i++)
        if (strcmp(m->settings[i].name, name) == 0)
            return &m->settings[i];
    return NULL;
}

double measured_number(const struct measured_row *m, const char *setting)
{
    const struct measured_setting *s = find(m, setting);

    return s != NULL ? s->number : NAN;
}

const char *measured_text(const struct measured_row *m, const char *setting)
{
    const struct measured_setting *s = find(m, setting);

    return s != NULL && s->text != NULL ? s->text : "";
}

double measured_figure(const struct measured_row *m, const char *name)
{
    for (size_t i = 0; i < m->values_n; i++)
        if (strcmp(m->values[i].name, name) == 0)
            return m->values[i].value;
    return NAN;
}
