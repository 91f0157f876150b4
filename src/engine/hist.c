#include "engine/stats.h"

#include "base/arena.h"
#include "base/err.h"

#include <math.h>
#include <stdlib.h>

struct hist *hist_new(void)
{
    struct hist *h = xcalloc(1, sizeof *h);

    hist_reset(h);
    return h;
}

void hist_free(struct hist *h)
{
    if (h == NULL)
        return;
    for (int i = 0; i < HIST_OCTAVES; i++)
        free(h->octave[i]);
    free(h);
}

void hist_reset(struct hist *h)
{
    for (int i = 0; i < HIST_OCTAVES; i++)
        if (h->octave[i] != NULL)
            memset(h->octave[i], 0, HIST_BINS * sizeof *h->octave[i]);
    h->below = h->above = 0;
    h->min = INFINITY;
    h->max = -INFINITY;
}

static uint64_t *octave_get(struct hist *h, size_t i)
{
    if (h->octave[i] == NULL)
        h->octave[i] = xcalloc(HIST_BINS, sizeof *h->octave[i]);
    return h->octave[i];
}

/* Out of range, or the first of its octave. */
void hist_add_rare(struct hist *h, double x, uint64_t bin)
{
    ASSERT(x >= 0);
    if (bin < (uint64_t)HIST_OCTAVES << HIST_BIN_BITS)
        octave_get(h, bin >> HIST_BIN_BITS)[bin & (HIST_BINS - 1)]++;
    else if (x < 1)
        h->below++;
    else
        h->above++;
}

void hist_merge(struct hist *into, const struct hist *from)
{
    into->min = fmin(into->min, from->min);
    into->max = fmax(into->max, from->max);
    into->below += from->below;
    into->above += from->above;
    for (size_t i = 0; i < HIST_OCTAVES; i++) {
        uint64_t *octave;

        if (from->octave[i] == NULL)
            continue;
        octave = octave_get(into, i);
        for (int k = 0; k < HIST_BINS; k++)
            octave[k] += from->octave[i][k];
    }
}

uint64_t hist_count(const struct hist *h)
{
    uint64_t n = h->below + h->above;

    for (size_t i = 0; i < HIST_OCTAVES; i++)
        for (int k = 0; h->octave[i] != NULL && k < HIST_BINS; k++)
            n += h->octave[i][k];
    return n;
}

static double bin_middle(size_t octave, int bin)
{
    return ldexp(1 + (bin + 0.5) / HIST_BINS, (int)octave + HIST_LOW_EXPONENT);
}

/* The observation of rank ceil(q n), known to its bin. */
double hist_quantile(const struct hist *h, double q)
{
    double n = (double)hist_count(h), rank = fmax(1, ceil(q * n));
    uint64_t seen = h->below;

    ASSERT(q >= 0 && q <= 1);
    if (n == 0)
        return 0;
    if (rank >= n)
        return h->max;
    if ((double)seen >= rank)
        return h->min;
    for (size_t i = 0; i < HIST_OCTAVES; i++)
        for (int k = 0; h->octave[i] != NULL && k < HIST_BINS; k++)
            if ((double)(seen += h->octave[i][k]) >= rank)
                return fmin(fmax(bin_middle(i, k), h->min), h->max);
    return h->max;
}
