/*
 * llm_requests.c - a measured run of an engine, request by request: same arrivals, same lengths, our times.
 *
 * The engine's costs come from layer profiles taken alone; nothing of the run itself is used but when
 * requests came and how long they were.  Compared are the mean and quantiles of what a user sees (TTFT, TPOT,
 * latency) and of the three phases apart: until scheduled, until the first token, until the last.
 *
 * The recording has two clocks.  Arrivals are aligned to the engine's on the smallest difference; an engine
 * notices a request at the end of the iteration under way, and times count from the arrival.
 *
 * The naive prediction is the simulator whose figures stand in the case ("rival": its prediction over the
 * measurement, as printed beside it).  The interval comes from the figures of the *other* runs of the case.
 */
#include "study/replay/llm_drive.h"
#include "study/replay/tools.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PHASES = 6, STATISTICS = 5, FIGURES = PHASES * STATISTICS, TAILS = 3 };

static const char *const phase_names[PHASES] = {
    "TTFT", "TPOT", "latency", "until scheduled", "scheduled to first token", "first to last token"};
static const char *const statistic_names[STATISTICS] = {"mean", "median", "p90", "p95", "p99"};
static const double quantiles[STATISTICS] = {NAN, 0.5, 0.9, 0.95, 0.99};

struct stamps {
    double arrival, queued, scheduled, first, last;
};

struct measured_run {
    const char *name;
    struct llm_driven *q;
    double *measured[PHASES], *predicted[PHASES];
    long n;
    double figure[2][FIGURES]; /* measured, predicted */
};

/* ------------------------------------------------------------ the recording */

static int by_arrival(const void *a, const void *b)
{
    double x = ((const struct stamps *)a)->arrival, y = ((const struct stamps *)b)->arrival;

    return (x > y) - (x < y);
}

struct line {
    struct stamps t; /* first, for by_arrival() */
    long input, output;
};

static int read_line(const char *text, const char *name, struct line *l, struct err *err)
{
    struct json *v;

    TRY(json_parse(text, name, &v, err));
    *l = (struct line){
        .t = {json_get_number(v, "arrival_time", NAN), json_get_number(v, "queued_ts", NAN),
              json_get_number(v, "scheduled_ts", NAN), json_get_number(v, "first_token_ts", NAN),
              json_get_number(v, "last_token_ts", NAN)},
        .input = (long)json_get_number(v, "input_toks", 0),
        .output = (long)json_get_number(v, "output_toks", 0),
    };
    json_free(v);
    if (!isfinite(l->t.arrival + l->t.queued + l->t.scheduled + l->t.first + l->t.last) || l->input < 1 ||
        l->output < 2)
        return err_set(err, ERR_TRACE, "%s: a request without its times or lengths", name);
    return 0;
}

static int read_lines(struct replay *r, const char *file, struct line **lines, long *n, struct err *err)
{
    const char *path = arena_printf(r->arena, "%s/%s", r->traces, file);
    char text[4096];
    FILE *f = fopen(path, "r");
    long room = 256;
    int rc = 0;

    *n = 0;
    *lines = arena_array(r->arena, (size_t)room, sizeof **lines);
    if (f == NULL)
        return err_io(err, "reading", path);
    while (rc == 0 && fgets(text, sizeof text, f) != NULL) {
        if (*n == room) {
            struct line *more = arena_array(r->arena, (size_t)room * 2, sizeof *more);

            memcpy(more, *lines, (size_t)room * sizeof *more);
            *lines = more;
            room *= 2;
        }
        rc = read_line(text, arena_printf(r->arena, "%s:%ld", path, *n + 1), &(*lines)[*n], err);
        *n += rc == 0;
    }
    fclose(f);
    if (rc == 0 && *n < 2)
        rc = err_set(err, ERR_TRACE, "%s: fewer than two requests", path);
    return rc;
}

static int read_run(struct replay *r, const char *file, struct measured_run *run, struct err *err)
{
    struct line *l;
    double distance = INFINITY;

    TRY(read_lines(r, file, &l, &run->n, err));
    qsort(l, (size_t)run->n, sizeof *l, by_arrival);
    for (long i = 0; i < run->n; i++)
        distance = fmin(distance, l[i].t.queued - l[i].t.arrival);
    run->q = arena_array(r->arena, (size_t)run->n, sizeof *run->q);
    for (int p = 0; p < PHASES; p++) {
        run->measured[p] = arena_array(r->arena, (size_t)run->n, sizeof(double));
        run->predicted[p] = arena_array(r->arena, (size_t)run->n, sizeof(double));
    }
    for (long i = 0; i < run->n; i++) {
        const struct stamps *t = &l[i].t;
        double at = t->arrival + distance;

        run->q[i] = (struct llm_driven){
            .at_s = t->arrival - l[0].t.arrival, .input = l[i].input, .output = l[i].output};
        run->measured[0][i] = t->first - at;
        run->measured[1][i] = (t->last - t->first) / (double)(l[i].output - 1);
        run->measured[2][i] = t->last - at;
        run->measured[3][i] = t->scheduled - at;
        run->measured[4][i] = t->first - t->scheduled;
        run->measured[5][i] = t->last - t->first;
    }
    return 0;
}

/* ------------------------------------------------------------ the prediction */

static void predict(struct measured_run *run, const void *cfg, long gpus, uint64_t seed)
{
    llm_drive(cfg, run->q, run->n, 0, gpus, seed, NULL, 0);
    for (long i = 0; i < run->n; i++) {
        const struct llm_driven *q = &run->q[i];

        run->predicted[0][i] = q->ttft_s;
        run->predicted[1][i] = q->tpot_s;
        run->predicted[2][i] = q->left_s - q->at_s;
        run->predicted[3][i] = q->queue_s;
        run->predicted[4][i] = q->ttft_s - q->queue_s;
        run->predicted[5][i] = q->left_s - q->at_s - q->ttft_s;
    }
}

static double statistic(const double *x, long n, int which)
{
    double sum = 0;

    if (which > 0)
        return tools_quantile(x, (size_t)n, quantiles[which]);
    for (long i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static void summarize(struct measured_run *run)
{
    for (int p = 0; p < PHASES; p++)
        for (int s = 0; s < STATISTICS; s++) {
            run->figure[0][p * STATISTICS + s] = statistic(run->measured[p], run->n, s);
            run->figure[1][p * STATISTICS + s] = statistic(run->predicted[p], run->n, s);
        }
}

/* "rival": [TTFT's five, TPOT's five, latency's five], each predicted over measured; NAN where it says
 * nothing. */
static double rival(const struct json *spec, int figure)
{
    const struct json *v = json_at(json_get(spec, "rival"), (size_t)figure);

    return v == NULL ? NAN : json_number(v);
}

/*
 * What the other runs were off by: root mean square of the logarithm over their means, medians and p90s.  The
 * statistics of a phase go together, so there are as many witnesses as phases.
 */
static double others(struct replay *r, const struct measured_run *runs, size_t n, size_t but)
{
    double *predicted = arena_array(r->arena, n * FIGURES, sizeof *predicted),
           *measured = arena_array(r->arena, n * FIGURES, sizeof *measured);
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        for (int f = 0; i != but && f < FIGURES; f++)
            if (f % STATISTICS < TAILS) {
                measured[k] = runs[i].figure[0][f];
                predicted[k++] = runs[i].figure[1][f];
            }
    return replay_log_spread(predicted, measured, k);
}

static void emit(struct replay *r, const struct measured_run *run, const struct json *spec, double log_sd)
{
    for (int f = 0; f < FIGURES; f++) {
        double measured = run->figure[0][f];
        struct replay_figure figure = {
            .name = arena_printf(r->arena, "%s %s %s", run->name, phase_names[f / STATISTICS],
                                 statistic_names[f % STATISTICS]),
            .unit = "s",
            .measured = measured,
            .predicted = replay_estimate(run->figure[1][f], log_sd, PHASES - 1),
            .naive = measured * rival(spec, f),
            .noise_frac = NAN,
            .tail = f % STATISTICS >= TAILS,
        };

        replay_emit(r, &figure);
    }
}

static int run(struct replay *r, struct err *err)
{
    const struct json *specs = json_get(r->params, "runs");
    size_t n = json_size(specs), i = 0;
    struct measured_run *runs = arena_array(r->arena, n + 1, sizeof *runs);

    if (n < 2)
        return err_set(err, ERR_SCENARIO, "%s: $.params.runs: two or more are needed", r->c->path);
    JSON_EACH (spec, specs) {
        const char *where = arena_printf(r->arena, "$.params.runs[%zu]", i), *file;
        void *cfg;
        double gpus;

        TRY(replay_text(r, spec, where, "name", &runs[i].name, err));
        TRY(replay_text(r, spec, where, "requests", &file, err));
        TRY(replay_number(r, spec, where, "gpus", &gpus, err));
        TRY(llm_configure(r, json_get(spec, "engine"), arena_printf(r->arena, "%s.engine", where), &cfg,
                          err));
        TRY(read_run(r, file, &runs[i], err));
        predict(&runs[i], cfg, (long)gpus, r->seed);
        summarize(&runs[i++]);
    }
    i = 0;
    JSON_EACH (spec, specs) {
        double log_sd = others(r, runs, n, i);

        emit(r, &runs[i++], spec, log_sd);
    }
    return 0;
}

const struct replay_kind replay_llm_requests = {
    .name = "llm-requests",
    .about = "a measured run of an LLM engine, request by request, from layer profiles alone",
    .run = run,
};
