/*
 * llm_closed.c - engines under a fixed number of requests in flight, as serving benchmarks drive them.
 *
 * Each selected row of a table of measurements gives lengths, concurrency and tensor parallelism; costs come
 * from kernels measured alone.  Lengths are all equal, a client sends the next request when it has its
 * answer, and the first two rounds, in which all prompts come at once, are left out.
 *
 * The naive prediction is a bottleneck formula: a prompt alone and a decode step alone, at that concurrency,
 * nothing waiting for anything.  The interval comes from the rows of other tensor parallelisms.
 */
#include "store/measurement.h"
#include "study/replay/llm_drive.h"
#include "study/replay/tools.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 8, LEFT_OUT = 2, FIGURES = 2 };

static const char *const figure_names[FIGURES] = {"TTFT", "TPOT"};
static const char *const figure_keys[FIGURES] = {"ttft_s", "tpot_s"};

struct point {
    long input, output, clients, tp;
    double measured[FIGURES], predicted[FIGURES], naive[FIGURES];
};

/* ------------------------------------------------------------ which rows */

static bool is_selected(const struct measured_row *m, const struct json *select)
{
    JSON_EACH (v, select) {
        const char *text = json_string(v);

        if (text != NULL ? strcmp(measured_text(m, json_key(v)), text) != 0
                         : measured_number(m, json_key(v)) != json_number(v))
            return false;
    }
    return true;
}

static int read_points(struct replay *r, struct point **points, size_t *n, struct err *err)
{
    struct measured_row *m;
    const char *file;
    size_t rows;
    int64_t trace;

    *n = 0;
    TRY(replay_text(r, r->params, "$.params", "measurements", &file, err));
    TRY(replay_import(r, file, &trace, err));
    TRY(measured_load(r->store, trace, r->arena, &m, &rows, err));
    *points = arena_array(r->arena, rows + 1, sizeof **points);
    for (size_t i = 0; i < rows; i++) {
        struct point p = {.input = (long)measured_number(&m[i], "input_tokens"),
                          .output = (long)measured_number(&m[i], "output_tokens"),
                          .clients = (long)measured_number(&m[i], "concurrency"),
                          .tp = (long)measured_number(&m[i], "tp")};

        if (!is_selected(&m[i], json_get(r->params, "select")))
            continue;
        for (int f = 0; f < FIGURES; f++)
            p.measured[f] = measured_figure(&m[i], figure_keys[f]);
        (*points)[(*n)++] = p;
    }
    if (*n == 0)
        return err_set(err, ERR_SCENARIO, "%s: $.params.select: no row of %s is like that", r->c->path, file);
    return 0;
}

/* ------------------------------------------------------------ one point */

static void mean_times(const struct llm_driven *q, long from, long to, double out[FIGURES])
{
    out[0] = out[1] = 0;
    for (long i = from; i < to; i++) {
        out[0] += q[i].ttft_s / (double)(to - from);
        out[1] += q[i].tpot_s / (double)(to - from);
    }
}

static struct llm_driven *equal_requests(struct replay *r, const struct point *p, long n)
{
    struct llm_driven *q = arena_array(r->arena, (size_t)n, sizeof *q);

    for (long i = 0; i < n; i++)
        q[i] = (struct llm_driven){.input = p->input, .output = p->output};
    return q;
}

/* Everything at once and nothing in the way: a prompt alone, a step of all clients alone. */
static void alone(struct replay *r, const void *cfg, struct point *p)
{
    struct llm_driven *one = equal_requests(r, p, 1), *all = equal_requests(r, p, p->clients);

    for (long i = 0; i < p->clients; i++)
        all[i].input = 1;
    llm_drive(cfg, one, 1, 1, p->tp, r->seed, NULL, 0);
    llm_drive(cfg, all, p->clients, p->clients, p->tp, r->seed, NULL, 0);
    p->naive[0] = one[0].ttft_s;
    p->naive[1] = all[p->clients - 1].tpot_s;
}

static int predict(struct replay *r, struct point *p, struct err *err)
{
    struct json *params = json_copy(json_get(r->params, "engine"));
    long n = ROUNDS * p->clients;
    struct llm_driven *q;
    void *cfg;
    int rc;

    json_set_number(params, "tp", (double)p->tp);
    rc = llm_configure(r, params, "$.params.engine", &cfg, err);
    if (rc == 0) {
        q = equal_requests(r, p, n);
        llm_drive(cfg, q, n, p->clients, p->tp, r->seed, NULL, 0);
        mean_times(q, LEFT_OUT * p->clients, n - p->clients, p->predicted);
        alone(r, cfg, p);
    }
    json_free(params);
    return rc;
}

/* ------------------------------------------------------------ all of them */

static double others(struct replay *r, const struct point *p, size_t n, size_t but, int f)
{
    double *predicted = arena_array(r->arena, n, sizeof *predicted),
           *measured = arena_array(r->arena, n, sizeof *measured);
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        if (p[i].tp != p[but].tp) {
            predicted[k] = p[i].predicted[f];
            measured[k++] = p[i].measured[f];
        }
    return k > 2 ? replay_log_spread(predicted, measured, k) : NAN;
}

static void emit(struct replay *r, const struct point *p, size_t n, size_t i, int f)
{
    double log_sd = others(r, p, n, i, f);
    struct replay_figure figure = {
        .name = arena_printf(r->arena, "%s %ld in %ld out, %ld at a time, tp %ld", figure_names[f],
                             p[i].input, p[i].output, p[i].clients, p[i].tp),
        .unit = "s",
        .measured = p[i].measured[f],
        .predicted =
            isnan(log_sd) ? estimate_exact(p[i].predicted[f]) : replay_estimate(p[i].predicted[f], log_sd, 3),
        .naive = p[i].naive[f],
        .noise_frac = NAN,
        .group = figure_names[f],
    };

    replay_emit(r, &figure);
}

static int run(struct replay *r, struct err *err)
{
    struct point *p;
    size_t n;

    TRY(read_points(r, &p, &n, err));
    for (size_t i = 0; i < n; i++)
        TRY(predict(r, &p[i], err));
    for (size_t i = 0; i < n; i++)
        for (int f = 0; f < FIGURES; f++)
            if (p[i].measured[f] > 0)
                emit(r, p, n, i, f);
    return 0;
}

const struct replay_kind replay_llm_closed = {
    .name = "llm-closed",
    .about = "LLM engines with a fixed number of requests in flight, from kernels measured alone",
    .run = run,
};
