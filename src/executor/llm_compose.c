/*
 * llm_compose.c - who is in the next iteration, and whose memory goes when there is not enough: as
 * models/llm_schedule.c decides it.
 */
#include "executor/llm_run_parts.h"

#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------- memory */

static long blocks_for(const struct llm_run *r, long tokens)
{
    return (tokens + r->c.block_tokens - 1) / r->c.block_tokens;
}

bool llm_run_decodes(const struct llm_seq_run *s)
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
        if (llm_run_decodes(r->running[i]))
            blocks += blocks_for(r, context_of(r->running[i]) + 1) - r->running[i]->blocks > 0;
    return blocks;
}

void llm_run_release(struct llm_run *r, struct llm_seq_run *s)
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
    llm_run_release(r, s);
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

        if (llm_run_decodes(s))
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

        if (!llm_run_decodes(s) || !hold(r, s, context_of(s) + 1))
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
        n += llm_run_decodes(r->running[i]);
    return n;
}

/* Those who decode need their blocks before anybody else is let in. */
static void make_room_for_decodes(struct llm_run *r)
{
    while (growth(r) > kv_cache_available(r->kv))
        preempt(r);
}

void llm_run_compose(struct llm_run *r)
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
