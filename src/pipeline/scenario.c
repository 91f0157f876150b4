#include "pipeline/scenario_read.h"

#include "base/text.h"
#include "pipeline/edit.h"

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

static int read_all(struct reader *r)
{
    static const char *const keys[] = {"$schema",       "name",     "unit",      "seed",        "description",
                                       "horizon",       "workload", "resources", "stages",      "edges",
                                       "optimizations", "knobs",    "objective", "constraints", "slo",
                                       "exec",          NULL};
    struct optimization *opts;
    int n;

    TRY(check_keys(r, r->s->tree, "$", keys));
    TRY(read_texts(r));
    TRY(read_seed(r));
    TRY(read_resources(r));
    TRY(read_workload(r));
    TRY(read_horizon(r));
    TRY(read_stages(r));
    TRY(read_edges(r));
    return optimizations_read(r->s->tree, r->s->file, r->s->arena, &opts, &n, r->err);
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
