#include "models/prompt.h"

#include <math.h>

static void advance(struct ask *a);

/* --------------------------------------------------------------------------------------- the evidence */

/* The chance of a hop at this recall, by difficulty; the oldest memo makes room. */
static const struct difficulty *chance_of(struct prompt *p, double recall)
{
    struct found_memo *m;

    for (int i = 0; i < p->memos && i < MEMOS; i++)
        if (p->memo[i].recall == recall)
            return &p->memo[i].chance;
    m = &p->memo[p->memos++ % MEMOS];
    m->recall = recall;
    difficulty_init(&m->chance, answer_found(&p->answer, recall, p->c->passages, p->c->candidates),
                    p->c->icc_search);
    return &m->chance;
}

/* How hard the hop is that is searched for: whatever round it is searched for in. */
static double hop_difficulty(const struct ask *a)
{
    const struct luck *l = &a->owner->host->luck;
    struct rng r;

    if (a->owner->c->hops_alike)
        return a->difficulty;
    rng_keyed(&r, l->seed, l->replication, l->stage, a->key, LUCK_HOP + LUCKS * (uint64_t)a->evidence);
    return rng_uniform(&r);
}

/* One retrieval: the next hop, and those behind it that it happens to bring along. */
static void find_evidence(struct ask *a)
{
    double q;

    if (a->evidence >= a->hops)
        return;
    q = difficulty_at(chance_of(a->owner, a->recall), hop_difficulty(a));
    for (uint64_t i = 0; a->evidence < a->hops; i++) {
        if (prompt_draw(a, LUCK_FIND + i * LUCKS * 65536) >= q)
            return;
        a->evidence++;
        q = i == 0 ? q * a->owner->c->ahead : q;
    }
}

/* Of the answers of the last round, some may have been thought to the end and others not. */
static double with_evidence(const struct ask *a)
{
    const struct prompt *p = a->owner;
    double cut = a->answers > 0 ? (double)a->cut / (double)a->answers : 0;

    return (1 - cut) * difficulty_at(&p->all, a->difficulty) +
           cut * difficulty_at(&p->unfinished, a->difficulty);
}

double prompt_quality(const struct ask *a)
{
    const struct prompt *p = a->owner;
    double u = a->difficulty, chance;

    if (a->evidence >= a->hops)
        chance = with_evidence(a);
    else if (a->passages == 0)
        chance = difficulty_at(&p->none, u);
    else
        chance = p->c->distract * difficulty_at(&p->distract, u) +
                 (1 - p->c->distract) * difficulty_at(&p->none, u);
    if (p->c->graph != GRAPH_SELF_CONSISTENCY)
        return chance;
    return answer_majority(chance, p->c->enough > 0 ? p->c->enough : p->c->samples);
}

/* ------------------------------------------------------------------------------------------- the loop */

static void ask_free(struct ask *a)
{
    a->next_free = a->owner->free;
    a->owner->free = a;
}

static void tell(const struct ask *a)
{
    const struct prompt_cfg *c = a->owner->c;
    struct request *r = a->visit->it.request;

    if (r == NULL)
        return;
    r->round = (int)a->round;
    r->hops = a->hops;
    r->evidence = a->evidence;
    r->recall = a->recall;
    r->passages = a->passages;
    r->output_tokens = a->generated;
    r->usd += a->usd + c->one_off_usd / c->one_off_requests;
    r->queue_s = a->queue_s;
    r->ttft_s = a->ttft_s;
    r->tpot_s = a->tpot_s;
    r->failed = r->failed || a->failed;
    if (prompt_judges(c))
        r->quality = a->failed ? 0 : prompt_quality(a);
}

static void finish(struct ask *a)
{
    struct prompt *p = a->owner;

    if (a->alarm != 0)
        sim_cancel(p->host->sim, a->alarm);
    tell(a);
    p->left++;
    p->done++;
    p->rounds += (uint64_t)a->round;
    p->solved += a->hops > 0 && a->evidence >= a->hops;
    p->failed += a->failed;
    host_leave(p->host, a->visit);
    ask_free(a);
}

static void given_up(struct sim *sim, void *self, uint64_t arg)
{
    struct ask *a = self;

    (void)sim;
    (void)arg;
    a->alarm = 0;
    a->failed = true;
    prompt_cancel(a);
    finish(a);
}

static bool is_finished(const struct ask *a)
{
    const struct prompt_cfg *c = a->owner->c;

    switch (c->graph) {
    case GRAPH_EACH_ROUND:
        return a->round >= a->rounds || (c->until_solved && a->hops > 0 && a->evidence >= a->hops);
    case GRAPH_WHILE_DECODING:
        return a->output_left <= 0;
    case GRAPH_AGENT:
        return a->round >= a->rounds;
    default:
        return true;
    }
}

static void advance(struct ask *a)
{
    for (;;) {
        while (a->step < STEPS && !prompt_has_step(a, a->step))
            a->step++;
        if (a->step < STEPS) {
            prompt_send(a, a->step);
            return;
        }
        a->context += prompt_tokens(a, &a->owner->c->round_tokens, LUCK_ROUND);
        a->round++;
        a->step = 0;
        if (is_finished(a)) {
            finish(a);
            return;
        }
    }
}

void prompt_step_done(struct ask *a)
{
    bool last_search =
        a->step == STEP_RERANK || (a->step == STEP_RETRIEVE && !prompt_has_step(a, STEP_RERANK));

    if (a->failed) {
        prompt_cancel(a);
        finish(a);
        return;
    }
    if (last_search)
        find_evidence(a);
    a->step++;
    advance(a);
}

/* -------------------------------------------------------------------------------------------- coming */

static struct ask *ask_new(struct prompt *p)
{
    struct ask *a = p->free, old;
    size_t n = (size_t)(p->c->graph == GRAPH_SELF_CONSISTENCY ? p->c->samples : 1);

    if (a == NULL) {
        a = ARENA_NEW(p->host->sim->arena, struct ask);
        a->samples = arena_array(p->host->sim->arena, n, sizeof *a->samples);
    } else
        p->free = a->next_free;
    old = *a;
    *a = (struct ask){
        .owner = p, .samples = old.samples, .blocks = old.blocks, .blocks_room = old.blocks_room};
    return a;
}

static void begin(struct ask *a, const struct request *r)
{
    const struct prompt_cfg *c = a->owner->c;

    a->difficulty = r != NULL && r->difficulty > 0 ? r->difficulty : prompt_draw(a, 0);
    a->hops = r != NULL && r->hops > 0 ? r->hops : (int)c->hops;
    a->rounds = c->rounds;
    if (c->graph == GRAPH_AGENT) {
        long steps = prompt_tokens(a, &c->steps, LUCK_STEPS);

        a->rounds = c->rounds > 1 && steps > c->rounds ? c->rounds : steps > 1 ? steps : 1;
    }
    a->context = lround(c->system_tokens) + prompt_tokens(a, &c->prompt_tokens, LUCK_PROMPT);
    if (r != NULL)
        a->context += r->input_tokens + lround(c->history_tokens * r->turn);
    a->output_left = prompt_tokens(a, &c->output_tokens, LUCK_OUTPUT);
    if (c->output_tokens.mean <= 0 && r != NULL)
        a->output_left = r->output_tokens;
    a->recall = 1;
    a->ttft_s = a->tpot_s = NAN;
}

static void arrive(void *state, struct visit *v)
{
    struct prompt *p = state;
    struct ask *a = ask_new(p);
    struct sim *sim = p->host->sim;
    double until = INFINITY;

    a->visit = v;
    a->key = v->it.key;
    v->own = a;
    p->arrived++;
    begin(a, v->it.request);
    if (v->it.request != NULL && v->it.request->deadline_s > sim->now)
        until = v->it.request->deadline_s;
    if (p->c->timeout > 0)
        until = fmin(until, sim->now + p->c->timeout);
    if (isfinite(until))
        a->alarm = sim_at(sim, until, PRIO_NORMAL, given_up, a, 0);
    advance(a);
}

static bool withdraw(void *state, struct visit *v)
{
    struct prompt *p = state;
    struct ask *a = v->own;

    prompt_cancel(a);
    if (a->alarm != 0)
        sim_cancel(p->host->sim, a->alarm);
    p->left++;
    ask_free(a);
    return true;
}

/* ----------------------------------------------------------------------------------------- the server */

static void *open_prompt(const void *cfg, struct host *h)
{
    struct prompt *p = ARENA_NEW(h->sim->arena, struct prompt);

    p->c = cfg;
    p->host = h;
    p->answer = prompt_answer(cfg);
    difficulty_init(&p->all, p->c->p_all, p->c->icc_reader);
    difficulty_init(&p->unfinished, p->c->p_cut, p->c->icc_reader);
    difficulty_init(&p->none, p->c->p_none, p->c->icc_reader);
    difficulty_init(&p->distract, p->c->p_distract, p->c->icc_reader);
    return p;
}

static void begin_measuring(void *state)
{
    struct prompt *p = state;

    p->done = p->rounds = p->solved = p->failed = p->answers = p->cut = 0;
    for (int i = 0; i < CALLS; i++)
        p->calls[i] = 0;
}

static int report(const void *state, struct figure *out, int room)
{
    const struct prompt *p = state;
    double done = fmax(1, (double)p->done);

    ASSERT(room >= 6);
    out[0] = (struct figure){"rounds_mean", (double)p->rounds / done};
    out[1] = (struct figure){"llm_calls_per_request", (double)p->calls[CALL_LLM] / done};
    out[2] = (struct figure){"retrievals_per_request", (double)p->calls[CALL_RETRIEVER] / done};
    out[3] = (struct figure){"evidence_complete_frac", (double)p->solved / done};
    out[4] = (struct figure){"failed_frac", (double)p->failed / done};
    out[5] = (struct figure){"thinking_cut_frac", (double)p->cut / fmax(1, (double)p->answers)};
    return p->c->reasoning_budget > 0 ? 6 : 5;
}

static void assert_laws(const void *state)
{
    const struct prompt *p = state;

    ASSERT(p->left <= p->arrived);
    ASSERT(p->solved + p->failed <= 2 * p->done);
}

const struct server prompt_server = {
    .open = open_prompt,
    .arrive = arrive,
    .withdraw = withdraw,
    .begin_measuring = begin_measuring,
    .report = report,
    .assert_laws = assert_laws,
    .calls = prompt_calls,
    .callees = prompt_callees,
    .needs = prompt_needs,
};
