/*
 * reconcile.h - after the roll-out: was the prediction right, and if not, which assumption was off?
 *
 * The stored run is simulated again, as it was: that is the prediction, figure by figure.  The recording
 * gives what was achieved (achieved.h).  A figure is inside when the two intervals meet; where the recording
 * is one number, the prediction's interval is that of one run, not of the mean.
 *
 * Then every assumption that the recording can tell is measured again:
 *
 *   traffic            arrivals a second; prompt and answer lengths
 *   times of stages    what `foresight init` would infer from the recording, where stages bear the same
 * names; operators of an execution, from their processor time an engine's speed  the factor on all its times
 * with which the simulation of what really came gives the time per token that was recorded
 *
 * z = (achieved - used) / sqrt(stderr^2 + stderr of the calibration^2).  The run is simulated once with each
 * of them replaced alone, and once with all: the part of the miss of the worst figure that disappears is what
 * it explains. Parts need not add up to one: assumptions act together.
 */
#ifndef STUDY_RECONCILE_H
#define STUDY_RECONCILE_H

#include "study/achieved.h"
#include "study/variant.h"

enum { RECONCILE_PARAMS = 40 };

enum reconcile_change { CHANGE_TRAFFIC, CHANGE_INPUT, CHANGE_OUTPUT, CHANGE_SPEED, CHANGE_VALUE };

struct reconcile_param {
    const char *path; /* of the scenario, or words where it has no path */
    enum reconcile_change change;
    enum unit unit;
    double used, used_stderr, achieved, stderr_, z;
    long n;
    double factor;            /* achieved over used */
    int stage;                /* CHANGE_SPEED: whose */
    const struct json *value; /* CHANGE_VALUE: what stands at the path instead */
    bool was_tried;
    struct estimate with; /* the worst figure with this one replaced */
    double explained;     /* of the miss; NAN: there is none */
};

struct reconcile_figure {
    const struct figure_def *def;
    struct estimate predicted, achieved;
    bool inside;
    double off; /* in half-widths of both together */
};

struct reconciled {
    const char *scenario, *run;
    struct achieved achieved;
    struct reconcile_figure figure[ACHIEVED_MAX];
    int figures_n, inside_n, worst; /* worst: whose miss is explained; -1: none */
    struct reconcile_param param[RECONCILE_PARAMS];
    int params_n, most; /* most: which explains most; -1: none is off */
    struct estimate with_all;
    double explained_by_all;
    struct json *inferred; /* owned; values point into it */
};

struct reconcile_input {
    struct study study; /* the tree that was run, seed and replications */
    struct store *store;
    int64_t trace_id;
    const char *run; /* how the run is called: "run 12" */
    struct progress *progress;
};

/* Texts live in `a`; reconciled_fini() frees the rest. */
int reconcile(const struct reconcile_input *in, struct arena *a, struct reconciled *out, struct err *err);
void reconciled_fini(struct reconciled *r);

struct json *reconciled_json(const struct scenario *s, const struct reconciled *r);

/* Shared by the files of reconcile: what the recording tells of the assumptions. */
struct reconcile_work {
    const struct reconcile_input *in;
    const struct scenario *s; /* as it was run */
    const struct outcome *predicted;
    struct arena *a;
    struct reconciled *out;
};
int reconcile_find_params(struct reconcile_work *w, struct err *err);
/* The run with some parameters replaced: `which` is a bit for each. */
int reconcile_simulate(struct reconcile_work *w, uint64_t which, struct arena *a, struct outcome *o,
                       struct scenario **s, struct err *err);

#endif
