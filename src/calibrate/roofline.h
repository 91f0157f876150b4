/*
 * roofline.h - the time of a kernel from what it computes and what it moves.
 *
 *     seconds = overhead + max(flops / (peak s / (s + s_half)), bytes / bandwidth)
 *
 * The roofline of Williams, Waterman and Patterson (2009) with an efficiency
 * that grows with the size s of the problem (tokens, rows: whatever fills the
 * machine) and is half at s_half (Hockney's n_1/2, 1988).  Relative noise,
 * robust start, nonlinear.h.
 *
 * Not every recording tells every parameter: peak and half size need points
 * that compute long enough to show, bandwidth points that move.  A side that
 * does not earn its parameters (Schwarz's criterion) is left out: its parameters
 * are not identifiable, and a suspect says what to measure.  Where moving and
 * computing explain the times equally well (a half size far above all sizes
 * looks like a bandwidth), moving is believed: it has fewer parameters.
 */
#ifndef CALIBRATE_ROOFLINE_H
#define CALIBRATE_ROOFLINE_H

#include "calibrate/fitted.h"

#include <stdint.h>

struct kernel_time {
    double flops, bytes, size; /* size: what the efficiency depends on */
    double seconds;
};

struct roofline {
    struct fit fit;         /* "peak" FLOP/s, "bandwidth" bytes/s, "half_size", "overhead" s */
    long computing, moving; /* points on each side */
};

/* ERR_FAILED: fewer than 4 points, a time that is not positive, work that is negative. */
int roofline_fit(const struct kernel_time *k, size_t n, uint64_t seed, struct roofline *out, struct err *err);

double roofline_seconds(double peak, double bandwidth, double half_size, double overhead_s,
                        const struct kernel_time *k);

#endif
