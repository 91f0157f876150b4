#include "executor/vision_work.h"

#include "base/arena.h"
#include "executor/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------ setup */

/* Runs of neighbours in a new order every epoch. */
static void shuffle(long *order, long n, uint64_t seed, long epoch)
{
    struct rng r;

    rng_keyed(&r, seed, 0, rng_hash("executor.image_order"), (uint64_t)epoch, 0);
    for (long i = 0; i < n; i++) {
        long k = (long)rng_below(&r, (uint64_t)i + 1);

        order[i] = order[k];
        order[k] = i;
    }
}

void vision_setup_init(struct vision_setup *s, const struct vision_plan *plan, const struct jpegs *set)
{
    const struct image_loader_cfg *c = &plan->load;

    *s = (struct vision_setup){
        .plan = *plan, .set = set, .runs = c->images / c->run, .batches = c->images / c->batch};
    image_cache_init(&s->cache, c, set);
    s->order = xcalloc((size_t)(s->runs * plan->epochs), sizeof *s->order);
    for (long e = 0; e < plan->epochs; e++)
        shuffle(s->order + e * s->runs, s->runs, plan->seed, e);
}

void vision_setup_fini(struct vision_setup *s)
{
    image_cache_fini(&s->cache);
    free(s->order);
}

void vision_variant(const struct vision_setup *s, enum vision_stage stage, char *buf, size_t size)
{
    const struct image_loader_cfg *c = &s->plan.load;

    if (stage == VISION_TRAIN) {
        snprintf(buf, size, "%s", conv_kernel_names[s->plan.train.conv]);
        return;
    }
    snprintf(buf, size, "%s", image_decode_names[c->decode]);
    for (int i = 0; i + 1 < c->chain_n; i++) {
        size_t used = strlen(buf);

        snprintf(buf + used, size - used, "/%s", image_op_names[c->chain[i]]);
    }
}

void image_batch_init(struct image_batch *b, const struct image_loader_cfg *c)
{
    size_t plane = (size_t)c->output * (size_t)c->output;

    b->planes = memory_new((size_t)c->batch * IMAGE_CHANNELS * plane * sizeof(float));
    b->labels = memory_new((size_t)c->batch * sizeof(int32_t));
}

void image_batch_fini(struct image_batch *b)
{
    free(b->planes);
    free(b->labels);
}

/* ------------------------------------------------------------------------------------ the loader */

int load_worker_init(struct load_worker *w, struct vision_setup *s, struct span_buf *spans, bool *direct,
                     struct err *err)
{
    size_t largest =
        (size_t)s->set->largest_width * (size_t)s->set->largest_height * IMAGE_CHANNELS * sizeof(float);

    *w = (struct load_worker){.setup = s, .spans = spans, .decoder = jpeg_decoder_new()};
    w->now.data = memory_new(largest);
    w->other.data = memory_new(largest);
    resizer_init(&w->resizer, (int)s->plan.load.output);
    return jpeg_reader_open(&w->reader, s->set, s->plan.load.run, direct, err);
}

void load_worker_fini(struct load_worker *w)
{
    jpeg_reader_close(&w->reader);
    jpeg_decoder_free(w->decoder);
    resizer_fini(&w->resizer);
    free(w->now.data);
    free(w->other.data);
}

/* What chance has in store for one image in one epoch. */
struct augment {
    double width, height; /* shares of the photograph's */
    double x, y;          /* place of the crop, 0 .. 1 of what there is room for */
    bool flip;
};

static struct augment augment_of(const struct vision_setup *s, long image, long epoch)
{
    const struct image_loader_cfg *c = &s->plan.load;
    struct augment g;
    struct rng r;
    double area, most, aspect;

    rng_keyed(&r, s->plan.seed, (uint32_t)epoch, rng_hash("executor.augment"), (uint64_t)image, 0);
    area = c->crop_min + (c->crop_max - c->crop_min) * rng_uniform(&r);
    most = fmin(log(IMAGE_ASPECT), -log(area));
    aspect = exp(most * (2 * rng_uniform(&r) - 1));
    g.width = sqrt(area * aspect);
    g.height = sqrt(area / aspect);
    g.x = rng_uniform(&r);
    g.y = rng_uniform(&r);
    g.flip = rng_uniform(&r) < 0.5;
    return g;
}

static int share_of(double share, int whole)
{
    int n = (int)lround(share * whole);

    return n < 1 ? 1 : n > whole ? whole : n;
}

/* In an image of this size, whatever it has been reduced to. */
static struct jpeg_region region_of(const struct augment *g, int width, int height)
{
    struct jpeg_region r = {.width = share_of(g->width, width), .height = share_of(g->height, height)};

    r.left = (int)(g->x * (width - r.width + 1));
    r.top = (int)(g->y * (height - r.height + 1));
    return r;
}

static void swap(struct load_worker *w)
{
    struct image kept = w->now;

    w->now = w->other;
    w->other = kept;
}

static double pixels_of(const struct image *i)
{
    return (double)i->width * i->height;
}

static void operator_begin(struct load_worker *w)
{
    span_begin(w->spans);
}

static void operator_end(struct load_worker *w, int op, long image, double items, double bytes)
{
    span_end(w->spans, image_op_names[op], image, items, bytes, NAN);
}

static int decode_region(struct load_worker *w, long image, const unsigned char *file,
                         const struct augment *g, struct err *err)
{
    const struct jpeg_entry *e = &w->setup->set->entry[image];
    struct jpeg_region r = region_of(g, e->width, e->height);
    double transformed = 0;
    int rc;

    operator_begin(w);
    rc = jpeg_decode_region(w->decoder, file, e->size, &r, w->now.data, &transformed, err);
    operator_end(w, IMAGE_DECODE_REGION, image, transformed,
                 (double)e->size * (r.top + r.height) / e->height);
    w->now.width = r.width;
    w->now.height = r.height;
    return rc;
}

static int decode(struct load_worker *w, long image, const unsigned char *file, const struct augment *g,
                  struct err *err)
{
    const struct jpeg_entry *e = &w->setup->set->entry[image];
    int how = w->setup->plan.load.decode, reduction = (int)image_reduction(how), rc;

    w->now.floats = false;
    if (how == DECODE_REGION)
        return decode_region(w, image, file, g, err);
    operator_begin(w);
    rc = jpeg_decode(w->decoder, file, e->size, reduction, w->now.data, err);
    operator_end(w, IMAGE_DECODE + how, image, (double)e->width * e->height, e->size);
    w->now.width = (e->width + reduction - 1) / reduction;
    w->now.height = (e->height + reduction - 1) / reduction;
    return rc;
}

/* Keeps bytes that were made just now, if the image has a place and nobody else keeps it. */
static void store(struct load_worker *w, long image, const void *bytes)
{
    struct image_cache *k = &w->setup->cache;
    size_t size;
    unsigned char *place = image_cache_claim(k, image, &size);

    if (place == NULL)
        return;
    operator_begin(w);
    memcpy(place, bytes, size);
    operator_end(w, IMAGE_STORE, image, NAN, (double)size);
    image_cache_filled(k, image);
}

static void recall(struct load_worker *w, long image, const unsigned char *kept)
{
    const struct jpeg_entry *e = &w->setup->set->entry[image];
    int reduction = (int)image_reduction(w->setup->plan.load.decode);

    w->now.width = (e->width + reduction - 1) / reduction;
    w->now.height = (e->height + reduction - 1) / reduction;
    w->now.floats = false;
    operator_begin(w);
    memcpy(w->now.data, kept, image_bytes(&w->now));
    operator_end(w, IMAGE_RECALL, image, NAN, (double)image_bytes(&w->now));
}

/* From the cache or the file to decoded pixels. */
static int fetch(struct load_worker *w, long image, const struct augment *g, struct err *err)
{
    int cache = w->setup->plan.load.cache;
    const unsigned char *kept = image_cache_find(&w->setup->cache, image);
    const unsigned char *file = kept != NULL ? kept : jpeg_reader_file(&w->reader, image);

    if (kept != NULL && cache == IMAGE_CACHE_DECODED) {
        recall(w, image, kept);
        return 0;
    }
    if (kept == NULL && cache == IMAGE_CACHE_SOURCE)
        store(w, image, file);
    TRY(decode(w, image, file, g, err));
    if (cache == IMAGE_CACHE_DECODED)
        store(w, image, w->now.data);
    return 0;
}

static void crop(struct load_worker *w, long image, const struct augment *g)
{
    struct jpeg_region r = region_of(g, w->now.width, w->now.height);

    operator_begin(w);
    pixels_crop(&w->now, r.left, r.top, r.width, r.height, &w->other);
    swap(w);
    operator_end(w, IMAGE_CROP, image, NAN, (double)image_bytes(&w->now));
}

static void resize(struct load_worker *w, int op, long image)
{
    int output = (int)w->setup->plan.load.output;
    double pixels = pixels_of(&w->now), rows = w->now.height;

    operator_begin(w);
    pixels_resize(&w->resizer, &w->now, output, output, &w->other);
    swap(w);
    operator_end(w, op, image, pixels, rows * output * IMAGE_CHANNELS * sizeof(float));
}

static void flip(struct load_worker *w, long image, const struct augment *g)
{
    if (!g->flip)
        return;
    operator_begin(w);
    pixels_flip(&w->now);
    operator_end(w, IMAGE_FLIP, image, pixels_of(&w->now), (double)image_bytes(&w->now));
}

static void convert(struct load_worker *w, int op, long image)
{
    operator_begin(w);
    if (op == IMAGE_NORMALIZE) {
        pixels_normalize(&w->now);
    } else {
        if (op == IMAGE_CONVERT)
            pixels_convert(&w->now, &w->other);
        else
            pixels_convert_normalize(&w->now, &w->other);
        swap(w);
    }
    operator_end(w, op, image, IMAGE_CHANNELS * pixels_of(&w->now), NAN);
}

static void collate(struct load_worker *w, long image, long place, struct image_batch *out)
{
    size_t values = (size_t)IMAGE_CHANNELS * (size_t)pixels_of(&w->now);

    operator_begin(w);
    pixels_collate(&w->now, out->planes + (size_t)place * values);
    out->labels[place] = w->setup->set->entry[image].label;
    operator_end(w, IMAGE_COLLATE, image, (double)values, NAN);
}

static void transform(struct load_worker *w, int op, long image, long place, const struct augment *g,
                      struct image_batch *out)
{
    switch (op) {
    case IMAGE_CROP:
        crop(w, image, g);
        break;
    case IMAGE_RESIZE_BYTES:
    case IMAGE_RESIZE_FLOATS:
        resize(w, op, image);
        break;
    case IMAGE_FLIP:
        flip(w, image, g);
        break;
    case IMAGE_COLLATE:
        collate(w, image, place, out);
        break;
    default:
        convert(w, op, image);
    }
}

static bool all_kept(struct vision_setup *s, long first)
{
    for (long i = first; i < first + s->plan.load.run; i++)
        if (image_cache_find(&s->cache, i) == NULL)
            return false;
    return true;
}

static int read_run(struct load_worker *w, long first, struct err *err)
{
    double bytes;

    operator_begin(w);
    TRY(jpeg_reader_read(&w->reader, first, w->setup->plan.load.run, &bytes, err));
    operator_end(w, IMAGE_READ, first, 1, bytes);
    w->read_bytes += bytes;
    return 0;
}

static int load_image(struct load_worker *w, long image, long epoch, long place, struct image_batch *out,
                      struct err *err)
{
    const struct image_loader_cfg *c = &w->setup->plan.load;
    struct augment g = augment_of(w->setup, image, epoch);

    if (fetch(w, image, &g, err) != 0)
        return err_at(err, "%s, image %ld", w->setup->set->path, image);
    for (int i = 0; i < c->chain_n; i++)
        transform(w, c->chain[i], image, place, &g, out);
    return 0;
}

int load_worker_run(struct load_worker *w, uint64_t sequence, struct image_batch *out, struct err *err)
{
    struct vision_setup *s = w->setup;
    const struct image_loader_cfg *c = &s->plan.load;
    long epoch = (long)sequence / s->batches, runs = c->batch / c->run;
    const long *order = s->order + epoch * s->runs + (long)sequence % s->batches * runs;

    out->sequence = sequence;
    for (long k = 0; k < runs; k++) {
        long first = order[k] * c->run;

        if (!all_kept(s, first))
            TRY(read_run(w, first, err));
        for (long i = 0; i < c->run; i++)
            TRY(load_image(w, first + i, epoch, k * c->run + i, out, err));
    }
    return 0;
}

/* ------------------------------------------------------------------------------------ the trainer */

void step_worker_init(struct step_worker *w, const struct vision_plan *plan, long largest_batch,
                      struct span_buf *spans)
{
    *w = (struct step_worker){.spans = spans, .conv = plan->train.conv};
    w->net = convnet_new(&plan->train, plan->load.output, plan->load.classes, largest_batch, plan->seed);
}

void step_worker_fini(struct step_worker *w)
{
    convnet_free(w->net);
}

double step_worker_run(struct step_worker *w, const struct image_batch *b, long count)
{
    bool gemm = w->conv == CONV_GEMM;
    int64_t item = (int64_t)b->sequence;
    double items, loss;

    span_begin(w->spans);
    items = convnet_forward(w->net, b->planes, b->labels, count);
    span_end(w->spans, conv_op_names[gemm ? CONV_FORWARD_GEMM : CONV_FORWARD_DIRECT], item, items, NAN, NAN);
    span_begin(w->spans);
    items = convnet_head(w->net, &loss);
    span_end(w->spans, conv_op_names[CONV_HEAD], item, items, NAN, NAN);
    span_begin(w->spans);
    items = convnet_backward(w->net);
    span_end(w->spans, conv_op_names[gemm ? CONV_BACKWARD_GEMM : CONV_BACKWARD_DIRECT], item, items, NAN,
             NAN);
    span_begin(w->spans);
    items = convnet_update(w->net);
    span_end(w->spans, conv_op_names[CONV_UPDATE], item, items, NAN, NAN);
    return loss;
}
