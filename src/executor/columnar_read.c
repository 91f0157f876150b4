#include "executor/columnar_layout.h"

#include "base/arena.h"
#include "executor/codec.h"
#include "executor/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Streams closer together than this are fetched by one request: reading a little too much beats asking twice.
 */
enum { COALESCE_GAP = 4 * DISK_BLOCK, NAME_MAX_BYTES = 64 };

struct columnar_reader {
    struct columnar_shape expected, shape;
    struct columnar_entry *entries; /* [stripe][stream] */
    char *path;
    int fd;
    uint64_t file_bytes;
    unsigned char *io; /* what the disk gave: the wanted parts of one stripe, each at a disk block */
    size_t io_capacity;
    unsigned char *encoded;       /* decompressed streams of one stripe */
    const unsigned char **source; /* per stream: its compressed bytes in io; NULL: not wanted */
    const unsigned char **plain;  /* per stream: its encoded bytes */
    long stripe;                  /* which stripe is in the buffers */
    struct codec_context codec;
};

static size_t stripe_bound(const struct columnar_shape *s)
{
    size_t sum = 0;

    for (uint64_t i = 0; i < s->streams; i++) {
        size_t n = columnar_width(s, i) * s->stripe_rows;

        sum += n + n / 128 + 1024; /* codecs promise at most this for what they cannot compress */
    }
    return sum;
}

struct columnar_reader *columnar_reader_new(const struct dataset_cfg *d, long rows, long stripe_rows)
{
    struct columnar_reader *r = xcalloc(1, sizeof *r);
    size_t footer;

    r->expected = columnar_shape_of(d, rows, stripe_rows);
    footer = sizeof r->shape + r->expected.stripes * r->expected.streams * sizeof *r->entries;
    r->io_capacity = memory_round_up(stripe_bound(&r->expected) + footer, DISK_BLOCK) + 4 * DISK_BLOCK;
    r->io = memory_new(r->io_capacity);
    r->entries = memory_new(footer);
    r->encoded = memory_new(columnar_encoded_bytes(&r->expected, r->expected.stripe_rows));
    r->source = xcalloc(r->expected.streams, sizeof *r->source);
    r->plain = xcalloc(r->expected.streams, sizeof *r->plain);
    codec_init(&r->codec);
    r->fd = -1;
    return r;
}

void columnar_reader_free(struct columnar_reader *r)
{
    if (r == NULL)
        return;
    columnar_close(r);
    free(r->io);
    free(r->entries);
    free(r->encoded);
    free(r->source);
    free(r->plain);
    codec_fini(&r->codec);
    free(r);
}

void columnar_close(struct columnar_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    free(r->path);
    r->path = NULL;
}

long columnar_stripes(const struct columnar_reader *r)
{
    return (long)r->shape.stripes;
}

enum codec columnar_codec(const struct columnar_reader *r)
{
    return (enum codec)r->shape.codec;
}

enum table_order columnar_order(const struct columnar_reader *r)
{
    return (enum table_order)r->shape.order;
}

/* ------------------------------------------------------------------------------- the footer */

static int damaged(const struct columnar_reader *r, const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s: not a sound table file: %s", r->path, what);
}

/* [offset, offset + n) into io + at, widened to disk blocks; *data: where the byte at `offset` lands. */
static int fetch(struct columnar_reader *r, uint64_t offset, uint64_t n, size_t *at,
                 const unsigned char **data, double *bytes, struct err *err)
{
    uint64_t from = offset / DISK_BLOCK * DISK_BLOCK, to = memory_round_up(offset + n, DISK_BLOCK);
    size_t got = 0, want = to - from;

    if (*at + want > r->io_capacity)
        return damaged(r, "a stripe is larger than its rows can be", err);
    while (got < want) {
        ssize_t k = pread(r->fd, r->io + *at + got, want - got, (off_t)(from + got));

        if (k < 0)
            return err_io(err, "read the table", r->path);
        if (k == 0)
            return damaged(r, "it ends too early", err);
        got += (size_t)k;
    }
    *data = r->io + *at + (offset - from);
    *at += want;
    *bytes += (double)want;
    return 0;
}

static int check_shape(struct columnar_reader *r, struct err *err)
{
    struct columnar_shape plain = r->shape;

    plain.order = plain.codec = 0;
    if (memcmp(&plain, &r->expected, sizeof plain) != 0)
        return damaged(r, "its rows or columns are not those of this data set", err);
    if (r->shape.codec >= CODECS || r->shape.order > ORDER_SESSION)
        return damaged(r, "its codec or order is unknown", err);
    return 0;
}

static int check_entries(struct columnar_reader *r, uint64_t data_end, struct err *err)
{
    const struct columnar_shape *s = &r->shape;
    uint64_t last = 0;

    for (uint64_t i = 0; i < s->stripes * s->streams; i++) {
        const struct columnar_entry *e = &r->entries[i];
        uint64_t stripe = i / s->streams, left = s->rows - stripe * s->stripe_rows;
        uint64_t rows = left < s->stripe_rows ? left : s->stripe_rows;

        if (e->encoded != columnar_width(s, i % s->streams) * rows)
            return damaged(r, "a stream has the wrong length", err);
        if (e->offset < last || e->offset > data_end || e->compressed > data_end - e->offset)
            return damaged(r, "a stream lies outside the data", err);
        last = e->offset + e->compressed;
    }
    return 0;
}

static int read_footer(struct columnar_reader *r, double *requests, double *bytes, struct err *err)
{
    const struct columnar_shape *s = &r->expected;
    uint64_t size = sizeof *s + s->stripes * s->streams * sizeof(struct columnar_entry);
    uint64_t span = memory_round_up(size + sizeof(struct columnar_tail), DISK_BLOCK);
    const unsigned char *data;
    struct columnar_tail tail;
    size_t at = 0;

    if (r->file_bytes < span || r->file_bytes % DISK_BLOCK != 0)
        return damaged(r, "it is too short", err);
    TRY(fetch(r, r->file_bytes - span, span, &at, &data, bytes, err));
    *requests += 1;
    memcpy(&tail, data + span - sizeof tail, sizeof tail);
    if (memcmp(tail.magic, COLUMNAR_MAGIC, sizeof tail.magic) != 0)
        return damaged(r, "it does not end as one", err);
    if (tail.bytes != size)
        return damaged(r, "its rows or columns are not those of this data set", err);
    if (tail.footer != r->file_bytes - span || tail.checksum != columnar_checksum(data, size))
        return damaged(r, "its footer is damaged", err);
    memcpy(&r->shape, data, sizeof r->shape);
    TRY(check_shape(r, err));
    memcpy(r->entries, data + sizeof r->shape, size - sizeof r->shape);
    return check_entries(r, tail.footer, err);
}

int columnar_open(struct columnar_reader *r, const char *path, bool *direct, double *requests, double *bytes,
                  struct err *err)
{
    struct stat st;

    columnar_close(r);
    r->stripe = -1;
    r->path = xstrdup(path);
    *requests = *bytes = 0;
    if (*direct) {
        r->fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
        *direct = r->fd >= 0 || errno != EINVAL;
    }
    if (!*direct)
        r->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0 || fstat(r->fd, &st) != 0)
        return err_io(err, "open the table", path);
    r->file_bytes = (uint64_t)st.st_size;
    return read_footer(r, requests, bytes, err);
}

/* ----------------------------------------------------------------------------------- stripes */

static const struct columnar_entry *stripe_entries(const struct columnar_reader *r, long stripe)
{
    return r->entries + (uint64_t)stripe * r->shape.streams;
}

/* The wanted streams from `first` on that one request will fetch; returns the stream after the last of them.
 */
static uint64_t request_end(const struct columnar_reader *r, const struct columnar_entry *e, uint64_t first,
                            const struct columnar_uses *uses)
{
    uint64_t end = first + 1;

    for (uint64_t i = end; i < r->shape.streams; i++) {
        if (!columnar_wanted(&r->shape, i, uses))
            continue;
        if (e[i].offset - (e[end - 1].offset + e[end - 1].compressed) > COALESCE_GAP)
            break;
        end = i + 1;
    }
    return end;
}

int columnar_read(struct columnar_reader *r, long stripe, const struct columnar_uses *uses, double *requests,
                  double *bytes, struct err *err)
{
    const struct columnar_entry *e = stripe_entries(r, stripe);
    size_t at = 0;

    ASSERT(stripe >= 0 && (uint64_t)stripe < r->shape.stripes);
    memset(r->source, 0, r->shape.streams * sizeof *r->source);
    r->stripe = stripe;
    *requests = *bytes = 0;
    for (uint64_t i = 0, end; i < r->shape.streams; i = end) {
        const unsigned char *data;

        end = i + 1;
        if (!columnar_wanted(&r->shape, i, uses))
            continue;
        end = request_end(r, e, i, uses);
        TRY(fetch(r, e[i].offset, e[end - 1].offset + e[end - 1].compressed - e[i].offset, &at, &data, bytes,
                  err));
        *requests += 1;
        for (uint64_t k = i; k < end; k++)
            if (columnar_wanted(&r->shape, k, uses))
                r->source[k] = data + (e[k].offset - e[i].offset);
    }
    return 0;
}

static int stream_damaged(const struct columnar_reader *r, uint64_t stream, const char *what, struct err *err)
{
    char name[NAME_MAX_BYTES];

    columnar_name(&r->shape, stream, name, sizeof name);
    return err_set(err, ERR_IO, "%s: stripe %ld, stream \"%s\": %s; the file is damaged", r->path, r->stripe,
                   name, what);
}

int columnar_decompress(struct columnar_reader *r, double *compressed, double *encoded, struct err *err)
{
    const struct columnar_entry *e = stripe_entries(r, r->stripe);
    unsigned char *to = r->encoded;

    *compressed = *encoded = 0;
    for (uint64_t i = 0; i < r->shape.streams; i++) {
        r->plain[i] = NULL;
        if (r->source[i] == NULL)
            continue;
        if (!codec_decompress(&r->codec, (enum codec)r->shape.codec, r->source[i], e[i].compressed, to,
                              e[i].encoded))
            return stream_damaged(r, i, "does not decompress", err);
        r->plain[i] = to;
        to += memory_round_up(e[i].encoded, 8);
        *compressed += (double)e[i].compressed;
        *encoded += (double)e[i].encoded;
    }
    return 0;
}

int columnar_decode(struct columnar_reader *r, struct stripe *out, double *values, struct err *err)
{
    const struct columnar_shape *s = &r->shape;
    const struct columnar_entry *e = stripe_entries(r, r->stripe);

    *values = 0;
    out->rows = (long)(e[STREAM_SESSION].encoded / 8);
    ASSERT(out->rows <= out->capacity && (uint64_t)out->list_length == s->list_length);
    for (uint64_t i = 0; i < s->streams; i++) {
        void *to;

        if (r->plain[i] == NULL)
            continue;
        if (columnar_checksum(r->plain[i], e[i].encoded) != e[i].checksum)
            return stream_damaged(r, i, "wrong checksum", err);
        to = columnar_column(s, out, i);
        memcpy(to, r->plain[i], e[i].encoded);
        if (i >= STREAM_DENSE)
            *values += (double)(e[i].encoded / (i < STREAM_DENSE + s->dense ? 4 : 8));
    }
    return 0;
}
