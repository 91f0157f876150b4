/*
 * replay.h - does the simulator reproduce what others measured?
 *
 * A case is a file scenarios/replay/NAME.json: where the measurements come
 * from, which of them may be calibrated from and which are predicted (never the
 * same ones), every assumption with its reason, the naive prediction to beat,
 * and the kind of case, which is a row of `replay_kinds` with a function in
 * src/study/replay/.  That function reads what it may, predicts, and hands over
 * one figure after the other; replay_score() judges, the same for all:
 *
 *   error of a case   median over its figures of |predicted / measured - 1|
 *   summary           median over counted cases of their errors, 90th percentile over their
 *                     figures, share of measured values inside the 90 % intervals with the
 *                     intervals' width, share of alternatives in the right order
 *   skill             1 - error / error of the naive prediction; 0 or less proves nothing
 *   noise             what repeats of the measurement differ by: no error below means anything
 *
 * Figures beyond saturation, and tails, are reported apart and count in neither.
 * docs/replay.md says how to add a kind.
 *
 * Strings and figures live in the arena given to replay_run().
 */
#ifndef STUDY_REPLAY_H
#define STUDY_REPLAY_H

#include "base/arena.h"
#include "base/json.h"
#include "base/progress.h"
#include "engine/stats.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLAY_LEVEL 0.90 /* of prediction intervals */

enum replay_regime { REGIME_BELOW, REGIME_NEAR, REGIME_BEYOND, REGIMES }; /* saturation */
extern const char *const replay_regime_names[];                           /* NULL-terminated */

struct replay_figure {
    const char *name, *unit;   /* the unit in words: "s", "samples/s", "ratio" */
    double measured;           /* not 0 */
    struct estimate predicted; /* pred_lo..pred_hi at REPLAY_LEVEL; see replay_estimate() */
    double naive;              /* NAN: the case has no naive prediction of it */
    double noise_frac;         /* relative standard deviation of repeats; NAN: unknown */
    enum replay_regime regime;
    bool tail;         /* a 95th percentile and beyond */
    const char *group; /* figures of one group are alternatives whose order matters; NULL: none */
    /* Filled by replay_score(). */
    double error_frac, naive_error_frac; /* signed: predicted / measured - 1 */
    bool inside_interval;
};

struct replay_assumption {
    const char *what, *because;
};

/* What figures say together; NAN where there are none to say it. */
struct replay_score {
    size_t figures;
    double median_error, p90_error, naive_error, noise, skill, coverage, width, order;
    size_t covered_of; /* figures with an interval */
    size_t pairs;      /* that the order was judged by */
};

struct replay_case {
    const char *path, *name, *title, *kind, *source, *calibrates_from, *predicts, *naive, *interval;
    const char *why_not_counted; /* NULL: it counts */
    const char *lacking;         /* the mechanism that explains a miss; NULL: none known */
    const char *found;           /* what the kind found beside its figures; NULL: nothing */
    enum replay_regime regime;   /* of figures that say nothing else */
    const char **files;          /* recorded ones, relative to the traces' folder */
    size_t files_n;
    struct replay_assumption *assumptions;
    size_t assumptions_n;
    struct json *spec;   /* the whole file */
    const char *skipped; /* why it did not run; NULL: it did */
    struct replay_figure *figures;
    size_t figures_n;
    struct replay_score score;              /* of its figures that count in it */
    struct replay_score apart[REGIMES + 1]; /* below, near, beyond; tails last */
};

/* What a kind gets: the case, and room for its work. */
struct replay {
    struct replay_case *c;
    const struct json *params; /* the case's "params", an object; the kind's own */
    const char *traces;        /* folder of recorded files; NULL: none, and the case names no files */
    struct store *store;       /* in memory; shared by all cases of a run, so a file is imported once */
    struct arena *arena;
    struct progress *progress;
    uint64_t seed;
};

struct replay_kind {
    const char *name, *about;
    int (*run)(struct replay *r, struct err *err);
};
extern const struct replay_kind *const replay_kinds[]; /* NULL at the end */

/* ------------------------------------------------- what a kind calls */

/* Takes in a recorded file; `file` as in the case's "files". */
int replay_import(struct replay *r, const char *file, int64_t *trace_id, struct err *err);

/* Copies the figure; the regime is the case's unless the kind sets it afterwards on what is returned. */
struct replay_figure *replay_emit(struct replay *r, const struct replay_figure *f);

/*
 * A prediction whose logarithm has standard deviation `log_sd`, estimated with `dof` degrees of freedom
 * (INFINITY: known): pred_lo, pred_hi = mean * exp(-+ t * log_sd).
 */
struct estimate replay_estimate(double mean, double log_sd, double dof);

/* Root mean square of log(predicted / measured) over n hold-out predictions, n - 1 in the denominator. */
double replay_log_spread(const double *predicted, const double *measured, size_t n);

/* A number, a text, a list of the case file; `where` is the JSON path of obj, for the message. */
int replay_number(const struct replay *r, const struct json *obj, const char *where, const char *key,
                  double *out, struct err *err);
int replay_text(const struct replay *r, const struct json *obj, const char *where, const char *key,
                const char **out, struct err *err);

/* --------------------------------------------------- what the CLI calls */

struct replay_options {
    const char *traces; /* NULL: cases that need recorded files are skipped */
    struct progress *progress;
    uint64_t seed;
};

struct replay_result {
    struct replay_case *cases;
    size_t n;
    struct replay_score summary;            /* over counted cases; median_error is over cases */
    struct replay_score apart[REGIMES + 1]; /* over figures of counted cases */
    size_t counted, skilled;                /* cases that count; those of them with positive skill */
    bool gate, goal;                        /* of FIDELITY: 6 and 20 %; 5, 15, 85 and 95 % */
    size_t failed;                          /* cases that ended with an error; they are among the skipped */
};

/* Reads a case file and checks it: unknown keys, missing reasons, unknown kinds are errors. */
int replay_case_read(const char *path, struct arena *a, struct replay_case *out, struct err *err);
void replay_case_fini(struct replay_case *c); /* frees what the file held; the rest is the arena's */

/* Runs cases that were read. A case that fails is skipped with the reason; the others go on. */
int replay_run(struct replay_case *cases, size_t n, const struct replay_options *opt, struct arena *a,
               struct replay_result *out, struct err *err);

/* Judges what the cases hold; replay_run() ends with it. */
void replay_score(struct replay_case *cases, size_t n, struct arena *a, struct replay_result *out);

struct json *replay_json(const struct replay_result *r);

#endif
