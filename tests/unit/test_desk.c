/* Desks by hand: order, interruption, patience, withdrawal, breakdown. */
#include "engine/desk.h"
#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>

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

static void gave_up(struct sim *sim, void *self, uint64_t arg)
{
    note(sim, self, 100 + arg);
}

static void expect_log(const struct log *log, size_t n, const uint64_t *who, const double *when)
{
    cr_assert_eq(log->n, n, "%zu entries", log->n);
    for (size_t i = 0; i < n; i++) {
        cr_expect_eq(log->who[i], who[i], "entry %zu is of %lu", i, (unsigned long)log->who[i]);
        cr_expect_float_eq(log->when[i], when[i], 1e-12, "entry %zu at %g", i, log->when[i]);
    }
}

static desk_ticket enter(struct desk *d, struct log *log, uint64_t who, int priority, double service_s)
{
    struct desk_job job = {.service_s = service_s,
                           .priority = priority,
                           .done = note,
                           .gave_up = gave_up,
                           .self = log,
                           .arg = who};

    return desk_enter(d, &job);
}

static struct desk *desk(struct sim *sim, enum desk_order order)
{
    struct desk_spec spec = {.servers = 1, .queue_limit = -1, .order = order};

    return desk_new(sim, "desk", &spec);
}

Test(desk, serves_in_its_order)
{
    static const uint64_t expected[][4] = {
        [DESK_FIFO] = {0, 1, 2, 3}, [DESK_LIFO] = {0, 3, 2, 1}, [DESK_PRIORITY] = {0, 2, 1, 3}};

    for (enum desk_order order = DESK_FIFO; order <= DESK_PRIORITY; order++) {
        struct sim *sim = sim_new(1, 0);
        struct desk *d = desk(sim, order);
        const int priority[] = {5, 3, -1, 3};
        struct log log = {.n = 0};

        for (uint64_t i = 0; i < 4; i++)
            enter(d, &log, i, priority[i], 1);
        sim_run(sim, INFINITY);
        expect_log(&log, 4, expected[order], (const double[]){1, 2, 3, 4});
        cr_expect_float_eq(desk_stats(d).wait_s.mean, 6 / 4.0, 1e-12);
        sim_free(sim);
    }
}

/* 0 (two seconds, not urgent) is interrupted at 1 by 1, which is interrupted at 2 by 2; 3 waits behind 0. */
Test(desk, the_interrupted_resumes_before_its_kind)
{
    struct sim *sim = sim_new(1, 0);
    struct desk *d = desk(sim, DESK_PREEMPT);
    struct log log = {.n = 0};

    enter(d, &log, 0, 9, 2);
    sim_run(sim, 1);
    enter(d, &log, 3, 9, 1);
    enter(d, &log, 1, 5, 3);
    sim_run(sim, 2);
    enter(d, &log, 4, 5, 1);
    enter(d, &log, 2, 1, 1);
    sim_run(sim, INFINITY);
    expect_log(&log, 5, (const uint64_t[]){2, 1, 4, 0, 3}, (const double[]){3, 5, 6, 7, 8});
    cr_expect_eq(desk_stats(d).interrupted, 2);
    cr_expect_eq(desk_stats(d).busy_mean, 1);
    sim_free(sim);
}

Test(desk, who_loses_patience_leaves_the_queue_only)
{
    struct sim *sim = sim_new(1, 0);
    struct desk *d = desk(sim, DESK_FIFO);
    struct log log = {.n = 0};
    struct desk_job job = {.service_s = 5, .patience_s = 2, .done = note, .gave_up = gave_up, .self = &log};

    for (job.arg = 0; job.arg < 3; job.arg++) {
        desk_enter(d, &job);
        job.patience_s *= 3;
    }
    sim_run(sim, INFINITY);
    expect_log(&log, 3, (const uint64_t[]){0, 1, 2}, (const double[]){5, 10, 15});
    job.patience_s = 4;
    for (job.arg = 0; job.arg < 2; job.arg++)
        desk_enter(d, &job);
    sim_run(sim, INFINITY);
    cr_expect(log.n == 5 && log.who[3] == 101 && log.who[4] == 0 && log.when[3] == 19 && log.when[4] == 20);
    cr_expect_eq(desk_stats(d).gave_up, 1);
    sim_free(sim);
}

Test(desk, a_caller_may_withdraw_from_anywhere)
{
    struct sim *sim = sim_new(1, 0);
    struct desk *d = desk(sim, DESK_FIFO);
    struct log log = {.n = 0};
    desk_ticket ticket[4];

    for (uint64_t i = 0; i < 4; i++)
        ticket[i] = enter(d, &log, i, 0, 2);
    sim_run(sim, 1);
    cr_expect(desk_withdraw(d, ticket[2]));
    cr_expect(desk_withdraw(d, ticket[0]), "in service");
    cr_expect_not(desk_withdraw(d, ticket[0]));
    cr_expect_not(desk_withdraw(d, ticket[2]));
    cr_expect_not(desk_withdraw(d, 0));
    sim_run(sim, INFINITY);
    expect_log(&log, 2, (const uint64_t[]){1, 3}, (const double[]){3, 5});
    cr_expect_not(desk_withdraw(d, ticket[1]));
    enter(d, &log, 9, 0, 1);
    for (int i = 0; i < 4; i++)
        cr_expect_not(desk_withdraw(d, ticket[i]), "the seat of %d has somebody else", i);
    sim_run(sim, INFINITY);
    cr_expect_eq(log.n, 3);
    cr_expect(desk_stats(d).withdrawn == 2 && desk_stats(d).departed == 3);
    sim_free(sim);
}

Test(desk, servers_break_down_and_come_back)
{
    struct sim *sim = sim_new(1, 0);
    struct desk_spec spec = {.servers = 2, .queue_limit = -1};
    struct desk *d = desk_new(sim, "desk", &spec);
    struct log log = {.n = 0};

    for (uint64_t i = 0; i < 3; i++)
        enter(d, &log, i, 0, 4);
    sim_run(sim, 1);
    desk_set_servers(d, 0);
    sim_run(sim, 3);
    desk_set_servers(d, 1);
    sim_run(sim, 4);
    desk_set_servers(d, 3);
    sim_run(sim, INFINITY);
    expect_log(&log, 3, (const uint64_t[]){0, 1, 2}, (const double[]){6, 7, 8});
    cr_expect_eq(desk_stats(d).interrupted, 2);
    sim_free(sim);
}

Test(desk, a_full_queue_still_lets_the_urgent_in)
{
    struct sim *sim = sim_new(1, 0);
    struct desk_spec spec = {.servers = 1, .queue_limit = 1, .order = DESK_PREEMPT};
    struct desk *d = desk_new(sim, "desk", &spec);
    struct log log = {.n = 0};

    cr_expect_neq(enter(d, &log, 0, 5, 1), 0);
    cr_expect_neq(enter(d, &log, 1, 5, 1), 0);
    cr_expect_eq(enter(d, &log, 2, 5, 1), 0);
    cr_expect_neq(enter(d, &log, 3, 1, 1), 0);
    sim_run(sim, INFINITY);
    expect_log(&log, 3, (const uint64_t[]){3, 0, 1}, (const double[]){1, 2, 3});
    cr_expect_eq(desk_stats(d).lost, 1);
    sim_free(sim);
}

Test(desk, an_idle_server_must_be_set_up)
{
    struct sim *sim = sim_new(1, 0);
    struct desk_spec spec = {.servers = 1, .queue_limit = -1, .setup_s = 10};
    struct desk *d = desk_new(sim, "desk", &spec);
    struct log log = {.n = 0};

    enter(d, &log, 0, 0, 1);
    enter(d, &log, 1, 0, 1);
    sim_run(sim, 20);
    enter(d, &log, 2, 0, 1);
    sim_run(sim, INFINITY);
    expect_log(&log, 3, (const uint64_t[]){0, 1, 2}, (const double[]){11, 12, 31});
    sim_free(sim);
}

struct crowd {
    struct desk *d;
    struct rng rng;
    desk_ticket ticket[64];
};

static void ignore(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)self;
    (void)arg;
}

static void act(struct sim *sim, void *self, uint64_t arg)
{
    struct crowd *c = self;
    uint64_t what = rng_below(&c->rng, 20);
    struct desk_job job = {.service_s = 2 * rng_exponential(&c->rng),
                           .priority = (int)rng_below(&c->rng, 4) - 2,
                           .patience_s = what < 6 ? 0 : 3 * rng_exponential(&c->rng),
                           .done = ignore};

    if (what < 16)
        c->ticket[rng_below(&c->rng, 64)] = desk_enter(c->d, &job);
    else if (what < 19)
        desk_withdraw(c->d, c->ticket[rng_below(&c->rng, 64)]);
    else
        desk_set_servers(c->d, (long)rng_below(&c->rng, 4));
    sim_after(sim, rng_exponential(&c->rng), act, c, arg);
}

/* Everything at once; desk_stats() asserts flow balance and Little's law. */
Test(desk, laws_hold_under_everything)
{
    for (enum desk_order order = DESK_FIFO; order <= DESK_PREEMPT; order++) {
        struct sim *sim = sim_new(1, 0);
        struct crowd c = {.d = desk(sim, order)};

        rng_stream(&c.rng, 5, (uint32_t)order, "crowd");
        sim_after(sim, 0, act, &c, 0);
        for (int i = 1; i < 1000; i++) {
            sim_run(sim, 10.0 * i);
            desk_stats(c.d);
            if (i % 31 == 0)
                desk_begin_measuring(c.d);
        }
        sim_free(sim);
    }
}

/* Those who leave the back of a queue that never empties leave no trace in memory. */
Test(desk, the_impatient_do_not_accumulate)
{
    struct sim *sim = sim_new(1, 0);
    struct desk *d = desk(sim, DESK_FIFO);
    struct log log = {.n = 0};
    size_t before;

    for (uint64_t i = 0; i < 2; i++)
        enter(d, &log, i, 0, 1e9);
    before = sim_bytes(sim);
    for (uint64_t i = 0; i < 100000; i++)
        cr_assert(desk_withdraw(d, enter(d, &log, i, 0, 1)));
    cr_expect(sim_bytes(sim) - before < 100000, "%zu", sim_bytes(sim) - before);
    sim_free(sim);
}
