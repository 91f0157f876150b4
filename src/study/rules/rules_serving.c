/*
 * rules_serving.c - engines, encoders and indexes.
 */
#include "study/rules/rules_parts.h"

#include <string.h>

static void own_bool(struct rules_work *w, const struct stage *st, const char *rule, const char *key,
                     const char *about, const char *why)
{
    struct rewrite *r;

    if (stage_bool(st, key))
        return;
    r = rewrite_new(w, rule, NULL, st, about, why);
    rewrite_set_own(w, r, key, json_new_bool(true));
}

static void engine(struct rules_work *w, const struct stage *st)
{
    const char *policy;
    struct rewrite *r;

    if (!stage_is(st, "llm_serving"))
        return;
    policy = stage_choice(st, "policy");
    own_bool(w, st, "prefix-cache", "prefix_cache", "Keep the KV of hashed prompt blocks for later prompts",
             "only a true prefix hits: the same tokens, the same KV");
    own_bool(w, st, "async-scheduling", "async_scheduling", "Compose the next iteration while one runs",
             "what is composed does not depend on the tokens of the iteration before");
    if (strcmp(policy, "static") == 0 || strcmp(policy, "orca") == 0 || strcmp(policy, "vllm") == 0) {
        r = rewrite_new(w, "chunked-prefill", NULL, st, "Prompts in chunks, mixed with decoding",
                        "attention of a chunk reads the KV of those before it: the same numbers");
        rewrite_set_own(w, r, "policy", json_new_string("chunked"));
    }
    if (stage_int(st, "replicas") != 1 && stage_bool(st, "prefix_cache") &&
        strcmp(stage_choice(st, "routing"), "prefix_aware") != 0) {
        r = rewrite_new(w, "prefix-routing", NULL, st, "Requests to the replica that holds their prefix",
                        "every replica gives the same answers");
        rewrite_set_own(w, r, "routing", json_new_string("prefix_aware"));
    }
}

/* Answers change: how much, only a measurement with this model tells. */
static void quantize(struct rules_work *w, const struct stage *st)
{
    static const char lossy[] =
        "lossy: answers change a little, and nothing here says how much; measure before";
    struct rewrite *r;

    if (stage_is(st, "llm_serving") && strcmp(stage_choice(st, "weights"), "bf16") == 0) {
        r = rewrite_new(w, "quantize", NULL, st, "Weights in fp8 (lossy)", lossy);
        r->lossy = true;
        rewrite_set_own(w, r, "weights", json_new_string("fp8"));
    }
    if (stage_is(st, "vector_db") && strcmp(stage_choice(st, "index"), "hosted") != 0 &&
        strcmp(stage_choice(st, "code"), "float32") == 0) {
        r = rewrite_new(w, "quantize", NULL, st, "Vectors searched as int8 (lossy)", lossy);
        r->lossy = true;
        rewrite_set_own(w, r, "code", json_new_string("int8"));
    }
}

static void max_batch(struct rules_work *w, const struct stage *st)
{
    long batch;
    struct rewrite *r;

    if (!stage_is(st, "llm_serving") && !stage_is(st, "inference"))
        return;
    batch = 2 * stage_int(st, "max_batch");
    r = rewrite_new(w, "batch", NULL, st, arena_printf(w->a, "Up to %ld in one batch", batch),
                    "members of a batch do not see each other");
    rewrite_set_own(w, r, "max_batch", json_new_number((double)batch));
}

static void replicas(struct rules_work *w, const struct stage *st)
{
    long count;
    struct rewrite *r;

    if (!stage_is(st, "inference") &&
        !(stage_is(st, "vector_db") && strcmp(stage_choice(st, "index"), "hosted") != 0))
        return;
    count = stage_int(st, "replicas") + 1;
    r = rewrite_new(w, "replicas", NULL, st, arena_printf(w->a, "%ld replicas on the same resource", count),
                    "every replica gives the same answers");
    rewrite_set_own(w, r, "replicas", json_new_number((double)count));
}

rule_fn *const rules_of_serving[] = {engine, quantize, max_batch, replicas, NULL};
