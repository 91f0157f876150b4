/*
 * How far the traffic may grow, and where the load curve bends.
 *
 * The knee is where power, throughput over mean time in the system, is largest: L. Kleinrock, "Power and
 * deterministic rules of thumb for probabilistic problems in computer communications", ICC 1979.  Below it
 * more load is nearly free, above it each further request is paid for in waiting by all.  M/M/1: at half the
 * capacity.
 */
#include "study/plan_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double CLOSE_ENOUGH = 1.015, FARTHEST = 64, LEAST = 1.0 / 64;

/* ------------------------------------------------------------ how far it may grow */

struct bracket {
    double low, high; /* meets; does not, or cannot be called.  high infinite: not found yet */
    struct trial at_low, at_high;
};

static int look(struct planner *p, const struct json *tree, double factor, struct bracket *b, bool *meets,
                struct err *err)
{
    struct trial t;

    TRY(plan_trial(p, tree, factor, &t, err));
    *meets = t.verdict == TRIAL_MEETS;
    if (*meets) {
        b->low = factor;
        b->at_low = t;
    } else {
        b->high = factor;
        b->at_high = t;
    }
    return 0;
}

/* Out of the factors between 1 and the ends, until one meets and one does not. */
static int enclose(struct planner *p, const struct json *tree, struct bracket *b, struct err *err)
{
    double step = 1.25;
    bool meets;

    while (b->low > 0 && !isfinite(b->high) && b->low < FARTHEST) {
        TRY(look(p, tree, b->low * step, b, &meets, err));
        step *= step < 2 ? 1.25 : 1;
    }
    for (step = 0.8; b->low == 0 && b->high > LEAST; step *= 0.8)
        TRY(look(p, tree, b->high * step, b, &meets, err));
    return 0;
}

/* Where the tightest limit would be met exactly, straight between the ends. */
static double between(const struct bracket *b)
{
    double s = b->at_low.slack, f = b->at_high.slack;

    if (!isfinite(f) || !(s > 0) || !(f < 0))
        return (b->low + b->high) / 2;
    return b->low + (b->high - b->low) * s / (s - f);
}

int plan_find_reach(struct planner *p, const struct json *tree, const struct trial *now,
                    struct plan_reach *out, struct err *err)
{
    struct bracket b = {.high = INFINITY};
    bool meets;

    *out = (struct plan_reach){0};
    if (now->verdict == TRIAL_MEETS) {
        b.low = 1;
        b.at_low = *now;
    } else {
        b.high = 1;
        b.at_high = *now;
    }
    TRY(enclose(p, tree, &b, err));
    if (b.low == 0 || !isfinite(b.high)) {
        out->why_not = b.low == 0 ? "not even a sixty-fourth of the traffic meets the limits"
                                  : "sixty-four times the traffic still meets the limits";
        return 0;
    }
    while (b.high / b.low > CLOSE_ENOUGH)
        TRY(look(p, tree, sqrt(b.low * b.high), &b, &meets, err));
    out->known = true;
    out->factor =
        (struct estimate){.mean = between(&b), .lo = b.low, .hi = b.high, .n = b.at_low.replications};
    return 0;
}

/* ---------------------------------------------------------------- the load curve */

enum { CURVE_REPLICATIONS = 4 };
static const double shares[CURVE_POINTS] = {.05, .1, .2, .3, .4, .5, .6, .7, .8, .85, .9, .95};

struct curve_run {
    struct planner *p;
    const struct json *tree;
    double power[CURVE_POINTS][CURVE_REPLICATIONS];
};

static int simulate_point(struct curve_run *c, double factor, int i, struct err *err)
{
    struct planner *p = c->p;
    struct plan_curve *out = &p->out->curve;
    struct simulate_options opt = p->out->tester.simulate;
    struct scenario_options so = {.resolver = p->st->resolver};
    struct arena *a = arena_new();
    struct scenario *s = NULL;
    struct outcome o;
    int rc = scenario_build(c->tree, p->st->file, &so, &s, err);

    opt.replications = CURVE_REPLICATIONS;
    if (rc == 0) {
        opt.length = trial_length(s);
        scenario_scale_traffic(s, factor);
        rc = simulate(s, &opt, a, &o, err);
    }
    if (rc == ERR_PRECISION) {
        *err = (struct err){0};
        rc = 0;
    }
    if (rc == 0) {
        for (int r = 0; r < CURVE_REPLICATIONS; r++) {
            const struct flow_line *l = &o.rep[r][s->objective];

            c->power[i][r] = l->throughput_per_s / l->latency_s[LATENCY_MEAN];
        }
        out->throughput_per_s[i] = o.throughput_per_s.mean;
        out->latency_s[i] = o.latency_s[LATENCY_MEAN].mean;
    }
    scenario_free(s);
    arena_free(a);
    return rc;
}

static double mean_power(const struct curve_run *c, int i)
{
    double sum = 0;

    for (int r = 0; r < CURVE_REPLICATIONS; r++)
        sum += c->power[i][r] / CURVE_REPLICATIONS;
    return sum;
}

/* The best point of the grid; from the last one that is clearly worse before it to the first behind it. */
static void find_knee(const struct curve_run *c, struct plan_curve *out)
{
    double confidence = c->p->st->confidence > 0 ? c->p->st->confidence : 0.95;
    int best = 0, low, high;

    for (int i = 1; i < out->n; i++)
        if (mean_power(c, i) > mean_power(c, best))
            best = i;
    for (low = best; low > 0; low--) {
        struct estimate d =
            estimate_difference(c->power[best], c->power[low - 1], CURVE_REPLICATIONS, confidence);

        if (d.lo > 0)
            break;
    }
    for (high = best; high + 1 < out->n; high++) {
        struct estimate d =
            estimate_difference(c->power[best], c->power[high + 1], CURVE_REPLICATIONS, confidence);

        if (d.lo > 0)
            break;
    }
    out->has_knee = true;
    out->knee_per_s = (struct estimate){.mean = out->rate_per_s[best],
                                        .lo = out->rate_per_s[low > 0 ? low - 1 : 0],
                                        .hi = out->rate_per_s[high + 1 < out->n ? high + 1 : high],
                                        .n = CURVE_REPLICATIONS};
}

int plan_find_curve(struct planner *p, const struct json *tree, struct err *err)
{
    const struct trial *t = &p->out->recommended.trial;
    struct plan_curve *out = &p->out->curve;
    struct curve_run c = {.p = p, .tree = tree};
    double own = p->out->rate_per_s / p->out->base_factor;
    int past = 0;

    if (!(p->out->rate_per_s > 0) || !isfinite(t->capacity_per_s)) {
        out->why_not = "nothing comes by itself: a closed loop takes what it gets";
        return 0;
    }
    for (int i = 0; i < CURVE_POINTS && past < 2; i++) {
        double rate = shares[i] * t->capacity_per_s;

        out->rate_per_s[i] = rate;
        TRY(simulate_point(&c, rate / own, i, err));
        progress_step(p->opt->progress, ++p->steps, "load curve");
        past = i > 0 && mean_power(&c, i) < 0.7 * mean_power(&c, i - 1) ? past + 1 : 0;
        out->n = i + 1;
    }
    find_knee(&c, out);
    return 0;
}
