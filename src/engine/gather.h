/*
 * gather.h - items collected into batches: a batch is ready when it is full, or when its first item has
 * waited long enough.
 *
 * What happens to a ready batch is the caller's: with a station behind it, this is the batching station of
 * inference servers and loaders.  Items are borrowed pointers.
 */
#ifndef ENGINE_GATHER_H
#define ENGINE_GATHER_H

#include "engine/sim.h"
#include "engine/stats.h"

/* `items` holds until the call returns.  Called within gather_add(), gather_flush(), or by the time-out's
 * event. */
typedef void gather_fn(struct sim *sim, void *self, void *const *items, long n);

struct gather;
struct gather *gather_new(struct sim *sim, const char *name, long size, double timeout_s /* 0: none */,
                          gather_fn *ready, void *self);
void gather_add(struct gather *g, void *item);
void gather_flush(struct gather *g); /* what is there leaves as it is: the end of an epoch */

void gather_begin_measuring(struct gather *g);
struct gather_stats {
    double inside_mean;  /* items, time average */
    struct tally size;   /* of batches */
    struct tally wait_s; /* of items, for the others of their batch */
    uint64_t timed_out;  /* batches that left because of the time-out */
};
struct gather_stats gather_stats(const struct gather *g);

#endif
