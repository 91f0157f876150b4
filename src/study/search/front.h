/*
 * front.h - which candidates are not beaten in every respect: objective, cost and quality.
 *
 * x dominates y when it is no worse in all of them and better in one.  A figure that the scenario does not
 * know (no prices, no quality) counts for nobody.  Among those that are equal in all, the one with the fewest
 * changes stands for the others.
 */
#ifndef STUDY_SEARCH_FRONT_H
#define STUDY_SEARCH_FRONT_H

#include "study/search/points.h"

enum { FRONT_SCORE, FRONT_COST, FRONT_QUALITY, FRONT_FIGURES };

/* All larger is better; 0 where it is not known. */
void front_figures(const struct points *p, const struct point *x, double out[FRONT_FIGURES]);
bool front_dominates(const double x[FRONT_FIGURES], const double y[FRONT_FIGURES]);

/* The feasible points that no other feasible one dominates, best score first; *list lives in `a`. */
size_t front_find(const struct points *p, struct arena *a, const struct point ***list);

#endif
