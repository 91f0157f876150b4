/* Batches by size and time-out, and joins: counts, waits and theory. */
#include "engine/buffer.h"
#include "engine/gather.h"
#include "engine/join.h"
#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

struct crowd {
    struct gather *gather;
    struct rng rng;
    double rate_per_s;
    long left, items, batches, last_size;
    bool feeds_back;
};

static char thing[8];

static void batch_ready(struct sim *sim, void *self, void *const *items, long n)
{
    struct crowd *c = self;

    (void)sim;
    for (long i = 0; i < n; i++)
        cr_assert_eq(items[i], &thing[(c->items + i) % 8], "items leave in their order");
    c->items += n;
    c->batches++;
    c->last_size = n;
    if (c->feeds_back && c->batches < 10)
        gather_add(c->gather, &thing[c->items % 8]);
}

static void come(struct sim *sim, void *self, uint64_t arg)
{
    struct crowd *c = self;

    gather_add(c->gather, &thing[arg % 8]);
    if (--c->left > 0)
        sim_after(sim, rng_exponential(&c->rng) / c->rate_per_s, come, c, arg + 1);
}

/* Poisson arrivals: a batch is the first and those of its time-out, at most `size`. */
static double mean_size(double rate_per_s, double timeout_s, long size)
{
    double chance = exp(-rate_per_s * timeout_s), below = 0, mean = 1;

    for (long k = 0; k < size - 1; k++) {
        below += chance;
        mean += 1 - below;
        chance *= rate_per_s * timeout_s / (double)(k + 1);
    }
    return mean;
}

Test(gather, batches_are_as_large_as_theory_says)
{
    struct sim *sim = sim_new(1, 0);
    struct crowd c = {.rate_per_s = 3, .left = 300000};
    struct gather_stats s;
    double expected = mean_size(3, 1.5, 6), se;

    c.gather = gather_new(sim, "batch", 6, 1.5, batch_ready, &c);
    rng_stream(&c.rng, 1, 0, "gather");
    sim_after(sim, 0, come, &c, 0);
    sim_run(sim, INFINITY);
    s = gather_stats(c.gather);
    se = sqrt(tally_variance(&s.size) / (double)s.size.n);
    cr_expect(fabs(s.size.mean - expected) < 4 * se, "%g, theory says %g", s.size.mean, expected);
    cr_expect_eq(c.items, 300000);
    cr_expect_eq(s.wait_s.n, 300000);
    cr_expect(s.wait_s.max <= 1.5 * (1 + 1e-9));
    cr_expect_gt(s.timed_out, s.size.n / 4);
    cr_expect_float_eq(s.inside_mean * sim->now, s.wait_s.mean * 300000, 1e-6 * s.wait_s.mean * 300000);
    sim_free(sim);
}

Test(gather, without_a_time_out_all_wait_for_the_last)
{
    struct sim *sim = sim_new(1, 0);
    struct crowd c = {.rate_per_s = 2, .left = 100003};
    char who[100];

    c.gather = gather_new(sim, "batch", 5, 0, batch_ready, &c);
    rng_stream(&c.rng, 1, 0, "gather");
    sim_after(sim, 0, come, &c, 0);
    sim_run(sim, 100);
    gather_begin_measuring(c.gather);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(gather_stats(c.gather).wait_s.mean, 4 / (2 * 2.0), 0.02);
    cr_expect_eq(sim_waiting(sim, who, sizeof who), 3);
    cr_expect_str_eq(who, "3 wait for others to fill a batch in \"batch\"");
    gather_flush(c.gather);
    gather_flush(c.gather);
    cr_expect_eq(c.last_size, 3);
    cr_expect_eq(c.items, 100003);
    sim_free(sim);
}

Test(gather, a_batch_that_leaves_may_bring_the_next_item)
{
    struct sim *sim = sim_new(1, 0);
    struct crowd c = {.feeds_back = true};

    c.gather = gather_new(sim, "batch", 1, 0, batch_ready, &c);
    gather_add(c.gather, &thing[0]);
    cr_expect_eq(c.batches, 10);
    cr_expect_eq(c.items, 10);
    sim_free(sim);
}

struct ends {
    double at_s[3];
    int n;
};

static void ended(struct sim *sim, void *self, uint64_t arg)
{
    struct ends *e = self;

    e->at_s[arg] = sim->now;
    e->n++;
}

Test(join, is_done_with_its_last_part)
{
    struct sim *sim = sim_new(1, 0);
    struct joins *js = joins_new(sim, "both");
    struct ends e = {.n = 0};
    struct join *a = join_open(js, 3, ended, &e, 0), *b = join_open(js, 1, ended, &e, 1), *c;
    char who[100];

    sim_after(sim, 4, join_arrive, a, 0);
    sim_after(sim, 1, join_arrive, a, 0);
    sim_after(sim, 2, join_arrive, b, 0);
    sim_run(sim, 5);
    cr_expect_eq(e.n, 1);
    cr_expect_eq(e.at_s[1], 2);
    cr_expect_eq(sim_waiting(sim, who, sizeof who), 1);
    c = join_open(js, 2, ended, &e, 2);
    cr_expect_eq(c, b, "a join that is done is used again");
    join_arrive(sim, c, 0);
    join_arrive(sim, c, 0);
    sim_after(sim, 5, join_arrive, a, 0);
    sim_run(sim, INFINITY);
    cr_expect_eq(e.n, 3);
    cr_expect_eq(e.at_s[0], 10);
    cr_expect_eq(joins_stats(js).sojourn_s.max, 10);
    cr_expect_eq(joins_stats(js).wait_s.max, 9);
    cr_expect_float_eq(joins_stats(js).open_mean, (10 + 2 + 0) / 10.0, 1e-12);
    sim_free(sim);
}
