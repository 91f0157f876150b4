#include "executor/block_file.h"

#include "base/arena.h"
#include "executor/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *path, int flags, bool *direct)
{
    int fd = -1;

    flags |= O_CLOEXEC;
    if (*direct) {
        fd = open(path, flags | O_DIRECT, 0666);
        *direct = fd >= 0 || errno != EINVAL;
    }
    return *direct ? fd : open(path, flags, 0666);
}

static int io_error(struct err *err, const char *doing, const char *what, const char *path)
{
    char text[80];

    snprintf(text, sizeof text, "%s %s", doing, what);
    return err_io(err, text, path);
}

static int write_blocks(int fd, const unsigned char *data, size_t size)
{
    size_t at = 0;

    while (at < size) {
        ssize_t n = pwrite(fd, data + at, size - at, (off_t)at);

        if (n >= 0 && n < DISK_BLOCK && at + (size_t)n < size) {
            errno = ENOSPC; /* a full disk takes a last piece and says so only on the next write */
            n = -1;
        }
        if (n < 0)
            return -1;
        at += at + (size_t)n < size ? (size_t)n / DISK_BLOCK * DISK_BLOCK : (size_t)n;
    }
    return 0;
}

int block_file_write(const char *path, const char *what, const unsigned char *data, size_t size, bool *direct,
                     struct err *err)
{
    int fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, direct), rc = 0;

    if (fd < 0)
        return io_error(err, "create", what, path);
    if (write_blocks(fd, data, size) != 0)
        rc = io_error(err, "write", what, path);
    if (close(fd) != 0 && rc == 0)
        rc = io_error(err, "write", what, path);
    return rc;
}

int block_file_read(const char *path, const char *what, unsigned char *data, size_t room, bool *direct,
                    size_t *size, struct err *err)
{
    int fd = open_file(path, O_RDONLY, direct), rc = 0;
    struct stat st;
    ssize_t n = 0;

    *size = 0;
    if (fd < 0)
        return io_error(err, "open", what, path);
    if (fstat(fd, &st) != 0 || st.st_size < 0)
        rc = io_error(err, "read", what, path);
    else if ((size_t)st.st_size > room)
        rc = err_set(err, ERR_IO, "%s: %s is larger than it can be", path, what);
    while (rc == 0 && *size < (size_t)st.st_size) {
        n = pread(fd, data + *size, memory_round_up((size_t)st.st_size - *size, DISK_BLOCK), (off_t)*size);
        if (n <= 0)
            rc = n < 0 ? io_error(err, "read", what, path)
                       : err_set(err, ERR_IO, "%s: %s ends too early", path, what);
        *size += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return rc;
}
