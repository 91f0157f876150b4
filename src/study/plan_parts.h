/*
 * plan_parts.h - what the files of plan share, and nobody else uses.
 */
#ifndef STUDY_PLAN_PARTS_H
#define STUDY_PLAN_PARTS_H

#include "study/plan.h"

struct planner {
    const struct study *st;
    const struct plan_options *opt;
    struct plan *out;
    struct arena *a;
    double steps; /* trials so far, for the progress */
};

/* plan_space.c: the knobs, and what follows them. */
int plan_space_find(struct planner *p, struct err *err);
/* A level of a knob as a number; NAN where it is none. */
double plan_number(const struct plan_knob *k, int level);
double plan_size(const struct plan_space *s, const struct plan_setting *at);
/* One server of knob `k` fewer (below the grid where it must); ties follow. */
int plan_tree_without(const struct plan_space *s, const struct plan_setting *at, int k, struct json **out,
                      struct err *err);

/* plan_search.c: the cheapest setting that meets the limits at `factor` times the scenario's own traffic. */
struct plan_search {
    double factor;
    bool bound_only;
    double start_ratio;              /* begin so far above what the bound asks for; 0: at it */
    const struct plan_setting *kept; /* knobs that are no sizes stay so; NULL: all are searched */
    struct plan_choice best, nearest;
    bool too_close_below, is_monotone;
    int tried, ruled_out;
};
int plan_search(struct planner *p, struct plan_search *search, struct err *err);
int plan_trial(struct planner *p, const struct json *tree, double factor, struct trial *out, struct err *err);

/* plan_reach.c: how far the traffic may grow; where the load curve bends. */
int plan_find_reach(struct planner *p, const struct json *tree, const struct trial *now,
                    struct plan_reach *out, struct err *err);
int plan_find_curve(struct planner *p, const struct json *tree, struct err *err);

/* plan_compare.c: with one away, scaled by itself, billed otherwise, bought elsewhere. */
int plan_find_away(struct planner *p, struct err *err);
int plan_find_policies(struct planner *p, struct err *err);
void plan_find_billing(struct planner *p);
int plan_find_hosted(struct planner *p, struct err *err);

#endif
