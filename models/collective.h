/*
 * collective.h - how long accelerators take to exchange data.
 *
 * The alpha-beta model: a message of S bytes takes alpha + S / beta over one
 * link.  n ranks; S is the whole vector in every function; B = bytes_per_s of
 * one rank in one direction, alpha = latency_s of one step.
 *
 *   ring all-reduce          2 (n - 1) alpha + 2 (n - 1) / n * S / B
 *   ring gather or scatter     (n - 1) alpha +   (n - 1) / n * S / B
 *   double binary tree       2 ceil(log2 n) alpha + 2 S / B   (both trees together fill both directions)
 *   all-to-all                 (n - 1) alpha +   (n - 1) / n * S / B   (S: what one rank holds)
 *   hierarchical             scatter inside the node, all-reduce across nodes with 1 / g of S, gather inside
 *
 * A real library has several protocols: a quick one that moves little, and a
 * wide one that starts slowly.  fabric_of() holds both and the quicker counts,
 * message by message.
 *
 * Sources: Thakur, Rabenseifner, Gropp, Optimization of Collective Communication
 * Operations in MPICH, 2005; Sanders, Speck, Traff, Two-tree algorithms, 2009.
 * Left out: congestion between jobs, adaptive routing, switches that reduce.
 */
#ifndef MODELS_COLLECTIVE_H
#define MODELS_COLLECTIVE_H

struct link_law {
    double bytes_per_s, latency_s; /* of one rank, one direction; of one step */
};

struct fabric {
    struct link_law quick, wide; /* equal where there is only one */
};

struct fabric fabric_of(double bytes_per_s, double latency_s);

double ring_all_reduce_s(const struct fabric *f, double bytes, double n);
double ring_gather_s(const struct fabric *f, double bytes, double n); /* all-gather, reduce-scatter */
double tree_all_reduce_s(const struct fabric *f, double bytes, double n);
double all_to_all_s(const struct fabric *f, double bytes, double n);
double send_s(const struct fabric *f, double bytes);

/* `per_node` ranks on each of `nodes`: rings inside over `inside`, across over `across`, per rank. */
double hierarchical_all_reduce_s(const struct fabric *inside, const struct fabric *across, double bytes,
                                 double per_node, double nodes);
double hierarchical_gather_s(const struct fabric *inside, const struct fabric *across, double bytes,
                             double per_node, double nodes);

#endif
