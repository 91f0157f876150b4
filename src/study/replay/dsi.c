/*
 * dsi.c - stepwise co-design of Meta's ingestion: storage falls to 0.03 and comes back.
 *
 * A stripe is drawn: streams with lognormal sizes, a tenth of them wanted by the
 * job.  Every step of the co-design changes how it is read (models/columnar_io.h),
 * and storage throughput is the useful bytes a disk gives per second, relative to
 * the first step:
 *
 *   baseline     every feature lies in one map column: all of it is read
 *   flattening   one stream a feature: the wanted ones by themselves, a seek each
 *   coalescing   wanted streams within a window in one operation
 *   reordering   popular features first: the head holds most of what jobs want
 *   stripes      longer streams: fewer seeks and gaps that are worth skipping
 *
 * What the paper does not say (the disk, how popular features are, how much
 * larger the stripes became) is drawn from the ranges of the case file; the
 * prediction is the median over the draws, the interval their 5 and 95 %.
 * No range is fitted to the figures.  All bytes a disk gives per second, wanted or not, are told beside them.
 */
#include "engine/rng.h"
#include "models/columnar_io.h"
#include "study/replay/tools.h"

#include <math.h>
#include <string.h>

enum step { BASELINE, FLATTENING, COALESCING, REORDERING, STRIPES, STEPS, DRAWS = 400, STREAMS_MAX = 20000 };
static const char *const step_names[STEPS] = {"baseline", "flattening", "coalescing", "reordering",
                                              "stripes"};

static const char *const ranges[] = {
    "seek_s",          "disk_bytes_per_s", "wanted_frac", "wanted_bytes_frac", "head_traffic_frac",
    "head_bytes_frac", "stripe_growth",    NULL};
enum range { SEEK, DISK, WANTED, WANTED_BYTES, HEAD_TRAFFIC, HEAD_BYTES, GROWTH, RANGES };

struct work {
    struct replay *r;
    double low[RANGES], high[RANGES];
    double streams, median_bytes, mean_bytes, window_bytes;
    struct feature_stream *drawn, *ordered;
};

static int read_ranges(struct work *w, struct err *err)
{
    for (int i = 0; i < RANGES; i++) {
        const struct json *v = json_get(w->r->params, ranges[i]);

        if (v == NULL || json_size(v) != 2 || !(json_number(json_at(v, 0)) <= json_number(json_at(v, 1))))
            return err_set(err, ERR_SCENARIO, "%s: $.params.%s: a range [from, to] is needed", w->r->c->path,
                           ranges[i]);
        w->low[i] = json_number(json_at(v, 0));
        w->high[i] = json_number(json_at(v, 1));
    }
    TRY(replay_number(w->r, w->r->params, "$.params", "streams", &w->streams, err));
    TRY(replay_number(w->r, w->r->params, "$.params", "wanted_median_bytes", &w->median_bytes, err));
    TRY(replay_number(w->r, w->r->params, "$.params", "wanted_mean_bytes", &w->mean_bytes, err));
    TRY(replay_number(w->r, w->r->params, "$.params", "window_bytes", &w->window_bytes, err));
    if (!(w->streams >= 10 && w->streams <= STREAMS_MAX))
        return err_set(err, ERR_SCENARIO, "%s: $.params.streams: from 10 to %d", w->r->c->path, STREAMS_MAX);
    return 0;
}

/* Wanted streams have the published sizes; the others are as much smaller as the share of bytes says. */
static void draw_stripe(const struct work *w, const double *x, struct rng *r)
{
    double cv = sqrt(pow(w->mean_bytes / w->median_bytes, 2) - 1);
    double smaller = (1 - x[WANTED_BYTES]) / x[WANTED_BYTES] * x[WANTED] / (1 - x[WANTED]);

    for (size_t i = 0; i < (size_t)w->streams; i++) {
        bool wanted = rng_uniform(r) < x[WANTED];

        w->drawn[i] =
            (struct feature_stream){rng_lognormal(r, w->mean_bytes * (wanted ? 1 : smaller), cv), wanted};
    }
}

/* A wanted stream is popular (in the head) with the head's share of traffic; others fill the head's bytes. */
static void order_by_popularity(const struct work *w, const double *x, struct rng *r)
{
    double other = (x[HEAD_BYTES] - x[HEAD_TRAFFIC] * x[WANTED_BYTES]) / (1 - x[WANTED_BYTES]);
    size_t n = (size_t)w->streams, head = 0, tail = n;

    for (size_t i = 0; i < n; i++)
        if (rng_uniform(r) < (w->drawn[i].wanted ? x[HEAD_TRAFFIC] : other))
            w->ordered[head++] = w->drawn[i];
        else
            w->ordered[--tail] = w->drawn[i];
}

/* Useful bytes a disk gives per second. */
static double rate(const struct seek_disk *d, struct io_plan p)
{
    return p.wanted_bytes / columnar_disk_s(d, &p);
}

/* All of them, thrown away or not. */
static double raw_rate(const struct seek_disk *d, struct io_plan p)
{
    return p.bytes / columnar_disk_s(d, &p);
}

static void one_draw(struct work *w, uint32_t k, double relative[STEPS], double raw[STEPS])
{
    size_t n = (size_t)w->streams;
    struct io_plan plan[STEPS];
    struct seek_disk disk;
    double x[RANGES];
    struct rng r;

    rng_keyed(&r, w->r->seed, k, 0, 0, 0);
    for (int i = 0; i < RANGES; i++)
        x[i] = w->low[i] + (w->high[i] - w->low[i]) * rng_uniform(&r);
    disk = (struct seek_disk){x[SEEK], x[DISK]};
    draw_stripe(w, x, &r);
    order_by_popularity(w, x, &r);
    plan[BASELINE] = columnar_whole(w->drawn, n, w->window_bytes);
    plan[FLATTENING] = columnar_plan(w->drawn, n, 0, w->window_bytes);
    plan[COALESCING] = columnar_plan(w->drawn, n, w->window_bytes, w->window_bytes);
    plan[REORDERING] = columnar_plan(w->ordered, n, w->window_bytes, w->window_bytes);
    for (size_t i = 0; i < n; i++)
        w->ordered[i].bytes *= x[GROWTH];
    plan[STRIPES] = columnar_plan(w->ordered, n, w->window_bytes, INFINITY);
    for (int i = 0; i < STEPS; i++) {
        relative[i] = rate(&disk, plan[i]) / rate(&disk, plan[BASELINE]);
        raw[i] = raw_rate(&disk, plan[i]) / raw_rate(&disk, plan[BASELINE]);
    }
}

static int step_of(const char *name)
{
    for (int i = 0; i < STEPS; i++)
        if (strcmp(name, step_names[i]) == 0)
            return i;
    return -1;
}

/* Useful bytes alone: what reading only what is wanted would give if seeks cost nothing. */
static double transfer_only(const struct work *w, int step)
{
    return step == BASELINE ? 1 : 2 / (w->low[WANTED_BYTES] + w->high[WANTED_BYTES]);
}

static void column(double (*of)[STEPS], int step, double value[DRAWS])
{
    for (int k = 0; k < DRAWS; k++)
        value[k] = of[k][step];
}

static int emit(struct work *w, const struct json *f, const char *where, double (*relative)[STEPS],
                struct err *err)
{
    double value[DRAWS], measured;
    struct replay_figure figure = {.unit = "relative", .noise_frac = NAN, .group = "steps"};
    const char *name;
    int step;

    TRY(replay_text(w->r, f, where, "step", &name, err));
    TRY(replay_text(w->r, f, where, "name", &figure.name, err));
    TRY(replay_number(w->r, f, where, "measured", &measured, err));
    step = step_of(name);
    if (step < 0)
        return err_set(err, ERR_SCENARIO, "%s: %s.step: no step \"%.40s\"", w->r->c->path, where, name);
    column(relative, step, value);
    figure.measured = measured;
    figure.naive = transfer_only(w, step);
    figure.predicted = estimate_exact(tools_median(value, DRAWS));
    figure.predicted.has_pred = true;
    figure.predicted.pred_lo = tools_quantile(value, DRAWS, 0.5 - REPLAY_LEVEL / 2);
    figure.predicted.pred_hi = tools_quantile(value, DRAWS, 0.5 + REPLAY_LEVEL / 2);
    replay_emit(w->r, &figure);
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    struct work w = {.r = r};
    double(*relative)[STEPS] = arena_array(r->arena, DRAWS, sizeof *relative);
    double(*raw)[STEPS] = arena_array(r->arena, DRAWS, sizeof *raw), value[DRAWS], all_bytes[STEPS];
    size_t i = 0;

    TRY(read_ranges(&w, err));
    w.drawn = arena_array(r->arena, (size_t)w.streams, sizeof *w.drawn);
    w.ordered = arena_array(r->arena, (size_t)w.streams, sizeof *w.ordered);
    for (uint32_t k = 0; k < DRAWS; k++)
        one_draw(&w, k, relative[k], raw[k]);
    JSON_EACH (f, json_get(r->c->spec, "figures"))
        TRY(emit(&w, f, arena_printf(r->arena, "$.figures[%zu]", i++), relative, err));
    for (int k = 0; k < STEPS; k++) {
        column(raw, k, value);
        all_bytes[k] = tools_median(value, DRAWS);
    }
    r->c->found =
        arena_printf(r->arena,
                     "all bytes a disk reads, wanted or not: flattening %.2f, coalescing %.2f, "
                     "reordering %.2f, large stripes %.2f of the baseline's",
                     all_bytes[FLATTENING], all_bytes[COALESCING], all_bytes[REORDERING], all_bytes[STRIPES]);
    return 0;
}

const struct replay_kind replay_dsi = {
    .name = "dsi",
    .about = "columnar reading under seeks: flattening, coalescing, reordering, larger stripes",
    .run = run,
};
