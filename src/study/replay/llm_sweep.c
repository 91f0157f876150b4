/*
 * llm_sweep.c - mixture-of-experts engines under more and more requests in flight: from the lower
 * concurrencies of a configuration to its highest.
 *
 *   y(c) = a + m (1 - (1 - k/E)^c) + b c
 *
 *   y   time of an answer token, or the time between two answers of one client, c / throughput
 *   a   what an iteration costs whatever its batch: attention weights, collectives, launches
 *   m   all experts' weights: a batch of c tokens, each choosing k of E, touches the share in brackets
 *   b   each request's own part: its context, its products, and the prompts of the others beside which it
 *       decodes; once the server is saturated it is all there is
 *
 * so a step grows steeply while experts are added and slowly once all are read.  a, m and b are not negative
 * and fitted by least squares of relative errors.  The naive prediction is the straight line through the two
 * highest concurrencies that were fitted.  The interval is the spread of the errors that the same fit makes
 * at the highest fitted concurrency from those below it.
 *
 * A sweep in which throughput falls by more than a tenth while concurrency grows, or in which the first token
 * comes later with fewer, contradicts itself; so says the import.  It is shown as beyond saturation.
 */
#include "calibrate/nnls.h"
#include "store/measurement.h"
#include "study/replay/tools.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS = 3, LEAST = 4 /* concurrencies of a sweep */ };
#define TOLERANCE 0.10 /* as of the import: repeated runs differ by some percent */

struct point { /* one concurrency; repeats are averaged */
    double clients, y, square, per_s, wait_s;
    int runs;
};

struct sweep {
    const char *name;
    double experts, per_token;
    struct point *level; /* by rising concurrency */
    size_t n, room;
};

struct sweeps {
    struct replay *r;
    bool is_rate; /* throughput instead of TPOT */
    struct sweep *sweep;
    size_t n, room;
};

/* ------------------------------------------------------------ reading */

static void *one_more(struct arena *a, void *old, size_t n, size_t *room, size_t size)
{
    void *new;

    if (n < *room)
        return old;
    *room = *room == 0 ? 8 : 2 * *room;
    new = arena_array(a, *room, size);
    if (n > 0)
        memcpy(new, old, n * size);
    return new;
}

/* "m_isl1024_conc16.json" at 16 clients is of the sweep "m_isl1024_.json". */
static const char *without_clients(struct arena *a, const char *text, double clients)
{
    char number[2][32];

    snprintf(number[0], sizeof number[0], "conc%.0f", clients);
    snprintf(number[1], sizeof number[1], "c%.0f", clients);
    for (int i = 0; i < 2; i++) {
        const char *at = strstr(text, number[i]);

        if (at != NULL)
            return arena_printf(a, "%.*s%s", (int)(at - text), text, at + strlen(number[i]));
    }
    return text;
}

/* Settings that tell sweeps apart, joined. */
static const char *name_of(const struct sweeps *s, const struct measured_row *m, double clients)
{
    const char *name = "";

    JSON_EACH (v, json_get(s->r->params, "group_by")) {
        const char *key = json_string(v), *text = measured_text(m, key);

        if (*text == '\0') {
            double number = measured_number(m, key);

            if (!isnan(number))
                name = arena_printf(s->r->arena, "%s %s %g", name, key, number);
            continue;
        }
        name = arena_printf(s->r->arena, "%s %s", name, without_clients(s->r->arena, text, clients));
    }
    return *name == ' ' ? name + 1 : name;
}

static struct sweep *sweep_named(struct sweeps *s, const char *name, const struct json *experts)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->sweep[i].name, name) == 0)
            return &s->sweep[i];
    s->sweep = one_more(s->r->arena, s->sweep, s->n, &s->room, sizeof *s->sweep);
    s->sweep[s->n] = (struct sweep){.name = name,
                                    .experts = json_number(json_at(experts, 0)),
                                    .per_token = json_number(json_at(experts, 1))};
    return &s->sweep[s->n++];
}

static void add_level(struct sweeps *s, struct sweep *w, const struct point *one)
{
    size_t i = w->n;

    while (i > 0 && w->level[i - 1].clients >= one->clients)
        i--;
    if (i == w->n || w->level[i].clients != one->clients) {
        w->level = one_more(s->r->arena, w->level, w->n, &w->room, sizeof *w->level);
        memmove(w->level + i + 1, w->level + i, (w->n - i) * sizeof *w->level);
        w->level[i] = (struct point){.clients = one->clients};
        w->n++;
    }
    w->level[i].y += one->y;
    w->level[i].square += one->y * one->y;
    w->level[i].per_s += one->per_s;
    w->level[i].wait_s += one->wait_s;
    w->level[i].runs++;
}

static struct point point_of(const struct sweeps *s, const struct measured_row *m)
{
    double output = measured_number(m, "output_tokens");
    struct point l = {.clients = measured_number(m, "concurrency")};

    if (s->is_rate) {
        l.per_s = measured_figure(m, "requests_per_s");
        l.wait_s = measured_figure(m, "ttft_p50_s");
        l.y = l.clients / l.per_s;
        return l;
    }
    l.wait_s = measured_figure(m, "ttft_s");
    l.y = measured_figure(m, "tpot_s");
    l.per_s = l.clients / (l.wait_s + (output - 1) * l.y);
    return l;
}

static int read_file(struct sweeps *s, const char *file, struct err *err)
{
    struct measured_row *m;
    int64_t trace;
    size_t n;

    TRY(replay_import(s->r, file, &trace, err));
    TRY(measured_load(s->r->store, trace, s->r->arena, &m, &n, err));
    for (size_t i = 0; i < n; i++) {
        const struct json *experts =
            json_get(json_get(s->r->params, "experts"), measured_text(&m[i], "model"));
        const char *mode = measured_text(&m[i], "mode");
        struct point l = point_of(s, &m[i]);

        if (experts == NULL || (*mode != '\0' && strcmp(mode, "agg") != 0))
            continue;
        if (l.clients >= 1 && l.y > 0 && l.per_s > 0 && l.wait_s > 0)
            add_level(s, sweep_named(s, name_of(s, &m[i], l.clients), experts), &l);
    }
    return 0;
}

static void average(struct sweep *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct point *l = &w->level[i];

        l->y /= l->runs;
        l->square /= l->runs;
        l->per_s /= l->runs;
        l->wait_s /= l->runs;
    }
}

static bool contradicts_itself(const struct sweep *w)
{
    double best = 0;

    for (size_t i = 0; i < w->n; i++) {
        if (w->level[i].per_s < (1 - TOLERANCE) * best ||
            (i > 0 && w->level[i - 1].wait_s > (1 + TOLERANCE) * w->level[i].wait_s))
            return true;
        best = fmax(best, w->level[i].per_s);
    }
    return false;
}

/* ------------------------------------------------------------ the law */

static void terms(const struct sweep *w, double clients, double out[TERMS])
{
    out[0] = 1;
    out[1] = 1 - pow(1 - w->per_token / w->experts, clients);
    out[2] = clients;
}

/* y at `clients` from the first n levels. */
static double extrapolate(const struct sweep *w, size_t n, double clients)
{
    double a[NNLS_MOST][NNLS_MOST] = {{0}}, b[TERMS] = {0}, scale[TERMS], x[NNLS_MOST], t[TERMS], y = 0;
    bool in[NNLS_MOST], said[NNLS_MOST];

    for (size_t i = 0; i < n; i++) {
        terms(w, w->level[i].clients, t);
        for (int j = 0; j < TERMS; j++) {
            b[j] += t[j] / w->level[i].y;
            for (int k = 0; k < TERMS; k++)
                a[j][k] += t[j] * t[k] / (w->level[i].y * w->level[i].y);
        }
    }
    for (int j = 0; j < TERMS; j++)
        scale[j] = 1 / sqrt(a[j][j]);
    for (int j = 0; j < TERMS; j++) {
        b[j] *= scale[j];
        for (int k = 0; k < TERMS; k++)
            a[j][k] *= scale[j] * scale[k];
    }
    nnls_solve(a, b, TERMS, x, in, said);
    terms(w, clients, t);
    for (int j = 0; j < TERMS; j++)
        y += x[j] * scale[j] * t[j];
    return y;
}

static double of_y(const struct sweeps *s, double y, double clients)
{
    return s->is_rate ? clients / y : y;
}

/* The same fit one level lower: the highest fitted concurrency from those below it. */
static struct tools_spread held_out(struct sweeps *s)
{
    double *p = arena_array(s->r->arena, s->n + 1, sizeof *p),
           *m = arena_array(s->r->arena, s->n + 1, sizeof *m);
    size_t k = 0;

    for (size_t i = 0; i < s->n; i++) {
        const struct sweep *w = &s->sweep[i];

        if (w->n < LEAST || contradicts_itself(w))
            continue;
        p[k] = of_y(s, extrapolate(w, w->n - 2, w->level[w->n - 2].clients), w->level[w->n - 2].clients);
        m[k++] = of_y(s, w->level[w->n - 2].y, w->level[w->n - 2].clients);
    }
    return tools_spread(p, m, k, s->r->arena);
}

static void emit(struct sweeps *s, const struct sweep *w, const struct tools_spread *spread)
{
    const struct point *top = &w->level[w->n - 1], *l = top - 1;
    double y = extrapolate(w, w->n - 1, top->clients), low = of_y(s, l[-1].y, l[-1].clients),
           high = of_y(s, l->y, l->clients),
           straight = high + (high - low) * (top->clients - l->clients) / (l->clients - l[-1].clients);
    struct replay_figure f = {
        .name = arena_printf(s->r->arena, "%s, %g at a time", w->name, top->clients),
        .unit = s->is_rate ? "requests/s" : "s",
        .measured = of_y(s, top->y, top->clients),
        .predicted = tools_estimate(of_y(s, y, top->clients), spread),
        .naive = straight,
        .noise_frac = top->runs > 1
                          ? sqrt(fmax(0, top->square / (top->y * top->y) - 1) * top->runs / (top->runs - 1))
                          : NAN,
    };
    bool suspect = contradicts_itself(w);

    replay_emit(s->r, &f)->regime = suspect ? REGIME_BEYOND : s->r->c->regime;
}

static int run(struct replay *r, struct err *err)
{
    struct sweeps s = {.r = r};
    struct tools_spread spread;
    const char *figure;

    TRY(replay_text(r, r->params, "$.params", "figure", &figure, err));
    s.is_rate = strcmp(figure, "throughput") == 0;
    if (!s.is_rate && strcmp(figure, "tpot") != 0)
        return err_set(err, ERR_SCENARIO, "%s: $.params.figure: expected \"tpot\" or \"throughput\"",
                       r->c->path);
    for (size_t i = 0; i < r->c->files_n; i++)
        TRY(read_file(&s, r->c->files[i], err));
    for (size_t i = 0; i < s.n; i++)
        average(&s.sweep[i]);
    spread = held_out(&s);
    for (size_t i = 0; i < s.n; i++)
        if (s.sweep[i].n >= LEAST)
            emit(&s, &s.sweep[i], &spread);
    return 0;
}

const struct replay_kind replay_llm_sweep = {
    .name = "llm-sweep",
    .about = "mixture-of-experts engines from lower concurrencies to the highest of each configuration",
    .run = run,
};
