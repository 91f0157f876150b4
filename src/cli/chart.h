/*
 * chart.h - --plot term: what a command found out, drawn in characters below its tables.
 *
 * gnuplot draws, so ERR_PROGRAM says when it is missing; the tables are out by then.  80 columns, and names
 * without control characters.
 */
#ifndef CLI_CHART_H
#define CLI_CHART_H

#include "cli/load.h"
#include "pipeline/outcome.h"
#include "study/rank.h"
#include "study/replay.h"
#include "study/validate.h"

int chart_outcome(const struct args *args, const struct loaded *l, const struct outcome *o, struct err *err);
int chart_ranking(const struct args *args, const struct ranking *r, struct err *err);
int chart_validation(const struct args *args, const struct validation *v, struct err *err);
int chart_replay(const struct args *args, const struct replay_result *r, struct err *err);

#endif
