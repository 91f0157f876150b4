/*
 * figure.h - the figures of an outcome that people compare, replication by replication.
 *
 * Two variants of a scenario share their luck: replication r of one is paired with
 * replication r of the other, and the interval of a difference is that of the
 * paired differences, usually much narrower than either figure's own.
 */
#ifndef PIPELINE_FIGURE_H
#define PIPELINE_FIGURE_H

#include "base/units.h"
#include "pipeline/outcome.h"

enum better { BETTER_HIGHER, BETTER_LOWER };

struct figure_def {
    const char *name; /* as in the result document: "latency_s.p95" */
    enum unit unit;
    enum better better;
    bool aside; /* can be asked for, but says little beside the others when two runs are compared */
};

extern const struct figure_def figures[]; /* name == NULL at the end */
const struct figure_def *figure_find(const char *name);

/* A figure of one pipeline, as objectives and constraints name it: "latency_s.p95" of the scenario's
   objective, "pipelines[NAME].latency_s.p95" of another. */
struct figure_place {
    const struct figure_def *def;
    int pipeline; /* -1: the one that is the objective */
};

/* ERR_SCENARIO names what was found, what is allowed, and the nearest. */
int figure_place_read(const char *text, const struct scenario *s, struct figure_place *out, struct err *err);
double figure_place_value(const struct figure_place *p, const struct outcome *o, long replication);

/* Of one replication and pipeline; NAN where the outcome does not know it. */
double figure_value(const struct figure_def *f, const struct outcome *o, long replication, int pipeline);

/* The figure with its interval; false when no replication knows it. */
bool figure_estimate(const struct figure_def *f, const struct outcome *o, int pipeline, struct estimate *out);

/*
 * after - before and after / before, over the replications that both have and know: paired.
 * False when there are none.
 */
bool figure_compare(const struct figure_def *f, const struct outcome *before, const struct outcome *after,
                    int pipeline, struct estimate *delta, struct estimate *ratio);

#endif
