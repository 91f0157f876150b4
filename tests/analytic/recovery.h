/*
 * recovery.h - do 95 % intervals hold the parameters that made the data, 95 times in 100?
 *
 * Each figure is counted over 500 simulated data sets.  The gate is exact: a
 * figure fails when so few (or so many) intervals that hold the truth would
 * come with a chance below 1e-4, two-sided, from intervals that hold it 95
 * times in 100 (457 to 493 of 500 pass).  A parameter on its bound can only be
 * missed from above: there between 95 and 97.5 are right.
 *
 * A gate that cannot fail proves nothing: each method also meets data that
 * break its assumptions, and there the count must fall through.
 */
#ifndef TESTS_RECOVERY_H
#define TESTS_RECOVERY_H

#include "calibrate/fitted.h"
#include "engine/rng.h"

#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

enum { TRIALS = 500 };

static const double POSSIBLE = 0.5e-4; /* each side */

struct count {
    unsigned held, n;
};

/* As the program does: what GSL refuses comes back as a status. */
static inline void begin(void)
{
    gsl_set_error_handler_off();
}

static inline void count_held(struct count *c, double lo, double hi, double truth)
{
    c->held += lo <= truth && truth <= hi;
    c->n++;
}

static inline void count_param(struct count *c, const struct fit *f, const char *name, double truth)
{
    const struct fit_param *p = fit_find(f, name);

    cr_assert_not_null(p, "%s", name);
    count_held(c, p->lo, p->hi, truth);
}

/* Could a coverage between `least` and `most` have given this count? */
static inline bool count_between(const struct count *c, double least, double most)
{
    double low = gsl_cdf_binomial_P(c->held, least, c->n);
    double high = c->held > 0 ? gsl_cdf_binomial_Q(c->held - 1, most, c->n) : 1;

    return low >= POSSIBLE && high >= POSSIBLE;
}

static inline void expect_nominal(const struct count *c, const char *name)
{
    cr_expect(c->n == TRIALS && count_between(c, 0.95, 0.95), "%s: %u of %u intervals hold the truth", name,
              c->held, c->n);
}

static inline void expect_on_bound(const struct count *c, const char *name)
{
    cr_expect(c->n == TRIALS && count_between(c, 0.95, 0.975), "%s: %u of %u intervals hold the truth", name,
              c->held, c->n);
}

static inline void expect_caught(const struct count *c, const char *name)
{
    cr_expect(c->n >= TRIALS / 5 && !count_between(c, 0.95, 0.95),
              "%s: %u of %u intervals hold the truth, as if all were well", name, c->held, c->n);
}

#endif
