#include "pipeline/scenario_read.h"

#include "base/text.h"

#include <limits.h>
#include <string.h>

static int find_resource(const struct scenario *s, const char *name)
{
    for (int i = 0; i < s->resources_n; i++)
        if (strcmp(s->resources[i].name, name) == 0)
            return i;
    return -1;
}

enum { STAGES_MAX = 1000 };

static bool role_fits(enum role role, int kind)
{
    switch (role) {
    case ROLE_CPU:
        return kind == RESOURCE_CORES;
    case ROLE_GPU: /* a service on cores, where there is no GPU */
        return kind == RESOURCE_GPUS || kind == RESOURCE_CORES || kind == RESOURCE_SERVERS;
    case ROLE_DISK_READ:
    case ROLE_DISK_WRITE:
        return kind == RESOURCE_DISK;
    case ROLE_NET:
    case ROLE_MEM: /* a memory bus is a link: its bandwidth is shared by those who scan at the same time */
        return kind == RESOURCE_LINK;
    default:
        return kind == RESOURCE_SERVERS || kind == RESOURCE_CORES || kind == RESOURCE_GPUS;
    }
}

static int bind_role(struct reader *r, struct stage *st, const struct json *v, const char *where)
{
    struct scenario *s = r->s;
    const char *role = json_key(v), *name = json_string(v);
    int res = name != NULL ? find_resource(s, name) : -1;
    bool known = false;

    if (res < 0) {
        const char *names[64], *near = NULL;
        size_t n = 0;

        for (; n < (size_t)s->resources_n && n < 64; n++)
            names[n] = s->resources[n].name;
        near = name != NULL ? text_nearest(name, names, n) : NULL;
        return bad(r, where,
                   arena_printf(s->arena, "no resource \"%s\"; %s \"%s\"",
                                name ? name : json_type_name(json_type(v)),
                                near ? "did you mean" : "there is", near ? near : names[0]));
    }
    for (enum role k = 0; k < ROLES; k++) {
        if (strcmp(role_name(k), role) != 0)
            continue;
        known = true;
        if (!role_fits(k, s->resources[res].kind))
            return bad(r, where,
                       arena_printf(s->arena, "\"%s\" is a resource of kind %s, which cannot serve as %s",
                                    name, resource_kind_names[s->resources[res].kind], role));
        st->on[k] = res;
    }
    if (!known)
        return bad(r, where, "unknown role; allowed: cpu, gpu, disk, net, servers, mem");
    return 0;
}

static int check_roles(struct reader *r, const struct stage *st, const char *where)
{
    for (int i = 0; st->model->roles[i] != NULL; i++) {
        bool bound = false;

        for (enum role k = 0; k < ROLES; k++)
            bound = bound || (st->on[k] >= 0 && strcmp(role_name(k), st->model->roles[i]) == 0);
        if (!bound)
            return bad(r, where,
                       arena_printf(r->s->arena, "model \"%s\" needs \"on\": {\"%s\": a resource}",
                                    st->model->name, st->model->roles[i]));
    }
    return 0;
}

/* Operators named by the scenario ask for roles one by one: whatever they want must be bound. */
static int check_demand(struct reader *r, struct stage *st, const struct dataset_cfg *data, const char *where)
{
    struct request request = {.input_tokens = 1, .output_tokens = 1};
    struct demand d = {0};
    struct item in = {.count = 1,
                      .rows = 1,
                      .bytes = 1,
                      .used_bytes = 1,
                      .encoded_bytes = 1,
                      .encoded_used_bytes = 1,
                      .stripe_rows = 1,
                      .data = data,
                      .request = &request},
                leave;

    if (st->shape.take > 0)
        in.count = in.rows = st->shape.take;
    leave = in;
    if (st->model->server != NULL && st->model->best_demand != NULL)
        st->model->best_demand(st->cfg, &in, &d, &leave);
    else if (st->model->demand != NULL)
        st->model->demand(st->cfg, &in, NULL, &d, &leave);
    for (int i = 0; i < d.n; i++)
        if (st->on[d.phases[i].role] < 0)
            return bad(r, where,
                       arena_printf(r->s->arena, "operator \"%s\" wants %s, but \"on\" binds no \"%s\"",
                                    model_operator_name(st->model, st->cfg, d.phases[i].op),
                                    role_name(d.phases[i].role), role_name(d.phases[i].role)));
    return 0;
}

static int find_model(struct reader *r, const struct json *v, const char *where, struct stage *out)
{
    const char *model = json_get_string(v, "model", NULL), *near;

    out->model = model != NULL ? model_find(model) : NULL;
    if (out->model != NULL)
        return 0;
    near = model != NULL ? model_nearest(model) : NULL;
    return bad(r, where,
               arena_printf(r->s->arena, "no model \"%s\"%s%s%s; `foresight models` lists them",
                            model ? model : "", near ? "; did you mean \"" : "", near ? near : "",
                            near ? "\"?" : ""));
}

/* A resource whose servers come and go has no fixed count to hold a model to. */
static int check_bound(struct reader *r, const struct stage *st, const char *where)
{
    long counts[ROLES] = {0};

    if (st->model->check_bound == NULL)
        return 0;
    for (enum role k = 0; k < ROLES; k++)
        if (st->on[k] >= 0) {
            const struct resource *on = &r->s->resources[st->on[k]];

            counts[k] = resource_changes(on) ? LONG_MAX : on->count;
        }
    if (st->model->check_bound(st->cfg, counts, where, r->err) != 0)
        return err_at(r->err, "%s", r->s->file);
    return 0;
}

/* Parameters, with presets and calibrations put in; what the model makes of them. */
static int read_cfg(struct reader *r, const struct json *v, const struct stage_text *text, struct stage *out)
{
    struct scenario *s = r->s;
    const struct workload *w = text->pipeline >= 0 ? &s->pipelines[text->pipeline].workload : &s->workload;
    struct model_env env = {.data = w->data, .arena = s->arena, .lookup = &r->lookup};

    TRY(resolve_references(r, v, text->where, arena_printf(s->arena, "stages.%s", out->name),
                           arena_printf(s->arena, "models.%s", out->model->name)));
    out->cfg = arena_alloc(s->arena, out->model->cfg_size);
    env.where = arena_printf(s->arena, "%s.params", text->path);
    TRY(load_params(r, out->model->params, json_get(v, "params"), env.where, out->cfg));
    if (out->model->check != NULL && out->model->check(out->cfg, &env, r->err) != 0)
        return err_at(r->err, "%s", s->file);
    TRY(check_bound(r, out, env.where));
    if (out->model->shape != NULL)
        out->model->shape(out->cfg, &out->shape);
    if (out->model->server != NULL) /* it takes every item at once and decides for itself */
        out->shape = (struct shape){.prefetch = -1, .queue_limit = -1, .parallel = out->shape.parallel};
    if (out->shape.queue_limit >= 0 && w->kind != WORKLOAD_OPEN)
        return bad(r, arena_printf(s->arena, "%s.queue_limit", env.where),
                   "items are only lost where they come from outside: it goes with \"open\" arrivals");
    return 0;
}

static int bind_roles(struct reader *r, const struct json *v, const char *where, struct stage *out)
{
    const struct json *on = json_get(v, "on");

    for (enum role k = 0; k < ROLES; k++)
        out->on[k] = -1;
    if (on != NULL && json_type(on) != JSON_OBJECT)
        return bad(r, where, "\"on\" is an object from role to resource, such as {\"cpu\": \"host\"}");
    for (const struct json *role = on ? json_first(on) : NULL; role != NULL; role = json_next(role))
        TRY(bind_role(r, out, role, arena_printf(r->s->arena, "%s.on.%s", where, json_key(role))));
    return check_roles(r, out, where);
}

const char *const stage_keys[] = {"name",  "model",       "on",     "params", "calls",
                                  "owner", "calibration", "preset", NULL};

static int read_stage(struct reader *r, struct stage_text *text, struct stage *out)
{
    struct scenario *s = r->s;
    const struct json *v = text->json;
    const char *name;

    TRY(check_keys(r, v, text->path, stage_keys));
    name = json_get_string(v, "name", NULL);
    if (name == NULL || name[0] == '\0')
        return bad(r, text->path, "a stage needs a \"name\"");
    if (scenario_stage(s, name) != NULL)
        return bad(r, text->path, arena_printf(s->arena, "the name \"%s\" is used twice", name));
    text->where = arena_printf(s->arena, "%s (\"%s\")", text->path, name);
    out->name = arena_strdup(s->arena, name);
    out->path = text->path;
    out->owner = arena_strdup(s->arena, json_get_string(v, "owner", ""));
    out->luck = rng_hash(name);
    out->pipeline = text->pipeline;
    TRY(find_model(r, v, text->where, out));
    if (json_get(v, "calls") != NULL && (out->model->server == NULL || out->model->server->callees == NULL))
        return bad(r, text->where,
                   arena_printf(s->arena, "\"calls\": model \"%s\" calls no other stage", out->model->name));
    if (out->model->needs_dataset &&
        (text->pipeline < 0 || s->pipelines[text->pipeline].workload.data == NULL))
        return bad(r, text->where,
                   arena_printf(s->arena, "model \"%s\" needs $.workload.dataset", out->model->name));
    TRY(bind_roles(r, v, text->where, out));
    TRY(read_cfg(r, v, text, out));
    return check_demand(r, out,
                        text->pipeline >= 0 ? s->pipelines[text->pipeline].workload.data : s->workload.data,
                        text->where);
}

/* One list of stages, for one pipeline or (-1) for whoever calls them. */
static int read_list(struct reader *r, const struct json *list, const char *path, int pipeline)
{
    struct scenario *s = r->s;

    if (list == NULL || json_type(list) != JSON_ARRAY || json_size(list) == 0)
        return bad(r, path, "a list of at least one stage is needed");
    for (size_t i = 0; i < json_size(list); i++) {
        struct stage_text *text = &r->texts[s->stages_n];

        *text =
            (struct stage_text){json_at(list, i), arena_printf(s->arena, "%s[%zu]", path, i), NULL, pipeline};
        TRY(read_stage(r, text, &s->stages[s->stages_n]));
        s->stages_n++;
    }
    return 0;
}

static size_t list_size(const struct json *list)
{
    return list != NULL && json_type(list) == JSON_ARRAY ? json_size(list) : 0;
}

int read_stages(struct reader *r)
{
    struct scenario *s = r->s;
    const struct json *shared = json_get(s->tree, "stages"), *pipelines = json_get(s->tree, "pipelines");
    size_t n = list_size(shared);
    int k = 0;

    for (const struct json *p = pipelines ? json_first(pipelines) : NULL; p != NULL; p = json_next(p))
        n += list_size(json_get(p, "stages"));
    if (n > STAGES_MAX)
        return bad(r, "$", arena_printf(s->arena, "%zu stages; at most %d are allowed", n, STAGES_MAX));
    s->stages = arena_array(s->arena, n + 1, sizeof *s->stages);
    r->texts = arena_array(s->arena, n + 1, sizeof *r->texts);
    if (pipelines == NULL)
        return read_list(r, shared, "$.stages", 0);
    for (const struct json *p = json_first(pipelines); p != NULL; p = json_next(p), k++)
        TRY(read_list(r, json_get(p, "stages"), arena_printf(s->arena, "$.pipelines[%d].stages", k), k));
    return shared != NULL ? read_list(r, shared, "$.stages", -1) : 0;
}
