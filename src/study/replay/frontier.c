/*
 * frontier.c - recall and throughput of an index at search efforts beyond those measured.
 *
 * Settings of one index that differ in one number only, its search effort e (lists probed, candidates kept),
 * make a frontier.  From the lower half of its efforts:
 *
 *     1 / X = t0 + t1 e          a search touches what its effort says (models/vector_index.h)
 *     1 - recall = m e^-g        the law of recall of the same model
 *
 * by least squares on relative errors, t0, t1 >= 0.  The upper half is predicted.  The naive prediction is
 * the nearest setting measured.  Intervals: how far the highest calibrated effort is from what the ones below
 * it predict, over all frontiers.
 */
#include "study/replay.h"

#include "store/measurement.h"
#include "study/replay/tools.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRONTIERS = 512, POINTS = 64 };

struct point {
    double effort, per_s, recall;
};

struct frontier {
    const char *name;
    struct point p[POINTS];
    size_t n;
};

struct frontiers {
    struct replay *r;
    struct frontier f[FRONTIERS];
    size_t n;
};

struct law {
    double t0, t1, miss, slope; /* log(1 - recall) = miss + slope log e */
};

static double law_per_s(const struct law *l, double effort)
{
    return 1 / (l->t0 + l->t1 * effort);
}

static double law_recall(const struct law *l, double effort)
{
    return 1 - exp(fmin(0, l->miss + l->slope * log(effort)));
}

/* Minimizes sum ((t0 + t1 e) X - 1)^2; with t0 on its bound, t1 alone. */
static void fit_time(const struct point *p, size_t n, struct law *l)
{
    double xx = 0, xe = 0, ee = 0, x = 0, e = 0, det;

    for (size_t i = 0; i < n; i++) {
        double a = p[i].per_s, b = p[i].per_s * p[i].effort;

        xx += a * a;
        xe += a * b;
        ee += b * b;
        x += a;
        e += b;
    }
    det = xx * ee - xe * xe;
    l->t0 = (x * ee - e * xe) / det;
    l->t1 = (xx * e - xe * x) / det;
    if (!(l->t0 >= 0)) {
        l->t0 = 0;
        l->t1 = e / ee;
    } else if (!(l->t1 >= 0)) {
        l->t1 = 0;
        l->t0 = x / xx;
    }
}

static void fit_recall(const struct point *p, size_t n, struct law *l)
{
    double mx = 0, my = 0, sxx = 0, sxy = 0;

    for (size_t i = 0; i < n; i++) {
        mx += log(p[i].effort) / (double)n;
        my += log(1 - p[i].recall) / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        double dx = log(p[i].effort) - mx;

        sxx += dx * dx;
        sxy += dx * (log(1 - p[i].recall) - my);
    }
    l->slope = fmin(0, sxy / sxx);
    l->miss = my - l->slope * mx;
}

static struct law fit(const struct point *p, size_t n)
{
    struct law l;

    fit_time(p, n, &l);
    fit_recall(p, n, &l);
    return l;
}

/* --------------------------------------------------------------------------------------- the settings */

/* Names under which settings hold the search effort, most telling first; else the last number counts. */
static const char *const effort_names[] = {
    "nprobe=", "'Ls': ", "'L_pq': ", "'ef': ", "'tinker_search_range': ", "_ef", NULL};

static const char *find_effort(const char *settings)
{
    for (int i = 0; effort_names[i] != NULL; i++) {
        const char *at = strstr(settings, effort_names[i]);

        for (const char *next = at; next != NULL; next = strstr(next + 1, effort_names[i]))
            at = next;
        if (at != NULL && isdigit((unsigned char)at[strlen(effort_names[i])]))
            return at + strlen(effort_names[i]);
    }
    return NULL;
}

static struct frontier *frontier_of(struct frontiers *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->f[i].name, name) == 0)
            return &all->f[i];
    if (all->n == FRONTIERS)
        return NULL;
    all->f[all->n].name = name;
    return &all->f[all->n++];
}

/* By rising effort; of two measurements of one setting the first counts. */
static void insert(struct frontier *f, struct point p)
{
    size_t i = 0;

    while (i < f->n && f->p[i].effort < p.effort)
        i++;
    if (f->n == POINTS || (i < f->n && f->p[i].effort == p.effort))
        return;
    memmove(&f->p[i + 1], &f->p[i], (f->n - i) * sizeof *f->p);
    f->p[i] = p;
    f->n++;
}

static void add(struct frontiers *all, const struct measured_row *row)
{
    const char *settings = measured_text(row, "parameters"), *effort = find_effort(settings);
    struct point p = {.per_s = measured_figure(row, "queries_per_s"),
                      .recall = measured_figure(row, "recall_frac")};
    struct frontier *f;
    char *end;

    if (effort == NULL || !(p.per_s > 0) || !(p.recall > 0) || !(p.recall < 1))
        return;
    p.effort = strtod(effort, &end);
    f = frontier_of(all,
                    arena_printf(all->r->arena, "%s %s %.*s*%s", measured_text(row, "algorithm"),
                                 measured_text(row, "dataset"), (int)(effort - settings), settings, end));
    if (f != NULL && p.effort > 0)
        insert(f, p);
}

static int load(struct frontiers *all, struct err *err)
{
    for (size_t i = 0; i < all->r->c->files_n; i++) {
        struct measured_row *rows;
        int64_t id;
        size_t n;

        TRY(replay_import(all->r, all->r->c->files[i], &id, err));
        TRY(measured_load(all->r->store, id, all->r->arena, &rows, &n, err));
        for (size_t k = 0; k < n; k++)
            add(all, &rows[k]);
    }
    return 0;
}

/* ---------------------------------------------------------------------------------------- predicting */

static size_t calibrated(const struct frontier *f)
{
    return f->n / 2;
}

/* Four settings at least, and efforts that differ by more than a third. */
static bool is_used(const struct frontier *f)
{
    return f->n >= 4 && f->p[f->n - 1].effort > 1.3 * f->p[0].effort;
}

/* Frontiers with three calibrated settings: the third from the two below it. */
static void spreads(struct frontiers *all, struct tools_spread *rate, struct tools_spread *missed)
{
    double *p = arena_array(all->r->arena, 4 * FRONTIERS, sizeof *p), *m = p + FRONTIERS, *q = m + FRONTIERS,
           *k = q + FRONTIERS;
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++) {
        const struct frontier *f = &all->f[i];
        size_t last = calibrated(f) - 1;
        struct law l;

        if (!is_used(f) || last < 2)
            continue;
        l = fit(f->p, last);
        p[n] = law_per_s(&l, f->p[last].effort);
        m[n] = f->p[last].per_s;
        q[n] = 1 - law_recall(&l, f->p[last].effort);
        k[n++] = 1 - f->p[last].recall;
    }
    *rate = tools_spread(p, m, n, all->r->arena);
    *missed = tools_spread(q, k, n, all->r->arena);
}

/* The spread was seen one step beyond what was fitted; further away it grows with the distance in log effort.
 */
static struct tools_spread farther(const struct frontier *f, const struct tools_spread *s, double effort)
{
    const struct point *last = &f->p[calibrated(f) - 1];
    double steps = log(effort / last->effort) / log(last->effort / last[-1].effort);
    struct tools_spread out = *s;

    out.lo *= fmax(1, steps);
    out.hi *= fmax(1, steps);
    return out;
}

static void emit(struct frontiers *all, const struct frontier *f, const struct tools_spread *rate,
                 const struct tools_spread *missed)
{
    size_t half = calibrated(f);
    const struct point *nearest = &f->p[half - 1];
    struct law l = fit(f->p, half);

    for (size_t i = half; i < f->n; i++) {
        const struct point *p = &f->p[i];
        double recall = law_recall(&l, p->effort);
        struct tools_spread time = farther(f, rate, p->effort), lost = farther(f, missed, p->effort);
        struct replay_figure x = {.name = arena_printf(all->r->arena, "%s at %g", f->name, p->effort),
                                  .unit = "queries/s",
                                  .measured = p->per_s,
                                  .predicted = tools_estimate(law_per_s(&l, p->effort), &time),
                                  .naive = nearest->per_s,
                                  .noise_frac = NAN,
                                  .group = f->name};

        replay_emit(all->r, &x);
        x.name = arena_printf(all->r->arena, "%s at %g, recall", f->name, p->effort);
        x.unit = "ratio";
        x.measured = p->recall;
        x.predicted = estimate_exact(recall);
        x.predicted.has_pred = lost.n > 0;
        x.predicted.pred_lo = fmax(0, 1 - (1 - recall) * exp(lost.hi));
        x.predicted.pred_hi = 1 - (1 - recall) * exp(lost.lo);
        x.naive = nearest->recall;
        x.group = arena_printf(all->r->arena, "%s, recall", f->name);
        replay_emit(all->r, &x);
    }
}

static int run(struct replay *r, struct err *err)
{
    struct frontiers *all = arena_alloc(r->arena, sizeof *all);
    struct tools_spread rate, missed;

    all->r = r;
    TRY(load(all, err));
    spreads(all, &rate, &missed);
    for (size_t i = 0; i < all->n; i++)
        if (is_used(&all->f[i]))
            emit(all, &all->f[i], &rate, &missed);
    return 0;
}

const struct replay_kind replay_frontier = {
    .name = "ann-frontier",
    .about = "recall and throughput of an index at search efforts beyond those measured",
    .run = run,
};
