/*
 * arrivals.h - what kind of process the requests arrive by, from their timestamps.
 *
 *   rate      arrivals per second; the interval from the counts of 20 equal windows (batch means, Student),
 *             which holds for bursty arrivals too as long as a burst is shorter than a window
 *   gap_cv    coefficient of variation of the gaps; 1 for Poisson
 *   idc       index of dispersion, variance / mean of the counts in windows of `window_s` (Cox and Lewis
 *             1966): 1 at all windows for Poisson, growing with the window where bursts last.  Its interval
 *             (chi-square) is exact for independent normal counts
 *
 * Poisson?  Three tests that a Poisson process passes (dispersion at a short and
 * a long window, gap_cv); the smallest p-value times three.
 *
 * Stationary?  The halves are compared, and the mean arrival time with the
 * middle (Laplace's trend test), both against a dispersion from differences of
 * neighbouring windows, which a trend does not inflate.  Beyond p = .001 a
 * suspect says so: a process fitted to a recording that drifts is a mixture.
 *
 * MMPP2: a Poisson process that switches between two rates (phases of
 * exponential length).  Maximum likelihood, the forward recursion of the hidden
 * phase with exact 2 x 2 exponentials per gap (Ryden 1994), simplex from three
 * starts, errors from the observed information.  A suspect says if Poisson does
 * as well (likelihood ratio).
 */
#ifndef CALIBRATE_ARRIVALS_H
#define CALIBRATE_ARRIVALS_H

#include "calibrate/fitted.h"

struct arrivals {
    struct fit fit;         /* "rate" per s, "gap_cv", "idc_short", "idc_long" */
    double short_s, long_s; /* the windows of the two */
    double poisson_p;       /* < .05: it is not Poisson */
    double half_p, trend_p; /* < .001: it is not stationary */
};

struct mmpp2 {
    struct fit fit; /* "rate_high", "rate_low" per s, "to_low", "to_high": switches per s */
    double gain;    /* log-likelihood above that of a Poisson process */
};

/* Timestamps in seconds, any order.  ERR_FAILED: fewer than 40 (MMPP2: 100), not finite, all at one time. */
int arrivals_fit(const double *t_s, size_t n, struct arrivals *out, struct err *err);
int arrivals_mmpp2(const double *t_s, size_t n, struct mmpp2 *out, struct err *err);

/* Of the counts in whole windows from the first arrival on; NAN for fewer than 2 windows. */
double arrivals_idc(const double *sorted_s, size_t n, double window_s, size_t *windows);

/* The index of dispersion of an MMPP2 in a window: what a simulation of it must show. */
double mmpp2_idc(double rate_high, double rate_low, double to_low, double to_high, double window_s);

#endif
