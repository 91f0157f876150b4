/*
 * fsdp.c - fully sharded training: from 8..32 GPUs to 64 and more.
 *
 * models/transformer.h gives the step of every row with weights, gradients and
 * optimizer sharded over all GPUs.  What it does not know of a network (how its
 * kernels do beside plain matrix products) is one factor, and how much ranks
 * are apart is one number, both fitted on the network's rows with few GPUs:
 *
 *   log(modelled / measured tokens per second) = a + cv * E[max of N normals]
 *
 * by robust regression, the slope drawn towards the median slope of all
 * networks (three rows alone would follow their noise).  Rows of the same GPU
 * count before those of another.
 *
 * The interval: errors when the largest count of each network that may be
 * calibrated from is left out and predicted, widened because they are few.
 */
#include "models/data_parallel.h"
#include "models/transformer.h"
#include "store/measurement.h"
#include "study/replay/tools.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NETWORKS = 24, MOST_CALIBRATED = 32 };

struct network {
    const char *name;
    struct transformer shape;
};

struct row {
    int network;
    const char *gpu;
    double gpus, tokens_per_s; /* per GPU */
    double log_ratio;          /* modelled over measured, ranks all alike */
    double slowest;
    const char *label;
};

struct work {
    struct replay *r;
    struct network networks[NETWORKS];
    int networks_n;
    struct row *rows;
    size_t n;
    double slope; /* the median over networks */
};

struct line {
    double a, cv;
};

/* ----------------------------------------------------------------- reading */

static int read_networks(struct work *w, struct err *err)
{
    JSON_EACH (v, json_get(w->r->params, "networks")) {
        struct network *net = &w->networks[w->networks_n];
        const char *where = arena_printf(w->r->arena, "$.params.networks[%d]", w->networks_n);
        struct transformer *t = &net->shape;

        if (w->networks_n == NETWORKS)
            return err_set(err, ERR_SCENARIO, "%s: $.params.networks: more than %d", w->r->c->path, NETWORKS);
        TRY(replay_text(w->r, v, where, "name", &net->name, err));
        TRY(replay_number(w->r, v, where, "layers", &t->layers, err));
        TRY(replay_number(w->r, v, where, "hidden", &t->hidden, err));
        TRY(replay_number(w->r, v, where, "heads", &t->heads, err));
        TRY(replay_number(w->r, v, where, "vocabulary", &t->vocabulary, err));
        t->kv_heads = t->heads;
        t->feed_forward = 4 * t->hidden;
        w->networks_n++;
    }
    return 0;
}

static double modelled(const struct work *w, const struct row *row, const struct measured_row *m)
{
    struct transformer t = w->networks[row->network].shape;
    struct parallelism p = {.tensor = 1,
                            .pipeline = 1,
                            .data = row->gpus,
                            .interleave = 1,
                            .micro_batch = measured_number(m, "micro_batch"),
                            .micro_batches = measured_number(m, "grad_accum"),
                            .zero = 3,
                            .fused_attention = true};
    struct cluster c = {.gpu = gpu_find(strstr(row->gpu, "40gb") != NULL ? "a100-40gb" : "a100-80gb"),
                        .law = &GPU_LAW,
                        .gpus_per_node = 8};
    double link = json_get_number(w->r->params, "node_bytes_per_s", NAN) / c.gpus_per_node;
    struct train_time time;

    t.sequence = measured_number(m, "sequence_tokens");
    p.recompute = strcmp(measured_text(m, "checkpointing"), "True") == 0 ? RECOMPUTE_FULL : RECOMPUTE_NONE;
    c.inside = gpu_links(c.gpu);
    c.across = fabric_of(link, json_get_number(w->r->params, "node_latency_s", 0));
    transformer_step(&t, &p, &c, &time);
    return p.micro_batch * p.micro_batches * t.sequence / time.step_s;
}

static int find_network(const struct work *w, const char *name)
{
    for (int i = 0; i < w->networks_n; i++)
        if (strcmp(w->networks[i].name, name) == 0)
            return i;
    return -1;
}

static int read_rows(struct work *w, struct err *err)
{
    double sequence, link;
    struct measured_row *m;
    int64_t trace;
    size_t n;

    TRY(replay_number(w->r, w->r->params, "$.params", "sequence_tokens", &sequence, err));
    TRY(replay_number(w->r, w->r->params, "$.params", "node_bytes_per_s", &link, err));
    TRY(replay_import(w->r, w->r->c->files[0], &trace, err));
    TRY(measured_load(w->r->store, trace, w->r->arena, &m, &n, err));
    w->rows = arena_array(w->r->arena, n + 1, sizeof *w->rows);
    for (size_t i = 0; i < n; i++) {
        struct row *row = &w->rows[w->n];

        *row = (struct row){.network = find_network(w, measured_text(&m[i], "model")),
                            .gpu = measured_text(&m[i], "gpu"),
                            .gpus = measured_number(&m[i], "gpus"),
                            .tokens_per_s = measured_figure(&m[i], "tokens_per_s_per_gpu")};
        if (row->network < 0 || measured_number(&m[i], "sequence_tokens") != sequence ||
            !(row->tokens_per_s > 0))
            continue;
        row->slowest = slowest_of(row->gpus);
        row->log_ratio = log(modelled(w, row, &m[i]) / row->tokens_per_s);
        row->label = arena_printf(w->r->arena, "%s %g %s mb %g", measured_text(&m[i], "model"), row->gpus,
                                  row->gpu, measured_number(&m[i], "micro_batch"));
        w->n++;
    }
    return 0;
}

/* ----------------------------------------------------------------- fitting */

/* May `one` calibrate what is said of `of`?  `without`: a row left out. */
static bool calibrates(const struct work *w, const struct row *one, const struct row *of,
                       const struct row *without)
{
    bool same_gpu = strcmp(one->gpu, of->gpu) == 0;

    if (one->network != of->network || one->gpus > MOST_CALIBRATED || one == without)
        return false;
    for (size_t i = 0; !same_gpu && i < w->n; i++) /* another GPU only where there is none of its own */
        if (w->rows[i].network == of->network && strcmp(w->rows[i].gpu, of->gpu) == 0 &&
            w->rows[i].gpus <= MOST_CALIBRATED && &w->rows[i] != without)
            return false;
    return true;
}

/* How far errors may go before they count less, and how far a network's slope is from the others'. */
#define NOISE    0.01
#define SLOPE_SD 0.03

/* Iterated weighted least squares with Cauchy's weights (one row of 1b is 20 % off its neighbours); the prior
 * on the slope is one more observation. */
static struct line fit_line(const struct work *w, const struct row *of, const struct row *without)
{
    struct line l = {0, w->slope};
    double start[64];
    size_t n = 0;

    for (size_t i = 0; i < w->n && n < 64; i++)
        if (calibrates(w, &w->rows[i], of, without))
            start[n++] = w->rows[i].log_ratio - l.cv * w->rows[i].slowest;
    if (n == 0)
        return (struct line){NAN, NAN};
    l.a = tools_median(start, n);
    for (int pass = 0; pass < 20; pass++) {
        double prior = pow(NOISE / SLOPE_SD, 2);
        double s = 0, sx = 0, sy = 0, sxx = prior, sxy = prior * w->slope, d;

        for (size_t i = 0; i < w->n; i++) {
            double x = w->rows[i].slowest, y = w->rows[i].log_ratio, weight;

            if (!calibrates(w, &w->rows[i], of, without))
                continue;
            weight = 1 / (1 + pow((y - l.a - l.cv * x) / (2 * NOISE), 2));
            s += weight;
            sx += weight * x;
            sy += weight * y;
            sxx += weight * x * x;
            sxy += weight * x * y;
        }
        d = s * sxx - sx * sx;
        l = (struct line){(sy * sxx - sx * sxy) / d, (s * sxy - sx * sy) / d};
    }
    return l;
}

/* The median over pairs of neighbouring counts of a network: ratios that differ by luck cancel. */
static double median_slope(const struct work *w)
{
    double slope[512];
    size_t n = 0;

    for (size_t i = 0; i < w->n; i++)
        for (size_t k = 0; k < w->n && n < 512; k++) {
            const struct row *a = &w->rows[i], *b = &w->rows[k];

            if (a->network == b->network && strcmp(a->gpu, b->gpu) == 0 && b->gpus == 2 * a->gpus &&
                b->gpus <= MOST_CALIBRATED)
                slope[n++] = (b->log_ratio - a->log_ratio) / (b->slowest - a->slowest);
        }
    return n > 0 ? fmax(0, tools_median(slope, n)) : 0;
}

static double predict(const struct row *row, const struct line *l)
{
    return row->tokens_per_s * exp(row->log_ratio - l->a - l->cv * row->slowest);
}

/* ------------------------------------------------------------- the figures */

static bool is_largest_calibrated(const struct work *w, const struct row *row)
{
    size_t others = 0;

    if (row->gpus > MOST_CALIBRATED)
        return false;
    for (size_t i = 0; i < w->n; i++) {
        const struct row *o = &w->rows[i];

        if (o == row || o->network != row->network || strcmp(o->gpu, row->gpu) != 0 ||
            o->gpus > MOST_CALIBRATED)
            continue;
        if (o->gpus > row->gpus)
            return false;
        others += o->gpus < row->gpus;
    }
    return others > 0;
}

static struct tools_spread left_out(const struct work *w)
{
    double *predicted = arena_array(w->r->arena, w->n + 1, sizeof *predicted);
    double *measured = arena_array(w->r->arena, w->n + 1, sizeof *measured);
    struct tools_spread s;
    size_t n = 0;

    for (size_t i = 0; i < w->n; i++) {
        struct line l;

        if (!is_largest_calibrated(w, &w->rows[i]))
            continue;
        l = fit_line(w, &w->rows[i], &w->rows[i]);
        predicted[n] = predict(&w->rows[i], &l);
        measured[n++] = w->rows[i].tokens_per_s;
    }
    s = tools_spread(predicted, measured, n, w->r->arena);
    tools_widen(&s, n);
    return s;
}

static double nearest_count(const struct work *w, const struct row *of)
{
    const struct row *best = NULL;

    for (size_t i = 0; i < w->n; i++)
        if (calibrates(w, &w->rows[i], of, NULL) && (best == NULL || w->rows[i].gpus > best->gpus))
            best = &w->rows[i];
    return best != NULL ? best->tokens_per_s : NAN;
}

static int run(struct replay *r, struct err *err)
{
    struct work w = {.r = r};
    struct tools_spread spread;

    TRY(read_networks(&w, err));
    TRY(read_rows(&w, err));
    w.slope = median_slope(&w);
    spread = left_out(&w);
    for (size_t i = 0; i < w.n; i++) {
        struct line l = fit_line(&w, &w.rows[i], NULL);

        if (w.rows[i].gpus <= MOST_CALIBRATED || isnan(l.a))
            continue;
        replay_emit(r, &(struct replay_figure){.name = w.rows[i].label,
                                               .unit = "tokens/s/GPU",
                                               .measured = w.rows[i].tokens_per_s,
                                               .predicted = tools_estimate(predict(&w.rows[i], &l), &spread),
                                               .naive = nearest_count(&w, &w.rows[i]),
                                               .noise_frac = NAN});
    }
    return 0;
}

const struct replay_kind replay_fsdp = {
    .name = "fsdp",
    .about = "fully sharded training from 8..32 GPUs to 64 and more (llm-foundry)",
    .run = run,
};
