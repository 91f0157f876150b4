/*
 * cedar.c - vision input pipelines: operator statistics of one process against published steps and systems.
 *
 *   parallelism   as many processes as hardware threads: capacity of the threads (SMT) over that of what one
 *                 process keeps busy, which is Little's law on its own statistics: sum of latencies x
 * throughput reorder       the best legal order (models/opgraph.h) against the given one.  Whether an
 * operator's time goes with its bytes or with its elements one statistic cannot tell, and a cast to float
 * makes four times the bytes of as many elements: predicted is the geometric mean of both, the interval holds
 * both throughput    of one process, times the factors
 *
 * The naive prediction is cedar's own cost model where its misses are published (reorder: in $.figures), and
 * hardware threads counted as cores elsewhere.
 */
#include "study/replay.h"

#include "models/opgraph.h"
#include "store/measurement.h"

#include <math.h>
#include <string.h>

struct pipeline {
    const char *name;
    struct opg by_bytes, by_elements;
    double samples_per_s, latency_s;
};

struct cedar_case {
    struct replay *r;
    double threads, per_core, yield, spread;
    struct measured_row *steps; /* the ablation, then the systems */
    size_t steps_n;
};

static double at_place(const struct measured_row *m, const char *name, double place)
{
    for (size_t i = 0; i < m->values_n; i++)
        if (strcmp(m->values[i].name, name) == 0 && m->values[i].at == place)
            return m->values[i].value;
    return NAN;
}

static int index_of(const struct json *ops, const char *name)
{
    int i = 0;

    JSON_EACH (v, ops) {
        if (strcmp(json_get_string(v, "name", ""), name) == 0)
            return i;
        i++;
    }
    return -1;
}

/* An operator of the pipeline, costed from where it was measured. */
static int read_op(struct replay *r, const struct json *ops, const struct json *v, const char *where,
                   const struct measured_row *m, struct pipeline *p, struct err *err)
{
    struct opg_op op = {.keep_frac = 1, .pinned = json_bool(json_get(v, "pinned"))};
    double place, latency_s, in, out;

    TRY(replay_text(r, v, where, "name", &op.name, err));
    TRY(replay_number(r, v, where, "place", &place, err));
    latency_s = at_place(m, "latency_s", place);
    in = fmax(1, at_place(m, "input_bytes", place)); /* a source takes nothing in */
    out = at_place(m, "output_bytes", place);
    if (!(latency_s >= 0) || !(out > 0) || !(in > 0) || p->by_bytes.n == OPG_MAX)
        return err_set(err, ERR_TRACE, "%s: %s: no statistics of place %g, or more than %d operators",
                       r->c->path, where, place, OPG_MAX);
    JSON_EACH (a, json_get(v, "after"))
        op.after |= UINT32_C(1) << (index_of(ops, json_string(a)) & 31);
    op.bytes_ratio = out / in;
    op.elements_ratio = json_bool(json_get(v, "cast")) ? 1 : out / in;
    if (p->by_bytes.n == 0)
        p->by_bytes.bytes = p->by_bytes.elements = p->by_elements.bytes = p->by_elements.elements = in;
    p->by_bytes.op[p->by_bytes.n] = p->by_elements.op[p->by_elements.n] = op;
    p->by_bytes.op[p->by_bytes.n++].per_byte_s = latency_s / in;
    p->by_elements.op[p->by_elements.n].per_element_s =
        latency_s / opg_after(&p->by_elements, (UINT32_C(1) << p->by_elements.n) - 1).elements;
    p->by_elements.n++;
    p->latency_s += latency_s;
    return 0;
}

static int read_pipeline(struct cedar_case *c, const struct json *v, const char *where, const char *file,
                         struct pipeline *p, struct err *err)
{
    struct replay *r = c->r;
    const struct json *ops = json_get(v, "ops");
    struct measured_row *rows;
    int64_t trace;
    size_t n;
    int i = 0;

    *p = (struct pipeline){0};
    TRY(replay_text(r, v, where, "name", &p->name, err));
    TRY(replay_import(r, file, &trace, err));
    TRY(measured_load(r->store, trace, r->arena, &rows, &n, err));
    if (n == 0 || strcmp(measured_text(&rows[0], "variant"), "baseline") != 0)
        return err_set(err, ERR_TRACE, "%s: %s: \"%.200s\" holds no baseline", r->c->path, where, file);
    p->samples_per_s = measured_figure(&rows[0], "samples_per_s");
    JSON_EACH (op, ops)
        TRY(read_op(r, ops, op, arena_printf(r->arena, "%s.ops[%d]", where, i++), &rows[0], p, err));
    return 0;
}

/* What the best order gains: by bytes, by elements. */
static void reorder_gains(const struct pipeline *p, double *bytes, double *elements)
{
    int given[OPG_MAX], order[OPG_MAX];

    for (int i = 0; i < p->by_bytes.n; i++)
        given[i] = i;
    *bytes = opg_cost_s(&p->by_bytes, given, false) / opg_best_order(&p->by_bytes, order);
    *elements = opg_cost_s(&p->by_elements, given, false) / opg_cost_s(&p->by_elements, order, false);
}

static double parallel_gain(const struct cedar_case *c, const struct pipeline *p)
{
    double alone = fmin(c->threads, fmax(1, round(p->latency_s * p->samples_per_s)));

    return smt_capacity(c->threads, c->threads, c->per_core, c->yield) /
           smt_capacity(alone, c->threads, c->per_core, c->yield);
}

static double step_value(const struct cedar_case *c, const char *pipeline, const char *key, const char *value,
                         const char *figure)
{
    for (size_t i = 0; i < c->steps_n; i++)
        if (strcmp(measured_text(&c->steps[i], "pipeline"), pipeline) == 0 &&
            strcmp(measured_text(&c->steps[i], key), value) == 0)
            return measured_figure(&c->steps[i], figure);
    return NAN;
}

/* A prediction between two laws, with the spread of profiles on top. */
static struct estimate between(const struct cedar_case *c, double a, double b)
{
    struct estimate e = replay_estimate(sqrt(a * b), c->spread, INFINITY);

    e.pred_lo *= fmin(a, b) / sqrt(a * b);
    e.pred_hi *= fmax(a, b) / sqrt(a * b);
    return e;
}

static void emit(struct cedar_case *c, const char *name, const char *unit, double measured,
                 struct estimate predicted, double naive)
{
    struct replay_figure f = {.name = name,
                              .unit = unit,
                              .measured = measured,
                              .predicted = predicted,
                              .naive = naive,
                              .noise_frac = NAN,
                              .group = unit};

    replay_emit(c->r, &f);
}

static int predict_steps(struct cedar_case *c, const struct json *v, const char *where, struct err *err)
{
    struct pipeline p;
    const char *file;
    double bytes, elements, miss, base, parallel, reordered, gain;

    TRY(replay_text(c->r, v, where, "remote_stats", &file, err));
    TRY(read_pipeline(c, v, where, file, &p, err));
    TRY(replay_number(c->r, v, where, "cedar_reorder_miss_frac", &miss, err));
    base = step_value(c, p.name, "setup", "Baseline", "runtime_s");
    parallel = step_value(c, p.name, "setup", "plus parallelism", "runtime_s");
    reordered = step_value(c, p.name, "setup", "plus reorder", "runtime_s");
    gain = parallel_gain(c, &p);
    emit(c, arena_printf(c->r->arena, "%s, parallelism", p.name), "speed-up", base / parallel,
         between(c, gain, gain), gain > 1.5 ? c->threads : NAN);
    reorder_gains(&p, &bytes, &elements);
    emit(c, arena_printf(c->r->arena, "%s, reorder", p.name), "speed-up", parallel / reordered,
         between(c, bytes, elements), parallel / reordered * (1 + miss));
    return 0;
}

/* Systems on the local machine alone; only where one process's statistics are those of one process. */
static int predict_systems(struct cedar_case *c, const struct json *v, const char *where, struct err *err)
{
    struct pipeline p;
    double bytes, elements, x;
    const char *file;

    if (json_get(v, "local_stats") == NULL)
        return 0;
    TRY(replay_text(c->r, v, where, "local_stats", &file, err));
    TRY(read_pipeline(c, v, where, file, &p, err));
    reorder_gains(&p, &bytes, &elements);
    x = p.samples_per_s * parallel_gain(c, &p);
    emit(c, arena_printf(c->r->arena, "%s, DataLoader", p.name), "samples/s",
         step_value(c, p.name, "system", "torch", "samples_per_s"), between(c, x, x),
         p.samples_per_s * c->threads);
    emit(c, arena_printf(c->r->arena, "%s, cedar local", p.name), "samples/s",
         step_value(c, p.name, "system", "ember-local", "samples_per_s"), between(c, x * bytes, x * elements),
         p.samples_per_s * c->threads * bytes);
    return 0;
}

static int read_steps(struct cedar_case *c, struct err *err)
{
    struct measured_row *a, *b;
    int64_t ablation, systems;
    size_t na, nb;

    TRY(replay_import(c->r, "cedar/ablation.csv", &ablation, err));
    TRY(replay_import(c->r, "cedar/aggregate_data.csv", &systems, err));
    TRY(measured_load(c->r->store, ablation, c->r->arena, &a, &na, err));
    TRY(measured_load(c->r->store, systems, c->r->arena, &b, &nb, err));
    c->steps = arena_array(c->r->arena, na + nb + 1, sizeof *c->steps);
    c->steps_n = na + nb;
    memcpy(c->steps, a, na * sizeof *a);
    memcpy(c->steps + na, b, nb * sizeof *b);
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    struct cedar_case c = {.r = r};
    int i = 0;

    TRY(replay_number(r, r->params, "$.params", "threads", &c.threads, err));
    TRY(replay_number(r, r->params, "$.params", "threads_per_core", &c.per_core, err));
    TRY(replay_number(r, r->params, "$.params", "smt_yield", &c.yield, err));
    TRY(replay_number(r, r->params, "$.params", "profile_log_sd", &c.spread, err));
    TRY(read_steps(&c, err));
    JSON_EACH (v, json_get(r->params, "pipelines")) {
        const char *where = arena_printf(r->arena, "$.params.pipelines[%d]", i++);

        TRY(predict_steps(&c, v, where, err));
        TRY(predict_systems(&c, v, where, err));
    }
    return 0;
}

const struct replay_kind replay_cedar = {
    .name = "cedar",
    .about = "vision input pipelines: operator statistics of one process, steps and systems predicted",
    .run = run,
};
