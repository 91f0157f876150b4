/*
 * rank_parts.h - what the files of the ranking share: rank_sets.c decides which sets are simulated,
 * rank_share.c divides the gain, rank_uncertain.c carries the calibration's uncertainty, rank_delta.c reads
 * differences, rank_even.c judges them, rank_worth.c turns them into money, rank.c orders the rows.
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
    int players_n, players[OPTS_MAX];    /* sampled: those that may have a share */
    int orders;                          /* sampled: how many orders of introduction were simulated */
    double quality_usd;                  /* what one more unit of quality is worth per unit; 0: not said */
};

static inline opt_set one(int i)
{
    return (opt_set)1 << i;
}

/* rank_sets.c */
bool rank_is_exact(const struct study *st);
int rank_simulate_sets(struct work *w, struct err *err);

/* rank_share.c */
void rank_shares(struct work *w);

/* rank_uncertain.c */
int rank_predict_gains(struct work *w, struct err *err);
int rank_next_measurement(struct work *w, struct err *err);

/* rank_worth.c */
void rank_worth(struct work *w, struct ranked *r);

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
