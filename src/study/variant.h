/*
 * variant.h - a scenario with some optimizations applied, and what it delivers.
 *
 * The value of a variant is its objective, larger is better: throughput for
 * closed workloads and clients, 1 / mean latency for open arrivals (whose
 * throughput is given); with `whole`, that of all pipelines together (whole.h).  All
 * variants of a study share seed and replications, so their values are paired: the
 * same item has the same luck in each.
 */
#ifndef STUDY_VARIANT_H
#define STUDY_VARIANT_H

#include "pipeline/edit.h"
#include "pipeline/simulate.h"

struct whole;

struct study {
    const struct json *tree; /* the scenario, calibrations not applied */
    const char *file;
    const struct resolver *resolver;
    const struct optimization *optimizations;
    int n; /* optimizations */
    uint64_t seed;
    long replications;
    int threads;
    double confidence;
    struct simulate_options limits; /* caps and the order of ties; what stands above overrides the rest */
    uint32_t parameter_draw;        /* see scenario_options */
    const struct whole *whole;      /* what the value of an estate is; NULL: that of its objective */
};

/* A set of optimizations, as bits. */
typedef uint64_t opt_set;
enum { OPTS_MAX = 60 };

bool set_is_legal(const struct study *st, opt_set set);

/*
 * The scenario with `set` applied.  only_stages (NULL: all) makes every stage not named
 * infinitely fast, for local gains.
 */
int variant_build(const struct study *st, opt_set set, const char *const *only_stages, int only_n,
                  struct scenario **out, struct err *err);

/* How a variant of the study is simulated. */
struct simulate_options study_simulation(const struct study *st, int threads);

/* Simulates; the outcome's arrays live in `a`, it points into *s, which the caller frees. */
int variant_simulate(const struct study *st, const struct scenario *s, int threads, struct arena *a,
                     struct outcome *out, struct err *err);

/* What optimization i gains in the stages it touches when all others are infinitely fast. */
int variant_local_gain(const struct study *st, int i, struct estimate *out, struct err *err);

#endif
