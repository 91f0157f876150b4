#include "calibrate/resolve.h"

#include "base/text.h"
#include "calibrate/resolve_rows.h"
#include "store/calibration.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct resolve_ctx {
    struct store *store; /* NULL: not needed so far, or there is none yet */
    char *store_path, *scenario_dir;
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

static char *find_preset(const struct resolve_ctx *c, const char *name, struct arena *a)
{
    const char *env = getenv("FORESIGHT_PRESETS");
    const char *const dirs[] = {env != NULL ? env : "",
                                arena_printf(a, "%s/../models/presets", c->scenario_dir), "models/presets",
                                FORESIGHT_DATADIR "/presets"};

    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
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
    list = json_get(doc, "rows");
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

void resolve_open(const char *store_path, const char *scenario_path, struct resolver *out)
{
    struct resolve_ctx *c = xcalloc(1, sizeof *c);
    const char *slash = strrchr(scenario_path, '/');

    *out = (struct resolver){.ctx = c, .calibration = from_store, .preset = from_preset};
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
