/*
 * spark_parts.h - the inside of the Spark scheduler, shared by its parts and by nobody else.
 *
 *   spark_sched.c      jobs and stages; slots and tasks are paired
 *   spark_executors.c  executors come and go, stragglers get copies
 */
#ifndef MODELS_SPARK_PARTS_H
#define MODELS_SPARK_PARTS_H

#include "models/spark_sched.h"

enum task_state { WAITS = 0, RUNS = 1, COPIED = 2, DONE = 4 };
struct executor {
    long slots, busy;
    bool alive, goes_when_idle;
    double since_s, idle_since_s;
    bool *warm; /* by code: a task of it has finished here */
};

struct spark_sched {
    struct sim *sim;
    struct spark_policy policy;
    spark_begin_fn *begin;
    void *ctx;
    uint64_t luck_source;
    struct executor *executor;
    long executors, room, alive, alive_max, coming, ask;
    struct spark_stage_run *first, *last; /* open or to be opened, in order of submission */
    double slot_s, busy_s;
    bool speculation_ticks, allocation_ticks;
};

/* spark_sched.c */
void spark_dispatch(struct spark_sched *s);
long spark_waiting(const struct spark_sched *s); /* tasks that could begin */

/* spark_executors.c */
void spark_need_help(struct spark_sched *s);                      /* tasks wait: executors may be asked for */
void spark_watch_idle(struct spark_sched *s, struct executor *e); /* nothing runs there any more */
void spark_watch_stragglers(struct spark_sched *s);               /* a stage has begun */

#endif
