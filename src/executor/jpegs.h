/*
 * jpegs.h - a data set of JPEG files: written once, read in runs.
 *
 * photos-HASH/data holds the files one after the other; photos-HASH/index says
 * where each begins, how large and of which class it is.  HASH is of everything
 * they depend on, so that the same data set is found again.
 *
 * Long sides are spread evenly over the range, one in each of `images` equal
 * parts of it, in an order that the seed shuffles: the data set's mean is the
 * range's, whatever the seed.
 */
#ifndef EXECUTOR_JPEGS_H
#define EXECUTOR_JPEGS_H

#include "base/err.h"
#include "models/images.h"

#include <stdbool.h>
#include <stdint.h>

struct jpeg_entry {
    uint64_t offset;
    uint32_t size;
    uint16_t width, height;
    int32_t label;
};

struct jpegs {
    char path[3600]; /* of data */
    long n;
    struct jpeg_entry *entry;
    double bytes; /* of all files */
    uint32_t largest_bytes;
    int largest_width, largest_height;
};

/* Finds the data set below `folder` or makes it there; half-made ones are made again. */
int jpegs_open(const struct image_loader_cfg *c, uint64_t seed, const char *folder, struct jpegs *out,
               struct err *err);
void jpegs_close(struct jpegs *j);

/* Reads runs of neighbours; belongs to one thread. */
struct jpeg_reader {
    const struct jpegs *set;
    int fd;
    bool direct;
    unsigned char *buffer;
    size_t capacity, skip; /* skip: bytes in front of the first image */
    long first;
};

/* *direct: past the page cache; becomes false where the file system refuses that. */
int jpeg_reader_open(struct jpeg_reader *r, const struct jpegs *set, long most_images, bool *direct,
                     struct err *err);
void jpeg_reader_close(struct jpeg_reader *r);

/* Images first .. first + n - 1, in one request; *bytes asked of the disk. */
int jpeg_reader_read(struct jpeg_reader *r, long first, long n, double *bytes, struct err *err);

/* One of those just read; in the reader's buffer until the next read. */
const unsigned char *jpeg_reader_file(const struct jpeg_reader *r, long image);

#endif
