/*
 * stats.h - what is observed, and how sure we are of it.
 *
 * A tally holds observations, a level a value that lasts (queue length), a
 * hist a log-linear histogram on the bits of the double (relative half-width
 * <= 0.4 %) that merges by adding.  An estimate is what may be printed: a mean
 * never travels without its interval and its n.
 */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct tally { /* Welford's recurrence; {0} is empty */
    uint64_t n;
    double mean, m2, min, max;
};
static inline void tally_add(struct tally *t, double x);
void tally_merge(struct tally *into, const struct tally *from);
double tally_variance(const struct tally *t); /* n - 1; 0 for n < 2 */

struct level {
    double value, since_s, area, start_s;
};
/* Begins, or begins again at the end of warm-up. */
static inline void level_start(struct level *l, double now_s, double value);
static inline void level_set(struct level *l, double now_s, double value);
static inline double level_area(const struct level *l,
                                double now_s); /* integral of the value since the start */
double level_mean(const struct level *l, double now_s);

enum { HIST_BIN_BITS = 7, HIST_BINS = 1 << HIST_BIN_BITS, HIST_LOW_EXPONENT = -64, HIST_OCTAVES = 128 };

/*
 * The exponent of a double names an octave, the first 7 bits of its fraction one of 128 bins in it: the
 * middle of a bin is never more than 0.4 % away.  Octaves are allocated when first met.  What is outside
 * 2^-64 .. 2^64 (zero too) is only known to be below or above.  Read it by the functions.
 */
struct hist {
    double min, max; /* exact, so that a constant has exact quantiles */
    uint64_t below, above;
    uint64_t *octave[HIST_OCTAVES];
};
struct hist *hist_new(void);
void hist_free(struct hist *h);
void hist_reset(struct hist *h);
static inline void hist_add(struct hist *h, double x); /* x >= 0 */
void hist_merge(struct hist *into, const struct hist *from);
uint64_t hist_count(const struct hist *h);
double hist_quantile(const struct hist *h, double q); /* 0 for an empty one */

struct estimate {
    double mean, lo, hi; /* lo..hi: sampling error at the confidence asked for */
    long n;
    bool has_pred; /* pred_lo..pred_hi adds parameter uncertainty and model discrepancy */
    double pred_lo, pred_hi;
};

struct estimate estimate_exact(double value); /* n = 1, lo = hi = mean */
/* Student interval over independent replications; n = 1 gives an infinite interval (null in JSON). */
struct estimate estimate_student(const double *x, size_t n, double confidence);
/* Ratio mean(a)/mean(b) of paired replications, by the jackknife with a Student interval. */
struct estimate estimate_ratio(const double *a, const double *b, size_t n, double confidence);
struct estimate estimate_difference(const double *a, const double *b, size_t n,
                                    double confidence); /* a - b, paired */
double student_quantile(double p, double degrees_of_freedom);

/* mean += (x - mean) / n, m2 += (x - mean before) (x - mean after): 1 / n does not wait for the last mean. */
static inline void tally_add(struct tally *t, double x)
{
    double before = x - t->mean;

    if (__builtin_expect(t->n == 0, 0))
        t->min = t->max = x;
    t->n++;
    t->mean += before * (1.0 / (double)(int64_t)t->n);
    t->m2 += before * (x - t->mean);
    t->min = x < t->min ? x : t->min;
    t->max = x > t->max ? x : t->max;
}

void hist_add_rare(struct hist *h, double x, uint64_t bin);

static inline void hist_add(struct hist *h, double x)
{
    uint64_t bits, bin, *octave = NULL;

    h->min = x < h->min ? x : h->min;
    h->max = x > h->max ? x : h->max;
    memcpy(&bits, &x, sizeof bits);
    bin = (bits >> (52 - HIST_BIN_BITS)) - ((uint64_t)(1023 + HIST_LOW_EXPONENT) << HIST_BIN_BITS);
    if (__builtin_expect(bin < (uint64_t)HIST_OCTAVES << HIST_BIN_BITS, 1))
        octave = h->octave[bin >> HIST_BIN_BITS];
    if (__builtin_expect(octave != NULL, 1))
        octave[bin & (HIST_BINS - 1)]++;
    else
        hist_add_rare(h, x, bin);
}

static inline void level_start(struct level *l, double now_s, double value)
{
    l->value = value;
    l->since_s = l->start_s = now_s;
    l->area = 0;
}

static inline void level_set(struct level *l, double now_s, double value)
{
    l->area += l->value * (now_s - l->since_s);
    l->since_s = now_s;
    l->value = value;
}

static inline double level_area(const struct level *l, double now_s)
{
    return l->area + l->value * (now_s - l->since_s);
}

#endif
