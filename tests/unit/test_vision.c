/*
 * The vision path executed: the losses of a training run are the same for any number of workers, with a cache
 * or without, and for every way to the same pixels.
 */
#include "executor/vision_work.h"

#include "base/arena.h"
#include "models/model.h"

#include "small_plan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { IMAGES = 24, BATCH = 4, EPOCHS = 2, STEPS = IMAGES / BATCH * EPOCHS };

static struct err err;
static struct arena *a;
static char *folder;

static void begin(void)
{
    if (jpeg_missing() != NULL)
        cr_skip_test("%s", jpeg_missing());
    a = arena_new();
    folder = small_folder();
}

static void end(void)
{
    arena_free(a);
    small_remove(folder);
}

TestSuite(vision, .init = begin, .fini = end);

/* A plan of small photographs; `more` are parameters of the loader. */
static struct vision_plan plan_of(const char *more)
{
    const struct model *m = model_find("image_loader");
    struct model_env env = {.where = "$", .arena = a};
    struct vision_plan p = {
        .train = {.conv = CONV_GEMM, .channels1 = 4, .channels2 = 5, .learning_rate = 0.1},
        .stage_names = {"load", "train"},
        .buffer = 2,
        .epochs = EPOCHS,
        .seed = 5};
    char *text =
        arena_printf(a,
                     "{\"images\": %d, \"batch\": %d, \"run\": 2, \"side_min\": 100, \"side_max\": 140, "
                     "\"output\": 16, \"crop_min\": 0.4%s}",
                     IMAGES, BATCH, more);
    struct json *v;

    cr_assert_eq(json_parse(text, "test", &v, &err), 0, "%s", err.text);
    cr_assert_eq(param_load(m->params, v, "$", a, &p.load, &err), 0, "%s", err.text);
    cr_assert_eq(m->check(&p.load, &env, &err), 0, "%s", err.text);
    return p;
}

static struct exec_outcome run(const char *more, double *losses)
{
    struct vision_plan p = plan_of(more);
    struct exec_options opt = {.folder = folder};
    struct exec_outcome out;

    cr_assert_eq(vision_run(&p, &opt, NULL, &out, losses, &err), 0, "%s", err.text);
    return out;
}

static void expect_same(const char *one, const char *other)
{
    double x[STEPS], y[STEPS];

    run(one, x);
    run(other, y);
    for (int i = 0; i < STEPS; i++)
        cr_expect_eq(x[i], y[i], "%s and %s: step %d: %.9g and %.9g", one, other, i, x[i], y[i]);
}

#define BYTES_FIRST  ", \"ops\": [\"crop\", \"resize\", \"flip\", \"convert\", \"normalize\"]"
#define CROP_FIRST   ", \"ops\": [\"crop\", \"flip\", \"convert\", \"normalize\", \"resize\"]"
#define FLOATS_FIRST ", \"ops\": [\"convert\", \"normalize\", \"crop\", \"flip\", \"resize\"]"

Test(vision, any_number_of_workers_makes_the_same_batches)
{
    expect_same("", ", \"workers\": 2");
    expect_same("", ", \"workers\": 3, \"prefetch\": 1");
    expect_same("", ", \"prefetch\": -1, \"workers\": 2");
}

Test(vision, what_was_kept_trains_as_what_was_made_anew)
{
    expect_same("", ", \"cache\": \"decoded\", \"cache_bytes\": \"1GB\"");
    expect_same("", ", \"cache\": \"decoded\", \"cache_bytes\": \"300kB\", \"workers\": 2");
    expect_same("", ", \"cache\": \"source\", \"cache_bytes\": \"1GB\"");
}

Test(vision, cropping_may_be_pulled_to_the_front_and_into_the_decoder)
{
    expect_same(FLOATS_FIRST, CROP_FIRST);
    expect_same(CROP_FIRST, CROP_FIRST ", \"decode\": \"region\"");
    expect_same(BYTES_FIRST, BYTES_FIRST ", \"decode\": \"region\"");
    expect_same(FLOATS_FIRST, FLOATS_FIRST ", \"fuse\": true");
}

/* Resizing bytes rounds them; half the resolution drops detail: close, and not the same. */
Test(vision, what_changes_the_pixels_changes_the_loss_a_little)
{
    double full[STEPS], bytes[STEPS], half[STEPS];

    run(FLOATS_FIRST, full);
    run(BYTES_FIRST, bytes);
    run(BYTES_FIRST ", \"decode\": \"half\"", half);
    cr_expect_neq(full[0], bytes[0]);
    cr_expect_float_eq(full[0], bytes[0], 1e-3);
    cr_expect_neq(half[0], bytes[0]);
    cr_expect_float_eq(half[0], bytes[0], 2e-2);
}

Test(vision, a_cache_saves_the_reading_of_later_epochs)
{
    double losses[STEPS];
    struct exec_outcome all = run(", \"direct\": false", losses);
    struct exec_outcome kept =
        run(", \"direct\": false, \"cache\": \"source\", \"cache_bytes\": \"1GB\"", losses);

    cr_expect_float_eq(all.stages[VISION_LOAD].disk_bytes, 2 * kept.stages[VISION_LOAD].disk_bytes, 0.5);
    cr_expect_not(all.cold);
    cr_expect_eq(all.units, IMAGES * EPOCHS);
    cr_expect_eq(all.stages[VISION_TRAIN].items_in, STEPS);
}

Test(vision, epochs_see_other_crops_of_the_same_images)
{
    struct vision_plan p = plan_of("");
    struct span_buf *spans = span_log_thread(NULL, "", 0);
    struct vision_setup s;
    struct load_worker w;
    struct image_batch b;
    struct jpegs set;
    long seen[EPOCHS][IMAGES] = {{0}};
    bool direct = false;

    cr_assert_eq(jpegs_open(&p.load, p.seed, folder, &set, &err), 0, "%s", err.text);
    vision_setup_init(&s, &p, &set);
    for (int e = 0; e < EPOCHS; e++)
        for (long k = 0; k < s.runs; k++)
            for (long i = 0; i < p.load.run; i++)
                seen[e][s.order[e * s.runs + k] * p.load.run + i]++;
    for (int i = 0; i < IMAGES; i++)
        cr_expect(seen[0][i] == 1 && seen[1][i] == 1, "image %d", i);
    cr_expect(memcmp(s.order, s.order + s.runs, (size_t)s.runs * sizeof *s.order) != 0);
    image_batch_init(&b, &p.load);
    cr_assert_eq(load_worker_init(&w, &s, spans, &direct, &err), 0, "%s", err.text);
    cr_assert_eq(load_worker_run(&w, 0, &b, &err), 0, "%s", err.text);
    load_worker_fini(&w);
    image_batch_fini(&b);
    vision_setup_fini(&s);
    span_buf_free(spans);
    jpegs_close(&set);
}

Test(vision, a_damaged_file_is_named_with_its_image)
{
    struct vision_plan p = plan_of(", \"workers\": 2");
    struct exec_options opt = {.folder = folder};
    struct exec_outcome out;
    struct jpegs set;
    FILE *f;

    cr_assert_eq(jpegs_open(&p.load, p.seed, folder, &set, &err), 0, "%s", err.text);
    f = fopen(set.path, "r+");
    cr_assert_neq(f, NULL);
    fseek(f, (long)set.entry[7].offset, SEEK_SET);
    fwrite("garbage", 1, 7, f);
    fclose(f);
    jpegs_close(&set);
    cr_expect_eq(vision_run(&p, &opt, NULL, &out, NULL, &err), ERR_FAILED);
    cr_expect(strstr(err.text, "image 7: libjpeg: ") != NULL, "%s", err.text);
}

/* What the model says of sizes, against the data set as it is: the executor counts real pixels and bytes. */
Test(vision, the_model_counts_as_the_kernels_do)
{
    struct vision_plan p = plan_of(BYTES_FIRST);
    struct jpegs set;
    double pixels = 0;

    cr_assert_eq(jpegs_open(&p.load, p.seed, folder, &set, &err), 0, "%s", err.text);
    for (long i = 0; i < set.n; i++)
        pixels += (double)set.entry[i].width * set.entry[i].height / (double)set.n;
    cr_expect_float_eq(pixels, images_pixels(&p.load), 0.02 * pixels);
    jpegs_close(&set);
}
