/*
 * plan.h - what must I buy?  The cheapest (or smallest) deployment that meets an SLO at a rate.
 *
 *     knobs -> settings in the order of their cost -> the bound rules out -> trials decide (trial.h)
 *
 * The settings are the grid of the knobs (pipeline/knob.h): given on the command line, else those of the
 * scenario, else the counts of all resources that are paid for.  Of the knobs that count (servers, replicas)
 * the dearest is searched by bisection, since more of it never hurts; that is not believed but looked at: the
 * setting found and its neighbours are tried, and a line on which a larger one fails while a smaller one
 * meets is walked one by one.  All other knobs are walked in the order of the least cost their settings can
 * have, until no one left can be cheaper than the best found.  So the answer is that of an exhaustive sweep,
 * as far as trials err by no more than their confidence, and without trying what cannot win.
 *
 * What is too close to call is taken as not met: the safe side.  The ideal lower bound is the same search
 * with the operational bound in the place of trials: nothing smaller can do it, whatever the luck.
 *
 * Replicas and the accelerators under them go together: where only one of the two is a knob the other follows
 * in the ratio the scenario has.  Deployments are sized with autoscaling off; policies are compared
 * afterwards.
 */
#ifndef STUDY_PLAN_H
#define STUDY_PLAN_H

#include "pipeline/knob.h"
#include "study/export.h"
#include "study/trial.h"

enum plan_minimize { PLAN_CHEAPEST, PLAN_FEWEST };

/* Another value that follows a knob: `per` of it for each of the knob's, in whole ones. */
struct plan_tie {
    const char *path;
    double per;
    bool rounds_up; /* accelerators; replicas are those that fit */
};

struct plan_knob {
    const struct knob *knob;
    bool counts;         /* more never hurts: searched by bisection */
    bool is_size;        /* part of what PLAN_FEWEST adds up */
    struct plan_tie tie; /* path NULL: none */
};

struct plan_space {
    const struct json *tree; /* the scenario to edit, borrowed */
    struct plan_knob *knobs;
    int n, line;     /* line: the knob searched by bisection; -1: none */
    const char *why; /* these knobs: a sentence */
};

struct plan_setting {
    int at[KNOBS_MAX]; /* levels */
};

struct plan_choice {
    bool found;
    struct plan_setting setting;
    struct trial trial;
    double size; /* servers, replicas, workers, added up */
};

/* One more factor of traffic: what to have then. */
struct plan_growth {
    double factor;
    struct plan_choice choice; /* not found: what was nearest, and its trial says why */
};

enum { PLAN_GROWTH = 4, CURVE_POINTS = 12, POLICIES_MAX = 6, HOSTED_MAX = 8 };

/* A rate that a deployment can take, found to lie between lo (meets) and hi (does not, or too close). */
struct plan_reach {
    bool known;
    struct estimate factor; /* of the traffic asked for */
    const char *why_not;    /* where it is not known */
};

struct plan_away { /* one server of a knob gone */
    const char *path;
    long left;
    struct trial trial;
    struct plan_reach reach;
};

struct plan_curve {
    int n;
    double rate_per_s[CURVE_POINTS], throughput_per_s[CURVE_POINTS], latency_s[CURVE_POINTS];
    bool has_knee;
    struct estimate knee_per_s;
    const char *why_not;
};

struct plan_policy {
    const char *name; /* "fixed at the peak", "reactive at 60 %", "by the schedule" */
    struct trial trial;
};

struct plan_billing {
    bool known;
    double committed_usd_per_h, used_frac; /* of the hours paid for, those in which it works */
    double even_premium;                   /* an elastic hour may cost so many times a committed one */
    double premium, even_hours; /* with a premium given: hours a month from which committed pays; 0 */
};

struct plan_hosted {
    const char *preset, *source, *stage;
    struct trial trial;
    double even_rate_per_s; /* above it the own deployment is cheaper, as long as it suffices; NAN */
};

struct plan {
    struct json *tree; /* as it is planned: an end where the traffic has a cycle, no autoscaling; owned */
    struct tester tester;
    struct plan_space space;
    enum plan_minimize minimize;
    double rate_per_s, base_factor; /* of the plan; over the scenario's own. 0: nothing comes by itself */
    const char *horizon_note;       /* the scenario's horizon was changed: why; NULL */
    struct plan_choice recommended, lower, nearest;
    int draws, draws_met; /* of the calibrated parameters, and in how many the recommended one meets it */
    bool too_close_below; /* the next cheaper one could not be called */
    int tried, ruled_out; /* settings simulated, and refused by the bound or a larger one that failed */
    bool is_monotone;
    struct plan_reach headroom;
    struct plan_growth growth[PLAN_GROWTH]; /* the first is the plan itself */
    int growth_n;
    struct plan_curve curve;
    struct plan_away *away;
    int away_n;
    struct plan_choice spare; /* N+1: meets the SLO with any one away */
    struct plan_policy policies[POLICIES_MAX];
    int policies_n;
    const char *policies_for; /* the resource */
    struct plan_billing billing;
    struct plan_hosted hosted[HOSTED_MAX];
    int hosted_n;
    struct export_line *exports; /* of the recommended deployment, for the programs it stands for */
    int exports_n;
};

struct plan_options {
    double rate_per_s; /* 0: the scenario's */
    enum plan_minimize minimize;
    bool has_minimize;
    const char *const *knobs; /* "PATH=1..8" or "PATH=1,2,4" */
    int knobs_n;
    double elastic_premium; /* what an elastic hour costs over a committed one; 0: not known */
    int draws;              /* of calibrated parameters; 0: none */
    bool search_only;  /* the answer and its options, nothing around it */
    struct progress *progress;
};

/*
 * Everything lives in `a` but what plan_fini() frees.  Nothing meets the SLO: success with recommended.found
 * false, and `nearest` says how near.  ERR_USAGE: a rate or knob that makes no sense here.
 */
int plan_scenario(const struct study *st, const struct constraint *limits, int limits_n,
                  const struct plan_options *opt, struct arena *a, struct plan *out, struct err *err);
void plan_fini(struct plan *p);

/* The values of a setting by path, ties included; the caller frees it. */
struct json *plan_set_json(const struct plan_space *space, const struct plan_setting *at);
/* The scenario with that setting; the caller frees it. */
int plan_tree(const struct plan_space *space, const struct plan_setting *at, struct json **out,
              struct err *err);

struct json *plan_json(const struct study *st, const struct scenario *s, const struct plan *p);

#endif
