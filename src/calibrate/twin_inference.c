/*
 * twin_inference.c - what a batch of an embedder takes: fixed and per token, from batches of several sizes,
 * scaled by what batches of executions took beside what these say.
 */
#include "calibrate/twin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct inference_state {
    struct twin_op batch;
};

static void alone(void *state, const struct span *s)
{
    struct inference_state *e = state;

    if (strcmp(s->op, "batch") == 0 && s->cpu_s > 0)
        twin_observe(&e->batch, s->cpu_s, s->items, 0);
}

static void in_place(void *state, const struct span *s)
{
    struct inference_state *e = state;

    if (strcmp(s->op, "batch") != 0 || !(s->cpu_s > 0))
        return;
    e->batch.cpu_s += s->cpu_s;
    e->batch.items += s->items;
    e->batch.runs++;
}

static int rows(struct twin *t, const struct stage *stage, void *state, struct err *err)
{
    struct inference_state *e = state;
    const char *base = arena_printf(t->a, "stages.%s.params", stage->name);
    struct cost_fit f;
    double factor = 1;
    int rc = 0;

    if (e->batch.alone_n < 3)
        return 0;
    rc = fit_cost(e->batch.alone, e->batch.alone_n, true, false, &f, err);
    free(e->batch.alone);
    if (rc != 0)
        return err_at(err, "stage \"%s\", batches", stage->name);
    if (e->batch.runs > 0)
        factor = e->batch.cpu_s / (f.cost.fixed_s * e->batch.runs + f.cost.per_item_s * e->batch.items);
    twin_row_valid(twin_row(t, arena_printf(t->a, "%s.fixed", base), factor * f.cost.fixed_s,
                            factor * f.cost.fixed_s * f.relative_stderr, "s", f.n,
                            "robust regression, scaled in place"),
                   f.r2, f.holdout_error_frac, f.from, f.to, "");
    twin_row_valid(twin_row(t, arena_printf(t->a, "%s.per_token", base), factor * f.cost.per_item_s,
                            factor * f.cost.per_item_s * f.relative_stderr, "s", f.n,
                            "robust regression, scaled in place"),
                   f.r2, f.holdout_error_frac, f.from, f.to, "");
    twin_row(t, arena_printf(t->a, "%s.cv", base), f.cost.cv, 0, "", f.n, "residuals");
    return 0;
}

const struct twin_recipe twin_inference = {.model = "inference",
                                           .state_size = sizeof(struct inference_state),
                                           .alone = alone,
                                           .in_place = in_place,
                                           .rows = rows};
