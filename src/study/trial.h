/*
 * trial.h - does this deployment meet its limits?  Simulated until the answer is clear, or said not to be.
 *
 * Limits are constraints (latency_s.p95 <= 500 ms).  A trial looks at their figures after n, 2 n, 4 n .. 32 n
 * replications: its Student interval is compared with the limit at a confidence of 1 - alpha / (looks *
 * limits), so that all looks together err with probability alpha at most (Bonferroni).  Intervals of all
 * limits inside: it meets them; one of them outside: it does not.  What has not separated after the last
 * look, or is known to half a percent of the limit, is too close to call.
 *
 * What the operational bound rules out is not simulated: a steady load above the capacity, a mean latency
 * below that of one request alone, a throughput or makespan out of reach.  An illegal setting fails, with the
 * message.
 *
 * Traffic can be scaled: see scenario_scale_traffic().  Where a closed pipeline is held to a throughput, it
 * is the throughput asked for that grows.
 */
#ifndef STUDY_TRIAL_H
#define STUDY_TRIAL_H

#include "pipeline/constraint.h"
#include "study/variant.h"

enum { LIMITS_MAX = 8, TRIAL_FIRST = 6, TRIAL_LOOKS = 6 };

enum trial_verdict { TRIAL_FAILS, TRIAL_CLOSE, TRIAL_MEETS };
extern const char *const trial_verdict_names[];

struct tester {
    const char *file;
    const struct resolver *resolver;
    const struct constraint *limits;
    int limits_n;
    struct simulate_options simulate; /* replications: of the first look, 0: TRIAL_FIRST */
    bool recurs;                      /* the horizon is a round of traffic that goes on: it must keep up */
    uint32_t parameter_draw;          /* of calibrated parameters: see scenario_options */
    bool bound_only;                  /* TRIAL_MEETS means: not ruled out */
};

struct trial {
    enum trial_verdict verdict;
    bool is_simulated;
    const char *why;                    /* without simulation: what rules it out; NULL */
    struct estimate figure[LIMITS_MAX]; /* at the confidence asked for */
    double slack;                       /* of the tightest limit: 0.1: a tenth inside; -INFINITY: ruled out */
    int tightest;                       /* which limit that is */
    double cost_usd_per_h;              /* of what is paid whether used or not, and the least of the rest */
    struct estimate cost;               /* as simulated */
    bool has_cost;
    struct estimate throughput, latency_mean;
    double capacity_per_s;  /* by the bound, whatever comes */
    const char *bottleneck; /* what that capacity is */
    const char *busiest;    /* the resource most in use, and how much */
    double busiest_frac;
    double servers; /* mean number, of resources that scale by themselves */
    double committed_usd_per_h,
        used_usd_per_h; /* of resources paid for used or not, and of their part in use */
    long replications;
};

/* *out and its texts live in `a`.  Errors are those of the run, or ERR_USAGE: nobody knows a limit's figure.
 */
int trial_run(const struct tester *t, const struct json *tree, double factor, struct arena *a,
              struct trial *out, struct err *err);

/* For simulate_options: queues of open arrivals are measured a quarter as long, since trials look again when in
 * doubt. */
double trial_length(const struct scenario *s);

/* Whether the limits ask for a throughput of a closed pipeline: then more traffic means a higher one. */
bool limits_ask_throughput(const struct constraint *limits, int n);

#endif
