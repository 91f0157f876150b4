#include "cli/fit_preset.h"

#include "base/text.h"
#include "cli/fit_print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

static struct json *rounded(double v)
{
    char text[40];

    if (!isfinite(v))
        return json_new_null();
    snprintf(text, sizeof text, "%.6g", v);
    return json_new_number(strtod(text, NULL));
}

static void preset_row(const struct calibration_row *r, struct json *list)
{
    struct json *o = json_push(list, json_new_object()), *valid;

    json_set_string(o, "path", r->path);
    json_set(o, "value", rounded(r->value));
    json_set(o, "stderr", isfinite(r->stderr_) ? rounded(r->stderr_) : json_new_number(0));
    json_set_string(o, "unit", r->unit);
    json_set_number(o, "n", (double)r->n);
    json_set_string(o, "method", r->method);
    if (isfinite(r->r2))
        json_set(o, "r2", rounded(r->r2));
    if (isfinite(r->holdout_error_frac))
        json_set(o, "holdout_error_frac", rounded(r->holdout_error_frac));
    if (!isfinite(r->valid_from) || !isfinite(r->valid_to))
        return;
    valid = json_set_object(o, "valid");
    json_set(valid, "from", rounded(r->valid_from));
    json_set(valid, "to", rounded(r->valid_to));
    json_set_string(valid, "of", r->valid_of != NULL ? r->valid_of : "");
}

/* "rows" of a preset of tables are the knots of its tables, which the resolver writes out; its parameters are "fitted". */
static void preset_rows(const struct fitting *f, struct json *doc)
{
    struct json *list = json_set_array(doc, json_get(doc, "ops") != NULL ? "fitted" : "rows");

    for (size_t i = 0; i < f->n; i++)
        if (strstr(f->rows[i].method, " knots, ") == NULL) /* that of a table, which says it itself */
            preset_row(&f->rows[i], list);
    list = json_set_array(doc, "covariances");
    for (size_t i = 0; i < f->extra.covs_n; i++) {
        struct json *o;

        if (strncmp(f->extra.covs[i].a, "fits.", 5) == 0) /* of what nothing sets, nobody draws */
            continue;
        o = json_push(list, json_new_object());
        json_set_string(o, "a", f->extra.covs[i].a);
        json_set_string(o, "b", f->extra.covs[i].b);
        json_set(o, "covariance", rounded(f->extra.covs[i].covariance));
    }
}

/* Each recording once. */
static void preset_traces(const struct calibration_extra *x, struct json *doc)
{
    struct json *list = json_set_array(doc, "traces");

    for (size_t i = 0; i < x->sources_n; i++) {
        struct json *o;
        size_t k = 0;

        while (k < i && strcmp(x->sources[k].sha256, x->sources[i].sha256) != 0)
            k++;
        if (k < i)
            continue;
        o = json_push(list, json_new_object());
        json_set_string(o, "trace", x->sources[i].trace);
        json_set_string(o, "sha256", x->sources[i].sha256);
    }
}

static struct json *round_all(const struct json *v)
{
    struct json *out;

    switch (json_type(v)) {
    case JSON_NUMBER:
        return rounded(json_number(v));
    case JSON_ARRAY:
        out = json_new_array();
        JSON_EACH (c, v)
            json_push(out, round_all(c));
        return out;
    case JSON_OBJECT:
        out = json_new_object();
        JSON_EACH (c, v)
            json_set(out, json_key(c), round_all(c));
        return out;
    default:
        return json_copy(v);
    }
}

static struct json *preset_json(const char *file, const char *note, const struct fitting *f,
                                const struct calibration_extra *saved)
{
    struct json *doc = json_new_object(), *list;
    const char *base = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
    char date[16], *name = arena_printf(f->a, "%.*s", (int)strcspn(base, "."), base);
    time_t now = time(NULL);
    struct tm utc;

    if (strlen(base) > 5 && strcmp(base + strlen(base) - 5, ".json") == 0)
        name = arena_printf(f->a, "%.*s", (int)strlen(base) - 5, base);
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
    json_set_string(doc, "name", name);
    json_set_string(doc, "source", note);
    json_set_string(doc, "date", date);
    json_set_string(doc, "foresight", PACKAGE_VERSION);
    json_set_string(doc, "target", f->target);
    json_set_string(doc, "where", f->where);
    json_set_number(doc, "bound_frac", f->bound_frac);
    preset_traces(saved, doc);
    if (f->document != NULL)
        JSON_EACH (v, f->document)
            json_set(doc, json_key(v), round_all(v));
    preset_rows(f, doc);
    list = json_set_array(doc, "suspects");
    for (size_t i = 0; i < f->extra.remarks_n; i++)
        if (strcmp(f->extra.remarks[i].kind, "suspect") == 0)
            json_push(list, json_new_string(f->extra.remarks[i].text));
    return doc;
}

/* A line for each parameter and each table: small, and differences can be read. */
static void break_lines(const char *compact, struct text *out)
{
    static const char *const begins[] = {"{\"path\"", "{\"op\"",   "{\"a\"",     "{\"trace\"", "\"rows\"",
                                         "\"fitted\"", "\"ops\"",   "\"traces\"", "\"suspects\"", "\"source\"", "\"date\""};

    for (const char *p = compact; *p != '\0'; p++) {
        bool is_break = false;

        text_add_n(out, p, 1);
        for (size_t i = 0; strncmp(p, ", ", 2) == 0 && i < sizeof begins / sizeof *begins; i++)
            is_break = is_break || strncmp(p + 2, begins[i], strlen(begins[i])) == 0;
        if (is_break)
            text_add(out, "\n");
    }
    text_add(out, "\n");
}

int write_preset(const char *file, const char *note, struct store *store, const char *name,
                 const struct fitting *f, struct err *err)
{
    struct calibration_extra saved;
    struct json *doc;
    struct text t = {0};
    char *text;
    int rc;

    TRY(calibration_extra_load(store, name, f->a, &saved, err));
    doc = preset_json(file, note, f, &saved);
    text = json_compact(doc);
    break_lines(text, &t);
    rc = text_write_file(file, t.s, t.len, err);
    text_free(&t);
    free(text);
    json_free(doc);
    return rc;
}
