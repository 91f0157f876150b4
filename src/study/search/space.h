/*
 * space.h - what a search may choose: optimizations x knobs.
 *
 * A candidate is a set of optimizations and a level for each knob.  KNOB_AS_IS leaves the scenario's own
 * value: of a knob whose value is none of its levels, and of a knob whose path an optimization of the set
 * sets.  Candidates are kept settled: levels are such as the knob has, what an optimization overrides is left
 * as it is, and what would only repeat the scenario's value is written as that level.  Two candidates are the
 * same exactly when their bytes are.
 *
 * The scenario as it stands is the candidate of no optimizations and every knob as it is now: space_base().
 */
#ifndef STUDY_SEARCH_SPACE_H
#define STUDY_SEARCH_SPACE_H

#include "pipeline/constraint.h"
#include "pipeline/knob.h"
#include "study/variant.h"

#define KNOB_AS_IS (-1.0)

struct candidate {
    opt_set set;
    double level[KNOBS_MAX]; /* 0 beyond the space's knobs */
};

struct space {
    const struct study *st;
    struct json *tree; /* the study's, without what only studies read; owned */
    struct knob *knobs;
    int knobs_n;
    struct objective objective;
    struct constraint *constraints;
    int constraints_n;
    struct scenario *base;         /* the scenario as it stands; owned */
    uint64_t overrides[KNOBS_MAX]; /* optimizations that set a knob's path */
    opt_set *legal;                /* every set that can be combined, ascending; NULL: too many to list */
    size_t legal_n;
};

enum { SPACE_SETS_MAX = 1 << 20 };

/* `slo`: more constraints, as `--slo` gives them; NULL: none.  Arrays live in `a`. */
int space_init(struct space *sp, const struct study *st, const char *slo, struct arena *a, struct err *err);
void space_fini(struct space *sp);

struct candidate space_base(const struct space *sp);
/* False when the optimizations exclude each other; the candidate is not to be used then. */
bool space_settle(const struct space *sp, struct candidate *c);

/* Dimensions: each optimization (0 or 1), then each knob. */
int space_dims(const struct space *sp);
int space_values(const struct space *sp, int dim); /* 2, or the knob's levels */
double space_get(const struct space *sp, const struct candidate *c, int dim);
void space_put(const struct space *sp, struct candidate *c, int dim, double value);

/* How many settled candidates there are; 0 where the sets cannot be listed. */
double space_size(const struct space *sp);

/* Numbers of candidates; 0 when there are too many to count in a size_t or to list. */
size_t space_count(const struct space *sp);
/* False: that number is another way to write a candidate that has been counted already. */
bool space_at(const struct space *sp, size_t number, struct candidate *out);

/* The scenario with the candidate's edits; the caller frees it. */
int space_tree(const struct space *sp, const struct candidate *c, struct json **out, struct err *err);
int space_build(const struct space *sp, const struct candidate *c, struct scenario **out, struct err *err);

/* {"apply": [names], "set": {path: value}}: what differs from the scenario as it stands; the caller frees it.
 */
struct json *space_json(const struct space *sp, const struct candidate *c);
void space_write(const struct space *sp, const struct candidate *c,
                 struct json *out);                                   /* the same keys into `out` */
int space_changes(const struct space *sp, const struct candidate *c); /* how many things differ */

uint64_t candidate_hash(const struct candidate *c);
int candidate_compare(const struct candidate *x, const struct candidate *y); /* a fixed order; 0: the same */

#endif
