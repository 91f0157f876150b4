/*
 * The kernels of the vision path: whatever the decoder leaves out and the operators' order, the pixels are
 * those that the long way gives; the training step's gradients are those of its loss.
 */
#include "executor/kernels/convnet.h"
#include "executor/kernels/jpeg.h"
#include "executor/kernels/photo.h"
#include "executor/kernels/pixels.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { W = 203, H = 150 };

static struct err err;
static unsigned char *photo, *file;
static size_t file_n;
static struct jpeg_decoder *decoder;

static void begin(void)
{
    struct photo_maker *m = photo_maker_new(W, H);
    struct rng r;

    if (jpeg_missing() != NULL)
        cr_skip_test("%s", jpeg_missing());
    rng_keyed(&r, 7, 0, 1, 2, 3);
    photo = xcalloc((size_t)W * H, 3);
    photo_draw(m, &r, W, H, 3, 10, photo);
    photo_maker_free(m);
    cr_assert_eq(jpeg_encode(photo, W, H, 90, &file, &file_n, &err), 0, "%s", err.text);
    decoder = jpeg_decoder_new();
}

static void end(void)
{
    jpeg_decoder_free(decoder);
    free(photo);
    free(file);
}

TestSuite(vision_kernels, .init = begin, .fini = end);

static unsigned char *decoded(int reduction)
{
    unsigned char *rgb = xcalloc((size_t)W * H, 3);

    cr_assert_eq(jpeg_decode(decoder, file, file_n, reduction, rgb, &err), 0, "%s", err.text);
    return rgb;
}

static double rms(const unsigned char *a, const unsigned char *b, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sqrt(sum / (double)n);
}

Test(vision_kernels, a_photograph_survives_encoding_but_for_what_jpeg_drops)
{
    unsigned char *rgb = decoded(1);
    double off = rms(rgb, photo, (size_t)W * H * 3);

    cr_expect(off > 0.5 && off < 12, "%g", off);
    cr_expect((double)file_n / (W * H) > 0.15 && (double)file_n / (W * H) < 0.8, "%g bytes a pixel",
              (double)file_n / (W * H));
    free(rgb);
}

Test(vision_kernels, the_size_stands_in_the_file)
{
    struct jpeg_size s;

    cr_assert_eq(jpeg_size(decoder, file, file_n, &s, &err), 0);
    cr_expect_eq(s.width, W);
    cr_expect_eq(s.height, H);
}

/* The decoder's own reduction keeps low frequencies of each block, which is close to the mean of its pixels.
 */
Test(vision_kernels, scaled_decoding_is_decoding_and_averaging)
{
    unsigned char *full = decoded(1), *mean = xcalloc((size_t)W * H, 3);

    for (int reduction = 2; reduction <= 4; reduction *= 2) {
        struct image from = {W / reduction * reduction, H / reduction * reduction, false,
                             xcalloc((size_t)W * H, 3)};
        struct image whole = {W, H, false, full}, to = {.data = mean};
        unsigned char *small = decoded(reduction), *cut = xcalloc((size_t)W * H, 3);
        int wide = (W + reduction - 1) / reduction;
        struct resizer r;
        struct image reduced = {wide, (H + reduction - 1) / reduction, false, small}, inside = {.data = cut};
        double off;

        resizer_init(&r, W);
        pixels_crop(&whole, 0, 0, from.width, from.height, &from);
        pixels_resize(&r, &from, from.width / reduction, from.height / reduction, &to);
        pixels_crop(&reduced, 0, 0, to.width, to.height, &inside);
        off = rms(mean, cut, image_bytes(&to));
        cr_expect(off < 8, "reduced by %d: off by %g", reduction, off);
        resizer_fini(&r);
        free(from.data);
        free(small);
        free(cut);
    }
    free(full);
    free(mean);
}

Test(vision_kernels, a_region_is_what_cutting_it_out_gives_bit_for_bit)
{
    static const struct jpeg_region regions[] = {{0, 0, W, H},      {0, 0, 1, 1},     {W - 1, H - 1, 1, 1},
                                                 {37, 41, 90, 77},  {16, 16, 32, 32}, {17, 1, 16, 149},
                                                 {100, 99, 103, 51}};
    unsigned char *full = decoded(1), *part = xcalloc((size_t)W * H, 3), *cut = xcalloc((size_t)W * H, 3);

    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        const struct jpeg_region *g = &regions[i];
        struct image whole = {W, H, false, full}, to = {.data = cut};
        double transformed;

        cr_assert_eq(jpeg_decode_region(decoder, file, file_n, g, part, &transformed, &err), 0, "%s",
                     err.text);
        pixels_crop(&whole, g->left, g->top, g->width, g->height, &to);
        cr_expect(memcmp(part, cut, image_bytes(&to)) == 0, "region %zu", i);
        cr_expect(transformed >= g->width * g->height && transformed <= (g->width + 30.) * (g->height + 30.),
                  "region %zu: %g", i, transformed);
    }
    free(full);
    free(part);
    free(cut);
}

Test(vision_kernels, a_broken_file_is_an_error_and_the_next_one_is_read)
{
    unsigned char *rgb = xcalloc((size_t)W * H, 3);

    cr_expect_eq(jpeg_decode(decoder, file, file_n / 2, 1, rgb, &err), ERR_FAILED);
    cr_expect(strstr(err.text, "libjpeg: ") != NULL, "%s", err.text);
    cr_expect_eq(jpeg_decode(decoder, (const unsigned char *)"not a photograph", 16, 1, rgb, &err),
                 ERR_FAILED);
    cr_expect_eq(jpeg_decode(decoder, file, file_n, 1, rgb, &err), 0);
    free(rgb);
}

/* ------------------------------------------------------------------------------- pixels */

static struct image empty(void)
{
    return (struct image){.data = xcalloc((size_t)W * H * 3, sizeof(float))};
}

Test(vision_kernels, converting_first_and_cropping_first_are_the_same_bit_for_bit)
{
    struct image from = {W, H, false, photo}, a = empty(), b = empty(), c = empty(), d = empty();

    pixels_convert(&from, &a);
    pixels_normalize(&a);
    pixels_crop(&a, 20, 10, 99, 80, &b);
    pixels_flip(&b);
    pixels_crop(&from, 20, 10, 99, 80, &c);
    pixels_flip(&c);
    pixels_convert_normalize(&c, &d);
    cr_expect_eq(image_bytes(&b), 99u * 80 * 3 * sizeof(float));
    cr_expect_eq(image_bytes(&b), image_bytes(&d));
    cr_expect(memcmp(b.data, d.data, image_bytes(&b)) == 0);
    free(a.data);
    free(b.data);
    free(c.data);
    free(d.data);
}

Test(vision_kernels, flipping_twice_is_nothing_and_once_is_not)
{
    struct image from = {W, H, false, photo}, a = empty();

    pixels_crop(&from, 0, 0, W, H, &a);
    pixels_flip(&a);
    cr_expect(memcmp(a.data, photo, image_bytes(&a)) != 0);
    pixels_flip(&a);
    cr_expect(memcmp(a.data, photo, image_bytes(&a)) == 0);
    free(a.data);
}

/* By the definition: the integral over the area, source pixel by source pixel. */
static double area_mean(const struct image *i, double x0, double x1, double y0, double y1, int channel)
{
    const float *f = i->data;
    double sum = 0;

    for (int y = 0; y < i->height; y++)
        for (int x = 0; x < i->width; x++) {
            double w = fmin(x + 1, x1) - fmax(x, x0), h = fmin(y + 1, y1) - fmax(y, y0);

            if (w > 0 && h > 0)
                sum += w * h * f[(y * i->width + x) * 3 + channel];
        }
    return sum / ((x1 - x0) * (y1 - y0));
}

Test(vision_kernels, resizing_is_the_mean_of_the_area)
{
    struct image from = {W, H, false, photo}, floats = empty(), to = empty();
    const float *f = to.data;
    struct resizer r;

    resizer_init(&r, 64);
    pixels_convert(&from, &floats);
    pixels_resize(&r, &floats, 31, 23, &to);
    for (int y = 0; y < 23; y++)
        for (int x = 0; x < 31; x++) {
            double want =
                area_mean(&floats, x * W / 31., (x + 1) * W / 31., y * H / 23., (y + 1) * H / 23., 1);

            cr_assert_float_eq(f[(y * 31 + x) * 3 + 1], want, 1e-4, "%d %d", x, y);
        }
    resizer_fini(&r);
    free(floats.data);
    free(to.data);
}

Test(vision_kernels, bytes_and_floats_are_resized_alike_but_for_rounding)
{
    struct image from = {W, H, false, photo}, floats = empty(), a = empty(), b = empty(), c = empty();
    struct resizer r;

    resizer_init(&r, 64);
    pixels_convert(&from, &floats);
    pixels_resize(&r, &floats, 48, 48, &a);
    pixels_resize(&r, &from, 48, 48, &b);
    pixels_convert(&b, &c);
    for (int i = 0; i < 48 * 48 * 3; i++)
        cr_assert_float_eq(((float *)a.data)[i], ((float *)c.data)[i], 0.51 / 255);
    resizer_fini(&r);
    free(floats.data);
    free(a.data);
    free(b.data);
    free(c.data);
}

Test(vision_kernels, planes_hold_the_channels_one_after_the_other)
{
    struct image from = {2, 1, true, (float[]){1, 2, 3, 4, 5, 6}};
    static const float want[] = {1, 4, 2, 5, 3, 6};
    float planes[6];

    pixels_collate(&from, planes);
    cr_expect(memcmp(planes, want, sizeof want) == 0);
}

/* ------------------------------------------------------------------------------- the network */

enum { SIDE = 12, COUNT = 3, CLASSES = 4 };
static const int32_t labels[COUNT] = {2, 0, 3};
static float images[COUNT * 3 * SIDE * SIDE];

static struct convnet *network(int conv)
{
    struct image_training_cfg c = {.conv = conv, .channels1 = 5, .channels2 = 6, .learning_rate = 0.1};
    struct rng r;

    rng_keyed(&r, 1, 2, 3, 4, 5);
    for (int i = 0; i < COUNT * 3 * SIDE * SIDE; i++)
        images[i] = (float)rng_normal(&r);
    return convnet_new(&c, SIDE, CLASSES, COUNT, 9);
}

static double loss_of(struct convnet *n)
{
    double loss;

    convnet_forward(n, images, labels, COUNT);
    convnet_head(n, &loss);
    return loss;
}

/* Central differences; relu bends, so a step is small, and single precision wants it large: 2e-3 is between.
 */
static void check_gradients(int conv)
{
    struct convnet *n = network(conv);
    const float *gradients;
    float *w;
    size_t count = convnet_weights(n, &w, &gradients);
    float *want = xcalloc(count, sizeof *want);
    double off = 0, size = 0;

    loss_of(n);
    convnet_backward(n);
    memcpy(want, gradients, count * sizeof *want);
    for (size_t i = 0; i < count; i++) {
        const float step = 2e-3f, kept = w[i];
        double up, down, g;

        w[i] = kept + step;
        up = loss_of(n);
        w[i] = kept - step;
        down = loss_of(n);
        w[i] = kept;
        g = (up - down) / (2 * (double)step);
        off += (g - want[i]) * (g - want[i]);
        size += g * g;
    }
    cr_expect(sqrt(off / size) < 0.01, "gradients are off by %g of their length", sqrt(off / size));
    free(want);
    convnet_free(n);
}

Test(vision_kernels, gradients_are_those_of_the_loss)
{
    check_gradients(CONV_DIRECT);
    check_gradients(CONV_GEMM);
}

Test(vision_kernels, both_ways_to_convolve_agree)
{
    struct convnet *a = network(CONV_DIRECT), *b = network(CONV_GEMM);
    const float *da, *db;
    float *w;
    size_t n;

    cr_expect_float_eq(loss_of(a), loss_of(b), 1e-5);
    cr_expect_eq(convnet_backward(a), convnet_backward(b));
    n = convnet_weights(a, &w, &da);
    convnet_weights(b, &w, &db);
    for (size_t i = 0; i < n; i++)
        cr_assert_float_eq(da[i], db[i], 1e-4);
    convnet_free(a);
    convnet_free(b);
}

Test(vision_kernels, training_lowers_the_loss)
{
    struct convnet *n = network(CONV_GEMM);
    double first = loss_of(n), last = first;

    for (int i = 0; i < 400; i++) {
        convnet_backward(n);
        convnet_update(n);
        last = loss_of(n);
    }
    cr_expect(last < 0.5 * first, "%g, then %g", first, last);
    convnet_free(n);
}
