/*
 * images.h - photographs on their way from files into training batches.
 *
 * The data set is described by what its generator needs: so many photographs, long sides spread evenly over
 * side_min .. side_max, the short side three quarters of it, JPEG with chroma at half resolution.  From these
 * numbers follow the pixels; how many bytes a pixel takes is measured (pixel_bytes).
 *
 * A worker makes one batch at a time.  Images are read in runs that lie side by side in a file, decoded, and
 * transformed one by one by a chain of operators in the order given:
 *
 *     crop        a random part: `crop_min` .. `crop_max` of the area, anywhere, every epoch anew
 *     resize      what is left becomes output x output pixels, each the mean of the area it covers
 *     flip        left and right change places in every second image, at random
 *     convert     bytes to floats in 0 .. 1
 *     normalize   minus the mean, over the deviation, of each channel
 *
 * and copied into the batch (collate).  convert and normalize work pixel by pixel and so may change places
 * with crop and flip without changing a bit, and with resize but for rounding.  What they cost depends on how
 * many pixels, and bytes a pixel, the operators before them have left.
 *
 * Decoding: `full`; `half` and `quarter` use the DCT's own scaling, each block of 8x8 becoming 4x4 or 2x2;
 * `region` draws the crop first and decodes only its blocks: entropy decoding still has to walk through
 * everything above it.  What is kept in the cache must be the same in every epoch: never behind a crop.
 */
#ifndef MODELS_IMAGES_H
#define MODELS_IMAGES_H

#include "base/param.h"

#include <stdbool.h>

/* What one run of each counts: see op_info in image_loader.c. */
enum image_op {
    IMAGE_READ,
    IMAGE_DECODE,
    IMAGE_DECODE_HALF,
    IMAGE_DECODE_QUARTER,
    IMAGE_DECODE_REGION,
    IMAGE_STORE,  /* into the cache */
    IMAGE_RECALL, /* out of it */
    IMAGE_CROP,
    IMAGE_RESIZE_BYTES,
    IMAGE_RESIZE_FLOATS,
    IMAGE_FLIP,
    IMAGE_CONVERT,
    IMAGE_NORMALIZE,
    IMAGE_CONVERT_NORMALIZE, /* both in one pass */
    IMAGE_COLLATE,
    IMAGE_OPS
};
extern const char *const image_op_names[];

enum image_decode { DECODE_FULL, DECODE_HALF, DECODE_QUARTER, DECODE_REGION, DECODES };
extern const char *const image_decode_names[];

enum image_cached { IMAGE_CACHE_NONE, IMAGE_CACHE_SOURCE, IMAGE_CACHE_DECODED };
extern const char *const image_cache_names[];

enum {
    IMAGE_CHAIN_MAX = 6, /* the operators behind decoding, collate included */
    IMAGE_CHANNELS = 3,
    IMAGE_MCU = 16, /* pixels of a decoder's block of blocks, either way, with chroma at half resolution */
    IMAGE_DISK_BLOCK = 4096 /* reads past the page cache begin and end on multiples of it */
};

struct image_loader_cfg {
    long workers, prefetch, batch;
    long images, side_min, side_max, quality, classes; /* the data set */
    long run;    /* images that lie side by side and are read in one request */
    long output; /* pixels of an image's side in the batch */
    double crop_min, crop_max;
    int decode, cache;
    double cache_bytes;
    bool fuse, direct;
    const struct json *ops;
    double pixel_bytes;
    struct cost costs[IMAGE_OPS];
    /* filled by the model's check(): the chain that runs behind decoding, after fusion */
    int chain[IMAGE_CHAIN_MAX];
    int chain_n;
};

/* The short side of a photograph with this long side. */
static inline long image_short_side(long side)
{
    return (3 * side + 2) / 4;
}

/* Aspects of a crop, relative to the photograph's, spread evenly over the logarithm of 1/IMAGE_ASPECT ..
 * IMAGE_ASPECT, or as far as a crop of that area fits. */
#define IMAGE_ASPECT (4.0 / 3)

/* Mean pixels of a photograph, and how their number varies. */
double images_pixels(const struct image_loader_cfg *c);
double images_pixels_cv(const struct image_loader_cfg *c);

/* Means over the random crops: share of the area, share of the width (and of the height). */
double images_crop_area(const struct image_loader_cfg *c);
double images_crop_side(const struct image_loader_cfg *c);

/* Share of the data set that the cache holds: the first so many images. */
double images_kept_frac(const struct image_loader_cfg *c);

/* By how much decoding reduces each side: 1, 2 or 4. */
long image_reduction(int decode);

#endif
