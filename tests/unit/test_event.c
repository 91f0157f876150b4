/* The calendar: its order, its ids, its memory, and the clock that follows it. */
#include "engine/buffer.h"
#include "engine/event.h"
#include "engine/rng.h"
#include "engine/station.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>

static void nothing(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)self;
    (void)arg;
}

struct log {
    uint64_t seen[64];
    double at_s[64];
    size_t n;
};

static void note(struct sim *sim, void *self, uint64_t arg)
{
    struct log *log = self;

    log->at_s[log->n] = sim->now;
    log->seen[log->n++] = arg;
}

Test(event_queue, orders_by_time_then_priority_then_first_come)
{
    struct sim *sim = sim_new(1, 0);
    struct log log = {.n = 0};
    const uint64_t expected[] = {5, 3, 2, 4, 0, 1, 6};

    sim_at(sim, 2, PRIO_NORMAL, note, &log, 0);
    sim_at(sim, 2, PRIO_NORMAL, note, &log, 1);
    sim_at(sim, 1, PRIO_NORMAL, note, &log, 2);
    sim_at(sim, 1, PRIO_FIRST, note, &log, 3);
    sim_at(sim, 1, PRIO_LAST, note, &log, 4);
    sim_at(sim, -0.0, PRIO_LAST, note, &log, 5);
    sim_at(sim, 2, PRIO_LAST, note, &log, 6);
    sim_run(sim, INFINITY);
    cr_assert_eq(log.n, 7);
    for (size_t i = 0; i < 7; i++)
        cr_expect_eq(log.seen[i], expected[i], "place %zu", i);
    cr_expect_eq(sim->now, 2);
    cr_expect(sim_idle(sim));
    sim_free(sim);
}

Test(event_queue, an_old_id_cancels_nothing)
{
    struct sim *sim = sim_new(1, 0);
    event_id first = sim_after(sim, 1, nothing, NULL, 0), second, third;

    cr_expect_neq(first, 0);
    cr_expect_not(sim_cancel(sim, 0));
    cr_expect_not(sim_cancel(sim, UINT64_MAX));
    cr_expect(sim_cancel(sim, first));
    cr_expect_not(sim_cancel(sim, first));
    cr_expect(sim_idle(sim));
    sim_run(sim, 5);
    cr_expect_eq(sim->events, 0);
    second = sim_after(sim, 1, nothing, NULL, 0);
    cr_expect_neq(second, first);
    cr_expect_not(sim_cancel(sim, first));
    sim_run(sim, 10);
    cr_expect_eq(sim->events, 1);
    cr_expect_not(sim_cancel(sim, second));
    third = sim_after(sim, 1, nothing, NULL, 0);
    cr_expect_not(sim_cancel(sim, second));
    cr_expect(sim_cancel(sim, third));
    sim_free(sim);
}

struct model_event { /* the same calendar as a plain list that is searched */
    double time;
    unsigned priority;
    uint64_t sequence;
    event_id id;
    bool pending;
};

static size_t list_first(const struct model_event *list, size_t n)
{
    size_t best = n;

    for (size_t i = 0; i < n; i++) {
        const struct model_event *a = &list[i], *b = &list[best];

        if (!a->pending)
            continue;
        if (best == n || a->time < b->time || (a->time == b->time && a->priority < b->priority) ||
            (a->time == b->time && a->priority == b->priority && a->sequence < b->sequence))
            best = i;
    }
    return best;
}

/* Increments from nothing (ties) over exponential to heavy tails. */
static double increment(struct rng *r, int law)
{
    switch (law) {
    case 0:
        return (double)rng_below(r, 3);
    case 1:
        return rng_exponential(r);
    case 2:
        return rng_below(r, 16) ? 1e-3 * rng_exponential(r) : 1e3 * rng_exponential(r);
    default:
        return 0.1 * pow(rng_uniform(r), -1 / 1.1);
    }
}

static void against_list(int law)
{
    enum { STEPS = 6000, MOST = 6001 };
    struct arena *arena = arena_new();
    struct event_queue q;
    struct model_event *list = arena_array(arena, MOST, sizeof *list);
    struct rng r;
    double now = 0;
    size_t n = 0;

    event_queue_init(&q, arena);
    rng_stream(&r, 7, (uint32_t)law, "differential");
    for (int step = 0; step < STEPS; step++) {
        uint64_t action = rng_below(&r, 100);

        if (step % 1500 == 1499)
            event_queue_renumber(&q);
        if (action < (step < STEPS / 2 ? 50 : 30)) {
            struct model_event e = {now + increment(&r, law), (unsigned)rng_below(&r, 3) * 7, n, 0, true};

            e.id = event_push(&q, e.time, e.priority, nothing, &list[n], n);
            list[n++] = e;
        } else if (action < 70 && n > 0) {
            struct model_event *e = &list[rng_below(&r, n)];

            cr_assert_eq(event_queue_cancel(&q, e->id), e->pending);
            e->pending = false;
        } else {
            size_t first = list_first(list, n);
            struct event out;
            double time = -1;
            bool any = event_pop(&q, INFINITY, &time, &out);

            cr_assert_eq(any, first < n);
            if (any) {
                cr_assert_eq(out.arg, first, "law %d, step %d", law, step);
                cr_assert_eq(time, list[first].time);
                list[first].pending = false;
                now = time;
            }
        }
    }
    event_queue_fini(&q);
    arena_free(arena);
}

Test(event_queue, agrees_with_a_sorted_list_under_ties_and_cancels)
{
    for (int law = 0; law < 4; law++)
        against_list(law);
}

Test(event_queue, pops_a_million_in_order)
{
    struct arena *arena = arena_new();
    struct event_queue q;
    struct rng r;
    struct event e;
    double time, last = 0;
    size_t n = 0;

    event_queue_init(&q, arena);
    rng_stream(&r, 1, 0, "million");
    for (size_t i = 0; i < 1000000; i++)
        event_push(&q, rng_uniform(&r), 0, nothing, NULL, i);
    for (; event_pop(&q, INFINITY, &time, &e); n++) {
        cr_assert(time >= last);
        last = time;
    }
    cr_expect_eq(n, 1000000);
    event_queue_fini(&q);
    arena_free(arena);
}

/* Time-outs far away that are nearly always cancelled must not pile up. */
Test(event_queue, cancelled_events_do_not_accumulate)
{
    struct arena *arena = arena_new();
    struct event_queue q;

    event_queue_init(&q, arena);
    for (int i = 0; i < 200000; i++) {
        event_id id = event_push(&q, 1e6 + i, 0, nothing, NULL, 0);

        cr_assert(event_queue_cancel(&q, id));
    }
    cr_expect(heap_count(&q.heap) < 1000);
    cr_expect(q.slots <= 2 * EVENT_CHUNK);
    cr_expect_eq(event_queue_count(&q), 0);
    event_queue_fini(&q);
    arena_free(arena);
}

Test(event_queue, sequence_that_runs_out_starts_again)
{
    struct arena *arena = arena_new();
    struct event_queue q;
    struct event e;
    double time;

    event_queue_init(&q, arena);
    q.sequence = EVENT_SEQUENCES - 3;
    for (uint64_t i = 0; i < 6; i++)
        event_push(&q, 1, PRIO_NORMAL, nothing, NULL, i);
    cr_expect(q.sequence < 10);
    for (uint64_t i = 0; i < 6; i++) {
        cr_assert(event_pop(&q, INFINITY, &time, &e));
        cr_expect_eq(e.arg, i);
    }
    event_queue_fini(&q);
    arena_free(arena);
}

Test(sim, stands_at_the_time_it_ran_until)
{
    struct sim *sim = sim_new(1, 0);
    struct log log = {.n = 0};

    sim_after(sim, 1, note, &log, 1);
    sim_after(sim, 2, note, &log, 2);
    sim_after(sim, 3, note, &log, 3);
    sim_run(sim, 2);
    cr_expect_eq(log.n, 2, "an event at the end itself still happens");
    cr_expect_eq(sim->now, 2);
    sim_run(sim, 2.5);
    cr_expect_eq(sim->now, 2.5);
    cr_expect_not(sim_idle(sim));
    sim_run(sim, INFINITY);
    cr_expect_eq(sim->now, 3);
    sim_run(sim, 10);
    cr_expect_eq(sim->now, 10);
    sim_free(sim);
}

static void again(struct sim *sim, void *self, uint64_t arg)
{
    if (arg == 10)
        sim_stop(sim);
    sim_after(sim, 1, again, self, arg + 1);
}

Test(sim, stops_when_told_and_at_the_cap)
{
    struct sim *sim = sim_new(1, 0);

    sim_after(sim, 0, again, NULL, 0);
    sim_run(sim, INFINITY);
    cr_expect_eq(sim->events, 11);
    cr_expect_not(sim->capped);
    sim->max_events = 20;
    sim_run(sim, INFINITY);
    cr_expect_eq(sim->events, 20);
    cr_expect(sim->capped);
    sim_free(sim);
}

Test(sim, refuses_to_go_back, .signal = SIGABRT)
{
    struct sim *sim = sim_new(1, 0);

    sim_run(sim, 5);
    sim_at(sim, 4, PRIO_NORMAL, nothing, NULL, 0);
}

Test(sim, refuses_a_time_that_is_no_number, .signal = SIGABRT)
{
    struct sim *sim = sim_new(1, 0);

    sim_after(sim, NAN, nothing, NULL, 0);
}

Test(sim, free_of_nothing_is_fine)
{
    sim_free(NULL);
}

static void grow(struct sim *sim, void *self, uint64_t arg)
{
    arena_alloc(sim->arena, 1000);
    sim_after(sim, 1, grow, self, arg);
}

Test(sim, stops_at_the_cap_on_memory)
{
    struct sim *sim = sim_new(1, 0);

    sim->max_bytes = 10000000;
    sim_after(sim, 0, grow, NULL, 0);
    sim_run(sim, INFINITY);
    cr_expect(sim->capped);
    cr_expect_eq(sim->cap, CAP_BYTES);
    cr_expect(sim->events > 8000 && sim->events < 20000, "%lu", (unsigned long)sim->events);
    sim_free(sim);
}

Test(sim, stops_at_the_cap_on_wall_time)
{
    struct sim *sim = sim_new(1, 0);

    sim->max_wall_s = 0.05;
    sim->max_events = 1000000000;
    sim_after(sim, 0, again, NULL, 11);
    sim_run(sim, INFINITY);
    cr_expect(sim->capped);
    cr_expect_eq(sim->cap, CAP_WALL);
    sim_free(sim);
}

static void order_of_ties(uint64_t seed, struct log *log)
{
    struct sim *sim = sim_new(1, 0);

    log->n = 0;
    if (seed != 0)
        sim_random_ties(sim, seed);
    for (uint64_t i = 0; i < 20; i++)
        sim_at(sim, 1, i < 10 ? PRIO_NORMAL : PRIO_LAST, note, log, i);
    sim_run(sim, INFINITY);
    sim_free(sim);
}

Test(sim, ties_may_be_shuffled_by_a_seed)
{
    struct log fifo, one, one_again, two;
    size_t moved = 0, differ = 0;

    order_of_ties(0, &fifo);
    order_of_ties(1, &one);
    order_of_ties(1, &one_again);
    order_of_ties(2, &two);
    cr_assert_eq(one.n, 20);
    for (size_t i = 0; i < 20; i++) {
        cr_expect_eq(one.seen[i], one_again.seen[i]);
        cr_expect_eq(one.seen[i] < 10, i < 10, "priorities still count");
        moved += one.seen[i] != fifo.seen[i];
        differ += one.seen[i] != two.seen[i];
    }
    cr_expect(moved > 5 && differ > 5);
}

static void trace(void *ctx, const struct sim *sim, event_fn *fn, const void *self, uint64_t arg)
{
    struct log *log = ctx;

    cr_expect(fn == note && self == (const char *)ctx - sizeof *log);
    log->at_s[log->n] = sim->now;
    log->seen[log->n++] = arg;
}

Test(sim, tells_each_event_to_the_trace)
{
    struct log logs[2] = {{.n = 0}, {.n = 0}};
    struct sim *sim = sim_new(1, 0);

    sim->trace = trace;
    sim->trace_ctx = &logs[1];
    for (uint64_t i = 0; i < 5; i++)
        sim_after(sim, (double)i, note, &logs[0], i);
    sim_run(sim, INFINITY);
    cr_expect_arr_eq(logs[0].seen, logs[1].seen, 5);
    sim_free(sim);
}

Test(sim, says_who_waits_for_what)
{
    struct sim *sim = sim_new(1, 0);
    struct buffer *b = buffer_new(sim, "batches", 1), *idle = buffer_new(sim, "orders", 1);
    struct station *st = station_new(sim, "gpu", 1, -1);
    char text[300], small[20];

    cr_expect_eq(sim_waiting(sim, text, sizeof text), 0);
    cr_expect_str_eq(text, "");
    for (int i = 0; i < 3; i++)
        buffer_put(b, b, nothing, NULL, 0);
    buffer_get(idle, nothing, NULL);
    station_seize(st, nothing, NULL, 0);
    station_seize(st, nothing, NULL, 0);
    sim_run(sim, INFINITY);
    cr_expect(sim_idle(sim));
    cr_expect_eq(sim_waiting(sim, text, sizeof text), 3);
    cr_expect_str_eq(text, "2 wait to put into buffer \"batches\"; 1 wait to take from buffer \"orders\"; 1 "
                           "wait for a server of \"gpu\"");
    cr_expect_eq(sim_waiting(sim, small, sizeof small), 3, "a short buffer only shortens the text");
    sim_free(sim);
}
