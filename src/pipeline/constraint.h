/*
 * constraint.h - what a deployment must meet, and what is to be best about it.
 *
 *     ttft_s.p95 <= 500ms and tpot_s.p95 <= 50ms, quality >= 0.8
 *     pipelines[night].makespan_s <= 6h
 *
 * FIGURE <= QUANTITY or FIGURE >= QUANTITY (< and > mean the same: figures are estimates), joined by commas
 * or `and`.  Figures are those of figure.h, quantities are read in the figure's unit.  The same text stands
 * in the scenario's `constraints` and behind `--slo`.
 *
 * "objective": {"maximize": FIGURE} or {"minimize": FIGURE}; without either it is the throughput, of arrivals
 * that come at a rate of their own the mean latency.  "quality_usd" says what one more unit of quality is
 * worth, in dollars for each unit of work.
 */
#ifndef PIPELINE_CONSTRAINT_H
#define PIPELINE_CONSTRAINT_H

#include "pipeline/figure.h"

struct constraint {
    struct figure_place figure;
    bool is_at_least; /* else at most */
    double limit;     /* SI */
    const char *text; /* as it was written, blanks trimmed */
};

/* Adds what one text asks for to a list in `a`; `where` stands in front of messages ("--slo", "FILE: $..").
 */
int constraints_parse(const char *text, const char *where, const struct scenario *s, struct arena *a,
                      struct constraint **list, int *n, struct err *err);
/* Those of the scenario's `constraints`. */
int constraints_read(const struct scenario *s, struct arena *a, struct constraint **list, int *n,
                     struct err *err);

/* How far within the limit a value is, in units of the limit: negative where it breaks it.  NAN stays NAN. */
double constraint_slack(const struct constraint *c, double value);

struct objective {
    struct figure_place figure;
    bool is_maximized, is_given;
    double quality_usd; /* 0: the scenario does not say */
};

int objective_read(const struct scenario *s, struct objective *out, struct err *err);
/* What is maximized: the figure of a replication, or minus it. */
double objective_score(const struct objective *o, const struct outcome *outcome, long replication);

extern const char *const objective_keys[]; /* for the schema; NULL at the end */

#endif
