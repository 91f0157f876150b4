#include "pipeline/scenario.h"

#include "base/text.h"
#include "pipeline/edit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const resource_kind_names[] = {"servers", "cores", "gpus", "disk", "link", NULL};

/* Everything that reading needs to know; `where` texts are JSON paths behind the file's name. */
struct reader {
    struct scenario *s;
    const struct scenario_options *opt;
    struct err *err;
};

#define T struct resource
static const struct param resource_params[] = {
    CHOICE(T, kind, "servers", resource_kind_names, "What is shared, and how"),
    INT(T, count, "1", 1, 1e7, "How many servers, cores or GPUs"),
    REAL(T, read_bw, UNIT_BYTES_PER_S, "500MB/s", 1, 1e15, "Disks: read bandwidth"),
    REAL(T, write_bw, UNIT_BYTES_PER_S, "0B/s", 0, 1e15, "Disks: write bandwidth; 0: shared with reads"),
    REAL(T, iops, UNIT_PER_S, "0", 0, 1e12, "Disks: requests started per second; 0: no limit"),
    REAL(T, latency, UNIT_S, "0s", 0, 1e6, "Disks: latency of one operation"),
    REAL(T, bandwidth, UNIT_BYTES_PER_S, "10GB/s", 1, 1e15, "Links: bytes per second"),
    REAL(T, flow_cap, UNIT_BYTES_PER_S, "0B/s", 0, 1e15, "Links and disks: most one flow can get; 0: no limit"),
    REAL(T, contention, UNIT_NONE, "0", 0, 10, "Cores: work takes 1 + contention * (busy cores - 1) times as long"),
    REAL(T, price, UNIT_USD_PER_H, "0usd/h", 0, 1e9, "Price of one"),
    PARAMS_END};
#undef T

static int bad(const struct reader *r, const char *where, const char *what)
{
    return err_set(r->err, ERR_SCENARIO, "%s: %s: %s", r->s->file, where, what);
}

/* Unknown keys are errors that suggest the nearest known one. */
static int check_keys(const struct reader *r, const struct json *obj, const char *where, const char *const *keys)
{
    size_t n = 0;

    while (keys[n] != NULL)
        n++;
    if (json_type(obj) != JSON_OBJECT)
        return err_set(r->err, ERR_SCENARIO, "%s: %s: %s found; an object is needed", r->s->file, where,
                       json_type_name(json_type(obj)));
    JSON_EACH(c, obj)
    {
        const char *near;
        size_t i = 0;

        while (i < n && strcmp(keys[i], json_key(c)) != 0)
            i++;
        if (i < n)
            continue;
        near = text_nearest(json_key(c), keys, n);
        if (near != NULL)
            return err_set(r->err, ERR_SCENARIO, "%s: %s: unknown key \"%s\"; did you mean \"%s\"?", r->s->file, where,
                           json_key(c), near);
        return err_set(r->err, ERR_SCENARIO, "%s: %s: unknown key \"%s\"; known keys: %s, %s, %s ...", r->s->file, where,
                       json_key(c), keys[0], keys[1], n > 2 ? keys[2] : "");
    }
    return 0;
}

/* A parameter table's errors name the JSON path; this puts the file in front. */
static int load_params(const struct reader *r, const struct param *table, const struct json *obj, const char *where,
                       void *cfg)
{
    if (param_load(table, obj, where, r->s->arena, cfg, r->err) != 0)
        return err_at(r->err, "%s", r->s->file);
    return 0;
}

static void warn(struct scenario *s, const char *path, const char *text)
{
    struct warning *grown = arena_array(s->arena, (size_t)s->warnings_n + 1, sizeof *grown);

    if (s->warnings_n > 0)
        memcpy(grown, s->warnings, (size_t)s->warnings_n * sizeof *grown);
    grown[s->warnings_n++] = (struct warning){path, text};
    s->warnings = grown;
}

static void append_name(struct scenario *s, const char ***list, int *n, const char *name)
{
    const char **grown;

    for (int i = 0; i < *n; i++)
        if (strcmp((*list)[i], name) == 0)
            return;
    grown = arena_array(s->arena, (size_t)*n + 1, sizeof *grown);
    if (*n > 0)
        memcpy(grown, *list, (size_t)*n * sizeof *grown);
    grown[(*n)++] = arena_strdup(s->arena, name);
    *list = grown;
}

/* ------------------------------------------- calibrations and presets */

/* Fixed, per-item and per-byte cost of one operator are one uncertain thing: ...costs.hash. */
static const char *uncertain_name(const struct reader *r, const char *path)
{
    char *name = arena_strdup(r->s->arena, path), *dot = strrchr(name, '.');

    if (dot != NULL && strstr(name, ".costs.") != NULL)
        *dot = '\0';
    return name;
}

/*
 * The k-th draw of a parameter: lognormal around the estimate, so that a cost stays positive.  The terms of one
 * operator's cost share their z: fits know their sum better than each of them.
 */
static double drawn_value(const struct reader *r, const struct param_row *row)
{
    const char *name;
    struct rng rng;
    double z = 0;

    if (!(row->stderr_ > 0) || row->value <= 0)
        return row->value;
    name = uncertain_name(r, row->path);
    append_name(r->s, &r->s->uncertain, &r->s->uncertain_n, name);
    if (r->opt->parameter_draw > 0) {
        rng_keyed(&rng, r->s->seed, r->opt->parameter_draw, rng_hash("calibration"), rng_hash(name), 0);
        z = rng_normal(&rng);
    }
    if (r->opt->bump != NULL && strcmp(r->opt->bump, name) == 0)
        z += 1;
    return row->value * exp(z * fmin(row->stderr_ / row->value, 1));
}

/* Applies the rows that speak of `owner` ("stages.prep" or "models.preprocess"); counts them. */
static int apply_rows(const struct reader *r, const struct param_row *rows, size_t n, const char *owner,
                      const char *target, int *applied)
{
    size_t len = strlen(owner);

    for (size_t i = 0; i < n; i++) {
        const char *path;

        if (strncmp(rows[i].path, owner, len) != 0 || rows[i].path[len] != '.')
            continue;
        path = arena_printf(r->s->arena, "%s%s", target, rows[i].path + len);
        if (edit_set(r->s->tree, path, json_new_number(drawn_value(r, &rows[i])), r->err) != 0)
            return err_at(r->err, "%s: calibrated parameter", r->s->file);
        ++*applied;
    }
    return 0;
}

typedef int lookup_fn(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                      struct err *err);

/* `found` is the number of rows the reference provided; 0 when there is none of that name. */
static int apply_reference(const struct reader *r, lookup_fn *lookup, const char *name, const char *target,
                           const char *model, int *applied)
{
    struct param_row *rows = NULL;
    size_t n = 0;

    *applied = 0;
    if (lookup == NULL)
        return 0;
    TRY(lookup(r->opt->resolver->ctx, name, r->s->arena, &rows, &n, r->err));
    TRY(apply_rows(r, rows, n, target, target, applied));
    if (model != NULL)
        TRY(apply_rows(r, rows, n, arena_printf(r->s->arena, "models.%s", model), target, applied));
    return 0;
}

/* Resolves "preset" first and "calibration" over it, for one stage or resource. */
static int resolve(const struct reader *r, const struct json *obj, const char *where, const char *target,
                   const char *model)
{
    const struct resolver *res = r->opt != NULL ? r->opt->resolver : NULL;
    const char *preset = json_get_string(obj, "preset", NULL), *cal = json_get_string(obj, "calibration", NULL);
    int from_preset = 0, from_cal = 0;

    if (preset != NULL) {
        TRY(apply_reference(r, res ? res->preset : NULL, preset, target, model, &from_preset));
        if (from_preset == 0)
            return bad(r, where, arena_printf(r->s->arena, "no preset \"%s\" says anything about it", preset));
    }
    if (cal != NULL)
        TRY(apply_reference(r, res ? res->calibration : NULL, cal, target, model, &from_cal));
    if (from_cal > 0)
        append_name(r->s, &r->s->calibrations, &r->s->calibrations_n, cal);
    else if (from_preset > 0)
        append_name(r->s, &r->s->calibrations, &r->s->calibrations_n, arena_printf(r->s->arena, "preset:%s", preset));
    if (cal != NULL && from_cal == 0) {
        append_name(r->s, &r->s->assumed, &r->s->assumed_n, where);
        warn(r->s, where,
             arena_printf(r->s->arena,
                          "calibration \"%s\" is not in the store; %s used. To measure this machine: "
                          "foresight exec --profile SCENARIO, then foresight fit SCENARIO",
                          cal, from_preset > 0 ? "the preset is" : "defaults are"));
    }
    return 0;
}

/* ------------------------------------------------------- the sections */

static int read_resource(struct reader *r, const struct json *v, struct resource *out)
{
    struct scenario *s = r->s;
    const char *where = arena_printf(s->arena, "$.resources.%s", json_key(v));
    struct json *params;

    TRY(resolve(r, v, where, arena_printf(s->arena, "resources.%s", json_key(v)), NULL));
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

static int read_resources(struct reader *r)
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
                   arena_printf(s->arena, "no resource \"%s\"; %s \"%s\"", name ? name : json_type_name(json_type(v)),
                                near ? "did you mean" : "there is", near ? near : names[0]));
    }
    for (enum role k = 0; k < ROLES; k++) {
        if (strcmp(role_name(k), role) != 0)
            continue;
        known = true;
        if (!role_fits(k, s->resources[res].kind))
            return bad(r, where,
                       arena_printf(s->arena, "\"%s\" is a resource of kind %s, which cannot serve as %s", name,
                                    resource_kind_names[s->resources[res].kind], role));
        st->on[k] = res;
    }
    if (!known)
        return bad(r, where, "unknown role; allowed: cpu, gpu, disk, net, servers");
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
                       arena_printf(r->s->arena, "model \"%s\" needs \"on\": {\"%s\": a resource}", st->model->name,
                                    st->model->roles[i]));
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
    static const char *const keys[] = {"name", "model", "on", "params", "calls", "owner", "calibration", "preset", NULL};
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
                   arena_printf(s->arena, "no model \"%s\"%s%s%s; `foresight models` lists them", model ? model : "",
                                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : ""));
    }
    if (json_get(v, "calls") != NULL)
        return bad(r, where, arena_printf(s->arena, "\"calls\": model \"%s\" calls no other stage", out->model->name));
    if (out->model->needs_dataset && s->workload.data == NULL)
        return bad(r, where, arena_printf(s->arena, "model \"%s\" needs $.workload.dataset", out->model->name));
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
    TRY(resolve(r, v, where, arena_printf(s->arena, "stages.%s", name), out->model->name));
    out->cfg = arena_alloc(s->arena, out->model->cfg_size);
    env.where = arena_printf(s->arena, "$.stages[%d].params", index);
    TRY(load_params(r, out->model->params, json_get(v, "params"), env.where, out->cfg));
    if (out->model->check != NULL && out->model->check(out->cfg, &env, r->err) != 0)
        return err_at(r->err, "%s", s->file);
    out->model->shape(out->cfg, &out->shape);
    return check_demand(r, out, where);
}

static int read_stages(struct reader *r)
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

        if (on >= 0 && limit >= 0 && (s->resources[on].queue_limit < 0 || limit < s->resources[on].queue_limit))
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

static int read_edge(struct reader *r, const struct json *e, const char *where, int *next, double *capacity)
{
    static const char *const keys[] = {"buffer", NULL};
    int from = json_type(e) == JSON_ARRAY ? stage_index(r->s, json_at(e, 0)) : -1;
    int to = json_type(e) == JSON_ARRAY && json_size(e) >= 2 ? stage_index(r->s, json_at(e, 1)) : -1;

    if (from < 0 || to < 0 || json_size(e) > 3)
        return bad(r, where, "an edge is [\"from\", \"to\"] or [\"from\", \"to\", {\"buffer\": 4}], with names of stages");
    if (next[from] >= 0)
        return bad(r, where, arena_printf(r->s->arena, "a second edge leaves \"%s\"; a pipeline is a chain of stages",
                                          r->s->stages[from].name));
    next[from] = to;
    if (json_size(e) == 3) {
        TRY(check_keys(r, json_at(e, 2), where, keys));
        if (json_get(json_at(e, 2), "buffer") != NULL &&
            param_read_real(json_get(json_at(e, 2), "buffer"), UNIT_NONE, 0, 1e12, where, &capacity[to], r->err) != 0)
            return err_at(r->err, "%s", r->s->file);
    }
    return 0;
}

/* Puts the stages into the order of flow. */
static int order_stages(struct reader *r, const int *next)
{
    struct scenario *s = r->s;
    struct stage *ordered = arena_array(s->arena, (size_t)s->stages_n, sizeof *ordered);
    int first = -1, n = 0;

    for (int i = 0; i < s->stages_n; i++) {
        bool entered = false;

        for (int k = 0; k < s->stages_n; k++)
            entered = entered || next[k] == i;
        if (!entered && first >= 0)
            return bad(r, "$.edges",
                       arena_printf(s->arena, "\"%s\" and \"%s\" both have no edge coming in; a pipeline is one chain",
                                    s->stages[first].name, s->stages[i].name));
        if (!entered)
            first = i;
    }
    for (int i = first; i >= 0 && n < s->stages_n; i = next[i])
        ordered[n++] = s->stages[i];
    if (first < 0 || n != s->stages_n)
        return bad(r, "$.edges", "the edges form a cycle; a pipeline is a chain from its first stage to its last");
    s->stages = ordered;
    return 0;
}

static int read_edges(struct reader *r)
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
    if (s->workload.kind == WORKLOAD_CLOSED && s->workload.in_flight == 0 && s->stages[0].shape.workers == 0)
        return bad(r, "$.workload.closed.in_flight",
                   arena_printf(s->arena, "the first stage \"%s\" takes any number of items; say how many may be in flight",
                                s->stages[0].name));
    for (int k = 0; k < s->stages_n; k++)
        s->stages[k].in_capacity = s->stages[k].shape.workers == 0 ? -1 : capacity[k];
    return order_stages(r, next);
}

/* ------------------------------------------------- workload, horizon */

static int read_quantity(struct reader *r, const struct json *v, enum unit unit, double min, double max,
                         const char *where, double *out)
{
    if (param_read_real(v, unit, min, max, where, out, r->err) != 0)
        return err_at(r->err, "%s", r->s->file);
    return 0;
}

static int read_law(struct reader *r, const struct json *v, enum unit unit, const char *where, struct law *out)
{
    if (law_read(v, unit, where, r->s->arena, out, r->err) != 0)
        return err_at(r->err, "%s", r->s->file);
    return 0;
}

static int read_open(struct reader *r, const struct json *v)
{
    static const char *const keys[] = {"arrivals", NULL};

    TRY(check_keys(r, v, "$.workload.open", keys));
    if (json_get(v, "arrivals") == NULL)
        return bad(r, "$.workload.open", "\"arrivals\" is missing: the time between arrivals, such as {\"exponential\": \"10ms\"}");
    TRY(read_law(r, json_get(v, "arrivals"), UNIT_S, "$.workload.open.arrivals", &r->s->workload.arrivals));
    if (!(r->s->workload.arrivals.mean > 0))
        return bad(r, "$.workload.open.arrivals", "the mean time between arrivals must be above 0");
    r->s->workload.kind = WORKLOAD_OPEN;
    return 0;
}

static int read_closed(struct reader *r, const struct json *v)
{
    static const char *const keys[] = {"in_flight", NULL};
    const struct json *n;

    TRY(check_keys(r, v, "$.workload.closed", keys));
    n = json_get(v, "in_flight");
    r->s->workload.kind = WORKLOAD_CLOSED;
    if (n == NULL || (json_string(n) != NULL && strcmp(json_string(n), "max") == 0))
        return 0;
    return read_quantity(r, n, UNIT_NONE, 1, 1e12, "$.workload.closed.in_flight", &r->s->workload.in_flight);
}

static int read_clients(struct reader *r, const struct json *v)
{
    static const char *const keys[] = {"count", "think", NULL};
    double count = 1;

    TRY(check_keys(r, v, "$.workload.clients", keys));
    if (json_get(v, "count") != NULL)
        TRY(read_quantity(r, json_get(v, "count"), UNIT_NONE, 1, 1e7, "$.workload.clients.count", &count));
    r->s->workload.kind = WORKLOAD_CLIENTS;
    r->s->workload.clients = (long)count;
    r->s->workload.think = law_constant(0);
    if (json_get(v, "think") != NULL)
        TRY(read_law(r, json_get(v, "think"), UNIT_S, "$.workload.clients.think", &r->s->workload.think));
    return 0;
}

static int read_workload(struct reader *r)
{
    static const char *const keys[] = {"open", "closed", "clients", "dataset", NULL};
    struct scenario *s = r->s;
    const struct json *w = json_get(s->tree, "workload"), *data;
    int kinds = 0;

    if (w == NULL)
        return bad(r, "$.workload", "missing; write {\"open\": {\"arrivals\": ..}}, {\"closed\": {\"in_flight\": \"max\"}} or "
                                    "{\"clients\": {\"count\": ..}}");
    TRY(check_keys(r, w, "$.workload", keys));
    for (int i = 0; i < 3; i++)
        kinds += json_get(w, keys[i]) != NULL;
    if (kinds != 1)
        return bad(r, "$.workload", "exactly one of \"open\", \"closed\" and \"clients\" is needed");
    if (json_get(w, "open") != NULL)
        TRY(read_open(r, json_get(w, "open")));
    if (json_get(w, "closed") != NULL)
        TRY(read_closed(r, json_get(w, "closed")));
    if (json_get(w, "clients") != NULL)
        TRY(read_clients(r, json_get(w, "clients")));
    data = json_get(w, "dataset");
    if (data == NULL)
        return 0;
    s->workload.data = arena_alloc(s->arena, sizeof *s->workload.data);
    TRY(load_params(r, dataset_params, data, "$.workload.dataset", s->workload.data));
    if (dataset_check(s->workload.data, "$.workload.dataset", r->err) != 0)
        return err_at(r->err, "%s", s->file);
    if (s->workload.kind != WORKLOAD_CLOSED)
        return bad(r, "$.workload.dataset", "a data set is read as fast as it can be: it goes with \"closed\"");
    return 0;
}

static int read_horizon(struct reader *r)
{
    static const char *const keys[] = {"items", "terminating", NULL};
    struct scenario *s = r->s;
    const struct json *h = json_get(s->tree, "horizon");
    const struct dataset_cfg *d = s->workload.data;

    s->horizon.kind = HORIZON_STEADY;
    if (h != NULL && json_type(h) == JSON_OBJECT) {
        TRY(check_keys(r, h, "$.horizon", keys));
        if (json_size(h) != 1)
            return bad(r, "$.horizon", "either \"items\" or \"terminating\" is needed");
        s->horizon.kind = json_get(h, "items") != NULL ? HORIZON_ITEMS : HORIZON_TIME;
        if (s->horizon.kind == HORIZON_ITEMS)
            TRY(read_quantity(r, json_get(h, "items"), UNIT_NONE, 1, 1e15, "$.horizon.items", &s->horizon.items));
        else
            TRY(read_quantity(r, json_get(h, "terminating"), UNIT_S, 1e-9, 1e12, "$.horizon.terminating",
                              &s->horizon.time_s));
    } else if (h != NULL && (json_string(h) == NULL || strcmp(json_string(h), "steady") != 0)) {
        return bad(r, "$.horizon", "allowed: \"steady\", {\"items\": 300}, {\"terminating\": \"8h\"}");
    }
    if (d == NULL)
        return 0;
    if (h == NULL) {
        s->horizon.kind = HORIZON_ITEMS;
        s->horizon.items = (double)(d->rows * d->epochs);
    }
    if (s->horizon.kind != HORIZON_ITEMS || s->horizon.items != (double)(d->rows * d->epochs))
        return bad(r, "$.horizon",
                   arena_printf(s->arena, "with a data set it is {\"items\": rows * epochs}, here %ld", d->rows * d->epochs));
    return 0;
}

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

/* -------------------------------------------------------------- whole */

static int read_all(struct reader *r)
{
    static const char *const keys[] = {"$schema",   "name",      "unit",        "seed",   "description",   "horizon",
                                       "workload",  "resources", "stages",      "edges",  "optimizations", "knobs",
                                       "objective", "constraints", "slo",       "exec",   NULL};
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
    limit_queues(r->s);
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

int scenario_load(const char *path, const struct scenario_options *opt, struct scenario **out, struct err *err)
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
