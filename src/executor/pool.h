/*
 * pool.h - things to be used again, and a gate for many threads.
 *
 * A pool hands out idle objects, the last one returned first (it is the one
 * still in the cache).  pool_get() waits for one; after pool_close() it returns
 * NULL.  The pool does not own the objects.
 *
 * A counter lets threads wait until something has happened so many times.
 */
#ifndef EXECUTOR_POOL_H
#define EXECUTOR_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t came;
    void **idle;
    size_t n;
    bool closed;
};

void pool_init(struct pool *p, size_t capacity);
void pool_fini(struct pool *p);
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *object);
void pool_close(struct pool *p);

struct counter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long value;
    bool closed;
};

void counter_init(struct counter *c);
void counter_fini(struct counter *c);
long counter_add(struct counter *c); /* returns the value before */
void counter_set(struct counter *c, long value);
bool counter_wait(struct counter *c, long value); /* until it is at least `value`; false: closed */
void counter_close(struct counter *c);

#endif
