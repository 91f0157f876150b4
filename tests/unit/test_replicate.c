/* Replications: the same results for any number of threads, and the lowest error. */
#include "engine/replicate.h"
#include "engine/rng.h"
#include "engine/station.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 24 };

struct run {
    struct station *st;
    struct rng arrivals, services;
};

static void ignore(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)self;
    (void)arg;
}

static void arrive(struct sim *sim, void *self, uint64_t arg)
{
    struct run *run = self;

    station_enter(run->st, rng_exponential(&run->services), ignore, NULL, 0);
    sim_after(sim, rng_exponential(&run->arrivals) / 0.9, arrive, run, arg);
}

static int one(void *ctx, uint32_t replication, struct err *err)
{
    struct station_stats *results = ctx;
    struct sim *sim = sim_new(42, replication);
    struct run run = {.st = station_new(sim, "server", 1, -1)};

    (void)err;
    rng_stream(&run.arrivals, sim->seed, replication, "arrivals");
    rng_stream(&run.services, sim->seed, replication, "services");
    sim_after(sim, 0, arrive, &run, 0);
    sim_run(sim, 2000 + 100 * (replication % 5));
    results[replication] = station_stats(run.st);
    sim_free(sim);
    return 0;
}

Test(replicate, results_do_not_depend_on_the_number_of_threads)
{
    static struct station_stats results[4][N];
    const int threads[] = {1, 2, 7, 0};
    struct err err = {0};

    for (int i = 0; i < 4; i++) {
        cr_assert_eq(replicate_run(0, N / 2, threads[i], one, results[i], &err), 0);
        cr_assert_eq(replicate_run(N / 2, N, threads[i], one, results[i], &err), 0);
        cr_expect_eq(memcmp(results[i], results[0], sizeof results[0]), 0, "%d threads", threads[i]);
    }
    cr_expect_neq(results[0][0].wait_s.mean, results[0][5].wait_s.mean, "replications have their own luck");
    cr_expect_eq(replicate_run(3, 3, 2, one, NULL, &err), 0, "none to run");
}

static int fails_from(void *ctx, uint32_t replication, struct err *err)
{
    const uint32_t *first = ctx;
    volatile double waste = 0;

    if (replication < *first)
        return 0;
    /* The lower the index, the longer it takes: later ones fail earlier. */
    for (uint32_t i = 0; i < 20000 * (64 - replication); i++)
        waste += i;
    return err_set(err, ERR_SCENARIO, "replication %u", replication);
}

Test(replicate, the_lowest_error_wins)
{
    for (uint32_t first = 0; first < 64; first += 21)
        for (int threads = 1; threads < 6; threads++) {
            struct err err = {0};
            char expected[40];

            snprintf(expected, sizeof expected, "replication %u", first);
            cr_expect_eq(replicate_run(0, 64, threads, fails_from, &first, &err), ERR_SCENARIO);
            cr_expect_eq(err.code, ERR_SCENARIO);
            cr_expect_str_eq(err.text, expected, "%d threads", threads);
        }
}
