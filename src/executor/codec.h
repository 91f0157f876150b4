/*
 * codec.h - compressing blocks of bytes: not at all, with lz4, with zstd at its fastest level.
 *
 * A context keeps what the codecs need between calls, so that a call allocates
 * nothing; it belongs to one thread.
 */
#ifndef EXECUTOR_CODEC_H
#define EXECUTOR_CODEC_H

#include "models/etl.h"

#include <stdbool.h>

struct codec_context {
    void *lz4;
    struct ZSTD_CCtx_s *compress;
    struct ZSTD_DCtx_s *decompress;
};

void codec_init(struct codec_context *c);
void codec_fini(struct codec_context *c);

/* At most so many bytes come out of n. */
size_t codec_bound(size_t n);

/* Returns the bytes written; `room` must be codec_bound(n) for any input, less only stops the program. */
size_t codec_compress(struct codec_context *c, enum codec codec, const void *from, size_t n, void *to,
                      size_t room);

/* False when `n` bytes do not decompress to exactly `size`. */
bool codec_decompress(struct codec_context *c, enum codec codec, const void *from, size_t n, void *to,
                      size_t size);

#endif
