#include "models/data_parallel.h"

#include <math.h>

/* After which share of backward are the first `frac` of the bytes ready? */
static double ready_at(const struct gradient *g, double frac)
{
    if (g->ready == NULL || g->knots < 2)
        return frac;
    for (size_t i = 1; i < g->knots; i++) {
        const struct ready_knot *a = &g->ready[i - 1], *b = &g->ready[i];

        if (frac > b->bytes_frac && i + 1 < g->knots)
            continue;
        if (b->bytes_frac <= a->bytes_frac)
            return b->backward_frac;
        return a->backward_frac +
               (b->backward_frac - a->backward_frac) *
                   fmax(0, fmin(1, (frac - a->bytes_frac) / (b->bytes_frac - a->bytes_frac)));
    }
    return 1;
}

/* When an exchange of `work` seconds ends that starts at `start`, slower until backward ends. */
static double exchange_end(double start, double work, double backward, double beside_rate)
{
    double beside = fmax(0, backward - start) * beside_rate;

    return work <= beside ? start + work / beside_rate : fmax(start, backward) + work - beside;
}

double dp_step_s(const struct dp_step *s)
{
    double backward = s->compute_s * s->backward_frac, before = s->accumulate * s->compute_s - backward;
    double buckets = fmax(1, ceil(s->gradient.bytes / s->bucket_bytes)), end = 0;
    double reduce = ring_all_reduce_s(&s->link, s->gradient.bytes / buckets, s->workers);

    if (s->workers <= 1)
        return s->accumulate * s->compute_s;
    for (double i = 1; i <= buckets; i++)
        end = exchange_end(fmax(end, ready_at(&s->gradient, i / buckets) * backward), reduce, backward,
                           s->beside_rate);
    return before + fmax(end, backward);
}

/* E[max] = integral over x > 0 of 1 - F(x)^n - F(-x)^n, by the trapezoidal rule, which is exact here to 1e-9.
 */
double slowest_of(double n)
{
    const double step = 1.0 / 64, reach = 12;
    double sum = 0;

    if (n <= 1)
        return 0;
    for (double x = 0; x <= reach; x += step) {
        double above = 0.5 * erfc(x * M_SQRT1_2);
        double y = -expm1(n * log1p(-above)) - pow(above, n);

        sum += x == 0 ? y / 2 : y;
    }
    return sum * step;
}
