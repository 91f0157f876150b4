/*
 * The models of the vision path: pixels flow through the chain, and what an operator costs follows from them.
 */
#include "models/image_training.h"
#include "models/images.h"
#include "models/model.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static struct arena *a;
static struct err err;

static void begin(void)
{
    a = arena_new();
}

static void end(void)
{
    arena_free(a);
}

TestSuite(images, .init = begin, .fini = end);

/* The parameters of a loader of two images a batch, 400 x 300 pixels each. */
static int load(const char *more, struct image_loader_cfg *c)
{
    const struct model *m = model_find("image_loader");
    struct model_env env = {.where = "$", .arena = a};
    char *text = arena_printf(a, "{\"batch\": 2, \"side_min\": 400%s%s%s%s}",
                              strstr(more, "images\"") == NULL ? ", \"images\": 8" : "",
                              strstr(more, "run\"") == NULL ? ", \"run\": 2" : "",
                              strstr(more, "side_max\"") == NULL ? ", \"side_max\": 400" : "", more);
    struct json *v;

    cr_assert_eq(json_parse(text, "test", &v, &err), 0, "%s", err.text);
    memset(c, 0, sizeof *c);
    TRY(param_load(m->params, v, "$", a, c, &err));
    return m->check(c, &env, &err);
}

/* Seconds of one operator in the demand of a batch. */
static double seconds(const struct image_loader_cfg *c, int op, uint64_t sequence)
{
    struct item in = {.count = 2, .rows = 2, .sequence = sequence}, leave = in;
    struct demand d = {0};
    double sum = 0;

    model_find("image_loader")->demand(c, &in, NULL, &d, &leave);
    for (int i = 0; i < d.n; i++)
        if (d.phases[i].op == op && d.phases[i].role == ROLE_CPU)
            sum += d.phases[i].amount;
    return sum;
}

#define NORMALIZE_COSTS                                                                                      \
    ", \"crop_min\": 0.5, \"crop_max\": 0.5, \"costs\": {\"normalize\": {\"per_item\": \"1ns\"}}"

Test(images, an_operator_behind_the_crop_sees_fewer_pixels)
{
    struct image_loader_cfg c;

    cr_assert_eq(
        load(NORMALIZE_COSTS ", \"ops\": [\"convert\", \"normalize\", \"crop\", \"resize\", \"flip\"]", &c),
        0, "%s", err.text);
    cr_expect_float_eq(seconds(&c, IMAGE_NORMALIZE, 0), 2 * 400 * 300 * 3 * 1e-9, 1e-12);
    cr_assert_eq(
        load(NORMALIZE_COSTS ", \"ops\": [\"crop\", \"convert\", \"normalize\", \"resize\", \"flip\"]", &c),
        0);
    cr_expect_float_eq(seconds(&c, IMAGE_NORMALIZE, 0), 400 * 300 * 3 * 1e-9, 1e-12);
    cr_assert_eq(
        load(NORMALIZE_COSTS ", \"ops\": [\"crop\", \"resize\", \"flip\", \"convert\", \"normalize\"]", &c),
        0);
    cr_expect_float_eq(seconds(&c, IMAGE_NORMALIZE, 0), 2 * 64 * 64 * 3 * 1e-9, 1e-12);
}

Test(images, half_as_large_each_way_is_a_quarter_of_the_pixels)
{
    struct image_loader_cfg c;

    cr_assert_eq(
        load(", \"decode\": \"half\", \"crop_min\": 0.5, \"crop_max\": 0.5, \"costs\": {\"resize_bytes\": "
             "{\"per_item\": \"1ns\"}}",
             &c),
        0, "%s", err.text);
    cr_expect_float_eq(seconds(&c, IMAGE_RESIZE_BYTES, 0), 2 * 200 * 150 * 0.5 * 1e-9, 1e-12);
}

Test(images, a_cache_of_decoded_images_is_filled_once_and_spares_later_epochs)
{
    struct image_loader_cfg c;

    cr_assert_eq(
        load(", \"cache\": \"decoded\", \"cache_bytes\": \"1.44MB\", \"costs\": {\"decode\": {\"fixed\": "
             "\"1ms\"}, \"store\": {\"fixed\": \"1ms\"}, \"recall\": {\"fixed\": \"1ms\"}}",
             &c),
        0, "%s", err.text);
    cr_expect_float_eq(images_kept_frac(&c), 0.5, 1e-12);
    cr_expect_float_eq(seconds(&c, IMAGE_DECODE, 3), 2e-3, 1e-9);
    cr_expect_float_eq(seconds(&c, IMAGE_STORE, 3), 1e-3, 1e-9);
    cr_expect_float_eq(seconds(&c, IMAGE_RECALL, 3), 0, 1e-9);
    cr_expect_float_eq(seconds(&c, IMAGE_DECODE, 4), 1e-3, 1e-9);
    cr_expect_float_eq(seconds(&c, IMAGE_STORE, 4), 0, 1e-9);
    cr_expect_float_eq(seconds(&c, IMAGE_RECALL, 4), 1e-3, 1e-9);
}

/* Draws by the rule of the header, averaged. */
Test(images, the_mean_crop_is_that_of_its_draws)
{
    struct image_loader_cfg c;
    double side = 0, area = 0;
    enum { DRAWS = 200000 };
    struct rng r;

    cr_assert_eq(load("", &c), 0, "%s", err.text);
    rng_keyed(&r, 1, 2, 3, 4, 5);
    for (int i = 0; i < DRAWS; i++) {
        double s = c.crop_min + (c.crop_max - c.crop_min) * rng_uniform(&r);
        double m = fmin(log(IMAGE_ASPECT), -log(s)), aspect = exp(m * (2 * rng_uniform(&r) - 1));

        area += s / DRAWS;
        side += sqrt(s * aspect) / DRAWS;
    }
    cr_expect_float_eq(images_crop_area(&c), area, 2e-3);
    cr_expect_float_eq(images_crop_side(&c), side, 2e-3);
}

Test(images, the_mean_photograph_is_that_of_evenly_spread_sides)
{
    struct image_loader_cfg c = {.side_min = 400, .side_max = 640};
    double sum = 0, sum2 = 0;

    for (int i = 0; i < 24000; i++) {
        double side = 400 + (i + 0.5) / 100, pixels = 0.75 * side * side;

        sum += pixels / 24000;
        sum2 += pixels * pixels / 24000;
    }
    cr_expect_float_eq(images_pixels(&c), sum, 1e-3 * sum);
    cr_expect_float_eq(images_pixels_cv(&c), sqrt(sum2 / (sum * sum) - 1), 1e-3);
}

Test(images, what_cannot_be_is_refused)
{
    static const struct {
        const char *more, *says;
    } bad[] = {
        {", \"ops\": [\"crop\", \"resize\", \"flip\", \"normalize\", \"convert\"]", "comes after it"},
        {", \"ops\": [\"resize\", \"crop\", \"flip\", \"convert\", \"normalize\"]", "comes after crop"},
        {", \"ops\": [\"crop\", \"resize\"]", "all needed"},
        {", \"ops\": [\"crop\", \"crop\", \"flip\", \"convert\", \"normalize\"]", "needed once"},
        {", \"decode\": \"quarter\"", "blown up"},
        {", \"decode\": \"region\", \"cache\": \"decoded\"", "random crop"},
        {", \"images\": 9", "does not divide the 9 images"},
        {", \"run\": 4", "does not divide the batch"},
        {", \"side_max\": 300", "smaller than side_min"},
        {", \"crop_max\": 0.1", "smaller than crop_min"}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct image_loader_cfg c;

        cr_expect_eq(load(bad[i].more, &c), ERR_SCENARIO, "%s", bad[i].more);
        cr_expect(strstr(err.text, bad[i].says) != NULL, "%s: %s", bad[i].more, err.text);
    }
}

Test(images, a_step_multiplies_as_often_as_its_layers_say)
{
    struct image_training_cfg c = {.channels1 = 8, .channels2 = 16};

    cr_expect_eq(conv_forward_products(&c, 64 * 64), 64 * 64 * 27 * 8 + 32 * 32 * 72 * 16);
    cr_expect_eq(conv_backward_products(&c, 64 * 64), 64 * 64 * 27 * 8 + 2 * 32 * 32 * 72 * 16);
    cr_expect_eq(conv_weights(&c), 28 * 8 + 73 * 16);
}
