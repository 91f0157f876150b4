/* Closed forms, and what it takes to hold the figures of a scenario against them: shared by the tests that go
 * through the front door, text in and figures out. */
#ifndef THEORY_H
#define THEORY_H

#include "../unit/scenario_text.h"
#include "pipeline/simulate.h"

struct experiment {
    struct scenario *s;
    struct arena *a;
    struct outcome o;
};

__attribute__((unused)) static struct experiment experiment(const char *text, long replications)
{
    struct experiment x = {.s = text_scenario(text), .a = arena_new()};
    struct simulate_options opt = {.replications = replications};
    struct err err = {0};

    cr_assert_eq(simulate(x.s, &opt, x.a, &x.o, &err), 0, "%s\n%s", err.text, text);
    return x;
}

static inline void experiment_end(struct experiment *x)
{
    arena_free(x->a);
    scenario_free(x->s);
}

static inline double standard_error(const struct estimate *e)
{
    return (e->hi - e->lo) / 2 / student_quantile(0.975, (double)e->n - 1);
}

/* ------------------------------------------------------------------------------------------- laws */

enum { CONSTANT_LAW, EXPONENTIAL_LAW, LOGNORMAL_LAW, UNIFORM_LAW, DRAWN_LAWS };

static inline void text_law(struct text *t, int law, double mean_ms, double lognormal_cv)
{
    switch (law) {
    case CONSTANT_LAW:
        text_printf(t, "\"%.6gms\"", mean_ms);
        break;
    case EXPONENTIAL_LAW:
        text_printf(t, "{\"exponential\": \"%.6gms\"}", mean_ms);
        break;
    case LOGNORMAL_LAW:
        text_printf(t, "{\"lognormal\": {\"mean\": \"%.6gms\", \"cv\": %g}}", mean_ms, lognormal_cv);
        break;
    default:
        text_printf(t, "{\"uniform\": [\"0ms\", \"%.6gms\"]}", 2 * mean_ms);
    }
}

/* ------------------------------------------------------------------------------------- closed forms */

/* P(wait) of M/M/c by the recurrence of Erlang B. */
static inline double erlang_c(int servers, double load)
{
    double b = 1;

    for (int k = 1; k <= servers; k++)
        b = load * b / (k + load * b);
    return b / (1 - load / servers * (1 - b));
}

/* Mean wait in M/M/c. */
static inline double mmc_wait(int servers, double rate, double service)
{
    return erlang_c(servers, rate * service) * service / (servers - rate * service);
}

/* Mean value analysis: R_k(n) = D_k (1 + Q_k(n-1)), X = n / (Z + sum of R), Q_k = X R_k. */
static inline void mva(int clients, double think, const double *demand, int stations, double *x, double *r)
{
    double q[8] = {0};

    for (int n = 1; n <= clients; n++) {
        double residence[8];

        *r = 0;
        for (int k = 0; k < stations; k++)
            *r += residence[k] = demand[k] * (1 + q[k]);
        *x = n / (think + *r);
        for (int k = 0; k < stations; k++)
            q[k] = *x * residence[k];
    }
}

#endif
