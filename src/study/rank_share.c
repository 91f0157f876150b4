#include "study/rank_parts.h"

#include "study/shapley.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Gains of one replication, as logs: those of a set that multiplies add up. */
static double log_gain(const struct work *w, const struct set_value *v, long r)
{
    const struct set_value *base = values_find(&w->values, NOTHING);

    return log(v->objective[r] / base->objective[r]);
}

/* -------------------------------------------------------------- all subsets */

static void find_best_legal(struct work *w)
{
    int n = w->st->n;

    w->best_legal = arena_array(w->a, (size_t)one(n), sizeof *w->best_legal);
    for (opt_set set = 0; set < one(n); set++) {
        const struct set_value *best = values_find(&w->values, set);
        bool legal = best != NULL;

        for (int i = 0; !legal && i < n; i++) {
            const struct set_value *sub = set >> i & 1 ? w->best_legal[set & ~one(i)] : NULL;

            if (sub != NULL && (best == NULL || sub->mean > best->mean))
                best = sub;
        }
        w->best_legal[set] = best;
    }
}

static void exact_shares(struct work *w, long r, double *phi)
{
    size_t sets = (size_t)one(w->st->n);
    double *value = xcalloc(sets, sizeof *value);

    for (size_t s = 0; s < sets; s++)
        value[s] = log_gain(w, w->best_legal[s], r);
    shapley_exact(w->st->n, value, phi);
    free(value);
}

/* ------------------------------------------------------------ sampled orders */

/* What each adds when it comes, in the k-th order of the players; a member that does not fit adds nothing. */
static void shares_of_order(struct work *w, int k, long r, double *phi)
{
    int order[OPTS_MAX];
    opt_set set = NOTHING;
    double before = 0;

    memset(phi, 0, (size_t)w->st->n * sizeof *phi);
    shapley_order(w->players_n, w->st->seed, k, order);
    for (int i = 0; i < w->players_n; i++) {
        int player = w->players[order[i]];
        double now;

        if (!set_is_legal(w->st, set | one(player)))
            continue;
        set |= one(player);
        now = log_gain(w, values_find(&w->values, set), r);
        phi[player] = now - before;
        before = now;
    }
}

/* Half the width that drawing so few orders adds to each mean share: orders come in pairs, back and forth. */
static void order_errors(const struct work *w, const double *by_order, double *half)
{
    int n = w->st->n, pairs = w->orders / 2;

    for (int i = 0; i < n; i++) {
        struct tally t = {0};

        for (int k = 0; k < pairs; k++)
            tally_add(&t, (by_order[2 * k * n + i] + by_order[(2 * k + 1) * n + i]) / 2);
        half[i] = pairs > 1 ? student_quantile(1 - (1 - w->st->confidence) / 2, pairs - 1) *
                                  sqrt(tally_variance(&t) / pairs)
                            : 0;
    }
}

/* Mean over the orders of each replication in phi[r * n + i]; over replications of each order in by_order. */
static void sampled_shares(struct work *w, double *phi, double *half)
{
    int n = w->st->n;
    long reps = w->st->replications;
    double *by_order = xcalloc((size_t)(w->orders * n), sizeof *by_order),
           *one_order = xcalloc((size_t)n, sizeof *one_order);

    for (long r = 0; r < reps; r++)
        for (int k = 0; k < w->orders; k++) {
            shares_of_order(w, k, r, one_order);
            for (int i = 0; i < n; i++) {
                phi[r * n + i] += one_order[i] / w->orders;
                by_order[k * n + i] += one_order[i] / (double)reps;
            }
        }
    order_errors(w, by_order, half);
    free(one_order);
    free(by_order);
}

/* -------------------------------------------------------------------- shares */

static double sum_of(const double *x, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* As parts of the whole gain, with the interval over replications and what drawing orders adds. */
static void divide(struct work *w, const double *phi, const double *half)
{
    int n = w->st->n;
    long reps = w->st->replications;
    double *x = xcalloc((size_t)reps, sizeof *x), whole = 0;

    for (long r = 0; r < reps; r++)
        whole += sum_of(phi + r * n, n) / (double)reps;
    for (int i = 0; i < n; i++) {
        int at = w->out->list[i].index;
        struct estimate *e = &w->out->list[i].share;
        double sampled = whole > INDIFFERENT / 2 ? half[at] / whole : 0, width;

        for (long r = 0; r < reps; r++) {
            double sum = sum_of(phi + r * n, n);

            x[r] = whole > INDIFFERENT / 2 && fabs(sum) > 1e-12 ? phi[r * n + at] / sum : 0;
        }
        *e = estimate_student(x, (size_t)reps, w->st->confidence);
        width = hypot((e->hi - e->lo) / 2, sampled);
        e->lo = e->mean - width;
        e->hi = e->mean + width;
    }
    free(x);
}

/* Shares of each replication, then their interval. A set that gains nothing, or loses, has nothing to share.
 */
void rank_shares(struct work *w)
{
    int n = w->st->n;
    long reps = w->st->replications;
    double *phi = xcalloc((size_t)(n * reps), sizeof *phi), *half = xcalloc((size_t)n, sizeof *half);

    if (rank_is_exact(w->st)) {
        find_best_legal(w);
        for (long r = 0; r < reps; r++)
            exact_shares(w, r, phi + r * n);
    } else {
        sampled_shares(w, phi, half);
    }
    divide(w, phi, half);
    free(half);
    free(phi);
}
