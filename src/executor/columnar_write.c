#include "executor/columnar_layout.h"

#include "base/arena.h"
#include "executor/block_file.h"
#include "executor/codec.h"
#include "executor/memory.h"

#include <stdlib.h>
#include <string.h>

struct columnar_writer {
    struct columnar_shape shape;
    unsigned char *encoded;         /* streams back to back, see columnar_encoded_bytes() */
    unsigned char **cursors;        /* where the next row of each stream goes */
    struct columnar_entry *entries; /* [stripe][stream] */
    unsigned char *image;           /* the file as it will be on disk */
    size_t image_size, image_capacity;
    struct codec_context codec;
};

static size_t image_bound(const struct columnar_shape *s)
{
    size_t sum = 2 * DISK_BLOCK + sizeof *s + s->stripes * s->streams * sizeof(struct columnar_entry);

    for (uint64_t i = 0; i < s->streams; i++)
        sum += s->stripes * codec_bound(columnar_width(s, i) * s->stripe_rows);
    return memory_round_up(sum + s->stripes * DISK_BLOCK, DISK_BLOCK);
}

struct columnar_writer *columnar_writer_new(const struct dataset_cfg *d, long rows, long stripe_rows)
{
    struct columnar_writer *w = xcalloc(1, sizeof *w);

    w->shape = columnar_shape_of(d, rows, stripe_rows);
    w->encoded = memory_new(w->shape.stripes * columnar_encoded_bytes(&w->shape, w->shape.stripe_rows));
    w->cursors = xcalloc(w->shape.streams, sizeof *w->cursors);
    w->entries = memory_new(w->shape.stripes * w->shape.streams * sizeof *w->entries);
    w->image_capacity = image_bound(&w->shape);
    w->image = memory_new(w->image_capacity);
    codec_init(&w->codec);
    return w;
}

void columnar_writer_free(struct columnar_writer *w)
{
    if (w == NULL)
        return;
    free(w->encoded);
    free(w->cursors);
    free(w->entries);
    free(w->image);
    codec_fini(&w->codec);
    free(w);
}

/* ----------------------------------------------------------------------------------- encode */

static uint64_t stripe_rows_of(const struct columnar_shape *s, uint64_t stripe)
{
    uint64_t left = s->rows - stripe * s->stripe_rows;

    return left < s->stripe_rows ? left : s->stripe_rows;
}

static void put(unsigned char **cursor, const void *data, size_t n)
{
    memcpy(*cursor, data, n);
    *cursor += n;
}

/* Row by row: reading stays sequential and every stream has its own place to write. */
static void encode_rows(struct columnar_writer *w, const struct row_table *t, size_t from, size_t n)
{
    const struct columnar_shape *s = &w->shape;
    unsigned char **sparse = w->cursors + STREAM_DENSE + s->dense;
    size_t features = s->session_features + s->item_features, list = s->list_length;

    for (size_t i = from; i < from + n; i++) {
        const uint64_t *ids = t->sparse_rows + i * t->values;

        put(&w->cursors[STREAM_SESSION], &t->session[i], 8);
        put(&w->cursors[STREAM_TIME], &t->time_us[i], 8);
        put(&w->cursors[STREAM_SAMPLE], &t->sample[i], 8);
        put(&w->cursors[STREAM_LABEL], &t->label[i], 4);
        for (size_t k = 0; k < s->dense; k++)
            put(&w->cursors[STREAM_DENSE + k], &t->dense_rows[i * t->dense + k], 4);
        for (size_t f = 0; f < features; f++)
            put(&sparse[f], ids + f * list, 8 * list);
    }
}

double columnar_encode(struct columnar_writer *w, const struct row_table *t, enum table_order order)
{
    struct columnar_shape *s = &w->shape;
    struct columnar_entry *e = w->entries;
    unsigned char *at = w->encoded;
    double bytes = 0;

    ASSERT((uint64_t)t->rows == s->rows);
    s->order = order;
    for (uint64_t stripe = 0; stripe < s->stripes; stripe++, e += s->streams) {
        uint64_t rows = stripe_rows_of(s, stripe);
        unsigned char *start = at;

        for (uint64_t i = 0; i < s->streams; i++) {
            e[i].encoded = columnar_width(s, i) * rows;
            w->cursors[i] = at;
            at += memory_round_up(e[i].encoded, 8);
        }
        encode_rows(w, t, stripe * s->stripe_rows, rows);
        for (uint64_t i = 0; i < s->streams; i++) {
            e[i].checksum = columnar_checksum(start, e[i].encoded);
            start += memory_round_up(e[i].encoded, 8);
            bytes += (double)e[i].encoded;
        }
    }
    return bytes;
}

double columnar_encode_stripe(struct columnar_writer *w, long stripe, const struct stripe *from,
                              enum table_order order)
{
    struct columnar_shape *s = &w->shape;
    struct columnar_entry *e = w->entries + (uint64_t)stripe * s->streams;
    unsigned char *at = w->encoded + (uint64_t)stripe * columnar_encoded_bytes(s, s->stripe_rows);
    uint64_t rows = stripe_rows_of(s, (uint64_t)stripe);
    double bytes = 0;

    ASSERT((uint64_t)from->rows == rows);
    s->order = order;
    for (uint64_t i = 0; i < s->streams; i++) {
        e[i].encoded = columnar_width(s, i) * rows;
        memcpy(at, columnar_column(s, (struct stripe *)from, i), e[i].encoded);
        e[i].checksum = columnar_checksum(at, e[i].encoded);
        at += memory_round_up(e[i].encoded, 8);
        bytes += (double)e[i].encoded;
    }
    return bytes;
}

/* --------------------------------------------------------------------------------- compress */

static unsigned char *pad(struct columnar_writer *w, unsigned char *at)
{
    unsigned char *end = w->image + memory_round_up((size_t)(at - w->image), DISK_BLOCK);

    memset(at, 0, (size_t)(end - at));
    return end;
}

static void write_footer(struct columnar_writer *w, unsigned char *at)
{
    const struct columnar_shape *s = &w->shape;
    size_t entries = s->stripes * s->streams * sizeof *w->entries;
    struct columnar_tail tail = {.footer = (uint64_t)(at - w->image), .bytes = sizeof *s + entries};
    unsigned char *start = at;

    memcpy(tail.magic, COLUMNAR_MAGIC, sizeof tail.magic);
    put(&at, s, sizeof *s);
    put(&at, w->entries, entries);
    tail.checksum = columnar_checksum(start, tail.bytes);
    at = pad(w, at + sizeof tail);
    memset(start + tail.bytes, 0, (size_t)(at - start) - tail.bytes);
    memcpy(at - sizeof tail, &tail, sizeof tail);
    w->image_size = (size_t)(at - w->image);
    ASSERT(w->image_size <= w->image_capacity);
}

double columnar_compress(struct columnar_writer *w, enum codec codec)
{
    struct columnar_shape *s = &w->shape;
    struct columnar_entry *e = w->entries;
    const unsigned char *from = w->encoded;
    unsigned char *at = w->image;
    double bytes = 0;

    s->codec = codec;
    for (uint64_t stripe = 0; stripe < s->stripes; stripe++) {
        for (uint64_t i = 0; i < s->streams; i++, e++) {
            size_t room = w->image_capacity - (size_t)(at - w->image);

            e->offset = (uint64_t)(at - w->image);
            e->compressed = codec_compress(&w->codec, codec, from, e->encoded, at, room);
            at += e->compressed;
            from += memory_round_up(e->encoded, 8);
            bytes += (double)e->compressed;
        }
        at = pad(w, at);
    }
    write_footer(w, at);
    return bytes;
}

double columnar_compress_used(struct columnar_writer *w, enum codec codec, const struct columnar_uses *uses,
                              double *encoded)
{
    const struct columnar_shape *s = &w->shape;
    const unsigned char *from = w->encoded;
    unsigned char *at = w->image;

    *encoded = 0;
    for (uint64_t i = 0; i < s->stripes * s->streams; i++) {
        const struct columnar_entry *e = &w->entries[i];

        if (columnar_wanted(s, i % s->streams, uses)) {
            at += codec_compress(&w->codec, codec, from, e->encoded, at,
                                 w->image_capacity - (size_t)(at - w->image));
            *encoded += (double)e->encoded;
        }
        from += memory_round_up(e->encoded, 8);
    }
    return (double)(at - w->image);
}

/* ------------------------------------------------------------------------------------ write */

int columnar_write(struct columnar_writer *w, const char *path, bool *direct, double *bytes, struct err *err)
{
    *bytes = (double)w->image_size;
    return block_file_write(path, "the table", w->image, w->image_size, direct, err);
}
