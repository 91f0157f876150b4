/*
 * crew.h - the workers of one execution: started together, timed, and all awake when one of them fails.
 *
 * The items of an array are the workers; each begins with a struct member.  A
 * member's body runs in a thread of its own, takes and gives through the calls
 * below, which time its waiting, and returns 0 also when somebody else failed (a
 * take or give has told it by NULL or false).
 *
 *     crew_init(&c, opt, body, wake, ctx);      wake(ctx): closes all queues, pools and counters
 *     crew_run(&c, workers, sizeof *workers, n, log, &start_s, err);
 *     crew_fini(&c);
 */
#ifndef EXECUTOR_CREW_H
#define EXECUTOR_CREW_H

#include "executor/path.h"
#include "executor/pool.h"
#include "executor/queue.h"

struct crew {
    const struct exec_options *opt;
    int (*body)(void *worker, struct err *err);
    void (*wake)(void *ctx);
    void *ctx;
    struct counter ready, go; /* threads that are ready; 1: go */
    pthread_mutex_t lock;     /* of the failure */
    struct err failure;
};

/* What every worker begins with. */
struct member {
    struct crew *crew;
    struct exec_stage sum; /* of this worker; name: its stage, for messages */
    double end_s;
};

void crew_init(struct crew *c, const struct exec_options *opt, int (*body)(void *worker, struct err *err),
               void (*wake)(void *ctx), void *ctx);
void crew_fini(struct crew *c);

/* The first failure is the one that is told; everybody is woken to stop. */
void crew_fail(struct crew *c, const struct err *e);

/* Starts the clock and everybody, waits for the end; the failure of a worker becomes ours.  Who ended before
 * the last one was starved until then. */
int crew_run(struct crew *c, void *workers, size_t size, int n, struct span_log *log, double *start_s,
             struct err *err);

/* Waiting, timed: for input (starved) or for room (blocked). */
void *member_take(struct member *m, struct queue *q);
bool member_give(struct member *m, struct queue *q, uint64_t sequence, void *item);
void *member_reserve(struct member *m, struct pool *p);
bool member_wait(struct member *m, struct counter *c, long value);

/* Adds one worker's times and counts to its stage's. */
void member_add(struct exec_stage *stage, const struct member *m);

#endif
