/*
 * tiny_host.h - just enough of a pipeline to drive one model with state: resources, callees, Poisson
 * arrivals.
 *
 * A callee answers after `answer_s` (or never: INFINITY) and may change the request by `answer`.
 */
#ifndef TESTS_TINY_HOST_H
#define TESTS_TINY_HOST_H

#include "base/json.h"
#include "engine/cores.h"
#include "engine/link.h"
#include "engine/station.h"
#include "models/server.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tiny;
typedef void tiny_answer(struct tiny *t, int callee, const struct item *it);

struct tiny {
    struct host host; /* first: the model's pointer is ours */
    const struct model *model;
    void *cfg, *state;
    struct arena *arena; /* of the configuration */
    struct cores *cores;
    struct station *station[ROLES];
    struct link *link[ROLES];
    double answer_s[8];
    tiny_answer *answer;
    void *ctx;
    long calls[8], cancelled[8], out; /* out: calls that are not back */
    double op_s[16];
    struct tally time_s, quality; /* of those who left */
    double longest_s, rate, spread_s;
    long to_come, left, lost, failed;
    uint64_t next_key;
    int hops;
    struct request *last; /* the request that left last */
};

struct tiny_visit {
    struct visit v; /* first */
    struct request request;
};

struct tiny_call {
    struct tiny *owner;
    int callee;
    struct item it;
    returned_fn *done;
    void *self;
    uint64_t arg;
    bool is_out;
};

static inline void tiny_use(struct host *h, enum role role, int op, double amount, double requests,
                            event_fn *done, void *self, uint64_t arg)
{
    struct tiny *t = (struct tiny *)h;

    (void)requests;
    if (role == ROLE_CPU) {
        t->op_s[op] += amount;
        cores_use(t->cores, amount, done, self, arg);
    } else if (t->link[role] != NULL)
        link_send(t->link[role], amount, done, self, arg);
    else {
        t->op_s[op] += amount;
        cr_assert(station_enter(t->station[role], amount, done, self, arg));
    }
}

static inline bool tiny_seize(struct host *h, enum role role, event_fn *granted, void *self, uint64_t arg)
{
    cr_assert(station_seize(((struct tiny *)h)->station[role], granted, self, arg));
    return false;
}

static inline void tiny_release(struct host *h, enum role role)
{
    station_leave(((struct tiny *)h)->station[role]);
}

static inline void tiny_called(struct sim *sim, void *self, uint64_t arg)
{
    struct tiny_call *c = self;

    (void)sim;
    (void)arg;
    if (!c->is_out)
        return;
    c->is_out = false;
    c->owner->out--;
    if (c->owner->answer != NULL)
        c->owner->answer(c->owner, c->callee, &c->it);
    c->done(c->self, c->arg, &c->it);
}

static inline call_id tiny_call(struct host *h, int callee, const struct item *it, returned_fn *done,
                                void *self, uint64_t arg)
{
    struct tiny *t = (struct tiny *)h;
    struct tiny_call *c = ARENA_NEW(h->sim->arena, struct tiny_call);

    *c = (struct tiny_call){t, callee, *it, done, self, arg, true};
    t->calls[callee]++;
    t->out++;
    if (isfinite(t->answer_s[callee]))
        sim_after(h->sim, t->answer_s[callee], tiny_called, c, 0);
    return (call_id)(uintptr_t)c;
}

static inline void tiny_cancel(struct host *h, call_id id)
{
    struct tiny_call *c = (struct tiny_call *)(uintptr_t)id;

    (void)h;
    if (!c->is_out)
        return;
    c->is_out = false;
    c->owner->out--;
    c->owner->cancelled[c->callee]++;
}

static inline void tiny_leave(struct host *h, struct visit *v)
{
    struct tiny *t = (struct tiny *)h;
    const struct request *r = v->it.request;

    tally_add(&t->time_s, h->sim->now - v->arrived_s);
    if (!isnan(r->quality))
        tally_add(&t->quality, r->quality);
    t->failed += r->failed;
    t->left++;
    t->last = v->it.request;
}

static inline void tiny_lose(struct host *h, struct visit *v)
{
    (void)v;
    ((struct tiny *)h)->lost++;
}

static const struct host_ops tiny_ops = {tiny_use,    tiny_seize, tiny_release, tiny_call,
                                         tiny_cancel, tiny_leave, tiny_lose};

static inline void tiny_begin(struct tiny *t, const char *model, const char *params, uint64_t seed)
{
    struct model_env env = {.where = "$.params"};
    struct json *tree;
    struct err err = {0};

    memset(t, 0, sizeof *t);
    t->arena = arena_new();
    t->model = model_find(model);
    cr_assert_not_null(t->model);
    t->cfg = arena_alloc(t->arena, t->model->cfg_size);
    env.arena = t->arena;
    cr_assert_eq(json_parse(params, "params", &tree, &err), 0, "%s", err.text);
    cr_assert_eq(param_load(t->model->params, tree, "$.params", t->arena, t->cfg, &err), 0, "%s", err.text);
    if (t->model->check != NULL)
        cr_assert_eq(t->model->check(t->cfg, &env, &err), 0, "%s", err.text);
    json_free(tree);
    t->host.sim = sim_new(seed, 0);
    t->host.ops = &tiny_ops;
    t->host.name = model;
    t->host.op_s = t->op_s;
    t->host.luck = (struct luck){.seed = seed, .stage = rng_hash(model)};
}

/* Resources first, then the model is opened. */
static inline void tiny_cores(struct tiny *t, long count)
{
    t->cores = cores_new(t->host.sim, "cores", count, NULL);
    t->host.count[ROLE_CPU] = count;
}

static inline void tiny_servers(struct tiny *t, enum role role, long count)
{
    t->station[role] = station_new(t->host.sim, "servers", count, -1);
    t->host.count[role] = count;
}

static inline void tiny_link(struct tiny *t, enum role role, double bytes_per_s)
{
    t->link[role] = link_new(t->host.sim, "link", bytes_per_s, 0);
    t->host.count[role] = 1;
}

static inline void tiny_callee(struct tiny *t, int callee, double answer_s)
{
    t->host.has_callee[callee] = true;
    t->answer_s[callee] = answer_s;
}

static inline void tiny_open(struct tiny *t)
{
    t->state = t->model->server->open(t->cfg, &t->host);
}

static inline struct tiny_visit *tiny_send(struct tiny *t)
{
    struct tiny_visit *v = ARENA_NEW(t->host.sim->arena, struct tiny_visit);
    struct rng r;

    rng_keyed(&r, t->host.luck.seed, 0, 1, t->next_key, 2);
    v->request = (struct request){.id = t->next_key,
                                  .hops = t->hops,
                                  .difficulty = rng_uniform(&r),
                                  .recall = NAN,
                                  .quality = NAN,
                                  .queue_s = NAN,
                                  .ttft_s = NAN,
                                  .tpot_s = NAN,
                                  .deadline_s = INFINITY};
    v->v.it = (struct item){
        .key = t->next_key * 0x9e3779b97f4a7c15ULL, .count = 1, .rows = 1, .request = &v->request};
    v->v.arrived_s = t->host.sim->now;
    t->next_key++;
    t->model->server->arrive(t->state, &v->v);
    return v;
}

static inline void tiny_next(struct sim *sim, void *self, uint64_t arg)
{
    struct tiny *t = self;
    struct rng r;

    (void)arg;
    if (t->to_come-- <= 0)
        return;
    rng_keyed(&r, t->host.luck.seed, 0, 1, t->next_key, 1);
    sim_after(sim, rng_exponential(&r) / t->rate, tiny_next, t, 0);
    tiny_send(t);
}

/* n Poisson arrivals, until all have left; laws are checked on the way. */
static inline void tiny_run(struct tiny *t, long n, double rate)
{
    t->to_come = n;
    t->rate = rate;
    tiny_next(t->host.sim, t, 0);
    while (!sim_idle(t->host.sim)) {
        sim_run(t->host.sim, t->host.sim->now + 100 / rate);
        t->model->server->assert_laws(t->state);
    }
    cr_assert_eq(t->left + t->lost, n, "%ld of %ld are out", t->left + t->lost, n);
}

static inline double tiny_figure(const struct tiny *t, const char *name)
{
    struct figure f[16];
    int n = t->model->server->report(t->state, f, 16);

    for (int i = 0; i < n; i++)
        if (strcmp(f[i].name, name) == 0)
            return f[i].value;
    cr_assert_fail("no figure \"%s\"", name);
    return NAN;
}

static inline void tiny_end(struct tiny *t)
{
    sim_free(t->host.sim);
    arena_free(t->arena);
}

/* The mean over `reps` independent runs of fixed length lies within 4 standard errors of theory. */
static inline void tiny_expect(const struct tally *means, double theory, double slack, const char *what)
{
    double se = sqrt(tally_variance(means) / (double)means->n);

    cr_expect(fabs(means->mean - theory) <= 4 * se + slack * theory, "%s: %g +- %g, theory %g", what,
              means->mean, se, theory);
}

#endif
