#include "pipeline/scenario_read.h"

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

static int read_resource(struct reader *r, const struct json *v, struct resource *out)
{
    struct scenario *s = r->s;
    const char *where = arena_printf(s->arena, "$.resources.%s", json_key(v));
    struct json *params;

    TRY(resolve_references(r, v, where, arena_printf(s->arena, "resources.%s", json_key(v)),
                           arena_printf(s->arena, "kinds.%s", json_get_string(v, "kind", ""))));
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
