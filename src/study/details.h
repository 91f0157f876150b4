/*
 * details.h - what a review shows beside the run and the ranking, as one more stored document.
 *
 *     timeline      busy shares and queues of replication 0, in intervals of its own time; and its latencies
 *     load_curve    throughput and latency against the load, and where more of it stops to pay (the knee)
 *     sensitivity   how far the objective moves with what nobody measured, and with what was fitted
 *
 * Each is a member of the document `foresight report` keeps under its own name; one that does not apply says
 * why in "none".  All runs of it share the luck of the base, replication by replication.
 */
#ifndef STUDY_DETAILS_H
#define STUDY_DETAILS_H

#include "study/variant.h"

struct json;

/* The whole document; *base is the study's scenario as it is.  The caller frees *out. */
int details_json(const struct study *st, const struct scenario *base, struct json **out, struct err *err);

/* Its parts: each adds its member to `doc`. */
int timeline_json(const struct study *st, const struct scenario *base, const struct outcome *o,
                  struct json *doc, struct err *err);
int load_curve_json(const struct study *st, const struct scenario *base, const struct outcome *o,
                    struct json *doc, struct err *err);
int sensitivity_json(const struct study *st, const struct scenario *base, const struct outcome *o,
                     struct json *doc, struct err *err);

#endif
