#include "models/vector_db.h"

#include <math.h>

struct question {
    struct hosted *hosted;
    uint64_t key, refusals;
    event_fn *done;
    void *self;
    struct question *next_free;
};

void hosted_init(struct hosted *h, const struct vector_db_cfg *c, struct host *host)
{
    *h = (struct hosted){.c = c, .host = host, .tokens = c->burst, .filled_s = host->sim->now};
}

static bool let_pass(struct hosted *h)
{
    double now = h->host->sim->now;

    if (h->c->rate_limit <= 0)
        return true;
    h->tokens = fmin(h->c->burst, h->tokens + (now - h->filled_s) * h->c->rate_limit);
    h->filled_s = now;
    if (h->tokens < 1)
        return false;
    h->tokens -= 1;
    return true;
}

static void question_luck(const struct question *q, uint64_t purpose, struct rng *r)
{
    const struct luck *l = &q->hosted->host->luck;

    rng_keyed(r, l->seed, l->replication, l->stage, q->key, purpose);
}

/* The record is free again before the answer is known to be on its way: nothing in it is needed any more. */
static void settle(struct question *q, double after_s, uint64_t answered)
{
    struct hosted *h = q->hosted;

    sim_after(h->host->sim, after_s, q->done, q->self, answered);
    q->next_free = h->free;
    h->free = q;
}

static void try_question(struct sim *sim, void *self, uint64_t arg)
{
    struct question *q = self;
    struct hosted *h = q->hosted;
    struct rng r;

    (void)arg;
    question_luck(q, VECTOR_LUCK_HOSTED + 2 * q->refusals, &r);
    h->asked++;
    if (let_pass(h)) {
        settle(q, host_time(h->host, law_draw(&h->c->hosted, &r)), 1);
        return;
    }
    h->refused++;
    if (q->refusals >= (uint64_t)h->c->retries) {
        h->failed++;
        settle(q, 0, 0);
        return;
    }
    sim_after(sim, h->c->backoff * ldexp(0.5 + rng_uniform(&r), (int)fmin(60, (double)q->refusals)),
              try_question, q, 0);
    q->refusals++;
}

void hosted_ask(struct hosted *h, uint64_t key, event_fn *done, void *self)
{
    struct question *q = h->free;

    if (q != NULL)
        h->free = q->next_free;
    else
        q = ARENA_NEW(h->host->sim->arena, struct question);
    *q = (struct question){.hosted = h, .key = key, .done = done, .self = self};
    try_question(h->host->sim, q, 0);
}
