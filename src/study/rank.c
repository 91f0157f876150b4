#include "study/rank_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INTERACTIONS_SHOWN = 8 };

/* ---------------------------------------------------------------- gains */

static struct estimate gain_over_base(const struct work *w, opt_set set)
{
    const struct set_value *with = values_find(&w->values, set), *base = values_find(&w->values, NOTHING);

    return estimate_ratio(with->objective, base->objective, (size_t)w->st->replications, w->st->confidence);
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

/* "prep of ranking, encoder of answers" */
static const char *limits_of_all(struct work *w, const struct set_value *v)
{
    const char *text = "";

    for (int p = 0; p < w->st->whole->n; p++)
        text =
            arena_printf(w->a, "%s%s%s of %s", text, p > 0 ? ", " : "", v->limits[p], w->st->whole->name[p]);
    return text;
}

static void find_best(struct work *w)
{
    const struct set_value *best = &w->values.list[0];

    for (size_t i = 1; i < w->values.n; i++)
        if (w->values.list[i].mean > best->mean)
            best = &w->values.list[i];
    w->out->best = best->set;
    w->out->best_gain = gain_over_base(w, best->set);
    w->out->after_best = w->st->whole != NULL ? limits_of_all(w, best) : best->limit;
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
    rank_shares(w);
    TRY(rank_predict_gains(w, err));
    for (int i = 0; i < w->st->n; i++) {
        struct ranked *r = &w->out->list[i];

        rank_break_even(w, r);
        rank_worth(w, r);
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
    struct study judged = *st;
    struct work w = {.st = &judged, .opt = opt, .a = a, .out = out};

    *out = (struct ranking){0};
    if (st->n == 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: $.optimizations: nothing to rank; declare at least one optimization", st->file);
    if (st->n > OPTS_MAX)
        return err_set(err, ERR_SCENARIO, "%s: $.optimizations: %d declared; at most %d can be ranked",
                       st->file, st->n, OPTS_MAX);
    TRY(variant_build(st, NOTHING, NULL, 0, &out->base_scenario, err));
    if (out->base_scenario->pipelines_n > WHOLE_PIPELINES_MAX)
        return err_set(err, ERR_SCENARIO, "%s: $.pipelines: %d of them; at most %d can be ranked", st->file,
                       out->base_scenario->pipelines_n, WHOLE_PIPELINES_MAX);
    TRY(variant_simulate(st, out->base_scenario, st->threads, a, &out->base, err));
    TRY(whole_of(st->tree, st->file, &out->base, a, &judged.whole, err));
    out->whole = judged.whole;
    TRY(rank_value_of_quality(&w, err));
    TRY(rank_simulate_sets(&w, err));
    rank_base(&w);
    TRY(fill_list(&w, err));
    find_interactions(&w);
    find_best(&w);
    out->limited_by = judged.whole != NULL ? limits_of_all(&w, values_find(&w.values, NOTHING))
                                           : out->base.bound.bottleneck;
    out->sets = (long)w.values.n;
    rank_steps(&w);
    rank_points(&w);
    TRY(speedups_find(&judged, out->base_scenario, values_find(&w.values, NOTHING)->objective, a,
                      &out->speedups, &out->speedups_n, err));
    return rank_next_measurement(&w, err);
}

void ranking_fini(struct ranking *r)
{
    scenario_free(r->base_scenario);
    r->base_scenario = NULL;
}
