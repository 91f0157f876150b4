#include "study/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* Values as they come, for their quantiles. */
struct values {
    double *x;
    int n;
};

static void add(struct values *v, double x)
{
    v->x[v->n++] = x;
}

/* The q-quantile by linear interpolation between order statistics; sorts. */
static double quantile(struct values *v, double q)
{
    double at = q * (v->n - 1);
    int k = (int)at;

    if (v->n == 0)
        return NAN;
    qsort(v->x, (size_t)v->n, sizeof *v->x, ascending);
    return k + 1 < v->n ? v->x[k] + (at - k) * (v->x[k + 1] - v->x[k]) : v->x[v->n - 1];
}

static struct values values_of(const struct validating *v)
{
    size_t most = 1;

    for (int i = 0; i < v->out->n; i++)
        most += (size_t)v->out->variants[i].figures_n;
    return (struct values){.x = arena_array(v->a, most, sizeof(double))};
}

static void score_errors(const struct validating *v)
{
    struct validation *out = v->out;
    struct values throughput = values_of(v), speedup = values_of(v), all = values_of(v), p95 = values_of(v);

    for (int i = 0; i < out->n; i++) {
        const struct validate_variant *x = &out->variants[i];

        add(&throughput, fabs(x->figures[0].error_frac));
        if (i > 0)
            add(&speedup, fabs(x->speedup_error_frac));
        for (int k = 0; k < x->figures_n; k++) {
            add(&all, fabs(x->figures[k].error_frac));
            if (strcmp(x->figures[k].name, "latency_p95_s") == 0)
                add(&p95, fabs(x->figures[k].error_frac));
        }
    }
    out->median_error = quantile(&throughput, 0.5);
    out->p90_error = quantile(&throughput, 0.9);
    out->median_speedup_error = quantile(&speedup, 0.5);
    out->p90_speedup_error = quantile(&speedup, 0.9);
    out->median_error_all = quantile(&all, 0.5);
    out->latency_p95_error = quantile(&p95, 0.5);
}

static void score_intervals(const struct validating *v)
{
    struct validation *out = v->out;
    struct values width = values_of(v);
    int inside = 0, inside_all = 0, all = 0;

    for (int i = 0; i < out->n; i++) {
        const struct validate_variant *x = &out->variants[i];
        const struct estimate *p = &x->figures[0].predicted;

        add(&width, (p->pred_hi - p->pred_lo) / p->mean);
        inside += x->figures[0].inside_interval;
        for (int k = 0; k < x->figures_n; k++) {
            all += x->figures[k].predicted.has_pred;
            inside_all += x->figures[k].predicted.has_pred && x->figures[k].inside_interval;
        }
    }
    out->width = quantile(&width, 0.5);
    out->coverage = (double)inside / out->n;
    out->coverage_all = all > 0 ? (double)inside_all / all : NAN;
}

/* Pairs whose measured intervals do not overlap: is the prediction in the same order? */
static void score_order(struct validation *v)
{
    int agree = 0, disagree = 0;

    for (int i = 0; i < v->n; i++)
        for (int k = i + 1; k < v->n; k++) {
            const struct estimate *a = &v->variants[i].objective_measured,
                                  *b = &v->variants[k].objective_measured;
            double sign = (a->mean - b->mean) *
                          (v->variants[i].objective_predicted.mean - v->variants[k].objective_predicted.mean);

            if (!(a->lo > b->hi || b->lo > a->hi))
                continue;
            agree += sign > 0;
            disagree += sign <= 0;
        }
    v->pairs = agree + disagree;
    v->kendall_tau = v->pairs > 0 ? (double)(agree - disagree) / v->pairs : NAN;
}

/* The number of the only optimization of a set; -1: it has none or several. */
static int only_member(opt_set set)
{
    int i = 0;

    if (set == 0 || (set & (set - 1)) != 0)
        return -1;
    while (!(set >> i & 1))
        i++;
    return i;
}

/* What a team loses that builds the one optimization the simulation, or the local view, prefers. */
static int score_choices(const struct validating *v, struct err *err)
{
    struct validation *out = v->out;
    const struct validate_variant *top = NULL, *local = NULL, *best = NULL;
    double local_gain = 0;

    for (int i = 0; i < out->n; i++) {
        const struct validate_variant *x = &out->variants[i];
        int opt = only_member(x->set);
        struct estimate gain;

        if (opt < 0)
            continue;
        TRY(variant_local_gain(&v->st, opt, &gain, err));
        if (top == NULL || x->objective_predicted.mean > top->objective_predicted.mean)
            top = x;
        if (best == NULL || x->objective_measured.mean > best->objective_measured.mean)
            best = x;
        if (local == NULL || gain.mean > local_gain) {
            local = x;
            local_gain = gain.mean;
        }
    }
    if (best == NULL)
        return 0;
    out->measured_best = best->name;
    out->top_choice = top->name;
    out->local_choice = local->name;
    out->top_choice_regret = 1 - top->objective_measured.mean / best->objective_measured.mean;
    out->local_choice_regret = 1 - local->objective_measured.mean / best->objective_measured.mean;
    return 0;
}

int validate_score(struct validating *v, struct err *err)
{
    struct validation *out = v->out;

    out->drift_frac = out->variants[0].objective[v->opt->repeats - 1] / out->variants[0].objective[0] - 1;
    for (int i = 0; i < out->n; i++)
        for (long r = 0; r < v->opt->repeats; r++)
            out->disturbed_frac = fmax(out->disturbed_frac, out->variants[i].runs[r].disturbed_frac);
    score_errors(v);
    score_intervals(v);
    score_order(out);
    return score_choices(v, err);
}
