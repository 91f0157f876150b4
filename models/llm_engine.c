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

/* ------------------------------------------------------------ how long */

/* vLLM's sizes of captured decode graphs: 1, 2, 4, then multiples of 8 up to 256, of 16 up to 512. */
static double graph_size(double n)
{
    if (n <= 2)
        return n;
    if (n <= 4)
        return 4;
    if (n <= 256)
        return ceil(n / 8) * 8;
    return n <= 512 ? ceil(n / 16) * 16 : n;
}

static void describe_prompts(struct llm_replica *r, struct llm_batch *b)
{
    bool pads = r->engine->cfg->policy == LLM_STATIC;
    long longest = 0;

    for (long i = 0; pads && i < r->works; i++)
        longest = r->work[i].tokens > longest ? r->work[i].tokens : longest;
    for (long i = 0; i < r->works; i++) {
        const struct llm_seq *s = r->work[i].seq;

        r->chunk[i] = (struct llm_chunk){(double)(pads ? longest : r->work[i].tokens), (double)s->computed};
        b->tokens += r->chunk[i].tokens;
        b->finished += s->computed + r->work[i].tokens == s->target;
    }
    b->chunk = r->chunk;
    b->chunks = (int)r->works;
}

static void describe_decodes(const struct llm_replica *r, struct llm_batch *b)
{
    const struct llm_serving_cfg *c = r->engine->cfg;

    b->decodes = (double)(c->policy == LLM_STATIC ? r->static_n : r->n);
    b->decode_tokens = b->decodes * (double)(1 + c->draft_tokens);
    if (c->cuda_graphs && r->works == 0 && !c->cost.is_whole)
        b->decode_tokens = graph_size(b->decode_tokens);
    b->context = r->context / (double)r->n;
    b->longest = c->cost.straggler_s > 0 ? llm_decode_longest(r) : b->context;
}

static double with_cpu(const struct llm_serving_cfg *c, double gpu_s, double sequences)
{
    double cpu_s = c->cpu_step + c->cpu_sequence * sequences;

    return c->async_scheduling ? fmax(gpu_s, cpu_s) : gpu_s + cpu_s;
}

/* The drafts run one after the other, before their tokens are checked at once. */
static double drafts_s(const struct llm_serving_cfg *c, double decode_s)
{
    return (double)c->draft_tokens * c->draft_cost * decode_s;
}

/* Where somebody else may want a turn nothing is held for longer than an iteration. */
static bool is_shared(const struct llm_engine *e)
{
    return e->host->is_shared[ROLE_GPU];
}

/* Steps until something may change: an end, memory, a knot of the table, the CPU that is no longer hidden. */
static long jump_length(const struct llm_replica *r, const struct llm_line *line, double context,
                        double cpu_s)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    long steps = (long)(llm_decode_next_end(r)->end_step - r->step);
    double change = c->step_tokens, limit = line->until;

    if (c->async_scheduling && line->slope_s > 0 && cpu_s > line->at_s)
        limit = fmin(limit, context + (cpu_s - line->at_s) / line->slope_s);
    if (isfinite(limit) && (limit - context) / change < (double)steps)
        steps = (long)fmax(1, ceil((limit - context) / change));
    steps = llm_decode_steps(r, steps);
    return steps < 1 ? 1 : steps;
}

static void time_decodes(struct llm_replica *r, struct llm_batch *b, bool *outside)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    struct llm_line line = llm_cost_decode(&c->cost, b, outside);
    double cpu_s = c->cpu_step + c->cpu_sequence * b->decodes,
           drafts = 1 + (double)c->draft_tokens * c->draft_cost;

    line.at_s *= drafts;
    line.slope_s *= drafts;
    r->at_s = with_cpu(c, line.at_s, b->decodes);
    r->slope_s = c->async_scheduling && cpu_s > line.at_s ? 0 : line.slope_s * c->step_tokens;
    r->jump = is_shared(r->engine) || r->staged.n > 0 ? 1 : jump_length(r, &line, b->context, cpu_s);
}

static void time_batch(struct llm_replica *r)
{
    struct llm_engine *e = r->engine;
    const struct llm_serving_cfg *c = e->cfg;
    struct llm_batch b = {0};
    bool outside = false;

    describe_prompts(r, &b);
    if (r->decoding)
        describe_decodes(r, &b);
    r->jump = 1;
    r->slope_s = 0;
    if (r->works == 0) {
        time_decodes(r, &b, &outside);
    } else {
        double gpu_s = llm_cost_step(&c->cost, &b, &outside);

        if (r->decoding && c->draft_tokens > 0)
            gpu_s += drafts_s(c, llm_cost_decode(&c->cost, &b, &outside).at_s);
        r->at_s = with_cpu(c, gpu_s, b.decodes + (double)b.chunks);
    }
    r->at_s += r->extra_s;
    if (r->extra_s > 0)
        r->jump = 1;
    r->extra_s = 0;
    r->at_s = host_time(e->host, r->at_s);
    r->slope_s = host_time(e->host, r->slope_s);
    e->count.outside += outside ? (uint64_t)r->jump : 0;
}

static double jump_s(const struct llm_replica *r, long steps)
{
    double k = (double)steps;

    return k * r->at_s + r->slope_s * k * (k - 1) / 2;
}

/* ------------------------------------------------------------ tokens are there */

static void finished(struct llm_replica *r, struct llm_seq *s)
{
    struct llm_engine *e = r->engine;
    struct visit *v = s->visit;
    struct request *q = v->it.request;
    double now = e->sim->now;

    e->count.requests++;
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
    s->own -= llm_kv_keep(&r->kv, &s->chain, q->blocks, q->blocks_n, q->block_tokens, s->target, s->own);
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
    if (is_shared(r->engine)) { /* others may want them: the turn goes round */
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
    time_batch(r);
    r->ending = sim_after(r->engine->sim, jump_s(r, r->jump), ended, r, (uint64_t)r->jump);
}

/* The first boundary that is not in the past: jump_s(k) >= time since the jump began. */
static long steps_until(const struct llm_replica *r, double elapsed_s)
{
    double half = r->slope_s / 2, b = r->at_s - half, k;
    long steps;

    k = half > 0 ? (sqrt(b * b + 4 * half * elapsed_s) - b) / (2 * half) : elapsed_s / r->at_s;
    steps = (long)ceil(k - 1e-9);
    while (steps > 1 && jump_s(r, steps - 1) >= elapsed_s)
        steps--;
    while (steps < r->jump && jump_s(r, steps) < elapsed_s)
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
    r->ending = sim_at(e->sim, fmax(e->sim->now, r->begun_s + jump_s(r, steps)), PRIO_NORMAL, ended, r,
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
    struct llm_seq *s = e->spare;
    struct llm_chain chain = {0};

    if (s != NULL) {
        e->spare = s->next;
        chain = s->chain;
    } else {
        s = ARENA_NEW(e->sim->arena, struct llm_seq);
    }
    *s = (struct llm_seq){.visit = v, .scheduled_s = NAN, .first_s = NAN, .chain = chain};
    llm_tokens(e->cfg, &v->it, &e->host->luck, &s->input, &s->output);
    s->target = s->input;
    v->own = s;
    return s;
}

static bool fits(const struct llm_engine *e, const struct llm_seq *s)
{
    return (s->input + s->output + e->cfg->block_tokens - 1) / e->cfg->block_tokens <= e->cfg->blocks;
}

static void arrive(void *state, struct visit *v)
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
    llm_list_append(&s->replica->waiting, s, LLM_WAITING);
    s->replica->pending_tokens += s->target;
    llm_scale_up(e);
    llm_wake(s->replica);
}

/* One that waits, or decodes, can go at once; one whose prompt is being computed or travels runs to its end.
 */
static bool withdraw(void *state, struct visit *v)
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

static void pass(void *state, struct visit *v)
{
    (void)state;
    if (v->it.request != NULL)
        v->it.request->queue_s = v->it.request->ttft_s = v->it.request->tpot_s = 0;
}

/* ------------------------------------------------------------ opening and reporting */

static void open_replica(struct llm_engine *e, int i)
{
    const struct llm_serving_cfg *c = e->cfg;
    struct llm_replica *r = &e->replica[i];
    bool splits = c->policy == LLM_DISAGGREGATED;

    r->engine = e;
    r->index = i;
    r->power = c->min_replicas == 0 || i < c->min_replicas ? LLM_ON : LLM_OFF;
    r->prefills = !splits || i < c->prefill_replicas;
    r->decodes = !splits || i >= c->prefill_replicas;
    r->phase = arena_array(e->sim->arena, (size_t)e->period, sizeof *r->phase);
    llm_kv_init(&r->kv, e->sim->arena, c->blocks, c->block_tokens, c->prefix_cache, c->host_blocks);
    level_start(&r->used, e->sim->now, 0);
}

static void *open_engine(const void *cfg, struct host *h)
{
    const struct llm_serving_cfg *c = cfg;
    struct llm_engine *e = ARENA_NEW(h->sim->arena, struct llm_engine);

    e->cfg = c;
    e->host = h;
    e->sim = h->sim;
    e->replicas = c->replicas > 0                    ? c->replicas
                  : h->count[ROLE_GPU] / c->gpus > 0 ? h->count[ROLE_GPU] / c->gpus
                                                     : 1;
    e->period = (long)fmax(1, floor((double)c->block_tokens / c->step_tokens + 0.5));
    e->replica = arena_array(h->sim->arena, (size_t)e->replicas, sizeof *e->replica);
    for (long i = 0; i < e->replicas; i++)
        open_replica(e, (int)i);
    level_start(&e->on, h->sim->now,
                c->min_replicas > 0 && c->min_replicas < e->replicas ? (double)c->min_replicas
                                                                     : (double)e->replicas);
    return e;
}

static void begin_measuring(void *state)
{
    struct llm_engine *e = state;

    e->count = (struct llm_counts){0};
    level_start(&e->on, e->sim->now, e->on.value);
    for (long i = 0; i < e->replicas; i++) {
        struct llm_replica *r = &e->replica[i];

        level_start(&r->used, e->sim->now, (double)(r->kv.held + r->kv.shared));
        r->kv.asked_tokens = r->kv.hit_tokens = 0;
    }
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static int report(const void *state, struct figure *out, int room)
{
    const struct llm_engine *e = state;
    const struct llm_counts *k = &e->count;
    double used = 0, asked = 0, hits = 0, total = (double)e->cfg->blocks, steps = (double)k->steps;
    const struct figure all[] = {
        {"batch_mean", ratio(k->sequences, steps)},
        {"preemptions_per_request", ratio((double)k->preemptions, (double)k->requests)},
        {"extrapolated_frac", ratio((double)k->outside, steps)},
        {"steps_per_event", ratio(steps, (double)k->iterations)},
        {"replicas_mean", level_mean(&e->on, e->sim->now)},
        {"kv_peak_frac", ratio((double)k->peak_blocks, total)},
        {"too_long_frac", ratio((double)k->lost, (double)(k->lost + k->requests))},
        {"kv_used_frac", 0},
        {"prefix_hit_frac", 0},
    };
    int n = (int)(sizeof all / sizeof *all);

    for (long i = 0; i < e->replicas; i++) {
        used += level_mean(&e->replica[i].used, e->sim->now);
        asked += (double)e->replica[i].kv.asked_tokens;
        hits += (double)e->replica[i].kv.hit_tokens;
    }
    if (room < n)
        n = room;
    memcpy(out, all, (size_t)n * sizeof *out);
    for (int i = 0; i < n; i++) {
        if (strcmp(out[i].name, "kv_used_frac") == 0)
            out[i].value = ratio(used, total * (double)e->replicas);
        if (strcmp(out[i].name, "prefix_hit_frac") == 0)
            out[i].value = ratio(hits, asked);
    }
    return n;
}

static void assert_replica(const struct llm_replica *r, uint64_t *inside, uint64_t *steps)
{
    long own = 0;

    llm_kv_assert(&r->kv);
    for (long i = 0; i < r->n; i++)
        *steps += r->step - r->end[i]->join_step;
    for (const struct llm_seq *s = r->oldest; s != NULL; s = s->after)
        own++;
    ASSERT(own == r->running);
    *inside +=
        (uint64_t)(r->waiting.n + r->swapped.n + r->handed.n + r->travelling + r->landed.n + r->running);
    if (r->running + r->landed.n + r->travelling == 0 && r->engine->cfg->policy != LLM_DISAGGREGATED)
        ASSERT(r->kv.held == 0 && r->kv.shared == 0);
}

/* Blocks, requests and decode steps: none is lost, none is made. */
static void assert_laws(const void *state)
{
    const struct llm_engine *e = state;
    uint64_t inside = 0, steps = 0;

    for (long i = 0; i < e->replicas; i++)
        assert_replica(&e->replica[i], &inside, &steps);
    ASSERT(e->arrived == e->left + inside);
    ASSERT(e->decoded == e->decoded_out + steps);
}

const struct server llm_server = {
    .open = open_engine,
    .arrive = arrive,
    .withdraw = withdraw,
    .pass = pass,
    .begin_measuring = begin_measuring,
    .report = report,
    .assert_laws = assert_laws,
};
