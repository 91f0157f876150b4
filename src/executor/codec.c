#include "executor/codec.h"

#include "base/err.h"
#include "executor/memory.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { ZSTD_LEVEL = 1 };

void codec_init(struct codec_context *c)
{
    c->lz4 = memory_new((size_t)LZ4_sizeofState());
    c->compress = ZSTD_createCCtx();
    c->decompress = ZSTD_createDCtx();
    ASSERT(c->compress != NULL && c->decompress != NULL);
}

void codec_fini(struct codec_context *c)
{
    free(c->lz4);
    ZSTD_freeCCtx(c->compress);
    ZSTD_freeDCtx(c->decompress);
}

size_t codec_bound(size_t n)
{
    size_t lz4 = (size_t)LZ4_compressBound((int)n), zstd = ZSTD_compressBound(n);

    return lz4 > zstd ? lz4 : zstd;
}

size_t codec_compress(struct codec_context *c, enum codec codec, const void *from, size_t n, void *to,
                      size_t room)
{
    size_t size = n;

    switch (codec) {
    case CODEC_LZ4:
        size = (size_t)LZ4_compress_fast_extState(c->lz4, from, to, (int)n, (int)room, 1);
        ASSERT(n == 0 || size > 0);
        break;
    case CODEC_ZSTD:
        size = ZSTD_compressCCtx(c->compress, to, room, from, n, ZSTD_LEVEL);
        ASSERT(!ZSTD_isError(size));
        break;
    default:
        ASSERT(n <= room);
        memcpy(to, from, n);
    }
    return size;
}

bool codec_decompress(struct codec_context *c, enum codec codec, const void *from, size_t n, void *to,
                      size_t size)
{
    switch (codec) {
    case CODEC_LZ4:
        return size == 0 || LZ4_decompress_safe(from, to, (int)n, (int)size) == (int)size;
    case CODEC_ZSTD:
        return ZSTD_decompressDCtx(c->decompress, to, size, from, n) == size;
    default:
        if (n == size)
            memcpy(to, from, size);
        return n == size;
    }
}
