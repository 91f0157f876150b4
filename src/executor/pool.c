#include "executor/pool.h"

#include "base/arena.h"

#include <stdlib.h>

void pool_init(struct pool *p, size_t capacity)
{
    *p = (struct pool){.idle = xcalloc(capacity, sizeof *p->idle)};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->came, NULL);
}

void pool_fini(struct pool *p)
{
    free(p->idle);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->came);
}

void *pool_get(struct pool *p)
{
    void *object = NULL;

    pthread_mutex_lock(&p->lock);
    while (p->n == 0 && !p->closed)
        pthread_cond_wait(&p->came, &p->lock);
    if (!p->closed)
        object = p->idle[--p->n];
    pthread_mutex_unlock(&p->lock);
    return object;
}

void pool_put(struct pool *p, void *object)
{
    pthread_mutex_lock(&p->lock);
    p->idle[p->n++] = object;
    pthread_cond_signal(&p->came);
    pthread_mutex_unlock(&p->lock);
}

void pool_close(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->closed = true;
    pthread_cond_broadcast(&p->came);
    pthread_mutex_unlock(&p->lock);
}

void counter_init(struct counter *c)
{
    *c = (struct counter){0};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
}

void counter_fini(struct counter *c)
{
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
}

long counter_add(struct counter *c)
{
    long before;

    pthread_mutex_lock(&c->lock);
    before = c->value++;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return before;
}

void counter_set(struct counter *c, long value)
{
    pthread_mutex_lock(&c->lock);
    c->value = value;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

bool counter_wait(struct counter *c, long value)
{
    bool reached;

    pthread_mutex_lock(&c->lock);
    while (c->value < value && !c->closed)
        pthread_cond_wait(&c->changed, &c->lock);
    reached = c->value >= value && !c->closed;
    pthread_mutex_unlock(&c->lock);
    return reached;
}

void counter_close(struct counter *c)
{
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}
