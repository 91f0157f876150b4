#include "models/opgraph.h"

#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* Decode a file, cast to float, crop at random, turn gray. */
static struct opg image(void)
{
    return (struct opg){.n = 4,
                        .bytes = 1e5,
                        .elements = 1e5,
                        .op = {{.name = "decode",
                                .per_byte_s = 2e-8,
                                .bytes_ratio = 6,
                                .elements_ratio = 6,
                                .keep_frac = 1,
                                .pinned = true},
                               {.name = "float",
                                .per_byte_s = 1e-9,
                                .bytes_ratio = 4,
                                .elements_ratio = 1,
                                .keep_frac = 1,
                                .fusable = true},
                               {.name = "crop",
                                .per_byte_s = 1e-9,
                                .bytes_ratio = 0.25,
                                .elements_ratio = 0.25,
                                .keep_frac = 1,
                                .random = true,
                                .fusable = true},
                               {.name = "gray",
                                .per_byte_s = 1e-9,
                                .bytes_ratio = 1. / 3,
                                .elements_ratio = 1. / 3,
                                .keep_frac = 1,
                                .fusable = true}}};
}

static const int given[] = {0, 1, 2, 3};

Test(opgraph, each_operator_works_on_what_those_before_it_left)
{
    struct opg g = image();

    cr_expect_float_eq(opg_cost_s(&g, given, false), 2e-3 + 6e-4 + 24e-4 + 6e-4, 1e-12);
    g.op[0].keep_frac = 0.5; /* a filter: the rest sees half of the items */
    cr_expect_float_eq(opg_cost_s(&g, given, false), 2e-3 + (6e-4 + 24e-4 + 6e-4) / 2, 1e-12);
}

Test(opgraph, the_cast_goes_last_and_what_shrinks_most_goes_first)
{
    struct opg g = image();
    int order[OPG_MAX];
    double cost = opg_best_order(&g, order);

    cr_expect_eq(order[0], 0);
    cr_expect_eq(order[3], 1);
    cr_expect_float_eq(cost, opg_cost_s(&g, order, false), 1e-15);
    cr_expect_float_eq(cost, 2e-3 + 6e-4 + 1.5e-4 + 0.5e-4, 1e-12);
}

Test(opgraph, an_order_obeys_dependencies)
{
    struct opg g = image();
    int order[OPG_MAX], wrong[] = {0, 3, 1, 2};
    char why[200];

    g.op[3].after = 1 << 1; /* gray needs floats */
    cr_expect_null(opg_illegal(&g, given, why, sizeof why));
    cr_expect_not_null(strstr(opg_illegal(&g, wrong, why, sizeof why), "\"gray\" may not stand at place 2"));
    opg_best_order(&g, order);
    cr_expect_null(opg_illegal(&g, order, why, sizeof why));
    cr_expect_eq(order[1], 2); /* crop alone can move before the cast */
    wrong[0] = 1;
    wrong[2] = 0;
    cr_expect_not_null(opg_illegal(&g, wrong, why, sizeof why));
}

static void permute(const struct opg *g, int *order, int k, double *best)
{
    char why[200];

    if (k == g->n) {
        if (opg_illegal(g, order, why, sizeof why) == NULL)
            *best = fmin(*best, opg_cost_s(g, order, false));
        return;
    }
    for (int i = k; i < g->n; i++) {
        int kept = order[k];

        order[k] = order[i];
        order[i] = kept;
        permute(g, order, k + 1, best);
        order[i] = order[k];
        order[k] = kept;
    }
}

Test(opgraph, the_best_order_is_the_best_of_all_permutations)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct opg g = {.n = 6, .bytes = 1e4, .elements = 2e3, .call_s = 1e-6, .copy_byte_s = 1e-10};
        int order[OPG_MAX], all[] = {0, 1, 2, 3, 4, 5};
        double best = INFINITY, found;
        struct rng r;

        rng_keyed(&r, seed, 0, 0, 0, 0);
        for (int i = 0; i < g.n; i++)
            g.op[i] = (struct opg_op){
                .name = "op",
                .fixed_s = 1e-5 * rng_uniform(&r),
                .per_byte_s = 1e-8 * rng_exponential(&r),
                .per_element_s = 1e-8 * rng_exponential(&r),
                .bytes_ratio = rng_lognormal(&r, 1, 1),
                .elements_ratio = rng_lognormal(&r, 1, 1),
                .keep_frac = rng_uniform(&r) < 0.3 ? 0.5 : 1,
                .after = (uint32_t)rng_below(&r, 4) == 0 && i > 0 ? 1u << rng_below(&r, (uint64_t)i) : 0};
        found = opg_best_order(&g, order);
        permute(&g, all, 0, &best);
        cr_expect_float_eq(found, best, 1e-12 * best, "seed %d: %g, not %g", (int)seed, found, best);
    }
}

Test(opgraph, fused_neighbours_save_a_call_and_a_copy)
{
    struct opg g = image();

    g.call_s = 1e-4;
    g.copy_byte_s = 1e-10;
    /* cast, crop, gray are one call: two calls and the copies of 2.4 MB and 0.6 MB are saved */
    cr_expect_float_eq(opg_cost_s(&g, given, false) - opg_cost_s(&g, given, true), 2e-4 + 2.4e-4 + 0.6e-4,
                       1e-12);
}

static const struct opg_cache disk = {.items = 1000,
                                      .capacity_bytes = INFINITY,
                                      .source_byte_s = 1e-8,
                                      .cache_byte_s = 4e-9,
                                      .cores = 1,
                                      .fetches = 1};

Test(opgraph, nothing_random_is_cached)
{
    struct opg g = image();

    cr_expect_eq(opg_cacheable(&g, given), 2);
    cr_expect(isinf(opg_cache_epoch_s(&g, given, &disk, 3)));
    cr_expect(isfinite(opg_cache_epoch_s(&g, given, &disk, 2)));
}

/* Cachew's figure 8 in small: the same pipeline with ever dearer operators.  While reading is the bottleneck
 * the source is kept; when work takes longer than reading from afar nothing need be kept; when it takes
 * longer than reading the inflated result, that is. */
Test(opgraph, what_to_cache_follows_the_bottleneck)
{
    struct opg g = {.n = 1,
                    .bytes = 1e6,
                    .elements = 1e6,
                    .op = {{.name = "decode", .bytes_ratio = 2.5, .elements_ratio = 2.5, .keep_frac = 1}}};
    struct opg_cache c = disk;
    int order[] = {0};

    c.source_byte_s = 1 / 100e6; /* 10 ms an item from afar; 2.5 MB of results take 11.25 ms */
    c.cache_byte_s = 4.5e-9;
    g.op[0].fixed_s = 5e-3;
    cr_expect_eq(opg_best_cache(&g, order, &c), 0);
    g.op[0].fixed_s = 10.5e-3;
    cr_expect_eq(opg_best_cache(&g, order, &c), -1);
    g.op[0].fixed_s = 12e-3;
    cr_expect_eq(opg_best_cache(&g, order, &c), 1);
    c.capacity_bytes = 2e9; /* too small for 2.5 GB of results */
    cr_expect_eq(opg_best_cache(&g, order, &c), -1);
}

Test(opgraph, offloading_pays_until_sending_does_not)
{
    struct opg g = image();
    struct opg_offload o = {
        .local_cores = 2, .remote_cores = 8, .remote_speed = 1, .rpc_s = 1e-4, .send_byte_s = 1e-10};
    double at_home = opg_offload_rate(&g, given, &o, 0, 0, false);
    int from, to;

    cr_expect_float_eq(at_home, 2 / opg_cost_s(&g, given, false), 1e-9);
    opg_best_offload(&g, given, &o, false, &from, &to);
    cr_expect_lt(from, to);
    cr_expect_gt(opg_offload_rate(&g, given, &o, from, to, false), 1.5 * at_home);
    o.send_byte_s = 1e-6;
    opg_best_offload(&g, given, &o, false, &from, &to);
    cr_expect_eq(from, to);
    o.send_byte_s = 0;
    o.nic_bytes_per_s = 1e5; /* one item a second */
    cr_expect_float_eq(opg_offload_rate(&g, given, &o, 0, 4, false), 1 / 2., 0.01);
}

Test(opgraph, hardware_threads_are_not_cores)
{
    cr_expect_eq(smt_capacity(3, 8, 2, 1.25), 3);
    cr_expect_eq(smt_capacity(8, 8, 2, 1.25), 5);
    cr_expect_eq(smt_capacity(20, 8, 2, 1.25), 5);
    cr_expect_eq(smt_capacity(8, 8, 1, 1.25), 8);
    for (double n = 0.5; n <= 8; n += 0.5)
        cr_expect_float_eq(smt_threads_for(smt_capacity(n, 8, 2, 1.3), 8, 2, 1.3), n, 1e-9);
    cr_expect(isinf(smt_threads_for(5.1, 8, 2, 1.25)));
}
