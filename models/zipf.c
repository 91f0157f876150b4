#include "models/zipf.h"

#include <math.h>

/* The integral of x^-s from 1, and its inverse; (e^{a l} - 1) / a keeps its digits where s is near 1. */
static double integral(double x, double s)
{
    double l = log(x), a = (1 - s) * l;

    return fabs(a) < 1e-8 ? l * (1 + a / 2) : expm1(a) / (1 - s);
}

static double inverse(double area, double s)
{
    double t = fmax(area * (1 - s), -1);

    return fabs(t) < 1e-8 ? exp(area * (1 - t / 2)) : exp(log1p(t) / (1 - s));
}

void zipf_init(struct zipf *z, double n, double s)
{
    *z = (struct zipf){.n = n, .s = s};
    z->area_first = integral(1.5, s) - 1;
    z->area_all = integral(n + 0.5, s);
    z->accept = 2 - inverse(integral(2.5, s) - pow(2, -s), s);
}

uint64_t zipf_draw(const struct zipf *z, struct rng *r)
{
    for (;;) {
        double u = z->area_all + rng_uniform(r) * (z->area_first - z->area_all);
        double x = inverse(u, z->s), k = fmin(fmax(floor(x + 0.5), 1), z->n);

        if (k - x <= z->accept || u >= integral(k + 0.5, z->s) - pow(k, -z->s))
            return (uint64_t)k;
    }
}

/* The first terms one by one, the rest by the midpoint rule, whose error there is below 1e-6 of the sum. */
static double harmonic(double n, double s)
{
    double sum = 0, first = fmin(n, 256);

    for (double k = 1; k <= first; k++)
        sum += pow(k, -s);
    return n > first ? sum + integral(n + 0.5, s) - integral(first + 0.5, s) : sum;
}

double zipf_top(double n, double s, double top)
{
    return top <= 0 ? 0 : top >= n ? 1 : harmonic(floor(top), s) / harmonic(n, s);
}
