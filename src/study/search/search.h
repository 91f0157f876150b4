/*
 * search.h - which combination of optimizations and settings is best under the constraints?
 *
 * A method (method.h) proposes candidates; bounds prune, simulation decides (points.h); among those that are
 * left the best is selected with a guarantee (select.h) or by a given number of replications.  Beside the
 * best stands the front: candidates that no other beats in objective, cost and quality together.
 *
 * Where bounds prune, half of the indifference is theirs and half the selection's: a candidate whose bound is
 * within the first half of the incumbent is passed over, and the one selected is within the second half of
 * the best of the rest.
 *
 * The best is simulated once more at full length, as `run` would, so that its figures are those of
 * `run --apply .. --set ..`; all others have the shorter replications of the search.
 */
#ifndef STUDY_SEARCH_H
#define STUDY_SEARCH_H

#include "study/search/method.h"

enum search_select { SELECT_KN, SELECT_OCBA };

struct search_options {
    const struct search_method
        *method; /* NULL: branch and bound where the space can be listed, else coordinate */
    enum search_select select;
    double indifference; /* relative, of the best score; points.margin follows from it */
    double probability;  /* of selecting the best */
    long full;           /* replications of the best at full length */
    struct points_options points;
};

struct search_guarantee {
    double probability;  /* NAN: none can be given */
    double indifference; /* in units of the objective */
    size_t among;        /* candidates that were compared; the others are ruled out by bounds */
    bool is_whole;       /* all others were pruned by a bound that excludes them */
    bool is_estimated;   /* from what was observed, not by the procedure's own promise */
};

struct search_result {
    struct space space;
    struct points_options points_options;
    struct points points;
    const struct search_method *method;
    struct search_guarantee guarantee;
    const struct point *base; /* the scenario as it stands */
    const struct point *best; /* NULL: nothing feasible was found */
    /* At full length; NULL when the search was interrupted, or nothing is feasible. */
    struct points_options full_options;
    struct points full;
    const struct point *full_best, *full_base;
    const struct point **front;
    size_t front_n;
    double candidates; /* how many there are; 0: too many to list */
    size_t pruned;
    double
        best_ahead; /* what a candidate that was not simulated could score at most; -INFINITY: none is left */
    bool is_stopped;
};

/* Arrays live in `a`. */
int search_run(const struct study *st, const char *slo, const struct search_options *opt, struct arena *a,
               struct search_result *out, struct err *err);
void search_fini(struct search_result *r);

/* How far the best could be from what is not ruled out, relative; 0: nothing better is left. */
double search_gap(const struct search_result *r);

/* The document of CLI.md; the caller frees it. */
struct json *search_json(const struct search_result *r);

#endif
