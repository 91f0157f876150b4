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

struct hist;
struct hist *hist_new(void);
void hist_free(struct hist *h);
void hist_reset(struct hist *h);
void hist_add(struct hist *h, double x); /* x >= 0 */
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
