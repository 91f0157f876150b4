#include "pipeline/scenario_read.h"

#include "base/text.h"
#include "pipeline/bound.h"
#include "pipeline/edit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int read_seed(struct reader *r)
{
    const struct json *v = json_get(r->s->tree, "seed");
    double seed = 1;

    if (v != NULL)
        TRY(read_quantity(r, v, UNIT_NONE, 0, 9e15, "$.seed", &seed));
    r->s->seed = (uint64_t)seed;
    return 0;
}

static int read_texts(struct reader *r)
{
    static const char *const texts[] = {"name", "unit", "description"};
    struct scenario *s = r->s;

    for (int i = 0; i < 3; i++) {
        const struct json *v = json_get(s->tree, texts[i]);

        if (v != NULL && json_string(v) == NULL)
            return bad(r, arena_printf(s->arena, "$.%s", texts[i]), "text is needed");
    }
    if (json_get(s->tree, "name") == NULL)
        return bad(r, "$.name", "a scenario needs a name");
    s->name = json_get_string(s->tree, "name", "");
    s->unit = json_get_string(s->tree, "unit", "item");
    s->description = json_get_string(s->tree, "description", "");
    return 0;
}

/* "assumed": path -> why nobody measured what stands there. */
static int read_assumed(struct reader *r)
{
    const struct json *v = json_get(r->s->tree, "assumed");

    if (v == NULL)
        return 0;
    if (json_type(v) != JSON_OBJECT)
        return bad(r, "$.assumed", "an object is needed: paths, each with the reason why it is assumed");
    JSON_EACH (reason, v) {
        const char *where = arena_printf(r->s->arena, "$.assumed.%s", json_key(reason));

        if (json_string(reason) == NULL)
            return bad(r, where, "text is needed: why it is assumed");
        append_name(r->s, &r->s->assumed, &r->s->assumed_n, arena_strdup(r->s->arena, json_key(reason)));
    }
    return 0;
}

static int read_all(struct reader *r)
{
    static const char *const keys[] = {"$schema",       "name",     "unit",      "seed",        "description",
                                       "horizon",       "workload", "resources", "stages",      "edges",
                                       "optimizations", "knobs",    "objective", "constraints", "slo",
                                       "exec",          "assumed",  NULL};
    struct optimization *opts;
    int n;

    TRY(check_keys(r, r->s->tree, "$", keys));
    TRY(read_texts(r));
    TRY(read_seed(r));
    TRY(read_assumed(r));
    TRY(read_resources(r));
    TRY(read_workload(r));
    TRY(read_horizon(r));
    TRY(read_stages(r));
    TRY(read_edges(r));
    return optimizations_read(r->s->tree, r->s->file, r->s->arena, &opts, &n, r->err);
}

static bool loses_items(const struct scenario *s)
{
    for (int i = 0; i < s->stages_n; i++)
        if (s->stages[i].shape.workers == 0 && s->stages[i].shape.queue_limit >= 0)
            return true;
    return false;
}

static void find_least(double per_s, const char *name, double *least, const char **who)
{
    if (per_s < *least) {
        *least = per_s;
        *who = name;
    }
}

/* Open arrivals do not slow down: where they are more than a place can do, its queue grows as long as the
 * run. */
static void check_load(struct scenario *s)
{
    double offered = 1 / s->workload.arrivals.mean, least = INFINITY;
    const char *who = "";
    char is[40], can[40];
    struct bound b;

    if (s->workload.kind != WORKLOAD_OPEN || loses_items(s))
        return;
    bound_compute(s, s->arena, &b);
    for (int i = 0; i < s->stages_n; i++)
        find_least(b.stage_per_s[i], s->stages[i].name, &least, &who);
    for (int i = 0; i < s->resources_n; i++)
        find_least(b.resource_per_s[i], s->resources[i].name, &least, &who);
    if (offered < least * (1 - 1e-9))
        return;
    warn(s, "$.workload.open.arrivals",
         arena_printf(s->arena,
                      "%s arrive and \"%s\" can do %s at best: queues grow as long as the run lasts, and "
                      "times in the pipeline with them",
                      units_format(is, sizeof is, offered, UNIT_PER_S), who,
                      units_format(can, sizeof can, least, UNIT_PER_S)));
}

int scenario_build(const struct json *tree, const char *file, const struct scenario_options *opt,
                   struct scenario **out, struct err *err)
{
    struct arena *a = arena_new();
    struct scenario *s = ARENA_NEW(a, struct scenario);
    struct reader r = {.s = s, .opt = opt, .err = err};
    char *text = json_compact(tree);
    int rc;

    s->arena = a;
    s->file = arena_strdup(a, file);
    text_sha256(text, strlen(text), s->sha256);
    free(text);
    s->tree = json_copy(tree);
    rc = read_all(&r);
    if (rc != 0) {
        scenario_free(s);
        return rc;
    }
    check_load(s);
    *out = s;
    return 0;
}

int scenario_load(const char *path, const struct scenario_options *opt, struct scenario **out,
                  struct err *err)
{
    struct json *tree;
    int rc;

    rc = json_read(path, &tree, err);
    if (rc != 0)
        return rc;
    rc = scenario_build(tree, path, opt, out, err);
    json_free(tree);
    return rc;
}

void scenario_free(struct scenario *s)
{
    if (s == NULL)
        return;
    json_free(s->tree);
    arena_free(s->arena);
}

const struct stage *scenario_stage(const struct scenario *s, const char *name)
{
    for (int i = 0; i < s->stages_n; i++)
        if (strcmp(s->stages[i].name, name) == 0)
            return &s->stages[i];
    return NULL;
}

bool scenario_has_latency(const struct scenario *s)
{
    return s->workload.kind != WORKLOAD_CLOSED;
}
