/*
 * vision_profile.c - the operators of the vision path alone, in every setting of the switches.
 *
 * Photographs differ in size by nature, so a few batches hold all sizes.  Every
 * setting runs the whole chain on one thread, image by image, as a worker does:
 * what an operator finds in the cache is what the one before it left there.
 */
#include "executor/vision_work.h"

#include "base/arena.h"
#include "engine/rng.h"
#include "executor/cores.h"
#include "executor/memory.h"
#include "models/model.h"

#include <stdlib.h>

/* One way to run the chain; the order of the operators as a scenario writes it. */
struct setting {
    int decode, cache;
    bool fuse;
    const char *ops;
};

#define BYTES_FIRST  "[\"crop\", \"resize\", \"flip\", \"convert\", \"normalize\"]"
#define FLOATS_FIRST "[\"convert\", \"normalize\", \"crop\", \"resize\", \"flip\"]"
#define CROP_FIRST   "[\"crop\", \"convert\", \"normalize\", \"resize\", \"flip\"]"
#define FLIP_FIRST   "[\"flip\", \"crop\", \"resize\", \"convert\", \"normalize\"]"

static const struct setting settings[] = {{DECODE_FULL, IMAGE_CACHE_NONE, false, BYTES_FIRST},
                                          {DECODE_FULL, IMAGE_CACHE_NONE, false, FLOATS_FIRST},
                                          {DECODE_FULL, IMAGE_CACHE_NONE, true, FLOATS_FIRST},
                                          {DECODE_FULL, IMAGE_CACHE_NONE, true, BYTES_FIRST},
                                          {DECODE_FULL, IMAGE_CACHE_NONE, false, CROP_FIRST},
                                          {DECODE_FULL, IMAGE_CACHE_NONE, false, FLIP_FIRST},
                                          {DECODE_HALF, IMAGE_CACHE_NONE, false, BYTES_FIRST},
                                          {DECODE_HALF, IMAGE_CACHE_NONE, false, FLOATS_FIRST},
                                          {DECODE_QUARTER, IMAGE_CACHE_NONE, false, BYTES_FIRST},
                                          {DECODE_REGION, IMAGE_CACHE_NONE, false, BYTES_FIRST},
                                          {DECODE_REGION, IMAGE_CACHE_NONE, true, FLOATS_FIRST},
                                          {DECODE_FULL, IMAGE_CACHE_DECODED, false, BYTES_FIRST},
                                          {DECODE_HALF, IMAGE_CACHE_DECODED, false, BYTES_FIRST},
                                          {DECODE_FULL, IMAGE_CACHE_SOURCE, false, BYTES_FIRST}};
enum { SETTINGS = sizeof settings / sizeof *settings };

enum { BATCHES = 2, CORES_REPEATS = 8, STEPS = 3, DISK_SIZES = 7, DISK_REPEATS = 10, DECODED = 8 };

struct bench {
    const struct vision_plan *plan;
    struct span_log *log;
    const struct jpegs *set;
    struct span_buf *load, *train, *quiet;
    struct progress *progress;
};

/* The plan in one setting; false where it makes no sense for these photographs: a quarter of small ones, say.
 */
static bool choose(const struct bench *b, const struct setting *t, struct arena *a, struct vision_plan *out)
{
    const struct model *m = model_find("image_loader");
    struct model_env env = {.where = "profile", .arena = a};
    struct err ignored = {0};
    struct json *ops;

    *out = *b->plan;
    ASSERT(json_parse(t->ops, "profile", &ops, &ignored) == 0);
    out->epochs = 2;
    out->load.ops = ops;
    out->load.decode = t->decode;
    out->load.cache = t->cache;
    out->load.cache_bytes = t->cache == IMAGE_CACHE_NONE ? 0 : 1e18;
    out->load.fuse = t->fuse;
    out->load.run = out->load.run < out->load.batch ? out->load.run : out->load.batch;
    ASSERT(m->check(&out->load, &env, &ignored) == 0 || ignored.code == ERR_SCENARIO);
    json_free(ops);
    out->load.ops = NULL;
    return ignored.code == 0;
}

/* The first batches of an epoch; with a cache, the same once more from there. */
static int load_some(struct vision_setup *s, struct load_worker *w, struct image_batch *batch, long from,
                     long n, struct err *err)
{
    for (long i = 0; i < n; i++)
        TRY(load_worker_run(w, (uint64_t)(from + i % s->batches), batch, err));
    return 0;
}

static int with_worker(struct bench *b, struct vision_setup *s, struct image_batch *batch, struct err *err)
{
    long n = s->batches < BATCHES ? s->batches : BATCHES;
    bool direct = s->plan.load.direct, cached = s->plan.load.cache != IMAGE_CACHE_NONE;
    struct load_worker w;
    char variant[200];
    int rc;

    vision_variant(s, VISION_LOAD, variant, sizeof variant);
    b->load->variant = span_log_keep(b->log, variant);
    rc = load_worker_init(&w, s, b->load, &direct, err);
    if (rc == 0 && !cached) {
        b->load->quiet = true; /* warms up */
        rc = load_some(s, &w, batch, 0, 1, err);
        b->load->quiet = false;
    }
    /* A cache as large as the data set is filled, so that recalling finds it as cold as a real one. */
    if (rc == 0)
        rc = load_some(s, &w, batch, 0, cached ? s->batches : n, err);
    if (rc == 0 && cached)
        rc = load_some(s, &w, batch, s->batches, 2 * n, err);
    load_worker_fini(&w);
    return rc;
}

static int profile_setting(struct bench *b, const struct setting *t, struct err *err)
{
    struct arena *a = arena_new();
    struct vision_plan p;
    struct vision_setup s;
    struct image_batch batch;
    int rc = 0;

    if (choose(b, t, a, &p)) {
        vision_setup_init(&s, &p, b->set);
        image_batch_init(&batch, &p.load);
        rc = with_worker(b, &s, &batch, err);
        image_batch_fini(&batch);
        vision_setup_fini(&s);
    }
    arena_free(a);
    return rc;
}

/* ------------------------------------------------------------------------------------ training */

/* One kind of convolution on the first `count` images of a batch. */
static void train_some(struct bench *b, const struct vision_plan *p, const struct image_batch *batch,
                       long count)
{
    struct step_worker w;

    b->train->variant = conv_kernel_names[p->train.conv];
    step_worker_init(&w, p, count, b->train);
    b->train->quiet = true;
    step_worker_run(&w, batch, count);
    b->train->quiet = false;
    for (int i = 0; i < STEPS; i++)
        step_worker_run(&w, batch, count);
    step_worker_fini(&w);
}

/* From half of the plan's batch to four times as many, as far as there are images. */
static int profile_training(struct bench *b, struct err *err)
{
    static const long halves[] = {1, 2, 4, 8};
    struct vision_plan p = *b->plan;
    long usual = p.load.batch;
    struct vision_setup s;
    struct load_worker w;
    struct image_batch batch;
    bool direct = p.load.direct;
    int rc;

    while (p.load.batch < 4 * usual && p.load.images % (2 * p.load.batch) == 0)
        p.load.batch *= 2;
    vision_setup_init(&s, &p, b->set);
    image_batch_init(&batch, &p.load);
    rc = load_worker_init(&w, &s, b->quiet, &direct, err);
    if (rc == 0)
        rc = load_worker_run(&w, 0, &batch, err);
    for (int conv = CONV_DIRECT; conv <= CONV_GEMM && rc == 0; conv++)
        for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
            long count = usual * halves[i] / 2;

            p.train.conv = conv;
            if (count > 0 && count <= p.load.batch)
                train_some(b, &p, &batch, count);
        }
    load_worker_fini(&w);
    image_batch_fini(&batch);
    vision_setup_fini(&s);
    return rc;
}

/* ------------------------------------------------------------------------------------ cores and disk */

struct lane {
    struct vision_setup setup;
    struct load_worker load;
    struct step_worker step;
    struct image_batch batch;
    struct span_buf *unseen;
};

static int lane_open(void *ctx, void *lane, struct err *err)
{
    const struct bench *b = ctx;
    struct lane *l = lane;
    bool direct = b->plan->load.direct;

    vision_setup_init(&l->setup, b->plan, b->set);
    l->unseen = span_log_thread(NULL, "", 0);
    image_batch_init(&l->batch, &b->plan->load);
    step_worker_init(&l->step, b->plan, b->plan->load.batch, l->unseen);
    TRY(load_worker_init(&l->load, &l->setup, l->unseen, &direct, err));
    TRY(load_worker_run(&l->load, 0, &l->batch, err)); /* warms up */
    step_worker_run(&l->step, &l->batch, b->plan->load.batch);
    return 0;
}

static void lane_close(void *lane)
{
    struct lane *l = lane;

    load_worker_fini(&l->load);
    step_worker_fini(&l->step);
    image_batch_fini(&l->batch);
    vision_setup_fini(&l->setup);
    span_buf_free(l->unseen);
}

static int lane_part(void *lane, int part, struct err *err)
{
    struct lane *l = lane;

    if (part == VISION_LOAD)
        return load_worker_run(&l->load, 0, &l->batch, err);
    step_worker_run(&l->step, &l->batch, l->setup.plan.load.batch);
    return 0;
}

static int profile_cores(struct bench *b, struct err *err)
{
    struct cores_work work = {.ctx = b,
                              .size = sizeof(struct lane),
                              .parts = VISION_STAGES,
                              .open = lane_open,
                              .part = lane_part,
                              .close = lane_close};

    return cores_measure(&work, CORES_REPEATS, b->log, err);
}

/* What goes on between two reads of a real run. */
static int decode_some(const struct bench *b, const struct jpeg_reader *r, struct jpeg_decoder *d, long first,
                       long n, unsigned char *rgb, struct err *err)
{
    for (long i = first; i < first + (n < DECODED ? n : DECODED); i++)
        TRY(jpeg_decode(d, jpeg_reader_file(r, i), b->set->entry[i].size, 1, rgb, err));
    return 0;
}

static int read_anywhere(const struct bench *b, struct jpeg_reader *r, struct jpeg_decoder *d,
                         unsigned char *rgb, struct err *err)
{
    struct span_buf *spans = span_log_thread(b->log, "disk", 0);
    struct rng rng;

    rng_stream(&rng, b->plan->seed, 0, "executor.profile_disk");
    spans->variant = r->direct ? "direct" : "buffered";
    for (int i = 0; i < DISK_REPEATS * DISK_SIZES; i++) {
        long n = 1L << i % DISK_SIZES, first;
        double bytes;

        if (n > b->set->n)
            continue;
        first = (long)rng_below(&rng, (uint64_t)(b->set->n - n + 1));
        span_begin(spans);
        TRY(jpeg_reader_read(r, first, n, &bytes, err));
        span_end(spans, "disk_read", i, 1, bytes, bytes);
        TRY(decode_some(b, r, d, first, n, rgb, err));
    }
    return 0;
}

/*
 * Runs of 1, 2, 4 .. images, anywhere in the data set, with decoding in between as in a real run: a disk that
 * idled answers later, and files that lie there for long are read slower than what was written just now.
 */
static int profile_disk(const struct bench *b, struct err *err)
{
    unsigned char *rgb =
        memory_new((size_t)b->set->largest_width * (size_t)b->set->largest_height * IMAGE_CHANNELS);
    struct jpeg_decoder *d = jpeg_decoder_new();
    bool direct = b->plan->load.direct;
    struct jpeg_reader r;
    int rc = jpeg_reader_open(&r, b->set, 1L << (DISK_SIZES - 1), &direct, err);

    if (rc == 0)
        rc = read_anywhere(b, &r, d, rgb, err);
    jpeg_reader_close(&r);
    jpeg_decoder_free(d);
    free(rgb);
    return rc;
}

/* ------------------------------------------------------------------------------------ everything */

static int profile_all(struct bench *b, struct err *err)
{
    for (int i = 0; i < SETTINGS; i++) {
        progress_step(b->progress, i, NULL);
        TRY(profile_setting(b, &settings[i], err));
    }
    TRY(profile_training(b, err));
    TRY(profile_cores(b, err));
    return profile_disk(b, err);
}

int vision_profile(const struct vision_plan *plan, const struct exec_options *opt, struct span_log *log,
                   struct err *err)
{
    struct bench b = {.plan = plan, .log = log, .progress = opt->progress};
    struct jpegs set;
    int rc;

    TRY(jpegs_open(&plan->load, plan->seed, opt->folder, &set, err));
    b.set = &set;
    b.load = span_log_thread(log, plan->stage_names[VISION_LOAD], 0);
    b.train = span_log_thread(log, plan->stage_names[VISION_TRAIN], 0);
    b.quiet = span_log_thread(NULL, "", 0);
    span_log_start(log);
    progress_begin(opt->progress, "profile", SETTINGS);
    rc = profile_all(&b, err);
    progress_end(opt->progress);
    span_buf_free(b.quiet);
    jpegs_close(&set);
    return rc;
}
