/*
 * space.h - something of which there is only so much: memory, KV blocks, connections.
 *
 * Amounts are whole units, so that what was taken and given back balances
 * exactly.  Whoever must wait is served in order of arrival: a small request
 * never overtakes a large one, so nobody starves.  A request that succeeds at
 * once returns so and does not call back.
 */
#ifndef ENGINE_SPACE_H
#define ENGINE_SPACE_H

#include "engine/sim.h"
#include "engine/stats.h"

struct space;
struct space *space_new(struct sim *sim, const char *name, int64_t capacity);

/* 0 <= amount <= capacity; more can never be granted and is a bug of the caller. */
bool space_take(struct space *s, int64_t amount, event_fn *granted, void *self, uint64_t arg);
bool space_try(struct space *s, int64_t amount); /* now or never; does not overtake those who wait */
void space_give(struct space *s, int64_t amount);

int64_t space_capacity(const struct space *s);
int64_t space_used(const struct space *s);
long space_takers_waiting(const struct space *s);

void space_begin_measuring(struct space *s);
struct space_stats {
    double used_mean, waiting_mean; /* units; requests waiting */
    int64_t used_max;
    struct tally wait_s; /* of all that were granted, at once or later */
    uint64_t refused;    /* by space_try() */
};
struct space_stats space_stats(const struct space *s);

#endif
