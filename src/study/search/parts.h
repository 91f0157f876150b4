/*
 * parts.h - the scenario of a candidate put together from parts, for bounds in microseconds.
 *
 * Building a scenario from its JSON tree takes about a millisecond; of ten thousand candidates most differ in
 * a few stages only.  A part is a set of stages and resources that are bound to each other; an edit of one
 * stage or resource changes its part alone.  Each distinct way in which a candidate edits a part is built
 * once, and the candidate's scenario is the base with the stages and resources of these builds.  What an edit
 * of more than one part changes (workload, edges, pipelines, bindings) is part of every part's key, so
 * nothing is assumed about it.  A scenario with a value left "auto", which looks at the whole, is built whole
 * each time.
 *
 * A scenario put together this way equals the built one in everything that bound.c and figure_best() read; a
 * test compares their bytes.  Simulations build the whole.
 */
#ifndef STUDY_SEARCH_PARTS_H
#define STUDY_SEARCH_PARTS_H

#include "study/search/space.h"

struct parts;

struct parts *parts_new(const struct space *sp);
void parts_free(struct parts *p);

/* NULL: the candidate is no legal scenario (err says why).  Valid until the next call. */
const struct scenario *parts_scenario(struct parts *p, const struct candidate *c, struct err *err);

size_t parts_built(const struct parts *p); /* scenarios built so far */

#endif
