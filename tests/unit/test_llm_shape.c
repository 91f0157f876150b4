#include "models/llm_shape.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static struct arena *arena;
static struct err err;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(llm_shape, .init = begin, .fini = end);

static void load(const struct param *table, const char *kind, const char *name, void *out)
{
    const char *folder = getenv("FORESIGHT_PRESETS");
    struct model_env env = {.where = "$", .arena = arena};
    struct json *doc;
    bool found;

    cr_assert_not_null(folder);
    cr_assert_eq(json_read(arena_printf(arena, "%s/%s/%s.json", folder, kind, name), &doc, &err), 0, "%s",
                 err.text);
    cr_assert_eq(llm_describe(table, doc, kind, &env, out, &found, &err), 0, "%s", err.text);
    cr_expect_not_null(json_get_string(doc, "source", NULL), "%s: whence?", name);
    cr_expect_not_null(json_get_string(doc, "date", NULL), "%s: when?", name);
}

Test(llm_shape, presets_have_as_many_parameters_as_their_models)
{
    static const struct {
        const char *name;
        double parameters; /* as the model cards say */
    } known[] = {{"llama-3-8b", 8.03e9},   {"llama-3-70b", 70.6e9},   {"qwen3-32b", 32.8e9}, {"opt-13b", 12.85e9},
                 {"mixtral-8x7b", 46.7e9}, {"qwen3-30b-a3b", 30.5e9}, {"deepseek-v3", 671e9}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct llm_shape s;

        load(llm_shape_params, "llm", known[i].name, &s);
        cr_expect_lt(fabs(llm_shape_parameters(&s) / known[i].parameters - 1), 0.01, "%s: %.4g, not %.4g",
                     known[i].name, llm_shape_parameters(&s), known[i].parameters);
    }
}

Test(llm_shape, hardware_presets_load)
{
    static const char *const names[] = {"h100-sxm",     "h200-sxm", "b200-sxm", "a100-sxm",
                                        "rtx-pro-6000", "l40s",     "l4"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct llm_hardware h;

        load(llm_hardware_params, "hardware", names[i], &h);
        cr_expect_gt(h.flops, 1e14);
        cr_expect_geq(h.flops_8bit, h.flops);
    }
}

Test(llm_shape, kv_of_a_token)
{
    struct llm_layout one = {.tp = 1, .pp = 1, .ep = 1, .weight_bytes = 2, .kv_bytes = 2}, sixteen = one;
    struct llm_shape s;

    sixteen.tp = 16;
    load(llm_shape_params, "llm", "llama-3-8b", &s);
    cr_expect_float_eq(llm_shape_kv_bytes(&s, &one), 131072, 1e-6, "2 x 32 layers x 8 heads x 128 x 2 bytes");
    cr_expect_float_eq(llm_shape_kv_bytes(&s, &sixteen), 131072.0 / 8, 1e-6, "8 heads on 16: each has one");
    load(llm_shape_params, "llm", "deepseek-v3", &s);
    cr_expect_float_eq(llm_shape_kv_bytes(&s, &sixteen), 61 * 576 * 2, 1e-6, "the compressed KV is on each");
}

Test(llm_shape, experts_touched_by_a_batch)
{
    cr_expect_float_eq(llm_experts_touched(128, 8, 1), 8, 1e-9);
    cr_expect_float_eq(llm_experts_touched(128, 8, 16), 128 * (1 - pow(1 - 8.0 / 128, 16)), 1e-9);
    cr_expect_float_eq(llm_experts_touched(8, 8, 5), 8, 1e-6);
    cr_expect_eq(llm_experts_touched(0, 0, 5), 0);
}

Test(llm_shape, a_step_at_batch_one_reads_the_weights)
{
    struct llm_layout one = {.tp = 1, .pp = 1, .ep = 1, .weight_bytes = 2, .kv_bytes = 2}, two = one;
    struct llm_batch b = {.decodes = 1, .decode_tokens = 1, .context = 1, .longest = 1};
    struct llm_cost c = {.stages = 1};
    struct llm_hardware h;
    struct llm_shape s;
    bool outside = false;
    double alone, read;

    load(llm_shape_params, "llm", "llama-3-8b", &s);
    load(llm_hardware_params, "hardware", "h100-sxm", &h);
    llm_roofline(&c, &s, &h, &one, 4096, 512, arena);
    alone = llm_cost_step(&c, &b, &outside);
    read = (llm_shape_weight_bytes(&s, &one) - 128256.0 * 4096 * 2) / (h.memory_bw * h.bandwidth_frac);
    cr_expect_lt(fabs(alone / read - 1), 0.1, "%g s, reading takes %g s", alone, read);
    two.tp = 2;
    llm_roofline(&c, &s, &h, &two, 4096, 512, arena);
    cr_expect_lt(llm_cost_step(&c, &b, &outside), alone);
    cr_expect_gt(llm_cost_step(&c, &b, &outside), alone / 2, "the all-reduces take their time");
    b = (struct llm_batch){.chunk = &(struct llm_chunk){4096, 0}, .chunks = 1, .tokens = 4096, .finished = 1};
    cr_expect_gt(llm_cost_step(&c, &b, &outside), 2 * 4096 * 7e9 / (2 * h.flops),
                 "never faster than the peak");
    cr_expect_not(outside);
}

Test(llm_shape, an_all_reduce_of_two_is_one_exchange)
{
    struct llm_hardware h = {.link_bw = 16e9, .link_latency_s = 20e-6};

    cr_expect_float_eq(llm_reduce_s(&h, 2, 16e6), 20e-6 + 1e-3, 1e-12);
    cr_expect_float_eq(llm_reduce_s(&h, 8, 16e6), 40e-6 + 2 * 7.0 / 8 * 1e-3, 1e-12);
    cr_expect_float_eq(llm_reduce_s(&h, 8, 16), 20e-6 + 7e-9, 1e-12, "small: all to all at once");
    cr_expect_eq(llm_reduce_s(&h, 1, 16e6), 0);
}
