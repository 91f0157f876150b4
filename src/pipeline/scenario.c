#include "pipeline/scenario_read.h"

#include "base/text.h"
#include "pipeline/auto.h"
#include "pipeline/bound.h"
#include "pipeline/constraint.h"
#include "pipeline/edit.h"
#include "pipeline/knob.h"

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

/* Models ask the resolver through the door that the model floor knows. */
static void open_lookup(struct reader *r)
{
    const struct resolver *res = r->opt != NULL ? r->opt->resolver : NULL;

    if (res != NULL)
        r->lookup = (struct lookup){.ctx = res->ctx, .costs = res->costs, .document = res->document};
}

const char *const scenario_keys[] = {"$schema",       "name",     "unit",      "seed",        "description",
                                     "horizon",       "workload", "resources", "stages",      "edges",
                                     "optimizations", "knobs",    "objective", "constraints", "slo",
                                     "exec",          "assumed",  "pipelines", NULL};

/* What studies read is checked with the rest. */
static int check_studies(struct reader *r)
{
    const struct scenario *s = r->s;
    struct constraint *constraints;
    struct objective objective;
    struct optimization *opts;
    struct knob *knobs;
    int n;

    TRY(optimizations_read(s->tree, s->file, s->arena, &opts, &n, r->err));
    TRY(knobs_read(s->tree, s->file, s->arena, &knobs, &n, r->err));
    TRY(objective_read(s, &objective, r->err));
    return constraints_read(s, s->arena, &constraints, &n, r->err);
}

static int read_all(struct reader *r)
{
    open_lookup(r);
    TRY(check_keys(r, r->s->tree, "$", scenario_keys));
    TRY(read_texts(r));
    TRY(read_seed(r));
    TRY(read_assumed(r));
    TRY(read_resources(r));
    TRY(read_pipelines(r));
    TRY(read_stages(r));
    TRY(read_calls(r));
    TRY(read_edges(r));
    finish_pipelines(r);
    return check_studies(r);
}

bool scenario_loses_items(const struct scenario *s, int pipeline)
{
    for (int i = 0; i < s->stages_n; i++)
        if (s->stages[i].pipeline == pipeline && s->stages[i].shape.workers == 0 &&
            s->stages[i].shape.queue_limit >= 0)
            return true;
    return false;
}

static void find_most(double load, const char *name, double *most, const char **who)
{
    if (load > *most) {
        *most = load;
        *who = name;
    }
}

static bool arrives_by_itself(const struct pipeline *p)
{
    return p->workload.kind == WORKLOAD_OPEN || p->workload.kind == WORKLOAD_TRACE;
}

/*
 * Open arrivals do not slow down: where they are more than a place can do, its queue grows as long as the
 * run.  What several pipelines ask of one place adds up.
 */
static void check_load(struct scenario *s)
{
    double *stage_load = arena_array(s->arena, (size_t)s->stages_n, sizeof *stage_load);
    double *resource_load = arena_array(s->arena, (size_t)s->resources_n, sizeof *resource_load);
    double offered = 0, most = 0;
    const char *who = "";
    char is[40], can[40];

    for (int k = 0; k < s->pipelines_n; k++) {
        const struct pipeline *p = &s->pipelines[k];
        double rate = arrives_by_itself(p) ? pipeline_arrivals_per_s(p) : 0;
        struct bound b;

        if (rate == 0 || scenario_loses_items(s, k))
            continue;
        bound_of_pipeline(s, k, s->arena, &b);
        offered += rate;
        for (int i = 0; i < s->stages_n; i++)
            find_most(stage_load[i] += rate / b.stage_per_s[i], s->stages[i].name, &most, &who);
        for (int i = 0; i < s->resources_n; i++)
            find_most(resource_load[i] += rate / b.resource_per_s[i], s->resources[i].name, &most, &who);
    }
    if (most <= 1 + 1e-9)
        return;
    warn(s, s->pipelines_n == 1 ? "$.workload.open.arrivals" : "$.pipelines",
         arena_printf(s->arena,
                      "%s arrive and \"%s\" can do %s at best: queues grow as long as the run lasts, and "
                      "times in the pipeline with them",
                      units_format(is, sizeof is, offered, UNIT_PER_S), who,
                      units_format(can, sizeof can, offered / most, UNIT_PER_S)));
}

int scenario_build(const struct json *tree, const char *file, const struct scenario_options *opt,
                   struct scenario **out, struct err *err)
{
    struct arena *a = arena_new();
    struct scenario *s = ARENA_NEW(a, struct scenario);
    struct reader r = {.s = s, .opt = opt, .err = err};
    char *text = json_compact(tree);
    struct auto_choice *choices = NULL;
    int rc, choices_n = 0;

    s->arena = a;
    s->file = arena_strdup(a, file);
    text_sha256(text, strlen(text), s->sha256);
    free(text);
    rc = auto_choose(tree, file, opt, a, &s->tree, &choices, &choices_n, err);
    if (s->tree == NULL)
        s->tree = json_copy(tree);
    if (rc == 0)
        rc = resolve_values(&r);
    if (rc == 0)
        rc = read_all(&r);
    if (rc != 0) {
        scenario_free(s);
        return rc;
    }
    for (int i = 0; i < choices_n; i++)
        warn(s, choices[i].path, choices[i].reason);
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

bool pipeline_has_latency(const struct pipeline *p)
{
    return p->workload.kind != WORKLOAD_CLOSED;
}

bool scenario_has_latency(const struct scenario *s)
{
    return pipeline_has_latency(&s->pipelines[s->objective]);
}
