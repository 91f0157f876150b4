#include "models/collective.h"

#include <math.h>

struct fabric fabric_of(double bytes_per_s, double latency_s)
{
    const struct link_law l = {bytes_per_s, latency_s};

    return (struct fabric){l, l};
}

/* `steps` messages one after the other that carry `bytes` together, by the quicker protocol. */
static double steps_s(const struct fabric *f, double steps, double bytes)
{
    double quick = steps * f->quick.latency_s + bytes / f->quick.bytes_per_s;
    double wide = steps * f->wide.latency_s + bytes / f->wide.bytes_per_s;

    return quick < wide ? quick : wide;
}

double ring_all_reduce_s(const struct fabric *f, double bytes, double n)
{
    return n <= 1 ? 0 : steps_s(f, 2 * (n - 1), 2 * (n - 1) / n * bytes);
}

double ring_gather_s(const struct fabric *f, double bytes, double n)
{
    return n <= 1 ? 0 : steps_s(f, n - 1, (n - 1) / n * bytes);
}

double tree_all_reduce_s(const struct fabric *f, double bytes, double n)
{
    return n <= 1 ? 0 : steps_s(f, 2 * ceil(log2(n)), 2 * bytes);
}

double all_to_all_s(const struct fabric *f, double bytes, double n)
{
    return n <= 1 ? 0 : steps_s(f, n - 1, (n - 1) / n * bytes);
}

double send_s(const struct fabric *f, double bytes)
{
    return steps_s(f, 1, bytes);
}

double hierarchical_all_reduce_s(const struct fabric *inside, const struct fabric *across, double bytes,
                                 double per_node, double nodes)
{
    return 2 * ring_gather_s(inside, bytes, per_node) + ring_all_reduce_s(across, bytes / per_node, nodes);
}

double hierarchical_gather_s(const struct fabric *inside, const struct fabric *across, double bytes,
                             double per_node, double nodes)
{
    return ring_gather_s(inside, bytes, per_node) + ring_gather_s(across, bytes / per_node, nodes);
}
