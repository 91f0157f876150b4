#include "models/llm_shape.h"

#include <math.h>

#define T struct llm_shape
const struct param llm_shape_params[] = {
    INT(T, layers, "32", 1, 1000, "Transformer layers"),
    INT(T, hidden, "4096", 1, 1e6, "Width of the residual stream"),
    INT(T, heads, "32", 1, 4096, "Query heads"),
    INT(T, kv_heads, "8", 1, 4096, "Key and value heads; as many as query heads is MHA, fewer is GQA"),
    INT(T, head_dim, "128", 1, 4096, "Width of one head"),
    INT(T, ffn, "14336", 0, 1e7, "Width of the feed-forward layer; 0 where every layer has experts"),
    INT(T, vocab, "128256", 1, 1e8, "Rows of the embedding and of the LM head"),
    INT(T, experts, "0", 0, 1e5, "Experts of a layer; 0 is a dense model"),
    INT(T, experts_per_token, "0", 0, 1e5, "Experts that one token passes"),
    INT(T, expert_ffn, "0", 0, 1e7, "Width of one expert"),
    INT(T, shared_experts, "0", 0, 1e5, "Experts that every token passes"),
    INT(T, dense_layers, "0", 0, 1000, "Layers without experts in a model with experts"),
    INT(T, kv_rank, "0", 0, 1e6, "Width of the compressed KV of multi-head latent attention; 0 is none"),
    INT(T, rope_dim, "0", 0, 4096, "Width of the rotary key beside the compressed KV"),
    INT(T, q_rank, "0", 0, 1e6, "Width of the compressed query; 0 is none"),
    BOOL(T, gated, "true", "Feed-forward layers have a gate beside the way up: three matrices, else two"),
    BOOL(T, tied_embeddings, "false", "Embedding and LM head are one matrix"),
    JSONV(T, name, "What the model is called"),
    JSONV(T, source, "Where the numbers come from"),
    JSONV(T, date, "When they were read"),
    PARAMS_END};
#undef T

#define T struct llm_hardware
const struct param llm_hardware_params[] = {
    REAL(T, flops, UNIT_FLOP_PER_S, "989TFLOP/s", 1e6, 1e20, "Peak of dense 16-bit matrix products"),
    REAL(T, flops_8bit, UNIT_FLOP_PER_S, "0TFLOP/s", 0, 1e20, "Peak of 8-bit products; 0 means as 16-bit"),
    REAL(T, flops_4bit, UNIT_FLOP_PER_S, "0TFLOP/s", 0, 1e20, "Peak of 4-bit products; 0 means as 16-bit"),
    REAL(T, memory_bw, UNIT_BYTES_PER_S, "3.35TB/s", 1, 1e16, "Peak bandwidth of the memory"),
    REAL(T, memory, UNIT_BYTES, "80GB", 1, 1e15, "Size of the memory"),
    REAL(T, link_bw, UNIT_BYTES_PER_S, "450GB/s", 1, 1e15, "Bandwidth to the others, one direction"),
    REAL(T, link_latency_s, UNIT_S, "5us", 0, 1, "Time of the smallest message to another accelerator"),
    REAL(T, host_bw, UNIT_BYTES_PER_S, "55GB/s", 1, 1e15, "Bandwidth to the memory of the host"),
    REAL(T, flops_frac, UNIT_FRAC, "0.7", 0.01, 1, "Share of the peak that large products reach"),
    REAL(T, bandwidth_frac, UNIT_FRAC, "0.8", 0.01, 1, "Share of the memory bandwidth that is reached"),
    REAL(T, kernel_s, UNIT_S, "2.5us", 0, 1e-3, "Time of the smallest kernel in a captured graph"),
    REAL(T, kernel_gap_s, UNIT_S, "0.5us", 0, 1e-3,
         "Between two kernels that follow each other without delay"),
    REAL(T, watt, UNIT_WATT, "700W", 0, 1e5, "Power limit of the board"),
    REAL(T, usd_per_h, UNIT_USD_PER_H, "0usd/h", 0, 1e4, "Price of an hour; 0 means not stated"),
    JSONV(T, name, "What the accelerator is called"),
    JSONV(T, source, "Where the numbers come from"),
    JSONV(T, date, "When they were read"),
    JSONV(T, vendor_page, "The vendor's data sheet"),
    PARAMS_END};
#undef T

int llm_describe(const struct param *table, const struct json *given, const char *key,
                 const struct model_env *env, void *out, bool *found, struct err *err)
{
    const char *where = arena_printf(env->arena, "%s.%s", env->where, key), *name = json_string(given);

    *found = given != NULL;
    if (given == NULL)
        return param_load(table, NULL, where, env->arena, out, err);
    if (name != NULL) {
        if (env->lookup == NULL || env->lookup->document == NULL)
            return err_set(err, ERR_SCENARIO, "%s: preset \"%s\" cannot be looked up here", where, name);
        if (env->lookup->document(env->lookup->ctx, name, env->arena, &given, err) != 0)
            return err_at(err, "%s", where);
        where = name;
    }
    if (json_type(given) != JSON_OBJECT)
        return err_set(err, ERR_SCENARIO, "%s: expected an object or the name of a preset, found %s", where,
                       json_type_name(json_type(given)));
    return param_load(table, given, where, env->arena, out, err);
}

/* ------------------------------------------------------------ parameters and memory */

static double attention_parameters(const struct llm_shape *s)
{
    double h = (double)s->hidden, q = (double)(s->heads * s->head_dim),
           kv = (double)(s->kv_heads * s->head_dim);
    double rank = (double)s->kv_rank, rope = (double)s->rope_dim, query = (double)s->q_rank,
           heads = (double)s->heads;

    if (s->kv_rank == 0)
        return h * (q + 2 * kv) + q * h;
    query = query > 0 ? h * query + query * heads * ((double)s->head_dim + rope)
                      : h * heads * ((double)s->head_dim + rope);
    return query + h * (rank + rope) + rank * heads * 2 * (double)s->head_dim + q * h;
}

static double matrices(const struct llm_shape *s) /* of a feed-forward layer */
{
    return s->gated ? 3 : 2;
}

static double expert_parameters(const struct llm_shape *s)
{
    return matrices(s) * (double)s->hidden * (double)s->expert_ffn;
}

static double expert_layers(const struct llm_shape *s)
{
    return s->experts > 0 ? (double)(s->layers - s->dense_layers) : 0;
}

static double dense_parameters(const struct llm_shape *s)
{
    return matrices(s) * (double)s->hidden * (double)s->ffn;
}

double llm_shape_parameters(const struct llm_shape *s)
{
    double with = expert_layers(s), without = (double)s->layers - with;

    return (double)s->layers * attention_parameters(s) + without * dense_parameters(s) +
           with * (double)(s->experts + s->shared_experts) * expert_parameters(s) +
           (double)(s->vocab * s->hidden) * (s->tied_embeddings ? 1 : 2);
}

/* Experts lie on tp * ep accelerators, the rest on tp, and every ep member has it. */
double llm_shape_weight_bytes(const struct llm_shape *s, const struct llm_layout *l)
{
    double experts = expert_layers(s) * (double)s->experts * expert_parameters(s);
    double rest = llm_shape_parameters(s) - experts;

    return (rest / (double)(l->tp * l->pp) + experts / (double)(l->tp * l->pp * l->ep)) * l->weight_bytes;
}

/* Fewer KV heads than accelerators are copied; the compressed KV of latent attention is on each. */
double llm_shape_kv_bytes(const struct llm_shape *s, const struct llm_layout *l)
{
    double heads = fmax(1, (double)s->kv_heads / (double)l->tp);
    double numbers = s->kv_rank > 0 ? (double)(s->kv_rank + s->rope_dim) : 2 * heads * (double)s->head_dim;

    return (double)s->layers / (double)l->pp * numbers * l->kv_bytes;
}

double llm_experts_touched(double experts, double per_token, double tokens)
{
    return experts <= 0 ? 0 : -experts * expm1(tokens * log1p(-fmin(per_token / experts, 1 - 1e-12)));
}

/* ------------------------------------------------------------ time */

double llm_reduce_s(const struct llm_hardware *h, long members, double bytes)
{
    double n = (double)members, once = h->link_latency_s + (n - 1) * bytes / h->link_bw;
    double parts = 2 * h->link_latency_s + 2 * (n - 1) / n * bytes / h->link_bw;

    return members <= 1 ? 0 : fmin(once, parts);
}

double llm_collectives_s(const struct llm_shape *s, const struct llm_hardware *h, const struct llm_layout *l,
                         double tokens)
{
    double bytes = tokens * (double)s->hidden * 2, n = (double)l->ep, all_to_all = 0;

    if (l->ep > 1) /* each token goes to its experts and comes back; of these (n - 1) / n lie elsewhere */
        all_to_all =
            2 * expert_layers(s) *
            (h->link_latency_s + bytes / n * (double)s->experts_per_token * (n - 1) / n / h->link_bw);
    return (2 * (double)s->layers + 1) * llm_reduce_s(h, l->tp, bytes) + all_to_all;
}

double llm_logits_gather_s(const struct llm_shape *s, const struct llm_hardware *h,
                           const struct llm_layout *l, double sequences)
{
    double n = (double)l->tp;

    return l->tp <= 1 ? 0 : h->link_latency_s + (n - 1) / n * sequences * (double)s->vocab * 2 / h->link_bw;
}

struct rates { /* what one accelerator reaches */
    double flops, bandwidth, weight_bytes;
};

static struct rates rates_of(const struct llm_hardware *h, const struct llm_layout *l)
{
    double peak = h->flops;

    if (l->weight_bytes <= 0.5 && h->flops_4bit > 0)
        peak = h->flops_4bit;
    else if (l->weight_bytes <= 1 && h->flops_8bit > 0)
        peak = h->flops_8bit;
    return (struct rates){peak * h->flops_frac, h->memory_bw * h->bandwidth_frac, l->weight_bytes};
}

static double product_s(const struct rates *r, double tokens, double active, double touched)
{
    return fmax(2 * tokens * active / r->flops, touched * r->weight_bytes / r->bandwidth);
}

/* The fullest of ep members: tokens choose experts independently, so loads scatter like a Poisson law's. */
static double fullest(double tokens, double members)
{
    return members <= 1 ? tokens : tokens / members + sqrt(2 * tokens / members * log(members));
}

static double layers_s(const struct llm_shape *s, const struct llm_hardware *h, const struct llm_layout *l,
                       double tokens)
{
    struct rates r = rates_of(h, l);
    double tp = (double)l->tp, ep = (double)l->ep, with = expert_layers(s),
           without = (double)s->layers - with;
    double attention = attention_parameters(s) / tp, dense = dense_parameters(s) / tp,
           one = expert_parameters(s) / tp;
    double passes = tokens * (double)s->experts_per_token;
    double touched = llm_experts_touched((double)s->experts, (double)s->experts_per_token, tokens) / ep;
    enum { SMALL_KERNELS = 5 }; /* two norms, the rotation, the activation, the write into the cache */

    return (double)s->layers *
               (product_s(&r, tokens / ep, attention, attention) + SMALL_KERNELS * h->kernel_s) +
           without * product_s(&r, tokens, dense, dense) +
           with *
               (fmax(2 * fullest(passes, ep) * one / r.flops, touched * one * r.weight_bytes / r.bandwidth) +
                product_s(&r, tokens, (double)s->shared_experts * one, (double)s->shared_experts * one));
}

static struct llm_curve counted(long n, struct arena *a)
{
    struct llm_curve c = {.n = (int)n + 1,
                          .x = arena_array(a, (size_t)n + 1, sizeof(double)),
                          .y = arena_array(a, (size_t)n + 1, sizeof(double))};

    for (long i = 0; i <= n; i++)
        c.x[i] = (double)i;
    return c;
}

void llm_roofline(struct llm_cost *c, const struct llm_shape *s, const struct llm_hardware *h,
                  const struct llm_layout *l, long most_tokens, long most_sequences, struct arena *a)
{
    struct rates r = rates_of(h, l);
    double heads = (double)(s->heads * s->head_dim) / (double)l->tp, layers = (double)s->layers;
    double head = (double)(s->vocab * s->hidden) / (double)l->tp, wide = s->kv_rank > 0 ? 4 : 1;

    c->is_roofline = true;
    c->linear = counted(most_tokens, a);
    c->sequence = counted(most_sequences, a);
    for (long i = 1; i <= most_tokens; i++)
        c->linear.y[i] = layers_s(s, h, l, (double)i) + llm_collectives_s(s, h, l, (double)i);
    for (long i = 1; i <= most_sequences; i++)
        c->sequence.y[i] = product_s(&r, (double)i / (double)l->ep, head, head) + 2 * h->kernel_s +
                           llm_logits_gather_s(s, h, l, (double)i);
    /* A query meets a key and a value: 4 flops a number; latent attention works on the compressed width. */
    c->prefill_pair_s = 4 * heads * layers / (h->flops * h->flops_frac) / (double)l->ep;
    c->decode_token_s = fmax(llm_shape_kv_bytes(s, l) * (double)l->pp / r.bandwidth,
                             4 * heads * wide * layers / (h->flops * h->flops_frac)) /
                        (double)l->ep;
}
