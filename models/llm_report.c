/*
 * llm_report.c - an engine opens, is measured, tells what only it knows, and is held to its laws.
 */
#include "models/llm_engine.h"

#include <math.h>
#include <string.h>

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
    e->since_s = e->sim->now;
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

/*
 * What the requests served took at least, at the best batch there could be, of the time the accelerators had:
 * how far the load is from the most they can do.  That an engine is busy says nothing: it also runs small
 * batches all the time.  Prompts found in the cache count as not computed.
 */
static double least_load(const struct llm_engine *e, double hit_frac)
{
    const struct llm_serving_cfg *c = e->cfg;
    double n = (double)e->count.requests, input = ratio(e->count.input_tokens, n),
           steps = (ratio(e->count.output_tokens, n) - 1) / c->step_tokens, window = e->sim->now - e->since_s,
           tokens = c->policy == LLM_CHUNKED ? (double)c->max_tokens : fmax((double)c->max_tokens, 65536);

    if (n == 0 || window <= 0)
        return 0;
    return n *
           (llm_cost_least_prefill(&c->cost, fmax(1, input * (1 - hit_frac)), tokens, llm_mixes(c)) +
            steps * llm_cost_least_decode(&c->cost, input, (double)c->max_batch, tokens, llm_mixes(c))) /
           (window * (double)e->replicas);
}

static int report(const void *state, struct figure *out, int room)
{
    const struct llm_engine *e = state;
    const struct llm_counts *k = &e->count;
    double used = 0, asked = 0, hits = 0, total = (double)e->cfg->blocks, steps = (double)k->steps;
    const struct figure all[] = {
        {"batch_mean", ratio(k->sequences, steps)},
        {"batch_slots_frac", ratio(k->sequences, steps * (double)e->cfg->max_batch)},
        {"load_frac", 0},
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
        if (strcmp(out[i].name, "load_frac") == 0)
            out[i].value = least_load(e, ratio(hits, asked));
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
    .arrive = llm_arrive,
    .withdraw = llm_withdraw,
    .pass = llm_pass,
    .begin_measuring = begin_measuring,
    .report = report,
    .assert_laws = assert_laws,
};
