/*
 * studies.h - the studies that more than one command runs; each keeps its result in the store.
 */
#ifndef CLI_STUDIES_H
#define CLI_STUDIES_H

#include "cli/load.h"
#include "study/measure.h"
#include "study/rank.h"

enum { PARAMETER_DRAWS = 12 }; /* of calibrated parameters, for predictions with their uncertainty */

/* The study that the command line asks for; `replications` when it says nothing. */
struct study study_of(const struct args *args, const struct loaded *l, long replications);

/* How executions are made: --folder, --pin. */
int measure_options_of(const struct args *args, struct measure_options *out, struct err *err);

/* Whether the executor runs the scenario; on fewer processors than it has, stderr says so. */
int check_executable(const struct args *args, const struct loaded *l, struct err *err);

int study_run(const struct args *args, struct loaded *l, struct err *err);  /* as `run`, silently */
int study_rank(const struct args *args, struct loaded *l, struct err *err); /* as `rank`, silently */
int study_details(const struct args *args, struct loaded *l, struct err *err); /* what only a report shows */

/* Shared with the commands that print: the caller keeps and frees. */
int simulate_loaded(const struct args *args, struct loaded *l, struct outcome *out, struct err *err);
/* What is not precise enough is compared all the same: *doubt keeps the message, and is what to end with. */
int simulate_compared(const struct args *args, struct loaded *l, struct outcome *out, struct err *doubt,
                      struct err *err);
int rank_loaded(const struct args *args, struct loaded *l, struct study *st, struct ranking *out,
                struct err *err);

#endif
