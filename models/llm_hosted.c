/*
 * llm_hosted.c - a language model behind somebody else's interface: priced by the token, limited by rate.
 *
 *   usd of a request = (fresh input_price + cached cached_price + output output_price) / 1e6
 *   time             = first_token + (output - 1) per_token, each a law: what the provider's engines do is
 * not seen
 *
 * Two buckets let requests and tokens pass: they fill at the limit's rate and hold a minute of it.  Who finds
 * one empty is refused (status 429) and asks again after backoff, doubled each time, half of it by chance;
 * after `retries` refusals the request has failed.  A prefix that an earlier prompt of the same chain began
 * with, as far as `cached_frac` says, is billed at the cached price.
 */
#include "models/server.h"

#include <math.h>

struct llm_hosted_cfg {
    struct law input_tokens, output_tokens, first_token, per_token;
    double input_price, cached_price, output_price, cached_frac;
    double requests_per_min, tokens_per_min, backoff;
    long retries;
};

enum { PURPOSE_INPUT, PURPOSE_OUTPUT, PURPOSE_FIRST, PURPOSE_TOKEN, PURPOSE_BACKOFF };

#define T struct llm_hosted_cfg
static const struct param params[] = {
    LAW(T, input_tokens, UNIT_NONE, "1000", 1, 1e7, "Prompt of an item that comes without a request"),
    LAW(T, output_tokens, UNIT_NONE, "250", 1, 1e7, "Answer of an item that comes without a request"),
    LAW(T, first_token, UNIT_S, "500ms", 0, 1e6, "Time to the first token, as the client sees it"),
    LAW(T, per_token, UNIT_S, "15ms", 0, 1e4, "Time of each further token"),
    REAL(T, input_price, UNIT_USD, "3usd", 0, 1e6, "Price of a million prompt tokens"),
    REAL(T, cached_price, UNIT_USD, "0.3usd", 0, 1e6, "Price of a million prompt tokens that were cached"),
    REAL(T, output_price, UNIT_USD, "15usd", 0, 1e6, "Price of a million answer tokens"),
    REAL(T, cached_frac, UNIT_FRAC, "0", 0, 1, "Share of the prompt tokens that is billed as cached"),
    REAL(T, requests_per_min, UNIT_NONE, "0", 0, 1e9,
         "Requests a minute the provider lets pass; 0 means any"),
    REAL(T, tokens_per_min, UNIT_NONE, "0", 0, 1e12, "Tokens a minute, of prompts and answers; 0 means any"),
    REAL(T, backoff, UNIT_S, "1s", 0, 1e5, "Wait after the first refusal; doubled after each further one"),
    INT(T, retries, "6", 0, 1000, "Refusals after which a request asks once more and then fails"),
    PARAMS_END};
#undef T

struct bucket { /* what may pass now; -1 a minute: any */
    double level, per_min, filled_s;
};

struct asking {
    struct hosted_llm *llm;
    struct visit *visit;
    long input, output;
    long refusals;
    double first_s;
    struct asking *next;
};

struct hosted_llm {
    const struct llm_hosted_cfg *c;
    struct host *host;
    struct bucket requests, tokens;
    struct asking *spare;
    uint64_t asked, refused, failed, answered, arrived, inside;
    double usd;
};

/* ------------------------------------------------------------ the limits */

static struct bucket full(double per_min, double now_s)
{
    return (struct bucket){.level = per_min, .per_min = per_min, .filled_s = now_s};
}

static void refill(struct bucket *b, double now_s)
{
    b->level = fmin(b->per_min, b->level + b->per_min * (now_s - b->filled_s) / 60);
    b->filled_s = now_s;
}

static bool holds(const struct bucket *b, double amount)
{
    return b->per_min <= 0 || b->level >= fmin(amount, b->per_min);
}

static bool let_pass(struct hosted_llm *h, double tokens)
{
    refill(&h->requests, h->host->sim->now);
    refill(&h->tokens, h->host->sim->now);
    if (!holds(&h->requests, 1) || !holds(&h->tokens, tokens))
        return false;
    h->requests.level -= 1;
    h->tokens.level -= tokens;
    return true;
}

/* ------------------------------------------------------------ a request */

static double draw(const struct hosted_llm *h, const struct item *it, const struct law *law, uint64_t purpose)
{
    return luck_law(law, it, &h->host->luck, purpose);
}

static void forget(struct hosted_llm *h, struct asking *a)
{
    a->visit->own = NULL;
    a->next = h->spare;
    h->spare = a;
    h->inside--;
}

static void answered(struct sim *sim, void *self, uint64_t arg)
{
    struct asking *a = self;
    struct hosted_llm *h = a->llm;
    struct visit *v = a->visit;
    struct request *q = v->it.request;
    const struct llm_hosted_cfg *c = h->c;
    double cached = (double)a->input * c->cached_frac, usd;

    (void)arg;
    usd = (((double)a->input - cached) * c->input_price + cached * c->cached_price +
           (double)a->output * c->output_price) /
          1e6;
    h->usd += usd;
    h->answered++;
    if (q != NULL) {
        q->usd += usd;
        q->ttft_s = a->first_s - v->arrived_s;
        q->tpot_s = a->output > 1 ? (sim->now - a->first_s) / (double)(a->output - 1) : NAN;
    }
    forget(h, a);
    host_leave(h->host, v);
}

static void ask(struct sim *sim, void *self, uint64_t arg);

static void refuse(struct hosted_llm *h, struct asking *a)
{
    const struct luck *l = &h->host->luck;
    struct visit *v = a->visit;
    struct rng r;

    h->refused++;
    if (a->refusals >= h->c->retries) {
        h->failed++;
        forget(h, a);
        host_lose(h->host, v);
        return;
    }
    rng_keyed(&r, l->seed, l->replication, l->stage, v->it.key, PURPOSE_BACKOFF + (uint64_t)a->refusals);
    sim_after(h->host->sim,
              h->c->backoff * ldexp(0.5 + rng_uniform(&r) / 2, (int)fmin(30, (double)a->refusals)), ask, a,
              0);
    a->refusals++;
}

static void ask(struct sim *sim, void *self, uint64_t arg)
{
    struct asking *a = self;
    struct hosted_llm *h = a->llm;
    const struct item *it = &a->visit->it;

    (void)arg;
    h->asked++;
    if (!let_pass(h, (double)(a->input + a->output))) {
        refuse(h, a);
        return;
    }
    if (it->request != NULL)
        it->request->queue_s = sim->now - a->visit->arrived_s;
    a->first_s = sim->now + draw(h, it, &h->c->first_token, PURPOSE_FIRST);
    sim_at(sim, a->first_s + (double)(a->output - 1) * draw(h, it, &h->c->per_token, PURPOSE_TOKEN),
           PRIO_NORMAL, answered, a, 0);
}

static long tokens_of(const struct hosted_llm *h, const struct item *it, long said, const struct law *law,
                      uint64_t purpose)
{
    return said > 0 ? said : (long)fmax(1, draw(h, it, law, purpose) + 0.5);
}

static void arrive(void *state, struct visit *v)
{
    struct hosted_llm *h = state;
    struct asking *a = h->spare;
    const struct request *q = v->it.request;

    if (a != NULL)
        h->spare = a->next;
    else
        a = ARENA_NEW(h->host->sim->arena, struct asking);
    *a = (struct asking){.llm = h, .visit = v};
    a->input = tokens_of(h, &v->it, q != NULL ? q->input_tokens : 0, &h->c->input_tokens, PURPOSE_INPUT);
    a->output = tokens_of(h, &v->it, q != NULL ? q->output_tokens : 0, &h->c->output_tokens, PURPOSE_OUTPUT);
    v->own = a;
    h->arrived++;
    h->inside++;
    ask(h->host->sim, a, 0);
}

/* ------------------------------------------------------------ opening and reporting */

static void *open_hosted(const void *cfg, struct host *host)
{
    struct hosted_llm *h = ARENA_NEW(host->sim->arena, struct hosted_llm);

    h->c = cfg;
    h->host = host;
    h->requests = full(h->c->requests_per_min, host->sim->now);
    h->tokens = full(h->c->tokens_per_min, host->sim->now);
    return h;
}

static void begin_measuring(void *state)
{
    struct hosted_llm *h = state;

    h->asked = h->refused = h->failed = h->answered = 0;
    h->arrived = h->inside;
    h->usd = 0;
}

static int report(const void *state, struct figure *out, int room)
{
    const struct hosted_llm *h = state;
    double asked = fmax(1, (double)h->asked), ended = fmax(1, (double)(h->answered + h->failed));
    const struct figure all[] = {{"refused_frac", (double)h->refused / asked},
                                 {"failed_frac", (double)h->failed / ended},
                                 {"usd_per_request_usd", h->usd / fmax(1, (double)h->answered)}};
    int n = (int)(sizeof all / sizeof *all);

    for (int i = 0; i < n && i < room; i++)
        out[i] = all[i];
    return n < room ? n : room;
}

static void assert_laws(const void *state)
{
    const struct hosted_llm *h = state;

    ASSERT(h->arrived == h->answered + h->failed + h->inside);
}

static void shape(const void *cfg, struct shape *out)
{
    (void)cfg;
    *out = (struct shape){.workers = 0, .prefetch = -1, .queue_limit = -1};
}

/* Nothing of ours is used: whatever bounds the provider is not known. */
static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    (void)cfg, (void)in, (void)luck, (void)out, (void)leave;
}

static const struct server llm_hosted_server = {
    .open = open_hosted,
    .arrive = arrive,
    .begin_measuring = begin_measuring,
    .report = report,
    .assert_laws = assert_laws,
};

static const char *const roles[] = {NULL};
static const struct op_info ops[] = {{"answer", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

const struct model llm_hosted_model = {
    .name = "llm_hosted",
    .title = "Hosted language model",
    .about = "Answers over somebody else's interface, priced by the token and limited by rate.",
    .cfg_size = sizeof(struct llm_hosted_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .shape = shape,
    .demand = demand,
    .server = &llm_hosted_server,
};
