#include "pipeline/scenario_read.h"

#include <string.h>

static int read_only(struct reader *r)
{
    struct scenario *s = r->s;
    struct pipeline *p = ARENA_NEW(s->arena, struct pipeline);

    s->pipelines = p;
    s->pipelines_n = 1;
    p->name = s->name;
    p->unit = s->unit;
    TRY(read_slo(r, json_get(s->tree, "slo"), "$.slo", &p->slo));
    TRY(read_workload(r, json_get(s->tree, "workload"), "$.workload", &p->workload));
    return read_horizon(r, json_get(s->tree, "horizon"), "$.horizon", &p->workload, &p->horizon);
}

const char *const pipeline_keys[] = {"name",  "unit",      "workload", "horizon", "stages",
                                     "edges", "objective", "slo",      NULL};

/* A pipeline's own limits, or those that stand beside the pipelines. */
static int read_its_slo(struct reader *r, const struct json *own, const char *where, struct slo *out)
{
    if (own != NULL)
        return read_slo(r, own, arena_printf(r->s->arena, "%s.slo", where), out);
    return read_slo(r, json_get(r->s->tree, "slo"), "$.slo", out);
}

static int read_pipeline(struct reader *r, const struct json *v, const char *where, struct pipeline *p)
{
    struct scenario *s = r->s;

    TRY(check_keys(r, v, where, pipeline_keys));
    p->name = json_get_string(v, "name", NULL);
    if (p->name == NULL || p->name[0] == '\0')
        return bad(r, where, "a pipeline needs a \"name\"");
    for (int i = 0; i < s->pipelines_n; i++)
        if (strcmp(s->pipelines[i].name, p->name) == 0)
            return bad(r, where, arena_printf(s->arena, "the name \"%s\" is used twice", p->name));
    p->unit = json_get_string(v, "unit", s->unit);
    p->luck = rng_hash(p->name);
    TRY(read_its_slo(r, json_get(v, "slo"), where, &p->slo));
    TRY(read_workload(r, json_get(v, "workload"), arena_printf(s->arena, "%s.workload", where),
                      &p->workload));
    return read_horizon(r, json_get(v, "horizon"), arena_printf(s->arena, "%s.horizon", where), &p->workload,
                        &p->horizon);
}

/* The one that says so, or the first. */
static int find_objective(struct reader *r, const struct json *list)
{
    int found = 0, k = 0;

    JSON_EACH (v, list) {
        if (json_get_bool(v, "objective", false)) {
            r->s->objective = k;
            found++;
        }
        k++;
    }
    return found > 1 ? bad(r, "$.pipelines", "\"objective\": true stands at more than one pipeline") : 0;
}

static int read_several(struct reader *r, const struct json *list)
{
    static const char *const alone[] = {"workload", "horizon", "edges"};
    struct scenario *s = r->s;

    if (json_type(list) != JSON_ARRAY || json_size(list) == 0)
        return bad(r, "$.pipelines", "a list of at least one pipeline is needed");
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        if (json_get(s->tree, alone[i]) != NULL)
            return bad(r, arena_printf(s->arena, "$.%s", alone[i]),
                       "with \"pipelines\" each of them has its own");
    s->pipelines = arena_array(s->arena, json_size(list), sizeof *s->pipelines);
    JSON_EACH (v, list) {
        const char *where = arena_printf(s->arena, "$.pipelines[%d]", s->pipelines_n);

        TRY(read_pipeline(r, v, where, &s->pipelines[s->pipelines_n]));
        s->pipelines_n++;
    }
    return find_objective(r, list);
}

int read_pipelines(struct reader *r)
{
    struct scenario *s = r->s;
    const struct json *list = json_get(s->tree, "pipelines");

    TRY(list == NULL ? read_only(r) : read_several(r, list));
    s->pipelines[s->objective].is_objective = true;
    s->workload = s->pipelines[s->objective].workload;
    s->horizon = s->pipelines[s->objective].horizon;
    for (int i = 0; i < s->pipelines_n; i++)
        s->pipelines[i].request_luck = rng_hash("source.requests") ^ s->pipelines[i].luck;
    return 0;
}

/* Items carry requests where somebody may look at them. */
void finish_pipelines(struct reader *r)
{
    struct scenario *s = r->s;

    for (int i = 0; i < s->pipelines_n; i++) {
        struct pipeline *p = &s->pipelines[i];

        p->serves = p->workload.requests != NULL;
        for (int k = p->first; k <= p->last; k++)
            p->serves = p->serves || s->stages[k].model->server != NULL;
        if (p->serves && p->workload.requests == NULL)
            p->workload.requests = plain_requests(s->arena);
    }
    s->workload = s->pipelines[s->objective].workload;
}

/* ------------------------------------------------------------ alone */

static void set_objective(struct scenario *s, int pipeline)
{
    s->pipelines[s->objective].is_objective = false;
    s->objective = pipeline;
    s->pipelines[pipeline].is_objective = true;
    s->workload = s->pipelines[pipeline].workload;
    s->horizon = s->pipelines[pipeline].horizon;
}

static bool asks(const struct scenario *s, int stage, int callee)
{
    for (int i = 0; i < CALLEES_MAX; i++)
        if (s->stages[stage].calls[i] >= 0 &&
            (s->stages[stage].calls[i] == callee || asks(s, s->stages[stage].calls[i], callee)))
            return true;
    return false;
}

/* The pipeline that passes a stage, or one of whose stages asks it. */
static int pipeline_of(const struct scenario *s, int stage)
{
    int found = s->stages[stage].pipeline;

    for (int i = 0; found < 0 && i < s->stages_n; i++)
        if (s->stages[i].pipeline >= 0 && asks(s, i, stage))
            found = s->stages[i].pipeline;
    return found;
}

void scenario_isolate(struct scenario *s, const char *const *stages, int n)
{
    int first = -1;

    for (int i = 0; i < s->stages_n; i++) {
        bool named = false;

        for (int k = 0; k < n; k++)
            named = named || strcmp(s->stages[i].name, stages[k]) == 0;
        s->stages[i].instant = !named;
        if (named && first < 0)
            first = pipeline_of(s, i);
    }
    if (first >= 0)
        set_objective(s, first);
}

static bool takes_time(const struct scenario *s, int stage)
{
    if (!s->stages[stage].instant)
        return true;
    for (int i = 0; i < CALLEES_MAX; i++)
        if (s->stages[stage].calls[i] >= 0 && takes_time(s, s->stages[stage].calls[i]))
            return true;
    return false;
}

bool pipeline_takes_time(const struct scenario *s, const struct pipeline *p)
{
    for (int i = p->first; i <= p->last; i++)
        if (takes_time(s, i))
            return true;
    return false;
}
