/*
 * vectors.c - a vector database asked by more and more clients, from two low concurrencies to the others.
 *
 * Clients in a closed loop: N = X R.  Between the two calibrated concurrencies the time of an answer grows
 * straight, R(N) = a + b N, as it does in a chain of equally loaded queues (balanced job bounds), or stays
 * where it was last, when it fell (caches that warm up); one
 * search keeps one core busy for the time R(low) that it takes when there are cores enough, so
 *
 *     X(N) = min(N / (a + b N), cores / R(low))
 *
 * Cores stand in the label of the service ("16c64g"); where none do (hosted services), only the first holds.
 * What a rate limiter does is recognized (calibrate/sweep.h) and reported apart, not fitted.  The interval is
 * the spread of the errors at concurrencies up to the higher calibrated one that were not used.
 */
#include "study/replay.h"

#include "calibrate/sweep.h"
#include "store/measurement.h"
#include "study/replay/tools.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RUNS = 512 };

struct run {
    struct sweep_point p[SWEEP_POINTS];
    size_t n;
    double a, b, low_s, cores, tail; /* tail: p99 / mean at the higher calibrated concurrency */
    double low, high, throttled_from;
    const char *label;
    long place;
};

struct vectors {
    struct replay *r;
    double low, high;
    struct run runs[RUNS];
    size_t n;
};

static double predicted_per_s(const struct run *u, double clients)
{
    double straight = clients / (u->a + u->b * clients);

    return u->cores > 0 ? fmin(straight, u->cores / u->low_s) : straight;
}

static double naive_per_s(const struct run *u, double x_low, double x_high, double clients)
{
    return x_low + (x_high - x_low) * (clients - u->low) / (u->high - u->low);
}

static const struct sweep_point *at(const struct run *u, double clients)
{
    for (size_t i = 0; i < u->n; i++)
        if (u->p[i].clients == clients)
            return &u->p[i];
    return NULL;
}

/* False: a calibrated concurrency is missing, or spoilt. */
static bool calibrate(const struct vectors *v, struct run *u)
{
    const struct sweep_point *low = at(u, v->low), *high = at(u, v->high);
    struct sweep_health health;
    struct fit suspects = fit_begin("sweep");
    struct err ignored;

    if (low == NULL || high == NULL || sweep_examine(u->p, u->n, &health, &suspects, &ignored) != 0)
        return false;
    u->throttled_from = isnan(health.throttled_from) ? INFINITY : health.throttled_from;
    if (u->throttled_from <= v->high)
        return false;
    u->low = v->low;
    u->high = v->high;
    u->low_s = v->low / low->per_s;
    u->b = fmax(0, (v->high / high->per_s - u->low_s) / (v->high - v->low));
    u->a = u->b > 0 ? u->low_s - u->b * v->low : v->high / high->per_s; /* warmer */
    u->tail = high->p99_s / high->mean_s;
    return true;
}

static void add_rows(struct vectors *v, const struct measured_row *rows, size_t n, const char *db)
{
    struct run *u = NULL;

    for (size_t i = 0; i < n; i++) {
        double clients = measured_number(&rows[i], "concurrency");
        long cores;

        if (strcmp(rows[i].subject, "vector search") != 0)
            continue;
        if (isnan(clients)) { /* what belongs to a run stands before its sweep */
            u = v->n < RUNS ? &v->runs[v->n++] : NULL;
            if (u == NULL)
                return;
            *u = (struct run){.label =
                                  arena_printf(v->r->arena, "%s %s", db, measured_text(&rows[i], "label")),
                              .place = (long)v->n};
            if (sscanf(measured_text(&rows[i], "label"), "%ldc", &cores) == 1)
                u->cores = (double)cores;
        } else if (u != NULL && u->n < SWEEP_POINTS)
            u->p[u->n++] = (struct sweep_point){clients, measured_figure(&rows[i], "queries_per_s"),
                                                measured_figure(&rows[i], "latency_mean_s"),
                                                measured_figure(&rows[i], "latency_p99_s")};
    }
}

static int load(struct vectors *v, struct err *err)
{
    for (size_t i = 0; i < v->r->c->files_n; i++) {
        struct measured_row *rows;
        int64_t id;
        size_t n;

        TRY(replay_import(v->r, v->r->c->files[i], &id, err));
        TRY(measured_load(v->r->store, id, v->r->arena, &rows, &n, err));
        add_rows(v, rows, n, n > 0 ? measured_text(&rows[0], "db") : "");
    }
    return 0;
}

/* Concurrencies below the higher one that were neither fitted nor are predicted. */
static struct tools_spread unused_errors(struct vectors *v)
{
    double *p = arena_array(v->r->arena, RUNS * 8, sizeof *p),
           *m = arena_array(v->r->arena, RUNS * 8, sizeof *m);
    size_t n = 0;

    for (size_t i = 0; i < v->n; i++)
        for (size_t k = 0; k < v->runs[i].n && n < RUNS * 8; k++) {
            const struct run *u = &v->runs[i];

            if (u->p[k].clients >= v->high || u->p[k].clients == v->low)
                continue;
            p[n] = predicted_per_s(u, u->p[k].clients);
            m[n++] = u->p[k].per_s;
        }
    return tools_spread(p, m, n, v->r->arena);
}

static void emit(struct vectors *v, const struct run *u, const struct sweep_point *p,
                 const struct tools_spread *s)
{
    double x = predicted_per_s(u, p->clients),
           naive = naive_per_s(u, at(u, u->low)->per_s, at(u, u->high)->per_s, p->clients);
    enum replay_regime regime = p->clients >= u->throttled_from ? REGIME_BEYOND : REGIME_NEAR;
    const char *group = arena_printf(v->r->arena, "%g clients", p->clients);
    struct replay_figure f = {
        .name = arena_printf(v->r->arena, "%s, run %ld: %g clients", u->label, u->place, p->clients),
        .unit = "queries/s",
        .measured = p->per_s,
        .predicted = tools_estimate(x, s),
        .naive = naive,
        .noise_frac = NAN,
        .group = regime == REGIME_NEAR ? group : NULL};

    replay_emit(v->r, &f)->regime = regime;
    if (isnan(p->p99_s) || isnan(u->tail))
        return;
    f.name = arena_printf(v->r->arena, "%s, run %ld: %g clients, p99", u->label, u->place, p->clients);
    f.unit = "s";
    f.measured = p->p99_s;
    f.predicted = tools_estimate(u->tail * p->clients / x, s);
    f.naive = at(u, u->high)->p99_s;
    f.tail = true;
    f.group = NULL;
    replay_emit(v->r, &f)->regime = regime;
}

static int run(struct replay *r, struct err *err)
{
    struct vectors *v = arena_alloc(r->arena, sizeof *v);
    struct tools_spread spread;
    size_t kept = 0;

    v->r = r;
    TRY(replay_number(r, r->params, "$.params", "low", &v->low, err));
    TRY(replay_number(r, r->params, "$.params", "high", &v->high, err));
    TRY(load(v, err));
    for (size_t i = 0; i < v->n; i++)
        if (calibrate(v, &v->runs[i]))
            v->runs[kept++] = v->runs[i];
    v->n = kept;
    spread = unused_errors(v);
    for (size_t i = 0; i < v->n; i++)
        for (size_t k = 0; k < v->runs[i].n; k++)
            if (v->runs[i].p[k].clients > v->high)
                emit(v, &v->runs[i], &v->runs[i].p[k], &spread);
    return 0;
}

const struct replay_kind replay_vectors = {
    .name = "vectordb-concurrency",
    .about = "a vector database asked by more and more clients, from two low concurrencies",
    .run = run,
};
