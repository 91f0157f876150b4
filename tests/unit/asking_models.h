/*
 * Two models with state that only tests know, beside `station` and `operators`: linked in the place of
 * models/registry.c.
 *
 *   asker   works `own` on its servers, if it has some; then `times` rounds: in each it asks "first" `width`
 *           times at once and "second" once (with `together`: at the same time), waits for `wait_for` of
 *           them, and cancels the rest
 *   clerk   takes a server for `service`, first come first served, and lets go of whoever is withdrawn;
 *           writes into the request what can be checked: ttft 1 ms a prompt token, tpot 1 ms an output token,
 *           quality its difficulty, 1 cent; counts prompt blocks that it saw before
 */
#ifndef ASKING_MODELS_H
#define ASKING_MODELS_H

#include "models/server.h"

#include <math.h>
#include <string.h>

extern const struct model station_model, operators_model;

/* ------------------------------------------------------------------------------------------ asker */

enum { ASKED_MOST = 16 };

struct asker_cfg {
    long times, width, wait_for;
    bool together;
    struct law own;
};

#define T struct asker_cfg
static const struct param asker_params[] = {
    INT(T, times, "1", 0, 1000, "Rounds"),
    INT(T, width, "1", 0, ASKED_MOST - 1, "Calls to first a round"),
    INT(T, wait_for, "0", 0, ASKED_MOST, "Answers to wait for; 0: all"),
    BOOL(T, together, "false", "First and second at the same time"),
    LAW(T, own, UNIT_S, "0s", 0, 1e9, "Work of its own"),
    PARAMS_END};
#undef T

struct asker {
    const struct asker_cfg *cfg;
    struct host *host;
    struct question *free;
    uint64_t present;
};

struct question {
    struct asker *asker;
    struct visit *v;
    long round, out, heard;
    bool second_due;
    call_id call[ASKED_MOST];
    struct question *next;
};

static void *asker_open(const void *cfg, struct host *h)
{
    struct asker *a = ARENA_NEW(h->sim->arena, struct asker);

    *a = (struct asker){.cfg = cfg, .host = h};
    return a;
}

static void asker_round(struct question *q);

static void asker_next(struct question *q)
{
    struct asker *a = q->asker;
    struct visit *v = q->v;

    if (q->round < a->cfg->times) {
        q->round++;
        asker_round(q);
        return;
    }
    q->next = a->free;
    a->free = q;
    a->present--;
    host_leave(a->host, v);
}

static void asker_answered(void *self, uint64_t slot, const struct item *it)
{
    struct question *q = self;
    long wait_for = q->asker->cfg->wait_for;

    (void)it;
    q->call[slot] = 0;
    q->heard++;
    if (--q->out > 0 && (wait_for == 0 || q->heard < wait_for))
        return;
    for (int i = 0; i < ASKED_MOST; i++)
        if (q->call[i] != 0) {
            host_cancel(q->asker->host, q->call[i]);
            q->call[i] = 0;
        }
    if (q->second_due) {
        struct item ask = q->v->it;

        q->second_due = false;
        q->out = 1;
        q->heard = 0;
        ask.key = q->v->it.key + 7919 * (uint64_t)q->round + 1;
        q->call[0] = host_call(q->asker->host, 1, &ask, asker_answered, q, 0);
        return;
    }
    asker_next(q);
}

static void asker_ask(struct question *q, int callee, int slot)
{
    struct item ask = q->v->it;
    struct rng r;

    rng_keyed(&r, 0, 0, q->v->it.key, (uint64_t)q->round, (uint64_t)slot);
    ask.key = rng_next(&r);
    q->out++;
    q->call[slot] = host_call(q->asker->host, callee, &ask, asker_answered, q, (uint64_t)slot);
}

static void asker_round(struct question *q)
{
    const struct asker *a = q->asker;
    bool second = a->host->has_callee[1];

    q->out = q->heard = 0;
    q->second_due = second && !a->cfg->together && a->cfg->width > 0;
    for (int i = 0; i < a->cfg->width; i++)
        asker_ask(q, 0, i);
    if (second && !q->second_due)
        asker_ask(q, 1, ASKED_MOST - 1);
}

static void asker_worked(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)arg;
    asker_next(self);
}

static void asker_arrive(void *state, struct visit *v)
{
    struct asker *a = state;
    struct question *q = a->free;

    if (q != NULL)
        a->free = q->next;
    else
        q = ARENA_NEW(a->host->sim->arena, struct question);
    *q = (struct question){.asker = a, .v = v};
    v->own = q;
    a->present++;
    if (a->host->count[ROLE_SERVERS] > 0)
        host_use(a->host, ROLE_SERVERS, 0, luck_law(&a->cfg->own, &v->it, &a->host->luck, 0), 0, asker_worked,
                 q, 0);
    else
        asker_next(q);
}

/* Only while it waits for answers: work that has begun is done to its end. */
static bool asker_withdraw(void *state, struct visit *v)
{
    struct asker *a = state;
    struct question *q = v->own;

    if (q->round == 0)
        return false;
    for (int i = 0; i < ASKED_MOST; i++)
        if (q->call[i] != 0)
            host_cancel(a->host, q->call[i]);
    q->next = a->free;
    a->free = q;
    a->present--;
    return true;
}

static int asker_calls(const void *cfg, const struct item *in, struct server_call *out, int room)
{
    const struct asker_cfg *c = cfg;
    double times = (double)c->times;
    long heard =
        c->wait_for > 0 ? c->wait_for - c->together : c->width; /* at least; the rest may cost nothing */
    int n = 0;

    if (room >= 2 && c->width > 0)
        out[n++] = (struct server_call){
            0, times * (double)(heard < c->width ? heard : c->width), c->wait_for > 0 ? 0 : times, *in, {0}};
    if (room >= 2)
        out[n++] = (struct server_call){
            1, c->wait_for > 0 && c->together ? 0 : times, c->together ? 0 : times, *in, {0}};
    return n;
}

static int asker_report(const void *state, struct figure *out, int room)
{
    if (room < 1)
        return 0;
    out[0] = (struct figure){"present", (double)((const struct asker *)state)->present};
    return 1;
}

static void asker_best(const void *cfg, const struct item *in, struct demand *out, struct item *leave)
{
    (void)in;
    (void)leave;
    demand_add(out, ROLE_SERVERS, 0, ((const struct asker_cfg *)cfg)->own.mean, 0);
}

static const char *const asker_callees[] = {"first", "second", NULL};
static const struct server asker_server = {.open = asker_open,
                                           .arrive = asker_arrive,
                                           .withdraw = asker_withdraw,
                                           .report = asker_report,
                                           .calls = asker_calls,
                                           .callees = asker_callees,
                                           .required = 1};
static const char *const no_roles[] = {NULL};
static const struct op_info one_op[] = {{"work", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                        {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static const struct model asker_model = {.name = "asker",
                                         .title = "Asker",
                                         .about = "Asks other stages.",
                                         .cfg_size = sizeof(struct asker_cfg),
                                         .params = asker_params,
                                         .roles = no_roles,
                                         .ops = one_op,
                                         .best_demand = asker_best,
                                         .server = &asker_server};

/* ------------------------------------------------------------------------------------------ clerk */

struct clerk_cfg {
    struct law service;
    double lose; /* share of the visits that fail */
};

#define T struct clerk_cfg
static const struct param clerk_params[] = {LAW(T, service, UNIT_S, "1s", 0, 1e9, "Holds a server"),
                                            REAL(T, lose, UNIT_FRAC, "0", 0, 1, "Share that fails"),
                                            PARAMS_END};
#undef T

struct clerk_job {
    struct clerk *clerk;
    struct visit *v; /* NULL: withdrawn while it waited for its server */
    event_id end;
    struct clerk_job *next;
};

struct clerk {
    const struct clerk_cfg *cfg;
    struct host *host;
    struct clerk_job *free;
    long working, withdrawn;
    double blocks, known_blocks;
    uint64_t seen[1 << 18];
};

static void *clerk_open(const void *cfg, struct host *h)
{
    struct clerk *c = ARENA_NEW(h->sim->arena, struct clerk);

    *c = (struct clerk){.cfg = cfg, .host = h};
    return c;
}

static void clerk_forget(struct clerk *c, struct clerk_job *j)
{
    j->next = c->free;
    c->free = j;
}

static bool clerk_knows(struct clerk *c, uint64_t block)
{
    size_t n = sizeof c->seen / sizeof *c->seen, i = block % n;

    while (c->seen[i] != 0 && c->seen[i] != block)
        i = (i + 1) % n;
    if (c->seen[i] == block)
        return true;
    c->seen[i] = block;
    return false;
}

static void clerk_writes(struct clerk *c, struct visit *v)
{
    struct request *r = v->it.request;

    if (r == NULL)
        return;
    r->queue_s = 0.001;
    r->ttft_s = 0.001 * (double)r->input_tokens;
    r->tpot_s = 0.001 * (double)r->output_tokens;
    r->quality = r->difficulty;
    r->usd += 0.01;
    for (long i = 0; i < r->blocks_n && c->blocks < 50000; i++) {
        c->known_blocks += clerk_knows(c, r->blocks[i]);
        c->blocks++;
    }
}

static void clerk_done(struct sim *sim, void *self, uint64_t arg)
{
    struct clerk_job *j = self;
    struct clerk *c = j->clerk;
    struct visit *v = j->v;
    struct law whether = {.kind = LAW_UNIFORM, .mean = 0.5, .lo = 0, .hi = 1};

    (void)sim;
    (void)arg;
    c->working--;
    clerk_forget(c, j);
    host_release(c->host, ROLE_SERVERS);
    clerk_writes(c, v);
    if (c->cfg->lose > 0 && luck_law(&whether, &v->it, &c->host->luck, 1) < c->cfg->lose)
        host_lose(c->host, v);
    else
        host_leave(c->host, v);
}

static void clerk_granted(struct sim *sim, void *self, uint64_t arg)
{
    struct clerk_job *j = self;
    struct clerk *c = j->clerk;
    double service;

    (void)arg;
    if (j->v == NULL) {
        clerk_forget(c, j);
        host_release(c->host, ROLE_SERVERS);
        return;
    }
    service = luck_law(&c->cfg->service, &j->v->it, &c->host->luck, 0);
    c->working++;
    c->host->op_s[0] += service;
    j->end = sim_after(sim, service, clerk_done, j, 0);
}

static void clerk_arrive(void *state, struct visit *v)
{
    struct clerk *c = state;
    struct clerk_job *j = c->free;

    if (j != NULL)
        c->free = j->next;
    else
        j = ARENA_NEW(c->host->sim->arena, struct clerk_job);
    *j = (struct clerk_job){.clerk = c, .v = v};
    v->own = j;
    if (host_seize(c->host, ROLE_SERVERS, clerk_granted, j, 0))
        clerk_granted(c->host->sim, j, 0);
}

static bool clerk_withdraw(void *state, struct visit *v)
{
    struct clerk *c = state;
    struct clerk_job *j = v->own;

    c->withdrawn++;
    if (j->end == 0) {
        j->v = NULL;
        return true;
    }
    sim_cancel(c->host->sim, j->end);
    c->working--;
    clerk_forget(c, j);
    host_release(c->host, ROLE_SERVERS);
    return true;
}

static void clerk_assert_laws(const void *state)
{
    const struct clerk *c = state;

    ASSERT(c->working >= 0 && c->working <= c->host->count[ROLE_SERVERS]);
}

static int clerk_report(const void *state, struct figure *out, int room)
{
    const struct clerk *c = state;

    if (room < 2)
        return 0;
    out[0] = (struct figure){"withdrawn", (double)c->withdrawn};
    out[1] = (struct figure){"known_frac", c->blocks > 0 ? c->known_blocks / c->blocks : NAN};
    return 2;
}

static void clerk_best(const void *cfg, const struct item *in, struct demand *out, struct item *leave)
{
    (void)in;
    (void)leave;
    demand_add(out, ROLE_SERVERS, 0, ((const struct clerk_cfg *)cfg)->service.mean, 0);
}

static const struct server clerk_server = {.open = clerk_open,
                                           .arrive = clerk_arrive,
                                           .withdraw = clerk_withdraw,
                                           .report = clerk_report,
                                           .assert_laws = clerk_assert_laws};
static const char *const clerk_roles[] = {"servers", NULL};
static const struct model clerk_model = {.name = "clerk",
                                         .title = "Clerk",
                                         .about = "Holds a server.",
                                         .cfg_size = sizeof(struct clerk_cfg),
                                         .params = clerk_params,
                                         .roles = clerk_roles,
                                         .ops = one_op,
                                         .best_demand = clerk_best,
                                         .server = &clerk_server};

/* --------------------------------------------------------------------------------------- registry */

const struct model *const models[] = {&station_model, &operators_model, &asker_model, &clerk_model, NULL};

const struct model *model_find(const char *name)
{
    for (size_t i = 0; models[i] != NULL; i++)
        if (strcmp(models[i]->name, name) == 0)
            return models[i];
    return NULL;
}

const char *model_nearest(const char *name)
{
    (void)name;
    return NULL;
}

#endif
