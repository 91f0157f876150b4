/*
 * llm_schedule.c - who is in the next iteration, and whose memory goes when there is not enough.
 *
 *   static        a batch is whoever waits when the last one is complete; prompts are padded to the longest,
 *                 every slot is held until the longest answer is there, and all leave together
 *   orca          iteration by iteration: finished sequences leave, new ones join with their whole prompt
 *                 beside those that decode; memory for the longest answer is set aside at admission
 *   vllm          prompts first: while one can be admitted, an iteration runs prompts only (vLLM before v1)
 *   chunked       those that decode first, then prompts in chunks up to the token budget (Sarathi, vLLM v1)
 *   disaggregated prompts on replicas of their own, in chunks; decoding elsewhere
 *
 * First come, first served, or by the request's class, or shortest prompt first; what was preempted comes
 * before its equals.  When blocks run out the sequence admitted last gives up its own, by class one of the
 * least urgent: it is computed again later, or swapped to the host's memory and back.
 */
#include "models/llm_engine.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ lists */

void llm_list_append(struct llm_list *l, struct llm_seq *s, enum llm_place place)
{
    s->place = place;
    s->next = NULL;
    s->prev = l->last;
    *(l->last != NULL ? &l->last->next : &l->first) = s;
    l->last = s;
    l->n++;
}

void llm_list_prepend(struct llm_list *l, struct llm_seq *s, enum llm_place place)
{
    s->place = place;
    s->prev = NULL;
    s->next = l->first;
    *(l->first != NULL ? &l->first->prev : &l->last) = s;
    l->first = s;
    l->n++;
}

void llm_list_remove(struct llm_list *l, struct llm_seq *s)
{
    *(s->prev != NULL ? &s->prev->next : &l->first) = s->next;
    *(s->next != NULL ? &s->next->prev : &l->last) = s->prev;
    s->place = LLM_NOWHERE;
    l->n--;
}

/* ------------------------------------------------------------ who is more urgent */

/* Smaller goes first; equals in the order in which they came. */
static long rank(const struct llm_seq *s)
{
    const struct request *q = s->visit->it.request;

    switch ((enum llm_order)s->replica->engine->cfg->order) {
    case LLM_BY_CLASS:
        return q == NULL ? 0 : q->class;
    case LLM_SHORTEST_PROMPT:
        return s->input;
    default:
        return 0;
    }
}

/* Behind all that go first, and before or behind its equals. */
static void wait_in_line(struct llm_list *l, struct llm_seq *s, bool before_equals)
{
    long own = rank(s);
    struct llm_seq *ahead = l->last;

    while (ahead != NULL && (rank(ahead) > own || (before_equals && rank(ahead) == own)))
        ahead = ahead->prev;
    if (ahead == l->last) {
        llm_list_append(l, s, LLM_WAITING);
    } else if (ahead == NULL) {
        llm_list_prepend(l, s, LLM_WAITING);
    } else {
        s->place = LLM_WAITING;
        s->prev = ahead;
        s->next = ahead->next;
        ahead->next->prev = s;
        ahead->next = s;
        l->n++;
    }
}

void llm_wait(struct llm_replica *r, struct llm_seq *s)
{
    wait_in_line(&r->waiting, s, false);
    r->pending_tokens += s->target;
}

/* Whose memory goes first: the least urgent, of these the one admitted last. */
static struct llm_seq *least_urgent(const struct llm_replica *r)
{
    struct llm_seq *worst = r->newest;

    if (r->engine->cfg->order != LLM_BY_CLASS)
        return worst;
    for (struct llm_seq *s = r->newest; s != NULL; s = s->before)
        if (rank(s) > rank(worst))
            worst = s;
    return worst;
}

/* ------------------------------------------------------------ the order of admission */

static void enroll(struct llm_replica *r, struct llm_seq *s)
{
    s->before = r->newest;
    s->after = NULL;
    *(r->newest != NULL ? &r->newest->after : &r->oldest) = s;
    r->newest = s;
    r->running++;
}

void llm_unenroll(struct llm_replica *r, struct llm_seq *s)
{
    *(s->before != NULL ? &s->before->after : &r->oldest) = s->after;
    *(s->after != NULL ? &s->after->before : &r->newest) = s->before;
    s->before = s->after = NULL;
    r->running--;
}

void llm_release(struct llm_replica *r, struct llm_seq *s)
{
    llm_unenroll(r, s);
    llm_kv_give(&r->kv, s->own);
    llm_kv_drop(&r->kv, &s->chain);
    s->own = 0;
    s->shared_tokens = 0;
}

/* ------------------------------------------------------------ memory */

static long blocks_for(const struct llm_replica *r, long tokens)
{
    return tokens <= 0 ? 0 : (tokens + r->kv.block_tokens - 1) / r->kv.block_tokens;
}

static bool sets_aside(const struct llm_serving_cfg *c) /* memory for the whole answer at admission */
{
    return c->policy == LLM_STATIC || c->policy == LLM_ORCA;
}

/* Tokens for which a sequence needs memory before an iteration may compute up to `computed`. */
static long tokens_to_hold(const struct llm_replica *r, const struct llm_seq *s, long computed)
{
    const struct llm_serving_cfg *c = r->engine->cfg;

    if (sets_aside(c))
        return llm_set_aside(c, s->input, s->output);
    return c->policy == LLM_VLLM ? s->target : computed;
}

static void forget_work(struct llm_replica *r, const struct llm_seq *s)
{
    for (long i = 0; i < r->works; i++)
        if (r->work[i].seq == s) {
            memmove(r->work + i, r->work + i + 1, (size_t)(r->works - i - 1) * sizeof *r->work);
            r->works--;
            return;
        }
}

static void preempt(struct llm_replica *r, struct llm_seq *s)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    bool swaps = c->preemption == LLM_SWAP && s->place == LLM_DECODING;
    double bytes;

    if (s->place == LLM_DECODING) {
        llm_decode_leave(r, s);
        s->target = s->input + s->made - (swaps ? 1 : 0); /* what is swapped need not be computed */
    } else {
        llm_list_remove(s->place == LLM_STAGED ? &r->staged : &r->prefilling, s);
        forget_work(r, s);
    }
    bytes = (double)(s->own * c->block_tokens) * c->kv_token_bytes;
    llm_release(r, s);
    r->engine->count.preemptions++;
    if (swaps) {
        r->extra_s += bytes / c->host_bw;
        llm_list_append(&r->swapped, s, LLM_SWAPPED);
    } else {
        s->computed = 0;
        r->pending_tokens += s->target;
        wait_in_line(&r->waiting, s, true);
    }
}

/* Others give way, the one admitted last first, but never `keep` for its own sake. */
bool llm_make_room(struct llm_replica *r, long blocks, const struct llm_seq *keep)
{
    while (!llm_kv_has(&r->kv, blocks)) {
        struct llm_seq *victim = least_urgent(r);

        if (victim == NULL || victim == keep)
            return false;
        preempt(r, victim);
        if (keep == NULL) /* for those that decode: they may have become fewer */
            return false;
    }
    return true;
}

/* ------------------------------------------------------------ admission */

struct offer { /* what admitting a sequence would take */
    struct llm_prefix prefix;
    long tokens, blocks;
};

/* What admission leaves alone: the watermark, and what those that decode take in the next step. */
static long spare_blocks(const struct llm_replica *r)
{
    const struct llm_serving_cfg *c = r->engine->cfg;

    return r->running == 0 ? 0 : (long)(c->watermark * (double)r->kv.total) + llm_decode_growth(r, 1);
}

/* False when it does not fit now. */
static bool make_offer(const struct llm_replica *r, const struct llm_seq *s, long budget, struct offer *o)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    const struct request *q = s->visit->it.request;
    bool chunks = c->policy == LLM_CHUNKED || c->policy == LLM_DISAGGREGATED;
    long rest;

    *o = (struct offer){0};
    if (q != NULL && !sets_aside(c))
        o->prefix = llm_kv_find(&r->kv, &s->chain, q->block_tokens, s->input);
    rest = s->target - o->prefix.tokens;
    o->tokens = chunks && rest > budget ? budget : rest;
    if (o->tokens > budget && r->works > 0) /* a prompt longer than the budget goes alone */
        return false;
    o->blocks = blocks_for(r, tokens_to_hold(r, s, o->prefix.tokens + o->tokens) - o->prefix.tokens);
    return llm_kv_has(&r->kv, o->blocks + o->prefix.blocks + spare_blocks(r));
}

static void admit(struct llm_replica *r, struct llm_seq *s, const struct offer *o)
{
    const struct llm_serving_cfg *c = r->engine->cfg;

    llm_list_remove(&r->waiting, s);
    r->pending_tokens -= s->target;
    if (o->prefix.pieces > 0)
        llm_kv_hold(&r->kv, &s->chain, o->prefix.pieces);
    if (isnan(s->scheduled_s)) { /* a prompt counts once: coming back after preemption is another matter */
        r->kv.asked_tokens += (uint64_t)s->target;
        r->kv.hit_tokens += (uint64_t)o->prefix.tokens;
        s->scheduled_s = r->engine->sim->now;
    }
    r->extra_s += (double)o->prefix.host_tokens * c->kv_token_bytes / c->host_bw;
    llm_kv_take(&r->kv, o->blocks);
    s->own = o->blocks;
    s->shared_tokens = o->prefix.tokens;
    s->computed = o->prefix.tokens;
    enroll(r, s);
}

bool llm_could_admit(const struct llm_replica *r)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    struct offer o;

    if (r->waiting.first == NULL || r->running >= c->max_batch || r->swapped.n > 0)
        return false;
    return c->policy != LLM_STATIC && make_offer(r, r->waiting.first, c->max_tokens, &o);
}

/* ------------------------------------------------------------ batches */

static void add_work(struct llm_replica *r, struct llm_seq *s, long tokens)
{
    if (r->works == r->work_room) {
        long room = r->work_room == 0 ? 16 : r->work_room * 2;
        struct llm_work *work = arena_array(r->engine->sim->arena, (size_t)room, sizeof *work);

        if (r->works > 0)
            memcpy(work, r->work, (size_t)r->works * sizeof *work);
        r->work = work;
        r->chunk = arena_array(r->engine->sim->arena, (size_t)room, sizeof *r->chunk);
        r->work_room = room;
    }
    r->work[r->works++] = (struct llm_work){s, tokens};
}

/* Admits whoever fits, in order; each brings its prompt, or what is left of the budget. */
static long admit_prompts(struct llm_replica *r, long budget)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    struct llm_seq *s;
    struct offer o;

    while (budget > 0 && (s = r->waiting.first) != NULL && r->running < c->max_batch && r->swapped.n == 0 &&
           make_offer(r, s, budget, &o)) {
        admit(r, s, &o);
        llm_list_append(&r->prefilling, s, LLM_PREFILLING);
        add_work(r, s, o.tokens);
        budget -= o.tokens;
    }
    return budget;
}

/* Prompts begun earlier go on; their memory grows by the chunk. */
static long continue_prompts(struct llm_replica *r, long budget)
{
    for (struct llm_seq *s = r->prefilling.first, *next; s != NULL && budget > 0; s = next) {
        long tokens = s->target - s->computed < budget ? s->target - s->computed : budget;
        long blocks = blocks_for(r, tokens_to_hold(r, s, s->computed + tokens) - s->shared_tokens) - s->own;

        next = s->next;
        if (blocks > 0 && !llm_make_room(r, blocks, s))
            break;
        next = s->next; /* making room may have taken the one that came after */
        if (blocks > 0) {
            llm_kv_take(&r->kv, blocks);
            s->own += blocks;
        }
        add_work(r, s, tokens);
        budget -= tokens;
    }
    return budget;
}

static long decode_tokens(const struct llm_replica *r)
{
    return r->n * (1 + r->engine->cfg->draft_tokens);
}

static void swap_in(struct llm_replica *r)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    struct llm_seq *s;

    while ((s = r->swapped.first) != NULL && r->running < c->max_batch) {
        long blocks = blocks_for(r, s->target + 1);

        if (!llm_kv_has(&r->kv, blocks + spare_blocks(r)))
            return;
        llm_list_remove(&r->swapped, s);
        llm_kv_take(&r->kv, blocks);
        s->own = blocks;
        enroll(r, s);
        r->extra_s += (double)(blocks * c->block_tokens) * c->kv_token_bytes / c->host_bw;
        llm_decode_join(r, s);
    }
}

/* Their KV has come over the link; their blocks were taken before it set out. */
static void take_landed(struct llm_replica *r)
{
    struct llm_seq *s;

    while ((s = r->landed.first) != NULL) {
        llm_list_remove(&r->landed, s);
        enroll(r, s);
        llm_decode_join(r, s);
    }
}

static void compose_chunked(struct llm_replica *r)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    bool nothing = r->n == 0 && r->prefilling.n == 0 && r->staged.n == 0;
    long budget = c->max_tokens - decode_tokens(r);
    struct llm_seq *s;

    r->decoding = r->n > 0;
    while ((s = r->staged.first) != NULL) {
        llm_list_remove(&r->staged, s);
        llm_list_append(&r->prefilling, s, LLM_PREFILLING);
    }
    budget = continue_prompts(r, budget);
    if (!c->async_scheduling || nothing)
        admit_prompts(r, budget);
}

static void compose_static(struct llm_replica *r)
{
    r->decoding = r->n > 0;
    if (r->n > 0 || r->done.n > 0)
        return;
    admit_prompts(r, LONG_MAX / 2);
    r->static_n = r->works;
}

/* The budget of Orca is its number of slots. */
static void compose_orca(struct llm_replica *r)
{
    r->decoding = r->n > 0;
    admit_prompts(r, LONG_MAX / 2);
}

static void compose_vllm(struct llm_replica *r)
{
    admit_prompts(r, r->engine->cfg->max_tokens);
    r->decoding = r->works == 0 && r->n > 0;
}

void llm_compose(struct llm_replica *r)
{
    const struct llm_serving_cfg *c = r->engine->cfg;

    r->works = 0;
    swap_in(r);
    take_landed(r);
    while (r->n > 0 && !llm_kv_has(&r->kv, llm_decode_growth(r, 1)))
        llm_make_room(r, llm_decode_growth(r, 1), NULL);
    switch ((enum llm_policy)c->policy) {
    case LLM_STATIC:
        compose_static(r);
        break;
    case LLM_ORCA:
        compose_orca(r);
        break;
    case LLM_VLLM:
        compose_vllm(r);
        break;
    default:
        compose_chunked(r);
    }
    while (r->decoding && r->n > 0 && !llm_kv_has(&r->kv, llm_decode_growth(r, 1)))
        llm_make_room(r, llm_decode_growth(r, 1), NULL); /* the chunks may have taken what they needed */
    r->decoding = r->decoding && r->n > 0;
}

/* The batch of the iteration after this one: prompts that end now will decode then, chunks go on. */
void llm_stage(struct llm_replica *r)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    long budget = c->max_tokens - decode_tokens(r), taken = 0;
    struct llm_seq *s;
    struct offer o;

    for (s = r->prefilling.first; s != NULL; s = s->next)
        taken += s->target - s->computed;
    for (long i = 0; i < r->works; i++) {
        bool ends = r->work[i].seq->computed + r->work[i].tokens == r->work[i].seq->target;

        taken += (ends ? 1 + c->draft_tokens : 0) - r->work[i].tokens;
    }
    budget -= taken;
    while (budget > 0 && (s = r->waiting.first) != NULL && r->running < c->max_batch && r->swapped.n == 0 &&
           make_offer(r, s, budget, &o)) {
        admit(r, s, &o);
        llm_list_append(&r->staged, s, LLM_STAGED);
        budget -= o.tokens;
    }
}
