#include "models/opgraph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"

struct opg_state opg_after(const struct opg *g, uint32_t done)
{
    struct opg_state s = {1, g->bytes, g->elements};

    for (int i = 0; i < g->n; i++)
        if (done >> i & 1) {
            s.items *= g->op[i].keep_frac;
            s.bytes *= g->op[i].bytes_ratio;
            s.elements *= g->op[i].elements_ratio;
        }
    return s;
}

double opg_op_s(const struct opg *g, int i, uint32_t done)
{
    struct opg_state s = opg_after(g, done);
    const struct opg_op *op = &g->op[i];

    return s.items * (op->fixed_s + op->per_byte_s * s.bytes + op->per_element_s * s.elements);
}

/* --------------------------------------------------------------- orders */

static bool may_follow(const struct opg *g, int i, uint32_t done, int place)
{
    if (done >> i & 1 || (g->op[i].after & ~done) != 0 || (g->op[i].pinned && i != place))
        return false;
    return !g->op[place].pinned || i == place;
}

const char *opg_illegal(const struct opg *g, const int *order, char *buf, int size)
{
    uint32_t done = 0;

    for (int k = 0; k < g->n; k++) {
        int i = order[k];

        if (i < 0 || i >= g->n || done >> i & 1)
            snprintf(buf, (size_t)size, "every operator is needed exactly once");
        else if (!may_follow(g, i, done, k))
            snprintf(buf, (size_t)size, "\"%.60s\" may not stand at place %d: %s", g->op[i].name, k + 1,
                     (g->op[i].after & ~done) != 0 ? "it needs what comes after it" : "a place is pinned");
        else {
            done |= UINT32_C(1) << i;
            continue;
        }
        return buf;
    }
    return NULL;
}

/* What handing an item from operator a to operator b costs, beyond their work: a call, and a copy. */
static double hand_over_s(const struct opg *g, int a, int b, uint32_t done, bool fused)
{
    struct opg_state s = opg_after(g, done);

    if (fused && a >= 0 && g->op[a].fusable && g->op[b].fusable)
        return 0;
    return s.items * (g->call_s + (a >= 0 ? g->copy_byte_s * s.bytes : 0));
}

static double part_s(const struct opg *g, const int *order, int from, int to, bool fused)
{
    uint32_t done = 0;
    double sum = 0;

    for (int k = 0; k < to; k++) {
        if (k >= from)
            sum += opg_op_s(g, order[k], done) +
                   hand_over_s(g, k > 0 ? order[k - 1] : -1, order[k], done, fused && k > from);
        done |= UINT32_C(1) << order[k];
    }
    return sum;
}

double opg_cost_s(const struct opg *g, const int *order, bool fused)
{
    return part_s(g, order, 0, g->n, fused);
}

/* Held and Karp's recursion, simpler: what comes next costs the same whatever the order of what came before.
 */
double opg_best_order(const struct opg *g, int *order)
{
    size_t sets = (size_t)1 << g->n;
    double *best = xmalloc(sets * sizeof *best), cost;
    signed char *last = xmalloc(sets);
    uint32_t done;

    for (size_t s = 0; s < sets; s++) {
        best[s] = s == 0 ? 0 : INFINITY;
        last[s] = -1;
    }
    for (size_t s = 0; s + 1 < sets; s++) {
        int place = __builtin_popcountl(s);

        for (int i = 0; best[s] < INFINITY && i < g->n; i++) {
            size_t next = s | (size_t)1 << i;
            double here = may_follow(g, i, (uint32_t)s, place)
                              ? best[s] + opg_op_s(g, i, (uint32_t)s) +
                                    hand_over_s(g, place > 0 ? 0 : -1, i, (uint32_t)s, false)
                              : INFINITY;

            /* equal within rounding: the one whose last operator stood later wins, which keeps the given
             * order */
            if (isfinite(here) &&
                (here < best[next] * (1 - 1e-12) || (here <= best[next] * (1 + 1e-12) && i > last[next]))) {
                best[next] = here;
                last[next] = (signed char)i;
            }
        }
    }
    cost = best[sets - 1];
    ASSERT(isfinite(cost)); /* the given order is legal */
    done = (uint32_t)(sets - 1);
    for (int k = g->n - 1; k >= 0; k--) {
        order[k] = last[done];
        done &= ~(UINT32_C(1) << order[k]);
    }
    free(best);
    free(last);
    return cost;
}

/* ---------------------------------------------------------------- caches */

int opg_cacheable(const struct opg *g, const int *order)
{
    int k = 0;

    while (k < g->n && !g->op[order[k]].random)
        k++;
    return k;
}

double opg_cache_epoch_s(const struct opg *g, const int *order, const struct opg_cache *c, int position)
{
    uint32_t done = 0;
    struct opg_state kept;
    double fetch_s, work_s;

    if (position > opg_cacheable(g, order))
        return INFINITY;
    for (int k = 0; k < position; k++)
        done |= UINT32_C(1) << order[k];
    kept = opg_after(g, done);
    if (position >= 0 && c->items * kept.items * kept.bytes > c->capacity_bytes)
        return INFINITY;
    fetch_s = position < 0 ? c->source_item_s + c->source_byte_s * g->bytes
                           : kept.items * (c->cache_item_s + c->cache_byte_s * kept.bytes);
    work_s = part_s(g, order, position < 0 ? 0 : position, g->n, false);
    return c->items * fmax(fetch_s / c->fetches, work_s / c->cores);
}

int opg_best_cache(const struct opg *g, const int *order, const struct opg_cache *c)
{
    int best = -1;

    for (int p = 0; p <= g->n; p++)
        if (opg_cache_epoch_s(g, order, c, p) < opg_cache_epoch_s(g, order, c, best) * (1 - 1e-9))
            best = p;
    return best;
}

/* --------------------------------------------------------------- offload */

double opg_offload_rate(const struct opg *g, const int *order, const struct opg_offload *o, int from, int to,
                        bool fused)
{
    double local_s = part_s(g, order, 0, from, fused) + part_s(g, order, to, g->n, fused);
    double remote_s = part_s(g, order, from, to, fused) / o->remote_speed, rate;
    struct opg_state in, out;
    uint32_t done = 0;

    for (int k = 0; k < from; k++)
        done |= UINT32_C(1) << order[k];
    in = opg_after(g, done);
    for (int k = from; k < to; k++)
        done |= UINT32_C(1) << order[k];
    out = opg_after(g, done);
    if (from == to)
        return o->local_cores / local_s;
    local_s += in.items * (o->rpc_s + o->send_byte_s * in.bytes) + out.items * o->send_byte_s * out.bytes;
    rate = fmin(o->local_cores / local_s, o->remote_cores / remote_s);
    if (o->nic_bytes_per_s > 0) /* both directions at once: the larger counts */
        rate = fmin(rate, o->nic_bytes_per_s / fmax(in.items * in.bytes, out.items * out.bytes));
    return rate;
}

void opg_best_offload(const struct opg *g, const int *order, const struct opg_offload *o, bool fused,
                      int *from, int *to)
{
    double best = opg_offload_rate(g, order, o, 0, 0, fused);

    *from = *to = 0;
    for (int a = 0; a < g->n; a++)
        for (int b = a + 1; b <= g->n; b++) {
            double rate = opg_offload_rate(g, order, o, a, b, fused);

            if (rate > best * (1 + 1e-9)) {
                best = rate;
                *from = a;
                *to = b;
            }
        }
}

/* ------------------------------------------------------ hardware threads */

double smt_capacity(double busy, double threads, double per_core, double yield)
{
    double cores = threads / per_core, n = fmin(busy, threads);

    if (n <= cores || per_core <= 1)
        return n;
    return cores + (n - cores) * (yield - 1) / (per_core - 1);
}

double smt_threads_for(double cores_needed, double threads, double per_core, double yield)
{
    double cores = threads / per_core;

    if (cores_needed > smt_capacity(threads, threads, per_core, yield) * (1 + 1e-12))
        return INFINITY;
    if (cores_needed <= cores || per_core <= 1)
        return cores_needed;
    return fmin(threads, cores + (cores_needed - cores) * (per_core - 1) / (yield - 1));
}
