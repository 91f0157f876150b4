#include "executor/profile_speed.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

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
