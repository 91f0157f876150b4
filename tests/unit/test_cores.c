/* Processor sharing by hand, and against a slow simulation that ages every job at every step. */
#include "engine/cores.h"
#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>

struct log {
    double when[16];
    size_t n, order[16];
};

static void note(struct sim *sim, void *self, uint64_t arg)
{
    struct log *log = self;

    log->when[arg] = sim->now;
    log->order[log->n++] = arg;
}

struct entry {
    struct cores *cores;
    struct log *log;
    double work;
};

static void enter(struct sim *sim, void *self, uint64_t arg)
{
    struct entry *e = self;

    (void)sim;
    cores_use(e->cores, e->work, note, e->log, arg);
}

/* Two at first, each at half speed; the third makes it a third; then they leave one by one. */
Test(cores, one_core_is_shared_equally)
{
    struct sim *sim = sim_new(1, 0);
    struct log log = {.n = 0};
    struct entry e = {cores_new(sim, "host", 1, NULL), &log, 3};
    struct cores_stats s;

    cores_use(e.cores, 1, note, &log, 0);
    cores_use(e.cores, 2, note, &log, 1);
    sim_at(sim, 1, PRIO_NORMAL, enter, &e, 2);
    sim_run(sim, INFINITY);
    /* t=1: left .5, 1.5, 3; t=2.5: left 0, 1, 2.5; t=4.5: left 0, 1.5; t=6 */
    cr_expect_float_eq(log.when[0], 2.5, 1e-12);
    cr_expect_float_eq(log.when[1], 4.5, 1e-12);
    cr_expect_float_eq(log.when[2], 6, 1e-12);
    s = cores_stats(e.cores);
    cr_expect_float_eq(s.busy_mean, 1, 1e-12);
    cr_expect_float_eq(s.work_s, 6, 1e-12);
    cr_expect_float_eq(s.jobs_mean, (2 * 1 + 3 * 1.5 + 2 * 2 + 1.5) / 6, 1e-12);
    cr_expect_eq(s.done, 3);
    sim_free(sim);
}

Test(cores, no_job_is_faster_than_one_core)
{
    struct sim *sim = sim_new(1, 0);
    struct cores *c = cores_new(sim, "host", 4, NULL);
    struct log log = {.n = 0};

    for (uint64_t i = 0; i < 3; i++)
        cores_use(c, (double)(i + 1), note, &log, i);
    sim_run(sim, 12);
    for (size_t i = 0; i < 3; i++)
        cr_expect_float_eq(log.when[i], (double)(i + 1), 1e-12);
    cr_expect_float_eq(cores_stats(c).busy_mean, 6 / 12.0, 1e-12);
    sim_free(sim);
}

/* speed {1, .5}: two busy cores do no more than one. */
Test(cores, busy_neighbours_slow_each_other)
{
    struct sim *sim = sim_new(1, 0);
    const double speed[] = {1, 0.5};
    struct cores *c = cores_new(sim, "host", 2, speed);
    struct log log = {.n = 0};
    struct cores_stats s;

    cores_use(c, 1, note, &log, 0);
    cores_use(c, 2, note, &log, 1);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[0], 2, 1e-12);
    cr_expect_float_eq(log.when[1], 3, 1e-12);
    s = cores_stats(c);
    cr_expect_float_eq(s.work_s, 3, 1e-12);
    cr_expect_float_eq(s.busy_mean, 5 / 3.0, 1e-12);
    sim_free(sim);
}

Test(cores, no_work_takes_no_time_but_keeps_its_turn)
{
    struct sim *sim = sim_new(1, 0);
    struct cores *c = cores_new(sim, "host", 1, NULL);
    struct log log = {.n = 0};

    cores_use(c, 5, note, &log, 0);
    cores_use(c, 0, note, &log, 1);
    cores_use(c, 0, note, &log, 2);
    cr_expect_eq(log.n, 0, "by an event, never inside the call");
    sim_run(sim, INFINITY);
    cr_expect(log.order[0] == 1 && log.order[1] == 2 && log.order[2] == 0);
    cr_expect_eq(log.when[2], 0);
    cr_expect_eq(log.when[0], 5);
    cr_expect_eq(cores_stats(c).done, 3);
    sim_free(sim);
}

/* Equal jobs that came together leave together, in their order. */
Test(cores, ties_leave_in_order_of_arrival)
{
    struct sim *sim = sim_new(1, 0);
    struct cores *c = cores_new(sim, "host", 1, NULL);
    struct log log = {.n = 0};

    for (uint64_t i = 0; i < 10; i++)
        cores_use(c, 0.1, note, &log, i);
    sim_run(sim, INFINITY);
    for (size_t i = 0; i < 10; i++) {
        cr_expect_eq(log.order[i], i);
        cr_expect_float_eq(log.when[i], 1, 1e-12);
    }
    sim_free(sim);
}

enum { JOBS = 3000 };

struct load {
    struct cores *cores;
    double arrival[JOBS], work[JOBS], when[JOBS];
};

static void load_done(struct sim *sim, void *self, uint64_t job)
{
    ((struct load *)self)->when[job] = sim->now;
}

static void load_enter(struct sim *sim, void *self, uint64_t job)
{
    struct load *l = self;

    cores_use(l->cores, l->work[job], load_done, l, job);
    if (job + 1 < JOBS)
        sim_at(sim, l->arrival[job + 1], PRIO_NORMAL, load_enter, l, job + 1);
}

/* The same jobs, every one aged at every change: quadratic, and hard to get wrong. */
static void by_hand(const struct load *l, long count, const double *speed, double *when)
{
    static double left[JOBS];
    long present = 0, arrived = 0, finished = 0;
    double now = 0;

    while (finished < JOBS) {
        long k = present < count ? present : count;
        double rate = present ? (double)k / (double)present * speed[k ? k - 1 : 0] : 0, step = INFINITY;

        for (long i = 0; i < arrived; i++)
            if (left[i] > 0)
                step = fmin(step, left[i] / rate);
        if (arrived < JOBS)
            step = fmin(step, l->arrival[arrived] - now);
        now += step;
        for (long i = 0; i < arrived; i++)
            if (left[i] > 0 && (left[i] -= rate * step) <= 1e-12) {
                left[i] = 0;
                when[i] = now;
                present--;
                finished++;
            }
        if (arrived < JOBS && l->arrival[arrived] <= now + 1e-15) {
            left[arrived] = l->work[arrived];
            arrived++;
            present++;
        }
    }
}

Test(cores, virtual_time_agrees_with_ageing_every_job)
{
    static const double speed[] = {1, 0.9, 0.7};
    static struct load l;
    static double expected[JOBS];
    struct sim *sim = sim_new(1, 0);
    struct rng r;
    double t = 0;

    rng_stream(&r, 1, 0, "load");
    for (int i = 0; i < JOBS; i++) {
        l.arrival[i] = t += rng_exponential(&r);
        l.work[i] = rng_below(&r, 4) ? rng_lognormal(&r, 2, 2) : 0.5;
    }
    l.cores = cores_new(sim, "host", 3, speed);
    sim_at(sim, l.arrival[0], PRIO_NORMAL, load_enter, &l, 0);
    while (!sim_idle(sim)) {
        sim_run(sim, sim->now + 50);
        cores_stats(l.cores); /* asserts that no work was lost or invented */
    }
    by_hand(&l, 3, speed, expected);
    for (int i = 0; i < JOBS; i++)
        cr_assert_float_eq(l.when[i], expected[i], 1e-6, "job %d: %g, by hand %g", i, l.when[i], expected[i]);
    sim_free(sim);
}

/* Measuring that begins in the middle counts the work of that time only. */
Test(cores, measuring_may_begin_at_any_time)
{
    struct sim *sim = sim_new(1, 0);
    struct cores *c = cores_new(sim, "host", 1, NULL);
    struct log log = {.n = 0};
    struct cores_stats s;

    cores_use(c, 10, note, &log, 0);
    cores_use(c, 2, note, &log, 1);
    sim_run(sim, 3);
    cores_begin_measuring(c);
    sim_run(sim, 8);
    s = cores_stats(c);
    cr_expect_float_eq(s.work_s, 5, 1e-12);
    cr_expect_eq(s.done, 1);
    cr_expect_float_eq(s.jobs_mean, (2 + 4) / 5.0, 1e-12);
    sim_free(sim);
}
