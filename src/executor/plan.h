/*
 * plan.h - from a scenario to what the executor runs.
 *
 * The executor has twins of four models, in this order: etl, storage,
 * preprocess, training.  Only their switches and sizes are handed over.
 */
#ifndef EXECUTOR_PLAN_H
#define EXECUTOR_PLAN_H

#include "executor/execute.h"
#include "pipeline/scenario.h"

/* ERR_SCENARIO when the pipeline has no real twin.  Strings are borrowed from the scenario. */
int exec_plan_of(const struct scenario *s, struct exec_plan *out, struct err *err);

/* How many cores the scenario gives the pipeline: the executor stays on as many. */
long exec_plan_cores(const struct scenario *s);

/* This machine, as a JSON object: processor, cores, memory, kernel; the caller frees it. */
struct json *host_describe(void);

#endif
