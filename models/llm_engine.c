/*
 * llm_engine.c - iterations: begin with a batch, take their time, hand out tokens.
 */
#include "models/llm_engine.h"

#include <math.h>
#include <string.h>

static void begin(struct llm_replica *r);

/* ------------------------------------------------------------ accelerators */

static long gpus_wanted(const struct llm_engine *e)
{
    long bound = e->host->count[ROLE_GPU];

    return e->cfg->gpus < bound ? e->cfg->gpus : bound;
}

static void acquire(struct llm_replica *r);

static void granted(struct sim *sim, void *self, uint64_t arg)
{
    struct llm_replica *r = self;

    (void)sim;
    (void)arg;
    r->granted++;
    acquire(r);
}

/* One replica at a time gathers its accelerators: two that hold half each would wait for ever. */
static void acquire(struct llm_replica *r)
{
    struct llm_engine *e = r->engine;

    r->wants = true;
    if (e->acquiring != NULL && e->acquiring != r)
        return;
    e->acquiring = r;
    while (r->granted < gpus_wanted(e)) {
        if (!host_seize(e->host, ROLE_GPU, granted, r, 0))
            return;
        r->granted++;
    }
    r->wants = false;
    e->acquiring = NULL;
    begin(r);
    for (long i = 0; e->replicas > 1 && i < e->replicas && e->acquiring == NULL; i++)
        if (e->replica[i].wants)
            acquire(&e->replica[i]);
}

static void release_gpus(struct llm_replica *r)
{
    for (; r->granted > 0; r->granted--)
        host_release(r->engine->host, ROLE_GPU);
}

/* ------------------------------------------------------------ tokens are there */

static void finished(struct llm_replica *r, struct llm_seq *s)
{
    struct llm_engine *e = r->engine;
    struct visit *v = s->visit;
    struct request *q = v->it.request;
    double now = e->sim->now;

    e->count.requests++;
    e->count.input_tokens += (double)s->input;
    e->count.output_tokens += (double)s->output;
    e->left++;
    if (q != NULL) {
        q->queue_s = s->scheduled_s - v->arrived_s;
        q->ttft_s = s->first_s - v->arrived_s;
        q->tpot_s = s->output > 1 ? (now - s->first_s) / (double)(s->output - 1) : NAN;
    }
    (void)r;
    s->visit = NULL;
    s->next = e->spare;
    e->spare = s;
    host_leave(e->host, v);
}

void llm_finish(struct llm_replica *r, struct llm_seq *s)
{
    llm_release(r, s);
    finished(r, s);
}

/* The last token is made: a static batch waits for its longest answer. */
static void complete(struct llm_replica *r, struct llm_seq *s)
{
    if (r->engine->cfg->policy == LLM_STATIC)
        llm_list_append(&r->done, s, LLM_DONE);
    else
        llm_finish(r, s);
}

static void keep_prefix(struct llm_replica *r, struct llm_seq *s)
{
    const struct request *q = s->visit->it.request;

    if (q == NULL || q->blocks == NULL || s->own == 0)
        return;
    s->own -= llm_kv_keep(&r->kv, &s->chain, q->block_tokens, s->target, s->own);
    s->shared_tokens = s->chain.n * q->block_tokens;
}

/* A prompt is computed; what comes out of it is a token: the first one, or after preemption the next. */
static void prompt_done(struct llm_replica *r, struct llm_seq *s)
{
    struct llm_engine *e = r->engine;

    llm_list_remove(&r->prefilling, s);
    if (e->cfg->policy != LLM_STATIC && e->cfg->policy != LLM_ORCA)
        keep_prefix(r, s);
    s->made++;
    e->count.answer_tokens++;
    if (isnan(s->first_s))
        s->first_s = e->sim->now;
    if (s->made >= s->output)
        complete(r, s);
    else if (r->decodes)
        llm_decode_join(r, s);
    else { /* its memory here stays taken until the KV has arrived there */
        llm_unenroll(r, s);
        llm_hand_over(r, s);
    }
}

static void end_decodes(struct llm_replica *r, long steps)
{
    struct llm_engine *e = r->engine;
    struct llm_seq *s;

    e->count.answer_tokens += (uint64_t)((double)(r->n * steps) * e->cfg->step_tokens + 0.5);
    llm_decode_advance(r, steps);
    while ((s = llm_decode_next_end(r)) != NULL && s->end_step <= r->step) {
        llm_decode_leave(r, s);
        complete(r, s);
    }
}

static void end_prompts(struct llm_replica *r)
{
    for (long i = 0; i < r->works; i++) {
        struct llm_seq *s = r->work[i].seq;

        s->computed += r->work[i].tokens;
        if (s->computed >= s->target)
            prompt_done(r, s);
    }
    r->works = 0;
}

static void end_static_batch(struct llm_replica *r)
{
    struct llm_seq *s;

    while (r->n == 0 && r->prefilling.n == 0 && (s = r->done.first) != NULL) {
        llm_list_remove(&r->done, s);
        llm_finish(r, s);
    }
}

static int op_of(const struct llm_replica *r)
{
    if (r->works == 0)
        return LLM_OP_DECODE;
    return r->decoding ? LLM_OP_MIXED : LLM_OP_PREFILL;
}

static void account(struct llm_replica *r, long steps)
{
    struct llm_engine *e = r->engine;
    long slots =
        e->cfg->policy == LLM_STATIC && r->decoding ? r->static_n : (r->decoding ? r->n : 0) + r->works;
    uint64_t used;

    if (e->host->op_s != NULL)
        e->host->op_s[op_of(r)] += (e->sim->now - r->begun_s) * (double)e->cfg->gpus;
    e->count.iterations++;
    e->count.steps += (uint64_t)steps;
    e->count.sequences += (double)(slots * steps);
    used = (uint64_t)(r->kv.held + r->kv.shared);
    e->count.peak_blocks = used > e->count.peak_blocks ? used : e->count.peak_blocks;
    level_set(&r->used, e->sim->now, (double)used);
}

static void ended(struct sim *sim, void *self, uint64_t steps)
{
    struct llm_replica *r = self;

    (void)sim;
    r->ending = 0;
    account(r, (long)steps);
    if (r->decoding)
        end_decodes(r, (long)steps);
    end_prompts(r);
    end_static_batch(r);
    if (llm_takes_turns(r->engine)) { /* others may want them: the turn goes round */
        release_gpus(r);
        acquire(r);
    } else {
        begin(r);
    }
}

/* ------------------------------------------------------------ iterations */

static void rest(struct llm_replica *r)
{
    r->busy = false;
    release_gpus(r);
    level_set(&r->used, r->engine->sim->now, (double)(r->kv.held + r->kv.shared));
    llm_went_idle(r);
}

static void begin(struct llm_replica *r)
{
    const struct llm_serving_cfg *c = r->engine->cfg;

    llm_compose(r);
    if (c->policy == LLM_DISAGGREGATED && r->decodes)
        llm_pull(r);
    if (r->works == 0 && !r->decoding) {
        rest(r);
        return;
    }
    if (c->async_scheduling && (c->policy == LLM_CHUNKED || c->policy == LLM_DISAGGREGATED))
        llm_stage(r);
    r->begun_s = r->engine->sim->now;
    llm_time_batch(r);
    r->ending = sim_after(r->engine->sim, llm_jump_s(r, r->jump), ended, r, (uint64_t)r->jump);
}

/* The first boundary that is not in the past: llm_jump_s(k) >= time since the jump began. */
static long steps_until(const struct llm_replica *r, double elapsed_s)
{
    double half = r->slope_s / 2, b = r->at_s - half, k;
    long steps;

    k = half > 0 ? (sqrt(b * b + 4 * half * elapsed_s) - b) / (2 * half) : elapsed_s / r->at_s;
    steps = (long)ceil(k - 1e-9);
    while (steps > 1 && llm_jump_s(r, steps - 1) >= elapsed_s)
        steps--;
    while (steps < r->jump && llm_jump_s(r, steps) < elapsed_s)
        steps++;
    return steps < 1 ? 1 : steps > r->jump ? r->jump : steps;
}

static void cut_jump(struct llm_replica *r)
{
    struct llm_engine *e = r->engine;
    long steps;

    if (r->jump <= 1 || r->at_s <= 0)
        return;
    steps = steps_until(r, e->sim->now - r->begun_s);
    if (steps >= r->jump)
        return;
    sim_cancel(e->sim, r->ending);
    r->jump = steps;
    r->ending = sim_at(e->sim, fmax(e->sim->now, r->begun_s + llm_jump_s(r, steps)), PRIO_NORMAL, ended, r,
                       (uint64_t)steps);
}

static void awake(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)arg;
    acquire(self);
}

void llm_wake(struct llm_replica *r)
{
    if (!r->busy) {
        if (r->idle != 0)
            sim_cancel(r->engine->sim, r->idle);
        r->idle = 0;
        r->busy = true; /* those that come at the same instant are in the same batch */
        sim_at(r->engine->sim, r->engine->sim->now, PRIO_LAST, awake, r, 0);
    } else if (r->ending != 0 && (r->landed.n > 0 || llm_could_admit(r))) {
        cut_jump(r);
    }
}

/* ------------------------------------------------------------ coming and going */

static struct llm_seq *new_seq(struct llm_engine *e, struct visit *v)
{
    const struct request *q = v->it.request;
    struct llm_seq *s = e->spare;
    struct llm_chain chain = {0};

    if (s != NULL) {
        e->spare = s->next;
        chain = s->chain;
    } else {
        s = ARENA_NEW(e->sim->arena, struct llm_seq);
    }
    *s = (struct llm_seq){.visit = v, .scheduled_s = NAN, .first_s = NAN, .chain = chain};
    s->chain.names = 0;
    if (e->cfg->prefix_cache && q != NULL && q->blocks != NULL)
        llm_kv_name(&s->chain, q->blocks, q->blocks_n, e->sim->arena);
    llm_tokens(e->cfg, &v->it, &e->host->luck, &s->input, &s->output);
    s->target = s->input;
    v->own = s;
    return s;
}

static bool fits(const struct llm_engine *e, const struct llm_seq *s)
{
    long whole = s->input + s->output, set_aside = llm_set_aside(e->cfg, s->input, s->output);

    whole = set_aside > whole ? set_aside : whole;
    return (whole + e->cfg->block_tokens - 1) / e->cfg->block_tokens <= e->cfg->blocks;
}

void llm_arrive(void *state, struct visit *v)
{
    struct llm_engine *e = state;
    struct llm_seq *s = new_seq(e, v);

    e->arrived++;
    if (!fits(e, s)) { /* longer than the memory: no engine could serve it */
        e->count.lost++;
        e->left++;
        s->next = e->spare;
        e->spare = s;
        host_lose(e->host, v);
        return;
    }
    s->replica = llm_route(e, s);
    llm_wait(s->replica, s);
    llm_scale_up(e);
    llm_wake(s->replica);
}

/* One that waits, or decodes, can go at once; one whose prompt is being computed or travels runs to its end.
 */
bool llm_withdraw(void *state, struct visit *v)
{
    struct llm_engine *e = state;
    struct llm_seq *s = v->own;
    struct llm_replica *r = s->replica;

    if (s->place == LLM_WAITING) {
        llm_list_remove(&r->waiting, s);
        r->pending_tokens -= s->target;
    } else if (s->place == LLM_DECODING && e->cfg->policy != LLM_STATIC) {
        llm_decode_leave(r, s);
        llm_release(r, s);
        r->decoding = r->decoding && r->n > 0;
    } else {
        return false;
    }
    e->left++;
    s->next = e->spare;
    e->spare = s;
    return true;
}

void llm_pass(void *state, struct visit *v)
{
    (void)state;
    if (v->it.request != NULL)
        v->it.request->queue_s = v->it.request->ttft_s = v->it.request->tpot_s = 0;
}
