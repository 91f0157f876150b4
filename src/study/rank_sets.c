/*
 * Which sets are simulated.  Up to ten optimizations: all.  Beyond, each alone, and then
 *
 *   pairs    of which the bounds say that they do more, or less, together than apart, and those of the
 *            strongest rows; the others are screened out and named
 *   chains   the rows that gain, strongest first, one after the other: what the best set may be
 *   orders   random orders of introduction, back and forth, of all that moves anything: for the shares
 *
 * The bound of a pipeline is its capacity on what the others leave (residual.h), at the rates of the estate
 * as it is.  Two optimizations interact by the bounds where its log with both is not the sum of what each
 * changes.
 */
#include "study/rank_parts.h"

#include "engine/replicate.h"
#include "study/residual.h"
#include "study/shapley.h"

#include <math.h>
#include <stdlib.h>

enum { ORDERS_MOST = 128, ORDERS_LEAST = 4, ORDER_SETS = 72, PAIRS_MOST = 20, STRONGEST = 4 };

#define NOTICED   0.002 /* a log gain below it, alone, moves nothing */
#define INTERACTS 0.01  /* log of capacity, by the bounds */

bool rank_is_exact(const struct study *st)
{
    return st->n <= SHAPLEY_EXACT_MAX;
}

static int simulate_wanted(struct work *w, struct err *err)
{
    return values_simulate(&w->values, w->out->base_scenario->stages_n, w->opt->progress, err);
}

static int simulate_all(struct work *w, struct err *err)
{
    for (opt_set set = 0; set < one(w->st->n); set++)
        if (set_is_legal(w->st, set))
            values_want(&w->values, set);
    return simulate_wanted(w, err);
}

/* -------------------------------------------------------------------- bounds */

/* What the bounds say of one set: log of each pipeline's capacity. */
struct capacity {
    opt_set set;
    double log_cap[WHOLE_PIPELINES_MAX];
};

struct screening {
    struct work *w;
    double units_per_s[WHOLE_PIPELINES_MAX]; /* as the estate is */
    struct capacity *list;
};

static int bound_one(void *ctx, uint32_t i, struct err *err)
{
    struct screening *sc = ctx;
    struct residual cap[WHOLE_PIPELINES_MAX];
    struct scenario *s = NULL;
    int rc = variant_build(sc->w->st, sc->list[i].set, NULL, 0, &s, err);

    if (rc == 0)
        residual_capacities(s, sc->units_per_s, cap);
    for (int p = 0; rc == 0 && p < s->pipelines_n; p++)
        sc->list[i].log_cap[p] = isfinite(cap[p].per_s) && cap[p].per_s > 0 ? log(cap[p].per_s) : 0;
    scenario_free(s);
    return rc;
}

/* ------------------------------------------------------------------ screening */

struct pair {
    opt_set set;
    double score;
};

static int by_score(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;

    if (a->score != b->score)
        return (a->score < b->score) - (a->score > b->score);
    return (a->set > b->set) - (a->set < b->set);
}

static double log_gain_of(const struct work *w, opt_set set)
{
    return log(values_find(&w->values, set)->mean / values_find(&w->values, NOTHING)->mean);
}

/* Whether few rows gain or lose more, alone. */
static bool is_strong(const struct work *w, int i)
{
    double own = fabs(log_gain_of(w, one(i)));
    int stronger = 0;

    for (int k = 0; k < w->st->n; k++)
        stronger += fabs(log_gain_of(w, one(k))) > own;
    return own > NOTICED && stronger < STRONGEST;
}

static double interaction_of(const struct capacity *both, const struct capacity *x, const struct capacity *y,
                             const struct capacity *base, int pipelines)
{
    double most = 0;

    for (int p = 0; p < pipelines; p++)
        most = fmax(most, fabs(both->log_cap[p] - x->log_cap[p] - y->log_cap[p] + base->log_cap[p]));
    return most;
}

/* Bounds of the base, of each alone, and of every legal pair, in this order. */
static size_t list_bounds(const struct study *st, struct capacity *list)
{
    size_t n = 0;

    list[n++].set = NOTHING;
    for (int i = 0; i < st->n; i++)
        list[n++].set = one(i);
    for (int i = 0; i < st->n; i++)
        for (int k = i + 1; k < st->n; k++)
            if (set_is_legal(st, one(i) | one(k)))
                list[n++].set = one(i) | one(k);
    return n;
}

static int lowest(opt_set set)
{
    int i = 0;

    while (!(set >> i & 1))
        i++;
    return i;
}

static int score_pairs(struct work *w, struct pair *pairs, size_t *n, struct err *err)
{
    const struct outcome *base = &w->out->base;
    int opts = w->st->n, pipelines = base->pipelines_n;
    struct screening sc = {.w = w};
    size_t bounds;
    int rc;

    sc.list = xcalloc((size_t)(1 + opts + opts * opts / 2), sizeof *sc.list);
    for (int p = 0; p < pipelines; p++)
        sc.units_per_s[p] = base->pipelines[p].throughput_per_s.mean;
    bounds = list_bounds(w->st, sc.list);
    rc = replicate_run(0, (uint32_t)bounds, w->st->threads, bound_one, &sc, err);
    *n = 0;
    for (size_t i = 1 + (size_t)opts; rc == 0 && i < bounds; i++) {
        opt_set set = sc.list[i].set;
        int x = lowest(set), y = lowest(set & ~one(x));

        pairs[(*n)++] = (struct pair){
            set, interaction_of(&sc.list[i], &sc.list[1 + x], &sc.list[1 + y], &sc.list[0], pipelines)};
    }
    free(sc.list);
    return rc;
}

/* Wants the pairs that may interact; says which are left out. */
static int screen_pairs(struct work *w, opt_set *interacting, struct err *err)
{
    size_t room = (size_t)(w->st->n * w->st->n), n;
    struct pair *pairs = xcalloc(room, sizeof *pairs);
    int rc = score_pairs(w, pairs, &n, err), wanted = 0;

    qsort(pairs, n, sizeof *pairs, by_score);
    w->out->screened = arena_array(w->a, n + 1, sizeof *w->out->screened);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        int x = lowest(pairs[i].set), y = lowest(pairs[i].set & ~one(x));
        bool may = pairs[i].score > INTERACTS && wanted < PAIRS_MOST;

        if (may)
            *interacting |= pairs[i].set;
        wanted += may;
        if (may || (is_strong(w, x) && is_strong(w, y)))
            values_want(&w->values, pairs[i].set);
        else
            w->out->screened[w->out->screened_n++] = (struct screened){x, y, pairs[i].score};
    }
    free(pairs);
    return rc;
}

/* -------------------------------------------------------------- chains, orders */

static void want_chain(struct work *w)
{
    opt_set set = NOTHING;

    for (;;) {
        int best = -1;

        for (int i = 0; i < w->st->n; i++)
            if (!(set >> i & 1) && log_gain_of(w, one(i)) > 0 && set_is_legal(w->st, set | one(i)) &&
                (best < 0 || log_gain_of(w, one(i)) > log_gain_of(w, one(best))))
                best = i;
        if (best < 0)
            return;
        set |= one(best);
        values_want(&w->values, set);
    }
}

/* The sets that one order of introduction passes through; a member that does not fit is passed over. */
static void want_order(struct work *w, int k)
{
    int order[OPTS_MAX];
    opt_set set = NOTHING;

    shapley_order(w->players_n, w->st->seed, k, order);
    for (int i = 0; i < w->players_n; i++)
        if (set_is_legal(w->st, set | one(w->players[order[i]]))) {
            set |= one(w->players[order[i]]);
            values_want(&w->values, set);
        }
}

/* Who moves nothing alone, and by the bounds nothing with any other, has no share. */
static void find_players(struct work *w, opt_set interacting)
{
    for (int i = 0; i < w->st->n; i++)
        if (fabs(log_gain_of(w, one(i))) > NOTICED || interacting >> i & 1)
            w->players[w->players_n++] = i;
    w->orders = w->players_n > 0 ? ORDER_SETS / w->players_n / 2 * 2 : 0;
    w->orders = w->orders < ORDERS_LEAST ? ORDERS_LEAST : w->orders > ORDERS_MOST ? ORDERS_MOST : w->orders;
}

static int simulate_some(struct work *w, struct err *err)
{
    opt_set interacting = NOTHING;

    values_want(&w->values, NOTHING);
    for (int i = 0; i < w->st->n; i++)
        values_want(&w->values, one(i));
    TRY(simulate_wanted(w, err));
    TRY(screen_pairs(w, &interacting, err));
    find_players(w, interacting);
    for (int k = 0; k < w->orders; k++)
        want_order(w, k);
    want_chain(w);
    return simulate_wanted(w, err);
}

int rank_simulate_sets(struct work *w, struct err *err)
{
    values_init(&w->values, w->st, w->a);
    return rank_is_exact(w->st) ? simulate_all(w, err) : simulate_some(w, err);
}
