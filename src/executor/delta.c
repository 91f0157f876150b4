#include "executor/delta.h"

#include "base/arena.h"
#include "executor/block_file.h"
#include "executor/codec.h"
#include "executor/columnar_layout.h"
#include "executor/kernels/labels.h"
#include "executor/memory.h"

#include <stdlib.h>
#include <string.h>

#define DELTA_MAGIC "FSDELTA1"

struct header {
    char magic[8];
    uint64_t rows, stripe_rows, align, codec, blocks;
    uint64_t checksum; /* of the entries */
};

/* What both sides know of a file before it is there. */
struct layout {
    uint64_t rows, stripe_rows, stripes;
    size_t head;     /* header and entries of as many blocks as there can be */
    size_t capacity; /* of the file */
};

static struct layout layout_of(long rows, long stripe_rows)
{
    struct layout l = {.rows = (uint64_t)rows,
                       .stripe_rows = (uint64_t)stripe_rows,
                       .stripes = (uint64_t)((rows + stripe_rows - 1) / stripe_rows)};
    uint64_t blocks = l.stripes > 2 ? l.stripes : 2;

    l.head = sizeof(struct header) + blocks * sizeof(struct columnar_entry);
    l.capacity = memory_round_up(l.head + codec_bound(KEY_BYTES * (size_t)rows) +
                                     blocks * codec_bound(LABEL_BYTES * (size_t)stripe_rows) +
                                     codec_bound(LABEL_BYTES * (size_t)rows),
                                 DISK_BLOCK);
    return l;
}

/* ---------------------------------------------------------------------------------- writing */

struct delta_writer {
    struct layout layout;
    struct header header;
    struct columnar_entry *entries;
    unsigned char *image;
    size_t at;
    struct codec_context codec;
};

struct delta_writer *delta_writer_new(long rows, long stripe_rows)
{
    struct delta_writer *w = xcalloc(1, sizeof *w);

    w->layout = layout_of(rows, stripe_rows);
    w->entries = memory_new(w->layout.head);
    w->image = memory_new(w->layout.capacity);
    codec_init(&w->codec);
    return w;
}

void delta_writer_free(struct delta_writer *w)
{
    if (w == NULL)
        return;
    free(w->entries);
    free(w->image);
    codec_fini(&w->codec);
    free(w);
}

void delta_begin(struct delta_writer *w, enum label_align align, enum codec codec)
{
    w->header = (struct header){
        .rows = w->layout.rows, .stripe_rows = w->layout.stripe_rows, .align = align, .codec = codec};
    memcpy(w->header.magic, DELTA_MAGIC, sizeof w->header.magic);
    w->at = w->layout.head;
}

double delta_add(struct delta_writer *w, const void *data, size_t bytes)
{
    struct columnar_entry *e = &w->entries[w->header.blocks++];

    ASSERT(sizeof w->header + w->header.blocks * sizeof *e <= w->layout.head);
    *e = (struct columnar_entry){
        .offset = w->at, .encoded = bytes, .checksum = columnar_checksum(data, bytes)};
    e->compressed = codec_compress(&w->codec, (enum codec)w->header.codec, data, bytes, w->image + w->at,
                                   w->layout.capacity - w->at);
    w->at += e->compressed;
    return (double)e->compressed;
}

int delta_write(struct delta_writer *w, const char *path, bool *direct, double *bytes, struct err *err)
{
    size_t entries = w->header.blocks * sizeof *w->entries, end = memory_round_up(w->at, DISK_BLOCK);

    w->header.checksum = columnar_checksum(w->entries, entries);
    memcpy(w->image, &w->header, sizeof w->header);
    memcpy(w->image + sizeof w->header, w->entries, entries);
    memset(w->image + sizeof w->header + entries, 0, w->layout.head - sizeof w->header - entries);
    memset(w->image + w->at, 0, end - w->at);
    *bytes = (double)end;
    return block_file_write(path, "the delta", w->image, end, direct, err);
}

/* ---------------------------------------------------------------------------------- reading */

struct delta_reader {
    struct layout layout;
    struct header header;
    unsigned char *file;
    size_t size;
    char *path;
    uint64_t *keys;
    float *values; /* by position: of all rows */
    struct labels index;
    struct codec_context codec;
};

struct delta_reader *delta_reader_new(long rows, long stripe_rows)
{
    struct delta_reader *r = xcalloc(1, sizeof *r);

    r->layout = layout_of(rows, stripe_rows);
    r->file = memory_new(r->layout.capacity);
    r->keys = memory_new((size_t)rows * sizeof *r->keys);
    r->values = memory_new((size_t)rows * sizeof *r->values);
    labels_init(&r->index, rows);
    codec_init(&r->codec);
    return r;
}

void delta_reader_free(struct delta_reader *r)
{
    if (r == NULL)
        return;
    free(r->file);
    free(r->path);
    free(r->keys);
    free(r->values);
    labels_fini(&r->index);
    codec_fini(&r->codec);
    free(r);
}

static int damaged(const struct delta_reader *r, const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s: not a sound delta: %s", r->path, what);
}

static int check_header(const struct delta_reader *r, struct err *err)
{
    const struct header *h = &r->header;
    uint64_t blocks = h->align == LABEL_BY_KEY ? 2 : r->layout.stripes;

    if (memcmp(h->magic, DELTA_MAGIC, sizeof h->magic) != 0)
        return damaged(r, "it does not begin as one", err);
    if (h->rows != r->layout.rows || h->stripe_rows != r->layout.stripe_rows)
        return damaged(r, "its rows are not those of the table", err);
    if (h->align > LABEL_BY_KEY || h->codec >= CODECS || h->blocks != blocks)
        return damaged(r, "its kind or codec is unknown", err);
    if (columnar_checksum(r->file + sizeof *h, blocks * sizeof(struct columnar_entry)) != h->checksum)
        return damaged(r, "its list of blocks is damaged", err);
    return 0;
}

int delta_read(struct delta_reader *r, const char *path, bool *direct, double *bytes, struct err *err)
{
    free(r->path);
    r->path = xstrdup(path);
    TRY(block_file_read(path, "the delta", r->file, r->layout.capacity, direct, &r->size, err));
    *bytes = (double)r->size;
    if (r->size < r->layout.head)
        return damaged(r, "it is too short", err);
    memcpy(&r->header, r->file, sizeof r->header);
    return check_header(r, err);
}

static int unpack_block(struct delta_reader *r, uint64_t block, void *to, size_t bytes, struct err *err)
{
    struct columnar_entry e;

    memcpy(&e, r->file + sizeof r->header + block * sizeof e, sizeof e);
    if (e.offset > r->size || e.compressed > r->size - e.offset || e.encoded != bytes)
        return damaged(r, "a block lies outside the file or has the wrong length", err);
    if (!codec_decompress(&r->codec, (enum codec)r->header.codec, r->file + e.offset, e.compressed, to,
                          bytes))
        return damaged(r, "a block does not decompress", err);
    if (columnar_checksum(to, bytes) != e.checksum)
        return damaged(r, "a block has the wrong checksum", err);
    return 0;
}

static int unpack_keys(struct delta_reader *r, struct err *err)
{
    size_t rows = r->layout.rows;

    TRY(unpack_block(r, 0, r->keys, KEY_BYTES * rows, err));
    TRY(unpack_block(r, 1, r->values, LABEL_BYTES * rows, err));
    for (size_t i = 0; i < rows; i++)
        r->index.entries[i] = (struct label_entry){r->keys[i], r->values[i]};
    r->index.n = (long)rows;
    labels_index(&r->index);
    return 0;
}

int delta_unpack(struct delta_reader *r, struct err *err)
{
    if (r->header.align == LABEL_BY_KEY)
        return unpack_keys(r, err);
    for (uint64_t i = 0; i < r->layout.stripes; i++) {
        uint64_t first = i * r->layout.stripe_rows, left = r->layout.rows - first;
        uint64_t rows = left < r->layout.stripe_rows ? left : r->layout.stripe_rows;

        TRY(unpack_block(r, i, r->values + first, LABEL_BYTES * rows, err));
    }
    return 0;
}

enum label_align delta_align(const struct delta_reader *r)
{
    return (enum label_align)r->header.align;
}

int delta_merge(const struct delta_reader *r, long stripe, struct stripe *out, struct err *err)
{
    size_t first = (size_t)stripe * r->layout.stripe_rows;

    if (r->header.align == LABEL_BY_KEY)
        return labels_join(&r->index, out->sample, out->label, out->rows, err);
    ASSERT(first + (size_t)out->rows <= r->layout.rows);
    memcpy(out->label, r->values + first, (size_t)out->rows * sizeof *out->label);
    return 0;
}
