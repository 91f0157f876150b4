#include "executor/kernels/jpeg.h"

#ifdef HAVE_JPEG

#include "base/arena.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

const char *jpeg_missing(void)
{
    return NULL;
}

/* ------------------------------------------------------------------------------ its errors */

/* libjpeg leaves through here; `manager` comes first, so that its pointer is ours. */
struct failing {
    struct jpeg_error_mgr manager;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
};

static void fail(j_common_ptr info)
{
    struct failing *f = (struct failing *)info->err;

    info->err->format_message(info, f->text);
    longjmp(f->back, 1);
}

/* A warning means that pixels were made up: that is an error too. */
static void warn(j_common_ptr info, int level)
{
    if (level < 0)
        fail(info);
}

static struct jpeg_error_mgr *failing_init(struct failing *f)
{
    jpeg_std_error(&f->manager);
    f->manager.error_exit = fail;
    f->manager.emit_message = warn;
    return &f->manager;
}

/* ------------------------------------------------------------------------------ encoding */

int jpeg_encode(const unsigned char *rgb, int width, int height, int quality, unsigned char **out,
                size_t *size, struct err *err)
{
    struct jpeg_compress_struct c;
    struct failing f;
    unsigned long n = 0;

    *out = NULL;
    c.err = failing_init(&f);
    jpeg_create_compress(&c);
    if (setjmp(f.back)) {
        jpeg_destroy_compress(&c);
        return err_set(err, ERR_FAILED, "libjpeg: %s", f.text);
    }
    jpeg_mem_dest(&c, out, &n);
    c.image_width = (JDIMENSION)width;
    c.image_height = (JDIMENSION)height;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c); /* chroma at half resolution */
    jpeg_set_quality(&c, quality, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = (JSAMPROW)(rgb + (size_t)c.next_scanline * (size_t)width * 3);

        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    *size = n;
    return 0;
}

/* ------------------------------------------------------------------------------ decoding */

struct jpeg_decoder {
    struct jpeg_decompress_struct info;
    struct failing failing;
    unsigned char *row; /* of blocks that stand out of a region */
    size_t row_size;
};

struct jpeg_decoder *jpeg_decoder_new(void)
{
    struct jpeg_decoder *d = xcalloc(1, sizeof *d);

    d->info.err = failing_init(&d->failing);
    if (setjmp(d->failing.back)) { /* only without memory */
        free(d);
        return NULL;
    }
    jpeg_create_decompress(&d->info);
    return d;
}

void jpeg_decoder_free(struct jpeg_decoder *d)
{
    if (d == NULL)
        return;
    jpeg_destroy_decompress(&d->info);
    free(d->row);
    free(d);
}

static int failed(struct jpeg_decoder *d, struct err *err)
{
    jpeg_abort_decompress(&d->info);
    return err_set(err, ERR_FAILED, "libjpeg: %s", d->failing.text);
}

static void begin(struct jpeg_decoder *d, const unsigned char *file, size_t n)
{
    jpeg_mem_src(&d->info, file, (unsigned long)n);
    jpeg_read_header(&d->info, TRUE);
    d->info.out_color_space = JCS_RGB;
    d->info.do_fancy_upsampling = FALSE;
}

int jpeg_size(struct jpeg_decoder *d, const unsigned char *file, size_t n, struct jpeg_size *out,
              struct err *err)
{
    if (setjmp(d->failing.back))
        return failed(d, err);
    begin(d, file, n);
    *out = (struct jpeg_size){(int)d->info.image_width, (int)d->info.image_height};
    jpeg_abort_decompress(&d->info);
    return 0;
}

int jpeg_decode(struct jpeg_decoder *d, const unsigned char *file, size_t n, int reduction,
                unsigned char *rgb, struct err *err)
{
    struct jpeg_decompress_struct *i = &d->info;

    if (setjmp(d->failing.back))
        return failed(d, err);
    begin(d, file, n);
    i->scale_num = 1;
    i->scale_denom = (unsigned)reduction;
    jpeg_start_decompress(i);
    while (i->output_scanline < i->output_height) {
        JSAMPROW row = rgb + (size_t)i->output_scanline * i->output_width * 3;

        jpeg_read_scanlines(i, &row, 1);
    }
    jpeg_finish_decompress(i);
    return 0;
}

static JSAMPROW spare_row(struct jpeg_decoder *d)
{
    size_t size = (size_t)d->info.output_width * 3;

    if (size > d->row_size) {
        d->row = xrealloc(d->row, size, 1);
        d->row_size = size;
    }
    return d->row;
}

int jpeg_decode_region(struct jpeg_decoder *d, const unsigned char *file, size_t n,
                       const struct jpeg_region *region, unsigned char *rgb, double *transformed,
                       struct err *err)
{
    struct jpeg_decompress_struct *i = &d->info;
    JDIMENSION left = (JDIMENSION)region->left, width = (JDIMENSION)region->width;
    int block, first, last;

    if (setjmp(d->failing.back))
        return failed(d, err);
    begin(d, file, n);
    jpeg_start_decompress(i);
    jpeg_crop_scanline(i, &left, &width); /* to whole blocks on the left */
    block = i->max_v_samp_factor * DCTSIZE;
    first = region->top / block;
    last = (region->top + region->height - 1) / block;
    *transformed =
        (double)((int)(width + (JDIMENSION)block - 1) / block * block) * (last - first + 1) * block;
    if (region->top > 0)
        jpeg_skip_scanlines(i, (JDIMENSION)region->top);
    for (int y = 0; y < region->height; y++) {
        JSAMPROW row = spare_row(d);

        jpeg_read_scanlines(i, &row, 1);
        memcpy(rgb + (size_t)y * (size_t)region->width * 3, row + ((JDIMENSION)region->left - left) * 3,
               (size_t)region->width * 3);
    }
    jpeg_abort_decompress(i);
    return 0;
}

#else

const char *jpeg_missing(void)
{
    return "this foresight was built without libjpeg-turbo: install libjpeg62-turbo-dev, then configure and "
           "make again";
}

static int missing(struct err *err)
{
    return err_set(err, ERR_PROGRAM, "%s", jpeg_missing());
}

int jpeg_encode(const unsigned char *rgb, int width, int height, int quality, unsigned char **out,
                size_t *size, struct err *err)
{
    (void)rgb, (void)width, (void)height, (void)quality, (void)out, (void)size;
    return missing(err);
}

struct jpeg_decoder *jpeg_decoder_new(void)
{
    return NULL;
}

void jpeg_decoder_free(struct jpeg_decoder *d)
{
    (void)d;
}

int jpeg_size(struct jpeg_decoder *d, const unsigned char *file, size_t n, struct jpeg_size *out,
              struct err *err)
{
    (void)d, (void)file, (void)n, (void)out;
    return missing(err);
}

int jpeg_decode(struct jpeg_decoder *d, const unsigned char *file, size_t n, int reduction,
                unsigned char *rgb, struct err *err)
{
    (void)d, (void)file, (void)n, (void)reduction, (void)rgb;
    return missing(err);
}

int jpeg_decode_region(struct jpeg_decoder *d, const unsigned char *file, size_t n,
                       const struct jpeg_region *region, unsigned char *rgb, double *transformed,
                       struct err *err)
{
    (void)d, (void)file, (void)n, (void)region, (void)rgb, (void)transformed;
    return missing(err);
}

#endif
