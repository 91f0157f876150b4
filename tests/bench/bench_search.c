/*
 * bench_search.c - bounds a second, and what a search costs as its space grows.
 *
 *   bench_search [SCENARIO]      default scenarios/rag-serving.json of the source tree
 *
 * Lines of JSON: bounds per second of one core over all candidates of the scenario; branch and bound over
 * 1/8, 1/4, 1/2 and all of them (the first values of the knobs) with the same budget of replications,
 * microseconds per candidate; the wall time of the whole search with as many threads as there are cores.
 */
#include "study/search/search.h"

#include "calibrate/resolve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BUDGET = 600, FIRST = 6 };

static double clock_s(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void stop(const struct err *err)
{
    fprintf(stderr, "bench_search: %s\n", err->text);
    exit(1);
}

static struct search_options options(long budget)
{
    return (struct search_options){.method = &method_branch,
                                   .indifference = 0.01,
                                   .probability = 0.95,
                                   .full = 2,
                                   .points = {.first = FIRST, .length = 0.1, .budget = budget}};
}

/* Over all candidates, again and again until it took a second. */
static void bench_bounds(const struct study *st, struct arena *a)
{
    struct points_options opt = {.first = FIRST};
    struct points p;
    struct space sp;
    struct err err = {0};
    double began, took = 0, sum = 0;
    size_t done = 0;

    if (space_init(&sp, st, NULL, a, &err) != 0 || points_init(&p, &sp, &opt, &err) != 0)
        stop(&err);
    began = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    while (took < 1) {
        for (size_t i = 0; i < space_count(&sp); i++) {
            struct candidate c;

            if (!space_at(&sp, i, &c))
                continue;
            sum += points_bound(&p, &c).score;
            done++;
        }
        took = clock_s(CLOCK_PROCESS_CPUTIME_ID) - began;
    }
    printf("{\"bench\": \"bounds\", \"scenario\": \"%s\", \"bounds\": %zu, \"bounds_per_s\": %.0f, "
           "\"builds\": %zu, "
           "\"sum\": %.6g}\n",
           sp.base->name, done, (double)done / took, parts_built(p.parts), sum);
    points_fini(&p);
    space_fini(&sp);
}

/* The list of the last knob that has more than one value is cut to its first half. */
static bool halve(struct json *tree)
{
    struct json *knobs = json_get_mutable(tree, "knobs");

    for (size_t i = json_size(knobs); i-- > 0;) {
        struct json *knob = json_at_mutable(knobs, i), *half;
        const struct json *values = json_get(knob, "values");

        if (values == NULL || json_size(values) < 2)
            continue;
        half = json_new_array();
        for (size_t k = 0; k < json_size(values) / 2; k++)
            json_push(half, json_copy(json_at(values, k)));
        json_set(knob, "values", half);
        return true;
    }
    return false;
}

static void bench_search(const struct study *base, int halvings, int threads)
{
    struct arena *a = arena_new();
    struct json *tree = json_copy(base->tree);
    struct search_options opt = options(BUDGET);
    struct study st = *base;
    struct search_result r;
    struct err err = {0};
    double wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    size_t n;

    for (int i = 0; i < halvings; i++)
        if (!halve(tree))
            break;
    st.tree = tree;
    st.threads = threads;
    if (search_run(&st, NULL, &opt, a, &r, &err) != 0)
        stop(&err);
    wall = clock_s(CLOCK_MONOTONIC) - wall;
    cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    n = space_count(&r.space);
    printf("{\"bench\": \"search\", \"scenario\": \"%s\", \"candidates\": %zu, \"threads\": %d, "
           "\"simulated\": %zu, "
           "\"replications\": %ld, \"pruned\": %zu, \"gap_frac\": %.4g, \"wall_s\": %.2f, \"cpu_s\": %.2f, "
           "\"cpu_us_per_candidate\": %.1f}\n",
           r.space.base->name, n, threads, r.points.simulated, r.points.replications, r.pruned,
           search_gap(&r), wall, cpu, 1e6 * cpu / (double)n);
    search_fini(&r);
    json_free(tree);
    arena_free(a);
}

int main(int argc, char **argv)
{
    const char *source = getenv("abs_srcdir"), *path = argc > 1 ? argv[1] : NULL;
    struct arena *a = arena_new();
    struct resolver resolver;
    struct study st = {.seed = 1, .threads = 1, .confidence = 0.95};
    struct optimization *opts;
    struct json *tree;
    struct err err = {0};

    if (path == NULL)
        path = arena_printf(a, "%s/scenarios/rag-serving.json", source != NULL ? source : TOP_SRCDIR);
    resolve_open("/nonexistent/bench.db", path, &resolver);
    if (json_read(path, &tree, &err) != 0 || optimizations_read(tree, path, a, &opts, &st.n, &err) != 0)
        stop(&err);
    st.tree = tree;
    st.file = path;
    st.resolver = &resolver;
    st.optimizations = opts;
    bench_bounds(&st, a);
    for (int halvings = 3; halvings >= 0; halvings--)
        bench_search(&st, halvings, 1);
    bench_search(&st, 0, 0);
    resolve_close(&resolver);
    json_free(tree);
    arena_free(a);
    return 0;
}
