#include "executor/llm_run.h"

#include "base/arena.h"
#include "executor/llm_run_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

    llm_run_release(r, s);
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
            if (!llm_run_decodes(s))
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
    llm_run_compose(r);
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
