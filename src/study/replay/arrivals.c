/*
 * arrivals.c - how bursty and how long the second half of a recording is, from its first half.
 *
 *   dispersion   variance over mean of the counts in windows of w seconds.  Arrivals whose rate wanders have
 *                1 + (mean count) c^2(w), c the coefficient of variation of the rate at that scale.  c^2
 * comes from the first half; the mean rate of the second is given, as the load of a what-if is. lengths
 * quantiles of prompt and answer, those of the first half.
 *
 * The naive prediction is Poisson: dispersion 1, and lengths of an exponential law with the mean of the
 * first half.  Intervals: the first half cut into four parts, each predicted from the other three.
 */
#include "study/replay.h"

#include "store/view.h"
#include "study/replay/tools.h"

#include <math.h>

enum { PARTS = 4, WINDOWS = 3, QUANTILES = 4, LENGTHS = 2 };
static const double windows_s[WINDOWS] = {1, 10, 60}, quantiles[QUANTILES] = {0.5, 0.75, 0.9, 0.99};

struct recording {
    struct replay *r;
    const char *label;
    double *arrival_s, *length[LENGTHS];
    size_t n;
    double end_s;
};

/* Counts in whole windows of [from, to): their mean, and c^2 = (variance / mean - 1) / mean. */
static void counts(const struct recording *x, double from, double to, double window, double *mean, double *c2)
{
    long n = (long)floor((to - from) / window + 1e-9);
    double *count = arena_array(x->r->arena, (size_t)n + 1, sizeof *count), sum = 0, square = 0;

    for (size_t i = 0; i < x->n; i++) {
        long w = (long)floor((x->arrival_s[i] - from) / window);

        if (x->arrival_s[i] >= from && w < n)
            count[w]++;
    }
    for (long i = 0; i < n; i++) {
        sum += count[i];
        square += count[i] * count[i];
    }
    *mean = sum / (double)n;
    *c2 = ((square / (double)n - *mean * *mean) / *mean - 1) / *mean;
}

static size_t between(const struct recording *x, const double *values, double from, double to, double *out)
{
    size_t n = 0;

    for (size_t i = 0; i < x->n; i++)
        if (x->arrival_s[i] >= from && x->arrival_s[i] < to)
            out[n++] = values[i];
    return n;
}

static double length_quantile(const struct recording *x, int which, double from, double to, double q)
{
    double *v = arena_array(x->r->arena, x->n + 1, sizeof *v);

    return tools_quantile(v, between(x, x->length[which], from, to, v), q);
}

static double length_mean(const struct recording *x, int which, double from, double to)
{
    double *v = arena_array(x->r->arena, x->n + 1, sizeof *v), sum = 0;
    size_t n = between(x, x->length[which], from, to, v);

    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return n > 0 ? sum / (double)n : NAN;
}

/* How far a part of the first half is from the half: the spread a prediction of another half has at least. */
static struct tools_spread parts_spread(const struct recording *x, double half, int length, int quantile,
                                        double window)
{
    double p[PARTS], m[PARTS];
    struct tools_spread s;

    for (int i = 0; i < PARTS; i++) {
        double from = half * i / PARTS, to = half * (i + 1) / PARTS, mean, c2, all, c2_all;

        if (length >= 0) {
            p[i] = fmax(1, length_quantile(x, length, 0, half, quantiles[quantile]));
            m[i] = fmax(1, length_quantile(x, length, from, to, quantiles[quantile]));
            continue;
        }
        counts(x, from, to, window, &mean, &c2);
        counts(x, 0, half, window, &all, &c2_all);
        p[i] = fmax(0.05, 1 + mean * c2_all);
        m[i] = fmax(0.05, 1 + mean * c2);
    }
    s = tools_spread(p, m, PARTS, x->r->arena);
    tools_widen(&s, PARTS);
    return s;
}

static void emit_dispersion(const struct recording *x, double half, double window)
{
    double seen, c2, mean, measured;
    struct tools_spread s = parts_spread(x, half, -1, 0, window);

    counts(x, 0, half, window, &seen, &c2);
    counts(x, half, x->end_s, window, &mean, &measured);
    replay_emit(x->r, &(struct replay_figure){
                          .name = arena_printf(x->r->arena, "%s, dispersion over %g s", x->label, window),
                          .unit = "ratio",
                          .measured = 1 + mean * measured,
                          .predicted = tools_estimate(1 + mean * c2, &s),
                          .naive = 1,
                          .noise_frac = NAN});
}

static void emit_length(const struct recording *x, double half, int which, int q)
{
    static const char *const names[LENGTHS] = {"prompt", "answer"};
    struct tools_spread s = parts_spread(x, half, which, q, 0);
    struct replay_figure f = {.name = arena_printf(x->r->arena, "%s, %s tokens at %g %%", x->label,
                                                   names[which], 100 * quantiles[q]),
                              .unit = "tokens",
                              .measured = length_quantile(x, which, half, x->end_s + 1, quantiles[q]),
                              .naive = -log(1 - quantiles[q]) * length_mean(x, which, 0, half),
                              .noise_frac = NAN,
                              .tail = quantiles[q] >= 0.95};

    f.predicted = tools_estimate(length_quantile(x, which, 0, half, quantiles[q]), &s);
    replay_emit(x->r, &f);
}

static int load(struct recording *x, const char *file, struct err *err)
{
    struct view_column c[] = {{.name = "arrival_s"}, {.name = "input_tokens"}, {.name = "output_tokens"}};
    int64_t id;

    TRY(replay_import(x->r, file, &id, err));
    TRY(view_load(x->r->store, "requests", id, c, 3, x->r->arena, &x->n, err));
    x->label = file;
    x->arrival_s = c[0].real;
    x->length[0] = c[1].real;
    x->length[1] = c[2].real;
    for (size_t i = 0; i < x->n; i++)
        x->end_s = fmax(x->end_s, x->arrival_s[i]);
    if (!(x->end_s > 8 * windows_s[WINDOWS - 1]))
        return err_set(err, ERR_TRACE, "%s: %s: too short for windows of %g s", x->r->c->path, file,
                       windows_s[WINDOWS - 1]);
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    for (size_t i = 0; i < r->c->files_n; i++) {
        struct recording x = {.r = r};

        TRY(load(&x, r->c->files[i], err));
        for (int w = 0; w < WINDOWS; w++)
            emit_dispersion(&x, x.end_s / 2, windows_s[w]);
        for (int which = 0; which < LENGTHS; which++)
            for (int q = 0; q < QUANTILES; q++)
                emit_length(&x, x.end_s / 2, which, q);
    }
    return 0;
}

const struct replay_kind replay_arrivals = {
    .name = "arrivals",
    .about = "burstiness and lengths of the second half of a recording, from its first half",
    .run = run,
};
