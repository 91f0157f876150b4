/*
 * llm_decode.c - the sequences that decode, known only in sum.
 *
 *   step    how many decode steps the replica has made; a sequence that joins at step j with m tokens to go
 *           ends at step j + ceil(m / tokens per step)
 *   blocks  a sequence whose last block has room for f more tokens takes a block at step j + f, then every
 *           `period` steps: counted by those steps modulo the period
 */
#include "models/llm_engine.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ the heap of ends */

static bool sooner(const struct llm_seq *a, const struct llm_seq *b)
{
    return a->end_step < b->end_step || (a->end_step == b->end_step && a->join_step < b->join_step);
}

static void put(struct llm_replica *r, long i, struct llm_seq *s)
{
    r->end[i] = s;
    s->heap = i;
}

static void sift(struct llm_replica *r, long i)
{
    struct llm_seq *s = r->end[i];
    long child;

    while (i > 0 && sooner(s, r->end[(i - 1) / 2])) {
        put(r, i, r->end[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    while ((child = 2 * i + 1) < r->n) {
        if (child + 1 < r->n && sooner(r->end[child + 1], r->end[child]))
            child++;
        if (!sooner(r->end[child], s))
            break;
        put(r, i, r->end[child]);
        i = child;
    }
    put(r, i, s);
}

static void heap_grow(struct llm_replica *r)
{
    long room = r->end_room == 0 ? 64 : r->end_room * 2;
    struct llm_seq **end = arena_array(r->engine->sim->arena, (size_t)room, sizeof(struct llm_seq *));

    if (r->n > 0)
        memcpy(end, r->end, (size_t)r->n * sizeof *end);
    r->end = end;
    r->end_room = room;
}

struct llm_seq *llm_decode_next_end(const struct llm_replica *r)
{
    return r->n > 0 ? r->end[0] : NULL;
}

/* ------------------------------------------------------------ joining and leaving */

static void count_block_steps(struct llm_replica *r, struct llm_seq *s)
{
    const struct llm_engine *e = r->engine;
    long room = s->own * r->kv.block_tokens + s->shared_tokens - s->target;
    long steps = (long)((double)room / e->cfg->step_tokens);

    s->phase = -1;
    if (s->end_step - s->join_step <= (uint64_t)steps)
        return;
    s->phase = (long)((s->join_step + (uint64_t)steps) % (uint64_t)e->period);
    r->phase[s->phase]++;
    r->growing++;
}

void llm_decode_join(struct llm_replica *r, struct llm_seq *s)
{
    const struct llm_engine *e = r->engine;
    long left = s->output - s->made;

    if (r->n == r->end_room)
        heap_grow(r);
    s->place = LLM_DECODING;
    s->join_step = r->step;
    s->end_step = r->step + (uint64_t)ceil((double)left / e->cfg->step_tokens);
    s->key = llm_context(s) - (double)r->step * e->cfg->step_tokens;
    count_block_steps(r, s);
    r->context += llm_context(s);
    put(r, r->n, s);
    r->n++;
    sift(r, s->heap);
    if (r->longest == NULL || s->key > r->longest->key)
        r->longest = s;
}

/* Blocks that the sequence has taken since it joined: one for each of its steps that has passed. */
static long taken(const struct llm_replica *r, const struct llm_seq *s)
{
    uint64_t period = (uint64_t)r->engine->period, first;

    if (s->phase < 0)
        return 0;
    first = s->join_step + ((uint64_t)s->phase + period - s->join_step % period) % period;
    return r->step <= first ? 0 : (long)((r->step - 1 - first) / period + 1);
}

static void find_longest(struct llm_replica *r)
{
    r->longest = NULL;
    for (long i = 0; i < r->n; i++)
        if (r->longest == NULL || r->end[i]->key > r->longest->key ||
            (r->end[i]->key == r->longest->key && r->end[i]->join_step < r->longest->join_step))
            r->longest = r->end[i];
}

void llm_decode_leave(struct llm_replica *r, struct llm_seq *s)
{
    struct llm_engine *e = r->engine;
    uint64_t steps = r->step - s->join_step;
    long at = s->heap;

    s->own += taken(r, s);
    if (s->phase >= 0) {
        r->phase[s->phase]--;
        r->growing--;
    }
    s->made = (long)fmin((double)s->output, (double)s->made + (double)steps * e->cfg->step_tokens);
    r->context -= llm_context(s) + (double)steps * e->cfg->step_tokens;
    e->decoded_out += steps;
    r->n--;
    if (at < r->n) {
        put(r, at, r->end[r->n]);
        sift(r, at);
    }
    if (r->n == 0)
        r->context = 0; /* sums of fractions leave dust */
    if (r->longest == s)
        find_longest(r);
    s->place = LLM_NOWHERE;
}

double llm_decode_longest(const struct llm_replica *r)
{
    return r->longest == NULL ? 0 : r->longest->key + (double)r->step * r->engine->cfg->step_tokens;
}

/* ------------------------------------------------------------ going on */

long llm_decode_growth(const struct llm_replica *r, long steps)
{
    long period = r->engine->period, blocks = steps / period * r->growing,
         at = (long)(r->step % (uint64_t)period);

    if (r->growing == 0)
        return 0;
    for (long i = steps % period; i > 0; i--) {
        blocks += r->phase[at];
        at = at + 1 == period ? 0 : at + 1;
    }
    return blocks;
}

long llm_decode_steps(const struct llm_replica *r, long most)
{
    long period = r->engine->period, room = r->kv.free + r->kv.cached, lo, hi = most;

    if (r->growing == 0 || (most / period + 1) * r->growing <= room)
        return most;
    for (lo = 0; lo < hi;) { /* growth never falls with steps */
        long mid = lo + (hi - lo + 1) / 2;

        if (llm_decode_growth(r, mid) <= room)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

void llm_decode_advance(struct llm_replica *r, long steps)
{
    llm_kv_take(&r->kv, llm_decode_growth(r, steps));
    r->step += (uint64_t)steps;
    r->context += (double)(r->n * steps) * r->engine->cfg->step_tokens;
    r->engine->decoded += (uint64_t)(r->n * steps);
}
