/*
 * path.h - a way through a pipeline that this machine can really run.
 *
 * A path is the real twin of one shape of pipeline: kernels, threads, files,
 * and the switches they understand.  `exec`, `validate` and `fit` know only
 * this header; which path runs a scenario is found by asking each of them.
 *
 *     exec_prepare(s, arena, &job, err)         finds the path, reads $.exec, makes the plan
 *     job.path->run(job.plan, &opt, log, &out, err)       one execution
 *     job.path->profile(job.plan, &opt, log, err)         the operators alone
 *
 * Adding a path NAME:
 *
 *     src/executor/NAME.c     const struct exec_path NAME_path = {...}; and its kernels beside it
 *     src/executor/paths.c    one line in the table
 *     src/executor/local.mk   one line per file
 *     scenarios/local-NAME.json
 *
 * What it must keep:
 *   - The plan takes switches and sizes from the scenario, never costs, ratios or rates: what an operator
 *     takes is measured, or a comparison with the simulation would be circular.  No kernel sleeps or spins
 *     for a prescribed time.
 *   - `switches` lists what it reads.  An optimization that edits anything else has no real twin, and
 *     `validate` leaves it out.
 *   - Everything is generated, allocated and touched before the clock starts (memory.h); threads are started
 *     with threads.h, which keeps them on the processors that the scenario gives.
 *   - Every run of an operator leaves a span (span_log.h) under the stage's name in the scenario, with the
 *     name and the counts that its model declares in `ops`: from these `fit` makes parameter rows by itself
 *     (calibrate/calibrate.h; what needs more than costs adds a recipe of its own there).
 *   - profile() runs the same code on one thread in several sizes and every setting of the switches, and the
 *     stages "disk" (disk_read, disk_write) and "cores" (speed, variant = number of threads) where resources
 *     of these kinds are to be calibrated.
 *   - A request's `intended_s` is when it should have begun, not when somebody had time for it: a stalled
 *     server must show in the latencies.
 */
#ifndef EXECUTOR_PATH_H
#define EXECUTOR_PATH_H

#include "base/progress.h"
#include "pipeline/scenario.h"

#include <stdint.h>

struct span_log;

/* Where threads may run: anywhere; on the first `cores` of the processors we may use; each on one of them. */
enum exec_pin { PIN_NONE, PIN_CORES, PIN_EACH };
extern const char *const exec_pin_names[]; /* NULL at the end */

struct exec_options {
    const char *folder; /* inputs made from seeds (kept, found again by what they depend on) and outputs
                           (removed) */
    bool spans;         /* false: measure totals only, for the overhead of tracing */
    enum exec_pin pin;
    long cores; /* > 0 when pinned */
    struct progress *progress;
};

/* Times are summed over the stage's workers: busy inside operators (wall), starved for input, blocked on
 * output.  What is not known of a stage is NAN. */
struct exec_stage {
    const char *name; /* the scenario's */
    long workers;
    double busy_s, cpu_s, starved_s, blocked_s;
    double wait_s; /* that items spent in the buffer in front, summed over items_in */
    uint64_t items_in, items_out;
    double bytes_out;  /* handed on */
    double disk_bytes; /* asked of the disk, read and written */
};

/* Times since the start of the run. */
struct exec_request {
    double intended_s; /* open arrivals: when it was to arrive; closed clients: when the client was free */
    double start_s, first_s, end_s; /* first_s: its first token; NAN where there is no such thing */
    bool lost;                      /* refused or timed out: it has no latency */
};

/* A number that only this path knows: "recall", "last_loss". */
struct exec_figure {
    const char *name, *unit;
    double value;
};

enum { EXEC_STAGES_MAX = 16, EXEC_FIGURES_MAX = 12 };

/* What one execution delivered: the measured side of struct outcome.  Strings are constants of the path, but
 * for the names of stages, which are the scenario's. */
struct exec_outcome {
    double makespan_s, units, throughput_per_s; /* units of the scenario: samples, requests, rows */
    double cpu_total_s;                         /* of all threads during the run */
    struct exec_stage stages[EXEC_STAGES_MAX];  /* in the scenario's order */
    int stages_n;
    struct exec_request *requests; /* NULL: nothing that has a latency; exec_outcome_fini() */
    size_t requests_n;
    const char *quality_unit; /* NULL: none; as the scenario's outcome names it */
    double quality;           /* mean over quality_n */
    size_t quality_n;
    struct exec_figure figures[EXEC_FIGURES_MAX];
    int figures_n;
    bool cold;              /* storage was read past the page cache */
    const char *cache_note; /* "O_DIRECT", or why the storage was cached; NULL: it has no storage */
};

void exec_outcome_fini(struct exec_outcome *o);
void exec_figure_add(struct exec_outcome *o, const char *name, const char *unit, double value);

struct exec_path {
    const char *name, *about; /* "recommendation"; which stages it runs, as half a sentence */
    const char *example;      /* a scenario that it runs */
    /* What it reads of a scenario: "MODEL.PARAM" for a parameter of any stage of that model, or a path
     * ("workload.dataset.rows"); * and ? match as in file names.  NULL at the end. */
    const char *const *switches;
    const struct param *params; /* of the scenario's "exec" object; NULL: it has none */
    size_t cfg_size;            /* of the struct that `params` fill */

    bool (*matches)(const struct scenario *s);
    /* `cfg` is filled from "exec"; *plan lives in `a` and may borrow from the scenario. */
    int (*plan)(const struct scenario *s, const void *cfg, struct arena *a, const void **plan,
                struct err *err);
    int (*run)(const void *plan, const struct exec_options *opt, struct span_log *log,
               struct exec_outcome *out, struct err *err);
    int (*profile)(const void *plan, const struct exec_options *opt, struct span_log *log, struct err *err);
};

extern const struct exec_path *const exec_paths[]; /* NULL at the end */

struct exec_job {
    const struct exec_path *path;
    const void *plan;
    long cores; /* that the scenario gives the pipeline */
};

/* ERR_SCENARIO when no path can run it, when "exec" says what the path does not know, or sizes do not fit. */
int exec_prepare(const struct scenario *s, struct arena *a, struct exec_job *out, struct err *err);

/* For paths that run chains over a data set: the stages' kernels in order, and the room of the n - 1 buffers
 * between them, which must be finite. */
bool exec_is_chain(const struct scenario *s, const char *const *kernels, int n);
int exec_buffers(const struct scenario *s, int n, long *buffers, struct err *err);

/* NULL, or why executions here are not those of the scenario: fewer processors than it has. */
const char *exec_doubt(const struct exec_job *job, struct arena *a);

/* The path that runs scenarios of this shape; NULL: none does. */
const struct exec_path *exec_path_of(const struct scenario *s);

/* Whether an edit of this path ("prep.workers", "stages.prep.params.workers") changes what is executed. */
bool exec_path_reads(const struct exec_path *p, const struct scenario *s, const char *edit);

#endif
