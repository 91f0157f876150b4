#include "engine/replicate.h"

#include "base/arena.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdlib.h>

struct crew {
    atomic_uint_fast64_t next; /* wider than a replication, so that counting past `to` cannot wrap */
    uint64_t to;
    atomic_bool failing;
    replicate_fn *fn;
    void *ctx;
    pthread_mutex_t lock;
    uint64_t failed; /* the lowest so far; under the lock, as *err */
    int code;
    struct err *err;
};

static void record(struct crew *crew, uint64_t replication, int code, const struct err *err)
{
    pthread_mutex_lock(&crew->lock);
    if (replication < crew->failed) {
        crew->failed = replication;
        crew->code = code;
        if (crew->err != NULL)
            *crew->err = *err;
    }
    pthread_mutex_unlock(&crew->lock);
    atomic_store(&crew->failing, true);
}

/*
 * Replications are taken in index order and one that was taken is always
 * finished, so every replication below a failed one has run: the lowest
 * failure is the same for any number of threads.
 */
static void *work(void *arg)
{
    struct crew *crew = arg;
    uint64_t r;

    while (!atomic_load(&crew->failing) && (r = atomic_fetch_add(&crew->next, 1)) < crew->to) {
        struct err err = {0};
        int code = crew->fn(crew->ctx, (uint32_t)r, &err);

        if (code != 0)
            record(crew, r, code, &err);
    }
    return NULL;
}

/* The cores this process may use, which may be fewer than the machine has. */
static int cores_here(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return CPU_COUNT(&set);
}

int replicate_run(uint32_t from, uint32_t to, int threads, replicate_fn *fn, void *ctx, struct err *err)
{
    struct crew crew = {.next = from, .to = to, .fn = fn, .ctx = ctx, .failed = UINT64_MAX, .err = err};
    uint32_t count = to > from ? to - from : 0;
    pthread_t *thread;
    int started = 0;

    if (threads <= 0)
        threads = cores_here();
    if ((uint32_t)threads > count)
        threads = (int)count;
    thread = xcalloc((size_t)threads, sizeof *thread);
    pthread_mutex_init(&crew.lock, NULL);
    /* The caller works too; when the system gives no more threads, fewer do the same work. */
    while (started < threads - 1 && pthread_create(&thread[started], NULL, work, &crew) == 0)
        started++;
    work(&crew);
    while (started > 0)
        pthread_join(thread[--started], NULL);
    pthread_mutex_destroy(&crew.lock);
    free(thread);
    return crew.code;
}
