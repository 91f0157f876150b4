#include "study/reconcile.h"

#include "pipeline/edit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double OFF = 2; /* |z| from which an assumption counts as off */

/* ------------------------------------------------------- the run, changed */

/* The stage takes `factor` times as long for everything. */
static void set_speed(struct scenario *s, int stage, double factor)
{
    s->stages[stage].spared = 1 - factor;
}

static void scale_lengths(struct scenario *s, bool input, double factor)
{
    const struct requests *q = s->pipelines[s->objective].workload.requests;

    for (int i = 0; q != NULL && i < q->classes_n; i++) {
        struct request_class *c = &q->classes[i];

        if (input)
            c->input_tokens = law_scaled(&c->input_tokens, factor, s->arena);
        else
            c->output_tokens = law_scaled(&c->output_tokens, factor, s->arena);
    }
}

static void change(struct scenario *s, const struct reconcile_param *p)
{
    switch (p->change) {
    case CHANGE_TRAFFIC:
        scenario_scale_traffic(s, p->factor);
        break;
    case CHANGE_INPUT:
    case CHANGE_OUTPUT:
        scale_lengths(s, p->change == CHANGE_INPUT, p->factor);
        break;
    case CHANGE_SPEED:
        set_speed(s, p->stage, p->factor);
        break;
    case CHANGE_VALUE:
        break; /* stands in the tree */
    }
}

int reconcile_simulate(struct reconcile_work *w, uint64_t which, struct arena *a, struct outcome *o,
                       struct scenario **s, struct err *err)
{
    const struct study *st = &w->in->study;
    struct scenario_options so = {.resolver = st->resolver};
    struct json *tree = json_copy(st->tree);
    int rc = 0;

    *s = NULL;
    for (int i = 0; rc == 0 && i < w->out->params_n; i++)
        if ((which >> i & 1) && w->out->param[i].change == CHANGE_VALUE)
            rc = edit_set(tree, w->out->param[i].path, json_copy(w->out->param[i].value), err);
    if (rc == 0)
        rc = scenario_build(tree, st->file, &so, s, err);
    json_free(tree);
    if (rc != 0)
        return rc;
    for (int i = 0; i < w->out->params_n; i++)
        if (which >> i & 1)
            change(*s, &w->out->param[i]);
    return variant_simulate(st, *s, st->threads, a, o, err);
}

/* The worst figure of the run with some parameters replaced; what has no legal scenario leaves NAN. */
static int try_change(struct reconcile_work *w, uint64_t which, struct estimate *out, struct err *err)
{
    struct arena *a = arena_new();
    struct scenario *s;
    struct outcome o;
    int rc = reconcile_simulate(w, which, a, &o, &s, err);

    *out = (struct estimate){.mean = NAN};
    if (rc == 0)
        figure_estimate(w->out->figure[w->out->worst].def, &o, o.scenario->objective, out);
    if (rc == ERR_SCENARIO) {
        *err = (struct err){0};
        rc = 0;
    }
    scenario_free(s);
    arena_free(a);
    return rc;
}

/* ------------------------------------------------------------ figure by figure */

/* One more run like these, not their mean: mean -+ t sd sqrt(1 + 1/n). */
static struct estimate one_run(struct estimate mean)
{
    double half = (mean.hi - mean.lo) / 2 * sqrt((double)mean.n + 1);

    mean.lo = mean.mean - half;
    mean.hi = mean.mean + half;
    return mean;
}

static bool meet(const struct estimate *a, const struct estimate *b)
{
    double slack = 1e-3 * fabs(b->mean);

    return a->lo <= b->hi + slack && b->lo <= a->hi + slack;
}

static void compare_figure(struct reconcile_work *w, const struct achieved_figure *x)
{
    struct reconcile_figure *f = &w->out->figure[w->out->figures_n];
    struct estimate range;
    double both;

    f->def = x->def;
    f->achieved = x->value;
    if (!figure_estimate(x->def, w->predicted, w->predicted->scenario->objective, &f->predicted))
        return;
    range = x->value.n > 1 ? f->predicted : one_run(f->predicted);
    f->predicted = range;
    f->inside = meet(&range, &x->value);
    both = (range.hi - range.lo) / 2 + (x->value.n > 1 ? (x->value.hi - x->value.lo) / 2 : 0);
    f->off = fabs(x->value.mean - range.mean) / fmax(both, 1e-3 * fabs(range.mean) + 1e-300);
    w->out->inside_n += f->inside;
    w->out->figures_n++;
}

/* Of those outside the one furthest off, by its part; none outside: none. */
static void find_worst(struct reconciled *r)
{
    double most = 0;

    r->worst = -1;
    for (int i = 0; i < r->figures_n; i++) {
        double off = fabs(log(r->figure[i].achieved.mean / r->figure[i].predicted.mean));

        if (!r->figure[i].inside && !(off <= most)) {
            most = off;
            r->worst = i;
        }
    }
}

/* --------------------------------------------------------- what explains it */

static double part_explained(const struct reconcile_figure *f, const struct estimate *with)
{
    return (with->mean - f->predicted.mean) / (f->achieved.mean - f->predicted.mean);
}

static int explain(struct reconcile_work *w, struct err *err)
{
    struct reconciled *r = w->out;
    const struct reconcile_figure *f = &r->figure[r->worst];
    uint64_t all = 0;

    progress_begin(w->in->progress, "reconcile", r->params_n + 1);
    for (int i = 0; i < r->params_n; i++) {
        struct reconcile_param *p = &r->param[i];

        if (fabs(p->z) < OFF)
            continue;
        TRY(try_change(w, (uint64_t)1 << i, &p->with, err));
        p->was_tried = isfinite(p->with.mean);
        p->explained = part_explained(f, &p->with);
        all |= p->was_tried ? (uint64_t)1 << i : 0;
        if (p->was_tried && (r->most < 0 || p->explained > r->param[r->most].explained))
            r->most = i;
        progress_step(w->in->progress, i + 1, p->path);
    }
    if (all != 0) {
        TRY(try_change(w, all, &r->with_all, err));
        r->explained_by_all = part_explained(f, &r->with_all);
    }
    progress_end(w->in->progress);
    return 0;
}

static int reconcile_run(struct reconcile_work *w, struct err *err)
{
    struct reconciled *r = w->out;

    TRY(achieved_read(w->in->store, w->in->study.resolver, w->in->trace_id, w->s, w->a, &r->achieved, err));
    for (int i = 0; i < r->achieved.n; i++)
        compare_figure(w, &r->achieved.figure[i]);
    if (r->figures_n == 0)
        return err_set(err, ERR_USAGE,
                       "reconcile: what trace \"%s\" tells (%s) is nothing that a run of \"%s\" predicts",
                       r->achieved.trace, r->achieved.from, w->s->name);
    find_worst(r);
    TRY(reconcile_find_params(w, err));
    return r->worst >= 0 ? explain(w, err) : 0;
}

int reconcile(const struct reconcile_input *in, struct arena *a, struct reconciled *out, struct err *err)
{
    struct scenario_options so = {.resolver = in->study.resolver};
    struct reconcile_work w = {.in = in, .a = a, .out = out};
    struct scenario *s = NULL;
    struct outcome predicted;
    int rc = scenario_build(in->study.tree, in->study.file, &so, &s, err);

    *out = (struct reconciled){.run = in->run, .worst = -1, .most = -1, .explained_by_all = NAN};
    if (rc == 0)
        rc = variant_simulate(&in->study, s, in->study.threads, a, &predicted, err);
    if (rc == 0) {
        out->scenario = arena_strdup(a, s->name);
        w.s = s;
        w.predicted = &predicted;
        rc = reconcile_run(&w, err);
    }
    scenario_free(s);
    return rc;
}

void reconciled_fini(struct reconciled *r)
{
    json_free(r->inferred);
    r->inferred = NULL;
}
