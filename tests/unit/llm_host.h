/*
 * llm_host.h - drives the LLM engine without a pipeline: requests come at given times, and what became of
 * each is written down.
 */
#ifndef TESTS_LLM_HOST_H
#define TESTS_LLM_HOST_H

#include "models/llm_engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct llm_test_request {
    double at_s;
    long input, output;
    const uint64_t *blocks;
    long blocks_n, block_tokens;
    int class;
    double left_s; /* out */
    bool lost;
    struct request r;
    struct visit v;
};

struct llm_test_host {
    struct host host;
    double op_s[3];
    const struct server *server;
    void *state;
    struct llm_test_request *requests;
    long n, left, seized;
};

static inline void test_leave(struct host *h, struct visit *v)
{
    struct llm_test_host *t = (struct llm_test_host *)h;
    struct llm_test_request *q =
        (struct llm_test_request *)((char *)v - offsetof(struct llm_test_request, v));

    q->left_s = h->sim->now;
    t->left++;
}

static inline void test_lose(struct host *h, struct visit *v)
{
    ((struct llm_test_request *)((char *)v - offsetof(struct llm_test_request, v)))->lost = true;
    test_leave(h, v);
}

static inline bool test_seize(struct host *h, enum role role, event_fn *granted, void *self, uint64_t arg)
{
    (void)role, (void)granted, (void)self, (void)arg;
    ((struct llm_test_host *)h)->seized++;
    return true;
}

static inline void test_release(struct host *h, enum role role)
{
    (void)role;
    ((struct llm_test_host *)h)->seized--;
}

static inline void test_arrives(struct sim *sim, void *self, uint64_t i)
{
    struct llm_test_host *t = self;
    struct llm_test_request *q = &t->requests[i];

    q->v.arrived_s = sim->now;
    t->server->arrive(t->state, &q->v);
    if ((long)i + 1 < t->n)
        sim_at(sim, fmax(sim->now, q[1].at_s), PRIO_NORMAL, test_arrives, self, i + 1);
}

static inline void llm_test_serve(struct llm_test_host *t, const struct server *server, const void *cfg,
                                  struct llm_test_request *requests, long n, long gpus)
{
    static const struct host_ops ops = {
        .seize = test_seize, .release = test_release, .leave = test_leave, .lose = test_lose};

    *t = (struct llm_test_host){.server = server, .requests = requests, .n = n};
    t->host = (struct host){.sim = sim_new(1, 0), .ops = &ops, .name = "llm", .op_s = t->op_s};
    t->host.count[ROLE_GPU] = gpus;
    t->state = server->open(cfg, &t->host);
    for (long i = 0; i < n; i++) {
        struct llm_test_request *q = &requests[i];

        q->r = (struct request){.id = (uint64_t)i,
                                .input_tokens = q->input,
                                .output_tokens = q->output,
                                .class = q->class,
                                .blocks = q->blocks,
                                .blocks_n = q->blocks_n,
                                .block_tokens = q->block_tokens,
                                .queue_s = NAN,
                                .ttft_s = NAN,
                                .tpot_s = NAN};
        q->v = (struct visit){.it = {.key = (uint64_t)i, .count = 1, .request = &q->r}};
    }
}

static inline void llm_test_open(struct llm_test_host *t, const void *cfg, struct llm_test_request *requests,
                                 long n, long gpus)
{
    llm_test_serve(t, &llm_server, cfg, requests, n, gpus);
}

/* Requests in the order of their times; runs until all have left, and holds the engine to its laws. */
static inline void llm_test_run(struct llm_test_host *t)
{
    if (t->n > 0)
        sim_at(t->host.sim, t->requests[0].at_s, PRIO_NORMAL, test_arrives, t, 0);
    sim_run(t->host.sim, INFINITY);
    t->server->assert_laws(t->state);
}

static inline double llm_test_figure(const struct llm_test_host *t, const char *name)
{
    struct figure f[32];
    int n = t->server->report(t->state, f, 32);

    for (int i = 0; i < n; i++)
        if (strcmp(f[i].name, name) == 0)
            return f[i].value;
    return NAN;
}

static inline void llm_test_close(struct llm_test_host *t)
{
    sim_free(t->host.sim);
}

#endif
