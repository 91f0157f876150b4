/*
 * sweep.h - what a service does as more and more clients ask at once.
 *
 * A sweep is a list of (N clients in a closed loop, X requests per second and,
 * where measured, R mean seconds and p99).  Two curves:
 *
 *   USL      X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))
 *            (Gunther, "Guerrilla Capacity Planning", 2007): lambda one client's rate, sigma what is
 *            serial, kappa what pairs of clients cost each other.  A curve without a mechanism.
 *
 *   station  c servers, each request needs D seconds of one of them and spends Z seconds elsewhere (network,
 *            client).  The exact solution of this closed network (exponential D; any Z), which mean-value
 *            analysis with load-dependent rates gives too (Reiser and Lavenberg 1980):
 *                p_k = p_k-1 (N - k + 1) / Z * D / min(k, c),   X = sum p_k min(k, c) / D,   R = N / X
 *            c is given, or the integer under which the points are likeliest; all c that an F test at
 *            5 % cannot refuse are its interval, and D's and Z's cover those of each.
 *
 * Both have relative noise.  Suspects, and what is done about them:
 *   - contradiction: Little's law wants N >= X R; a point that breaks it by more than 10 % is left out.
 *   - throttled: QPS falls by more than 15 % while N grows, or p99 jumps threefold more than N did and lands
 *     above half a second (a rate limiter's refusal and back-off, not a queue); this and all larger N are
 *     left out.
 *   - saturated from N: X no longer rises; beyond that only R does.
 *   - never saturated: the last X still follows N; c, or sigma and kappa, are guesses.
 *
 * Held out: the largest N that was fitted, predicted from the others (three or more).
 */
#ifndef CALIBRATE_SWEEP_H
#define CALIBRATE_SWEEP_H

#include "calibrate/fitted.h"

#include <stdint.h>

enum { SWEEP_POINTS = 64, SWEEP_SERVERS = 256 };

struct sweep_point {
    double clients, per_s;
    double mean_s, p99_s; /* NAN: not measured */
};

struct sweep_health {
    bool usable[SWEEP_POINTS];
    size_t usable_n;
    double saturated_from, throttled_from; /* N; NAN: not */
};

struct station_fit {
    struct fit fit; /* "demand" s, "overhead" s, "servers" */
    int servers, servers_lo, servers_hi;
    double capacity_per_s; /* servers / demand */
};

/* Points by rising N.  ERR_FAILED: more than SWEEP_POINTS, not rising, a rate or count that cannot be. */
int sweep_examine(const struct sweep_point *p, size_t n, struct sweep_health *out, struct fit *suspects,
                  struct err *err);

/* "lambda" per s, "sigma", "kappa".  At least 3 usable points. */
int sweep_usl(const struct sweep_point *p, size_t n, uint64_t seed, struct fit *out, struct err *err);
double usl_per_s(double lambda, double sigma, double kappa, double clients);

/* `servers` 0: found.  At least 2 usable points, 3 to find the servers. */
int sweep_station(const struct sweep_point *p, size_t n, int servers, uint64_t seed, struct station_fit *out,
                  struct err *err);
double station_per_s(double demand_s, double overhead_s, int servers, double clients);

#endif
