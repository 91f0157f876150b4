#include "study/rank_parts.h"

#include "study/shapley.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERS = 128, DRAWS = 8, DRAW_REPLICATIONS = 2, INTERACTIONS_SHOWN = 8 };

/* ------------------------------------------------- which sets are needed */

static bool is_exact(const struct study *st)
{
    return st->n <= SHAPLEY_EXACT_MAX;
}

/* The sets that one order of introduction passes through; a member that does not fit is passed over. */
static void want_order(struct work *w, int k)
{
    int order[OPTS_MAX];
    opt_set set = NOTHING;

    shapley_order(w->st->n, w->st->seed, k, order);
    for (int i = 0; i < w->st->n; i++)
        if (set_is_legal(w->st, set | one(order[i]))) {
            set |= one(order[i]);
            values_want(&w->values, set);
        }
}

static int simulate_sets(struct work *w, struct err *err)
{
    int n = w->st->n;

    values_init(&w->values, w->st, w->a);
    values_want(&w->values, NOTHING);
    for (opt_set set = 0; is_exact(w->st) && set < one(n); set++)
        if (set_is_legal(w->st, set))
            values_want(&w->values, set);
    for (int i = 0; i < n; i++) {
        values_want(&w->values, one(i));
        for (int k = i + 1; k < n; k++)
            if (set_is_legal(w->st, one(i) | one(k)))
                values_want(&w->values, one(i) | one(k));
    }
    for (int k = 0; !is_exact(w->st) && k < ORDERS; k++)
        want_order(w, k);
    return values_simulate(&w->values, w->out->base_scenario->stages_n, w->opt->progress, err);
}

/* ---------------------------------------------------------------- gains */

static struct estimate gain_over_base(const struct work *w, opt_set set)
{
    const struct set_value *with = values_find(&w->values, set), *base = values_find(&w->values, NOTHING);

    return estimate_ratio(with->objective, base->objective, (size_t)w->st->replications, w->st->confidence);
}

/* --------------------------------------------------------------- shares */

static double log_gain(const struct work *w, const struct set_value *v, long r)
{
    const struct set_value *base = values_find(&w->values, NOTHING);

    return log(v->objective[r] / base->objective[r]);
}

static void find_best_legal(struct work *w)
{
    int n = w->st->n;

    w->best_legal = arena_array(w->a, (size_t)one(n), sizeof *w->best_legal);
    for (opt_set set = 0; set < one(n); set++) {
        const struct set_value *best = values_find(&w->values, set);

        for (int i = 0; best == NULL && i < n; i++) {
            const struct set_value *sub = set >> i & 1 ? w->best_legal[set & ~one(i)] : NULL;

            if (sub != NULL)
                best = sub;
        }
        for (int i = 0; values_find(&w->values, set) == NULL && i < n; i++) {
            const struct set_value *sub = set >> i & 1 ? w->best_legal[set & ~one(i)] : NULL;

            if (sub != NULL && sub->mean > best->mean)
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

static void sampled_shares(struct work *w, long r, double *phi)
{
    int order[OPTS_MAX];

    memset(phi, 0, (size_t)w->st->n * sizeof *phi);
    for (int k = 0; k < ORDERS; k++) {
        opt_set set = NOTHING;
        double before = 0;

        shapley_order(w->st->n, w->st->seed, k, order);
        for (int i = 0; i < w->st->n; i++) {
            double now;

            if (!set_is_legal(w->st, set | one(order[i])))
                continue;
            set |= one(order[i]);
            now = log_gain(w, values_find(&w->values, set), r);
            phi[order[i]] += (now - before) / ORDERS;
            before = now;
        }
    }
}

/* Shares of each replication, then their interval. A set that gains nothing, or loses, has nothing to share.
 */
static void find_shares(struct work *w)
{
    int n = w->st->n;
    size_t reps = (size_t)w->st->replications;
    double *phi = xcalloc((size_t)n * reps, sizeof *phi), *x = xcalloc(reps, sizeof *x), whole = 0;

    if (is_exact(w->st))
        find_best_legal(w);
    for (size_t r = 0; r < reps; r++) {
        double *at = phi + r * (size_t)n, sum = 0;

        if (is_exact(w->st))
            exact_shares(w, (long)r, at);
        else
            sampled_shares(w, (long)r, at);
        for (int i = 0; i < n; i++)
            sum += at[i];
        whole += sum / (double)reps;
        for (int i = 0; i < n; i++)
            at[i] = fabs(sum) > 1e-12 ? at[i] / sum : 0;
    }
    for (int i = 0; i < n; i++) {
        for (size_t r = 0; r < reps; r++)
            x[r] = whole > INDIFFERENT / 2 ? phi[r * (size_t)n + (size_t)w->out->list[i].index] : 0;
        w->out->list[i].share = estimate_student(x, reps, w->st->confidence);
    }
    free(x);
    free(phi);
}

/* ---------------------------------------------------------- uncertainty */

/* Objective of the base and of each optimization alone under one draw of the parameters. */
static int drawn_gains(struct work *w, uint32_t draw, double *log_gains, struct err *err)
{
    struct study st = *w->st;
    struct set_values v;

    st.parameter_draw = draw;
    st.replications = DRAW_REPLICATIONS;
    values_init(&v, &st, w->a);
    values_want(&v, NOTHING);
    for (int i = 0; i < st.n; i++)
        values_want(&v, one(i));
    TRY(values_simulate(&v, w->out->base_scenario->stages_n, NULL, err));
    for (int i = 0; i < st.n; i++)
        log_gains[i] = log(values_find(&v, one(i))->mean / values_find(&v, NOTHING)->mean);
    return 0;
}

static int predict_gains(struct work *w, struct err *err)
{
    struct tally t[OPTS_MAX] = {{0}};
    double gains[OPTS_MAX], student = student_quantile(1 - (1 - w->st->confidence) / 2, DRAWS - 1);

    if (!w->opt->uncertainty || w->out->base_scenario->calibrations_n == 0)
        return 0;
    for (uint32_t draw = 1; draw <= DRAWS; draw++) {
        TRY(drawn_gains(w, draw, gains, err));
        for (int i = 0; i < w->st->n; i++)
            tally_add(&t[i], gains[i]);
    }
    for (int k = 0; k < w->out->n; k++) {
        struct estimate *e = &w->out->list[k].end_to_end_gain;
        double half = (e->hi - e->lo) / 2 / e->mean;
        double sd =
            sqrt(tally_variance(&t[w->out->list[k].index]) + w->opt->discrepancy * w->opt->discrepancy);

        half = sqrt(half * half + student * student * sd * sd);
        e->has_pred = true;
        e->pred_lo = e->mean * exp(-half);
        e->pred_hi = e->mean * exp(half);
    }
    return 0;
}

/* How much the gains move, by the bound, when one uncertain value is raised by its standard error. */
static int bound_gains(const struct work *w, const char *bump, double *log_gains, struct err *err)
{
    struct scenario_options so = {.resolver = w->st->resolver, .bump = bump};
    double base = 0;

    for (int i = -1; i < w->st->n; i++) {
        struct json *tree = json_copy(w->st->tree);
        struct arena *a = arena_new();
        struct scenario *s = NULL;
        struct bound b = {0};
        int rc = i >= 0 ? optimization_apply(tree, &w->st->optimizations[i], err) : 0;

        if (rc == 0)
            rc = scenario_build(tree, w->st->file, &so, &s, err);
        if (rc == 0)
            bound_compute(s, a, &b);
        scenario_free(s);
        arena_free(a);
        json_free(tree);
        TRY(rc);
        if (i < 0)
            base = b.throughput_per_s;
        else
            log_gains[i] = log(b.throughput_per_s / base);
    }
    return 0;
}

static int find_next_measurement(struct work *w, struct err *err)
{
    const struct scenario *s = w->out->base_scenario;
    double plain[OPTS_MAX], bumped[OPTS_MAX], most = 0;

    if (s->uncertain_n == 0)
        return 0;
    TRY(bound_gains(w, NULL, plain, err));
    for (int u = 0; u < s->uncertain_n; u++) {
        double moved = 0;

        TRY(bound_gains(w, s->uncertain[u], bumped, err));
        for (int i = 0; i < w->st->n; i++)
            moved += fabs(bumped[i] - plain[i]);
        if (moved > most) {
            most = moved;
            w->out->next_path = arena_strdup(w->a, s->uncertain[u]);
        }
    }
    if (w->out->next_path != NULL)
        w->out->next_why =
            arena_printf(w->a,
                         "one standard error of it moves the gains by %.2g %% in sum, more than any "
                         "other calibrated value does",
                         100 * most);
    return 0;
}

/* ------------------------------------------------------------ orders */

static int by_gain(const void *x, const void *y)
{
    const struct ranked *a = x, *b = y;

    if (a->end_to_end_gain.mean != b->end_to_end_gain.mean)
        return a->end_to_end_gain.mean < b->end_to_end_gain.mean ? 1 : -1;
    return a->index - b->index;
}

static int by_strength(const void *x, const void *y)
{
    double a = fabs(log(((const struct interaction *)x)->effect.mean));
    double b = fabs(log(((const struct interaction *)y)->effect.mean));

    return (a < b) - (a > b);
}

static void find_interactions(struct work *w)
{
    int n = w->st->n;
    size_t reps = (size_t)w->st->replications;
    double *both = xcalloc(reps, sizeof *both), *product = xcalloc(reps, sizeof *product);
    const struct set_value *base = values_find(&w->values, NOTHING);

    w->out->interactions = arena_array(w->a, (size_t)(n * n) + 1, sizeof *w->out->interactions);
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++) {
            const struct set_value *ab = values_find(&w->values, one(i) | one(k));
            const struct set_value *a = values_find(&w->values, one(i)), *b = values_find(&w->values, one(k));

            if (ab == NULL)
                continue;
            for (size_t r = 0; r < reps; r++) {
                both[r] = ab->objective[r] * base->objective[r];
                product[r] = a->objective[r] * b->objective[r];
            }
            w->out->interactions[w->out->interactions_n++] =
                (struct interaction){i, k, estimate_ratio(both, product, reps, w->st->confidence)};
        }
    qsort(w->out->interactions, (size_t)w->out->interactions_n, sizeof *w->out->interactions, by_strength);
    if (w->out->interactions_n > INTERACTIONS_SHOWN)
        w->out->interactions_n = INTERACTIONS_SHOWN;
    free(both);
    free(product);
}

static void find_best(struct work *w)
{
    const struct set_value *best = &w->values.list[0];

    for (size_t i = 1; i < w->values.n; i++)
        if (w->values.list[i].mean > best->mean)
            best = &w->values.list[i];
    w->out->best = best->set;
    w->out->best_gain = gain_over_base(w, best->set);
    w->out->after_best = best->limit;
}

/* ---------------------------------------------------------------- whole */

static int fill_list(struct work *w, struct err *err)
{
    w->out->n = w->st->n;
    w->out->list = arena_array(w->a, (size_t)w->st->n + 1, sizeof *w->out->list);
    for (int i = 0; i < w->st->n; i++) {
        struct ranked *r = &w->out->list[i];

        r->opt = &w->st->optimizations[i];
        r->index = i;
        r->end_to_end_gain = gain_over_base(w, one(i));
        TRY(variant_local_gain(w->st, i, &r->local_gain, err));
        rank_differences(w, r);
    }
    find_shares(w);
    TRY(predict_gains(w, err));
    for (int i = 0; i < w->st->n; i++) {
        struct ranked *r = &w->out->list[i];

        rank_break_even(w, r);
        r->verdict = rank_verdict(r);
        r->why = rank_explain(w, r);
    }
    qsort(w->out->list, (size_t)w->st->n, sizeof *w->out->list, by_gain);
    rank_find_alike(w);
    return 0;
}

int rank_scenario(const struct study *st, const struct rank_options *opt, struct arena *a,
                  struct ranking *out, struct err *err)
{
    struct work w = {.st = st, .opt = opt, .a = a, .out = out};

    *out = (struct ranking){0};
    if (st->n == 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: $.optimizations: nothing to rank; declare at least one optimization", st->file);
    if (st->n > OPTS_MAX)
        return err_set(err, ERR_SCENARIO, "%s: $.optimizations: %d declared; at most %d can be ranked",
                       st->file, st->n, OPTS_MAX);
    TRY(variant_build(st, NOTHING, NULL, 0, &out->base_scenario, err));
    TRY(variant_simulate(st, out->base_scenario, st->threads, a, &out->base, err));
    TRY(rank_value_of_quality(&w, err));
    TRY(simulate_sets(&w, err));
    rank_base(&w);
    TRY(fill_list(&w, err));
    find_interactions(&w);
    find_best(&w);
    rank_steps(&w);
    rank_points(&w);
    TRY(speedups_find(st, out->base_scenario, values_find(&w.values, NOTHING)->objective, a, &out->speedups,
                      &out->speedups_n, err));
    return find_next_measurement(&w, err);
}

void ranking_fini(struct ranking *r)
{
    scenario_free(r->base_scenario);
    r->base_scenario = NULL;
}
