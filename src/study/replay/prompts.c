/*
 * prompts.c - prompts of a retrieval service on later days, from its first days.
 *
 *   sizes      tokens of prompt and answer, passages a request: as on the days seen
 *   repeats    the share of passages that were in a prompt before.  Distinct passages among n retrieved grow
 *              as n^beta (Heaps' law, what a Zipf popularity gives), so an endless cache hits
 *
 *         1 - (D(n_end) - D(n_begin)) / (n_end - n_begin),    D(n) = D(n_seen) (n / n_seen)^beta
 *
 *              with beta from the growth of the last day seen; a cache emptied each night hits 1 - D(n) / n
 * of the day's n, with beta and D from whole days.  How many passages a day retrieves is its load, and given.
 *
 * The naive prediction is what the first day showed.  Intervals: how far the days seen are from each other.
 */
#include "study/replay.h"

#include "store/view.h"
#include "study/replay/tools.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS = 64, SIZES = 5 };
static const double DAY_S = 86400;
static const char *const size_names[SIZES] = {"prompt tokens, mean", "prompt tokens at 50 %",
                                              "prompt tokens at 90 %", "answer tokens, mean",
                                              "passages a request"};
static const char *const size_units[SIZES] = {"tokens", "tokens", "tokens", "tokens", "passages"};

struct day {
    double size[SIZES];
    double retrieved, fresh, distinct; /* passages; never seen before; different ones within the day */
    size_t requests;
};

struct use {
    double at_s, block;
};

struct service {
    struct replay *r;
    struct day day[DAYS];
    int days, seen;
};

static int by_time(const void *a, const void *b)
{
    const struct use *x = a, *y = b;

    return x->at_s != y->at_s ? (x->at_s > y->at_s) - (x->at_s < y->at_s)
                              : (x->block > y->block) - (x->block < y->block);
}

static int by_block(const void *a, const void *b)
{
    const struct use *x = a, *y = b;

    return x->block != y->block ? (x->block > y->block) - (x->block < y->block) : by_time(a, b);
}

static int day_of(double at_s)
{
    return (int)fmin(DAYS - 1, fmax(0, floor(at_s / DAY_S)));
}

/* Sorted by passage and time, a passage is fresh where it comes first, and distinct where its day does. */
static void count_passages(struct service *s, struct use *u, size_t n)
{
    qsort(u, n, sizeof *u, by_block);
    for (size_t i = 0; i < n; i++) {
        struct day *d = &s->day[day_of(u[i].at_s)];
        bool first = i == 0 || u[i].block != u[i - 1].block;

        d->retrieved++;
        d->fresh += first;
        d->distinct += first || day_of(u[i].at_s) != day_of(u[i - 1].at_s);
    }
}

static void measure_sizes(struct service *s, const struct view_column *c, size_t n)
{
    double *v = arena_array(s->r->arena, n + 1, sizeof *v);

    for (int k = 0; k < s->days; k++) {
        struct day *d = &s->day[k];
        double in = 0, out = 0;

        for (size_t i = 0; i < n; i++)
            if (day_of(c[1].real[i]) == k) {
                v[d->requests++] = c[2].real[i];
                in += c[2].real[i];
                out += c[3].real[i];
            }
        d->size[0] = in / (double)d->requests;
        d->size[1] = tools_quantile(v, d->requests, 0.5);
        d->size[2] = tools_quantile(v, d->requests, 0.9);
        d->size[3] = out / (double)d->requests;
        d->size[4] = d->retrieved / (double)d->requests;
    }
}

static int load(struct service *s, struct err *err)
{
    struct view_column c[] = {
        {.name = "seq"}, {.name = "arrival_s"}, {.name = "input_tokens"}, {.name = "output_tokens"}};
    struct view_column b[] = {{.name = "request"}, {.name = "part"}, {.name = "block"}};
    size_t n, blocks, used = 0;
    struct use *u;
    int64_t id;

    TRY(replay_import(s->r, s->r->c->files[0], &id, err));
    TRY(view_load(s->r->store, "requests", id, c, 4, s->r->arena, &n, err));
    TRY(view_load(s->r->store, "prompt_block", id, b, 3, s->r->arena, &blocks, err));
    u = arena_array(s->r->arena, blocks + 1, sizeof *u);
    for (size_t i = 0; i < blocks; i++) {
        size_t request = (size_t)b[0].real[i];

        if (b[1].text[i] != NULL && strcmp(b[1].text[i], "passages") == 0 && request < n)
            u[used++] = (struct use){c[1].real[request], b[2].real[i]};
    }
    for (size_t i = 0; i < n; i++)
        s->days = s->days > day_of(c[1].real[i]) + 1 ? s->days : day_of(c[1].real[i]) + 1;
    count_passages(s, u, used);
    measure_sizes(s, c, n);
    return 0;
}

/* ---------------------------------------------------------------------------------------- predicting */

static void emit(struct service *s, int day, const char *name, const char *unit, double measured,
                 double predicted, double naive, double log_sd)
{
    replay_emit(s->r, &(struct replay_figure){.name = arena_printf(s->r->arena, "day %d, %s", day + 1, name),
                                              .unit = unit,
                                              .measured = measured,
                                              .predicted = replay_estimate(predicted, log_sd, s->seen - 1),
                                              .naive = naive,
                                              .noise_frac = NAN});
}

static void emit_sizes(struct service *s, int day)
{
    for (int k = 0; k < SIZES; k++) {
        double sum = 0, requests = 0, p[DAYS], m[DAYS], mean;

        for (int i = 0; i < s->seen; i++) {
            sum += s->day[i].size[k] * (double)s->day[i].requests;
            requests += (double)s->day[i].requests;
        }
        mean = sum / requests;
        for (int i = 0; i < s->seen; i++) {
            p[i] = mean;
            m[i] = s->day[i].size[k];
        }
        emit(s, day, size_names[k], size_units[k], s->day[day].size[k], mean, s->day[0].size[k],
             replay_log_spread(p, m, (size_t)s->seen));
    }
}

/* Heaps' exponent between two points of the growth of distinct passages. */
static double heaps(double n1, double d1, double n2, double d2)
{
    return fmin(1, fmax(0, log(d2 / d1) / log(n2 / n1)));
}

static void emit_repeats(struct service *s, int day)
{
    const struct day *x = &s->day[day], *last = &s->day[s->seen - 1], *first = &s->day[0];
    double n = 0, d = 0, begin = 0, beta, daily = 0, spread;
    double p[DAYS], m[DAYS];
    size_t pairs = 0;

    for (int i = 0; i < s->seen; i++) {
        n += s->day[i].retrieved;
        d += s->day[i].fresh;
    }
    beta = heaps(n - last->retrieved, d - last->fresh, n, d);
    for (int i = s->seen, k = day; i < k; i++)
        begin += s->day[i].retrieved;
    for (int i = 1; i < s->seen; i++) { /* days as samples of different size from one popularity */
        daily +=
            heaps(s->day[i].retrieved, s->day[i].distinct, first->retrieved, first->distinct) / (s->seen - 1);
        p[pairs] = 1 - last->distinct / last->retrieved;
        m[pairs++] = 1 - s->day[i].distinct / s->day[i].retrieved;
    }
    spread = pairs > 1 ? fmax(0.01, replay_log_spread(p, m, pairs)) : 0.05;
    emit(s, day, "passages seen on any day before", "ratio", 1 - x->fresh / x->retrieved,
         1 - d * (pow((n + begin + x->retrieved) / n, beta) - pow((n + begin) / n, beta)) / x->retrieved,
         1 - first->fresh / first->retrieved, spread);
    emit(s, day, "passages seen that day before", "ratio", 1 - x->distinct / x->retrieved,
         1 - first->distinct * pow(x->retrieved / first->retrieved, daily) / x->retrieved,
         1 - first->distinct / first->retrieved, spread);
}

static int run(struct replay *r, struct err *err)
{
    struct service *s = arena_alloc(r->arena, sizeof *s);
    double seen;

    s->r = r;
    TRY(replay_number(r, r->params, "$.params", "days_seen", &seen, err));
    if (r->c->files_n == 0)
        return err_set(err, ERR_SCENARIO, "%s: $.files: one recording is needed", r->c->path);
    TRY(load(s, err));
    s->seen = (int)seen;
    if (s->seen < 2 || s->seen >= s->days)
        return err_set(err, ERR_SCENARIO,
                       "%s: $.params.days_seen: %g of %d days; 2 or more, and one must be left", r->c->path,
                       seen, s->days);
    for (int day = s->seen; day < s->days; day++) {
        emit_sizes(s, day);
        emit_repeats(s, day);
    }
    return 0;
}

const struct replay_kind replay_prompts = {
    .name = "rag-prompts",
    .about = "prompt sizes and repeated passages of a retrieval service on later days, from its first days",
    .run = run,
};
