/*
 * infer.h - a runnable scenario from recordings of a system.
 *
 * What a trace shows becomes stages, edges, resources and rates; what it cannot
 * show is filled in and listed under the scenario's "assumed", with the reason,
 * so that a reader knows which numbers to replace first.  Four kinds of recordings
 * are understood:
 *
 *   training steps   PyTorch profiles: step, loader wait, device and host time      infer_steps.c
 *   call spans       OpenTelemetry: who waits for whom, request by request           infer_calls.c
 *   requests         arrivals and token counts of a language-model service           infer_requests.c
 *   Spark jobs       stages, tasks and executors of an event log                     infer_spark.c
 *
 * Running the scenario must give back the throughput that was recorded, within
 * the interval of what the recording says about it: the caller simulates and compares.
 */
#ifndef CALIBRATE_INFER_H
#define CALIBRATE_INFER_H

#include "base/json.h"
#include "engine/stats.h"
#include "store/store.h"

#include <stdint.h>

struct arena;

struct inferred {
    struct json *tree;        /* the scenario; the caller frees it */
    const char *from;         /* what kind of recording it was: "training steps" */
    struct estimate recorded; /* throughput in the scenario's units, 95 % */
};

/*
 * Several traces are taken together: requests beside operator costs.  ERR_USAGE when a trace holds nothing
 * that a pipeline could be made of, with what it does hold; ERR_TRACE when it contradicts itself.
 */
int infer(struct store *store, const int64_t *traces, int n, struct arena *a, struct inferred *out,
          struct err *err);

#endif
