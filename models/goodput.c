#include "models/goodput.h"

#include <math.h>

double goodput_frac(const struct failure_law *f, double interval_s)
{
    if (isinf(f->mtbf_s))
        return isinf(interval_s) ? 1 : interval_s / (interval_s + f->checkpoint_s);
    return interval_s / f->mtbf_s * exp(-f->restart_s / f->mtbf_s) /
           expm1((interval_s + f->checkpoint_s) / f->mtbf_s);
}

/* Golden section on the logarithm; goodput has one maximum. */
double goodput_best_interval_s(const struct failure_law *f)
{
    const double g = (sqrt(5) - 1) / 2;
    double a, b, x, y;

    if (isinf(f->mtbf_s) || f->checkpoint_s <= 0)
        return INFINITY;
    a = log(f->checkpoint_s * 1e-3);
    b = log(10 * (f->mtbf_s + f->checkpoint_s));
    while (b - a > 1e-9) {
        x = b - g * (b - a);
        y = a + g * (b - a);
        if (goodput_frac(f, exp(x)) > goodput_frac(f, exp(y)))
            b = y;
        else
            a = x;
    }
    return exp((a + b) / 2);
}
