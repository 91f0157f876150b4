/*
 * twin_costs.c - what operators cost: fixed, per item, per byte, alone and in their place.
 */
#include "calibrate/calibrate.h"
#include "calibrate/twin.h"

#include "base/param.h"

#include <math.h>
#include <string.h>

bool twin_has_costs(const struct model *m)
{
    const struct param *costs = param_find(m->params, "costs");

    return m->kernel != NULL && m->ops != NULL && costs != NULL && costs->type == PARAM_COSTS;
}

/* ------------------------------------------------------------------------------------ spans */

void twin_observe(struct twin_op *d, double seconds, double items, double bytes)
{
    if (d->alone_n == d->cap) {
        d->cap = 2 * d->cap + 64;
        d->alone = xrealloc(d->alone, d->cap, sizeof *d->alone);
    }
    d->alone[d->alone_n++] = (struct observation){seconds, items, bytes};
}

static int find_op(const struct twin_stage *ts, const char *name)
{
    for (int i = 0; i < ts->ops_n; i++)
        if (strcmp(ts->def->model->ops[i].name, name) == 0)
            return i;
    return -1;
}

static double counted(const struct span *s, enum op_counts from, enum op_counts fallback)
{
    double v;

    if (from == COUNT_DEFAULT)
        from = fallback;
    v = from == COUNT_ITEMS ? s->items : from == COUNT_BYTES_IN ? s->bytes_in : s->bytes_out;
    return isfinite(v) ? v : 0;
}

void calibrate_span_size(const struct op_info *info, const struct span *s, double *items, double *bytes)
{
    *items = info->items != NULL ? counted(s, info->items_from, COUNT_ITEMS) : 0;
    *bytes = info->bytes != NULL ? counted(s, info->bytes_from, COUNT_BYTES_IN) : 0;
}

void twin_op_alone(struct twin_stage *ts, const struct span *s)
{
    int op = find_op(ts, s->op);
    double items, bytes;

    if (op < 0 || !(s->cpu_s > 0))
        return;
    calibrate_span_size(&ts->def->model->ops[op], s, &items, &bytes);
    twin_observe(&ts->ops[op], s->cpu_s, items, bytes);
}

void twin_op_in_place(struct twin_stage *ts, const struct span *s, bool held_out)
{
    int op = find_op(ts, s->op);
    struct twin_op *d = &ts->ops[op < 0 ? 0 : op];
    double items, bytes;

    if (op < 0 || !(s->cpu_s > 0))
        return;
    calibrate_span_size(&ts->def->model->ops[op], s, &items, &bytes);
    *(held_out ? &d->held_cpu_s : &d->cpu_s) += s->cpu_s;
    *(held_out ? &d->held_items : &d->items) += items;
    *(held_out ? &d->held_bytes : &d->bytes) += bytes;
    *(held_out ? &d->held_runs : &d->runs) += 1;
}

/* ------------------------------------------------------------------------------------- rows */

/* Totals are linear in the sizes, so sums over spans are all that is needed. */
static double predicted_total(const struct cost *c, double runs, double items, double bytes)
{
    return c->fixed_s * runs + c->per_item_s * items + c->per_byte_s * bytes;
}

static void find_factors(const struct twin *t, struct twin_stage *sd)
{
    double measured = 0, predicted = 0;

    for (int i = 0; i < sd->ops_n; i++) {
        struct twin_op *d = &sd->ops[i];
        double alone =
            d->fitted ? predicted_total(&d->fit.cost, d->runs, d->items, d->bytes) * t->slowdown : 0;

        if (d->runs == 0 || !(alone > 0))
            continue;
        d->factor = d->cpu_s / alone;
        measured += d->cpu_s;
        predicted += alone;
    }
    for (int i = 0; i < sd->ops_n; i++)
        if (sd->ops[i].factor == 0)
            sd->ops[i].factor = predicted > 0 ? measured / predicted : 1;
}

static void add_op_rows(struct twin *t, const struct twin_stage *sd, int op)
{
    const struct twin_op *d = &sd->ops[op];
    const struct op_info *info = &sd->def->model->ops[op];
    const char *size = info->items != NULL ? "items" : "bytes";
    const char *method =
        d->runs > 0 ? "robust regression, scaled in place" : "robust regression, scaled as its stage";
    const struct {
        const char *term;
        double value_s;
        bool used;
    } terms[] = {{"fixed", d->fit.cost.fixed_s, true},
                 {"per_item", d->fit.cost.per_item_s, info->items != NULL},
                 {"per_byte", d->fit.cost.per_byte_s, info->bytes != NULL}};
    const char *base = arena_printf(t->a, "stages.%s.params.costs.%s", sd->def->name, info->name);

    /* Fits of one operator's terms are correlated; the error that matters is that of their sum. */
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        if (terms[i].used)
            twin_row_valid(
                twin_row(t, arena_printf(t->a, "%s.%s", base, terms[i].term), d->factor * terms[i].value_s,
                         d->factor * terms[i].value_s * d->fit.relative_stderr, "s", d->fit.n, method),
                d->fit.r2, d->holdout_error, d->fit.from, d->fit.to, size);
    twin_row_valid(
        twin_row(t, arena_printf(t->a, "%s.cv", base), d->fit.cost.cv, 0, "", d->fit.n, "residuals"), NAN,
        NAN, d->fit.from, d->fit.to, size);
}

/* Tests the factor on the execution that was held out; then that execution counts like the others. */
static void admit_held_out(const struct twin *t, struct twin_op *d)
{
    double predicted =
        d->factor * t->slowdown * predicted_total(&d->fit.cost, d->held_runs, d->held_items, d->held_bytes);

    d->holdout_error = d->fit.holdout_error_frac;
    if (d->held_runs > 0 && d->fitted)
        d->holdout_error = fabs(predicted / d->held_cpu_s - 1);
    d->cpu_s += d->held_cpu_s;
    d->items += d->held_items;
    d->bytes += d->held_bytes;
    d->runs += d->held_runs;
    d->factor = 0;
}

int twin_cost_rows(struct twin *t, struct twin_stage *sd, struct err *err)
{
    bool any = false;

    for (int i = 0; i < sd->ops_n; i++) {
        struct twin_op *d = &sd->ops[i];
        const struct op_info *info = &sd->def->model->ops[i];

        if (d->alone_n < 3)
            continue;
        if (fit_cost(d->alone, d->alone_n, info->items != NULL, info->bytes != NULL, &d->fit, err) != 0)
            return err_at(err, "stage \"%s\", operator \"%s\"", sd->def->name, info->name);
        d->fitted = any = true;
    }
    find_factors(t, sd);
    for (int i = 0; i < sd->ops_n; i++)
        admit_held_out(t, &sd->ops[i]);
    find_factors(t, sd);
    for (int i = 0; i < sd->ops_n; i++)
        if (sd->ops[i].fitted)
            add_op_rows(t, sd, i);
    if (!any)
        fitting_remark(&t->out, "note",
                       "stage \"%s\": the profile has no spans of its operators; its costs stay as they are",
                       sd->def->name);
    return 0;
}

double twin_factor_spread(const struct twin *t)
{
    double sum = t->spread_sum, weight = t->spread_weight;

    for (int i = 0; i < t->in->scenario->stages_n; i++) {
        const struct twin_stage *sd = &t->stages[i];
        double measured = 0, alone = 0;

        for (int k = 0; k < sd->ops_n; k++)
            if (sd->ops[k].runs > 0 && sd->ops[k].fitted) {
                measured += sd->ops[k].cpu_s;
                alone += sd->ops[k].cpu_s / sd->ops[k].factor;
            }
        for (int k = 0; k < sd->ops_n; k++)
            if (sd->ops[k].runs > 0 && sd->ops[k].fitted) {
                double off = log(sd->ops[k].factor * alone / measured);

                sum += sd->ops[k].cpu_s * off * off;
                weight += sd->ops[k].cpu_s;
            }
    }
    return weight > 0 ? sqrt(sum / weight) : 0;
}
