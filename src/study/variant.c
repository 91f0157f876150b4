#include "study/variant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool set_is_legal(const struct study *st, opt_set set)
{
    for (int i = 0; i < st->n; i++)
        for (int k = i + 1; k < st->n; k++)
            if ((set >> i & 1) && (set >> k & 1) &&
                !optimizations_compatible(&st->optimizations[i], &st->optimizations[k]))
                return false;
    return true;
}

int variant_build(const struct study *st, opt_set set, const char *const *only_stages, int only_n,
                  struct scenario **out, struct err *err)
{
    struct scenario_options so = {.resolver = st->resolver, .parameter_draw = st->parameter_draw};
    struct json *tree = json_copy(st->tree);
    int rc = 0;

    for (int i = 0; rc == 0 && i < st->n; i++)
        if (set >> i & 1)
            rc = optimization_apply(tree, &st->optimizations[i], err);
    if (rc == 0)
        rc = scenario_build(tree, st->file, &so, out, err);
    json_free(tree);
    if (rc != 0 || only_stages == NULL)
        return rc;
    scenario_isolate(*out, only_stages, only_n);
    return 0;
}

struct simulate_options study_simulation(const struct study *st, int threads)
{
    struct simulate_options opt = st->limits;

    opt.seed = st->seed;
    opt.replications = st->replications;
    opt.precision = 0; /* variants are paired, replication by replication */
    opt.confidence = st->confidence;
    opt.threads = threads;
    opt.progress = NULL;
    return opt;
}

int variant_simulate(const struct study *st, const struct scenario *s, int threads, struct arena *a,
                     struct outcome *out, struct err *err)
{
    struct simulate_options opt = study_simulation(st, threads);
    int rc = simulate(s, &opt, a, out, err);

    /* A variant that does not settle is compared all the same: its intervals say how well. */
    if (rc == ERR_PRECISION) {
        *err = (struct err){0};
        rc = 0;
    }
    return rc;
}

/* Whether every replication's objective can be compared; 1 / 0 s of latency cannot. */
static bool is_finite(const double *x, long n)
{
    bool finite = true;

    for (long i = 0; i < n; i++)
        finite = finite && isfinite(x[i]);
    return finite;
}

/*
 * `instant`: the touched stages take no time at all, so that alone nothing would limit them.  The bound tells
 * of those who ask for more as soon as they are served; of arrivals, which come when they come, the
 * simulation does.
 */
static int local_objective(const struct study *st, const struct optimization *o, opt_set set,
                           double *objective, bool *instant, struct err *err)
{
    struct arena *a = arena_new();
    struct scenario *s = NULL;
    struct outcome out;
    struct bound bound;
    int rc = variant_build(st, set, o->touches, o->touches_n, &s, err);

    if (rc == 0) {
        bound_compute(s, a, &bound);
        *instant = !isfinite(bound.throughput_per_s);
        if (!*instant)
            rc = variant_simulate(st, s, st->threads, a, &out, err);
    }
    if (rc == 0 && !*instant && !is_finite(out.objective_rep, out.replications))
        *instant = true;
    if (rc == 0 && !*instant)
        memcpy(objective, out.objective_rep, (size_t)out.replications * sizeof *objective);
    scenario_free(s);
    arena_free(a);
    return rc;
}

static bool is_zero(const double *x, size_t n)
{
    bool zero = true;

    for (size_t i = 0; i < n; i++)
        zero = zero && x[i] == 0;
    return zero;
}

int variant_local_gain(const struct study *st, int i, struct estimate *out, struct err *err)
{
    const struct optimization *o = &st->optimizations[i];
    size_t n = (size_t)st->replications;
    double *with = xcalloc(n, sizeof *with), *without = xcalloc(n, sizeof *without);
    bool instant_without, instant_with;
    int rc = local_objective(st, o, 0, without, &instant_without, err);

    if (rc == 0)
        rc = local_objective(st, o, (opt_set)1 << i, with, &instant_with, err);
    if (rc == 0 && (instant_without || instant_with))
        *out = estimate_exact(!instant_with ? 0 : !instant_without ? INFINITY : 1);
    else if (rc == 0 && is_zero(without, n)) /* nothing came out: no ratio can be told */
        *out = estimate_exact(is_zero(with, n) ? 1 : INFINITY);
    else if (rc == 0)
        *out = estimate_ratio(with, without, n, st->confidence);
    free(with);
    free(without);
    return rc;
}
