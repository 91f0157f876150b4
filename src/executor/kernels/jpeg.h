/*
 * kernels/jpeg.h - JPEG by libjpeg-turbo: bytes of a file to pixels, and back.
 *
 * Pixels are rows of red, green, blue, a byte each, without gaps.  Chroma has
 * half the resolution either way and is spread by repeating it ("plain"
 * upsampling): so what a block decodes to depends on that block alone, and
 * decoding a region gives the bits that decoding everything and cutting the
 * region out would give.
 *
 * A decoder belongs to one thread.  Files are foreign bytes: what is broken in
 * one becomes an error that says what libjpeg found.
 *
 * Without libjpeg-turbo at build time every function fails and says so.
 */
#ifndef EXECUTOR_KERNELS_JPEG_H
#define EXECUTOR_KERNELS_JPEG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* NULL, or why there is no JPEG here. */
const char *jpeg_missing(void);

/* *out is for the caller to free. */
int jpeg_encode(const unsigned char *rgb, int width, int height, int quality, unsigned char **out,
                size_t *size, struct err *err);

struct jpeg_decoder;

struct jpeg_decoder *jpeg_decoder_new(void);
void jpeg_decoder_free(struct jpeg_decoder *d); /* NULL is fine */

struct jpeg_size {
    int width, height;
};

int jpeg_size(struct jpeg_decoder *d, const unsigned char *file, size_t n, struct jpeg_size *out,
              struct err *err);

/* Each side divided by `reduction`, 1, 2 or 4, and rounded up; rgb has room for that. */
int jpeg_decode(struct jpeg_decoder *d, const unsigned char *file, size_t n, int reduction,
                unsigned char *rgb, struct err *err);

struct jpeg_region {
    int left, top, width, height; /* of the photograph, in pixels; inside it */
};

/*
 * Only the region.  *transformed: pixels that went through the inverse transform, whole blocks of them.
 * Everything above the region is still walked through, bit by bit; what lies below is not touched.
 */
int jpeg_decode_region(struct jpeg_decoder *d, const unsigned char *file, size_t n,
                       const struct jpeg_region *region, unsigned char *rgb, double *transformed,
                       struct err *err);

#endif
