/*
 * queue_threads.c - many threads on the executor's queues, and on whole runs, to be run under the thread
 * sanitizer.  Producers push in any order; every item must leave once and in order; closing in the
 * middle must let everybody go; runs with many workers must give the losses of a run with one.
 */
#include "base/arena.h"
#include "executor/queue.h"
#include "../unit/small_plan.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { PRODUCERS = 4, CONSUMERS = 3, ITEMS = 20000, STRIDE = 8 };

struct shared {
    struct queue *q;
    pthread_mutex_t lock;
    long next_run, popped, limit;
    unsigned char seen[ITEMS];
    char items[ITEMS];
};

/* Takes runs of STRIDE numbers as preprocessing workers take stripes, and pushes them in order. */
static void *produce(void *arg)
{
    struct shared *s = arg;

    for (;;) {
        long from;

        pthread_mutex_lock(&s->lock);
        from = s->next_run;
        s->next_run += STRIDE;
        pthread_mutex_unlock(&s->lock);
        if (from >= ITEMS)
            return NULL;
        for (long i = from; i < from + STRIDE; i++) {
            enum queue_try t = queue_try_push(s->q, (uint64_t)i, (uint64_t)from, &s->items[i]);

            if (t == QUEUE_CLOSED || (t != QUEUE_PUSHED && !queue_push(s->q, (uint64_t)i, &s->items[i])))
                return NULL;
        }
    }
}

static void *consume(void *arg)
{
    struct shared *s = arg;

    for (;;) {
        bool enough;
        char *item;

        pthread_mutex_lock(&s->lock);
        enough = s->popped >= s->limit;
        s->popped += !enough;
        pthread_mutex_unlock(&s->lock);
        if (enough) {
            if (s->limit < ITEMS)
                queue_close(s->q);
            return NULL;
        }
        item = queue_pop(s->q);
        if (item == NULL)
            return NULL;
        s->seen[item - s->items]++;
    }
}

static int queue_round(size_t capacity, long limit)
{
    struct shared *s = xcalloc(1, sizeof *s);
    pthread_t threads[PRODUCERS + CONSUMERS];
    int bad = 0;

    s->q = queue_new(capacity, 0);
    s->limit = limit;
    pthread_mutex_init(&s->lock, NULL);
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
        pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume, s);
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
        pthread_join(threads[i], NULL);
    for (long i = 0; i < ITEMS; i++)
        bad += s->seen[i] > 1 || (limit == ITEMS && s->seen[i] != 1);
    if (bad)
        fprintf(stderr, "capacity %zu, limit %ld: %d items were lost or came twice\n", capacity, limit, bad);
    queue_free(s->q);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return bad;
}

static int run_round(const char *folder)
{
    struct rec_plan plan = small_plan();
    struct exec_options opt = {.folder = folder, .pin = PIN_NONE};
    struct rec_result one, many;
    struct err err = {0};
    int bad;

    if (rec_run(&plan, &opt, NULL, &one, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    plan.etl.workers = plan.storage.workers = 2;
    plan.prep.workers = 4;
    plan.prep.cache = true;
    plan.buffers[0] = plan.buffers[1] = plan.buffers[2] = 1;
    if (rec_run(&plan, &opt, NULL, &many, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    bad = memcmp(one.losses, many.losses, one.batches * sizeof *one.losses) != 0;
    if (bad)
        fprintf(stderr, "many workers trained on other batches than one\n");
    rec_result_free(&one);
    rec_result_free(&many);
    return bad;
}

int main(void)
{
    char *folder = small_folder();
    int bad =
        queue_round(1, ITEMS) + queue_round(5, ITEMS) + queue_round(64, ITEMS) + queue_round(5, ITEMS / 3);

    for (int i = 0; i < 5; i++)
        bad += run_round(folder);
    small_remove(folder);
    return bad != 0;
}
