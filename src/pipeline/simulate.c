#include "pipeline/simulate.h"

#include "base/arena.h"
#include "engine/replicate.h"
#include "pipeline/flow.h"
#include "pipeline/fold.h"
#include "pipeline/warmup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Pieces that leave before and while a steady run is measured. Queues with open arrivals forget slowly. The
 * warm-up is the least there is: MSER-5 decides from the first replications whether it was enough.
 */
static const struct flow_limits open_limits = {.warmup = 10000, .measured = 200000, .series_pieces = 200};
static const struct flow_limits closed_limits = {.warmup = 500, .measured = 10000, .series_pieces = 10};
/* Requests that are many events each, and several pipelines at once. */
static const struct flow_limits served_limits = {.warmup = 1000, .measured = 20000, .series_pieces = 20};

struct batch {
    const struct scenario *s;
    uint64_t seed;
    uint32_t first; /* replication */
    struct flow_limits limits;
    double deadline_s; /* 0: none */
    struct flow_result *results;
    struct arena **arenas; /* one per replication: arenas are not shared between threads */
};

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int one_replication(void *ctx, uint32_t replication, struct err *err)
{
    struct batch *b = ctx;
    struct flow_limits limits = b->limits;

    if (b->deadline_s > 0)
        limits.max_wall_s = fmax(1e-9, b->deadline_s - wall_s());
    b->arenas[replication] = arena_new();
    return flow_run(b->s, b->seed, b->first + replication, &limits, b->arenas[replication],
                    &b->results[replication], err);
}

static void forget(struct batch *b, long i)
{
    arena_free(b->arenas[i]);
    b->results[i] = (struct flow_result){0};
    b->arenas[i] = NULL;
}

static void batch_free(struct batch *b, long n)
{
    for (long i = 0; i < n; i++)
        forget(b, i);
    free(b->results);
    free(b->arenas);
}

/* ------------------------------------------------------------ stopping */

static double relative_half_width(const struct estimate *e)
{
    return e->mean > 0 ? (e->hi - e->lo) / 2 / e->mean : 0;
}

/* What the caller makes of the finished prefix. */
static bool caller_has_enough(const struct batch *b, long n, const struct simulate_options *opt,
                              const struct outcome *so_far)
{
    struct arena *a = arena_new();
    struct outcome o = *so_far;
    bool enough;

    fold_results(b->results, n, a, &o);
    enough = opt->is_enough(opt->is_enough_ctx, &o);
    arena_free(a);
    return enough;
}

/* Decided on the finished prefix only, so the number of threads cannot change the answer. */
static bool precise_enough(const struct batch *b, long n, double precision, double confidence)
{
    double *x = xcalloc((size_t)n, sizeof *x);
    struct estimate e = fold_line(b->results, n, b->s->objective,
                                  offsetof(struct flow_line, throughput_per_s), x, confidence);
    bool enough = relative_half_width(&e) <= precision;

    if (enough && scenario_has_latency(b->s)) {
        e = fold_line(b->results, n, b->s->objective, offsetof(struct flow_line, latency_s), x, confidence);
        enough = relative_half_width(&e) <= precision;
    }
    free(x);
    return enough;
}

static int extend(struct batch *b, long from, long to, const struct simulate_options *opt, struct outcome *o,
                  struct err *err)
{
    int rc;

    b->results = xrealloc(b->results, (size_t)to, sizeof *b->results);
    b->arenas = xrealloc(b->arenas, (size_t)to, sizeof *b->arenas);
    memset(b->results + from, 0, (size_t)(to - from) * sizeof *b->results);
    memset(b->arenas + from, 0, (size_t)(to - from) * sizeof *b->arenas);
    rc = replicate_run((uint32_t)from, (uint32_t)to, opt->threads, one_replication, b, err);
    for (long i = from; i < to; i++)
        if (b->results[i].cap != CAP_NONE) {
            o->capped = true;
            o->cap = b->results[i].cap;
        }
    return rc;
}

/* Beside jobs with an end a steady pipeline is measured for as long as they take. */
static double pieces_measured(const struct batch *b, long n)
{
    double sum = 0;
    bool ends = false;

    for (int i = 0; i < b->s->pipelines_n; i++)
        ends = ends || b->s->pipelines[i].horizon.kind != HORIZON_STEADY;
    for (long r = 0; r < n; r++)
        sum += (double)b->results[r].lines[b->s->objective].pieces / (double)n;
    return ends ? sum : b->limits.measured;
}

/* MSER-5 on the first wave; a run that needs more warm-up than it had begins again with it. */
static int settle(struct batch *b, long n, const struct simulate_options *opt, struct outcome *o,
                  struct err *err)
{
    struct warmup w = {0};
    bool steady = false;

    if (o->capped)
        return 0;
    for (int i = 0; i < b->s->pipelines_n; i++) {
        const struct pipeline *p = &b->s->pipelines[i];
        struct warmup of;

        if (p->horizon.kind != HORIZON_STEADY)
            continue;
        steady = true;
        if (b->results[0].lines[i].series_n == 0 && !p->is_objective) /* it stands still */
            continue;
        of = warmup_decide(b->results, n, i, b->limits.series_pieces);
        w.refused = w.refused || of.refused;
        w.pieces = fmax(w.pieces, p->is_objective ? of.pieces : 10 * of.pieces); /* it is given a tenth */
    }
    if (!steady)
        return 0;
    o->warmup.used = true;
    o->warmup.settled = !w.refused;
    o->warmup.measured = pieces_measured(b, n);
    if (!w.refused && w.pieces > b->limits.warmup) {
        b->limits.warmup = w.pieces;
        for (long i = 0; i < n; i++)
            forget(b, i);
        TRY(extend(b, 0, n, opt, o, err));
    }
    o->warmup.discarded = b->limits.warmup;
    return 0;
}

/* When a cap was reached, replications that came to their end say more than those that were cut. */
static long keep_whole(struct batch *b, long n)
{
    long whole = 0;

    for (long i = 0; i < n; i++)
        whole += b->results[i].cap == CAP_NONE;
    if (whole < 2)
        return n;
    whole = 0;
    for (long i = 0; i < n; i++) {
        if (b->results[i].cap != CAP_NONE)
            continue;
        if (whole < i) {
            forget(b, whole);
            b->results[whole] = b->results[i];
            b->arenas[whole] = b->arenas[i];
            b->results[i] = (struct flow_result){0};
            b->arenas[i] = NULL;
        }
        whole++;
    }
    return whole;
}

/*
 * A simulation cannot beat an optimistic bound except by the luck of its draws, and by what was half done
 * when measuring began.  Of runs with an end the times are compared: the mean of units / T is above units /
 * mean of T, without any luck.  Few replications may agree by chance, so that their number of pieces counts
 * as well.
 */
static bool is_above_bound(const struct batch *b, const struct outcome *o)
{
    bool ends = o->scenario->horizon.kind != HORIZON_STEADY;
    const struct estimate *x = ends ? &o->makespan_s : &o->throughput_per_s;
    double luck = o->replications > 1 ? 3 * (x->hi - x->lo) : x->mean;
    double best = o->bound.throughput_per_s * (1 + 1e-6), units = 0, before = 0, pieces = 1;

    for (long r = 0; r < o->replications; r++) {
        const struct flow_line *l = &b->results[r].lines[b->s->objective];

        units += l->units / (double)o->replications;
        before += l->units_before / (double)o->replications;
        pieces += (double)l->pieces;
    }
    if (o->replications < 6)
        luck = fmax(luck, 10 * x->mean / sqrt(pieces));
    return ends ? units > best * (x->mean + luck) : x->mean * (1 - before / units) - luck > best;
}

static int judge(const struct outcome *o, bool enough, bool above, double precision, struct err *err)
{
    static const char *const caps[] = {
        [CAP_EVENTS] = "--max-events", [CAP_BYTES] = "--max-mem", [CAP_WALL] = "--max-wall"};
    const struct outcome_warmup *w = &o->warmup;

    if (o->capped)
        return err_set(err, ERR_CAP, "a replication reached the cap %s; results are partial", caps[o->cap]);
    if (w->used && !w->settled)
        return err_set(
            err, ERR_PRECISION,
            "%s: no steady state within %g pieces of each replication: MSER-5 would leave out more than "
            "half of them. Either the load is too close to what the pipeline can do, or it never settles; "
            "results are shown as they are",
            o->scenario->file, w->discarded + w->measured);
    if (above) /* every work done was paid for: utilizations are asserted; so the work itself was too little
                */
        return err_set(
            err, ERR_PRECISION,
            "%s: %g/s is more than %g/s, the best that the mean times allow: draws of a law with a "
            "heavy tail have not come near its mean in so short a run; results are shown as they are",
            o->scenario->file, o->throughput_per_s.mean, o->bound.throughput_per_s);
    if (!enough)
        return err_set(err, ERR_PRECISION,
                       "precision %g was not reached within %ld replications; results are shown as they are",
                       precision, o->replications);
    return 0;
}

static struct flow_limits limits_for(const struct scenario *s, const struct simulate_options *opt)
{
    bool serves = s->pipelines_n > 1;
    struct flow_limits limits;

    for (int i = 0; i < s->stages_n; i++)
        serves = serves || s->stages[i].model->server != NULL;
    limits = !scenario_has_latency(s) ? closed_limits : serves ? served_limits : open_limits;
    if (opt->length > 0) {
        limits.series_pieces = fmax(1, round(limits.series_pieces * opt->length));
        limits.measured = fmax(1, round(limits.measured * opt->length));
        limits.warmup = fmax(1, round(limits.warmup * opt->length));
    }
    if (opt->warmup > 0)
        limits.warmup = opt->warmup;
    limits.max_events = opt->max_events;
    limits.max_bytes = opt->max_bytes;
    limits.ties = opt->ties;
    return limits;
}

static long most_replications(const struct simulate_options *opt, long first)
{
    if (opt->is_enough != NULL)
        return opt->most > 0 ? opt->most : SIMULATE_MOST;
    return opt->replications > 0 || opt->precision <= 0 ? first : SIMULATE_MOST;
}

int simulate(const struct scenario *s, const struct simulate_options *opt, struct arena *a,
             struct outcome *out, struct err *err)
{
    struct batch b = {
        .s = s, .seed = opt->seed ? opt->seed : s->seed, .first = (uint32_t)opt->first};
    long n = 0, step = opt->replications > 0 ? opt->replications : SIMULATE_REPLICATIONS;
    long most = most_replications(opt, step);
    bool enough = true, above = false;
    int rc = 0;

    *out = (struct outcome){.command = "run", .scenario = s, .seed = b.seed, .has_bound = true};
    out->confidence = opt->confidence > 0 ? opt->confidence : 0.95;
    bound_compute(s, a, &out->bound);
    if (!isfinite(out->bound.throughput_per_s))
        return err_set(
            err, ERR_SCENARIO,
            "%s: nothing limits this pipeline: no stage takes any time. Give its costs, or calibrate: "
            "foresight exec --profile SCENARIO, then foresight fit SCENARIO",
            s->file);
    b.limits = limits_for(s, opt);
    b.deadline_s = opt->max_wall_s > 0 ? wall_s() + opt->max_wall_s : 0;
    do {
        rc = extend(&b, n, n + step, opt, out, err);
        if (rc == 0 && n == 0 && opt->warmup == 0)
            rc = settle(&b, step, opt, out, err);
        n += step;
        step = n;
        if (n + step > most)
            step = most - n;
        if (rc == 0 && !out->capped && n < most && opt->is_enough != NULL)
            enough = caller_has_enough(&b, n, opt, out);
        else
            enough =
                rc != 0 || opt->precision <= 0 || precise_enough(&b, n, opt->precision, out->confidence);
    } while (!enough && !out->capped && n < most);
    if (rc == 0) {
        fold_results(b.results, out->capped ? keep_whole(&b, n) : n, a, out);
        above = !out->capped && s->horizon.kind != HORIZON_TIME && is_above_bound(&b, out);
    }
    batch_free(&b, n);
    return rc != 0 ? rc : judge(out, enough, above, opt->precision, err);
}

static struct flow_limits limits_again(const struct scenario *s, const struct simulate_options *opt,
                                       const struct outcome *o)
{
    struct flow_limits limits = limits_for(s, opt);

    if (o->warmup.used)
        limits.warmup = o->warmup.discarded;
    limits.max_wall_s = opt->max_wall_s;
    return limits;
}

int simulate_watched(const struct scenario *s, const struct simulate_options *opt, const struct outcome *o,
                     flow_watch_fn *watch, void *ctx, struct err *err)
{
    struct flow_limits limits = limits_again(s, opt, o);
    struct flow_result ignored;
    struct arena *a = arena_new();
    int rc;

    limits.watch = watch;
    limits.watch_ctx = ctx;
    rc = flow_run(s, o->seed, 0, &limits, a, &ignored, err);
    arena_free(a);
    return rc;
}

int simulate_sampled(const struct scenario *s, const struct simulate_options *opt, const struct outcome *o,
                     const struct sampling *how, struct arena *a, struct flow_result *out, struct err *err)
{
    struct flow_limits limits = limits_again(s, opt, o);

    limits.sample = how->sample;
    limits.sample_ctx = how->ctx;
    limits.sample_every_s = how->every_s > 0 ? how->every_s
                                             : o->rep[0][s->objective].makespan_s / (double)how->points;
    limits.latency_points = how->latency_points;
    return flow_run(s, o->seed, 0, &limits, a, out, err);
}
