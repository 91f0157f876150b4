/*
 * gpu_training.c - training a transformer on a gang of accelerators, step by step.
 *
 * The stage gathers a global batch and holds one server of `gpu` (a gang) for
 * the time that models/transformer.h gives, on top of which come
 *
 *   noise       a lognormal factor of mean 1 on the whole step
 *   checkpoint  checkpoint_s once every checkpoint_interval_s of work, spread over the steps
 *   failure     with probability 1 - exp(-step / mtbf): the work since the last checkpoint (uniform between
 *               none and an interval) is done again after restart_s
 *
 * A checkpoint interval of 0 is the best one for the failure law (models/goodput.h).
 * A gang whose fullest rank does not fit into memory is refused, with the figures.
 */
#include "models/goodput.h"
#include "models/model.h"
#include "models/transformer.h"

#include <math.h>

static const char *const recompute_names[] = {"none", "selective", "full", NULL};

enum op {
    OP_COMPUTE,
    OP_RECOMPUTE,
    OP_EXCHANGE,
    OP_BUBBLE,
    OP_OPTIMIZER,
    OP_STRAGGLER,
    OP_CHECKPOINT,
    OP_FAILURE
};

struct gpu_training_cfg {
    int gpu, recompute;
    long layers, hidden, heads, kv_heads, feed_forward, vocabulary, sequence, experts, experts_chosen;
    long tensor, pipeline, data, expert, interleave, micro_batch, micro_batches, zero, gpus_per_node;
    bool gated, sequence_parallel, fused_attention, overlap;
    double node_bw, node_latency, clock_frac, jitter_cv, step_cv;
    double node_mtbf, checkpoint, checkpoint_interval, restart;
    /* derived */
    struct train_time time;
    struct failure_law failures;
    double interval_s;
};

#define T struct gpu_training_cfg
static const struct param params[] = {
    CHOICE(T, gpu, "a100-80gb", gpu_names, "Accelerator; peaks and memory from its data sheet"),
    INT(T, layers, "32", 1, 1e4, "Layers of the transformer"),
    INT(T, hidden, "4096", 1, 1e6, "Width of its layers"),
    INT(T, heads, "32", 1, 1e4, "Attention heads"),
    INT(T, kv_heads, "0", 0, 1e4, "Heads of keys and values; 0: as many as heads"),
    INT(T, feed_forward, "0", 0, 1e7, "Width of the feed-forward block; 0: four times the hidden width"),
    BOOL(T, gated, "false", "The feed-forward block has three products instead of two"),
    INT(T, experts, "0", 0, 1e5, "Experts of a mixture in every feed-forward block; 0: no mixture"),
    INT(T, experts_chosen, "2", 1, 1e4, "Experts that a token visits"),
    INT(T, vocabulary, "32000", 1, 1e8, "Words of the output table"),
    INT(T, sequence, "2048", 1, 1e7, "Tokens of a sequence"),
    INT(T, tensor, "1", 1, 1e4, "Ranks that share every layer's products"),
    INT(T, pipeline, "1", 1, 1e4, "Ranks that share the layers"),
    INT(T, data, "8", 1, 1e6, "Ranks that share the batch"),
    INT(T, expert, "1", 1, 1e5, "Ranks that share a mixture's experts"),
    INT(T, interleave, "1", 1, 1e4, "Chunks of layers that a pipeline rank holds"),
    INT(T, micro_batch, "1", 1, 1e6, "Sequences worked on at a time by a rank"),
    INT(T, micro_batches, "1", 1, 1e6, "Micro-batches between optimizer steps, per data parallel rank"),
    INT(T, zero, "0", 0, 3, "Sharded over data ranks: 1 optimizer, 2 also gradients, 3 also weights"),
    CHOICE(T, recompute, "none", recompute_names, "What of forward is done again for backward"),
    BOOL(T, sequence_parallel, "false", "Normalization and dropout are shared by tensor ranks too"),
    BOOL(T, fused_attention, "true", "Attention never writes its map to memory"),
    BOOL(T, overlap, "false", "Tensor exchanges of backward hide behind weight gradients"),
    INT(T, gpus_per_node, "8", 1, 1024, "Accelerators on one node"),
    REAL(T, node_bw, UNIT_BYTES_PER_S, "22GB/s", 1e6, 1e13,
         "Rate between nodes, per accelerator, one direction"),
    REAL(T, node_latency, UNIT_S, "10us", 0, 1, "Latency of a message between nodes"),
    REAL(T, clock_frac, UNIT_FRAC, "0.89", 0.1, 1, "Clock sustained under the power limit, of the peak's"),
    REAL(T, jitter_cv, UNIT_NONE, "0.02", 0, 1,
         "How much ranks differ in a step, relative; the slowest counts"),
    REAL(T, step_cv, UNIT_NONE, "0", 0, 2, "How much whole steps differ, relative"),
    REAL(T, node_mtbf, UNIT_S, "0s", 0, 1e12, "Mean time between failures of one node; 0: none fail"),
    REAL(T, checkpoint, UNIT_S, "0s", 0, 1e6, "Time that writing a checkpoint stops training"),
    REAL(T, checkpoint_interval, UNIT_S, "0s", 0, 1e9,
         "Work between checkpoints; 0: the best for the failures"),
    REAL(T, restart, UNIT_S, "10min", 0, 1e6, "Time from a failure until work goes on"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"gpu", NULL};
static const struct op_info ops[] = {{"compute", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"recompute", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"exchange", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"bubble", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"optimizer", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"straggler", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"checkpoint", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"failure", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static int divides(long part, const char *part_name, long whole, const char *whole_name,
                   const struct model_env *env, struct err *err)
{
    if (whole % part == 0)
        return 0;
    return err_set(err, ERR_SCENARIO, "%s.%s: %ld does not divide %s (%ld)", env->where, part_name, part,
                   whole_name, whole);
}

static int check_relations(const struct gpu_training_cfg *c, const struct model_env *env, struct err *err)
{
    TRY(divides(c->heads, "heads", c->hidden, "hidden", env, err));
    TRY(divides(c->tensor, "tensor", c->heads, "heads", env, err));
    TRY(divides(c->pipeline, "pipeline", c->layers, "layers", env, err));
    TRY(divides(c->interleave, "interleave", c->layers / c->pipeline, "the layers of a pipeline rank", env,
                err));
    if (c->experts > 0) {
        TRY(divides(c->expert, "expert", c->experts, "experts", env, err));
        if (c->experts_chosen > c->experts)
            return err_set(err, ERR_SCENARIO, "%s.experts_chosen: %ld of %ld experts", env->where,
                           c->experts_chosen, c->experts);
    } else if (c->expert > 1) {
        return err_set(err, ERR_SCENARIO, "%s.expert: %ld ranks, but there are no experts", env->where,
                       c->expert);
    }
    if (c->kv_heads > 0)
        TRY(divides(c->kv_heads, "kv_heads", c->heads, "heads", env, err));
    return 0;
}

static struct transformer shape_of(const struct gpu_training_cfg *c)
{
    return (struct transformer){.layers = (double)c->layers,
                                .hidden = (double)c->hidden,
                                .heads = (double)c->heads,
                                .kv_heads = (double)(c->kv_heads > 0 ? c->kv_heads : c->heads),
                                .feed_forward =
                                    (double)(c->feed_forward > 0 ? c->feed_forward : 4 * c->hidden),
                                .vocabulary = (double)c->vocabulary,
                                .sequence = (double)c->sequence,
                                .gated = c->gated,
                                .experts = (double)c->experts,
                                .chosen = c->experts > 0 ? (double)c->experts_chosen : 0};
}

static struct parallelism parallelism_of(const struct gpu_training_cfg *c)
{
    return (struct parallelism){.tensor = (double)c->tensor,
                                .pipeline = (double)c->pipeline,
                                .data = (double)c->data,
                                .expert = (double)c->expert,
                                .interleave = (double)c->interleave,
                                .micro_batch = (double)c->micro_batch,
                                .micro_batches = (double)c->micro_batches,
                                .zero = (int)c->zero,
                                .recompute = c->recompute,
                                .sequence_parallel = c->sequence_parallel,
                                .fused_attention = c->fused_attention,
                                .overlap = c->overlap};
}

static int check_memory(const struct gpu_training_cfg *c, const struct model_env *env, struct err *err)
{
    const struct gpu_spec *g = &gpu_specs[c->gpu];
    char needs[40], has[40];

    if (c->time.memory_bytes <= g->memory_bytes)
        return 0;
    return err_set(
        err, ERR_SCENARIO,
        "%s: the fullest accelerator needs %s, %s has %s; more tensor, pipeline or data ranks with "
        "zero, recompute or a smaller micro_batch need less",
        env->where, units_format(needs, sizeof needs, c->time.memory_bytes, UNIT_BYTES), g->name,
        units_format(has, sizeof has, g->memory_bytes, UNIT_BYTES));
}

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct gpu_training_cfg *c = cfg;
    struct gpu_law law = GPU_LAW;
    struct transformer t = shape_of(c);
    struct parallelism p = parallelism_of(c);
    struct cluster cluster = {.gpu = &gpu_specs[c->gpu],
                              .law = &law,
                              .across = fabric_of(c->node_bw, c->node_latency),
                              .gpus_per_node = (double)c->gpus_per_node,
                              .jitter_cv = c->jitter_cv};
    double nodes = ceil((double)(c->tensor * c->pipeline * c->data) / (double)c->gpus_per_node);

    TRY(check_relations(c, env, err));
    law.clock_frac = c->clock_frac;
    cluster.inside = gpu_links(cluster.gpu);
    transformer_step(&t, &p, &cluster, &c->time);
    TRY(check_memory(c, env, err));
    c->failures =
        (struct failure_law){c->node_mtbf > 0 ? c->node_mtbf / nodes : INFINITY, c->checkpoint, c->restart};
    c->interval_s =
        c->checkpoint_interval > 0 ? c->checkpoint_interval : goodput_best_interval_s(&c->failures);
    return 0;
}

static void shape(const void *cfg, struct shape *out)
{
    const struct gpu_training_cfg *c = cfg;

    *out = (struct shape){.workers = 1,
                          .take = (double)(c->data * c->micro_batch * c->micro_batches),
                          .prefetch = -1,
                          .queue_limit = -1};
}

/* Seconds lost to a failure in a step of `step_s`: drawn, or their mean. */
static double failure_s(const struct gpu_training_cfg *c, double step_s, const struct item *in,
                        const struct luck *luck)
{
    double chance = -expm1(-step_s / c->failures.mtbf_s), again = isinf(c->interval_s) ? 0 : c->interval_s;
    struct rng r;

    if (isinf(c->failures.mtbf_s))
        return 0;
    if (luck == NULL)
        return chance * (c->restart + again / 2);
    rng_keyed(&r, luck->seed, luck->replication, luck->stage, in->key, OP_FAILURE);
    return rng_uniform(&r) < chance ? c->restart + rng_uniform(&r) * again : 0;
}

/* Its share of a checkpoint. */
static double checkpoint_s(const struct gpu_training_cfg *c)
{
    return isinf(c->interval_s) ? 0 : c->checkpoint * c->time.step_s / c->interval_s;
}

static double noise(const struct gpu_training_cfg *c, const struct item *in, const struct luck *luck)
{
    struct rng r;

    if (luck == NULL || c->step_cv <= 0)
        return 1;
    rng_keyed(&r, luck->seed, luck->replication, luck->stage, in->key, OP_COMPUTE);
    return rng_lognormal(&r, 1, c->step_cv);
}

static void demand_steps(const struct gpu_training_cfg *c, double by, double failures_s, struct demand *out)
{
    const struct train_time *t = &c->time;
    double m = (double)c->micro_batches;
    double exchange = m * t->tensor_exchange_s + t->send_s + t->data_exchange_s;
    double compute = m * (t->forward_s + t->backward_s + t->head_s - t->tensor_exchange_s);

    demand_add(out, ROLE_GPU, OP_COMPUTE, by * compute, 0);
    demand_add(out, ROLE_GPU, OP_RECOMPUTE, by * m * t->recompute_s, 0);
    demand_add(out, ROLE_GPU, OP_EXCHANGE, by * exchange, 0);
    demand_add(out, ROLE_GPU, OP_BUBBLE, by * t->bubble_s, 0);
    demand_add(out, ROLE_GPU, OP_OPTIMIZER, by * t->optimizer_s, 0);
    demand_add(out, ROLE_GPU, OP_STRAGGLER, by * t->straggler_s, 0);
    demand_add(out, ROLE_GPU, OP_CHECKPOINT, checkpoint_s(c), 0);
    demand_add(out, ROLE_GPU, OP_FAILURE, failures_s, 0);
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct gpu_training_cfg *c = cfg;
    double by = noise(c, in, luck);

    (void)leave;
    demand_steps(c, by, failure_s(c, by * c->time.step_s + checkpoint_s(c), in, luck), out);
}

/* A run that is never interrupted. */
static void best_demand(const void *cfg, const struct item *in, struct demand *out, struct item *leave)
{
    (void)in;
    (void)leave;
    demand_steps(cfg, 1, 0, out);
}

const struct model gpu_training_model = {
    .name = "gpu_training",
    .title = "Training on a gang of accelerators",
    .about =
        "One optimizer step of a transformer over tensor, pipeline, data and expert ranks, with failures.",
    .cfg_size = sizeof(struct gpu_training_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .check = check,
    .shape = shape,
    .demand = demand,
    .best_demand = best_demand,
};
