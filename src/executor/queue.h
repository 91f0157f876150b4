/*
 * queue.h - a bounded queue between threads that keeps the order of its items.
 *
 * Every item carries a sequence number, 0, 1, 2, ... without gaps; items leave
 * strictly in that order, whoever put them in and when.  A push waits while
 * `capacity` items are inside, except for the item that everyone waits for: it
 * is always let in, so producers that ran ahead cannot lock the queue.
 *
 * Consumers know how many items there will be.  queue_close() is for giving up:
 * it wakes everybody, and pushes and pops fail from then on.
 * The queue never owns items.  How long threads wait is timed by the callers, how long items
 * wait by the queue.
 */
#ifndef EXECUTOR_QUEUE_H
#define EXECUTOR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue *queue_new(size_t capacity, uint64_t first_sequence);
void queue_free(struct queue *q); /* NULL is fine; no thread may be inside */

bool queue_push(struct queue *q, uint64_t sequence, void *item); /* false: closed */

enum queue_try {
    QUEUE_PUSHED,
    QUEUE_FULL,  /* no room; the item that leaves next is one of the caller's own run */
    QUEUE_EARLY, /* no room, and an item before `mine_from` has still to leave */
    QUEUE_CLOSED
};
/* Never waits.  `mine_from`: the first sequence number of the caller's own run of items. */
enum queue_try queue_try_push(struct queue *q, uint64_t sequence, uint64_t mine_from, void *item);

void *queue_pop(struct queue *q);       /* NULL: closed */
double queue_waited_s(struct queue *q); /* by the items that have left, inside, summed */
void queue_close(struct queue *q);

#endif
