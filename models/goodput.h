/*
 * goodput.h - what failures and checkpoints leave of a long run.
 *
 * A job that fails at rate 1 / M (M: mean time between failures of the whole
 * gang), writes a checkpoint of delta seconds every tau seconds of work, and
 * needs R seconds to start again, takes for tau seconds of work (Daly, A higher
 * order estimate of the optimum checkpoint interval, 2006, exact for
 * exponential failures):
 *
 *   T = M e^{R / M} (e^{(tau + delta) / M} - 1)
 *
 * Goodput is tau / T.  The interval that maximizes it is near Young's
 * sqrt(2 delta M), which is the oracle of the tests.
 */
#ifndef MODELS_GOODPUT_H
#define MODELS_GOODPUT_H

struct failure_law {
    double mtbf_s; /* of the gang; INFINITY: never fails */
    double checkpoint_s, restart_s;
};

double goodput_frac(const struct failure_law *f, double interval_s);
double
goodput_best_interval_s(const struct failure_law *f); /* INFINITY when it never fails or saving is free */

#endif
