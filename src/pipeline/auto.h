/*
 * auto.h - deployments that a scenario leaves open: "workers": "auto" and the like.
 *
 * What is computed is the author's; how many workers compute it, where, and what is kept may be written as
 * "auto" in a stage's params: cache_after, offload, batch, prefetch, workers.  Each is chosen by the bound, in this
 * order, the others standing: the best throughput of the objective, and of choices within 1 % of it the
 * smallest.  While workers are open there are as many as could ever matter, so that they hide nothing.
 *
 * The bound takes work as if each worker had a core of its own; where hardware threads share cores and the
 * stage keeps more than the cores busy, workers are as many more as threads are slower.  A prefetch of 2 is
 * taken as it is: one batch in work, one waiting.
 */
#ifndef PIPELINE_AUTO_H
#define PIPELINE_AUTO_H

#include "pipeline/scenario.h"

/* One choice that was made, and why; texts live in the arena given to auto_choose(). */
struct auto_choice {
    const char *path, *reason; /* "stages.load.params.workers" */
};

/*
 * *out: a tree without "auto", for json_free(); NULL when there is none in `tree`.  Errors are those of the
 * scenario itself, or that no choice is legal.
 */
int auto_choose(const struct json *tree, const char *file, const struct scenario_options *opt, struct arena *a,
                struct json **out, struct auto_choice **choices, int *n, struct err *err);

#endif
