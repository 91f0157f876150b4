#include "executor/crew.h"

#include "base/arena.h"
#include "executor/span_log.h"
#include "executor/threads.h"

#include <math.h>
#include <stdlib.h>

void crew_init(struct crew *c, const struct exec_options *opt, int (*body)(void *worker, struct err *err),
               void (*wake)(void *ctx), void *ctx)
{
    *c = (struct crew){.opt = opt, .body = body, .wake = wake, .ctx = ctx};
    pthread_mutex_init(&c->lock, NULL);
    counter_init(&c->ready);
    counter_init(&c->go);
}

void crew_fini(struct crew *c)
{
    pthread_mutex_destroy(&c->lock);
    counter_fini(&c->ready);
    counter_fini(&c->go);
}

void crew_fail(struct crew *c, const struct err *e)
{
    pthread_mutex_lock(&c->lock);
    if (c->failure.code == 0)
        c->failure = *e;
    pthread_mutex_unlock(&c->lock);
    c->wake(c->ctx);
}

static void *member_main(void *arg)
{
    struct member *m = arg;
    struct err err = {0};
    double before;

    threads_block_signals();
    counter_add(&m->crew->ready);
    (void)counter_wait(&m->crew->go, 1);
    before = clock_cpu_s();
    if (m->crew->body(m, &err) != 0) {
        err_at(&err, "stage \"%s\"", m->sum.name);
        crew_fail(m->crew, &err);
    }
    m->sum.cpu_s = clock_cpu_s() - before;
    m->end_s = clock_wall_s();
    return NULL;
}

/* Who has nothing left to do waits for the others: that time is without input, too. */
static void wait_for_last(char *workers, size_t size, int n)
{
    double last_s = 0;

    for (int i = 0; i < n; i++)
        last_s = fmax(last_s, ((struct member *)(workers + (size_t)i * size))->end_s);
    for (int i = 0; i < n; i++) {
        struct member *m = (struct member *)(workers + (size_t)i * size);

        m->sum.starved_s += last_s - m->end_s;
    }
}

int crew_run(struct crew *c, void *workers, size_t size, int n, struct span_log *log, double *start_s,
             struct err *err)
{
    pthread_t *threads = xcalloc((size_t)n, sizeof *threads);
    int started, rc = threads_start(c->opt, member_main, workers, size, n, threads, &started, err);

    if (rc != 0)
        crew_fail(c, err);
    else
        (void)counter_wait(&c->ready, n);
    span_log_start(log);
    *start_s = clock_wall_s();
    counter_set(&c->go, 1);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    wait_for_last(workers, size, started);
    if (rc == 0 && c->failure.code != 0) {
        *err = c->failure;
        rc = err->code;
    }
    return rc;
}

/* ---------------------------------------------------------------------------------- waiting */

void *member_take(struct member *m, struct queue *q)
{
    double before = clock_wall_s();
    void *item = queue_pop(q);

    m->sum.starved_s += clock_wall_s() - before;
    m->sum.items_in += item != NULL;
    return item;
}

bool member_give(struct member *m, struct queue *q, uint64_t sequence, void *item)
{
    double before = clock_wall_s();
    bool open = queue_push(q, sequence, item);

    m->sum.blocked_s += clock_wall_s() - before;
    m->sum.items_out += open;
    return open;
}

void *member_reserve(struct member *m, struct pool *p)
{
    double before = clock_wall_s();
    void *object = pool_get(p);

    m->sum.blocked_s += clock_wall_s() - before;
    return object;
}

bool member_wait(struct member *m, struct counter *c, long value)
{
    double before = clock_wall_s();
    bool reached = counter_wait(c, value);

    m->sum.starved_s += clock_wall_s() - before;
    return reached;
}

void member_add(struct exec_stage *stage, const struct member *m)
{
    stage->workers++;
    stage->busy_s += m->sum.busy_s;
    stage->cpu_s += m->sum.cpu_s;
    stage->starved_s += m->sum.starved_s;
    stage->blocked_s += m->sum.blocked_s;
    stage->items_in += m->sum.items_in;
    stage->items_out += m->sum.items_out;
    stage->bytes_out += m->sum.bytes_out;
    stage->disk_bytes += m->sum.disk_bytes;
}
