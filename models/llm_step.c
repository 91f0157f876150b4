/*
 * llm_step.c - how long the iteration, or the jump over equal ones, takes.
 *
 * Iteration i of a jump takes at_s + slope_s i: contexts grow by one step's tokens each time, and between two
 * knots of the table time is a line in the context.  A jump ends where something may change.
 */
#include "models/llm_engine.h"

#include <math.h>

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
    b->longest = llm_cost_minds_longest(&c->cost) ? llm_decode_longest(r) : b->context;
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
bool llm_takes_turns(const struct llm_engine *e)
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
    r->jump = llm_takes_turns(r->engine) || r->staged.n > 0 ? 1 : jump_length(r, &line, b->context, cpu_s);
}

void llm_time_batch(struct llm_replica *r)
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

double llm_jump_s(const struct llm_replica *r, long steps)
{
    double k = (double)steps;

    return k * r->at_s + r->slope_s * k * (k - 1) / 2;
}
