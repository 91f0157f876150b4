/*
 * kernels/logfile.h - a raw log read chunk by chunk, and the varints in it.
 *
 *     logfile_open(&s, path, chunk, err);  logfile_magic(&s, magic, err);
 *     logfile_fill(&s, longest, err);      then parse from s.chunk + s.at, up to s.chunk + s.end
 *
 * The chunk of LOGFILE_CHUNK bytes is the caller's; what it holds is the raw bytes, nothing is copied twice.
 */
#ifndef EXECUTOR_KERNELS_LOGFILE_H
#define EXECUTOR_KERNELS_LOGFILE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { LOGFILE_CHUNK = 1 << 20, VARINT_MAX = 10 };

struct logfile {
    int fd;
    const char *path;
    unsigned char *chunk;
    size_t at, end; /* what of the chunk is still to be parsed */
    double bytes;   /* read so far */
};

int logfile_open(struct logfile *s, const char *path, unsigned char *chunk, struct err *err);
void logfile_close(struct logfile *s);

/* Sees to it that `want` bytes are there, or all that the file still has. */
int logfile_fill(struct logfile *s, size_t want, struct err *err);
int logfile_magic(struct logfile *s, const char *magic, struct err *err);

/* One varint; NULL when it runs over `end` or is longer than 64 bits need. */
static inline const unsigned char *varint(const unsigned char *p, const unsigned char *end, uint64_t *out)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 7 * VARINT_MAX && p < end; shift += 7) {
        uint64_t b = *p++;

        v |= (b & 0x7f) << shift;
        if (b < 0x80) {
            *out = v;
            return p;
        }
    }
    return NULL;
}

#endif
