/*
 * rank.h - which optimization helps end to end?
 *
 * For each declared optimization: what it gains in the stages it touches when all
 * others are infinitely fast (local), and what it gains in the whole (end to
 * end).  The difference is the product.  Shares are Shapley values of log gains
 * over all subsets (exact up to 10 optimizations, sampled orders beyond): they
 * add up and do not depend on the order of introduction.  A subset that cannot be
 * combined is worth its best legal subset.  Beyond ten, pairs are screened by bounds
 * (rank_sets.c) and the shares' intervals contain what sampling orders adds.
 *
 * A gain is of the objective: throughput, or 1 / mean latency where arrivals come at a rate of their own; of
 * several pipelines, where the scenario asks for it, of all their work (whole.h).
 * Beside it stand paired differences of what else a decision weighs: throughput, tail latency, cost,
 * quality, power, and who pays.  Where the quality that moves rests on values that the scenario lists as
 * assumed, there is no verdict but a break-even: the least change of quality with which the row pays.
 */
#ifndef STUDY_RANK_H
#define STUDY_RANK_H

#include "study/speedup.h"
#include "study/values.h"

struct component_delta {
    const char *stage, *owner;
    double cpu_s, disk_bytes;          /* per unit: after minus before */
    struct estimate part[STAGE_PARTS]; /* of what it takes: after minus before */
};

/* One team's stages together: after minus before. */
struct owner_delta {
    const char *owner; /* "" for stages that name none */
    struct estimate part[STAGE_PARTS];
};

/* A figure against the base, replication by replication. */
struct rank_difference {
    bool known;
    struct estimate delta; /* after minus before */
    struct estimate gain;  /* after over before, or the inverse where less is better: above 1 is good */
};

/*
 * What a month of it is worth.  A month is 730 hours.  Cash is the bill after minus before.  Worth is what
 * the same work costs less: C0 - C1 / g, with the bills C and the gain of work g, by which the estate may
 * shrink, or need not grow.  The payback is effort / (confidence x worth), where the user gives an effort.
 */
struct rank_money {
    bool known;
    struct estimate cash_usd_per_month, worth_usd_per_month;
    bool has_payback;
    double payback_months, payback_soonest, payback_latest; /* INFINITY: never */
};

struct break_even {
    bool applies;
    struct estimate quality; /* the row pays when quality changes by more than this */
    const char *text;
};

struct ranked {
    const struct optimization *opt;
    int index; /* in study.optimizations */
    struct estimate local_gain, end_to_end_gain, share;
    struct rank_difference figure[RANK_FIGURES];
    int deltas_n;
    struct component_delta *deltas;
    struct owner_delta *owners; /* as many as ranking.owners_n, in that order */
    struct break_even break_even;
    struct rank_money money;
    struct rank_difference *pipelines; /* of what each delivers, as whole.h says; NULL without a whole */
    const char *verdict, *why;
};

/* Rows that stand next to each other when ordered by a figure, and whose paired difference may be zero. */
struct alike {
    const char *figure;
    int n;
    const char **names; /* of optimizations; "base" is the scenario as it is */
};

/* The chosen set built up one by one, each time what adds most of what is left. */
struct rank_step {
    opt_set set;          /* with this step */
    struct estimate gain; /* of the set over the base */
    struct estimate step; /* over the step before */
};

/* An evaluated set; `front`: none is at least as good in all of rate, cost and quality and better in one. */
struct rank_point {
    opt_set set;
    bool front;
    struct estimate gain, throughput, cost, quality; /* cost: USD per hour */
};

struct interaction {
    int a, b;               /* indices into study.optimizations */
    struct estimate effect; /* gain of both over the product of their gains; 1: independent */
};

/* A pair that was not simulated: by the bounds its log gains add up to within `bound_effect`. */
struct screened {
    int a, b;
    double bound_effect;
};

struct ranking {
    struct scenario *base_scenario; /* owned; freed by ranking_fini */
    struct outcome base;
    const char *gain_of;                         /* what the gains are gains of */
    const char *limited_by;                      /* the scenario as it is */
    struct rank_difference before[RANK_FIGURES]; /* delta: the base's own figure; gain: nothing */
    int owners_n;
    int assumed_n; /* of the scenario's assumed paths, those that quality rests on */
    const char **assumed;
    int alike_n;
    struct alike *alike;
    int speedups_n;
    struct speedup *speedups; /* largest gain first */
    int n;
    struct ranked *list; /* by end-to-end gain, largest first */
    int interactions_n;
    struct interaction *interactions; /* strongest first */
    long screened_n;
    struct screened *screened;
    long sets;                 /* combinations that were simulated */
    const struct whole *whole; /* NULL: gains are of the objective alone */
    opt_set best;              /* the legal set with the largest gain */
    struct estimate best_gain;
    struct rank_step *steps;
    int steps_n;
    struct rank_point *points; /* every evaluated set, ascending */
    int points_n;
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
