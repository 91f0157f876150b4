/*
 * transformer.h - one training step of a transformer over tensor, pipeline and data parallel ranks.
 *
 * Layer by layer and product by product, on models/gpu.h and models/collective.h.
 * s sequence, b micro-batch, h hidden, a heads, d = h / a, f feed-forward width,
 * t, p, n tensor, pipeline and data parallel ranks; per layer and micro-batch:
 *
 *   products      QKV [sb, h] x [h, (h + 2 kv) / t], scores and context a b / t times [s, d] x [d, s] and
 *                 [s, s] x [s, d], projection, two (gated: three) of the feed-forward block;
 *                 backward has two products for each
 *   moved         softmax and dropout on a b s^2 / t values (not with fused attention), normalization,
 *                 dropout and residual on s b h values (/ t with sequence parallelism), activation function
 *   exchanged     two all-reduces of 2 s b h bytes forward and two backward; with overlap those of backward
 *                 hide behind the products that make weight gradients
 *   recompute     full: one more forward; selective: one more scores, softmax, dropout, context
 *
 * The pipeline runs one forward, one backward: m micro-batches and v chunks a rank take
 * (m + (p - 1) / v) times one micro-batch on one rank, and the last rank's vocabulary product is on every
 * micro-batch's way.  Data parallelism replicates (reducing gradients once a step), or shards as ZeRO does:
 * stage 3 gathers each layer's weights before forward and before backward and scatters its gradient, each
 * hidden behind the layer's own work as far as that goes.
 *
 * Memory of activations: s b h (34 + 5 a s / h) bytes a layer divided by t, the second term gone with
 * selective recompute or fused attention, 2 s b h with full; (Korthikanti et al., Reducing Activation
 * Recomputation in Large Transformer Models, arXiv 2205.05198).  States: 2 weights + 4 gradient + 12 Adam.
 *
 * A mixture of experts sends every token to `chosen` of them and back, forward and backward, and the rank
 * with the most tokens is waited for.
 *
 * Left out: congestion, memory fragmentation, clock drops.
 */
#ifndef MODELS_TRANSFORMER_H
#define MODELS_TRANSFORMER_H

#include "models/gpu.h"

#include <stdbool.h>

struct transformer {
    double layers, hidden, heads, kv_heads, feed_forward, vocabulary, sequence;
    bool gated;             /* three products in the feed-forward block */
    double experts, chosen; /* of a mixture: how many, and how many a token visits; 0: no mixture */
};

enum recompute { RECOMPUTE_NONE, RECOMPUTE_SELECTIVE, RECOMPUTE_FULL };

struct parallelism {
    double tensor, pipeline, data;
    double expert;                     /* ranks that share a mixture's experts; 0 or 1: each has all */
    double interleave;                 /* chunks of layers a pipeline rank holds */
    double micro_batch, micro_batches; /* sequences; between two optimizer steps, per data parallel rank */
    int zero;                          /* 0 replicated; 1 optimizer, 2 + gradients, 3 + weights sharded */
    int recompute;                     /* enum recompute */
    bool sequence_parallel, fused_attention, overlap; /* overlap: of tensor parallel exchange, backward */
};

struct cluster {
    const struct gpu_spec *gpu;
    const struct gpu_law *law;
    struct fabric inside, across; /* per GPU */
    double gpus_per_node;
    double jitter_cv; /* of a rank's step: the slowest of all is waited for */
};

struct train_time {
    double forward_s, backward_s, recompute_s; /* one micro-batch on one pipeline rank, exchange included */
    double tensor_exchange_s;                  /* of forward and backward: not hidden */
    double head_s;                             /* vocabulary product and loss of a micro-batch */
    double bubble_s, send_s, data_exchange_s, optimizer_s, straggler_s; /* of a step */
    double step_s;
    double memory_bytes; /* of the fullest rank */
};

double transformer_parameters(const struct transformer *t);
/* Forward and backward of the model itself, recompute not counted, of one sequence. */
double transformer_flop(const struct transformer *t);

void transformer_step(const struct transformer *t, const struct parallelism *p, const struct cluster *c,
                      struct train_time *out);

/*
 * Mixture of experts: the fullest expert of `experts` gets this many times the mean, when each of `tokens`
 * picks `chosen` of them evenly at random (normal approximation of the multinomial's maximum), or with the
 * popularity's relative standard deviation cv on top.
 */
double moe_imbalance(double tokens, double chosen, double experts, double popularity_cv);

#endif
