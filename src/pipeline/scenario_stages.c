#include "pipeline/scenario_read.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

const char *const resource_kind_names[] = {"servers", "cores", "gpus", "disk", "link", NULL};

#define T struct resource
static const struct param resource_params[] = {
    CHOICE(T, kind, "servers", resource_kind_names, "What is shared, and how"),
    INT(T, count, "1", 1, 1e7, "How many servers, cores or GPUs"),
    REAL(T, read_bw, UNIT_BYTES_PER_S, "500MB/s", 1, 1e15, "Disks: read bandwidth"),
    REAL(T, write_bw, UNIT_BYTES_PER_S, "0B/s", 0, 1e15, "Disks: write bandwidth; 0: shared with reads"),
    REAL(T, iops, UNIT_PER_S, "0", 0, 1e12, "Disks: requests started per second; 0: no limit"),
    REAL(T, latency, UNIT_S, "0s", 0, 1e6, "Disks: latency of one operation"),
    REAL(T, bandwidth, UNIT_BYTES_PER_S, "10GB/s", 1, 1e15, "Links: bytes per second"),
    REAL(T, flow_cap, UNIT_BYTES_PER_S, "0B/s", 0, 1e15,
         "Links and disks: most one flow can get; 0: no limit"),
    REAL(T, contention, UNIT_NONE, "0", 0, 10,
         "Cores: work takes 1 + contention * (busy cores - 1) times as long"),
    REAL(T, price, UNIT_USD_PER_H, "0usd/h", 0, 1e9, "Price of one"),
    PARAMS_END};
#undef T

/* ---------------------------------------------------------- resources */

static int read_resource(struct reader *r, const struct json *v, struct resource *out)
{
    struct scenario *s = r->s;
    const char *where = arena_printf(s->arena, "$.resources.%s", json_key(v));
    struct json *params;

    TRY(resolve_references(r, v, where, arena_printf(s->arena, "resources.%s", json_key(v)), NULL));
    params = json_copy(v);
    json_remove(params, "preset");
    json_remove(params, "calibration");
    if (json_get(v, "kind") == NULL) {
        json_free(params);
        return bad(r, where, "\"kind\" is missing; allowed: servers, cores, gpus, disk, link");
    }
    if (load_params(r, resource_params, params, where, out) != 0) {
        json_free(params);
        return r->err->code;
    }
    out->name = arena_strdup(s->arena, json_key(v));
    out->price *= (double)out->count;
    out->queue_limit = -1;
    if (out->contention > 0) {
        double *speeds = arena_array(s->arena, (size_t)out->count, sizeof *speeds);

        for (long i = 0; i < out->count; i++)
            speeds[i] = 1 / (1 + out->contention * (double)i);
        out->speeds = speeds;
    }
    json_free(params);
    return 0;
}

int read_resources(struct reader *r)
{
    struct scenario *s = r->s;
    const struct json *obj = json_get(s->tree, "resources");

    if (obj == NULL || json_type(obj) != JSON_OBJECT || json_size(obj) == 0)
        return bad(r, "$.resources", "an object of at least one named resource is needed");
    s->resources = arena_array(s->arena, json_size(obj), sizeof *s->resources);
    for (const struct json *v = json_first(obj); v != NULL; v = json_next(v)) {
        if (json_type(v) != JSON_OBJECT)
            return bad(r, arena_printf(s->arena, "$.resources.%s", json_key(v)), "an object is needed");
        TRY(read_resource(r, v, &s->resources[s->resources_n]));
        s->resources_n++;
    }
    return 0;
}

/* ------------------------------------------------------------- stages */

static int find_resource(const struct scenario *s, const char *name)
{
    for (int i = 0; i < s->resources_n; i++)
        if (strcmp(s->resources[i].name, name) == 0)
            return i;
    return -1;
}

static bool role_fits(enum role role, int kind)
{
    switch (role) {
    case ROLE_CPU:
        return kind == RESOURCE_CORES;
    case ROLE_GPU:
        return kind == RESOURCE_GPUS;
    case ROLE_DISK_READ:
    case ROLE_DISK_WRITE:
        return kind == RESOURCE_DISK;
    case ROLE_NET:
    case ROLE_MEM: /* a memory bus is a link: its bandwidth is shared by those who scan at the same time */
        return kind == RESOURCE_LINK;
    default:
        return kind == RESOURCE_SERVERS || kind == RESOURCE_CORES;
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
static int check_demand(struct reader *r, struct stage *st, const char *where)
{
    struct demand d = {0};
    struct item in = {.count = 1, .rows = 1, .data = r->s->workload.data}, leave = in;

    if (st->model->needs_dataset)
        return 0; /* their roles are fixed and were checked */
    if (st->shape.take > 0)
        in.count = in.rows = st->shape.take;
    st->model->demand(st->cfg, &in, NULL, &d, &leave);
    for (int i = 0; i < d.n; i++)
        if (st->on[d.phases[i].role] < 0)
            return bad(r, where,
                       arena_printf(r->s->arena, "operator \"%s\" wants %s, but \"on\" binds no \"%s\"",
                                    model_operator_name(st->model, st->cfg, d.phases[i].op),
                                    role_name(d.phases[i].role), role_name(d.phases[i].role)));
    return 0;
}

static int read_stage(struct reader *r, const struct json *v, int index, struct stage *out)
{
    static const char *const keys[] = {"name",  "model",       "on",     "params", "calls",
                                       "owner", "calibration", "preset", NULL};
    struct scenario *s = r->s;
    const char *where = arena_printf(s->arena, "$.stages[%d]", index), *name, *model;
    struct model_env env = {.data = s->workload.data, .arena = s->arena};

    TRY(check_keys(r, v, where, keys));
    name = json_get_string(v, "name", NULL);
    model = json_get_string(v, "model", NULL);
    if (name == NULL || name[0] == '\0')
        return bad(r, where, "a stage needs a \"name\"");
    if (scenario_stage(s, name) != NULL)
        return bad(r, where, arena_printf(s->arena, "the name \"%s\" is used twice", name));
    where = arena_printf(s->arena, "$.stages[%d] (\"%s\")", index, name);
    out->model = model != NULL ? model_find(model) : NULL;
    if (out->model == NULL) {
        const char *near = model != NULL ? model_nearest(model) : NULL;

        return bad(r, where,
                   arena_printf(s->arena, "no model \"%s\"%s%s%s; `foresight models` lists them",
                                model ? model : "", near ? "; did you mean \"" : "", near ? near : "",
                                near ? "\"?" : ""));
    }
    if (json_get(v, "calls") != NULL)
        return bad(r, where,
                   arena_printf(s->arena, "\"calls\": model \"%s\" calls no other stage", out->model->name));
    if (out->model->needs_dataset && s->workload.data == NULL)
        return bad(r, where,
                   arena_printf(s->arena, "model \"%s\" needs $.workload.dataset", out->model->name));
    out->name = arena_strdup(s->arena, name);
    out->owner = arena_strdup(s->arena, json_get_string(v, "owner", ""));
    out->luck = rng_hash(name);
    for (enum role k = 0; k < ROLES; k++)
        out->on[k] = -1;
    if (json_get(v, "on") != NULL && json_type(json_get(v, "on")) != JSON_OBJECT)
        return bad(r, where, "\"on\" is an object from role to resource, such as {\"cpu\": \"host\"}");
    for (const struct json *role = json_get(v, "on") ? json_first(json_get(v, "on")) : NULL; role != NULL;
         role = json_next(role))
        TRY(bind_role(r, out, role, arena_printf(s->arena, "%s.on.%s", where, json_key(role))));
    TRY(check_roles(r, out, where));
    TRY(resolve_references(r, v, where, arena_printf(s->arena, "stages.%s", name), out->model->name));
    out->cfg = arena_alloc(s->arena, out->model->cfg_size);
    env.where = arena_printf(s->arena, "$.stages[%d].params", index);
    TRY(load_params(r, out->model->params, json_get(v, "params"), env.where, out->cfg));
    if (out->model->check != NULL && out->model->check(out->cfg, &env, r->err) != 0)
        return err_at(r->err, "%s", s->file);
    out->model->shape(out->cfg, &out->shape);
    if (out->shape.queue_limit >= 0 && s->workload.kind != WORKLOAD_OPEN)
        return bad(r, arena_printf(s->arena, "%s.queue_limit", env.where),
                   "items are only lost where they come from outside: it goes with \"open\" arrivals");
    return check_demand(r, out, where);
}

int read_stages(struct reader *r)
{
    struct scenario *s = r->s;
    const struct json *list = json_get(s->tree, "stages");
    size_t n;

    if (list == NULL || json_type(list) != JSON_ARRAY || json_size(list) == 0)
        return bad(r, "$.stages", "a list of at least one stage is needed");
    n = json_size(list);
    s->stages = arena_array(s->arena, n, sizeof *s->stages);
    for (size_t i = 0; i < n; i++) {
        TRY(read_stage(r, json_at(list, i), (int)i, &s->stages[i]));
        s->stages_n++;
    }
    return 0;
}

static void limit_queues(struct scenario *s)
{
    for (int i = 0; i < s->stages_n; i++) {
        long limit = s->stages[i].shape.queue_limit;
        int on = s->stages[i].on[ROLE_SERVERS];

        if (on >= 0 && limit >= 0 &&
            (s->resources[on].queue_limit < 0 || limit < s->resources[on].queue_limit))
            s->resources[on].queue_limit = limit;
    }
}

/* -------------------------------------------------------------- edges */

enum { DEFAULT_BUFFER = 2 }; /* items between two stages that block each other */

static int stage_index(const struct scenario *s, const struct json *name)
{
    for (int i = 0; json_string(name) != NULL && i < s->stages_n; i++)
        if (strcmp(s->stages[i].name, json_string(name)) == 0)
            return i;
    return -1;
}

/* One end of an edge: the index of a stage. */
static int read_end(struct reader *r, const struct json *name, const char *where, int *out)
{
    struct scenario *s = r->s;
    const char *names[64], *near;
    char found[60];
    size_t n = 0;

    *out = stage_index(s, name);
    if (*out >= 0)
        return 0;
    for (; n < (size_t)s->stages_n && n < 64; n++)
        names[n] = s->stages[n].name;
    near = json_string(name) != NULL ? text_nearest(json_string(name), names, n) : NULL;
    return bad(r, where,
               arena_printf(s->arena, "no stage %s; %s \"%s\"", json_brief(name, found, sizeof found),
                            near ? "did you mean" : "there is", near ? near : names[0]));
}

static int read_edge(struct reader *r, const struct json *e, const char *where, int *next, double *capacity)
{
    static const char *const keys[] = {"buffer", NULL};
    int from, to;

    if (json_type(e) != JSON_ARRAY || json_size(e) < 2 || json_size(e) > 3)
        return bad(
            r, where,
            "an edge is [\"from\", \"to\"] or [\"from\", \"to\", {\"buffer\": 4}], with names of stages");
    TRY(read_end(r, json_at(e, 0), where, &from));
    TRY(read_end(r, json_at(e, 1), where, &to));
    if (next[from] >= 0)
        return bad(r, where,
                   arena_printf(r->s->arena, "a second edge leaves \"%s\"; a pipeline is a chain of stages",
                                r->s->stages[from].name));
    next[from] = to;
    if (json_size(e) == 3) {
        TRY(check_keys(r, json_at(e, 2), where, keys));
        if (json_get(json_at(e, 2), "buffer") != NULL &&
            param_read_real(json_get(json_at(e, 2), "buffer"), UNIT_NONE, 0, 1e12, where, &capacity[to],
                            r->err) != 0)
            return err_at(r->err, "%s", r->s->file);
    }
    return 0;
}

/* Puts the stages into the order of flow. */
static int order_stages(struct reader *r, const int *next)
{
    struct scenario *s = r->s;
    struct stage *ordered = arena_array(s->arena, (size_t)s->stages_n, sizeof *ordered);
    int first = -1, n = 0, at;

    for (int i = 0; i < s->stages_n; i++) {
        bool entered = false;

        for (int k = 0; k < s->stages_n; k++)
            entered = entered || next[k] == i;
        if (!entered && first >= 0)
            return bad(r, "$.edges",
                       arena_printf(s->arena,
                                    "\"%s\" and \"%s\" both have no edge coming in; a pipeline is one chain",
                                    s->stages[first].name, s->stages[i].name));
        if (!entered)
            first = i;
    }
    for (at = first; at >= 0 && n < s->stages_n; at = next[at])
        ordered[n++] = s->stages[at];
    if (at >= 0 || n != s->stages_n)
        return bad(r, "$.edges",
                   "the edges form a cycle; a pipeline is a chain from its first stage to its last");
    s->stages = ordered;
    return 0;
}

int read_edges(struct reader *r)
{
    struct scenario *s = r->s;
    const struct json *edges = json_get(s->tree, "edges");
    int *next = arena_array(s->arena, (size_t)s->stages_n, sizeof *next), i = 0;
    double *capacity = arena_array(s->arena, (size_t)s->stages_n, sizeof *capacity);

    for (int k = 0; k < s->stages_n; k++) {
        next[k] = edges == NULL && k + 1 < s->stages_n ? k + 1 : -1;
        capacity[k] = s->workload.kind == WORKLOAD_CLOSED ? DEFAULT_BUFFER : -1;
    }
    if (edges != NULL && json_type(edges) != JSON_ARRAY)
        return bad(r, "$.edges", "a list of [\"from\", \"to\"] pairs is needed");
    for (const struct json *e = edges ? json_first(edges) : NULL; e != NULL; e = json_next(e), i++)
        TRY(read_edge(r, e, arena_printf(s->arena, "$.edges[%d]", i), next, capacity));
    for (int k = 0; k < s->stages_n; k++)
        s->stages[k].in_capacity = s->stages[k].shape.workers == 0 ? -1 : capacity[k];
    TRY(order_stages(r, next));
    if (s->workload.kind == WORKLOAD_CLOSED && s->workload.in_flight == 0 && s->stages[0].shape.workers == 0)
        return bad(
            r, "$.workload.closed.in_flight",
            arena_printf(s->arena,
                         "the first stage \"%s\" takes any number of items; say how many may be in flight",
                         s->stages[0].name));
    limit_queues(s);
    return 0;
}
