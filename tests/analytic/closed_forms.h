/*
 * closed_forms.h - the gate between a simulated figure and the theory: 32 independent replications of fixed
 * length, the first part of each thrown away, and a mean within 4 standard errors of the truth.
 */
#ifndef TESTS_CLOSED_FORMS_H
#define TESTS_CLOSED_FORMS_H

#include "engine/replicate.h"
#include "engine/rng.h"
#include "engine/sim.h"
#include "engine/stats.h"

#include <criterion/criterion.h>
#include <math.h>

enum { REPLICATIONS = 32, MAX_FIGURES = 4 };

typedef void model_fn(struct sim *sim, const void *setting, double figure[MAX_FIGURES]);

struct experiment {
    model_fn *model;
    const void *setting;
    uint64_t seed;
    double figure[MAX_FIGURES][REPLICATIONS];
};

static inline int replicate_once(void *ctx, uint32_t replication, struct err *err)
{
    struct experiment *x = ctx;
    struct sim *sim = sim_new(x->seed, replication);
    double figure[MAX_FIGURES] = {0};

    (void)err;
    x->model(sim, x->setting, figure);
    for (int i = 0; i < MAX_FIGURES; i++)
        x->figure[i][replication] = figure[i];
    sim_free(sim);
    return 0;
}

static inline void experiment_run(struct experiment *x)
{
    struct err err = {0};

    cr_assert_eq(replicate_run(0, REPLICATIONS, 0, replicate_once, x, &err), 0);
}

/* `known_to`: how exactly the figure can be known at all (a histogram's bin), relative. */
static inline void expect_figure(const struct experiment *x, const char *name, int i, double truth,
                                 double known_to)
{
    struct tally t = {0};
    double error, se;

    for (int r = 0; r < REPLICATIONS; r++)
        tally_add(&t, x->figure[i][r]);
    se = sqrt(tally_variance(&t) / REPLICATIONS);
    error = fmax(0, fabs(t.mean - truth) - known_to * truth);
    cr_expect(se < 0.1 * truth, "%s: too noisy to mean anything: %g +- %g", name, t.mean, se);
    cr_expect(error <= 4 * se, "%s: %.6g +- %.2g, theory says %.6g (z = %.1f)", name, t.mean, se, truth,
              error / se);
}

#endif
