/*
 * achieved.h - what a recording says a system did, in the figures of a result.
 *
 *   requests       arrival, first token, latency, tokens         throughput, latency, queue, ttft, tpot
 *   call spans     spans that say which request they belong to   throughput, latency
 *   executions     spans of `foresight exec`                     throughput, makespan
 *   Spark jobs     task attempts of an event log                 throughput, makespan
 *   training steps PyTorch profiles                              throughput
 *
 * A recording is one piece of time, so what comes after another is alike: intervals are Student's over blocks
 * (batch means), of quantiles over the quantiles of blocks, about the quantile of all.  What is one number, a
 * makespan, has no interval (n = 1).
 */
#ifndef STUDY_ACHIEVED_H
#define STUDY_ACHIEVED_H

#include "calibrate/infer.h"
#include "pipeline/figure.h"
#include "store/store.h"

enum { ACHIEVED_MAX = 24 };

struct achieved_figure {
    const struct figure_def *def;
    struct estimate value;
};

struct achieved {
    const char *from, *trace; /* "requests"; the trace's name */
    int64_t trace_id;
    struct achieved_figure figure[ACHIEVED_MAX];
    int n;
    size_t observed; /* requests, runs or steps */
    /* What came: of requests and call spans. n = 0: not known. */
    struct estimate rate_per_s, input_tokens, output_tokens;
};

/*
 * *s says what is to be compared; texts live in `a`.  ERR_USAGE: the trace holds nothing that can be compared
 * with a prediction.
 */
int achieved_read(struct store *store, const struct resolver *resolver, int64_t trace_id,
                  const struct scenario *s, struct arena *a, struct achieved *out, struct err *err);

const struct estimate *achieved_find(const struct achieved *x, const char *figure); /* NULL: not known */

#endif
