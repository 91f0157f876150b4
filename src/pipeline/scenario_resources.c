#include "pipeline/scenario_read.h"

#include "models/opgraph.h"

#include <math.h>

const char *const resource_kind_names[] = {"servers", "cores", "gpus", "disk", "link", NULL};
const char *const billing_names[] = {"committed", "elastic", "owned", NULL};

#define T struct resource
const struct param resource_params[] = {
    CHOICE(T, kind, "servers", resource_kind_names, "What is shared, and how"),
    INT(T, count, "1", 1, 1e7, "How many servers, cores or GPUs; disks: striped over so many"),
    REAL(T, read_bw, UNIT_BYTES_PER_S, "500MB/s", 1, 1e15, "Disks: read bandwidth"),
    REAL(T, write_bw, UNIT_BYTES_PER_S, "0B/s", 0, 1e15, "Disks: write bandwidth; 0: shared with reads"),
    REAL(T, iops, UNIT_PER_S, "0", 0, 1e12, "Disks: requests started per second; 0: no limit"),
    REAL(T, latency, UNIT_S, "0s", 0, 1e6, "Disks: latency of one operation"),
    REAL(T, bandwidth, UNIT_BYTES_PER_S, "10GB/s", 1, 1e15, "Links: bytes per second"),
    REAL(T, flow_cap, UNIT_BYTES_PER_S, "0B/s", 0, 1e15,
         "Links and disks: most one flow can get; 0: no limit"),
    REAL(T, contention, UNIT_NONE, "0", 0, 10,
         "Cores: work takes 1 + contention * (busy cores - 1) times as long"),
    REAL(T, mem_bw, UNIT_BYTES_PER_S, "0B/s", 0, 1e15,
         "Cores: bandwidth of their memory, shared max-min by what runs on them; 0: it never limits"),
    INT(T, threads_per_core, "1", 1, 16, "Cores: hardware threads on one core, which count as one each"),
    REAL(T, smt_yield, UNIT_NONE, "1.25", 1, 16,
         "Cores: work of a core with all its hardware threads busy, against that with one"),
    REAL(T, price, UNIT_USD_PER_H, "0usd/h", 0, 1e9, "Price of one"),
    REAL(T, capacity, UNIT_BYTES, "0B", 0, 1e21, "Disks: bytes that are kept there"),
    REAL(T, tb_month_usd, UNIT_USD, "0usd", 0, 1e6, "Disks: price of a terabyte kept for a month"),
    REAL(T, read_usd, UNIT_USD, "0usd", 0, 1e6, "Disks: price of a thousand reading requests"),
    REAL(T, write_usd, UNIT_USD, "0usd", 0, 1e6, "Disks: price of a thousand writing requests"),
    REAL(T, read_tb_usd, UNIT_USD, "0usd", 0, 1e6, "Disks: price of a terabyte read"),
    REAL(T, write_tb_usd, UNIT_USD, "0usd", 0, 1e6, "Disks: price of a terabyte written"),
    CHOICE(T, billing, "committed", billing_names,
           "Paid by the hour, used or not; by the hour in use; or owned: nothing more is paid, an hour is "
           "only worth "
           "its price"),
    REAL(T, idle_w, UNIT_WATT, "0W", 0, 1e9, "Power of one that has nothing to do"),
    REAL(T, active_w, UNIT_WATT, "0W", 0, 1e9, "Power of one at work"),
    {"failures", PARAM_JSON, offsetof(T, failures_json), UNIT_NONE, NULL, 0, 0, NULL,
     "Servers, GPUs: {mtbf, repair} of each"},
    {"maintenance", PARAM_JSON, offsetof(T, maintenance_json), UNIT_NONE, NULL, 0, 0, NULL,
     "Servers, GPUs: {every, lasts, first, servers}"},
    {"autoscale", PARAM_JSON, offsetof(T, autoscale_json), UNIT_NONE, NULL, 0, 0, NULL,
     "Servers, GPUs: {period, delay, target, min, max}"},
    PARAMS_END};
#undef T

#define T struct failures
static const struct param failures_params[] = {
    LAW(T, mtbf, UNIT_S, "720h", 1e-9, 1e12, "Time that one works before it fails"),
    LAW(T, repair, UNIT_S, "1h", 0, 1e12, "Time until it works again"), PARAMS_END};
#undef T

#define T struct maintenance
static const struct param maintenance_params[] = {
    REAL(T, every, UNIT_S, "168h", 1e-6, 1e12, "From the beginning of one to that of the next"),
    REAL(T, lasts, UNIT_S, "1h", 0, 1e12, "How long it lasts"),
    REAL(T, first, UNIT_S, "0s", 0, 1e12, "When the first begins"),
    INT(T, servers, "1", 1, 1e7, "How many are away"), PARAMS_END};
#undef T

#define T struct autoscale
static const struct param autoscale_params[] = {
    REAL(T, period, UNIT_S, "60s", 1e-6, 1e9, "Between two decisions"),
    REAL(T, delay, UNIT_S, "60s", 0, 1e9, "From the order until a new one serves"),
    REAL(T, target, UNIT_FRAC, "0.7", 0.01, 1, "Utilization it aims at"),
    INT(T, min, "1", 1, 1e7, "At least so many"),
    INT(T, max, "1000", 1, 1e7, "At most so many"),
    {"schedule", PARAM_JSON, offsetof(T, schedule_json), UNIT_NONE, NULL, 0, 0, NULL,
     "How many in each period, over and over, in the place of a target"},
    PARAMS_END};
#undef T

bool resource_changes(const struct resource *r)
{
    return r->failures != NULL || r->maintenance != NULL || r->autoscale != NULL;
}

static void *read_part(const struct reader *r, const struct json *v, const struct param *table,
                             size_t size, const char *where, const char *key, int *rc)
{
    void *part;

    if (v == NULL || *rc != 0)
        return NULL;
    part = arena_alloc(r->s->arena, size);
    *rc = load_params(r, table, v, arena_printf(r->s->arena, "%s.%s", where, key), part);
    return part;
}

/* So many in each period; the first is the count it begins with. */
static int read_schedule(const struct reader *r, const char *where, long count, struct autoscale *scale)
{
    const struct json *list = scale->schedule_json;
    long *servers;

    scale->schedule_json = NULL;
    if (list == NULL)
        return 0;
    where = arena_printf(r->s->arena, "%s.autoscale.schedule", where);
    if (json_type(list) != JSON_ARRAY || json_size(list) == 0)
        return bad(r, where, "a list of how many servers there are in each period is needed, as in [8, 3]");
    servers = arena_array(r->s->arena, json_size(list), sizeof *servers);
    JSON_EACH (v, list) {
        double n = json_number(v);

        if (!(n >= (double)scale->min && n <= (double)scale->max) || n != floor(n))
            return bad(r, where,
                       arena_printf(r->s->arena, "[%ld] must be a whole number from min %ld to max %ld",
                                    scale->schedule_n, scale->min, scale->max));
        servers[scale->schedule_n++] = (long)n;
    }
    if (servers[0] != count)
        return bad(r, where,
                   arena_printf(r->s->arena, "it begins with %ld, and \"count\" says %ld", servers[0], count));
    scale->schedule = servers;
    return 0;
}

/* How the number of servers changes; the count is what there is at the beginning, and at most. */
static int read_supply(const struct reader *r, const char *where, struct resource *out)
{
    struct autoscale *scale;
    int rc = 0;

    out->failures =
        read_part(r, out->failures_json, failures_params, sizeof *out->failures, where, "failures", &rc);
    out->maintenance = read_part(r, out->maintenance_json, maintenance_params, sizeof *out->maintenance,
                                 where, "maintenance", &rc);
    out->autoscale = scale =
        read_part(r, out->autoscale_json, autoscale_params, sizeof *scale, where, "autoscale", &rc);
    TRY(rc);
    if (scale == NULL && out->failures == NULL && out->maintenance == NULL)
        return 0;
    if (out->kind != RESOURCE_SERVERS && out->kind != RESOURCE_GPUS)
        return bad(r, where,
                   "\"failures\", \"maintenance\" and \"autoscale\" go with the kinds servers and gpus");
    if (scale != NULL && (scale->min > out->count || out->count > scale->max))
        return bad(r, arena_printf(r->s->arena, "%s.autoscale", where),
                   arena_printf(r->s->arena,
                                "\"count\" is where it begins: %ld does not lie between min %ld and max %ld",
                                out->count, scale->min, scale->max));
    if (scale != NULL)
        TRY(read_schedule(r, where, out->count, scale));
    if (out->maintenance != NULL && out->maintenance->lasts >= out->maintenance->every)
        return bad(r, arena_printf(r->s->arena, "%s.maintenance", where),
                   "it must end before it begins again");
    return 0;
}

/* Of one core while 1, 2, .. are busy: hardware threads share a core, all share caches and memory. */
static const double *speeds_of(struct arena *a, const struct resource *r)
{
    double *speeds = arena_array(a, (size_t)r->count, sizeof *speeds);

    for (long i = 0; i < r->count; i++) {
        double busy = (double)(i + 1);

        speeds[i] = smt_capacity(busy, (double)r->count, (double)r->threads_per_core, r->smt_yield) / busy /
                    (1 + r->contention * (double)i);
    }
    return speeds;
}

/* Stripes go over all of them; one request stays with one. */
static void stripe(struct resource *r)
{
    double n = (double)r->count;

    if (r->kind != RESOURCE_DISK || r->count == 1)
        return;
    if (r->flow_cap == 0)
        r->flow_cap = r->read_bw;
    r->read_bw *= n;
    r->write_bw *= n;
    r->iops *= n;
}

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
    if (read_supply(r, where, out) != 0) {
        json_free(params);
        return r->err->code;
    }
    if (out->mem_bw > 0 && out->kind != RESOURCE_CORES) {
        json_free(params);
        return bad(r, arena_printf(s->arena, "%s.mem_bw", where), "only cores have a memory bus of their own");
    }
    out->failures_json = out->maintenance_json = out->autoscale_json = NULL;
    out->has_billing = json_get(v, "billing") != NULL;
    out->price *= (double)out->count;
    stripe(out);
    out->queue_limit = -1;
    if (out->contention > 0 || out->threads_per_core > 1)
        out->speeds = speeds_of(s->arena, out);
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
