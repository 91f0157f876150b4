/*
 * The exponent of a double names an octave, the first 7 bits of its fraction
 * one of 128 bins in it: a bin is 1/128 to 1/256 as wide as its values are
 * large, and its middle is never more than 0.4 % away.  Octaves are allocated
 * when first met; 2^-64 .. 2^64 is wide enough for seconds and bytes, what is
 * below (zero too) counts as the least and what is above as the most.
 */
#include "engine/stats.h"

#include "base/arena.h"
#include "base/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BIN_BITS = 7, BINS = 1 << BIN_BITS, LOW_EXPONENT = -64, OCTAVES = 128 };

struct hist {
    uint64_t n, below;
    double min, max; /* exact, so that a constant has exact quantiles */
    uint64_t *octave[OCTAVES];
};

struct hist *hist_new(void)
{
    return xcalloc(1, sizeof(struct hist));
}

void hist_free(struct hist *h)
{
    if (h == NULL)
        return;
    for (int i = 0; i < OCTAVES; i++)
        free(h->octave[i]);
    free(h);
}

void hist_reset(struct hist *h)
{
    for (int i = 0; i < OCTAVES; i++)
        if (h->octave[i] != NULL)
            memset(h->octave[i], 0, BINS * sizeof *h->octave[i]);
    h->n = h->below = 0;
}

static uint64_t *octave_new(struct hist *h, size_t i)
{
    return h->octave[i] = xcalloc(BINS, sizeof *h->octave[i]);
}

static void add_rare(struct hist *h, double x)
{
    ASSERT(x >= 0);
    if (x < ldexp(1, LOW_EXPONENT))
        h->below++;
    else {
        uint64_t *last = h->octave[OCTAVES - 1];

        if (last == NULL)
            last = octave_new(h, OCTAVES - 1);
        last[BINS - 1]++;
    }
}

void hist_add(struct hist *h, double x)
{
    uint64_t bits, bin, *octave;

    if (__builtin_expect(h->n++ == 0, 0))
        h->min = h->max = x;
    h->min = x < h->min ? x : h->min;
    h->max = x > h->max ? x : h->max;
    memcpy(&bits, &x, sizeof bits);
    bin = (bits >> (52 - BIN_BITS)) - ((uint64_t)(1023 + LOW_EXPONENT) << BIN_BITS);
    if (__builtin_expect(bin >= (uint64_t)OCTAVES << BIN_BITS, 0)) {
        add_rare(h, x);
        return;
    }
    octave = h->octave[bin >> BIN_BITS];
    if (__builtin_expect(octave == NULL, 0))
        octave = octave_new(h, bin >> BIN_BITS);
    octave[bin & (BINS - 1)]++;
}

void hist_merge(struct hist *into, const struct hist *from)
{
    if (from->n == 0)
        return;
    into->min = into->n ? fmin(into->min, from->min) : from->min;
    into->max = into->n ? fmax(into->max, from->max) : from->max;
    into->n += from->n;
    into->below += from->below;
    for (size_t i = 0; i < OCTAVES; i++) {
        if (from->octave[i] == NULL)
            continue;
        if (into->octave[i] == NULL)
            octave_new(into, i);
        for (int k = 0; k < BINS; k++)
            into->octave[i][k] += from->octave[i][k];
    }
}

uint64_t hist_count(const struct hist *h)
{
    return h->n;
}

static double bin_middle(size_t octave, int bin)
{
    return ldexp(1 + (bin + 0.5) / BINS, (int)octave + LOW_EXPONENT);
}

/* The observation of rank ceil(q n), known to its bin. */
double hist_quantile(const struct hist *h, double q)
{
    double rank = fmax(1, ceil(q * (double)h->n));
    uint64_t seen = h->below;

    ASSERT(q >= 0 && q <= 1);
    if (h->n == 0)
        return 0;
    if (rank >= (double)h->n)
        return h->max;
    if ((double)seen >= rank)
        return h->min;
    for (size_t i = 0; i < OCTAVES; i++)
        for (int k = 0; h->octave[i] != NULL && k < BINS; k++)
            if ((double)(seen += h->octave[i][k]) >= rank)
                return fmin(fmax(bin_middle(i, k), h->min), h->max);
    return h->max;
}
