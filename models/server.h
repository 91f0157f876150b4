/*
 * server.h - models with state: LLM engines, prompt loops, batching servers, schedulers.
 *
 * Most models say what one item wants and the pipeline floor does the rest.  A
 * server decides for itself, one event at a time: which items it batches, whom it
 * asks for help, when an item leaves.  The pipeline floor opens one state per
 * stage and replication and hands every item over as a visit:
 *
 *     arrive(state, visit)  ... host_use(), host_call(), sim_after() ...  host_leave(host, visit)
 *
 * A visit belongs to the model from arrive() until host_leave() or host_lose().
 * State lives in host->sim->arena and goes with the run.  Randomness comes from
 * rng_keyed() with the item's key, so that the same item has the same luck in
 * every variant of a scenario.
 *
 * Calls.  A stage that calls another waits for the answer; several calls may be
 * out at once.  The callee works on an item of its own (the caller gives each a
 * key of its own, or they share their luck), but on the caller's request: what it
 * found out (tokens made, first-token time, evidence, cost) is written there.
 * Whoever waits holds no server; space it took it keeps.
 *
 * arrive() and returned functions are called from the calendar, at the time at
 * which it happened, never from inside host_leave(), host_call() or host_use().
 * A callee that loses the visit answers with request->failed set.
 */
#ifndef MODELS_SERVER_H
#define MODELS_SERVER_H

#include "engine/sim.h"
#include "models/model.h"

/* A request of the serving side; item.request points to it.  Owned by the source, or by the caller's visit.
 */
struct request {
    uint64_t id, session; /* session 0: none */
    int class;            /* kind of request: index into the workload's classes */
    int turn, round;      /* of its session; of its prompt loop */
    long input_tokens, output_tokens;
    const uint64_t *blocks; /* hashes of the prompt's prefix blocks, in order; NULL: nothing to reuse */
    long blocks_n, block_tokens; /* for bounds: -1 blocks, nobody knows which */
    long passages;     /* retrieved, in the prompt */
    int hops;          /* pieces of evidence the question needs; 0: none */
    int evidence;      /* of these, found so far */
    double difficulty; /* latent, uniform in (0, 1): of two questions the harder one fails first */
    double recall;     /* of the index that answered last */
    double quality;    /* of the answer, in the pipeline's unit; NAN until somebody knows */
    double usd;        /* paid per use so far: hosted models and indexes, tools */
    double queue_s, ttft_s, tpot_s; /* as its user sees them; NAN until known */
    double deadline_s;              /* absolute; INFINITY: none */
    bool failed;                    /* gave up: a tool that failed, a time-out */
};

/* One item at one stage, from coming to leaving. */
struct visit {
    struct item it;
    double arrived_s;
    void *own; /* the model's, for as long as the visit lasts */
};

struct host;

enum { CALLEES_MAX = 8 };

/* A call has come back: `it` is the item as it left the callee, valid until the function returns. */
typedef void returned_fn(void *self, uint64_t arg, const struct item *it);
typedef uint64_t call_id; /* 0 is no call */

/* What the pipeline floor offers; call it through the functions below. */
struct host_ops {
    void (*use)(struct host *h, enum role role, int op, double amount, double requests, event_fn *done,
                void *self, uint64_t arg);
    bool (*seize)(struct host *h, enum role role, event_fn *granted, void *self, uint64_t arg);
    void (*release)(struct host *h, enum role role);
    call_id (*call)(struct host *h, int callee, const struct item *it, returned_fn *done, void *self,
                    uint64_t arg);
    void (*cancel)(struct host *h, call_id call);
    void (*leave)(struct host *h, struct visit *v);
    void (*lose)(struct host *h, struct visit *v);
};

struct host {
    struct sim *sim;
    const struct host_ops *ops;
    const char *name;             /* of the stage */
    struct luck luck;             /* whose draws these are */
    double *op_s;                 /* seconds of work by operator, for models that seize: add to it */
    long count[ROLES];            /* servers, cores or GPUs bound to the role; 0: unbound */
    bool is_shared[ROLES];        /* another stage uses the same resource: hold it no longer than one step */
    bool has_callee[CALLEES_MAX]; /* by callee role: whether the scenario binds it */
    bool instant; /* asked what others gain: this stage's own work takes no time (host_use() sees to that) */
    double spared; /* asked what a faster stage would gain: this share of its work's time falls away */
};

struct figure {       /* something only this model knows: "kv_used_frac", "prefix_hit_frac" */
    const char *name; /* static text, with the unit as its ending */
    double value;
};

struct server_call {
    int callee;
    double times;
    double
        in_turn; /* of these, how many delay the item one after the other, at least; the rest may overlap */
    struct item it; /* its request is copied too: `request` below */
    struct request request;
};

struct server {
    void *(*open)(const void *cfg, struct host *h);
    void (*arrive)(void *state, struct visit *v);
    /* Cancelled from above: true when the visit is out and given back (the model does not use it again, and
       has cancelled the calls it made for it); NULL or false: it runs to its end and nobody hears of it. */
    bool (*withdraw)(void *state, struct visit *v);
    /* What an infinitely fast stage would have done to the visit, for local gains; NULL: nothing. */
    void (*pass)(void *state, struct visit *v);
    void (*begin_measuring)(void *state); /* the end of warm-up; NULL: nothing to forget */
    int (*report)(const void *state, struct figure *out, int room); /* returns how many; NULL: none */
    void (*assert_laws)(const void *state); /* blocks, tokens and visits are conserved; NULL */
    /* How often one item calls, at least, and with what: for the bound.  Returns how many rows. */
    int (*calls)(const void *cfg, const struct item *in, struct server_call *out, int room);
    const char *const *callees; /* the keys of a stage's `calls`, NULL-terminated; NULL: calls nobody */
    unsigned required;          /* bit i: callee i must be bound */
    unsigned (*needs)(const void *cfg); /* the same where the settings decide; NULL: `required` says it all */
};

/* Work on the resource bound to `role`; it queues or shares there, and `done` is called back in order. */
static inline void host_use(struct host *h, enum role role, int op, double amount, double requests,
                            event_fn *done, void *self, uint64_t arg)
{
    h->ops->use(h, role, op, amount, requests, done, self, arg);
}

/* How long work takes that a model times itself; host_use() has seen to its own. */
static inline double host_time(const struct host *h, double seconds)
{
    return h->instant ? 0 : seconds * (1 - h->spared);
}

/* Takes one server or GPU for as long as the model likes; true when at once, else `granted` is called.  Cores
 * bound to ROLE_GPU or ROLE_SERVERS of a model with state are taken like servers, not shared in time. */
static inline bool host_seize(struct host *h, enum role role, event_fn *granted, void *self, uint64_t arg)
{
    return h->ops->seize(h, role, granted, self, arg);
}

static inline void host_release(struct host *h, enum role role)
{
    h->ops->release(h, role);
}

static inline call_id host_call(struct host *h, int callee, const struct item *it, returned_fn *done,
                                void *self, uint64_t arg)
{
    return h->ops->call(h, callee, it, done, self, arg);
}

/* Nobody waits for the answer any more; `done` is not called, calls made on its behalf are cancelled too. */
static inline void host_cancel(struct host *h, call_id call)
{
    h->ops->cancel(h, call);
}

static inline void host_leave(struct host *h, struct visit *v)
{
    h->ops->leave(h, v);
}

static inline void host_lose(struct host *h, struct visit *v)
{
    h->ops->lose(h, v);
}

#endif
