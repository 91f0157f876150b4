/*
 * rank_parts.h - what the files of the ranking share: rank.c decides which sets are simulated and orders the
 * rows, rank_delta.c reads differences, rank_even.c judges them.
 */
#ifndef STUDY_RANK_PARTS_H
#define STUDY_RANK_PARTS_H

#include "study/rank.h"

#define NOTHING     ((opt_set)0)
#define INDIFFERENT 0.01 /* gains within 1 % of none are called no effect */

struct work {
    const struct study *st;
    const struct rank_options *opt;
    struct arena *a;
    struct ranking *out;
    struct set_values values;
    const struct set_value **best_legal; /* exact: of every subset, the best legal set within it */
    double quality_usd;                  /* what one more unit of quality is worth per unit; 0: not said */
};

static inline opt_set one(int i)
{
    return (opt_set)1 << i;
}

/* rank_delta.c */
void rank_base(struct work *w);                          /* what the base is, whose the stages are */
void rank_differences(struct work *w, struct ranked *r); /* figures, components, owners */
const char *rank_explain(struct work *w, const struct ranked *r);
void rank_find_alike(struct work *w);

/* rank_front.c */
void rank_steps(struct work *w); /* from the base to the best set */
void rank_points(struct work *w);

/* rank_even.c */
int rank_value_of_quality(struct work *w, struct err *err); /* reads the scenario's objective */
void rank_break_even(struct work *w, struct ranked *r);
const char *rank_verdict(const struct ranked *r);

#endif
