/*
 * points.h - the candidates a search has looked at, each once, and what is known about them.
 *
 * Two fidelities.  The bound says in microseconds what a candidate could deliver at best; one that cannot
 * beat the incumbent, or cannot meet a constraint, is pruned and never simulated.  The others are simulated:
 * `first` replications to begin with, more as the selection asks.  All share seed and replication numbers, so
 * that they are compared under the same luck.
 *
 * A replication of a candidate is a pure function of both; the store keeps each as it finishes.  A search
 * that begins again finds them there and goes the same way to the same end.
 *
 * Larger scores are better: the objective's figure, or minus it.
 */
#ifndef STUDY_SEARCH_POINTS_H
#define STUDY_SEARCH_POINTS_H

#include "base/progress.h"
#include "store/search_log.h"
#include "study/search/parts.h"

#include <signal.h>

enum point_status { POINT_ILLEGAL, POINT_PRUNED, POINT_SIMULATED };

struct point {
    struct candidate c;
    enum point_status status;
    double best;          /* what its score can be at most; INFINITY where the bound says nothing */
    long n;               /* replications */
    double warmup;        /* pieces that each of them leaves out */
    double *figures;      /* [replication][pipeline][figure]; NAN: not known */
    double *score;        /* of each replication */
    struct estimate mean; /* of the score */
    bool is_feasible;     /* every constraint holds for the means */
    double violation;     /* 0, or by how much they are broken, in units of their limits, added up */
};

struct points_options {
    long first;    /* replications of every candidate that is simulated */
    double margin; /* bounds that promise less than this above the incumbent, relative to it, are not worth a
                      look */
    double length; /* of each, relative to those of `run` */
    long budget;   /* replications at most; 0: no limit */
    double budget_s;                   /* of wall time, after which nothing new is begun; 0: no limit */
    struct store *store;               /* NULL: nothing is kept, nothing found again */
    bool is_fresh;                     /* what an earlier search kept is forgotten */
    const volatile sig_atomic_t *stop; /* not 0: begin nothing new; NULL: nobody interrupts */
    struct progress *progress;
};

struct points {
    const struct space *sp;
    const struct points_options *opt;
    struct parts *parts;
    struct arena *a;     /* of bounds; emptied all the time */
    struct point **list; /* in the order in which they were first proposed */
    size_t n, cap;
    size_t *slot; /* open addressing by candidate: place in `list` plus one */
    size_t slots;
    int figures_n;            /* of figure.h */
    size_t row;               /* figures of one replication: pipelines times figures */
    long replications, found; /* counted against the budget, found again in the store among them */
    size_t simulated, pruned, illegal;
    const struct point *incumbent; /* the best feasible so far; NULL: none */
    int64_t log_id;
    double began_s;
    bool is_stopped; /* by the budget or by the user */
};

int points_init(struct points *p, const struct space *sp, const struct points_options *opt, struct err *err);
void points_fini(struct points *p);

/* What the bound says about a candidate that is settled; `legal` false: it is no scenario. */
struct optimistic {
    bool is_legal, could_meet;
    double score;
};
struct optimistic points_bound(struct points *p, const struct candidate *c);
/* Whether a candidate was looked at already. */
bool points_has(const struct points *p, const struct candidate *c);
/* Whether a candidate with this bound still needs a simulation. */
bool points_is_open(const struct points *p, const struct optimistic *o);

/* Which legal candidates a bound may rule out: none, those that cannot meet the constraints, or also those
   that cannot beat the incumbent. */
enum prune { PRUNE_NONE, PRUNE_HOPELESS, PRUNE_BEATEN };

/*
 * Looks at settled candidates: finds those that are known, bounds the others, and simulates those that the
 * bound leaves open.  out[i] belongs to candidates[i]; NULL where the search was stopped before it was looked
 * at.
 */
int points_look(struct points *p, const struct candidate *candidates, size_t n, enum prune prune,
                struct point **out, struct err *err);

/*
 * More replications of the incumbent until its interval is as narrow as a bound's margin can use: one
 * candidate known well rules out many that need not be simulated at all.
 */
int points_sharpen(struct points *p, struct err *err);

/* Brings the points to as many replications each as `upto` says (those that have more keep them). */
int points_extend(struct points *p, struct point *const *points, const long *upto, size_t n, struct err *err);

/* A figure of a point that is simulated, over its replications; false where none knows it. */
bool point_figure(const struct points *p, const struct point *x, const struct figure_place *f,
                  struct estimate *out);

/* Negative: x comes before y.  Feasible ones by score, then infeasible ones by violation, then the pruned; of
   equal ones that with fewer changes. */
int point_compare(const struct space *sp, const struct point *x, const struct point *y);

#endif
