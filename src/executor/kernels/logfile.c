#include "executor/kernels/logfile.h"

#include "executor/rawlog.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int logfile_open(struct logfile *s, const char *path, unsigned char *chunk, struct err *err)
{
    *s = (struct logfile){.path = path, .chunk = chunk};
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    return s->fd < 0 ? err_io(err, "open", path) : 0;
}

void logfile_close(struct logfile *s)
{
    close(s->fd);
}

int logfile_fill(struct logfile *s, size_t want, struct err *err)
{
    if (s->end - s->at >= want)
        return 0;
    memmove(s->chunk, s->chunk + s->at, s->end - s->at);
    s->end -= s->at;
    s->at = 0;
    while (s->end < LOGFILE_CHUNK) {
        ssize_t n = read(s->fd, s->chunk + s->end, LOGFILE_CHUNK - s->end);

        if (n < 0)
            return err_io(err, "read", s->path);
        if (n == 0)
            return 0;
        s->end += (size_t)n;
        s->bytes += (double)n;
    }
    return 0;
}

int logfile_magic(struct logfile *s, const char *magic, struct err *err)
{
    TRY(logfile_fill(s, RAWLOG_MAGIC, err));
    if (s->end - s->at < RAWLOG_MAGIC || memcmp(s->chunk + s->at, magic, RAWLOG_MAGIC) != 0)
        return err_set(err, ERR_IO, "%s: not a raw log (it should begin with \"%.7s\")", s->path, magic);
    s->at += RAWLOG_MAGIC;
    return 0;
}
