/*
 * overload.h - what a run says against its own averages.
 *
 * Where more arrives than leaves, queues grow as long as the run lasts: times are those of a run of that
 * length, not of a service.  The bound tells so only where the load exceeds the most the stages could do at
 * best; between what they can do and what they do the run itself tells.
 */
#ifndef PIPELINE_OVERLOAD_H
#define PIPELINE_OVERLOAD_H

#include "pipeline/outcome.h"

#include <stdbool.h>

/* An open pipeline that cannot keep up: what arrives a second, else 0.  Where requests may be turned away, or
 * the horizon ends, nothing is said. */
double overload_arrivals_per_s(const struct outcome *o);

/* More left than could at best: the draws of this run came to more than their mean. */
bool overload_is_beyond_bound(const struct outcome *o);

#endif
