#include "store/import/source.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { IN_SIZE = 1 << 16, OUT_SIZE = 1 << 17, ZSTD_WINDOW_LOG_MAX = 25 };

enum packing { PLAIN, GZIP, ZSTD };

struct source {
    char *path;
    int fd;
    enum packing packing;
    unsigned char *in; /* bytes of the file */
    size_t in_at, in_n;
    bool in_end, inside; /* inside: a compressed stream has begun and not ended */
    z_stream z;
    bool z_open;
    ZSTD_DStream *zstd;
    char *buf; /* decompressed bytes [at, n) are not taken yet; one byte of room for a NUL */
    size_t at, n, size;
    bool end, marked;  /* marked: a byte order mark at the start has been passed over */
    struct stat found; /* the file as it was opened */
};

static int read_more(struct source *s, struct err *err)
{
    ssize_t got;

    if (s->in_at < s->in_n || s->in_end)
        return 0;
    do
        got = read(s->fd, s->in, IN_SIZE);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_io(err, "read", s->path);
    s->in_at = 0;
    s->in_n = (size_t)got;
    s->in_end = got == 0;
    return 0;
}

static int damaged(struct source *s, const char *what, struct err *err)
{
    return err_set(err, ERR_TRACE, "%s: the %s data is damaged: %s", s->path,
                   s->packing == GZIP ? "gzip" : "zstd", what);
}

static int inflate_some(struct source *s, size_t room, size_t *got, struct err *err)
{
    int rc;

    s->z.next_in = s->in + s->in_at;
    s->z.avail_in = (unsigned)(s->in_n - s->in_at);
    s->z.next_out = (unsigned char *)s->buf + s->n;
    s->z.avail_out = (unsigned)room;
    rc = inflate(&s->z, Z_NO_FLUSH);
    s->inside = rc != Z_STREAM_END;
    s->in_at = s->in_n - s->z.avail_in;
    *got = room - s->z.avail_out;
    if (rc == Z_STREAM_END) {
        inflateReset(&s->z);
        return 0;
    }
    if (rc != Z_OK && rc != Z_BUF_ERROR)
        return damaged(s, s->z.msg != NULL ? s->z.msg : "not a valid stream", err);
    return 0;
}

static int unzstd_some(struct source *s, size_t room, size_t *got, struct err *err)
{
    ZSTD_inBuffer in = {s->in, s->in_n, s->in_at};
    ZSTD_outBuffer out = {s->buf + s->n, room, 0};
    size_t left = ZSTD_decompressStream(s->zstd, &out, &in);

    s->in_at = in.pos;
    *got = out.pos;
    if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
        return err_set(err, ERR_TRACE,
                       "%s: its zstd window is above 32 MiB; pack it again without --long and --ultra",
                       s->path);
    if (ZSTD_isError(left))
        return damaged(s, ZSTD_getErrorName(left), err);
    s->inside = left != 0;
    return 0;
}

/* Appends what the file holds next to the buffer, at most `room` bytes; sets s->end at the end. */
static int fill(struct source *s, size_t room, struct err *err)
{
    size_t got = 0;

    while (got == 0 && !s->end) {
        TRY(read_more(s, err));
        if (s->in_at == s->in_n && !s->inside) {
            s->end = true;
        } else if (s->packing == PLAIN) {
            got = s->in_n - s->in_at < room ? s->in_n - s->in_at : room;
            memcpy(s->buf + s->n, s->in + s->in_at, got);
            s->in_at += got;
        } else {
            size_t before = s->in_at;

            TRY(s->packing == GZIP ? inflate_some(s, room, &got, err) : unzstd_some(s, room, &got, err));
            if (got == 0 && s->in_at == before && s->in_end && s->inside)
                return damaged(s, "it ends too early", err);
        }
    }
    s->n += got;
    return 0;
}

/* Before the first byte is handed out: UTF-8 may begin with a byte order mark; what begins with UTF-16's is
 * not for us. */
static int skip_mark(struct source *s, struct err *err)
{
    if (s->marked)
        return 0;
    s->marked = true;
    while (s->n < 3 && !s->end)
        TRY(fill(s, s->size - s->n, err));
    if (s->n >= 3 && memcmp(s->buf, "\xef\xbb\xbf", 3) == 0) {
        memmove(s->buf, s->buf + 3, s->n - 3);
        s->n -= 3;
    } else if (s->n >= 2 && (memcmp(s->buf, "\xff\xfe", 2) == 0 || memcmp(s->buf, "\xfe\xff", 2) == 0)) {
        return err_set(err, ERR_TRACE, "%s: UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8",
                       s->path);
    }
    return 0;
}

static int start(struct source *s, struct err *err)
{
    if (lseek(s->fd, 0, SEEK_SET) != 0)
        return err_io(err, "read", s->path);
    s->in_at = s->in_n = s->at = s->n = 0;
    s->in_end = s->end = s->inside = s->marked = false;
    TRY(read_more(s, err));
    s->packing = PLAIN;
    if (s->in_n >= 3 && memcmp(s->in, "\x1f\x8b\x08", 3) == 0)
        s->packing = GZIP;
    else if (s->in_n >= 4 && memcmp(s->in, "\x28\xb5\x2f\xfd", 4) == 0)
        s->packing = ZSTD;
    s->inside = s->packing != PLAIN;
    if (s->packing == GZIP && !s->z_open) {
        ASSERT(inflateInit2(&s->z, 15 + 16) == Z_OK);
        s->z_open = true;
    } else if (s->packing == GZIP) {
        inflateReset(&s->z);
    }
    if (s->packing == ZSTD) {
        if (s->zstd == NULL)
            s->zstd = ZSTD_createDStream();
        ASSERT(s->zstd != NULL && !ZSTD_isError(ZSTD_initDStream(s->zstd)));
        ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    }
    return 0;
}

int source_rewind(struct source *s, struct err *err)
{
    return start(s, err);
}

static int open_file(struct source *s, struct err *err)
{
    struct stat *st = &s->found;

    s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, ERR_NOFILE, "%s: no such file", s->path);
    if (s->fd < 0 || fstat(s->fd, st) != 0)
        return err_io(err, "read", s->path);
    if (S_ISDIR(st->st_mode))
        return err_set(err, ERR_IO, "%s: cannot import a folder; name the files in it", s->path);
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_IO, "%s: cannot import from a pipe: the file is read more than once",
                       s->path);
    return start(s, err);
}

int source_open(const char *path, struct source **out, struct err *err)
{
    struct source *s = xcalloc(1, sizeof *s);
    int rc;

    *out = NULL;
    s->path = xstrdup(path);
    s->in = xmalloc(IN_SIZE);
    s->size = OUT_SIZE;
    s->buf = xmalloc(s->size + 1);
    rc = open_file(s, err);
    if (rc != 0) {
        source_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void source_close(struct source *s)
{
    if (s == NULL)
        return;
    if (s->fd >= 0)
        close(s->fd);
    if (s->z_open)
        inflateEnd(&s->z);
    ZSTD_freeDStream(s->zstd);
    free(s->path);
    free(s->in);
    free(s->buf);
    free(s);
}

int source_sha256(struct source *s, char hex[65], int64_t *bytes, struct err *err)
{
    SHA2_CTX ctx;

    SHA256Init(&ctx);
    *bytes = 0;
    TRY(start(s, err));
    while (!s->in_end) {
        SHA256Update(&ctx, s->in, s->in_n);
        *bytes += (int64_t)s->in_n;
        s->in_at = s->in_n;
        TRY(read_more(s, err));
    }
    SHA256End(&ctx, hex);
    return start(s, err);
}

int source_peek(struct source *s, const char **text, size_t *n, size_t most, struct err *err)
{
    ASSERT(s->at == 0 && most <= s->size / 2);
    TRY(skip_mark(s, err));
    while (s->n < most && !s->end)
        TRY(fill(s, s->size - s->n, err));
    *text = s->buf;
    *n = s->n < most ? s->n : most;
    return 0;
}

/* Makes room behind what is not taken yet; false when that is as much as a line may be. */
static bool make_room(struct source *s)
{
    memmove(s->buf, s->buf + s->at, s->n - s->at);
    s->n -= s->at;
    s->at = 0;
    if (s->n < s->size)
        return true;
    if (s->size >= SOURCE_LINE_MAX)
        return false;
    s->size *= 2;
    s->buf = xrealloc(s->buf, s->size + 1, 1);
    return true;
}

/* Throws away the rest of a line that is too long. */
static int drop_line(struct source *s, struct err *err)
{
    for (;;) {
        char *end = memchr(s->buf + s->at, '\n', s->n - s->at);

        if (end != NULL) {
            s->at = (size_t)(end + 1 - s->buf);
            return SOURCE_TOO_LONG;
        }
        s->at = s->n = 0;
        TRY(fill(s, s->size, err));
        if (s->n == 0 && s->end)
            return SOURCE_TOO_LONG;
    }
}

int source_line(struct source *s, char **line, size_t *n, struct err *err)
{
    size_t seen = 0; /* bytes behind s->at without a line end */
    char *end;

    TRY(skip_mark(s, err));
    while ((end = memchr(s->buf + s->at + seen, '\n', s->n - s->at - seen)) == NULL && !s->end) {
        seen = s->n - s->at;
        if (s->n == s->size && !make_room(s))
            return drop_line(s, err);
        TRY(fill(s, s->size - s->n, err));
    }
    if (end == NULL && s->at == s->n)
        return SOURCE_END;
    *line = s->buf + s->at;
    *n = (end != NULL ? (size_t)(end - s->buf) : s->n) - s->at;
    s->at += *n + (end != NULL);
    if (*n > 0 && (*line)[*n - 1] == '\r')
        --*n;
    (*line)[*n] = '\0';
    return SOURCE_LINE;
}

int source_chunk(struct source *s, const char **text, size_t *n, struct err *err)
{
    TRY(skip_mark(s, err));
    if (s->at == s->n) {
        s->at = s->n = 0;
        TRY(fill(s, s->size, err));
    }
    *text = s->buf + s->at;
    *n = s->n - s->at;
    s->at = s->n;
    return 0;
}

bool source_has_changed(const struct source *s)
{
    struct stat now;

    return fstat(s->fd, &now) != 0 || now.st_size != s->found.st_size ||
           now.st_mtim.tv_sec != s->found.st_mtim.tv_sec || now.st_mtim.tv_nsec != s->found.st_mtim.tv_nsec;
}
