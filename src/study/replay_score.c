/*
 * replay_score.c - how predictions are judged; pure arithmetic on figures.
 */
#include "study/replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Two alternatives are told apart when they differ by more than this, and by twice their noise. */
#define ORDER_FRAC 0.10

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Quantile by linear interpolation between order statistics (type 7); NAN without values. */
static double quantile(double *x, size_t n, double q)
{
    double place = q * (double)(n - 1);
    size_t i = (size_t)place;

    if (n == 0)
        return NAN;
    qsort(x, n, sizeof *x, ascending);
    if (i + 1 >= n)
        return x[n - 1];
    return x[i] + (place - (double)i) * (x[i + 1] - x[i]);
}

static bool counts(const struct replay_figure *f)
{
    return f->regime != REGIME_BEYOND && !f->tail;
}

static bool counts_apart(const struct replay_figure *f, int part)
{
    return part == REGIMES ? f->tail : !f->tail && (int)f->regime == part;
}

static void judge_figure(struct replay_figure *f)
{
    ASSERT(isfinite(f->measured) && f->measured != 0);
    f->error_frac = f->predicted.mean / f->measured - 1;
    f->naive_error_frac = f->naive / f->measured - 1;
    f->inside_interval =
        f->predicted.has_pred && f->measured >= f->predicted.pred_lo && f->measured <= f->predicted.pred_hi;
}

static bool told_apart(const struct replay_figure *a, const struct replay_figure *b)
{
    double difference = fabs(a->measured - b->measured);
    double na = isnan(a->noise_frac) ? 0 : a->noise_frac * a->measured;
    double nb = isnan(b->noise_frac) ? 0 : b->noise_frac * b->measured;

    return a->group != NULL && b->group != NULL && strcmp(a->group, b->group) == 0 &&
           difference > ORDER_FRAC * fmin(fabs(a->measured), fabs(b->measured)) &&
           difference > 2 * hypot(na, nb);
}

/* A list of figures that something is said about. */
struct sample {
    const struct replay_figure **f;
    size_t n;
};

static void count_order(const struct sample *s, size_t *right, size_t *pairs)
{
    *right = *pairs = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = i + 1; k < s->n; k++)
            if (told_apart(s->f[i], s->f[k])) {
                (*pairs)++;
                *right += (s->f[i]->measured < s->f[k]->measured) ==
                          (s->f[i]->predicted.mean < s->f[k]->predicted.mean);
            }
}

static void judge_intervals(const struct sample *s, double *x, struct replay_score *out)
{
    size_t n = 0, inside = 0;

    for (size_t i = 0; i < s->n; i++)
        if (s->f[i]->predicted.has_pred) {
            const struct estimate *e = &s->f[i]->predicted;

            inside += s->f[i]->inside_interval;
            x[n++] = (e->pred_hi - e->pred_lo) / fabs(e->mean);
        }
    out->covered_of = n;
    out->coverage = n > 0 ? (double)inside / (double)n : NAN;
    out->width = quantile(x, n, 0.5);
}

static struct replay_score judge(const struct sample *s, struct arena *a)
{
    struct replay_score out = {.figures = s->n, .order = NAN};
    double *x = arena_array(a, s->n + 1, sizeof *x);
    size_t right, n = 0;

    for (size_t i = 0; i < s->n; i++)
        x[i] = fabs(s->f[i]->error_frac);
    out.median_error = quantile(x, s->n, 0.5);
    out.p90_error = quantile(x, s->n, 0.9);
    for (size_t i = 0; i < s->n; i++)
        if (isfinite(s->f[i]->naive_error_frac))
            x[n++] = fabs(s->f[i]->naive_error_frac);
    out.naive_error = quantile(x, n, 0.5);
    n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (isfinite(s->f[i]->noise_frac))
            x[n++] = s->f[i]->noise_frac;
    out.noise = quantile(x, n, 0.5);
    out.skill = out.naive_error > 0 ? 1 - out.median_error / out.naive_error : NAN;
    judge_intervals(s, x, &out);
    count_order(s, &right, &out.pairs);
    if (out.pairs > 0)
        out.order = (double)right / (double)out.pairs;
    return out;
}

static void judge_case(struct replay_case *c, struct arena *a)
{
    struct sample s = {.f = arena_array(a, c->figures_n + 1, sizeof *s.f)};

    for (size_t i = 0; i < c->figures_n; i++) {
        judge_figure(&c->figures[i]);
        if (counts(&c->figures[i]))
            s.f[s.n++] = &c->figures[i];
    }
    c->score = judge(&s, a);
    for (int part = 0; part <= REGIMES; part++) {
        s.n = 0;
        for (size_t i = 0; i < c->figures_n; i++)
            if (counts_apart(&c->figures[i], part))
                s.f[s.n++] = &c->figures[i];
        c->apart[part] = judge(&s, a);
    }
}

/* Which figures of counted cases belong to a part; part < 0: those that count. */
static struct sample gather(const struct replay_case *cases, size_t n, int part, struct arena *a)
{
    struct sample s = {0};
    size_t most = 0;

    for (size_t i = 0; i < n; i++)
        most += cases[i].figures_n;
    s.f = arena_array(a, most + 1, sizeof *s.f);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; cases[i].why_not_counted == NULL && k < cases[i].figures_n; k++)
            if (part < 0 ? counts(&cases[i].figures[k]) : counts_apart(&cases[i].figures[k], part))
                s.f[s.n++] = &cases[i].figures[k];
    return s;
}

/* Groups are a case's own: the order is judged within cases, and the pairs of all are added up. */
static void add_up_order(const struct replay_case *cases, size_t n, struct replay_score *out)
{
    double right = 0;

    out->pairs = 0;
    for (size_t i = 0; i < n; i++)
        if (cases[i].why_not_counted == NULL && cases[i].score.pairs > 0) {
            right += cases[i].score.order * (double)cases[i].score.pairs;
            out->pairs += cases[i].score.pairs;
        }
    out->order = out->pairs > 0 ? right / (double)out->pairs : NAN;
}

/* Medians over the cases, which count equally whatever the number of their figures. */
static void summarize_cases(const struct replay_case *cases, size_t n, struct arena *a,
                            struct replay_result *out)
{
    double *error = arena_array(a, n + 1, sizeof *error), *naive = arena_array(a, n + 1, sizeof *naive);
    double *noise = arena_array(a, n + 1, sizeof *noise);
    size_t naive_n = 0, noise_n = 0;

    for (size_t i = 0; i < n; i++) {
        const struct replay_case *c = &cases[i];

        if (c->why_not_counted != NULL || c->score.figures == 0)
            continue;
        error[out->counted++] = c->score.median_error;
        if (isfinite(c->score.naive_error))
            naive[naive_n++] = c->score.naive_error;
        if (isfinite(c->score.noise))
            noise[noise_n++] = c->score.noise;
        out->skilled += c->score.skill > 0;
    }
    out->summary.median_error = quantile(error, out->counted, 0.5);
    out->summary.naive_error = quantile(naive, naive_n, 0.5);
    out->summary.noise = quantile(noise, noise_n, 0.5);
    out->summary.skill =
        out->summary.naive_error > 0 ? 1 - out->summary.median_error / out->summary.naive_error : NAN;
}

void replay_score(struct replay_case *cases, size_t n, struct arena *a, struct replay_result *out)
{
    struct sample all;

    *out = (struct replay_result){.cases = cases, .n = n};
    for (size_t i = 0; i < n; i++)
        judge_case(&cases[i], a);
    all = gather(cases, n, -1, a);
    out->summary = judge(&all, a);
    summarize_cases(cases, n, a, out);
    add_up_order(cases, n, &out->summary);
    for (int part = 0; part <= REGIMES; part++) {
        struct sample s = gather(cases, n, part, a);

        out->apart[part] = judge(&s, a);
    }
    out->gate = out->summary.median_error <= 0.06 && out->summary.p90_error <= 0.20;
    out->goal = out->summary.median_error <= 0.05 && out->summary.p90_error <= 0.15 &&
                out->summary.coverage >= 0.85 && !(out->summary.order < 0.95);
}
