#include "pipeline/uncertainty.h"

#include <math.h>
#include <stdlib.h>

enum { INNER_REPLICATIONS = 2 };

/* How a figure's errors add up. */
enum kind { RATE, TIME, SHARE, COUNTED };

struct figure_ref {
    struct estimate *e;
    enum kind kind;
};

enum { FIGURES_PER_PIPELINE = 6 + 4 * LATENCY_FIGURES, FIGURES_ABOVE = 6 + LATENCY_FIGURES };

struct figures {
    struct figure_ref *list;
    size_t n;
};

static void put(struct figures *f, struct estimate *e, enum kind kind)
{
    f->list[f->n++] = (struct figure_ref){e, kind};
}

static void put_times(struct figures *f, struct estimate *e)
{
    for (int i = 0; i < LATENCY_FIGURES; i++)
        put(f, &e[i], TIME);
}

/* In an order that depends on nothing but how many pipelines there are, so that draws can be matched. */
static void list_figures(struct outcome *o, struct arena *a, struct figures *f)
{
    f->list = arena_array(a, FIGURES_ABOVE + FIGURES_PER_PIPELINE * (size_t)o->pipelines_n, sizeof *f->list);
    f->n = 0;
    put(f, &o->throughput_per_s, RATE);
    put(f, &o->makespan_s, RATE);
    put(f, &o->cost_usd, RATE);
    put(f, &o->cost_usd_per_h, COUNTED);
    put(f, &o->cost_per_1m, RATE);
    put(f, &o->stall, SHARE);
    put_times(f, o->latency_s);
    for (int i = 0; i < o->pipelines_n; i++) {
        struct outcome_metrics *m = &o->pipelines[i];

        put(f, &m->throughput_per_s, RATE);
        put(f, &m->makespan_s, RATE);
        put(f, &m->goodput_per_s, RATE);
        put(f, &m->usd_per_unit, RATE);
        put(f, &m->stall, SHARE);
        put(f, &m->quality, SHARE);
        put_times(f, m->latency_s);
        put_times(f, m->queue_s);
        put_times(f, m->ttft_s);
        put_times(f, m->tpot_s);
    }
}

/* -------------------------------------------------------------- one draw */

static int draw(const struct json *tree, const char *file, const struct resolver *resolver, uint32_t k,
                const struct simulate_options *opt, struct tally *seen, size_t n, struct err *err)
{
    struct scenario_options so = {.resolver = resolver, .parameter_draw = k};
    struct simulate_options inner = *opt;
    struct arena *a = arena_new();
    struct figures f;
    struct scenario *s;
    struct outcome o;
    int rc;

    inner.replications = INNER_REPLICATIONS;
    inner.precision = 0;
    inner.progress = NULL;
    rc = scenario_build(tree, file, &so, &s, err);
    if (rc == 0) {
        rc = simulate(s, &inner, a, &o, err);
        if (rc == ERR_PRECISION) { /* two replications may not show that it settled; the estimate itself did */
            *err = (struct err){0};
            rc = 0;
        }
        if (rc == 0)
            list_figures(&o, a, &f);
        for (size_t i = 0; rc == 0 && i < n; i++) {
            double v = f.list[i].e->mean;

            if (f.list[i].kind == SHARE ? isfinite(v) : v > 0 && isfinite(v))
                tally_add(&seen[i], f.list[i].kind == SHARE ? v : log(v));
        }
        scenario_free(s);
    }
    arena_free(a);
    return rc;
}

/* --------------------------------------------------------------- interval */

static void widen_share(struct estimate *e, double variance, double t)
{
    double sampling = (e->hi - e->lo) / 2, half = sqrt(sampling * sampling + t * t * variance);

    e->pred_lo = fmax(fmin(0, e->lo), e->mean - half); /* a loss is no share and may leave 0 and 1 */
    e->pred_hi = fmin(fmax(1, e->hi), e->mean + half);
}

static void widen_log(struct estimate *e, double variance, double t)
{
    double sampling = (e->hi - e->lo) / 2 / e->mean, half = sqrt(sampling * sampling + t * t * variance);

    e->pred_lo = e->mean * exp(-half);
    e->pred_hi = e->mean * exp(half);
}

/* A figure that some draws did not have (nobody finished, nothing was asked) is left as it is. */
static void widen(const struct figure_ref *f, const struct tally *seen, uint32_t draws,
                  const struct discrepancy *d, double t)
{
    double off = f->kind == RATE ? d->rate : f->kind == TIME ? d->time : 0;
    struct estimate *e = f->e;

    if (seen->n < draws || e->n == 0 || !isfinite(e->mean) || (f->kind != SHARE && !(e->mean > 0)))
        return;
    e->has_pred = true;
    if (f->kind == SHARE)
        widen_share(e, tally_variance(seen), t);
    else
        widen_log(e, tally_variance(seen) + off * off, t);
}

int simulate_uncertainty(const struct json *tree, const char *file, const struct resolver *resolver,
                         uint32_t draws, const struct discrepancy *discrepancy,
                         const struct simulate_options *opt, struct outcome *out, struct err *err)
{
    struct arena *a;
    struct figures f;
    struct tally *seen;
    double t;
    int rc = 0;

    if (out->scenario->calibrations_n == 0 || draws < 2)
        return 0;
    a = arena_new();
    list_figures(out, a, &f);
    seen = arena_array(a, f.n, sizeof *seen);
    for (uint32_t k = 1; rc == 0 && k <= draws; k++)
        rc = draw(tree, file, resolver, k, opt, seen, f.n, err);
    t = student_quantile(1 - (1 - out->confidence) / 2, (double)draws - 1);
    for (size_t i = 0; rc == 0 && i < f.n; i++)
        widen(&f.list[i], &seen[i], draws, discrepancy, t);
    arena_free(a);
    return rc;
}
