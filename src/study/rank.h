/*
 * rank.h - which optimization helps end to end?
 *
 * For each declared optimization: what it gains in the stages it touches when all
 * others are infinitely fast (local), and what it gains in the whole (end to
 * end).  The difference is the product.  Shares are Shapley values of log gains
 * over all subsets (exact up to 10 optimizations, sampled orders beyond): they
 * add up and do not depend on the order of introduction.  A subset that cannot be
 * combined is worth its best legal subset.
 */
#ifndef STUDY_RANK_H
#define STUDY_RANK_H

#include "study/values.h"

struct component_delta {
    const char *stage;
    double cpu_s, disk_bytes; /* per unit: after minus before */
};

struct ranked {
    const struct optimization *opt;
    int index; /* in study.optimizations */
    struct estimate local_gain, end_to_end_gain, share;
    double cost_delta_usd_per_h;
    int deltas_n;
    struct component_delta *deltas;
    const char *verdict, *why;
};

struct interaction {
    int a, b;               /* indices into study.optimizations */
    struct estimate effect; /* gain of both over the product of their gains; 1: independent */
};

struct ranking {
    struct scenario *base_scenario; /* owned; freed by ranking_fini */
    struct outcome base;
    int n;
    struct ranked *list; /* by end-to-end gain, largest first */
    int interactions_n;
    struct interaction *interactions; /* strongest first */
    opt_set best;                     /* the legal set with the largest gain */
    struct estimate best_gain;
    const char *after_best; /* what limits the pipeline once the best set is in */
    const char *next_path,
        *next_why; /* the measurement that would most shrink the ranking's uncertainty; NULL: none */
};

struct rank_options {
    bool uncertainty;   /* carry the calibration's into prediction intervals */
    double discrepancy; /* of gains, relative: what the calibration cannot know of a variant */
    struct progress *progress;
};

/* Everything in *out lives in `a`, except base_scenario. */
int rank_scenario(const struct study *st, const struct rank_options *opt, struct arena *a,
                  struct ranking *out, struct err *err);
void ranking_fini(struct ranking *r);

/* The document of CLI.md; the caller frees it. */
struct json *ranking_json(const struct study *st, const struct ranking *r);

#endif
