/*
 * buffer.h - a finite first-in first-out buffer that blocks both ways: the back-pressure between stages.
 *
 * Putters and takers that must wait are served in order of arrival.  A call
 * that succeeds at once returns so and does not call back; otherwise `fn` is
 * called later (by an event at the time it succeeds).  Items are borrowed pointers, never NULL.
 */
#ifndef ENGINE_BUFFER_H
#define ENGINE_BUFFER_H

#include "engine/sim.h"

struct buffer;
struct buffer *buffer_new(struct sim *sim, const char *name,
                          long capacity /* < 0: unbounded; 0: rendezvous */);

bool buffer_put(struct buffer *b, void *item, event_fn *fn, void *self, uint64_t arg);
void *buffer_get(struct buffer *b, event_fn *fn, void *self); /* later: fn(sim, self, (uintptr_t)item) */

long buffer_length(const struct buffer *b);
long buffer_putters_waiting(const struct buffer *b);
long buffer_takers_waiting(const struct buffer *b);

void buffer_begin_measuring(struct buffer *b);
struct buffer_stats {
    double length_mean;               /* items inside, time average */
    double putters_mean, takers_mean; /* waiting outside */
    uint64_t passed;
};
struct buffer_stats buffer_stats(const struct buffer *b);

#endif
