#include "cli/fit_target.h"

#include "base/arena.h"
#include "calibrate/fit_model.h"
#include "cli/fit_preset.h"
#include "cli/fit_print.h"
#include "cli/print.h"
#include "models/fits.h"
#include "store/import/import.h"
#include "store/trace.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

enum { MOST_TRACES = 64 };

struct target_fit {
    const struct args *args;
    struct arena *arena;
    struct fit_model_input in;
    int64_t traces[MOST_TRACES];
    const char *name; /* of the calibration */
    struct fitting out;
};

bool is_fit_target(const char *word)
{
    return strchr(word, '/') == NULL && strstr(word, ".json") == NULL && access(word, F_OK) != 0;
}

/* A file is imported first (once); anything else is the name or number of a trace in the store. */
static int add_trace(struct target_fit *t, const char *source, struct err *err)
{
    struct import_options options = {0};
    struct import_report r;

    if (t->in.traces_n == MOST_TRACES)
        return err_set(err, ERR_USAGE, "fit: at most %d traces", MOST_TRACES);
    if (access(source, F_OK) != 0)
        return trace_find_recorded(t->in.store, source, &t->traces[t->in.traces_n++], err);
    TRY(import_file(t->in.store, source, &options, t->arena, &r, err));
    t->traces[t->in.traces_n++] = r.trace_id;
    return 0;
}

static int find_traces(struct target_fit *t, struct err *err)
{
    struct trace_row row;

    for (int i = 0; i < t->args->given_n; i++)
        if (strcmp(t->args->given[i].name, "trace") == 0)
            TRY(add_trace(t, t->args->given[i].value, err));
    if (t->in.traces_n == 0)
        return err_set(err, ERR_USAGE,
                       "fit %s: which recording? `foresight import FILE...` takes it in, then --trace NAME; "
                       "`foresight trace list` shows what is there, `foresight models %s` what is needed",
                       t->in.target, t->in.target);
    t->in.traces = t->traces;
    TRY(trace_info_load(t->in.store, t->traces[0], t->arena, &row, err));
    t->name = args_get(t->args, "name", row.info.name);
    return 0;
}

/* ---------------------------------------------------------------- shown */

static void sources_json(const struct calibration_extra *x, struct json *doc)
{
    struct json *list = json_set_array(doc, "sources");

    for (size_t i = 0; i < x->sources_n; i++) {
        const struct calibration_source *s = &x->sources[i];
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "path", s->path);
        json_set_number(o, "trace_id", (double)s->trace_id);
        json_set_string(o, "view", s->view);
        json_set_string(o, "what", s->what);
        json_set_number(o, "first", (double)s->first);
        json_set_number(o, "last", (double)s->last);
        json_set_number(o, "n", (double)s->n);
    }
}

static void remarks_json(const struct calibration_extra *x, const char *kind, const char *key,
                         struct json *doc)
{
    struct json *list = json_set_array(doc, key);

    for (size_t i = 0; i < x->remarks_n; i++)
        if (strcmp(x->remarks[i].kind, kind) == 0)
            json_push(list, json_new_string(x->remarks[i].text));
}

static struct json *target_json(const struct target_fit *t)
{
    struct json *doc = json_new_object(), *list;

    json_set_string(doc, "format", "foresight.result");
    json_set_string(doc, "format_version", "1.0");
    json_set_string(doc, "command", "fit");
    json_set_string(doc, "version", PACKAGE_VERSION);
    json_set_string(doc, "calibration", t->name);
    json_set_string(doc, "target", t->in.target);
    fit_rows_json(t->out.rows, t->out.n, json_set_array(doc, "params"));
    list = json_set_array(doc, "covariances");
    for (size_t i = 0; i < t->out.extra.covs_n; i++) {
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "a", t->out.extra.covs[i].a);
        json_set_string(o, "b", t->out.extra.covs[i].b);
        json_set_number(o, "covariance", t->out.extra.covs[i].covariance);
    }
    json_set(doc, "document", t->out.document != NULL ? json_copy(t->out.document) : json_new_null());
    sources_json(&t->out.extra, doc);
    remarks_json(&t->out.extra, "suspect", "suspects", doc);
    remarks_json(&t->out.extra, "note", "remarks", doc);
    return doc;
}

static void print_target(const struct target_fit *t)
{
    const struct calibration_extra *x = &t->out.extra;

    printf("calibration \"%s\" of %s: %zu parameters from %d trace%s\n\n", t->name, t->in.target, t->out.n,
           t->in.traces_n, t->in.traces_n == 1 ? "" : "s");
    print_fit_rows(t->out.rows, t->out.n);
    for (size_t i = 0; i < x->remarks_n; i++)
        printf("%s  %s: %s\n", i == 0 ? "\n" : "", x->remarks[i].kind, x->remarks[i].text);
}

/* ------------------------------------------------------------------ run */

static int fit_and_keep(struct target_fit *t, struct err *err)
{
    int rc;

    TRY(find_traces(t, err));
    TRY(fit_model(&t->in, t->arena, &t->out, err));
    rc = calibration_save_with(t->in.store, t->name, "", t->traces[0], t->out.rows, t->out.n, &t->out.extra,
                               err);
    if (rc == 0 && args_get(t->args, "output", NULL) != NULL)
        rc = write_preset(args_get(t->args, "output", NULL), args_get(t->args, "note", ""), t->in.store,
                          t->name, &t->out, err);
    if (rc == 0 && t->args->json)
        print_document(target_json(t));
    else if (rc == 0)
        print_target(t);
    fitting_free(&t->out);
    return rc;
}

static int read_bound(const struct args *args, double *out, struct err *err)
{
    const char *text = args_get(args, "bound", NULL);

    if (text == NULL)
        return 0;
    if (units_parse(text, UNIT_NONE, out, err) != 0 || !(*out > 0 && *out < 1))
        return err_set(err, ERR_USAGE, "--bound %s: a number between 0 and 1 is needed, as in 0.03", text);
    return 0;
}

int fit_target(const struct args *args, struct err *err)
{
    struct target_fit t = {.args = args};
    struct store *store = NULL;
    int rc;

    if (args_get(args, "output", NULL) != NULL && args_get(args, "note", NULL) == NULL)
        return err_set(err, ERR_USAGE, "fit: --output needs --note: where the recordings come from");
    t.arena = arena_new();
    t.in.target = args->words[0];
    t.in.where = args_get(args, "where", NULL);
    rc = read_bound(args, &t.in.bound_frac, err);
    if (rc == 0)
        rc = store_open(args->store, STORE_WRITE, &store, err);
    t.in.store = store;
    if (rc == 0)
        rc = fit_and_keep(&t, err);
    store_close(store);
    arena_free(t.arena);
    return rc;
}
