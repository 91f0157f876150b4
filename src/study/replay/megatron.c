/*
 * megatron.c - tensor and pipeline parallel training, from one node to many.
 *
 * models/transformer.h composes the step from matrix products, bytes moved and
 * exchanges; its constants come from operators measured alone.  One number is
 * left that those cannot give: how much slower an A100 runs for hours under its
 * power limit than in the short runs of an operator benchmark.  It is fitted on
 * the figures marked "calibrates" (one node) and used for the others.
 *
 * The interval: the errors left on the calibration figures and the spread of
 * the product's law over its table (median 4 %, hence a standard deviation of
 * 6 % of one product; a step averages six kinds of product, hence 2.5 %).
 */
#include "models/transformer.h"
#include "study/replay/tools.h"

#include <math.h>
#include <string.h>

enum { FIGURES = 32 };
#define LAW_SD 0.025

struct figure {
    const char *name;
    struct transformer t;
    struct parallelism p;
    double measured;
    bool calibrates;
};

struct work {
    struct replay *r;
    struct figure f[FIGURES];
    size_t n;
    struct cluster cluster;
};

static int read_shape(struct work *w, const struct json *v, const char *where, struct figure *f,
                      struct err *err)
{
    struct transformer *t = &f->t;
    struct parallelism *p = &f->p;
    double batch;

    TRY(replay_number(w->r, v, where, "layers", &t->layers, err));
    TRY(replay_number(w->r, v, where, "hidden", &t->hidden, err));
    TRY(replay_number(w->r, v, where, "heads", &t->heads, err));
    TRY(replay_number(w->r, v, where, "tensor", &p->tensor, err));
    TRY(replay_number(w->r, v, where, "pipeline", &p->pipeline, err));
    TRY(replay_number(w->r, v, where, "interleave", &p->interleave, err));
    TRY(replay_number(w->r, v, where, "micro_batch", &p->micro_batch, err));
    TRY(replay_number(w->r, v, where, "batch", &batch, err));
    TRY(replay_number(w->r, w->r->params, "$.params", "sequence_tokens", &t->sequence, err));
    TRY(replay_number(w->r, w->r->params, "$.params", "vocabulary", &t->vocabulary, err));
    t->kv_heads = t->heads;
    t->feed_forward = 4 * t->hidden;
    p->data = 1;
    p->micro_batches = batch / p->micro_batch;
    p->recompute = json_get_bool(v, "selective", false) ? RECOMPUTE_SELECTIVE : RECOMPUTE_FULL;
    p->sequence_parallel = p->recompute == RECOMPUTE_SELECTIVE;
    return 0;
}

static int read_figures(struct work *w, struct err *err)
{
    JSON_EACH (v, json_get(w->r->c->spec, "figures")) {
        struct figure *f = &w->f[w->n];
        const char *where = arena_printf(w->r->arena, "$.figures[%zu]", w->n);

        if (w->n == FIGURES)
            return err_set(err, ERR_SCENARIO, "%s: $.figures: more than %d", w->r->c->path, FIGURES);
        TRY(replay_text(w->r, v, where, "name", &f->name, err));
        TRY(replay_number(w->r, v, where, "measured", &f->measured, err));
        TRY(read_shape(w, v, where, f, err));
        f->calibrates = json_get_bool(v, "calibrates", false);
        w->n++;
    }
    return 0;
}

static double step_s(const struct work *w, const struct figure *f, double clock)
{
    struct gpu_law law = GPU_LAW;
    struct cluster c = w->cluster;
    struct train_time time;

    law.clock_frac = clock;
    c.law = &law;
    transformer_step(&f->t, &f->p, &c, &time);
    return time.step_s;
}

static double badness(const double *x, void *ctx)
{
    const struct work *w = ctx;
    double sum = 0;

    for (size_t i = 0; i < w->n; i++)
        if (w->f[i].calibrates)
            sum += pow(log(step_s(w, &w->f[i], exp(x[0])) / w->f[i].measured), 2);
    return sum;
}

/* The model's own floating-point operations at half of the peak, which papers of that time call good. */
static double naive_s(const struct work *w, const struct figure *f)
{
    double sequences = f->p.micro_batch * f->p.micro_batches, gpus = f->p.tensor * f->p.pipeline;

    return transformer_flop(&f->t) * sequences / (gpus * 0.5 * w->cluster.gpu->peak_flop_per_s);
}

static int run(struct replay *r, struct err *err)
{
    struct work w = {.r = r, .cluster = {.gpu = gpu_find("a100-80gb"), .gpus_per_node = 8}};
    double x[1] = {0}, link, latency, left;
    size_t calibrated = 0;

    TRY(replay_number(r, r->params, "$.params", "node_bytes_per_s_per_gpu", &link, err));
    TRY(replay_number(r, r->params, "$.params", "node_latency_s", &latency, err));
    TRY(read_figures(&w, err));
    w.cluster.inside = gpu_links(w.cluster.gpu);
    w.cluster.across = fabric_of(link, latency);
    TRY(tools_minimize(badness, &w, x, 1, 0.05, 200, err));
    for (size_t i = 0; i < w.n; i++)
        calibrated += w.f[i].calibrates;
    if (calibrated < 2)
        return err_set(err, ERR_SCENARIO, "%s: $.figures: two at least must calibrate", r->c->path);
    r->c->found = arena_printf(r->arena, "sustained clock: %.3f of the one the peak is quoted at", exp(x[0]));
    left = sqrt(badness(x, &w) / (double)(calibrated - 1));
    for (size_t i = 0; i < w.n; i++)
        if (!w.f[i].calibrates)
            replay_emit(
                r, &(struct replay_figure){
                       .name = w.f[i].name,
                       .unit = "s/step",
                       .measured = w.f[i].measured,
                       .predicted =
                           replay_estimate(step_s(&w, &w.f[i], exp(x[0])), hypot(left, LAW_SD), INFINITY),
                       .naive = naive_s(&w, &w.f[i]),
                       .noise_frac = NAN,
                       .group = arena_printf(r->arena, "%.*s", (int)strcspn(w.f[i].name, " "), w.f[i].name)});
    return 0;
}

const struct replay_kind replay_megatron = {
    .name = "megatron",
    .about = "tensor and pipeline parallel training, full and selective recompute",
    .run = run,
};
