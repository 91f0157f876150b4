/*
 * rag_line.h - asks that wait for a server, first come first served.
 */
#ifndef EXECUTOR_RAG_LINE_H
#define EXECUTOR_RAG_LINE_H

#include "executor/rag_loop.h"

#include <pthread.h>
#include <time.h>

struct line {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct rag_ask *first, **last;
    long n;
    bool closed;
};

void line_init(struct line *l);
void line_fini(struct line *l);
void line_put(struct line *l, struct rag_ask *a);
void line_close(struct line *l);

/* Up to `most` asks: as many as are there when `most` have come or the first has waited `wait_s`.  0: closed.
 */
long line_take(struct line *l, struct rag_ask **to, long most, double wait_s);

struct timespec line_time(double s); /* of clock_wall_s(), for waiting */

#endif
