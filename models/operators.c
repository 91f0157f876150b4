/*
 * operators.c - a chain of operators with workers, batches and prefetch.
 *
 * A worker gathers `batch` units (or takes the item as it comes when batch is
 * 0) and runs the operators in order.  An operator wants, per unit or once per
 * batch, seconds of a core (cpu) and meanwhile bytes of its memory bus
 * (mem_bytes, which count where the cores have a mem_bw), seconds of a GPU (gpu),
 * bytes of a disk (disk_bytes, one request each) or of a link (net_bytes).  Laws
 * are drawn per unit.
 */
#include "base/text.h"
#include "models/model.h"

#include <math.h>
#include <string.h>

struct operator
{
    const char *name;
    bool per_batch;
    struct law cpu, mem_bytes, gpu, disk_bytes, net_bytes;
};

struct operators_cfg {
    long workers, prefetch, batch;
    bool in_order;
    const struct json *ops;
    const struct operator* list; /* built by check() */
    int n;
};

#define T struct operators_cfg
static const struct param params[] = {
    INT(T, workers, "1", 1, 1e6, "Items worked on at a time"),
    INT(T, prefetch, "-1", -1, 1e6,
        "Batches per worker that may be in work or waiting for the next stage; -1: as many as the buffer "
        "holds"),
    INT(T, batch, "0", 0, 1e9, "Units gathered into one batch; 0 takes items as they come"),
    BOOL(T, in_order, "false", "Batches leave in the order in which they were taken"),
    JSONV(T, ops, "List of {name, cpu, mem_bytes, gpu, disk_bytes, net_bytes, per_batch}, run in this order"),
    PARAMS_END};
#undef T

#define T struct operator
static const struct param op_params[] = {
    LAW(T, cpu, UNIT_S, "0s", 0, 1e9, "Seconds of one core"),
    LAW(T, mem_bytes, UNIT_BYTES, "0B", 0, 1e18, "Bytes moved over the cores' memory bus meanwhile"),
    LAW(T, gpu, UNIT_S, "0s", 0, 1e9, "Seconds of one GPU"),
    LAW(T, disk_bytes, UNIT_BYTES, "0B", 0, 1e18, "Bytes read from the disk, in one request"),
    LAW(T, net_bytes, UNIT_BYTES, "0B", 0, 1e18, "Bytes sent over the link"),
    BOOL(T, per_batch, "false", "Once per batch instead of once per unit"),
    PARAMS_END};
#undef T

static const char *const roles[] = {NULL}; /* which are needed follows from the operators */

static int read_operator(struct operator* op, const struct json *v, const char *where, struct arena *a,
                         struct err *err)
{
    struct json *rest;
    int rc;

    if (json_type(v) != JSON_OBJECT || json_get_string(v, "name", NULL) == NULL)
        return err_set(
            err, ERR_SCENARIO,
            "%s: an operator is an object with a name, such as {\"name\": \"decode\", \"cpu\": \"1ms\"}",
            where);
    rest = json_copy(v); /* laws keep no pointers into the tree */
    json_remove(rest, "name");
    rc = param_load(op_params, rest, where, a, op, err);
    json_free(rest);
    op->name = arena_strdup(a, json_get_string(v, "name", ""));
    return rc;
}

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct operators_cfg *c = cfg;
    struct operator* list;
    int i = 0;

    if (c->prefetch == 0)
        return err_set(err, ERR_SCENARIO,
                       "%s.prefetch: 0 lets no worker begin; 1 or more, or -1 for no such limit", env->where);
    if (c->ops == NULL || json_type(c->ops) != JSON_ARRAY || json_size(c->ops) == 0)
        return err_set(err, ERR_SCENARIO, "%s.ops: a list of at least one operator is needed", env->where);
    if (json_size(c->ops) > DEMAND_MAX / 4)
        return err_set(err, ERR_SCENARIO, "%s.ops: %zu operators; at most %d are allowed in one stage",
                       env->where, json_size(c->ops), DEMAND_MAX / 4);
    list = arena_array(env->arena, json_size(c->ops), sizeof *list);
    JSON_EACH (v, c->ops) {
        const char *where = arena_printf(env->arena, "%s.ops[%d]", env->where, i);

        TRY(read_operator(&list[i++], v, where, env->arena, err));
    }
    c->list = list;
    c->n = i;
    return 0;
}

static void shape(const void *cfg, struct shape *out)
{
    const struct operators_cfg *c = cfg;

    *out = (struct shape){.workers = c->workers,
                          .take = (double)c->batch,
                          .prefetch = c->prefetch,
                          .in_order = c->in_order,
                          .queue_limit = -1};
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct operators_cfg *c = cfg;

    (void)leave;
    for (int i = 0; i < c->n; i++) {
        const struct operator* op = & c->list[i];
        long n = op->per_batch ? 1 : (long)fmax(1, round(in->count));
        uint64_t purpose = 4 * (uint64_t)i;
        double disk = luck_law_sum(&op->disk_bytes, n, in, luck, purpose);

        demand_add(out, ROLE_DISK_READ, i, disk, disk > 0 ? (double)n : 0);
        demand_add(out, ROLE_NET, i, luck_law_sum(&op->net_bytes, n, in, luck, purpose + 1), 0);
        /* One luck for both: what computes longer moves more. */
        demand_add_memory(out, i, luck_law_sum(&op->cpu, n, in, luck, purpose + 2),
                          luck_law_sum(&op->mem_bytes, n, in, luck, purpose + 2));
        demand_add(out, ROLE_GPU, i, luck_law_sum(&op->gpu, n, in, luck, purpose + 3), 0);
    }
}

static const char *operator_name(const void *cfg, int op)
{
    return ((const struct operators_cfg *)cfg)->list[op].name;
}

static int operators(const void *cfg)
{
    return ((const struct operators_cfg *)cfg)->n;
}

const struct model operators_model = {
    .name = "operators",
    .title = "Chain of operators",
    .about = "Workers run a chain of operators on cores, GPUs, disks and links, per unit or per batch.",
    .cfg_size = sizeof(struct operators_cfg),
    .params = params,
    .roles = roles,
    .check = check,
    .shape = shape,
    .demand = demand,
    .operator_name = operator_name,
    .operators = operators,
};
