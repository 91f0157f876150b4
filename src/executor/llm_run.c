#include "executor/llm_run.h"

#include "base/arena.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A sequence, from coming to leaving. */
struct llm_seq_run {
    struct llm_job *job;
    uint32_t *token; /* prompt, then answer */
    long input, output, made;
    long target, computed; /* prompt tokens to compute (after preemption: also what was answered), done */
    long *block;
    long blocks, shared; /* in use; of these, how many were found in or given to the cache of prefixes */
    uint64_t *hash;      /* of the prompt's whole blocks */
    long hashes;
    struct llm_seq_run *next; /* waiting, or spare */
};

struct llm_run {
    struct llm_serving_cfg c;
    struct llm_shape shape;
    long most_context, most_blocks; /* of one sequence */
    struct transformer *model;
    struct kv_cache *kv;
    struct span_buf *spans;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct llm_job *first_job, **last_job; /* not yet seen by the engine */
    bool closed;
    struct llm_seq_run *waiting, **last_waiting, *spare;
    struct llm_seq_run **running; /* in the order of admission */
    long n, works;                /* running; of the iteration's parts, prompts */
    struct forward_part *part;    /* of the iteration */
    struct llm_seq_run **of;      /* whose */
    long parts, room;
    bool decoding;
    struct llm_counts count;
};

int llm_run_check(const struct llm_serving_cfg *c, const struct llm_shape *s, const char *where,
                  struct err *err)
{
    if (c->policy == LLM_STATIC || c->policy == LLM_DISAGGREGATED)
        return err_set(err, ERR_SCENARIO, "%s.policy: the executor runs vllm, orca and chunked", where);
    if (c->kv_blocks < 1)
        return err_set(
            err, ERR_SCENARIO,
            "%s.kv_blocks: the executor needs to know how many KV blocks to set up, for example 512", where);
    if (c->replicas > 1 || c->tp * c->pp * c->ep > 1)
        return err_set(err, ERR_SCENARIO,
                       "%s.replicas, .tp, .pp, .ep: the executor runs one engine on one core", where);
    if (c->preemption == LLM_SWAP || c->draft_tokens > 0 || c->async_scheduling || c->min_replicas > 0)
        return err_set(
            err, ERR_SCENARIO,
            "%s: swap, draft_tokens, async_scheduling and min_replicas have no twin in the executor", where);
    return transformer_check(s, where, err);
}

/* --------------------------------------------------------------------------------- coming and going */

/* OpenBLAS makes its work space on first use; that belongs before the clock starts. */
static void warm_up(struct llm_run *r)
{
    uint32_t token[2] = {0, 1};
    long block;
    struct forward_part part = {.token = token, .n = 2, .block = &block, .wants_token = true};

    ASSERT(kv_cache_take(r->kv, 1, &block));
    transformer_forward(r->model, r->kv, &part, 1, NULL);
    kv_cache_release(r->kv, &block, 1);
}

/* orca has no budget but its slots. */
long llm_run_most_tokens(const struct llm_serving_cfg *c, long most_context)
{
    long budget = c->policy == LLM_ORCA ? c->max_batch * most_context : c->max_tokens;

    return budget > most_context ? budget : most_context;
}

struct llm_run *llm_run_new(const struct llm_serving_cfg *c, const struct llm_shape *s, long most_context,
                            uint64_t seed, struct span_buf *spans)
{
    struct llm_run *r = xcalloc(1, sizeof *r);
    r->c = *c;
    r->shape = *s;
    r->most_context = most_context;
    r->most_blocks = (most_context + c->block_tokens - 1) / c->block_tokens;
    r->room = llm_run_most_tokens(c, most_context);
    r->model = transformer_new(s, r->room + c->max_batch, most_context, seed);
    r->kv = kv_cache_new(c->kv_blocks, c->block_tokens, s->layers, s->kv_heads * s->head_dim);
    r->spans = spans;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->came, NULL);
    r->last_job = &r->first_job;
    r->last_waiting = &r->waiting;
    r->running = xcalloc((size_t)c->max_batch, sizeof(struct llm_seq_run *));
    r->part = xcalloc((size_t)c->max_batch, sizeof *r->part);
    r->of = xcalloc((size_t)c->max_batch, sizeof(struct llm_seq_run *));
    warm_up(r);
    return r;
}

static void seq_free(struct llm_seq_run *s)
{
    free(s->token);
    free(s->block);
    free(s->hash);
    free(s);
}

void llm_run_free(struct llm_run *r)
{
    if (r == NULL)
        return;
    ASSERT(r->n == 0 && r->waiting == NULL);
    for (struct llm_seq_run *s = r->spare, *next; s != NULL; s = next) {
        next = s->next;
        seq_free(s);
    }
    transformer_free(r->model);
    kv_cache_free(r->kv);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->came);
    free(r->running);
    free(r->part);
    free(r->of);
    free(r);
}

void llm_run_ask(struct llm_run *r, struct llm_job *job)
{
    ASSERT(job->prompt_n > 0 && job->output_n > 0 && job->prompt_n + job->output_n <= r->most_context);
    job->came_s = clock_wall_s();
    job->scheduled_s = job->first_s = job->done_s = NAN;
    job->next = NULL;
    pthread_mutex_lock(&r->lock);
    *r->last_job = job;
    r->last_job = &job->next;
    pthread_cond_signal(&r->came);
    pthread_mutex_unlock(&r->lock);
}

void llm_run_close(struct llm_run *r)
{
    pthread_mutex_lock(&r->lock);
    r->closed = true;
    pthread_cond_signal(&r->came);
    pthread_mutex_unlock(&r->lock);
}

struct llm_counts llm_run_counts(const struct llm_run *r)
{
    return r->count;
}

static struct llm_seq_run *seq_new(struct llm_run *r)
{
    struct llm_seq_run *s = r->spare;

    if (s != NULL) {
        r->spare = s->next;
        return s;
    }
    s = xcalloc(1, sizeof *s);
    s->token = xcalloc((size_t)r->most_context, sizeof *s->token);
    s->block = xcalloc((size_t)r->most_blocks, sizeof *s->block);
    s->hash = xcalloc((size_t)r->most_blocks, sizeof *s->hash);
    return s;
}

static void name_blocks(const struct llm_run *r, struct llm_seq_run *s)
{
    uint64_t before = 0;

    s->hashes = s->job->caches && r->c.prefix_cache ? s->input / r->c.block_tokens : 0;
    for (long i = 0; i < s->hashes; i++)
        s->hash[i] = before = kv_cache_hash(before, s->token + i * r->c.block_tokens, r->c.block_tokens);
}

static void take_job(struct llm_run *r, struct llm_job *job)
{
    struct llm_seq_run *s = seq_new(r);

    s->job = job;
    s->input = s->target = job->prompt_n;
    s->output = job->output_n;
    s->made = s->computed = s->blocks = s->shared = 0;
    memcpy(s->token, job->prompt, (size_t)s->input * sizeof *s->token);
    name_blocks(r, s);
    s->next = NULL;
    *r->last_waiting = s;
    r->last_waiting = &s->next;
}

/* What has come since; waits for something while there is nothing to do.  False: closed and all done. */
static bool take_jobs(struct llm_run *r)
{
    struct llm_job *job;

    pthread_mutex_lock(&r->lock);
    while (r->first_job == NULL && r->n == 0 && r->waiting == NULL && !r->closed)
        pthread_cond_wait(&r->came, &r->lock);
    job = r->first_job;
    r->first_job = NULL;
    r->last_job = &r->first_job;
    pthread_mutex_unlock(&r->lock);
    for (struct llm_job *next; job != NULL; job = next) {
        next = job->next;
        take_job(r, job);
    }
    return r->n > 0 || r->waiting != NULL;
}

/* ----------------------------------------------------------------------------------------- memory */

static long blocks_for(const struct llm_run *r, long tokens)
{
    return (tokens + r->c.block_tokens - 1) / r->c.block_tokens;
}

static bool decodes(const struct llm_seq_run *s)
{
    return s->computed >= s->target;
}

/* Tokens in memory when it decodes: all it has said but the last, which is this step's input. */
static long context_of(const struct llm_seq_run *s)
{
    return s->input + s->made - 1;
}

/* Blocks that those who decode take in the next step. */
static long growth(const struct llm_run *r)
{
    long blocks = 0;

    for (long i = 0; i < r->n; i++)
        if (decodes(r->running[i]))
            blocks += blocks_for(r, context_of(r->running[i]) + 1) - r->running[i]->blocks > 0;
    return blocks;
}

static void release(struct llm_run *r, struct llm_seq_run *s)
{
    long i = 0;

    while (r->running[i] != s)
        i++;
    memmove(r->running + i, r->running + i + 1, (size_t)(r->n - i - 1) * sizeof *r->running);
    r->n--;
    kv_cache_release(r->kv, s->block, s->blocks);
    s->blocks = s->shared = 0;
}

static void forget_part(struct llm_run *r, const struct llm_seq_run *s)
{
    for (long i = 0; i < r->parts; i++)
        if (r->of[i] == s) {
            memmove(r->part + i, r->part + i + 1, (size_t)(r->parts - i - 1) * sizeof *r->part);
            memmove(r->of + i, r->of + i + 1, (size_t)(r->parts - i - 1) * sizeof *r->of);
            r->parts--;
            r->works -= i < r->works;
            return;
        }
}

/* The one admitted last gives up its memory; prompt and answer so far will be computed again. */
static void preempt(struct llm_run *r)
{
    struct llm_seq_run *s = r->running[r->n - 1];

    ASSERT(r->n > 1); /* one alone always fits: checked when the plan was made */
    forget_part(r, s);
    release(r, s);
    s->target = s->input + s->made;
    s->computed = 0;
    s->next = r->waiting;
    r->waiting = s;
    if (s->next == NULL)
        r->last_waiting = &s->next;
    r->count.preempted++;
}

/* Blocks for the first `tokens` tokens of a running sequence; false: it was itself the last to be admitted.
 */
static bool hold(struct llm_run *r, struct llm_seq_run *s, long tokens)
{
    long more = blocks_for(r, tokens) - s->blocks;

    while (more > 0 && !kv_cache_take(r->kv, more, s->block + s->blocks)) {
        if (r->running[r->n - 1] == s)
            return false;
        preempt(r);
    }
    s->blocks += more > 0 ? more : 0;
    return true;
}

/* -------------------------------------------------------------------------------------- admission */

struct offer { /* what admitting a sequence would take */
    long shared, tokens, blocks;
};

/* What admission leaves alone: the watermark, and what those that decode take in the next step. */
static long spare_blocks(const struct llm_run *r)
{
    return r->n == 0 ? 0 : (long)(r->c.watermark * (double)r->c.kv_blocks) + growth(r);
}

/* The last token is always computed: the first token of the answer comes from it. */
static bool make_offer(const struct llm_run *r, const struct llm_seq_run *s, long budget, struct offer *o)
{
    long most = (s->input - 1) / r->c.block_tokens, unused, rest, hold_tokens;
    bool aside = r->c.policy == LLM_ORCA;

    *o = (struct offer){0};
    o->shared = aside ? 0 : kv_cache_find(r->kv, s->hash, s->hashes < most ? s->hashes : most, &unused);
    if (aside)
        unused = 0;
    rest = s->target - o->shared * r->c.block_tokens;
    o->tokens = r->c.policy == LLM_CHUNKED && rest > budget ? budget : rest;
    if (o->tokens > budget && r->works > 0) /* a prompt longer than the budget goes alone */
        return false;
    hold_tokens = aside                        ? s->input + s->output
                  : r->c.policy == LLM_CHUNKED ? o->shared * r->c.block_tokens + o->tokens
                                               : s->target;
    o->blocks = blocks_for(r, hold_tokens) - o->shared;
    return kv_cache_available(r->kv) >= o->blocks + unused + spare_blocks(r);
}

static void add_part(struct llm_run *r, struct llm_seq_run *s, long tokens)
{
    long i = r->parts++;

    r->of[i] = s;
    r->part[i] = (struct forward_part){.token = s->token + s->computed,
                                       .n = tokens,
                                       .context = s->computed,
                                       .block = s->block,
                                       .wants_token = s->computed + tokens >= s->target};
}

static void admit(struct llm_run *r, struct llm_seq_run *s, const struct offer *o)
{
    r->waiting = s->next;
    if (r->waiting == NULL)
        r->last_waiting = &r->waiting;
    r->running[r->n++] = s;
    kv_cache_share(r->kv, s->hash, o->shared, s->block);
    ASSERT(kv_cache_take(r->kv, o->blocks, s->block + o->shared));
    s->shared = o->shared;
    s->blocks = o->shared + o->blocks;
    s->computed = o->shared * r->c.block_tokens;
    if (isnan(
            s->job->scheduled_s)) { /* a prompt counts once: coming back after preemption is another matter */
        s->job->scheduled_s = clock_wall_s();
        r->count.prompt_tokens += (uint64_t)s->target;
        r->count.cached_tokens += (uint64_t)s->computed;
    }
    add_part(r, s, o->tokens);
    r->works++;
}

static long admit_prompts(struct llm_run *r, long budget)
{
    struct offer o;

    while (budget > 0 && r->waiting != NULL && r->n < r->c.max_batch &&
           make_offer(r, r->waiting, budget, &o)) {
        admit(r, r->waiting, &o);
        budget -= o.tokens;
    }
    return budget;
}

/* ---------------------------------------------------------------------------------------- batches */

/* Prompts begun earlier go on. */
static long continue_prompts(struct llm_run *r, long budget)
{
    for (long i = 0; i < r->n && budget > 0; i++) {
        struct llm_seq_run *s = r->running[i];
        long rest = s->target - s->computed, tokens = rest < budget ? rest : budget;

        if (decodes(s))
            continue;
        if (!hold(r, s, s->computed + tokens))
            break;
        add_part(r, s, tokens);
        r->works++;
        budget -= tokens;
    }
    return budget;
}

static void add_decodes(struct llm_run *r)
{
    r->decoding = false;
    for (long i = 0; i < r->n; i++) {
        struct llm_seq_run *s = r->running[i];

        if (!decodes(s) || !hold(r, s, context_of(s) + 1))
            continue;
        r->of[r->parts] = s;
        r->part[r->parts++] = (struct forward_part){.token = s->token + s->input + s->made - 1,
                                                    .n = 1,
                                                    .context = context_of(s),
                                                    .block = s->block,
                                                    .wants_token = true};
        r->decoding = true;
    }
}

static long decoding_n(const struct llm_run *r)
{
    long n = 0;

    for (long i = 0; i < r->n; i++)
        n += decodes(r->running[i]);
    return n;
}

/* Those who decode need their blocks before anybody else is let in. */
static void make_room_for_decodes(struct llm_run *r)
{
    while (growth(r) > kv_cache_available(r->kv))
        preempt(r);
}

static void compose(struct llm_run *r)
{
    r->parts = r->works = 0;
    r->decoding = false;
    make_room_for_decodes(r);
    if (r->c.policy == LLM_CHUNKED)
        admit_prompts(r, continue_prompts(r, r->c.max_tokens - decoding_n(r)));
    else
        admit_prompts(r, r->c.policy == LLM_ORCA ? r->room : r->c.max_tokens);
    if (r->c.policy != LLM_VLLM || r->works == 0)
        add_decodes(r);
}

/* ------------------------------------------------------------------------------------- iterations */

/* What the iteration's parts took, with the sizes that operator tables have. */
static void record(struct llm_run *r, const struct forward_times *t)
{
    double tokens = 0, chunk = 0, chunk_context = 0, decoded = 0, context = 0, head = 0;

    for (long i = 0; i < r->parts; i++) {
        const struct forward_part *p = &r->part[i];

        tokens += (double)p->n;
        head += p->wants_token;
        *(i < r->works ? &chunk : &decoded) += (double)p->n;
        *(i < r->works ? &chunk_context : &context) += (double)p->context;
    }
    span_part(r->spans, forward_op_names[FORWARD_EMBEDDING], -1, t->s[FORWARD_EMBEDDING], tokens, NAN);
    span_part(r->spans, forward_op_names[FORWARD_LAYERS], -1, t->s[FORWARD_LAYERS], tokens, NAN);
    if (chunk > 0)
        span_part(r->spans, forward_op_names[FORWARD_PREFILL], -1, t->s[FORWARD_PREFILL], chunk,
                  r->works == 1 ? chunk_context : NAN); /* of several no single size tells */
    if (decoded > 0)
        span_part(r->spans, forward_op_names[FORWARD_DECODE], -1, t->s[FORWARD_DECODE], decoded,
                  context / decoded);
    span_part(r->spans, forward_op_names[FORWARD_HEAD], -1, t->s[FORWARD_HEAD], head, NAN);
}

/* The prompt's whole blocks are there for others; a block that another sequence gave first stays private, and
 * so does what follows it. */
static void publish(struct llm_run *r, struct llm_seq_run *s)
{
    while (s->shared < s->hashes && kv_cache_publish(r->kv, s->block[s->shared], s->hash[s->shared]))
        s->shared++;
}

static void finish(struct llm_run *r, struct llm_seq_run *s)
{
    struct llm_job *job = s->job;

    release(r, s);
    s->next = r->spare;
    r->spare = s;
    job->done_s = clock_wall_s();
    if (job->answer != NULL)
        memcpy(job->answer, s->token + s->input, (size_t)s->output * sizeof *job->answer);
    job->done(job);
}

static void take_token(struct llm_run *r, struct llm_seq_run *s, uint32_t token)
{
    s->token[s->input + s->made++] = token;
    r->count.answer_tokens++;
    if (isnan(s->job->first_s))
        s->job->first_s = clock_wall_s();
    if (s->made >= s->output)
        finish(r, s);
}

static void hand_out(struct llm_run *r)
{
    for (long i = 0; i < r->parts; i++) {
        struct llm_seq_run *s = r->of[i];

        if (i < r->works) {
            s->computed += r->part[i].n;
            if (!decodes(s))
                continue;
            if (r->c.policy != LLM_ORCA)
                publish(r, s);
        }
        take_token(r, s, r->part[i].next);
    }
}

static const char *kind_of(const struct llm_run *r)
{
    return r->works == 0 ? "decode" : r->decoding ? "mixed" : "prefill";
}

static void iterate(struct llm_run *r)
{
    struct forward_times times = {{0}};
    double cpu_s;
    long tokens = 0, parts;

    span_begin(r->spans);
    cpu_s = clock_cpu_s();
    compose(r);
    ASSERT(r->parts > 0);
    for (long i = 0; i < r->parts; i++)
        tokens += r->part[i].n;
    transformer_forward(r->model, r->kv, r->part, r->parts, &times);
    parts = r->parts;
    record(r, &times);
    hand_out(r);
    cpu_s = clock_cpu_s() - cpu_s;
    r->count.iterations++;
    r->count.cpu_s += cpu_s;
    for (int op = 0; op < FORWARD_OPS; op++)
        cpu_s -= times.s[op];
    span_part(r->spans, "schedule", -1, cpu_s, (double)parts, NAN);
    span_end(r->spans, kind_of(r), -1, (double)tokens, NAN, NAN);
}

void llm_run_serve(struct llm_run *r)
{
    while (take_jobs(r))
        iterate(r);
}
