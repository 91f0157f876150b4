/*
 * spark_app.h - one Spark application by itself: recorded or described jobs on recorded or described
 * executors.
 *
 * The law of a task's time, on an executor with C slots of which k are busy:
 *
 *     t = overhead + [cold] * warm
 *         + work * (1 - b + b * size) * (1 + [cold] * omega) * noise * (1 + gamma * (k - 1) / (C - 1))
 *     b = size_share * max(0, 1 - fixed / work)
 *
 * symbol     unit  meaning
 * overhead   s     launching a task and hearing that it is done
 * warm       s     the first task of a kind of code on an executor loads classes,
 * omega      1     and runs uncompiled
 * work       s     of the stage's mean task alone on a warm executor
 * fixed      s     what a task of this code takes when it reads next to nothing
 * b          1     share of the work that grows with the task's input; size is relative, mean 1
 * noise      1     of the task, times that of its executor in this stage (garbage collection, a neighbour):
 *                  lognormal, mean 1; a stage draws its pair of coefficients of variation from those seen
 * gamma      1     what full slots cost each other (two hardware threads on one core, memory bandwidth)
 *
 * k changes while a task runs: an executor shares its cores by virtual time (engine/cores.h), so the last
 * task of a stage, alone on its executor, is fast.  The law comes from tasks (spark_law_fit); stages differ
 * in `work` alone.
 */
#ifndef MODELS_SPARK_APP_H
#define MODELS_SPARK_APP_H

#include "models/spark_sched.h"

struct spark_spread { /* of one stage: between its tasks on one executor, between executors */
    double cv, executor_cv;
};

struct spark_law {
    double overhead_s, warm_s, warm_factor, size_share, contention;
    const struct spark_spread *spread; /* NULL: none */
    int spread_n;
};

double spark_size_share(const struct spark_law *law, double fixed_s, double work_s); /* b */

struct spark_app_job {
    double submit_s;
    int first, n; /* of app.stages; their parents count from `first` */
};

struct spark_app_executor {
    double from_s, to_s; /* INFINITY: to the end */
    long slots;
};

struct spark_app {
    struct spark_policy policy;
    struct spark_law law;
    const struct spark_stage *stages;
    const double *work_s;      /* by stage */
    const double *fixed_s;     /* by stage; NULL: all 0 */
    const double *warm_s;      /* by stage; NULL: the law's */
    const double *const *size; /* by stage and task; NULL: all equal */
    int stages_n;
    const struct spark_app_job *jobs;
    int jobs_n;
    const struct spark_app_executor *executors;
    int executors_n;
};

struct spark_app_result {
    double *stage_s, *task_s; /* by stage: from submission to end; mean time of a task */
    double *job_s;            /* by job; NAN: it never ended, for lack of executors */
    double makespan_s;        /* end of the last job */
    double slot_s, busy_s;
    long cold, failed, copies;
    uint64_t events;
};

/* Arrays of *out live in `a`. */
void spark_app_run(const struct spark_app *app, uint64_t seed, uint32_t replication, struct arena *a,
                   struct spark_app_result *out);

/* One recorded task, for the law. */
struct spark_observation {
    int stage, executor;
    double took_s, size; /* size: relative to its stage */
    double busy;         /* mean of (k - 1) / (C - 1) while it ran */
    bool cold;
};

/*
 * Least squares over tasks relative to their stage's mean time, every stage counting once: the work of each
 * stage and `warm` follow in closed form from (size_share, contention, omega), which are searched on a grid.
 * spread: variance of what remains of the warm tasks of each stage, within and between its executors (one-way
 * analysis of variance).  Stages of fewer than four tasks say nothing; without others: no dispersion, no
 * contention.  Arrays of *out live in `a`.
 */
void spark_law_fit(const struct spark_observation *obs, size_t n, int stages, const double *fixed_s,
                   struct arena *a, struct spark_law *out);

/*
 * What tasks of one code take at no input: the intercept of mean task time over records per task, least
 * squares of relative errors, both coefficients >= 0.  One stage alone: 0, nothing is known.
 */
double spark_fixed_fit(const double *records, const double *task_s, int stages);

/*
 * Work per stage such that simulated tasks take `task_s` on average, found by repeated simulation (the share
 * of cold tasks and of busy slots depends on the schedule).  Sets work_s, and app's work_s and warm_s: where
 * a stage's mean leaves no room for cold starts of the law's length they are shorter.
 */
void spark_app_match(struct spark_app *app, double *work_s, const double *task_s, uint64_t seed,
                     uint32_t replications, struct arena *a);

#endif
