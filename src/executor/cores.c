#include "executor/cores.h"

#include "base/arena.h"
#include "executor/host.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct lane {
    const struct cores_work *work;
    void *own;
    int index, threads, repeats;
    pthread_barrier_t *start;
    struct span_buf *spans;
    struct err err;
};

static void *lane_main(void *arg)
{
    struct lane *l = arg;
    int parts = l->work->parts;

    pthread_barrier_wait(l->start);
    for (int i = 0; i < l->repeats && l->err.code == 0; i++) {
        span_begin(l->spans);
        for (int k = 0; k < parts && l->err.code == 0; k++)
            (void)l->work->part(l->own, (k + l->index * parts / l->threads) % parts, &l->err);
        span_end(l->spans, "speed", i, 1, NAN, NAN);
    }
    return NULL;
}

static int run_lanes(struct lane *lanes, int n, int repeats, struct span_log *log, struct err *err)
{
    pthread_barrier_t start;
    pthread_t threads[CORES_THREADS_MAX];
    char variant[16];

    snprintf(variant, sizeof variant, "%d", n);
    pthread_barrier_init(&start, NULL, (unsigned)n);
    for (int i = 0; i < n; i++) {
        lanes[i].threads = n;
        lanes[i].repeats = repeats;
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

int cores_measure(const struct cores_work *work, int repeats, struct span_log *log, struct err *err)
{
    int usable = host_cores(), most = usable > CORES_THREADS_MAX ? CORES_THREADS_MAX : usable, made = 0,
        rc = 0;
    struct lane *lanes = xcalloc((size_t)most, sizeof *lanes);

    for (; made < most && rc == 0; made++) {
        lanes[made] = (struct lane){.work = work, .index = made, .own = xcalloc(1, work->size)};
        rc = work->open(work->ctx, lanes[made].own, err);
    }
    for (int n = 1; n <= most && rc == 0; n = n < 4 ? n + 1 : 2 * n)
        rc = run_lanes(lanes, n, repeats, log, err);
    for (int i = 0; i < made; i++) {
        work->close(lanes[i].own);
        free(lanes[i].own);
    }
    free(lanes);
    return rc;
}
