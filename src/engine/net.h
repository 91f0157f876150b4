/*
 * net.h - flows that cross several links at once, with max-min fair shares.
 *
 * No flow can have more without another, that has no more than it, having
 * less: each flow is at its own cap or crosses a full link on which none has
 * more than it.  A change recomputes only the flows that share a link with it,
 * directly or through others; only those whose rate changed are rescheduled.
 * For one link alone link.h does the same in less time.
 */
#ifndef ENGINE_NET_H
#define ENGINE_NET_H

#include "engine/sim.h"

enum { NET_HOPS = 8 };

struct net;
struct net *net_new(struct sim *sim);
int net_link(struct net *n, const char *name, double bytes_per_s); /* its number, from 0 on */

/* `links`: 1 to NET_HOPS different ones.  `cap` 0: none.  The number of the flow is free for reuse once it is
 * done. */
int net_send(struct net *n, const int *links, int links_n, double bytes, double cap, event_fn *done,
             void *self, uint64_t arg);
double net_rate(const struct net *n, int flow); /* bytes/s at the moment */

void net_begin_measuring(struct net *n);
struct net_stats {
    double utilization, flows_mean; /* of one link: time averages since measuring began */
    double bytes;                   /* carried since then */
};
struct net_stats net_stats(const struct net *n, int link);
uint64_t net_reckoned(const struct net *n); /* rates computed so far: what sharing costs */

#endif
