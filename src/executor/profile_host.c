#include "executor/profile_host.h"

#include "executor/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------- disk */

static int disk_once(const char *path, bool writing, bool direct, unsigned char *data, size_t n,
                     struct err *err)
{
    int flags = (writing ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY) | O_CLOEXEC | (direct ? O_DIRECT : 0);
    int fd = open(path, flags, 0666);
    ssize_t k;

    if (fd < 0)
        return err_io(err, "open", path);
    k = writing ? pwrite(fd, data, n, 0) : pread(fd, data, n, 0);
    close(fd);
    if (k == (ssize_t)n)
        return 0;
    if (k >= 0)
        errno = writing ? ENOSPC : EIO;
    return err_io(err, writing ? "write" : "read", path);
}

int profile_disk_requests(const char *folder, bool direct, size_t smallest, int sizes, int repeats,
                          struct span_log *log, struct err *err)
{
    struct span_buf *spans = span_log_thread(log, "disk", 0);
    size_t largest = smallest << (sizes - 1);
    unsigned char *data = memory_new(largest);
    struct err ignored = {0};
    char path[4096];
    int rc = 0;

    snprintf(path, sizeof path, "%s/disk", folder);
    for (size_t i = 0; i < largest; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 13);
    if (direct && disk_once(path, true, true, data, smallest, &ignored) != 0)
        direct = false;
    spans->variant = direct ? "direct" : "buffered";
    for (int i = 0; i < repeats * sizes && rc == 0; i++) {
        size_t n = smallest << (i % sizes);

        span_begin(spans);
        rc = disk_once(path, true, direct, data, n, err);
        span_end(spans, "disk_write", i, 1, (double)n, (double)n);
        if (rc != 0)
            break;
        span_begin(spans);
        rc = disk_once(path, false, direct, data, n, err);
        span_end(spans, "disk_read", i, 1, (double)n, (double)n);
    }
    unlink(path);
    free(data);
    return rc;
}

/* ------------------------------------------------------------------------------------ cores */

struct lane {
    profile_work_fn *once;
    void *work;
    int index, threads, repeats;
    pthread_barrier_t *start;
    struct span_buf *spans;
    struct err err;
};

static void *lane_main(void *arg)
{
    struct lane *l = arg;

    pthread_barrier_wait(l->start);
    for (int i = 0; i < l->repeats && l->err.code == 0; i++) {
        span_begin(l->spans);
        (void)l->once(l->work, l->index, l->threads, &l->err);
        span_end(l->spans, "speed", i, 1, NAN, NAN);
    }
    return NULL;
}

static int run_lanes(struct lane *lanes, int n, struct span_log *log, struct err *err)
{
    pthread_barrier_t start;
    pthread_t threads[PROFILE_THREADS];
    char variant[16];

    snprintf(variant, sizeof variant, "%d", n);
    pthread_barrier_init(&start, NULL, (unsigned)n);
    for (int i = 0; i < n; i++) {
        lanes[i].threads = n;
        lanes[i].start = &start;
        lanes[i].spans = span_log_thread(log, "cores", i);
        lanes[i].spans->variant = span_log_keep(log, variant);
    }
    /* The barrier counts on everybody: a thread that cannot be started is our own bug or a dying machine. */
    for (int i = 0; i < n; i++)
        ASSERT(pthread_create(&threads[i], NULL, lane_main, &lanes[i]) == 0);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    for (int i = 0; i < n; i++)
        if (lanes[i].err.code != 0) {
            *err = lanes[i].err;
            return err->code;
        }
    return 0;
}

int profile_speed(profile_work_fn *once, void *const *lanes, int most, int repeats, struct span_log *log,
                  struct err *err)
{
    struct lane all[PROFILE_THREADS];

    ASSERT(most <= PROFILE_THREADS);
    for (int i = 0; i < most; i++)
        all[i] = (struct lane){.once = once, .work = lanes[i], .index = i, .repeats = repeats};
    for (int n = 1; n <= most; n = n < 4 ? n + 1 : 2 * n)
        TRY(run_lanes(all, n, log, err));
    return 0;
}
