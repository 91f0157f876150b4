/*
 * kernels/pixels.h - what is done to the pixels of one image, between decoding and the batch.
 *
 * An image has 3 channels side by side, of bytes or of floats.  Operators write
 * to another buffer, or work in place where they do not change the size.
 *
 *     crop       rows of a rectangle, copied
 *     resize     every pixel becomes the mean of the area it covers: first along x, then along y, in floats;
 *                bytes are rounded again
 *     flip       in place
 *     convert    float = byte / 255
 *     normalize  (v - mean) / deviation of its channel, in place
 *     convert_normalize   both in one pass, bit for bit the same
 *     collate    to planes: [channel][y][x]
 */
#ifndef EXECUTOR_KERNELS_PIXELS_H
#define EXECUTOR_KERNELS_PIXELS_H

#include <stdbool.h>
#include <stddef.h>

struct image {
    int width, height;
    bool floats;
    void *data; /* unsigned char or float, [height][width][3] */
};

size_t image_bytes(const struct image *i);

/* Each takes `to->data` with room enough, and fills in the rest of it. */
void pixels_crop(const struct image *from, int left, int top, int width, int height, struct image *to);
void pixels_convert(const struct image *from, struct image *to);
void pixels_convert_normalize(const struct image *from, struct image *to);

void pixels_normalize(struct image *i);
void pixels_flip(struct image *i);

/* Where a pixel of the result begins and ends in the source; pixels between the two count whole. */
struct cover {
    int first, last;
    float first_share, last_share; /* first_share is all of it when they are the same */
};

/* Room for results of up to so many pixels a side; belongs to one thread. */
struct resizer {
    struct cover *columns;
    float *row, *sum;
};

void resizer_init(struct resizer *r, int largest_output);
void resizer_fini(struct resizer *r);
void pixels_resize(struct resizer *r, const struct image *from, int width, int height, struct image *to);

void pixels_collate(const struct image *from, float *planes);

#endif
