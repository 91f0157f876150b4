/*
 * image_loader.c - what it costs to turn photographs into a training batch.
 *
 * What flows through the chain is pixels, and bytes a pixel: decoding makes P / reduction^2 pixels of 3
 * bytes, a crop leaves its share of them, resize leaves output^2, convert makes 12 bytes of 3.  Each
 * operator's cost is that of one image, linear in what it counts (`ops` below); nothing else changes when
 * operators are reordered, fused or cached, or when decoding is scaled: the gains follow.
 *
 * With a cache, the images it keeps (the first so many of the data set) are read, decoded and stored in the
 * first epoch, and recalled in later ones (files are used where they lie); the others are read and decoded
 * every time.
 *
 * Decoding only a region walks through the entropy code of every row down to the region's last, (1 + h) / 2
 * of the bytes on average for one of height h; and it transforms whole blocks, 15 pixels more than the
 * region has, each way.
 *
 * Left out: progressive JPEG, what workers that decode at the same time do to each other beyond the cores'
 * contention.
 */
#include "models/images.h"

#include "base/text.h"
#include "models/model.h"

#include <math.h>
#include <string.h>

#define T struct image_loader_cfg
static const struct param params[] = {
    INT(T, workers, "1", 1, 1e6, "Batches worked on at a time"),
    INT(T, prefetch, "2", -1, 1e6,
        "Batches per worker in work or waiting for the consumer; -1: no such limit"),
    INT(T, batch, "32", 1, 1e6, "Images of one batch; divides the data set"),
    INT(T, images, "1024", 1, 1e9, "Photographs of the data set: an epoch"),
    INT(T, side_min, "400", 16, 65500, "Pixels of the long side of the smallest photograph"),
    INT(T, side_max, "640", 16, 65500, "Pixels of the long side of the largest; evenly spread between"),
    INT(T, quality, "90", 1, 100, "Quality setting of the JPEG encoder"),
    INT(T, classes, "10", 2, 1e4, "Classes of photographs"),
    INT(T, run, "16", 1, 1e6, "Images that lie side by side and are read in one request; divides the batch"),
    INT(T, output, "64", 8, 4096, "Pixels of an image's side in the batch"),
    REAL(T, crop_min, UNIT_NONE, "0.35", 0.01, 1, "Smallest share of the area that a random crop keeps"),
    REAL(T, crop_max, UNIT_NONE, "1", 0.01, 1, "Largest share"),
    CHOICE(T, decode, "full", image_decode_names,
           "All pixels, half or a quarter of them each way, or only the crop"),
    CHOICE(T, cache, "none", image_cache_names, "What is kept in memory for later epochs"),
    REAL(T, cache_bytes, UNIT_BYTES, "0B", 0, 1e18, "Size of the cache"),
    BOOL(T, fuse, "false", "Run convert and normalize as one pass"),
    BOOL(T, direct, "true", "Read past the page cache"),
    JSONV(T, ops, "Order of the operators crop, resize, flip, convert and normalize"),
    REAL(T, pixel_bytes, UNIT_BYTES, "0.4B", 1e-3, 12, "Bytes of a JPEG file per pixel"),
    COSTS(T, costs, image_op_names, "Cost of each operator on one core"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", "disk", NULL};
static const struct op_info ops[] = {
    {"read", "requests", "bytes read", COUNT_DEFAULT, COUNT_DEFAULT},
    {"decode", "pixels of the photograph", "bytes of the file", COUNT_DEFAULT, COUNT_DEFAULT},
    {"decode_half", "pixels of the photograph", "bytes of the file", COUNT_DEFAULT, COUNT_DEFAULT},
    {"decode_quarter", "pixels of the photograph", "bytes of the file", COUNT_DEFAULT, COUNT_DEFAULT},
    {"decode_region", "pixels transformed", "bytes of the file down to the region's end", COUNT_DEFAULT,
     COUNT_DEFAULT},
    {"store", NULL, "bytes of pixels", COUNT_DEFAULT, COUNT_DEFAULT},
    {"recall", NULL, "bytes of pixels", COUNT_DEFAULT, COUNT_DEFAULT},
    {"crop", NULL, "bytes of pixels kept", COUNT_DEFAULT, COUNT_DEFAULT},
    {"resize_bytes", "pixels that come in", "bytes of rows squeezed", COUNT_DEFAULT, COUNT_DEFAULT},
    {"resize_floats", "pixels that come in", "bytes of rows squeezed", COUNT_DEFAULT, COUNT_DEFAULT},
    {"flip", "pixels", "bytes of pixels", COUNT_DEFAULT, COUNT_DEFAULT},
    {"convert", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"normalize", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"convert_normalize", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"collate", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};
enum { READS_APART = 8 }; /* requests of a batch that wait for each other one by one in the simulation */

/* ------------------------------------------------------------------------------------- order */

enum step { CROP, RESIZE, FLIP, CONVERT, NORMALIZE, STEPS };
static const char *const steps[STEPS] = {"crop", "resize", "flip", "convert", "normalize"};

static int step_named(const char *name)
{
    for (int i = 0; name != NULL && i < STEPS; i++)
        if (strcmp(steps[i], name) == 0)
            return i;
    return -1;
}

/* at[step]: its place. */
static int read_order(const struct image_loader_cfg *c, const char *where, int order[STEPS], int at[STEPS],
                      struct err *err)
{
    int n = 0;

    for (int i = 0; i < STEPS; i++) {
        order[i] = i;
        at[i] = c->ops == NULL ? i : -1;
    }
    if (c->ops == NULL)
        return 0;
    JSON_EACH (v, c->ops) {
        int step = step_named(json_string(v));
        char brief[60];

        if (step < 0 || at[step] >= 0)
            return err_set(err, ERR_SCENARIO,
                           "%s.ops[%d]: %s; each of crop, resize, flip, convert, normalize is needed once",
                           where, n, json_brief(v, brief, sizeof brief));
        order[n] = step;
        at[step] = n++;
    }
    if (n != STEPS)
        return err_set(err, ERR_SCENARIO,
                       "%s.ops: %d operators; crop, resize, flip, convert, normalize are all needed", where,
                       n);
    return 0;
}

static int check_order(const char *where, const int at[STEPS], struct err *err)
{
    if (at[NORMALIZE] < at[CONVERT])
        return err_set(err, ERR_SCENARIO,
                       "%s.ops: normalize works on what convert makes, so it comes after it", where);
    if (at[RESIZE] < at[CROP])
        return err_set(err, ERR_SCENARIO,
                       "%s.ops: resize makes the crop as large as the batch wants it, so it comes after crop",
                       where);
    return 0;
}

/* Decoding only a region is the crop pulled in front of everything.  Neighbours convert and normalize fuse.
 */
static void build_chain(struct image_loader_cfg *c, const int order[STEPS], const int at[STEPS])
{
    bool fused = c->fuse && at[NORMALIZE] == at[CONVERT] + 1;

    c->chain_n = 0;
    for (int i = 0; i < STEPS; i++) {
        if (order[i] == CROP && c->decode != DECODE_REGION)
            c->chain[c->chain_n++] = IMAGE_CROP;
        else if (order[i] == RESIZE)
            c->chain[c->chain_n++] = at[CONVERT] < i ? IMAGE_RESIZE_FLOATS : IMAGE_RESIZE_BYTES;
        else if (order[i] == FLIP)
            c->chain[c->chain_n++] = IMAGE_FLIP;
        else if (order[i] == CONVERT)
            c->chain[c->chain_n++] = fused ? IMAGE_CONVERT_NORMALIZE : IMAGE_CONVERT;
        else if (order[i] == NORMALIZE && !fused)
            c->chain[c->chain_n++] = IMAGE_NORMALIZE;
    }
    c->chain[c->chain_n++] = IMAGE_COLLATE;
}

/* ------------------------------------------------------------------------------------- checks */

static int check_sizes(const struct image_loader_cfg *c, const char *where, struct err *err)
{
    if (c->side_max < c->side_min)
        return err_set(err, ERR_SCENARIO, "%s.side_max: %ld is smaller than side_min, %ld", where,
                       c->side_max, c->side_min);
    if (c->crop_max < c->crop_min)
        return err_set(err, ERR_SCENARIO, "%s.crop_max: %g is smaller than crop_min, %g", where, c->crop_max,
                       c->crop_min);
    if (c->images % c->batch != 0)
        return err_set(err, ERR_SCENARIO,
                       "%s.batch: %ld does not divide the %ld images; the last batch would be a small one",
                       where, c->batch, c->images);
    if (c->batch % c->run != 0)
        return err_set(err, ERR_SCENARIO, "%s.run: %ld does not divide the batch of %ld images", where,
                       c->run, c->batch);
    if (c->prefetch == 0)
        return err_set(err, ERR_SCENARIO, "%s.prefetch: 0 lets no worker begin; 1 or more, or -1", where);
    return 0;
}

/* No crop may have to be enlarged: what decoding left out cannot come back. */
static int check_decode(const struct image_loader_cfg *c, const char *where, struct err *err)
{
    double aspect = fmin(IMAGE_ASPECT, 1 / c->crop_min);
    double least = floor((double)image_short_side(c->side_min) / (double)image_reduction(c->decode) *
                         sqrt(c->crop_min / aspect));

    if (least < (double)c->output)
        return err_set(
            err, ERR_SCENARIO,
            "%s.decode: \"%s\" leaves %.0f pixels of the smallest crop's side; a batch of %ld pixels "
            "would have to be blown up",
            where, image_decode_names[c->decode], least, c->output);
    if (c->decode == DECODE_REGION && c->cache == IMAGE_CACHE_DECODED)
        return err_set(
            err, ERR_SCENARIO,
            "%s.cache: \"decoded\" would keep a random crop, and every epoch would see the same one; "
            "with \"decode\": \"region\", \"source\" can be kept",
            where);
    return 0;
}

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct image_loader_cfg *c = cfg;
    int order[STEPS], at[STEPS];

    TRY(check_sizes(c, env->where, err));
    TRY(check_decode(c, env->where, err));
    TRY(read_order(c, env->where, order, at, err));
    TRY(check_order(env->where, at, err));
    build_chain(c, order, at);
    return 0;
}

static void shape(const void *cfg, struct shape *out)
{
    const struct image_loader_cfg *c = cfg;

    *out = (struct shape){.workers = c->workers,
                          .take = (double)c->batch,
                          .prefetch = c->prefetch,
                          .in_order = true,
                          .queue_limit = -1};
}

/* ------------------------------------------------------------------------------------- demand */

/* A batch at one point of the chain. */
struct flow {
    const struct image_loader_cfg *c;
    const struct item *in;
    const struct luck *luck;
    struct demand *out;
    double source;         /* pixels of a photograph of this batch, on average */
    double pixels, values; /* of one image now; bytes of one value */
    double height;         /* rows of it */
};

static void run_op(const struct flow *f, int op, double runs, double items, double bytes)
{
    demand_costs(f->out, op, &f->c->costs[op], runs, items, bytes, f->in, f->luck);
}

static double pixel_size(const struct flow *f)
{
    return IMAGE_CHANNELS * f->values;
}

/* Of a photograph, long or short side, half of them upright. */
static double mean_side(const struct flow *f)
{
    return sqrt(f->source) * (sqrt(4.0 / 3) + sqrt(3.0 / 4)) / 2;
}

static void cut(struct flow *f)
{
    f->pixels *= images_crop_area(f->c);
    f->height *= images_crop_side(f->c);
}

/* A batch's requests wait for each other; a few phases of many stand for the rest. */
static void read_files(const struct flow *f, double images)
{
    const struct image_loader_cfg *c = f->c;
    double requests = images / (double)c->run;
    double each = (double)c->run * f->source * c->pixel_bytes + (c->direct ? IMAGE_DISK_BLOCK : 0);
    double phases = fmin(READS_APART, ceil(requests));

    run_op(f, IMAGE_READ, requests, 1, each);
    for (int i = 0; i < (int)phases; i++)
        demand_add(f->out, ROLE_DISK_READ, IMAGE_READ, requests * each / phases, requests / phases);
}

static void decode(struct flow *f, double images)
{
    const struct image_loader_cfg *c = f->c;
    double bytes = f->source * c->pixel_bytes, side = images_crop_side(c), region;

    if (c->decode != DECODE_REGION) {
        run_op(f, IMAGE_DECODE + c->decode, images, f->source, bytes);
        return;
    }
    region = f->source * images_crop_area(c) + (IMAGE_MCU - 1) * side * 2 * mean_side(f) +
             (IMAGE_MCU - 1) * (IMAGE_MCU - 1);
    run_op(f, IMAGE_DECODE_REGION, images, region, bytes * (1 + side) / 2);
}

/* From the file or from the cache to decoded pixels. */
static void fetch(struct flow *f, double images)
{
    const struct image_loader_cfg *c = f->c;
    double later = (double)f->in->sequence * f->in->count >= (double)c->images ? 1 : 0,
           kept = images_kept_frac(c);
    double hits = images * later * kept, reduction = (double)image_reduction(c->decode);
    double pixels = f->source / (reduction * reduction);

    if (hits < images)
        read_files(f, images - hits);
    if (c->cache != IMAGE_CACHE_DECODED)
        hits = 0;
    if (hits < images)
        decode(f, images - hits);
    run_op(f, IMAGE_STORE, images * kept * (1 - later), 0,
           c->cache == IMAGE_CACHE_DECODED ? IMAGE_CHANNELS * pixels : f->source * c->pixel_bytes);
    run_op(f, IMAGE_RECALL, hits, 0, IMAGE_CHANNELS * pixels);
    f->values = 1;
    f->pixels = pixels;
    f->height = mean_side(f) / reduction;
    if (c->decode == DECODE_REGION)
        cut(f);
}

static void transform(struct flow *f, int op, double images)
{
    const struct image_loader_cfg *c = f->c;
    double values = IMAGE_CHANNELS * f->pixels;

    switch (op) {
    case IMAGE_CROP:
        cut(f);
        run_op(f, op, images, 0, f->pixels * pixel_size(f));
        break;
    case IMAGE_RESIZE_BYTES:
    case IMAGE_RESIZE_FLOATS:
        run_op(f, op, images, f->pixels, f->height * (double)c->output * IMAGE_CHANNELS * sizeof(float));
        f->pixels = (double)c->output * (double)c->output;
        f->height = (double)c->output;
        break;
    case IMAGE_FLIP:
        run_op(f, op, images / 2, f->pixels, f->pixels * pixel_size(f));
        break;
    default:
        run_op(f, op, images, values, 0);
        f->values = 4;
    }
}

/* Photographs of a batch are larger or smaller than the mean, and everything done to them with them. */
static double batch_size_luck(const struct image_loader_cfg *c, const struct item *in,
                              const struct luck *luck)
{
    struct rng r;

    if (luck == NULL || c->side_max == c->side_min)
        return 1;
    rng_keyed(&r, luck->seed, luck->replication, luck->stage, in->key, IMAGE_OPS);
    return rng_lognormal(&r, 1, images_pixels_cv(c) / sqrt(fmax(1, in->count)));
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct image_loader_cfg *c = cfg;
    struct flow f = {.c = c, .in = in, .luck = luck, .out = out};

    f.source = images_pixels(c) * batch_size_luck(c, in, luck);
    fetch(&f, in->count);
    for (int i = 0; i < c->chain_n; i++)
        transform(&f, c->chain[i], in->count);
    leave->bytes = in->count * f.pixels * pixel_size(&f);
}

/* At best everything that the cache can hold is in it already. */
static void best_demand(const void *cfg, const struct item *in, struct demand *out, struct item *leave)
{
    const struct image_loader_cfg *c = cfg;
    struct item warm = *in;

    warm.sequence += (uint64_t)ceil((double)c->images / fmax(1, in->count));
    demand(cfg, &warm, NULL, out, leave);
    leave->sequence = in->sequence;
}

const struct model image_loader_model = {
    .name = "image_loader",
    .title = "Loader of photographs",
    .about = "Workers read JPEG files, decode, crop, resize, flip and normalize them, and make batches.",
    .cfg_size = sizeof(struct image_loader_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .kernel = "image_loader",
    .check = check,
    .shape = shape,
    .demand = demand,
    .best_demand = best_demand,
};
