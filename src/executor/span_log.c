#include "executor/span_log.h"

#include "base/arena.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_SPANS = 4096 };

struct span_log {
    pthread_mutex_t lock; /* of the lists; never taken while a span is recorded */
    struct span_buf **bufs;
    size_t bufs_n;
    char **texts;
    size_t texts_n;
    double origin_s;
    struct span *merged;
};

static double clock_read(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_wall_s(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

double clock_cpu_s(void)
{
    return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

struct span_log *span_log_new(void)
{
    struct span_log *log = xcalloc(1, sizeof *log);

    pthread_mutex_init(&log->lock, NULL);
    log->origin_s = clock_wall_s();
    return log;
}

void span_log_free(struct span_log *log)
{
    if (log == NULL)
        return;
    for (size_t i = 0; i < log->bufs_n; i++) {
        free(log->bufs[i]->spans);
        free(log->bufs[i]);
    }
    for (size_t i = 0; i < log->texts_n; i++)
        free(log->texts[i]);
    free(log->bufs);
    free(log->texts);
    free(log->merged);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

const char *span_log_keep(struct span_log *log, const char *text)
{
    char *found = NULL;

    if (log == NULL)
        return text;
    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < log->texts_n && found == NULL; i++)
        if (strcmp(log->texts[i], text) == 0)
            found = log->texts[i];
    if (found == NULL) {
        log->texts = xrealloc(log->texts, log->texts_n + 1, sizeof *log->texts);
        found = log->texts[log->texts_n++] = xstrdup(text);
    }
    pthread_mutex_unlock(&log->lock);
    return found;
}

struct span_buf *span_log_thread(struct span_log *log, const char *stage, int worker)
{
    struct span_buf *b = xcalloc(1, sizeof *b);

    b->log = log;
    b->stage = span_log_keep(log, stage);
    b->variant = "";
    b->worker = worker;
    if (log == NULL)
        return b;
    b->cap = FIRST_SPANS;
    b->spans = xmalloc(b->cap * sizeof *b->spans);
    memset(b->spans, 0, b->cap * sizeof *b->spans); /* touched now, not while recording */
    pthread_mutex_lock(&log->lock);
    log->bufs = xrealloc(log->bufs, log->bufs_n + 1, sizeof(struct span_buf *));
    log->bufs[log->bufs_n++] = b;
    pthread_mutex_unlock(&log->lock);
    return b;
}

void span_buf_free(struct span_buf *b)
{
    if (b != NULL && b->log == NULL)
        free(b);
}

void span_log_start(struct span_log *log)
{
    if (log != NULL)
        log->origin_s = clock_wall_s();
}

void span_begin(struct span_buf *b)
{
    b->start_s = clock_wall_s();
    if (b->log != NULL)
        b->start_cpu_s = clock_cpu_s();
}

/* What all spans of this thread have in common is filled in here. */
static void add_span(struct span_buf *b, const struct span *s)
{
    struct span *to;

    if (b->log == NULL || b->quiet)
        return;
    if (b->n == b->cap)
        b->spans = xrealloc(b->spans, b->cap *= 2, sizeof *b->spans);
    to = &b->spans[b->n++];
    *to = *s;
    to->stage = b->stage;
    to->variant = b->variant;
    to->worker = b->worker;
    to->start_s = b->start_s;
}

void span_end(struct span_buf *b, const char *op, int64_t item, double items, double bytes_in,
              double bytes_out)
{
    double cpu_s = b->log != NULL ? clock_cpu_s() - b->start_cpu_s : 0, end_s = clock_wall_s();

    b->busy_s += end_s - b->start_s;
    add_span(b, &(struct span){.op = op,
                               .item = item,
                               .end_s = end_s,
                               .cpu_s = cpu_s,
                               .items = items,
                               .bytes_in = bytes_in,
                               .bytes_out = bytes_out});
}

void span_part(struct span_buf *b, const char *op, int64_t item, double cpu_s, double items, double bytes_in)
{
    add_span(b, &(struct span){.op = op,
                               .item = item,
                               .end_s = b->start_s + cpu_s,
                               .cpu_s = cpu_s,
                               .items = items,
                               .bytes_in = bytes_in,
                               .bytes_out = NAN});
}

static int compare_starts(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    if (x->start_s != y->start_s)
        return x->start_s < y->start_s ? -1 : 1;
    return x->worker - y->worker;
}

const struct span *span_log_merge(struct span_log *log, size_t *n)
{
    size_t total = 0, at = 0;

    for (size_t i = 0; i < log->bufs_n; i++)
        total += log->bufs[i]->n;
    free(log->merged);
    log->merged = xcalloc(total + 1, sizeof *log->merged);
    for (size_t i = 0; i < log->bufs_n; i++) {
        const struct span_buf *b = log->bufs[i];

        for (size_t k = 0; k < b->n; k++, at++) {
            log->merged[at] = b->spans[k];
            log->merged[at].start_s -= log->origin_s;
            log->merged[at].end_s -= log->origin_s;
        }
    }
    qsort(log->merged, total, sizeof *log->merged, compare_starts);
    *n = total;
    return log->merged;
}
