/*
 * join.h - fork and join: something is done when all its parts are.
 *
 * join_open() says how many parts there are; each part that ends calls
 * join_arrive(), which has the shape of an event and so can be handed to any
 * station, link or core as its callback, with the join as `self`.
 */
#ifndef ENGINE_JOIN_H
#define ENGINE_JOIN_H

#include "engine/sim.h"
#include "engine/stats.h"

struct joins; /* all joins of one kind, and what is known of them */
struct join;

struct joins *joins_new(struct sim *sim, const char *name);
struct join *join_open(struct joins *js, long parts, event_fn *done, void *self, uint64_t arg);
void join_arrive(struct sim *sim, void *join, uint64_t arg); /* one part; the last calls `done` */

void joins_begin_measuring(struct joins *js);
struct joins_stats {
    double open_mean;
    struct tally sojourn_s; /* from opening to the last part */
    struct tally wait_s;    /* from the first part to the last */
};
struct joins_stats joins_stats(const struct joins *js);

#endif
