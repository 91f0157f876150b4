#include "pipeline/flow_parts.h"

/* How much of a process has gone by: the period or state it is in, and how long that lasts from the last
 * arrival on. */
struct process_rt {
    int at;
    double left_s;
};

static double stay_of(const struct process *p, int state, struct rng *r)
{
    return p->kind == PROCESS_MMPP ? p->length_s[state] * rng_exponential(r) : p->length_s[state];
}

/* A Markov chain is met in a state as often as it is there; a schedule begins at its beginning. */
static struct process_rt *process_begin(struct stream_rt *st, struct arena *a)
{
    const struct process *p = st->def->process;
    struct process_rt *rt = ARENA_NEW(a, struct process_rt);
    double all = 0, u;

    for (int i = 0; i < p->n; i++)
        all += p->length_s[i];
    if (p->kind == PROCESS_MMPP)
        for (u = all * rng_uniform(&st->rng); rt->at < p->n - 1 && u >= p->length_s[rt->at]; rt->at++)
            u -= p->length_s[rt->at];
    rt->left_s = stay_of(p, rt->at, &st->rng);
    return rt;
}

void stream_begin(struct stream_rt *st, struct arena *a)
{
    if (st->def->process != NULL)
        st->process = process_begin(st, a);
}

/* The next one comes when the rate, added up over time, has reached a gap of mean 1. */
static double process_gap(struct stream_rt *st)
{
    const struct process *p = st->def->process;
    struct process_rt *rt = st->process;
    double need = p->cv == 1   ? rng_exponential(&st->rng)
                  : p->cv == 0 ? 1
                               : rng_gamma(&st->rng, 1, p->cv),
           gap = 0;

    while (need > p->rate_per_s[rt->at] * rt->left_s) {
        need -= p->rate_per_s[rt->at] * rt->left_s;
        gap += rt->left_s;
        rt->at = (rt->at + 1) % p->n;
        rt->left_s = stay_of(p, rt->at, &st->rng);
    }
    rt->left_s -= need / p->rate_per_s[rt->at];
    return gap + need / p->rate_per_s[rt->at];
}

double stream_gap(struct stream_rt *st)
{
    return st->process != NULL ? process_gap(st) : law_draw(&st->def->gaps, &st->rng);
}
