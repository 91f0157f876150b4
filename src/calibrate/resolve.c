#include "calibrate/resolve.h"

#include "base/text.h"
#include "calibrate/resolve_rows.h"
#include "calibrate/resolve_values.h"
#include "store/calibration.h"
#include "store/serving.h"
#include "store/trace.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One that was asked for; scenarios keep pointers into it until the resolver is closed. */
struct shared_document {
    char *name;
    struct json *doc;
    struct shared_document *next;
};

struct resolve_ctx {
    struct store *store; /* NULL: not needed so far, or there is none yet */
    char *store_path, *scenario_dir;
    struct shared_document *documents;
    pthread_mutex_t lock; /* variants are built by several threads, a store belongs to one at a time */
};

/*
 * Opened when something is asked of it, so that a scenario without calibrations does without; and for writing
 * where that is possible, so that a store of an older version is brought up to date.
 */
static int open_store(struct resolve_ctx *c, struct err *err)
{
    if (c->store != NULL || access(c->store_path, F_OK) != 0)
        return 0;
    return store_open(c->store_path, access(c->store_path, W_OK) == 0 ? STORE_WRITE : STORE_READ, &c->store,
                      err);
}

static int load_rows(struct resolve_ctx *c, const char *name, struct arena *a, struct param_row **rows,
                     size_t *n, struct err *err)
{
    struct calibration_row *found;
    struct calibration_extra extra;
    struct err missing = {0};
    int rc;

    *n = 0;
    TRY(open_store(c, err));
    if (c->store == NULL)
        return 0;
    rc = calibration_load(c->store, name, a, &found, n, &missing);
    if (rc == ERR_USAGE) {
        *n = 0;
        return 0;
    }
    if (rc != 0) {
        *err = missing;
        return rc;
    }
    TRY(calibration_extra_load(c->store, name, a, &extra, err));
    return resolve_rows(name, found, *n, &extra, a, rows, n, err);
}

static int from_store(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                      struct err *err)
{
    struct resolve_ctx *c = ctx;
    int rc;

    pthread_mutex_lock(&c->lock);
    rc = load_rows(c, name, a, rows, n, err);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

/* Preset names become file names: nothing but letters, digits, '.', '_' and '-' may stand in them. */
static bool is_safe_name(const char *name)
{
    return name[0] != '.' && name[0] != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(name);
}

enum { PRESET_DIRS = 4 };

/* Where presets may lie; "" is nowhere. */
static void preset_dirs(const struct resolve_ctx *c, struct arena *a, const char *dirs[PRESET_DIRS])
{
    const char *env = getenv("FORESIGHT_PRESETS");

    dirs[0] = env != NULL ? env : "";
    dirs[1] = arena_printf(a, "%s/../models/presets", c->scenario_dir);
    dirs[2] = "models/presets";
    dirs[3] = FORESIGHT_DATADIR "/models/presets";
}

static char *find_preset(const struct resolve_ctx *c, const char *name, struct arena *a)
{
    const char *dirs[PRESET_DIRS];

    preset_dirs(c, a, dirs);
    for (size_t i = 0; i < PRESET_DIRS; i++) {
        char *path = arena_printf(a, "%s/%s.json", dirs[i], name);

        if (dirs[i][0] != '\0' && access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

static int read_preset(const char *path, struct arena *a, struct param_row **rows, size_t *n, struct err *err)
{
    struct json *doc;
    const struct json *list;
    int rc = json_read(path, &doc, err);

    if (rc != 0)
        return rc;
    list = json_get(doc, json_get(doc, "fitted") != NULL ? "fitted" : "rows");
    if (list == NULL || json_type(list) != JSON_ARRAY || json_get_string(doc, "source", NULL) == NULL ||
        json_get_string(doc, "date", NULL) == NULL) {
        json_free(doc);
        return err_set(err, ERR_SCENARIO, "%s: a preset needs \"source\", \"date\" and a list \"rows\"",
                       path);
    }
    rc = resolve_preset(doc, path, a, rows, n, err);
    json_free(doc);
    return rc;
}

static int from_preset(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                       struct err *err)
{
    char *path;

    *n = 0;
    path = is_safe_name(name) ? find_preset(ctx, name, a) : NULL;
    return path != NULL ? read_preset(path, a, rows, n, err) : 0;
}

enum { NAMES_MOST = 400 };

/* Names of all presets of all folders, for a message about one that is not there. */
static size_t preset_names(const struct resolve_ctx *c, struct arena *a, const char **names)
{
    const char *dirs[PRESET_DIRS];
    size_t found = 0;

    preset_dirs(c, a, dirs);
    for (size_t i = 0; i < PRESET_DIRS; i++) {
        struct dirent **entries;
        int n = dirs[i][0] != '\0' ? scandir(dirs[i], &entries, NULL, alphasort) : 0;

        for (int k = 0; k < n; k++) {
            size_t len = strlen(entries[k]->d_name);

            if (found < NAMES_MOST && len > 5 && strcmp(entries[k]->d_name + len - 5, ".json") == 0)
                names[found++] = arena_printf(a, "%.*s", (int)len - 5, entries[k]->d_name);
            free(entries[k]);
        }
        if (n > 0)
            free(entries);
    }
    return found;
}

static const char *nearest_preset(void *ctx, const char *name, struct arena *a)
{
    const char *names[NAMES_MOST];

    return text_nearest(name, names, preset_names(ctx, a, names));
}

/* ------------------------------------------------------------ documents */

enum { FOLDERS_DEEP = 4 };

/* NAME.json in a folder or, in the order of their names, in those below it. */
static char *find_below(const char *dir, const char *name, int deep, struct arena *a)
{
    char *path = arena_printf(a, "%s/%s.json", dir, name), *found = NULL;
    struct dirent **entries;
    int n;

    if (access(path, R_OK) == 0)
        return path;
    n = deep > 0 ? scandir(dir, &entries, NULL, alphasort) : 0;
    for (int i = 0; i < n; i++) {
        if (found == NULL && (entries[i]->d_type == DT_DIR || entries[i]->d_type == DT_UNKNOWN) &&
            entries[i]->d_name[0] != '.')
            found = find_below(arena_printf(a, "%s/%s", dir, entries[i]->d_name), name, deep - 1, a);
        free(entries[i]);
    }
    if (n > 0)
        free(entries);
    return found;
}

static char *find_document(const struct resolve_ctx *c, const char *name, struct arena *a)
{
    const char *dirs[PRESET_DIRS];
    char *found = NULL;

    preset_dirs(c, a, dirs);
    for (size_t i = 0; i < PRESET_DIRS && found == NULL; i++)
        if (dirs[i][0] != '\0')
            found = find_below(dirs[i], name, FOLDERS_DEEP, a);
    return found;
}

/* The tables of a calibration, at their knots; the lock is held. */
static int calibrated_costs(struct resolve_ctx *c, const char *name, struct arena *a, struct cost_row **out,
                            size_t *n, struct err *err)
{
    struct calibration_extra extra;

    TRY(open_store(c, err));
    if (c->store == NULL)
        return err_set(err, ERR_SCENARIO, "calibration \"%s\": there is no store %s yet", name,
                       c->store_path);
    TRY(calibration_extra_load(c->store, name, a, &extra, err));
    return resolve_costs(name, extra.document, a, out, n, err);
}

/* A calibration's tables, as a preset has them: {"rows": [[op, tokens, ...], ...]}. */
static int calibrated_document(struct resolve_ctx *c, const char *name, struct arena *a, struct json **out,
                               struct err *err)
{
    struct cost_row *rows;
    size_t n;

    TRY(calibrated_costs(c, name, a, &rows, &n, err));
    *out = json_new_object();
    json_set(*out, "rows", resolve_cost_list(rows, n));
    return 0;
}

/* A preset of fitted tables is read like one of rows. */
static int add_rows(struct json *doc, const char *name, struct arena *a, struct err *err)
{
    char *text = json_compact(doc);
    struct cost_row *rows;
    size_t n;
    int rc = resolve_costs(name, text, a, &rows, &n, err);

    free(text);
    if (rc == 0)
        json_set(doc, "rows", resolve_cost_list(rows, n));
    return rc;
}

static int open_document(struct resolve_ctx *c, const char *name, struct arena *a, struct json **out,
                         struct err *err)
{
    char *path;

    if (strncmp(name, "calibration:", 12) == 0)
        return calibrated_document(c, name + 12, a, out, err);
    path = is_safe_name(name) ? find_document(c, name, a) : NULL;
    if (path == NULL)
        return err_set(err, ERR_SCENARIO,
                       "no document \"%s\" among the presets (models/presets/**/NAME.json)", name);
    TRY(json_read(path, out, err));
    return json_get(*out, "ops") != NULL && json_get(*out, "rows") == NULL ? add_rows(*out, name, a, err) : 0;
}

static int read_document(struct resolve_ctx *c, const char *name, struct arena *a, const struct json **out,
                         struct err *err)
{
    struct shared_document *d = c->documents;

    while (d != NULL && strcmp(d->name, name) != 0)
        d = d->next;
    if (d == NULL) {
        d = xcalloc(1, sizeof *d);
        if (open_document(c, name, a, &d->doc, err) != 0) {
            free(d);
            return err->code;
        }
        d->name = xstrdup(name);
        d->next = c->documents;
        c->documents = d;
    }
    *out = d->doc;
    return 0;
}

static int from_documents(void *ctx, const char *name, struct arena *a, const struct json **out,
                          struct err *err)
{
    struct resolve_ctx *c = ctx;
    int rc;

    pthread_mutex_lock(&c->lock);
    rc = read_document(c, name, a, out, err);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

/* ------------------------------------------------------------ recordings */

static int no_store(const struct resolve_ctx *c, const char *ref, struct err *err)
{
    return err_set(err, ERR_SCENARIO, "\"%s\": there is no store %s yet; foresight import FILE makes one",
                   ref, c->store_path);
}

/* "trace:NAME" or just NAME; the lock is held. */
static int find_trace(struct resolve_ctx *c, const char *ref, int64_t *id, struct err *err)
{
    const char *name = strncmp(ref, "trace:", 6) == 0 ? ref + 6 : ref;

    TRY(open_store(c, err));
    if (c->store == NULL)
        return no_store(c, ref, err);
    if (trace_find_recorded(c->store, name, id, err) == 0)
        return 0;
    err->code = err->code == ERR_USAGE ? ERR_SCENARIO : err->code;
    return err->code;
}

static int load_requests(struct resolve_ctx *c, const char *ref, struct arena *a,
                         struct recorded_request **out, size_t *n, struct err *err)
{
    struct request_row *rows;
    int64_t id;

    TRY(find_trace(c, ref, &id, err));
    TRY(request_load(c->store, id, a, &rows, n, err));
    *out = arena_array(a, *n + 1, sizeof **out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = (struct recorded_request){.arrival_s = rows[i].arrival_s,
                                              .input_tokens = rows[i].input_tokens,
                                              .output_tokens = rows[i].output_tokens,
                                              .class = rows[i].class,
                                              .session = rows[i].session,
                                              .blocks = rows[i].blocks,
                                              .blocks_n = rows[i].blocks_n};
    return 0;
}

static int from_requests(void *ctx, const char *ref, struct arena *a, struct recorded_request **rows,
                         size_t *n, struct err *err)
{
    struct resolve_ctx *c = ctx;
    int rc;

    *n = 0;
    pthread_mutex_lock(&c->lock);
    rc = load_requests(c, ref, a, rows, n, err);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

static int load_values(struct resolve_ctx *c, const char *ref, struct arena *a, double **values, size_t *n,
                       struct err *err)
{
    TRY(open_store(c, err));
    if (c->store == NULL)
        return no_store(c, ref, err);
    if (resolve_span_values(c->store, ref + strlen("trace:"), a, values, n, err) == 0)
        return 0;
    err->code = err->code == ERR_USAGE ? ERR_SCENARIO : err->code;
    return err->code;
}

static int from_spans(void *ctx, const char *ref, struct arena *a, double **values, size_t *n,
                      struct err *err)
{
    struct resolve_ctx *c = ctx;
    int rc;

    *n = 0;
    pthread_mutex_lock(&c->lock);
    rc = load_values(c, ref, a, values, n, err);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

static int load_costs(struct resolve_ctx *c, const char *ref, struct arena *a, struct cost_row **out,
                      size_t *n, struct err *err)
{
    struct operator_cost *rows;
    int64_t id;

    if (strncmp(ref, "calibration:", 12) == 0)
        return calibrated_costs(c, ref + 12, a, out, n, err);
    TRY(find_trace(c, ref, &id, err));
    TRY(operator_cost_load(c->store, id, a, &rows, n, err));
    if (*n == 0)
        return err_set(err, ERR_SCENARIO, "\"%s\": the trace holds no costs of operators", ref);
    *out = resolve_measured_costs(rows, *n, a);
    return 0;
}

static int from_costs(void *ctx, const char *ref, struct arena *a, struct cost_row **rows, size_t *n,
                      struct err *err)
{
    struct resolve_ctx *c = ctx;
    int rc;

    *n = 0;
    pthread_mutex_lock(&c->lock);
    rc = load_costs(c, ref, a, rows, n, err);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

/* ------------------------------------------------------------ the resolver */

void resolve_open(const char *store_path, const char *scenario_path, struct resolver *out)
{
    struct resolve_ctx *c = xcalloc(1, sizeof *c);
    const char *slash = strrchr(scenario_path, '/');

    *out = (struct resolver){.ctx = c,
                             .calibration = from_store,
                             .preset = from_preset,
                             .nearest_preset = nearest_preset,
                             .requests = from_requests,
                             .costs = from_costs,
                             .document = from_documents,
                             .values = from_spans};
    c->scenario_dir = slash != NULL ? xstrdup(scenario_path) : xstrdup(".");
    if (slash != NULL)
        c->scenario_dir[slash - scenario_path] = '\0';
    c->store_path = xstrdup(store_path);
    pthread_mutex_init(&c->lock, NULL);
}

void resolve_close(struct resolver *r)
{
    struct resolve_ctx *c = r->ctx;

    if (c == NULL)
        return;
    store_close(c->store);
    for (struct shared_document *d = c->documents, *next; d != NULL; d = next) {
        next = d->next;
        json_free(d->doc);
        free(d->name);
        free(d);
    }
    pthread_mutex_destroy(&c->lock);
    free(c->store_path);
    free(c->scenario_dir);
    free(c);
    r->ctx = NULL;
}

int resolve_discrepancy(const struct resolver *r, const struct scenario *s, const char *path, double *out,
                        struct err *err)
{
    *out = 0;
    for (int i = 0; i < s->calibrations_n; i++) {
        const char *name = s->calibrations[i];
        bool preset = strncmp(name, "preset:", 7) == 0;
        struct param_row *rows = NULL;
        size_t n = 0;

        TRY((preset ? r->preset : r->calibration)(r->ctx, preset ? name + 7 : name, s->arena, &rows, &n,
                                                  err));
        for (size_t k = 0; k < n; k++)
            if (strcmp(rows[k].path, path) == 0)
                *out = fmax(*out, rows[k].value);
    }
    return 0;
}
