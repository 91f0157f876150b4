#include "models/transformer.h"

#include "models/data_parallel.h"

#include <math.h>

/* Bytes an optimizer step moves for one parameter: gradient cast, norm, clip and clear (16), and Adam reading
 * weight, gradient and two moments in 32 bits and writing three of them and the 16-bit copy (30). */
#define ADAM_BYTES 46.0
/* A weight gradient is added to a 32-bit sum: read and written, where the product itself wrote 16 bits. */
#define GRADIENT_SUM   6.0
#define STATE_WEIGHT   2.0
#define STATE_GRADIENT 4.0
#define STATE_ADAM     12.0

/* One layer on one rank, one micro-batch. */
struct layer {
    double products_s, weight_products_s; /* forward; backward's second half, which hides exchanges */
    double attention_s, attention_back_s; /* scores to context, everything included */
    double moved_s, moved_back_s;
    double exchange_s; /* forward */
};

struct work {
    const struct transformer *t;
    const struct parallelism *p;
    const struct cluster *c;
    double tokens; /* of a micro-batch */
};

static double gemm(const struct work *w, double m, double n, double k, double batch)
{
    return gpu_gemm_s(w->c->gpu, w->c->law, m, n, k, batch);
}

static double move(const struct work *w, double bytes)
{
    return gpu_move_s(w->c->gpu, w->c->law, bytes);
}

static double kv_width(const struct transformer *t)
{
    return t->hidden * t->kv_heads / t->heads;
}

/* A product with its weights, forward; adds its two backward products to `back`. */
static double linear(const struct work *w, double n, double k, double *input_back, double *weight_back)
{
    *input_back += gemm(w, w->tokens, k, n, 1);
    *weight_back += gemm(w, k, n, w->tokens, 1) + move(w, GRADIENT_SUM * n * k);
    return gemm(w, w->tokens, n, k, 1);
}

static void attention(const struct work *w, struct layer *l)
{
    double s = w->t->sequence, d = w->t->hidden / w->t->heads;
    double maps = w->p->micro_batch * w->t->heads / w->p->tensor, values = maps * s * s;
    double scores = gemm(w, s, s, d, maps), context = gemm(w, s, d, s, maps);

    if (w->p->fused_attention) { /* causal: half of the map; the product's own tiles, no map in memory */
        double half = (gemm(w, s, s, 2 * d, maps)) / 2;

        l->attention_s = half;
        l->attention_back_s = 2.5 * half; /* scores again, then four products for two */
        return;
    }
    l->attention_s = scores + context + move(w, 4 * values) + move(w, 5 * values);
    l->attention_back_s = 2 * (scores + context) + move(w, 6 * values) + move(w, 5 * values);
}

static double tensor_exchange(const struct work *w)
{
    const struct fabric *f = w->p->tensor <= w->c->gpus_per_node ? &w->c->inside : &w->c->across;

    return ring_all_reduce_s(f, 2 * w->tokens * w->t->hidden, w->p->tensor);
}

/* A product of the feed-forward block; a mixture's experts on this rank each take their share of tokens. */
static double expert_linear(const struct work *w, double n, double k, double *input_back, double *weight_back)
{
    double ranks = fmax(1, w->p->expert), mine = w->t->experts / ranks;
    double visits = w->tokens * w->t->chosen * ranks, rows;

    if (w->t->experts <= 0)
        return linear(w, n, k, input_back, weight_back);
    rows = visits / w->t->experts * moe_imbalance(visits / w->t->chosen, w->t->chosen, w->t->experts, 0);
    *input_back += gemm(w, rows, k, n, mine);
    *weight_back += gemm(w, k, n, rows, mine) + move(w, GRADIENT_SUM * n * k * mine);
    return gemm(w, rows, n, k, mine);
}

/* Tokens to their experts and back. */
static double expert_exchange(const struct work *w)
{
    const struct fabric *f =
        w->p->expert * w->p->tensor <= w->c->gpus_per_node ? &w->c->inside : &w->c->across;

    if (w->t->experts <= 0)
        return 0;
    return 2 * all_to_all_s(f, 2 * w->tokens * w->t->hidden * w->t->chosen, w->p->expert);
}

static struct layer layer_times(const struct work *w)
{
    double h = w->t->hidden, t = w->p->tensor, f = w->t->feed_forward, input = 0, weight = 0;
    double part = w->p->sequence_parallel ? t : 1, rows = w->tokens * h / part;
    struct layer l = {0};

    l.products_s = linear(w, (h + 2 * kv_width(w->t)) / t, h, &input, &weight) +
                   linear(w, h, h / t, &input, &weight) + expert_linear(w, f / t, h, &input, &weight) +
                   expert_linear(w, h, f / t, &input, &weight);
    if (w->t->gated)
        l.products_s += expert_linear(w, f / t, h, &input, &weight);
    attention(w, &l);
    /* two normalizations (4 bytes a value), two dropouts with residual (7), the activation (4; gated 6) */
    l.moved_s =
        2 * move(w, 4 * rows) + 2 * move(w, 7 * rows) + move(w, (w->t->gated ? 6 : 4) * w->tokens * f / t);
    l.moved_back_s = 2 * move(w, 6 * rows) + 2 * move(w, 5 * rows) +
                     move(w, (w->t->gated ? 10 : 6) * w->tokens * f / t) + input;
    l.weight_products_s = weight;
    l.exchange_s = 2 * tensor_exchange(w) + expert_exchange(w);
    return l;
}

static void add_up_layers(const struct work *w, struct train_time *out)
{
    double n = w->t->layers / w->p->pipeline;
    struct layer l = layer_times(w);
    double back_exchange = w->p->overlap ? fmax(0, l.exchange_s - l.weight_products_s) : l.exchange_s;
    double forward = l.products_s + l.attention_s + l.moved_s;

    out->forward_s = n * (forward + l.exchange_s);
    out->backward_s = n * (l.moved_back_s + l.weight_products_s + l.attention_back_s + back_exchange);
    out->tensor_exchange_s = n * (l.exchange_s + back_exchange);
    if (w->p->recompute == RECOMPUTE_FULL)
        out->recompute_s = out->forward_s;
    else if (w->p->recompute == RECOMPUTE_SELECTIVE && !w->p->fused_attention)
        out->recompute_s = n * l.attention_s;
}

/* Vocabulary product, its gradient, and a loss that goes over 32-bit values four times each way. */
static double head_time(const struct work *w)
{
    double v = w->t->vocabulary / w->p->tensor, input = 0, weight = 0;

    return linear(w, v, w->t->hidden, &input, &weight) + input + weight + move(w, 32 * w->tokens * v);
}

static double parameters_of_layer(const struct transformer *t)
{
    double block = (t->gated ? 3 : 2) * t->hidden * t->feed_forward;

    return 2 * t->hidden * t->hidden + 2 * t->hidden * kv_width(t) +
           (t->experts > 0 ? t->experts : 1) * block + 4 * t->hidden;
}

double transformer_parameters(const struct transformer *t)
{
    return t->layers * parameters_of_layer(t) + (t->vocabulary + t->sequence) * t->hidden;
}

double transformer_flop(const struct transformer *t)
{
    struct transformer visited = *t;
    double matrix;

    visited.experts = t->chosen; /* of a mixture only the experts a token visits work */
    matrix = t->layers * parameters_of_layer(&visited) + t->vocabulary * t->hidden;
    return 6 * t->sequence * matrix + 12 * t->layers * t->hidden * t->sequence * t->sequence;
}

/* What of sharded weights and gradients does not hide behind the layers of one micro-batch. */
static double exposed_gathers(const struct work *w, const struct train_time *time)
{
    double n = w->t->layers / w->p->pipeline, nodes, per_node, gather, hidden_forward, hidden_back;
    double bytes = STATE_WEIGHT * parameters_of_layer(w->t) / w->p->tensor;

    per_node = fmin(w->c->gpus_per_node / fmin(w->p->tensor, w->c->gpus_per_node), w->p->data);
    nodes = fmax(1, w->p->data / per_node);
    gather = hierarchical_gather_s(&w->c->inside, &w->c->across, bytes, per_node, nodes);
    hidden_forward = time->forward_s / n;
    hidden_back = (time->backward_s + time->recompute_s) / n;
    return gather + n * fmax(0, gather - hidden_forward) + n * fmax(0, 2 * gather - hidden_back);
}

static double data_exchange(const struct work *w, const struct train_time *time)
{
    double per_node = fmin(w->c->gpus_per_node, w->p->data), nodes = fmax(1, w->p->data / per_node);
    double bytes = STATE_WEIGHT * transformer_parameters(w->t) / w->p->tensor / w->p->pipeline;
    double reduce;

    if (w->p->data <= 1)
        return 0;
    if (w->p->zero == 3)
        return w->p->micro_batches * exposed_gathers(w, time);
    reduce = hierarchical_all_reduce_s(&w->c->inside, &w->c->across, bytes, per_node, nodes);
    /* reduced while the last micro-batch goes backward, all but one layer's worth */
    return fmax(reduce * w->p->pipeline / w->t->layers, reduce - time->backward_s);
}

/* Parameters of a rank before sharding by data parallel ranks; experts are spread over expert ranks. */
static double own_parameters(const struct work *w)
{
    struct transformer t = *w->t;

    t.experts /= fmax(1, w->p->expert);
    return transformer_parameters(&t) / w->p->tensor / w->p->pipeline;
}

static double optimizer_time(const struct work *w)
{
    double mine = own_parameters(w);

    return move(w, ADAM_BYTES * mine / (w->p->zero > 0 ? w->p->data : 1));
}

static double memory_of(const struct work *w)
{
    double n = w->t->layers / w->p->pipeline, sbh = w->tokens * w->t->hidden, t = w->p->tensor, alive, layer;
    double mine = own_parameters(w);
    double states = mine * (STATE_WEIGHT / (w->p->zero >= 3 ? w->p->data : 1) +
                            STATE_GRADIENT / (w->p->zero >= 2 ? w->p->data : 1) +
                            STATE_ADAM / (w->p->zero >= 1 ? w->p->data : 1));
    double maps = w->p->recompute == RECOMPUTE_NONE && !w->p->fused_attention
                      ? 5 * w->t->heads * w->t->sequence / w->t->hidden
                      : 0;

    layer = w->p->recompute == RECOMPUTE_FULL ? 2 * sbh / (w->p->sequence_parallel ? t : 1)
            : w->p->sequence_parallel         ? sbh * (34 + maps) / t
                                              : sbh * (10 + (24 + maps) / t);
    /* the first pipeline rank keeps p micro-batches alive, and a little more when interleaved */
    alive = fmin(w->p->micro_batches, w->p->pipeline) *
            (w->p->interleave > 1 ? 1 + (w->p->pipeline - 1) / (w->p->pipeline * w->p->interleave) : 1);
    return states + n * layer * alive + (w->p->recompute == RECOMPUTE_FULL ? sbh * 34 / t : 0);
}

void transformer_step(const struct transformer *t, const struct parallelism *p, const struct cluster *c,
                      struct train_time *out)
{
    struct work w = {t, p, c, p->micro_batch * t->sequence};
    double one, hops = p->pipeline > 1 ? 2 * p->interleave : 0;

    *out = (struct train_time){.head_s = head_time(&w)};
    add_up_layers(&w, out);
    one = out->forward_s + out->backward_s + out->recompute_s;
    out->bubble_s = one * (p->pipeline - 1) / p->interleave;
    out->send_s = hops * p->micro_batches *
                  send_s(p->tensor * p->pipeline > c->gpus_per_node ? &c->across : &c->inside,
                         2 * w.tokens * t->hidden / p->tensor);
    out->data_exchange_s = data_exchange(&w, out);
    out->optimizer_s = optimizer_time(&w);
    out->step_s = p->micro_batches * (one + out->head_s) + out->bubble_s + out->send_s +
                  out->data_exchange_s + out->optimizer_s;
    out->straggler_s = out->step_s * c->jitter_cv * slowest_of(p->tensor * p->pipeline * p->data);
    out->step_s += out->straggler_s;
    out->memory_bytes = memory_of(&w);
}

double moe_imbalance(double tokens, double chosen, double experts, double popularity_cv)
{
    double mean = tokens * chosen / experts;
    double cv = sqrt((1 - chosen / experts) / mean + popularity_cv * popularity_cv);

    return fmin(experts / chosen, 1 + cv * slowest_of(experts));
}
