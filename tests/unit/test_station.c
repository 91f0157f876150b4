/* Stations by hand: small cases whose every time is known. */
#include "engine/rng.h"
#include "engine/station.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>

struct log {
    uint64_t who[32];
    double when[32];
    size_t n;
};

static void note(struct sim *sim, void *self, uint64_t arg)
{
    struct log *log = self;

    log->when[log->n] = sim->now;
    log->who[log->n++] = arg;
}

static void expect_log(const struct log *log, size_t n, const uint64_t *who, const double *when)
{
    cr_assert_eq(log->n, n, "%zu entries", log->n);
    for (size_t i = 0; i < n; i++) {
        cr_expect_eq(log->who[i], who[i], "entry %zu is of %lu", i, (unsigned long)log->who[i]);
        cr_expect_float_eq(log->when[i], when[i], 1e-12, "entry %zu at %g", i, log->when[i]);
    }
}

Test(station, serves_in_order_of_arrival_on_equal_servers)
{
    struct sim *sim = sim_new(1, 0);
    struct station *st = station_new(sim, "desk", 2, -1);
    const double service[] = {3, 1, 1, 5, 0};
    struct log log = {.n = 0};
    struct station_stats s;

    for (uint64_t i = 0; i < 5; i++)
        cr_expect(station_enter(st, service[i], note, &log, i));
    sim_run(sim, INFINITY);
    expect_log(&log, 5, (const uint64_t[]){1, 2, 0, 4, 3}, (const double[]){1, 2, 3, 3, 7});
    s = station_stats(st);
    cr_expect_eq(s.arrived, 5);
    cr_expect_eq(s.departed, 5);
    cr_expect_float_eq(s.busy_mean, 10.0 / 7, 1e-12);
    cr_expect_float_eq(s.queue_mean, (1 + 2 + 3) / 7.0, 1e-12);
    cr_expect_float_eq(s.wait_s.mean, 6 / 5.0, 1e-12);
    cr_expect_eq(s.wait_s.max, 3);
    sim_free(sim);
}

Test(station, loses_what_finds_the_queue_full)
{
    struct sim *sim = sim_new(1, 0);
    struct station *st = station_new(sim, "desk", 1, 1);
    struct log log = {.n = 0};
    struct station_stats s;

    cr_expect(station_enter(st, 1, note, &log, 0));
    cr_expect(station_enter(st, 1, note, &log, 1));
    cr_expect_not(station_enter(st, 1, note, &log, 2));
    sim_run(sim, INFINITY);
    expect_log(&log, 2, (const uint64_t[]){0, 1}, (const double[]){1, 2});
    s = station_stats(st);
    cr_expect(s.arrived == 3 && s.lost == 1 && s.departed == 2);
    sim_free(sim);
}

Test(station, a_seized_server_is_held_until_left)
{
    struct sim *sim = sim_new(1, 0);
    struct station *st = station_new(sim, "desk", 1, -1);
    struct log log = {.n = 0};

    station_seize(st, note, &log, 0);
    cr_expect_eq(log.n, 0, "granted by an event, never inside the call");
    station_enter(st, 2, note, &log, 1);
    station_seize(st, note, &log, 2);
    sim_run(sim, 10);
    cr_expect_eq(log.n, 1);
    station_leave(st);
    sim_run(sim, 20);
    station_leave(st);
    sim_run(sim, 30);
    expect_log(&log, 3, (const uint64_t[]){0, 1, 2}, (const double[]){0, 12, 12});
    cr_expect_float_eq(station_stats(st).busy_mean, 20 / 30.0, 1e-12);
    sim_free(sim);
}

Test(station, leaving_what_nobody_holds_is_a_bug, .signal = SIGABRT)
{
    struct sim *sim = sim_new(1, 0);

    station_leave(station_new(sim, "desk", 1, -1));
}

struct feedback {
    struct station *st;
    long left;
};

static void feed_back(struct sim *sim, void *self, uint64_t arg)
{
    struct feedback *f = self;

    (void)sim;
    if (f->left-- > 0)
        station_enter(f->st, 1, feed_back, f, arg);
}

/* Who comes back in its own callback stands behind those who waited. */
Test(station, a_job_may_come_back_in_its_own_callback)
{
    struct sim *sim = sim_new(1, 0);
    struct feedback f = {station_new(sim, "desk", 1, -1), 100};

    station_enter(f.st, 1, feed_back, &f, 0);
    station_enter(f.st, 1, feed_back, &f, 1);
    sim_run(sim, INFINITY);
    cr_expect_eq(sim->now, 102);
    cr_expect_eq(station_stats(f.st).busy_mean, 1);
    sim_free(sim);
}

struct load {
    struct station *st;
    struct rng rng;
};

static void ignore(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)self;
    (void)arg;
}

static void arrive(struct sim *sim, void *self, uint64_t arg)
{
    struct load *l = self;

    station_enter(l->st, 2.7 * rng_exponential(&l->rng), ignore, NULL, 0);
    sim_after(sim, rng_exponential(&l->rng), arrive, l, arg);
}

/* station_stats() asserts Little's law and flow balance: ask often, across restarts of measuring and a late
 * clock. */
Test(station, laws_hold_at_any_time)
{
    struct sim *sim = sim_new(1, 0);
    struct load l = {.st = station_new(sim, "desk", 3, 20)};

    rng_stream(&l.rng, 1, 0, "load");
    sim_run(sim, 1e7);
    sim_after(sim, 0, arrive, &l, 0);
    for (int i = 1; i < 2000; i++) {
        struct station_stats s;

        sim_run(sim, 1e7 + 7 * i);
        s = station_stats(l.st);
        cr_assert(s.busy_mean <= 3 && s.queue_mean <= 20);
        if (i % 17 == 0)
            station_begin_measuring(l.st);
    }
    cr_expect(station_stats(l.st).arrived > 0);
    sim_free(sim);
}
