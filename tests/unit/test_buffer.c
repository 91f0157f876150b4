/* A buffer that blocks: order, hand-over, and nothing lost under any mixture of puts and gets. */
#include "engine/buffer.h"
#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>

static int items[1000];

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

Test(buffer, blocks_putters_and_serves_them_in_order)
{
    struct sim *sim = sim_new(1, 0);
    struct buffer *b = buffer_new(sim, "queue", 2);
    struct log log = {.n = 0};

    for (uint64_t i = 0; i < 5; i++)
        cr_expect_eq(buffer_put(b, &items[i], note, &log, i), i < 2);
    cr_expect_eq(buffer_length(b), 2);
    cr_expect_eq(buffer_putters_waiting(b), 3);
    sim_run(sim, 1);
    cr_expect_eq(log.n, 0);
    cr_expect_eq(buffer_get(b, note, &log), &items[0]);
    cr_expect_eq(buffer_length(b), 2);
    cr_expect_eq(log.n, 0, "by an event, never inside the call");
    sim_run(sim, 2);
    cr_expect(log.n == 1 && log.who[0] == 2 && log.when[0] == 1);
    for (int i = 1; i < 5; i++)
        cr_expect_eq(buffer_get(b, note, &log), &items[i]);
    sim_run(sim, 3);
    cr_expect(log.n == 3 && log.who[1] == 3 && log.who[2] == 4);
    cr_expect_eq(buffer_length(b), 0);
    cr_expect_eq(buffer_stats(b).passed, 5);
    sim_free(sim);
}

Test(buffer, blocks_takers_and_serves_them_in_order)
{
    struct sim *sim = sim_new(1, 0);
    struct buffer *b = buffer_new(sim, "queue", -1);
    struct log first = {.n = 0}, second = {.n = 0};

    cr_expect_null(buffer_get(b, note, &first));
    cr_expect_null(buffer_get(b, note, &second));
    cr_expect_eq(buffer_takers_waiting(b), 2);
    sim_run(sim, 4);
    cr_expect(buffer_put(b, &items[0], note, NULL, 0));
    sim_run(sim, 5);
    cr_expect(first.n == 1 && first.who[0] == (uintptr_t)&items[0] && first.when[0] == 4);
    cr_expect_eq(second.n, 0);
    cr_expect_eq(buffer_length(b), 0, "from hand to hand");
    cr_expect_float_eq(buffer_stats(b).takers_mean, (2 * 4 + 1) / 5.0, 1e-12);
    sim_free(sim);
}

Test(buffer, without_places_is_a_rendezvous)
{
    struct sim *sim = sim_new(1, 0);
    struct buffer *b = buffer_new(sim, "door", 0);
    struct log log = {.n = 0};

    cr_expect_not(buffer_put(b, &items[0], note, &log, 7));
    sim_run(sim, 3);
    cr_expect_eq(buffer_get(b, note, &log), &items[0]);
    sim_run(sim, 4);
    cr_expect(log.n == 1 && log.who[0] == 7 && log.when[0] == 3);
    cr_expect_eq(buffer_length(b), 0);
    cr_expect_null(buffer_get(b, note, &log));
    cr_expect(buffer_put(b, &items[1], note, &log, 8));
    sim_run(sim, 5);
    cr_expect_eq(log.who[1], (uintptr_t)&items[1]);
    sim_free(sim);
}

struct crowd {
    struct buffer *b;
    struct rng rng;
    size_t put, got, next;
};

static void take(struct crowd *c, void *item)
{
    cr_assert_eq(item, &items[c->next++ % 1000], "out of order at %zu", c->next);
    c->got++;
}

static void taken(struct sim *sim, void *self, uint64_t item)
{
    (void)sim;
    take(self, (void *)(uintptr_t)item);
}

static void ignore(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)self;
    (void)arg;
}

static void act(struct sim *sim, void *self, uint64_t arg)
{
    struct crowd *c = self;
    bool put = sim->now < 2000 ? rng_below(&c->rng, 10) < 6 : rng_below(&c->rng, 10) < 4;

    if (put)
        buffer_put(c->b, &items[c->put++ % 1000], ignore, c, 0);
    else {
        void *item = buffer_get(c->b, taken, c);

        if (item != NULL)
            take(c, item);
    }
    sim_after(sim, rng_exponential(&c->rng), act, c, arg);
}

/* A random mixture that first floods and then starves: everything comes out once, in order. */
Test(buffer, loses_nothing_and_keeps_the_order)
{
    for (long capacity = -1; capacity < 4; capacity++) {
        struct sim *sim = sim_new(1, 0);
        struct crowd c = {.b = buffer_new(sim, "queue", capacity)};

        rng_stream(&c.rng, 1, (uint32_t)(capacity + 1), "crowd");
        sim_after(sim, 0, act, &c, 0);
        for (int i = 1; i <= 100; i++) {
            sim_run(sim, 50.0 * i);
            buffer_stats(c.b); /* asserts flow balance */
            cr_assert_eq(c.put, c.got + (size_t)(buffer_length(c.b) + buffer_putters_waiting(c.b)));
        }
        cr_expect(c.got > 1000);
        sim_free(sim);
    }
}
