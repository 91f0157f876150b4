#include "executor/rag_line.h"

#include "executor/span_log.h"

#include <math.h>

void line_init(struct line *l)
{
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->came, NULL);
    l->last = &l->first;
}

void line_fini(struct line *l)
{
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->came);
}

void line_put(struct line *l, struct rag_ask *a)
{
    a->next = NULL;
    a->queued_s = clock_wall_s();
    pthread_mutex_lock(&l->lock);
    *l->last = a;
    l->last = &a->next;
    l->n++;
    pthread_cond_signal(&l->came);
    pthread_mutex_unlock(&l->lock);
}

void line_close(struct line *l)
{
    pthread_mutex_lock(&l->lock);
    l->closed = true;
    pthread_cond_broadcast(&l->came);
    pthread_mutex_unlock(&l->lock);
}

struct timespec line_time(double s)
{
    return (struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)((s - floor(s)) * 1e9)};
}

long line_take(struct line *l, struct rag_ask **to, long most, double wait_s)
{
    long n = 0;

    pthread_mutex_lock(&l->lock);
    while (!l->closed && l->n < most) {
        if (l->n == 0) {
            pthread_cond_wait(&l->came, &l->lock);
        } else {
            struct timespec until = line_time(l->first->queued_s + wait_s);

            if (clock_wall_s() >= l->first->queued_s + wait_s ||
                pthread_cond_clockwait(&l->came, &l->lock, CLOCK_MONOTONIC, &until) != 0)
                break;
        }
    }
    for (; n < most && l->first != NULL; n++) {
        to[n] = l->first;
        l->first = l->first->next;
        l->n--;
    }
    if (l->first == NULL)
        l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    return n;
}
