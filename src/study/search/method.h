/*
 * method.h - ways to walk through a space, behind one interface.
 *
 * A method proposes candidates and is told what became of them; the caller owns the loop, and can stop it,
 * print the best so far, or begin again with what was simulated already.  A method decides by what it is told
 * and by its seed, never by a clock, so that the same search goes the same way.
 *
 *     while (!m->done(state)) { n = m->propose(state, out, most); ...look at them...; m->tell(state, points,
 * n); }
 *
 * Proposals are settled (space.h).  Nothing proposed while not done is a method's way to say that it is.
 */
#ifndef STUDY_SEARCH_METHOD_H
#define STUDY_SEARCH_METHOD_H

#include "study/search/points.h"

struct search_view {
    const struct space *sp;
    uint64_t seed;
    struct points *points; /* for bounds and the incumbent */
};

struct search_method {
    const char *name, *about;
    bool is_whole;    /* every candidate is looked at or cut off by its bound: a guarantee is about all */
    bool needs_list;  /* the space must be small enough to list */
    enum prune prune; /* what bounds may rule out */
    int (*init)(const struct search_view *view, void **state, struct err *err);
    size_t (*propose)(void *state, struct candidate *out, size_t most);
    void (*tell)(void *state, struct point *const *points, size_t n); /* as proposed; none is NULL */
    bool (*done)(const void *state);
    /* Candidates that were never proposed because their bounds rule them out; NULL: none. */
    size_t (*cut)(const void *state);
    /* The best score that what was not proposed could have, -INFINITY: nothing is left; NULL: nobody knows.
     */
    double (*ahead)(const void *state);
    void (*free)(void *state);
};

extern const struct search_method method_exhaustive, method_branch, method_coordinate, method_beam,
    method_nsga2, method_nelder_mead;
extern const struct search_method *const search_methods[]; /* NULL at the end */
const struct search_method *search_method_find(const char *name);

/* ----------------------------------------------- what methods share */

struct rng;

void shuffle(int *list, int n, struct rng *r);

/* A settled candidate drawn evenly: optimizations in a random order, each with an even chance where it is
 * legal. */
struct candidate random_candidate(const struct space *sp, struct rng *r);

/* Proposals of one step, settled, without those that are illegal or repeated. */
struct proposals {
    struct candidate *list;
    size_t n, cap, given; /* handed out so far */
};
void proposals_clear(struct proposals *p);
void proposals_add(struct proposals *p, const struct space *sp, struct candidate c);
size_t proposals_give(struct proposals *p, struct candidate *out, size_t most);
void proposals_free(struct proposals *p);
/* `c` with each other value of one dimension. */
void proposals_add_values(struct proposals *p, const struct space *sp, const struct candidate *c, int dim);

#endif
