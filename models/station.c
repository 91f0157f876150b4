/*
 * station.c - a queue with servers: the one-stage model everyone can use without writing C.
 *
 * An item asks for `service` seconds of one server of the resource bound to
 * `servers`.  With c equal servers and exponential laws this is M/M/c.
 * Items wait first-come first-served; beyond `queue_limit` waiting they are lost.
 */
#include "models/fits.h"
#include "models/model.h"

struct station_cfg {
    struct law service;
    long queue_limit;
};

#define T struct station_cfg
static const struct param params[] = {
    LAW(T, service, UNIT_S, "1ms", 0, 1e9, "Time one item holds one server"),
    INT(T, queue_limit, "-1", -1, 1e12, "Items that may wait; more are lost; -1 means no limit"), PARAMS_END};
#undef T

static const char *const roles[] = {"servers", NULL};
static const struct op_info ops[] = {{"service", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static void shape(const void *cfg, struct shape *out)
{
    const struct station_cfg *c = cfg;

    *out = (struct shape){.workers = 0, .prefetch = -1, .queue_limit = c->queue_limit};
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct station_cfg *c = cfg;

    (void)leave;
    demand_add(out, ROLE_SERVERS, 0, luck_law(&c->service, in, luck, 0), 0);
}

const struct model station_model = {
    .name = "station",
    .title = "Queue with servers",
    .about = "Items wait for one of several equal servers and hold it for a random time.",
    .cfg_size = sizeof(struct station_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .shape = shape,
    .demand = demand,
    .fits = station_fits,
};
