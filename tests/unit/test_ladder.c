/* The ladder against the heap: the same events pushed, cancelled and popped, in the same order. */
#include "engine/event.h"
#include "engine/rng.h"
#include "engine/station.h"

#include <criterion/criterion.h>
#include <math.h>

static void nothing(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)self;
    (void)arg;
}

enum { TIES, ALL_EQUAL, EXPONENTIAL, BIMODAL, PARETO, TINY, LAWS };

static double increment(struct rng *r, int law)
{
    switch (law) {
    case TIES:
        return (double)rng_below(r, 3);
    case ALL_EQUAL:
        return 1;
    case EXPONENTIAL:
        return rng_exponential(r);
    case BIMODAL:
        return rng_below(r, 16) ? 1e-3 * rng_exponential(r) : 1e3 * rng_exponential(r);
    case PARETO:
        return 0.1 * pow(rng_uniform(r), -1 / 1.1);
    default:
        return 1e-300 * rng_uniform(r); /* no width can tell these apart later in the run */
    }
}

struct pair {
    struct event_queue heap, ladder;
    event_id *heap_id, *ladder_id;
    size_t pushed;
    double now;
};

static void push(struct pair *p, struct rng *r, int law)
{
    double time = p->now + increment(r, law);
    unsigned priority = (unsigned)rng_below(r, 2) * 7;

    p->heap_id[p->pushed] = event_push(&p->heap, time, priority, nothing, NULL, p->pushed);
    p->ladder_id[p->pushed] = event_push(&p->ladder, time, priority, nothing, NULL, p->pushed);
    p->pushed++;
}

static void cancel(struct pair *p, struct rng *r)
{
    size_t which = rng_below(r, p->pushed);

    cr_assert_eq(event_queue_cancel(&p->heap, p->heap_id[which]),
                 event_queue_cancel(&p->ladder, p->ladder_id[which]));
}

static bool pop(struct pair *p, double until)
{
    struct event a = {0}, b = {0};
    double time_a = -1, time_b = -1;
    bool any = event_pop(&p->heap, until, &time_a, &a);

    cr_assert_eq(any, event_pop(&p->ladder, until, &time_b, &b));
    cr_assert_eq(a.arg, b.arg);
    cr_assert_eq(time_a, time_b);
    if (any)
        p->now = time_a;
    return any;
}

/* Fills up to `size` pending, holds with cancels, drains. */
static void against_heap(int law, size_t size, size_t holds, uint64_t shuffle)
{
    struct arena *arena = arena_new();
    struct pair p = {.now = 0};
    struct rng r;

    event_queue_init(&p.heap, arena);
    event_queue_init(&p.ladder, arena);
    event_queue_use_ladder(&p.ladder);
    if (shuffle != 0) {
        event_queue_shuffle_ties(&p.heap, shuffle);
        event_queue_shuffle_ties(&p.ladder, shuffle);
    }
    p.heap_id = arena_array(arena, size + 2 * holds, sizeof(event_id));
    p.ladder_id = arena_array(arena, size + 2 * holds, sizeof(event_id));
    rng_stream(&r, 7, (uint32_t)law, "ladder");
    for (size_t i = 0; i < size; i++)
        push(&p, &r, law);
    for (size_t i = 0; i < holds; i++) {
        if (i == holds / 2) {
            event_queue_renumber(&p.heap);
            event_queue_renumber(&p.ladder);
        }
        push(&p, &r, law);
        if (rng_below(&r, 3) == 0) {
            push(&p, &r, law);
            cancel(&p, &r);
        }
        pop(&p, rng_below(&r, 8) ? INFINITY : p.now);
    }
    cr_assert_eq(event_queue_count(&p.heap), event_queue_count(&p.ladder));
    while (pop(&p, INFINITY))
        ;
    cr_expect_eq(event_queue_count(&p.ladder), 0);
    event_queue_fini(&p.heap);
    event_queue_fini(&p.ladder);
    arena_free(arena);
}

Test(ladder, keeps_the_order_of_the_heap)
{
    for (int law = 0; law < LAWS; law++)
        for (size_t size = 1; size <= 20000; size *= 20)
            against_heap(law, size, 20000, 0);
}

Test(ladder, keeps_the_order_of_the_heap_with_shuffled_ties)
{
    against_heap(TIES, 3000, 20000, 5);
    against_heap(ALL_EQUAL, 3000, 20000, 6);
}

Test(ladder, cancelled_events_do_not_accumulate)
{
    struct arena *arena = arena_new();
    struct event_queue q;

    event_queue_init(&q, arena);
    event_queue_use_ladder(&q);
    for (int i = 0; i < 200000; i++)
        cr_assert(event_queue_cancel(&q, event_push(&q, 1e6 + i, 0, nothing, NULL, 0)));
    cr_expect(q.ladder->count < 1000);
    cr_expect(q.slots <= 2 * EVENT_CHUNK);
    cr_expect(event_queue_bytes(&q) < 200000);
    cr_expect_eq(event_queue_count(&q), 0);
    event_queue_fini(&q);
    arena_free(arena);
}

Test(ladder, gives_its_memory_to_what_comes_next)
{
    struct arena *arena = arena_new();
    struct event_queue q;
    struct event e;
    struct rng r;
    double now = 0;
    size_t bytes = 0;

    event_queue_init(&q, arena);
    event_queue_use_ladder(&q);
    rng_stream(&r, 1, 0, "ladder");
    for (int i = 0; i < 100000; i++)
        event_push(&q, rng_exponential(&r), 0, nothing, NULL, 0);
    for (int i = 0; i < 1000000; i++) {
        cr_assert(event_pop(&q, INFINITY, &now, &e));
        event_push(&q, now + rng_exponential(&r), 0, nothing, NULL, 0);
        if (i == 500000)
            bytes = event_queue_bytes(&q);
    }
    cr_expect_leq(event_queue_bytes(&q), bytes + bytes / 4, "%zu, then %zu", bytes, event_queue_bytes(&q));
    cr_expect_leq(bytes, 64 * 100000);
    event_queue_fini(&q);
    arena_free(arena);
}

struct customers {
    struct station *desk;
    struct rng rng;
    int left;
};

static void arrive(struct sim *sim, void *self, uint64_t arg)
{
    struct customers *c = self;

    station_enter(c->desk, rng_exponential(&c->rng), nothing, NULL, arg);
    if (--c->left > 0)
        sim_after(sim, rng_exponential(&c->rng), arrive, c, 0);
}

static double mean_wait(bool ladder)
{
    struct sim *sim = sim_new(1, 0);
    struct customers c = {.desk = station_new(sim, "desk", 1, -1), .left = 5000};
    double wait;

    if (ladder)
        sim_use_ladder(sim);
    rng_stream(&c.rng, 1, 0, "customers");
    sim_after(sim, 0, arrive, &c, 0);
    sim_run(sim, 4000);
    cr_expect_not(sim_idle(sim));
    sim_run(sim, INFINITY);
    cr_expect(sim_idle(sim));
    wait = station_stats(c.desk).wait_s.mean;
    sim_free(sim);
    return wait;
}

Test(ladder, a_simulation_says_the_same_with_it)
{
    double wait = mean_wait(false);

    cr_expect_gt(wait, 1);
    cr_expect_eq(mean_wait(true), wait);
}
