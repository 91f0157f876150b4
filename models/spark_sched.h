/*
 * spark_sched.h - tasks of staged jobs on the slots of executors, as Spark schedules them.
 *
 * A job is a graph of stages; a stage is a number of tasks and may begin when
 * all tasks of its parents are done (a barrier).  An executor offers slots, one
 * task each.  Whenever a slot and a task wait for each other the scheduler pairs
 * them: the stage is the first of the first job (fifo) or the one with the fewest
 * running tasks (fair); the executor is the one with the most free slots.
 *
 * What a task does is not known here: `begin` starts it, and whoever did the work
 * calls spark_task_done().  The scheduler only knows that the first task of a
 * kind of code on an executor is `cold` (classes are loaded, nothing is compiled).
 *
 *   failures        an attempt fails with fail_prob and goes back into the queue
 *   speculation     a task that takes multiplier x the median of its stage, once a quantile is done, gets
 *                   a copy; the first to finish counts, the other holds its slot to its end
 *   allocation      executors come and go by hand (spark_executor_add/remove), or by policy: while tasks wait
 *                   1, 2, 4, ... are asked for every backlog_s, come start_s later, and go after idle_s
 *
 * Memory is the simulation's arena.  Rules as in Spark's documentation ("Job Scheduling", version 3.5).
 */
#ifndef MODELS_SPARK_SCHED_H
#define MODELS_SPARK_SCHED_H

#include "engine/sim.h"

struct spark_stage {
    const char *name;
    long tasks;
    const int *parents; /* indices into the job's stages */
    int parents_n;
    int code; /* stages of equal code warm the same classes; from 0 on */
};

enum spark_order { SPARK_FIFO, SPARK_FAIR };
extern const char *const spark_order_names[]; /* "fifo", "fair" */

struct spark_policy {
    int order;            /* enum spark_order */
    double stage_delay_s; /* from the end of the parents (or the job's arrival) to the first launch */
    double fail_prob;     /* of one attempt of one task */
    bool speculation;
    double speculation_quantile, speculation_multiplier, speculation_period_s;
    long codes; /* spark_stage.code is below */
    /* allocation by policy: max_executors 0 is none of it */
    long min_executors, max_executors, slots;
    double backlog_s, start_s;
    double idle_s; /* an executor without a task for so long goes; 0: never */
};

struct spark_task {
    struct spark_sched *sched;
    struct spark_stage_run *stage;
    long index; /* within the stage */
    long executor;
    int attempt; /* from 0 on; copies count */
    bool cold, fails;
    double began_s;
};

/* One stage of one job, while it runs and after. */
struct spark_stage_run {
    const struct spark_stage *def;
    struct spark_job_run *job;
    bool open, finished;
    long running, done, launched, cold, failed, copies;
    double submitted_s, ended_s, task_s; /* task_s: sum over attempts that counted */
    /* the scheduler's own */
    long next;                    /* never launched: next .. tasks - 1 */
    long *again, again_n;         /* to be launched once more */
    double *began, *took;         /* by task; took: of the first `done` finished, unordered */
    unsigned char *state, *alive; /* by task; alive: attempts that run */
    short *attempts;
    struct spark_stage_run *later; /* in the order of submission */
};

struct spark_job_run {
    uint64_t key; /* names its luck */
    int n;
    struct spark_stage_run *stages;
    double arrived_s, ended_s; /* ended_s < 0: not yet */
    event_fn *done;
    void *self;
    uint64_t arg;
    int left;
};

typedef void spark_begin_fn(void *ctx, struct spark_task *t);

struct spark_sched;
struct spark_sched *spark_sched_new(struct sim *sim, const struct spark_policy *p, spark_begin_fn *begin,
                                    void *ctx, uint64_t luck_source);

/* Its number, from 0 on, never reused.  One that does not go when idle is kept by somebody else. */
long spark_executor_add(struct spark_sched *s, long slots, bool goes_when_idle);
void spark_executor_remove(struct spark_sched *s, long executor); /* running tasks end there */

struct spark_job_run *spark_submit(struct spark_sched *s, const struct spark_stage *stages, int n,
                                   uint64_t key, event_fn *done, void *self, uint64_t arg);
void spark_task_done(struct spark_task *t); /* the task is gone afterwards */

struct spark_usage {
    double slot_s, busy_s; /* slots held by executors; slots with a task on them */
    long executors, executors_max;
};
struct spark_usage spark_usage(struct spark_sched *s); /* up to now */

/* Least time n stages can take: all work on all slots, and the longest chain of stages' longest tasks. */
double spark_bound_s(const struct spark_stage *stages, int n, const double *mean_task_s,
                     const double *longest_task_s, double slots);

#endif
