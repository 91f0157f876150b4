#include "models/answer.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

/* The quantile by bisection: gsl_cdf_beta_Pinv gives up on the U-shaped laws that agents have. */
static double beta_quantile(double target, double a, double b, double from)
{
    double lo = from, hi = 1;

    for (int i = 0; i < 52 && hi - lo > 1e-14; i++) {
        double middle = 0.5 * (lo + hi);

        if (gsl_cdf_beta_P(middle, a, b) < target)
            lo = middle;
        else
            hi = middle;
    }
    return 0.5 * (lo + hi);
}

/* E[X; X <= x] = mean * P(Beta(a + 1, b) <= x), so a bin's mean is a difference of two of these. */
void difficulty_init(struct difficulty *d, double mean, double icc)
{
    double strength, a, b, x = 0, below = 0;

    d->mean = mean;
    if (icc <= 0 || mean <= 0 || mean >= 1) {
        for (int i = 0; i < ANSWER_BINS; i++)
            d->p[i] = mean;
        return;
    }
    strength = 1 / icc - 1;
    a = mean * strength;
    b = (1 - mean) * strength;
    for (int i = 0; i < ANSWER_BINS; i++) {
        double share = (double)(i + 1) / ANSWER_BINS, up_to;

        x = i + 1 < ANSWER_BINS ? beta_quantile(share, a, b, x) : 1;
        /* U-shaped laws are steeper than a double can resolve: what is between P(x) and the share lies at x.
         */
        up_to = mean * gsl_cdf_beta_P(x, a + 1, b) + (share - gsl_cdf_beta_P(x, a, b)) * x;
        d->p[i] = fmin(1, fmax(0, (up_to - below) * ANSWER_BINS));
        below = up_to;
    }
}

double difficulty_at(const struct difficulty *d, double u)
{
    int bin = (int)((1 - u) * ANSWER_BINS);

    return d->p[bin < 0 ? 0 : bin >= ANSWER_BINS ? ANSWER_BINS - 1 : bin];
}

static double cumulative(const struct curve *c, double k)
{
    if (c->n == 0)
        return 1;
    return k < c->x[0] ? c->y[0] * k / c->x[0]
                       : curve_at(c, k); /* from nothing to the first knot: straight */
}

static double among_first(const struct curve *evidence, double recall, long k)
{
    double sum, last = 1, before = cumulative(evidence, (double)k);

    if (recall >= 1)
        return before;
    if (recall <= 0)
        return 0;
    sum = before * recall;
    for (long r = k + 1; last > 1e-9 && r < 100 * k; r++) { /* those that moved up into the gaps */
        double now = cumulative(evidence, (double)r);

        last = gsl_cdf_binomial_P((unsigned)(k - 1), recall, (unsigned)(r - 1));
        sum += (now - before) * recall * last;
        before = now;
    }
    return sum;
}

double answer_found(const struct answer_cfg *a, double recall, long passages, long candidates)
{
    if (a->evidence.n == 0)
        return recall > 0 ? 1 : 0;
    if (candidates > passages && a->rerank.n > 0)
        return among_first(&a->evidence, recall, candidates) * cumulative(&a->rerank, (double)passages);
    return among_first(&a->evidence, recall, passages);
}

/* The chances of having found 0 .. hops so far, carried from round to round. */
double answer_solved(double q, double ahead, int hops, long rounds)
{
    enum { HOPS_MAX = 64 };
    double at[HOPS_MAX + 1] = {1};

    ASSERT(hops >= 0 && hops <= HOPS_MAX);
    for (long r = 0; r < rounds; r++) {
        for (int i = hops - 1; i >= 0; i--) {
            double stays = at[i], goes = at[i] * q;

            at[i] = stays * (1 - q);
            for (int j = i + 1; j <= hops; j++) {
                double further = j < hops ? goes * q * ahead : 0;

                at[j] += goes - further;
                goes = further;
            }
        }
    }
    return at[hops];
}

double answer_majority(double p, long votes)
{
    unsigned n = (unsigned)votes, half = n / 2;
    double more = gsl_cdf_binomial_Q(half, p, n);

    if (n % 2 == 1)
        return more;
    return more +
           0.5 * (gsl_cdf_binomial_P(half, p, n) - (half > 0 ? gsl_cdf_binomial_P(half - 1, p, n) : 0));
}
