/* Space: order of waiting, exact balance, and an Erlang-like closed form. */
#include "engine/rng.h"
#include "engine/space.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>

struct log {
    uint64_t who[16];
    double when[16];
    size_t n;
};

static void note(struct sim *sim, void *self, uint64_t arg)
{
    struct log *log = self;

    log->when[log->n] = sim->now;
    log->who[log->n++] = arg;
}

Test(space, a_small_request_does_not_overtake_a_large_one)
{
    struct sim *sim = sim_new(1, 0);
    struct space *s = space_new(sim, "kv", 10);
    struct log log = {.n = 0};
    char text[100];

    cr_expect(space_take(s, 6, note, &log, 0));
    cr_expect_not(space_take(s, 5, note, &log, 1));
    cr_expect_not(space_take(s, 1, note, &log, 2), "four are free, but another came first");
    cr_expect_not(space_try(s, 1));
    cr_expect(space_takers_waiting(s) == 2 && space_used(s) == 6);
    cr_expect_eq(sim_waiting(sim, text, sizeof text), 2);
    cr_expect_str_eq(text, "2 wait for space in \"kv\"");
    sim_run(sim, 4);
    space_give(s, 6);
    cr_expect_eq(log.n, 0, "by an event, never inside the call");
    sim_run(sim, 8);
    cr_expect(log.n == 2 && log.who[0] == 1 && log.who[1] == 2 && log.when[1] == 4);
    cr_expect_eq(space_used(s), 6);
    cr_expect(space_try(s, 4));
    cr_expect_eq(space_stats(s).used_max, 10);
    cr_expect_float_eq(space_stats(s).used_mean, 6, 1e-12);
    cr_expect_float_eq(space_stats(s).wait_s.mean, 8 / 4.0, 1e-12);
    cr_expect_eq(space_stats(s).refused, 1);
    cr_expect_float_eq(space_stats(s).waiting_mean, 1, 1e-12);
    sim_free(sim);
}

Test(space, giving_back_more_than_was_taken_is_a_bug, .signal = SIGABRT)
{
    struct sim *sim = sim_new(1, 0);
    struct space *s = space_new(sim, "memory", 10);

    space_take(s, 3, note, NULL, 0);
    space_give(s, 4);
}

Test(space, asking_for_more_than_there_is_is_a_bug, .signal = SIGABRT)
{
    struct sim *sim = sim_new(1, 0);

    space_take(space_new(sim, "memory", 10), 11, note, NULL, 0);
}

struct load {
    struct space *s;
    struct rng rng;
    int64_t held;
};

static void leave(struct sim *sim, void *self, uint64_t amount)
{
    struct load *l = self;

    (void)sim;
    l->held -= (int64_t)amount;
    space_give(l->s, (int64_t)amount);
}

static void granted(struct sim *sim, void *self, uint64_t amount)
{
    struct load *l = self;

    l->held += (int64_t)amount;
    sim_after(sim, rng_exponential(&l->rng), leave, l, amount);
}

static void arrive(struct sim *sim, void *self, uint64_t arg)
{
    struct load *l = self;
    uint64_t amount = 1 + rng_below(&l->rng, arg);

    if (space_take(l->s, (int64_t)amount, granted, l, amount))
        granted(sim, l, amount);
    sim_after(sim, rng_exponential(&l->rng) / 3.2, arrive, l, arg);
}

/* Requests of one unit for a time Exp(1): M/M/4 at rho .8, mean wait .745541 by Erlang C. */
Test(space, units_held_for_a_time_are_servers)
{
    struct sim *sim = sim_new(1, 0);
    struct load l = {.s = space_new(sim, "servers", 4)};
    struct tally batch = {0};

    rng_stream(&l.rng, 1, 0, "load");
    arrive(sim, &l, 1);
    for (int i = 0; i < 40; i++) {
        space_begin_measuring(l.s);
        sim_run(sim, sim->now + 20000);
        tally_add(&batch, space_stats(l.s).wait_s.mean);
    }
    cr_expect(fabs(batch.mean - 0.745541) < 4 * sqrt(tally_variance(&batch) / 40), "%g", batch.mean);
    cr_expect(fabs(space_stats(l.s).used_mean - 3.2) < 0.2);
    sim_free(sim);
}

Test(space, balances_exactly)
{
    struct sim *sim = sim_new(1, 0);
    struct load l = {.s = space_new(sim, "memory", 17)};

    rng_stream(&l.rng, 2, 0, "load");
    arrive(sim, &l, 9);
    for (int i = 1; i <= 500; i++) {
        sim_run(sim, i);
        cr_assert_eq(space_used(l.s), l.held);
        cr_assert(l.held <= 17);
    }
    cr_expect_gt(space_stats(l.s).wait_s.n, 200);
    sim_free(sim);
}
