/*
 * spark_log.h - a recorded Spark application as the model wants it.
 *
 * Jobs, stages that ran and executors in the order of their numbers; tasks by
 * stage, each with its place.  Times count from the start of the first job, as
 * models/spark_app.h counts them; executors may have come before.  Attempts that
 * failed are left out.  Stages that a job only names, because their output was
 * still there, do not exist here and nobody waits for them.
 */
#ifndef CALIBRATE_SPARK_LOG_H
#define CALIBRATE_SPARK_LOG_H

#include "models/spark_app.h"
#include "store/store.h"

struct spark_log_stage {
    int id, job;                             /* its number in the log; index of its job */
    double submit_s, end_s, task_s, records; /* the last two: means over tasks */
    long first, tasks;                       /* of the log's tasks */
};

struct spark_log_task {
    int stage, executor; /* indices */
    long place;
    double launch_s, finish_s;
    double records; /* it read, from tables and shuffles */
    double busy;    /* mean of (k - 1) / (C - 1) on its executor while it ran */
    bool cold;      /* no task of this code had finished on its executor before */
};

struct spark_log {
    struct spark_app app; /* policy, law, work_s are the caller's to set */
    struct spark_log_stage *stages;
    struct spark_log_task *tasks;
    size_t tasks_n;
    int *job_id; /* its number in the log */
    double *job_end_s;
};

/* idle_s: after so long without a task an executor offers nothing more, if it is removed at all; INFINITY:
 * until the log says so. */
int spark_log_load(struct store *s, int64_t trace_id, double idle_s, struct arena *a, struct spark_log *out,
                   struct err *err);

/* Slots on offer at a moment; before any executor has come: those of the first. */
double spark_log_slots(const struct spark_log *log, double at_s);

#endif
