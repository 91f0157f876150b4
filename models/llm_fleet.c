/*
 * llm_fleet.c - which replica takes a request, how many are on, and the way from prompt to decode replicas.
 *
 * Load is the number of requests a replica has, waiting or running.  Prefix-aware routing sends a request
 * where the fewest prompt tokens must be computed before its first token: those waiting there and its own
 * that are not cached.
 *
 * Autoscaling: with more than scale_up_queue requests waiting per replica that is on, one more starts; it
 * serves after its cold start.  A replica idle for scale_down_idle is switched off, down to min_replicas.
 */
#include "models/llm_engine.h"

#include <math.h>

/* ------------------------------------------------------------ routing */

static long load(const struct llm_replica *r)
{
    return r->waiting.n + r->running + r->handed.n + r->travelling + r->landed.n + r->swapped.n;
}

static bool takes_prompts(const struct llm_replica *r)
{
    return r->prefills && r->power == LLM_ON;
}

static struct llm_replica *next_in_turn(struct llm_engine *e)
{
    struct llm_replica *r;

    do {
        r = &e->replica[e->next];
        e->next = (e->next + 1) % e->replicas;
    } while (!takes_prompts(r));
    return r;
}

static struct llm_replica *least_loaded(struct llm_engine *e, bool (*takes)(const struct llm_replica *))
{
    struct llm_replica *best = NULL;

    for (long i = 0; i < e->replicas; i++)
        if (takes(&e->replica[i]) && (best == NULL || load(&e->replica[i]) < load(best)))
            best = &e->replica[i];
    return best;
}

static struct llm_replica *soonest_prompt(struct llm_engine *e, const struct llm_seq *s)
{
    const struct request *q = s->visit->it.request;
    struct llm_replica *best = NULL;
    long least = 0;

    if (q == NULL || q->blocks == NULL)
        return least_loaded(e, takes_prompts);
    for (long i = 0; i < e->replicas; i++) {
        struct llm_replica *r = &e->replica[i];
        struct llm_prefix p;
        long tokens;

        if (!takes_prompts(r))
            continue;
        p = llm_kv_find(&r->kv, &s->chain, q->block_tokens, s->input);
        tokens = r->pending_tokens + s->input - p.tokens;
        if (best == NULL || tokens < least || (tokens == least && load(r) < load(best))) {
            best = r;
            least = tokens;
        }
    }
    return best;
}

struct llm_replica *llm_route(struct llm_engine *e, const struct llm_seq *s)
{
    if (e->replicas == 1)
        return &e->replica[0];
    switch ((enum llm_routing)e->cfg->routing) {
    case LLM_ROUND_ROBIN:
        return next_in_turn(e);
    case LLM_LEAST_LOADED:
        return least_loaded(e, takes_prompts);
    default:
        return soonest_prompt(e, s);
    }
}

/* ------------------------------------------------------------ autoscaling */

static void started(struct sim *sim, void *self, uint64_t arg)
{
    struct llm_replica *r = self;

    (void)sim;
    (void)arg;
    r->power = LLM_ON;
    llm_went_idle(r);
}

static bool scales(const struct llm_engine *e)
{
    return e->cfg->min_replicas > 0 && e->cfg->min_replicas < e->replicas;
}

void llm_scale_up(struct llm_engine *e)
{
    long waiting = 0, on = 0;
    struct llm_replica *off = NULL;

    if (!scales(e))
        return;
    for (long i = 0; i < e->replicas; i++) {
        waiting += e->replica[i].waiting.n;
        on += e->replica[i].power != LLM_OFF;
        if (off == NULL && e->replica[i].power == LLM_OFF)
            off = &e->replica[i];
    }
    if (off == NULL || (double)waiting <= e->cfg->scale_up_queue * (double)on)
        return;
    off->power = LLM_STARTING;
    level_set(&e->on, e->sim->now, (double)on + 1);
    sim_after(e->sim, e->host->instant ? 0 : e->cfg->cold_start, started, off, 0);
}

static void idle_long_enough(struct sim *sim, void *self, uint64_t arg)
{
    struct llm_replica *r = self;
    long on = 0;

    (void)arg;
    r->idle = 0;
    for (long i = 0; i < r->engine->replicas; i++)
        on += r->engine->replica[i].power != LLM_OFF;
    if (on <= r->engine->cfg->min_replicas)
        return;
    r->power = LLM_OFF;
    level_set(&r->engine->on, sim->now, (double)on - 1);
}

void llm_went_idle(struct llm_replica *r)
{
    if (scales(r->engine) && r->idle == 0)
        r->idle = sim_after(r->engine->sim, r->engine->cfg->scale_down_idle, idle_long_enough, r, 0);
}

/* ------------------------------------------------------------ from prompt to decode replicas */

static bool takes_decodes(const struct llm_replica *r)
{
    return r->decodes;
}

void llm_hand_over(struct llm_replica *from, struct llm_seq *s)
{
    struct llm_replica *to = least_loaded(from->engine, takes_decodes);

    s->source = from;
    s->source_own = s->own;
    s->replica = to;
    llm_list_append(&to->handed, s, LLM_HANDED);
    llm_pull(to);
}

static void landed(struct sim *sim, void *self, uint64_t arg)
{
    struct llm_seq *s = self;
    struct llm_replica *to = s->replica, *from = s->source;

    (void)sim;
    (void)arg;
    llm_kv_give(&from->kv, s->source_own);
    llm_kv_drop(&from->kv, &s->chain);
    s->source = NULL;
    s->shared_tokens = 0;
    to->travelling--;
    llm_list_append(&to->landed, s, LLM_LANDED);
    llm_wake(from);
    llm_wake(to);
}

/* Blocks are taken before the KV sets out; the link carries one after the other. */
void llm_pull(struct llm_replica *r)
{
    const struct llm_serving_cfg *c = r->engine->cfg;
    long under_way = llm_decode_growth(r, r->ending != 0 && r->decoding ? r->jump : 1);
    struct llm_seq *s;

    while ((s = r->handed.first) != NULL && r->running + r->travelling + r->landed.n < c->max_batch) {
        long blocks = (s->target + 1 + c->block_tokens - 1) / c->block_tokens;
        double bytes = (double)s->target * c->kv_token_bytes * (double)(c->tp * c->pp), begin, takes;

        if (!llm_kv_has(&r->kv, blocks + under_way))
            return;
        llm_list_remove(&r->handed, s);
        llm_kv_take(&r->kv, blocks);
        s->own = blocks;
        begin = fmax(r->engine->sim->now, r->link_free_s);
        takes = r->engine->host->instant ? 0 : c->transfer_latency + bytes / c->transfer_bw;
        r->link_free_s = begin + takes;
        r->travelling++;
        sim_at(r->engine->sim, r->link_free_s, PRIO_NORMAL, landed, s, 0);
    }
}
