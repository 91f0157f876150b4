#include "models/prompt.h"

#include <math.h>

static const unsigned steps_of[] = {
    [GRAPH_DIRECT] = 1U << STEP_GENERATE,
    [GRAPH_ONCE] =
        1U << STEP_REWRITE | 1U << STEP_EMBED | 1U << STEP_RETRIEVE | 1U << STEP_RERANK | 1U << STEP_GENERATE,
    [GRAPH_EACH_ROUND] =
        1U << STEP_REWRITE | 1U << STEP_EMBED | 1U << STEP_RETRIEVE | 1U << STEP_RERANK | 1U << STEP_GENERATE,
    [GRAPH_WHILE_DECODING] = 1U << STEP_EMBED | 1U << STEP_RETRIEVE | 1U << STEP_RERANK | 1U << STEP_GENERATE,
    [GRAPH_SELF_CONSISTENCY] =
        1U << STEP_EMBED | 1U << STEP_RETRIEVE | 1U << STEP_RERANK | 1U << STEP_GENERATE,
    [GRAPH_AGENT] = 1U << STEP_GENERATE | 1U << STEP_TOOL,
};

static int callee_of(int step)
{
    static const int callees[STEPS] = {CALL_REWRITER, CALL_EMBEDDER, CALL_RETRIEVER,
                                       CALL_RERANKER, CALL_LLM,      CALL_TOOL};

    return callees[step];
}

bool prompt_has_step(const struct ask *a, int step)
{
    const struct prompt *p = a->owner;

    if ((steps_of[p->c->graph] >> step & 1) == 0 || !p->host->has_callee[callee_of(step)])
        return false;
    return step != STEP_TOOL || a->round + 1 < a->rounds; /* after the last answer nothing is done */
}

/* ---------------------------------------------------------------------------------------------- luck */

double prompt_draw(const struct ask *a, uint64_t purpose)
{
    const struct luck *l = &a->owner->host->luck;
    struct rng r;

    rng_keyed(&r, l->seed, l->replication, l->stage, a->key, purpose + LUCKS * (uint64_t)a->round);
    return rng_uniform(&r);
}

long prompt_tokens(const struct ask *a, const struct law *law, uint64_t purpose)
{
    return lround(luck_law(law, &a->visit->it, &a->owner->host->luck, purpose + LUCKS * (uint64_t)a->round));
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = a + 0x9e3779b97f4a7c15ULL * (b + 1);

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* ----------------------------------------------------------------------------------- the prefix cache */

/* What all prompts begin with, then what only this session (or this request) has said; it only grows. */
static void hash_blocks(struct ask *a, struct request *r)
{
    const struct prompt_cfg *c = a->owner->c;
    uint64_t own = r->session != 0 ? mix(r->session, 1) : mix(a->key, 2);
    long n, shared;

    if (c->block_tokens <= 0)
        return;
    n = (long)((double)r->input_tokens / c->block_tokens);
    shared = (long)(c->system_tokens / c->block_tokens);
    if (n > a->blocks_room) {
        a->blocks_room = 2 * n;
        a->blocks = arena_array(a->owner->host->sim->arena, (size_t)a->blocks_room, sizeof *a->blocks);
        a->blocks_n = 0;
    }
    for (long i = a->blocks_n; i < n; i++)
        a->blocks[i] = mix(i < shared ? a->owner->host->luck.stage : own, (uint64_t)i);
    a->blocks_n = n > a->blocks_n ? n : a->blocks_n;
    r->blocks = a->blocks;
    r->blocks_n = n;
    r->block_tokens = (long)c->block_tokens;
}

/* ------------------------------------------------------------------------------------------- answers */

/* Tokens came out: what the user sees of it is the last answer, or the first words of one that goes on. */
static void generated(struct ask *a, const struct sample *s)
{
    const struct request *r = &s->request;
    bool first_counts = a->owner->c->graph == GRAPH_WHILE_DECODING && !isnan(a->ttft_s);

    a->generated += r->output_tokens;
    a->context += r->output_tokens - s->thought;
    a->output_left -= r->output_tokens;
    a->failed = a->failed || r->failed;
    if (!isnan(r->queue_s))
        a->queue_s += r->queue_s;
    if (!isnan(r->ttft_s) && !first_counts)
        a->ttft_s = s->sent_s + r->ttft_s - a->visit->arrived_s;
    if (!isnan(r->tpot_s))
        a->tpot_s = r->tpot_s;
}

static void retrieved(struct ask *a, const struct request *r)
{
    const struct prompt_cfg *c = a->owner->c;
    long n = r->failed ? 0 : c->passages;

    a->recall = r->failed ? 0 : isnan(r->recall) ? 1 : r->recall;
    a->passages += n;
    a->context += n * prompt_tokens(a, &c->passage_tokens, LUCK_PASSAGE);
}

/* What the answer means for the request: a tool or an index that failed has brought nothing, the rest goes
 * on. */
static void take_in(struct ask *a, const struct sample *s)
{
    a->usd += s->request.usd;
    if (a->step == STEP_GENERATE)
        generated(a, s);
    else if (a->step == STEP_RETRIEVE)
        retrieved(a, &s->request);
    else if (a->step == STEP_TOOL)
        a->context += s->request.input_tokens;
}

void prompt_cancel(struct ask *a)
{
    long n = a->owner->c->graph == GRAPH_SELF_CONSISTENCY ? a->owner->c->samples : 1;

    for (long i = 0; i < n; i++) {
        if (a->samples[i].is_out)
            host_cancel(a->owner->host, a->samples[i].id);
        a->samples[i].is_out = false;
    }
    a->waiting = 0;
}

static void returned(void *self, uint64_t arg, const struct item *it)
{
    struct sample *s = self;
    struct ask *a = s->ask;

    (void)arg;
    (void)it;
    s->is_out = false;
    take_in(a, s);
    if (--a->waiting > 0)
        return;
    prompt_cancel(a); /* those that are no longer needed */
    prompt_step_done(a);
}

/* --------------------------------------------------------------------------------------------- asking */

static long output_of(const struct ask *a, long sample)
{
    const struct prompt_cfg *c = a->owner->c;

    if (c->graph == GRAPH_WHILE_DECODING)
        return a->output_left < c->every_tokens ? a->output_left : c->every_tokens;
    if (c->output_tokens.mean <= 0)
        return a->visit->it.request != NULL ? a->visit->it.request->output_tokens : 0;
    return prompt_tokens(a, &c->output_tokens, LUCK_OUTPUT + (uint64_t)sample * LUCKS * 65536);
}

/* Thinks first, as far as the budget goes. */
static long think(struct ask *a, long index)
{
    const struct prompt_cfg *c = a->owner->c;
    long wanted;

    if (c->reasoning_tokens.mean <= 0)
        return 0;
    wanted = prompt_tokens(a, &c->reasoning_tokens, LUCK_REASONING + (uint64_t)index * LUCKS * 65536);
    a->answers++;
    a->owner->answers++;
    if (c->reasoning_budget == 0 || wanted <= c->reasoning_budget)
        return wanted;
    a->cut++;
    a->owner->cut++;
    return c->reasoning_budget;
}

static void fill(struct ask *a, struct sample *s, int step, long index)
{
    const struct prompt_cfg *c = a->owner->c;
    struct request *r = &s->request;

    r->usd = 0;
    r->failed = false;
    r->queue_s = r->ttft_s = r->tpot_s = NAN;
    r->round = (int)a->round;
    r->passages = a->passages;
    r->blocks = NULL;
    r->blocks_n = r->block_tokens = 0;
    r->deadline_s = INFINITY; /* it is kept here, for the whole */
    r->input_tokens = step == STEP_TOOL ? 0 : a->context;
    r->output_tokens = 0;
    s->thought = 0;
    if (step == STEP_GENERATE) {
        s->thought = think(a, index);
        r->output_tokens = output_of(a, index) + s->thought;
    }
    if (step == STEP_REWRITE)
        r->output_tokens = prompt_tokens(a, &c->rewrite_tokens, LUCK_REWRITE);
    if (step == STEP_RETRIEVE)
        r->recall = NAN;
}

static void send(struct ask *a, struct sample *s, int step, long index)
{
    struct prompt *p = a->owner;
    struct item it = a->visit->it;
    int callee = callee_of(step);

    s->ask = a;
    s->sent_s = p->host->sim->now;
    s->request = it.request != NULL ? *it.request : (struct request){.difficulty = a->difficulty};
    fill(a, s, step, index);
    if (step == STEP_GENERATE)
        hash_blocks(a, &s->request);
    it.request = &s->request;
    it.key = mix(mix(it.key, (uint64_t)step + STEPS * (uint64_t)a->round), (uint64_t)index);
    s->is_out = true;
    p->calls[callee]++;
    s->id = host_call(p->host, callee, &it, returned, s, 0);
}

void prompt_send(struct ask *a, int step)
{
    const struct prompt_cfg *c = a->owner->c;
    bool votes = c->graph == GRAPH_SELF_CONSISTENCY && step == STEP_GENERATE;
    long n = votes ? c->samples : 1;

    a->waiting = votes && c->enough > 0 ? c->enough : n;
    if (step == STEP_GENERATE)
        a->answers = a->cut = 0;
    for (long i = 0; i < n; i++)
        send(a, &a->samples[i], step, i);
}
