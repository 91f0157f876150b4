/*
 * llm_serving.c - an LLM inference engine: iterations over batches of prompts and answers.
 *
 * The settings and what follows from them; llm_engine.h tells how it runs, llm_cost.h how long an iteration
 * takes, docs/models/llm_serving.md what was checked against which measurements.
 */
#include "models/llm_serving.h"

#include "models/fits.h"
#include "models/llm_ops.h"

#include <math.h>

static const char *const policy_names[] = {"static", "orca", "vllm", "chunked", "disaggregated", NULL};
static const char *const routing_names[] = {"round_robin", "least_loaded", "prefix_aware", NULL};
static const char *const order_names[] = {"fifo", "class", "shortest_prompt", NULL};
static const char *const preemption_names[] = {"recompute", "swap", NULL};
static const char *const weight_names[] = {"bf16", "fp8", "int8", "int4", "fp4", NULL};
static const double weight_bytes[] = {2, 1, 1, 0.5, 0.5};
static const char *const kv_names[] = {"bf16", "fp8", NULL};
static const double kv_bytes[] = {2, 1};

#define T struct llm_serving_cfg
static const struct param params[] = {
    CHOICE(T, policy, "chunked", policy_names, "How iterations are composed"),
    INT(T, max_batch, "256", 1, 100000, "Sequences that may run at a time (max_num_seqs)"),
    INT(T, max_tokens, "8192", 1, 1e6, "Tokens of one iteration at most (max_num_batched_tokens)"),
    LAW(T, input_tokens, UNIT_NONE, "1000", 1, 1e7, "Prompt of an item that comes without a request"),
    LAW(T, output_tokens, UNIT_NONE, "250", 1, 1e7, "Answer of an item that comes without a request"),
    JSONV(T, ops,
          "What iterations cost: two curves, imported tables (trace:NAME) or a preset; else a roofline"),
    JSONV(T, model, "Shape of the language model: a preset or an object"),
    JSONV(T, hardware, "The accelerator: a preset or an object"),
    REAL(T, straggler, UNIT_S, "0s", 0, 1e-3,
         "What the longest context adds to attention in a mixed batch, per layer and token beyond the mean"),
    INT(T, block_tokens, "16", 1, 65536, "Tokens of one KV block"),
    INT(T, kv_blocks, "0", 0, 1e12,
        "KV blocks of a replica; 0 means what the memory holds beside the weights"),
    REAL(T, memory_utilization, UNIT_FRAC, "0.9", 0.01, 1, "Share of the memory the engine may use"),
    REAL(T, memory_reserve, UNIT_BYTES, "2GB", 0, 1e13, "Of that, what activations and captured graphs take"),
    REAL(T, watermark, UNIT_FRAC, "0.01", 0, 0.9,
         "Share of the blocks kept free when a sequence is admitted"),
    INT(T, reserve_tokens, "0", 0, 1e7,
        "Memory that static and orca set aside for a sequence, in tokens; 0 is its prompt and its answer"),
    BOOL(T, buddies, "false", "Round what is set aside up to a power of two of tokens (buddy allocation)"),
    CHOICE(T, order, "fifo", order_names,
           "Who is admitted first: who came first, the request's class (the first of the workload is the "
           "most urgent), or the shortest prompt"),
    CHOICE(T, preemption, "recompute", preemption_names, "What happens to a sequence whose memory is taken"),
    BOOL(T, prefix_cache, "true", "Keep the KV of hashed prompt blocks for later prompts"),
    REAL(T, host_memory, UNIT_BYTES, "0GB", 0, 1e15, "Host memory for prefixes that fall out of the cache"),
    CHOICE(T, routing, "least_loaded", routing_names, "Which replica takes a request"),
    BOOL(T, async_scheduling, "false", "Compose the next iteration while one runs"),
    BOOL(T, cuda_graphs, "true", "Pad decode batches to the sizes of captured graphs"),
    REAL(T, cpu_step, UNIT_S, "0s", 0, 10, "CPU time between iterations"),
    REAL(T, cpu_sequence, UNIT_S, "0s", 0, 1, "CPU time between iterations for each sequence"),
    INT(T, replicas, "0", 0, 10000, "Engines side by side; 0 means as many as the accelerators allow"),
    INT(T, prefill_replicas, "1", 1, 10000, "Of these, how many compute prompts (disaggregated)"),
    INT(T, tp, "1", 1, 1024, "Tensor parallelism: accelerators that share each layer"),
    INT(T, pp, "1", 1, 1024, "Pipeline parallelism: accelerators that share the layers"),
    INT(T, ep, "1", 1, 1024,
        "Expert parallelism: groups of tp that share the experts, attention data-parallel"),
    CHOICE(T, weights, "bf16", weight_names, "Number format of the weights"),
    CHOICE(T, kv_cache, "bf16", kv_names, "Number format of the KV cache"),
    REAL(T, link_bw, UNIT_BYTES_PER_S, "0GB/s", 0, 1e15,
         "Between accelerators of a replica; 0 is the hardware's"),
    REAL(T, link_latency, UNIT_S, "0s", 0, 1, "Of its smallest message; 0 is the hardware's"),
    REAL(T, transfer_bw, UNIT_BYTES_PER_S, "50GB/s", 1, 1e15, "For KV on the way to a decode replica"),
    REAL(T, transfer_latency, UNIT_S, "1ms", 0, 10, "To set up one such transfer"),
    INT(T, draft_tokens, "0", 0, 64, "Tokens proposed by speculative decoding in an iteration; 0 is none"),
    REAL(T, draft_accepted, UNIT_FRAC, "0.7", 0, 1, "Probability that a proposed token is accepted"),
    REAL(T, draft_cost, UNIT_FRAC, "0.05", 0, 1, "Time of proposing one token over that of an iteration"),
    INT(T, min_replicas, "0", 0, 10000, "Replicas that stay on; 0 means all, without autoscaling"),
    REAL(T, scale_up_queue, UNIT_NONE, "4", 0, 1e6, "Waiting requests per replica that start another one"),
    REAL(T, scale_down_idle, UNIT_S, "5min", 0, 1e9, "Idle time after which a replica is switched off"),
    REAL(T, cold_start, UNIT_S, "60s", 0, 1e6, "From switching on to the first iteration: weights, graphs"),
    PARAMS_END};
#undef T

/* ------------------------------------------------------------ what follows from the settings */

struct described {
    struct llm_shape shape;
    struct llm_hardware hardware;
    struct llm_layout layout;
    bool has_shape, has_hardware;
};

static int describe(const struct llm_serving_cfg *c, const struct model_env *env, struct described *d,
                    struct err *err)
{
    TRY(llm_describe(llm_shape_params, c->model, "model", env, &d->shape, &d->has_shape, err));
    TRY(llm_describe(llm_hardware_params, c->hardware, "hardware", env, &d->hardware, &d->has_hardware, err));
    if (c->link_bw > 0)
        d->hardware.link_bw = c->link_bw;
    if (c->link_latency > 0)
        d->hardware.link_latency_s = c->link_latency;
    d->layout = (struct llm_layout){.tp = c->tp,
                                    .pp = c->pp,
                                    .ep = c->ep,
                                    .weight_bytes = weight_bytes[c->weights],
                                    .kv_bytes = kv_bytes[c->kv_cache]};
    return 0;
}

static int check_relations(const struct llm_serving_cfg *c, const struct described *d, const char *where,
                           struct err *err)
{
    if (c->policy == LLM_CHUNKED && c->max_tokens < c->max_batch * (1 + c->draft_tokens))
        return err_set(err, ERR_SCENARIO,
                       "%s.max_tokens: %ld is too small: %ld sequences may decode, each with %ld "
                       "token(s) an iteration; at least %ld",
                       where, c->max_tokens, c->max_batch, 1 + c->draft_tokens,
                       c->max_batch * (1 + c->draft_tokens));
    if (c->policy == LLM_DISAGGREGATED && c->replicas <= c->prefill_replicas)
        return err_set(err, ERR_SCENARIO,
                       "%s.replicas: %ld replica(s), of which %ld compute prompts, leave none to "
                       "decode; at least %ld",
                       where, c->replicas, c->prefill_replicas, c->prefill_replicas + 1);
    if (c->policy == LLM_DISAGGREGATED && c->min_replicas > 0)
        return err_set(err, ERR_SCENARIO,
                       "%s.min_replicas: a disaggregated engine does not scale; leave it 0", where);
    if (c->ep > 1 && d->shape.experts == 0)
        return err_set(err, ERR_SCENARIO, "%s.ep: the model has no experts to share", where);
    if (d->shape.experts > 0 && d->shape.experts_per_token > d->shape.experts)
        return err_set(err, ERR_SCENARIO, "%s.model.experts_per_token: %ld of %ld experts", where,
                       d->shape.experts_per_token, d->shape.experts);
    if (c->pp > d->shape.layers)
        return err_set(err, ERR_SCENARIO, "%s.pp: %ld stages for %ld layers", where, c->pp, d->shape.layers);
    return 0;
}

static int find_cost(struct llm_serving_cfg *c, const struct model_env *env, const struct described *d,
                     struct err *err)
{
    struct llm_measured m = {.ops = c->ops,
                             .shape = d->has_shape ? &d->shape : NULL,
                             .hardware = &d->hardware,
                             .layout = d->layout,
                             .most_sequences = 2 * c->max_batch,
                             .straggler_s = c->straggler,
                             .cpu_step_s = c->cpu_step,
                             .cpu_sequence_s = c->cpu_sequence};

    m.most_tokens = c->max_tokens > 2 * c->max_batch ? c->max_tokens : 2 * c->max_batch;
    if (c->policy != LLM_CHUNKED && m.most_tokens < 65536)
        m.most_tokens = 65536; /* whole prompts, however long */
    if (c->ops != NULL) {
        TRY(llm_cost_measured(&m, env, &c->cost, err));
        if (c->cpu_step == 0 && c->cpu_sequence == 0) {
            c->cpu_step = m.cpu_step_s;
            c->cpu_sequence = m.cpu_sequence_s;
        }
    } else {
        llm_roofline(&c->cost, &d->shape, &d->hardware, &d->layout, m.most_tokens, m.most_sequences,
                     env->arena);
    }
    c->cost.stages = (double)c->pp;
    c->cost.hop_s = c->pp > 1 ? d->hardware.link_latency_s : 0;
    return 0;
}

static int find_blocks(struct llm_serving_cfg *c, const struct model_env *env, const struct described *d,
                       struct err *err)
{
    bool known = c->ops == NULL || (d->has_shape && d->has_hardware);
    double weights = llm_shape_weight_bytes(&d->shape, &d->layout), room, block;

    c->kv_token_bytes = known || d->has_shape ? llm_shape_kv_bytes(&d->shape, &d->layout) : 0;
    c->host_bw = d->hardware.host_bw;
    block = c->kv_token_bytes * (double)c->block_tokens;
    c->host_blocks = block > 0 ? (long)(c->host_memory / (block * (double)(c->tp * c->pp))) : 0;
    c->blocks = c->kv_blocks > 0 ? c->kv_blocks : (long)1 << 40;
    if (c->kv_blocks > 0 || !known)
        return 0;
    room = d->hardware.memory * c->memory_utilization - weights - c->memory_reserve;
    if (room < block)
        return err_set(err, ERR_SCENARIO,
                       "%s: the weights take %.3g GB of each accelerator, %.3g GB are for the engine "
                       "and %.3g GB of these reserved; more of tp, pp, narrower weights or a "
                       "larger memory",
                       env->where, weights / 1e9, d->hardware.memory * c->memory_utilization / 1e9,
                       c->memory_reserve / 1e9);
    c->blocks = (long)(room / block) * c->ep;
    return 0;
}

/* E[tokens] when each of g drafts is accepted with probability a until one is not: (1 - a^(g+1)) / (1 - a).
 */
static double tokens_per_step(double a, long g)
{
    return a >= 1 ? (double)(1 + g) : (1 - pow(a, (double)(g + 1))) / (1 - a);
}

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct llm_serving_cfg *c = cfg;
    struct described d = {0};

    TRY(describe(c, env, &d, err));
    TRY(check_relations(c, &d, env->where, err));
    c->gpus = c->tp * c->pp * c->ep;
    c->step_tokens = tokens_per_step(c->draft_accepted, c->draft_tokens);
    TRY(find_cost(c, env, &d, err));
    return find_blocks(c, env, &d, err);
}

/* An engine holds its weights where it runs: accelerators that are not there cannot be taken in turns. */
static int check_bound(const void *cfg, const long counts[ROLES], const char *where, struct err *err)
{
    const struct llm_serving_cfg *c = cfg;
    long there = counts[ROLE_GPU], engines = c->replicas > 0 ? c->replicas : 1;

    if (c->gpus <= there / engines)
        return 0;
    if (c->gpus > there)
        return err_set(err, ERR_SCENARIO,
                       "%s: tp %ld x pp %ld x ep %ld = %ld accelerators for one replica, but \"on\" binds a "
                       "resource of %ld; raise its count or lower tp, pp or ep",
                       where, c->tp, c->pp, c->ep, c->gpus, there);
    return err_set(
        err, ERR_SCENARIO,
        "%s.replicas: %ld replicas of %ld accelerator(s) each, but \"on\" binds a resource of %ld; "
        "at most %ld",
        where, c->replicas, c->gpus, there, there / c->gpus);
}

/* ------------------------------------------------------------ what one request wants, for the bound */

enum { PURPOSE_INPUT, PURPOSE_OUTPUT };

void llm_tokens(const struct llm_serving_cfg *c, const struct item *it, const struct luck *luck, long *input,
                long *output)
{
    const struct request *q = it->request;
    bool asks = q != NULL && q->input_tokens > 0, says = q != NULL && q->output_tokens > 0;

    *input =
        asks ? q->input_tokens : (long)fmax(1, luck_law(&c->input_tokens, it, luck, PURPOSE_INPUT) + 0.5);
    *output =
        says ? q->output_tokens : (long)fmax(1, luck_law(&c->output_tokens, it, luck, PURPOSE_OUTPUT) + 0.5);
}

static void shape(const void *cfg, struct shape *out)
{
    (void)cfg;
    *out = (struct shape){.workers = 0, .prefetch = -1, .queue_limit = -1};
}

/*
 * Never more than the engine needs: prompts and answers at the best size of a batch, contexts as short as
 * they can be, and of a prompt that may be cached only what no hash names.
 */
static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct llm_serving_cfg *c = cfg;
    const struct request *q = in->request;
    bool reuses = q != NULL && q->blocks != NULL && c->prefix_cache;
    double most = (double)c->max_batch, tokens = (double)c->max_tokens, gpus = (double)c->gpus, steps, fresh;
    long input, output;

    (void)leave;
    llm_tokens(c, in, luck, &input, &output);
    steps = ((double)output - 1) / c->step_tokens;
    fresh = fmax(1, (double)(reuses ? input - q->blocks_n * q->block_tokens : input));
    if (c->policy != LLM_CHUNKED)
        tokens = fmax(tokens, 65536);
    demand_add(out, ROLE_GPU, LLM_OP_PREFILL,
               gpus * llm_cost_least_prefill(&c->cost, fresh, tokens, llm_mixes(c)), 0);
    demand_add(out, ROLE_GPU, LLM_OP_DECODE,
               gpus * steps * llm_cost_least_decode(&c->cost, (double)input, most, tokens, llm_mixes(c)), 0);
}

/* The least that an iteration takes in which somebody decodes. */
static double least_step(const struct llm_serving_cfg *c, double context)
{
    double least = INFINITY;

    for (double n = 1; n <= (double)c->max_batch; n *= 2) {
        struct llm_batch b = {.decodes = n, .decode_tokens = n, .context = context, .longest = context};

        least = fmin(least, llm_cost_step(&c->cost, &b, &(bool){false}));
    }
    return least + (c->async_scheduling ? 0 : c->cpu_step);
}

/*
 * An engine of its own: the prompt in as few pieces as the policy allows, then an iteration for each step of the
 * answer.  Of a prompt that may be cached nothing is sure to be computed.
 */
static double least_stay(const void *cfg, const struct item *in)
{
    const struct llm_serving_cfg *c = cfg;
    const struct request *q = in->request;
    bool may_be_cached = q != NULL && q->blocks_n != 0 && c->prefix_cache;
    double stay = 0;
    long input, output;

    llm_tokens(c, in, NULL, &input, &output);
    if (!may_be_cached) {
        double most = llm_mixes(c) ? fmin((double)input, (double)c->max_tokens) : (double)input;
        struct llm_chunk chunk = {fmax(1, most), 0};
        struct llm_batch b = {.chunk = &chunk, .chunks = 1, .tokens = chunk.tokens, .finished = 1};

        stay = floor((double)input / chunk.tokens) * llm_cost_step(&c->cost, &b, &(bool){false});
    }
    return stay + fmax(0, (double)output - 1) / c->step_tokens * least_step(c, (double)input);
}

static const char *const roles[] = {"gpu", NULL};
static const struct op_info ops[] = {{"prefill", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"decode", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"mixed", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

const struct model llm_serving_model = {
    .name = "llm_serving",
    .title = "LLM serving engine",
    .about = "Batches prompts and answers iteration by iteration on accelerators with paged KV memory.",
    .cfg_size = sizeof(struct llm_serving_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .check = check,
    .check_bound = check_bound,
    .shape = shape,
    .demand = demand,
    .least_stay = least_stay,
    .server = &llm_server,
    .fits = llm_serving_fits,
};
