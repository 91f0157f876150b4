/*
 * kernels/photo.h - photographs that nobody took.
 *
 * What a JPEG decoder takes depends on how much of the picture is not smooth.
 * So these have the spectrum of real ones: amplitudes fall about as 1/f (noise
 * of every octave, each finer one weaker by a constant), soft chroma, a few
 * objects with hard edges, and grain.  The class is what most of the objects
 * are coloured like, so there is something to learn.
 */
#ifndef EXECUTOR_KERNELS_PHOTO_H
#define EXECUTOR_KERNELS_PHOTO_H

#include "engine/rng.h"

struct photo_maker; /* room to work in; belongs to one thread */

struct photo_maker *photo_maker_new(int largest_width, int largest_height);
void photo_maker_free(struct photo_maker *m); /* NULL is fine */

/* Red, green, blue, without gaps. */
void photo_draw(struct photo_maker *m, struct rng *r, int width, int height, int class, int classes,
                unsigned char *rgb);

#endif
