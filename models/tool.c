/*
 * tool.c - a tool that an agent calls: it is slow, limited, and fails now and then.
 *
 * One attempt holds one of the "servers" for a draw of `latency`, then, where a
 * "backend" is bound among the calls, asks that stage and waits for its answer
 * (without holding the server).  An attempt fails by chance, or when it takes
 * longer than `timeout`: then what it had asked for is cancelled.  After a
 * failure it waits
 *
 *     backoff x 2^(failures - 1) x uniform(0.5, 1.5)
 *
 * and tries again, `retries` times at most; then the request is marked failed
 * and goes back to the caller, who decides what that means.
 *
 * The limit on concurrency is the number of servers, a resource of the scenario of that kind (cores are
 * shared in time and limit nothing). The tokens of the result are added to the request's input_tokens.
 */
#include "models/server.h"

#include <math.h>

struct tool_cfg {
    struct law latency, result_tokens;
    double fail_frac, timeout, backoff, usd;
    long retries;
};

#define T struct tool_cfg
static const struct param params[] = {
    LAW(T, latency, UNIT_S, "100ms", 0, 1e6, "Time one attempt holds a server"),
    LAW(T, result_tokens, UNIT_NONE, "0", 0, 1e8, "Tokens the result adds to the caller's context"),
    REAL(T, fail_frac, UNIT_FRAC, "0", 0, 1, "Share of attempts that fail by themselves"),
    REAL(T, timeout, UNIT_S, "0s", 0, 1e6, "Longest attempt, waiting for a server included; 0: no limit"),
    INT(T, retries, "2", 0, 1000, "Attempts after the first"),
    REAL(T, backoff, UNIT_S, "0.5s", 0, 1e5, "First wait before another attempt; doubles each time"),
    REAL(T, usd, UNIT_USD, "0usd", 0, 1e6, "Price of one attempt"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"servers", NULL};
static const struct op_info ops[] = {{"attempt", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

enum { CALL_BACKEND };
static const char *const callees[] = {"backend", NULL};
enum { LUCK_LATENCY = 1, LUCK_FAILURE, LUCK_BACKOFF, LUCK_RESULT, LUCKS = 8 };

struct tool {
    const struct tool_cfg *c;
    struct host *host;
    struct use *free;
    uint64_t arrived, left, attempts, failures, timeouts, given_up;
    long holding;
};

enum use_state { USE_QUEUED, USE_HOLDING, USE_CALLING, USE_BACKING_OFF, USE_ABANDONED };

struct use {
    struct tool *owner;
    struct visit *visit;
    enum use_state state;
    uint64_t failures;
    double until_s;       /* when it would give its server back */
    event_id alarm, next; /* the time-out; the end of service or back-off */
    call_id call;
    struct use *next_free;
};

static void attempt(struct use *u);

static void luck_of(const struct use *u, uint64_t purpose, struct rng *r)
{
    const struct luck *l = &u->owner->host->luck;

    rng_keyed(r, l->seed, l->replication, l->stage, u->visit->it.key, purpose + LUCKS * u->failures);
}

static void use_free(struct use *u)
{
    u->next_free = u->owner->free;
    u->owner->free = u;
}

static void let_go(struct use *u)
{
    u->owner->holding--;
    host_release(u->owner->host, ROLE_SERVERS);
}

/* Stops whatever the attempt is doing.  Whoever waits for a server cannot leave the queue: the use stays
 * behind, abandoned, and gives the server back when it gets it. */
static bool stop(struct use *u)
{
    struct tool *t = u->owner;

    if (u->alarm != 0)
        sim_cancel(t->host->sim, u->alarm);
    if (u->next != 0)
        sim_cancel(t->host->sim, u->next);
    u->alarm = u->next = 0;
    if (u->state == USE_HOLDING) {
        t->host->op_s[0] -= u->until_s - t->host->sim->now; /* the server does not do what is left */
        let_go(u);
    }
    if (u->state == USE_CALLING)
        host_cancel(t->host, u->call);
    if (u->state != USE_QUEUED)
        return true;
    u->state = USE_ABANDONED;
    return false;
}

static void leave(struct use *u, bool failed)
{
    struct tool *t = u->owner;
    struct request *r = u->visit->it.request;

    if (r != NULL) {
        r->failed = r->failed || failed;
        r->input_tokens += lround(luck_law(&t->c->result_tokens, &u->visit->it, &t->host->luck, LUCK_RESULT));
    }
    t->left++;
    host_leave(t->host, u->visit);
}

static void try_again(struct sim *sim, void *self, uint64_t arg)
{
    struct use *u = self;

    (void)sim;
    (void)arg;
    u->next = 0;
    attempt(u);
}

static void fail(struct use *u)
{
    struct tool *t = u->owner;
    double wait;
    struct rng r;

    t->failures++;
    if (u->failures >= (uint64_t)t->c->retries) {
        t->given_up++;
        leave(u, true);
        use_free(u);
        return;
    }
    luck_of(u, LUCK_BACKOFF, &r);
    wait = t->c->backoff * ldexp(0.5 + rng_uniform(&r), (int)fmin(60, (double)u->failures));
    u->failures++;
    u->state = USE_BACKING_OFF;
    u->next = sim_after(t->host->sim, wait, try_again, u, 0);
}

/* The visit goes on in a new record when the old one must wait in the queue for a server nobody wants. */
static struct use *successor(struct use *u)
{
    struct tool *t = u->owner;
    struct use *n = t->free;

    if (n != NULL)
        t->free = n->next_free;
    else
        n = ARENA_NEW(t->host->sim->arena, struct use);
    *n = (struct use){.owner = t, .visit = u->visit, .failures = u->failures};
    u->visit->own = n;
    return n;
}

static void timed_out(struct sim *sim, void *self, uint64_t arg)
{
    struct use *u = self;

    (void)sim;
    (void)arg;
    u->alarm = 0;
    u->owner->timeouts++;
    fail(stop(u) ? u : successor(u));
}

static void finish(struct use *u)
{
    struct tool *t = u->owner;
    struct rng r;

    if (u->alarm != 0)
        sim_cancel(t->host->sim, u->alarm);
    u->alarm = 0;
    luck_of(u, LUCK_FAILURE, &r);
    if (rng_uniform(&r) < t->c->fail_frac) {
        fail(u);
        return;
    }
    leave(u, false);
    use_free(u);
}

static void backend_done(void *self, uint64_t arg, const struct item *it)
{
    struct use *u = self;

    (void)arg;
    (void)it;
    finish(u);
}

static void served(struct sim *sim, void *self, uint64_t arg)
{
    struct use *u = self;
    struct tool *t = u->owner;

    (void)sim;
    (void)arg;
    u->next = 0;
    let_go(u);
    if (!t->host->has_callee[CALL_BACKEND]) {
        finish(u);
        return;
    }
    u->state = USE_CALLING;
    u->call = host_call(t->host, CALL_BACKEND, &u->visit->it, backend_done, u, 0);
}

static void granted(struct sim *sim, void *self, uint64_t arg)
{
    struct use *u = self;
    struct tool *t = u->owner;
    double seconds;
    struct rng r;

    (void)arg;
    t->holding++;
    if (u->state == USE_ABANDONED) {
        let_go(u);
        use_free(u);
        return;
    }
    u->state = USE_HOLDING;
    luck_of(u, LUCK_LATENCY, &r);
    seconds = host_time(t->host, law_draw(&t->c->latency, &r));
    t->host->op_s[0] += seconds;
    u->until_s = sim->now + seconds;
    u->next = sim_after(sim, seconds, served, u, 0);
}

static void attempt(struct use *u)
{
    struct tool *t = u->owner;
    struct request *r = u->visit->it.request;

    t->attempts++;
    if (r != NULL)
        r->usd += t->c->usd;
    u->state = USE_QUEUED;
    if (t->c->timeout > 0)
        u->alarm = sim_after(t->host->sim, t->c->timeout, timed_out, u, 0);
    if (host_seize(t->host, ROLE_SERVERS, granted, u, 0))
        granted(t->host->sim, u, 0);
}

/* ----------------------------------------------------------------------------------------- the server */

static void *open_tool(const void *cfg, struct host *h)
{
    struct tool *t = ARENA_NEW(h->sim->arena, struct tool);

    t->c = cfg;
    t->host = h;
    return t;
}

static void arrive(void *state, struct visit *v)
{
    struct use blank = {.owner = state, .visit = v};

    blank.owner->arrived++;
    attempt(successor(&blank));
}

static bool withdraw(void *state, struct visit *v)
{
    struct tool *t = state;
    struct use *u = v->own;

    t->left++;
    if (stop(u))
        use_free(u);
    return true;
}

static void begin_measuring(void *state)
{
    struct tool *t = state;

    t->attempts = t->failures = t->timeouts = t->given_up = 0;
}

static int report(const void *state, struct figure *out, int room)
{
    const struct tool *t = state;
    double attempts = fmax(1, (double)t->attempts);

    ASSERT(room >= 3);
    out[0] = (struct figure){"failed_attempts_frac", (double)t->failures / attempts};
    out[1] = (struct figure){"timed_out_attempts_frac", (double)t->timeouts / attempts};
    out[2] = (struct figure){"given_up", (double)t->given_up};
    return 3;
}

static void assert_laws(const void *state)
{
    const struct tool *t = state;

    ASSERT(t->left <= t->arrived);
    ASSERT(t->holding >= 0);
}

static int calls(const void *cfg, const struct item *in, struct server_call *out, int room)
{
    (void)cfg;
    ASSERT(room >= 1);
    out[0] = (struct server_call){.callee = CALL_BACKEND, .times = 1, .in_turn = 1, .it = *in};
    if (in->request != NULL)
        out[0].request = *in->request;
    return 1;
}

static const struct server tool_server = {
    .open = open_tool,
    .arrive = arrive,
    .withdraw = withdraw,
    .begin_measuring = begin_measuring,
    .report = report,
    .assert_laws = assert_laws,
    .calls = calls,
    .callees = callees,
};

/* ------------------------------------------------------------------------------------------ the model */

static void shape(const void *cfg, struct shape *out)
{
    (void)cfg;
    *out = (struct shape){.prefetch = -1, .queue_limit = -1};
}

/* Attempts follow one another until one succeeds: (1 - f^(n + 1)) / (1 - f) of them.  Time-outs come on top,
 * and cut attempts short, so the bound counts neither. */
static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct tool_cfg *c = cfg;
    double n = (double)c->retries + 1;
    double attempts = c->fail_frac < 1 ? (1 - pow(c->fail_frac, n)) / (1 - c->fail_frac) : n;

    (void)in;
    (void)luck;
    (void)leave;
    demand_add(out, ROLE_SERVERS, 0, c->latency.mean * attempts, 0);
}

static void best_demand(const void *cfg, const struct item *in, struct demand *out, struct item *leave)
{
    const struct tool_cfg *c = cfg;
    double least = c->latency.kind == LAW_CONSTANT ? c->latency.mean : c->latency.lo;

    if (c->timeout <= 0)
        demand(cfg, in, NULL, out, leave);
    else
        demand_add(out, ROLE_SERVERS, 0, fmin(c->timeout, fmax(0, least)), 0);
}

const struct model tool_model = {
    .name = "tool",
    .title = "Tool",
    .about =
        "A tool an agent calls, with a latency law, limited concurrency, failures, retries and time-outs.",
    .cfg_size = sizeof(struct tool_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .shape = shape,
    .demand = demand,
    .best_demand = best_demand,
    .server = &tool_server,
};
