#include "models/images.h"

#include <math.h>

const char *const image_op_names[] = {"read",  "decode",  "decode_half", "decode_quarter",    "decode_region",
                                      "store", "recall",  "crop",        "resize_bytes",      "resize_floats",
                                      "flip",  "convert", "normalize",   "convert_normalize", "collate",
                                      NULL};
const char *const image_decode_names[] = {"full", "half", "quarter", "region", NULL};
const char *const image_cache_names[] = {"none", "source", "decoded", NULL};

static const double SHORT_OVER_LONG = 0.75;

/* Moments of a long side that is spread evenly over lo .. hi. */
static double side_moment(double lo, double hi, int k)
{
    return hi > lo ? (pow(hi, k + 1) - pow(lo, k + 1)) / ((k + 1) * (hi - lo)) : pow(lo, k);
}

double images_pixels(const struct image_loader_cfg *c)
{
    return SHORT_OVER_LONG * side_moment((double)c->side_min, (double)c->side_max, 2);
}

double images_pixels_cv(const struct image_loader_cfg *c)
{
    double lo = (double)c->side_min, hi = (double)c->side_max, m2 = side_moment(lo, hi, 2);

    return sqrt(fmax(0, side_moment(lo, hi, 4) / (m2 * m2) - 1));
}

double images_crop_area(const struct image_loader_cfg *c)
{
    return (c->crop_min + c->crop_max) / 2;
}

/*
 * Of a crop with share s of the area, width and height are sqrt(s r) and sqrt(s / r) of the photograph's,
 * with log r uniform over -m .. m, m = min(log IMAGE_ASPECT, -log s):   E sqrt(r) = sinh(m/2) / (m/2). The
 * mean over s by Simpson's rule.
 */
double images_crop_side(const struct image_loader_cfg *c)
{
    enum { PANELS = 64 };
    double step = (c->crop_max - c->crop_min) / PANELS, sum = 0;

    for (int i = 0; i <= PANELS; i++) {
        double s = c->crop_min + i * step, m = fmin(log(IMAGE_ASPECT), -log(s)) / 2;
        double side = sqrt(s) * (m > 1e-9 ? sinh(m) / m : 1);

        sum += side * (i == 0 || i == PANELS ? 1 : i % 2 == 1 ? 4 : 2);
    }
    return sum / (3 * PANELS);
}

long image_reduction(int decode)
{
    return decode == DECODE_HALF ? 2 : decode == DECODE_QUARTER ? 4 : 1;
}

double images_kept_frac(const struct image_loader_cfg *c)
{
    double reduction = (double)image_reduction(c->decode);
    double each = c->cache == IMAGE_CACHE_SOURCE
                      ? images_pixels(c) * c->pixel_bytes
                      : IMAGE_CHANNELS * images_pixels(c) / (reduction * reduction);

    return c->cache == IMAGE_CACHE_NONE ? 0 : fmin(1, c->cache_bytes / ((double)c->images * each));
}
