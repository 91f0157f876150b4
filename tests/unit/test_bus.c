/* Cores in front of a memory bus: shares by hand, processor sharing in closed form, a pipeline at its bound.
 */
#include "engine/cores.h"
#include "engine/rng.h"
#include "pipeline/bound.h"
#include "pipeline/simulate.h"
#include "scenario_text.h"

#include <math.h>

enum { JOBS = 4000 };

struct log {
    double when[JOBS];
    size_t n;
};

static void note(struct sim *sim, void *self, uint64_t arg)
{
    struct log *log = self;

    log->when[arg] = sim->now;
    log->n++;
}

Test(bus, two_that_ask_for_more_than_there_is_get_half_each)
{
    struct sim *sim = sim_new(1, 0);
    struct cores *c = cores_new_on_bus(sim, "host", 2, NULL, 10);
    struct log log = {.n = 0};

    cores_use_memory(c, 1, 10, note, &log, 0);
    cores_use_memory(c, 1, 10, note, &log, 1);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[0], 2, 1e-12);
    cr_expect_float_eq(log.when[1], 2, 1e-12);
    cr_expect_float_eq(cores_stats(c).bus_utilization, 1, 1e-12);
    cr_expect_float_eq(cores_stats(c).busy_mean, 2, 1e-12); /* who waits for memory keeps its core */
    cr_expect_float_eq(cores_stats(c).work_s, 2, 1e-12);
    sim_free(sim);
}

/* One asks for 2 of 10 and gets it; the other asks for 20, gets 8 and, once alone, 10: 8 + 12 / 10 seconds.
 */
Test(bus, who_asks_for_little_gets_all_of_it)
{
    struct sim *sim = sim_new(1, 0);
    struct cores *c = cores_new_on_bus(sim, "host", 4, NULL, 10);
    struct log log = {.n = 0};

    cores_use_memory(c, 1, 20, note, &log, 0);
    cores_use_memory(c, 1, 2, note, &log, 1);
    cores_use_memory(c, 3, 0, note, &log, 2); /* asks for nothing and never waits */
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[1], 1, 1e-12);
    cr_expect_float_eq(log.when[0], 2.2, 1e-12);
    cr_expect_float_eq(log.when[2], 3, 1e-12);
    sim_free(sim);
}

/* Two threads on one core ask for half as much each as they would alone. */
Test(bus, a_shared_core_asks_for_less)
{
    struct sim *sim = sim_new(1, 0);
    struct cores *c = cores_new_on_bus(sim, "host", 1, NULL, 10);
    struct log log = {.n = 0};

    cores_use_memory(c, 1, 10, note, &log, 0);
    cores_use_memory(c, 1, 10, note, &log, 1);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[1], 2, 1e-12);
    cores_use_memory(c, 0, 5, note, &log, 2); /* a copy */
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[2], 2.5, 1e-12);
    sim_free(sim);
}

struct arrivals {
    struct cores *cores;
    struct rng rng;
    struct log *log;
    double work_s, bytes, mean_gap_s, came[JOBS], bytes_sum;
    uint64_t n;
};

static void arrive(struct sim *sim, void *self, uint64_t arg)
{
    struct arrivals *a = self;
    double size = rng_exponential(&a->rng);

    (void)arg;
    a->came[a->n] = sim->now;
    a->bytes_sum += a->bytes * size;
    cores_use_memory(a->cores, a->work_s * size, a->bytes * size, note, a->log, a->n++);
    if (a->n < JOBS)
        sim_after(sim, a->mean_gap_s * rng_exponential(&a->rng), arrive, a, 0);
}

static void run_arrivals(struct arrivals *a, struct sim *sim, struct log *log)
{
    a->log = log;
    rng_stream(&a->rng, 7, 0, "arrivals");
    sim_at(sim, 0, PRIO_NORMAL, arrive, a, 0);
    sim_run(sim, INFINITY);
    cr_assert_eq(log->n, (size_t)JOBS);
}

/* Without bytes the bus is not there: every job leaves when it leaves plain cores. */
Test(bus, work_without_bytes_runs_as_on_plain_cores)
{
    static struct arrivals a = {.work_s = 1, .mean_gap_s = 0.4}, b = {.work_s = 1, .mean_gap_s = 0.4};
    static struct log on_bus, plain;
    struct sim *s1 = sim_new(1, 0), *s2 = sim_new(1, 0);

    a.cores = cores_new_on_bus(s1, "host", 3, NULL, 1);
    b.cores = cores_new(s2, "host", 3, NULL);
    run_arrivals(&a, s1, &on_bus);
    run_arrivals(&b, s2, &plain);
    for (int i = 0; i < JOBS; i++)
        cr_assert_float_eq(on_bus.when[i], plain.when[i], 1e-7 * (1 + plain.when[i]));
    sim_free(s1);
    sim_free(s2);
}

/* M/M/1 with processor sharing: copies of mean 1 s at load 0.7 stay 1 / 0.3 s, and the bus carries every
 * byte. */
Test(bus, copies_share_the_bus_as_a_processor)
{
    double sum = 0, sum2 = 0, mean, batch = 0;
    enum { BATCHES = 40 };

    for (int r = 0; r < BATCHES; r++) {
        static struct arrivals a;
        static struct log log;
        struct sim *sim = sim_new((uint64_t)r + 1, 0);

        a = (struct arrivals){.bytes = 10, .mean_gap_s = 1 / 0.7};
        log.n = 0;
        a.cores = cores_new_on_bus(sim, "host", 1000, NULL, 10);
        a.log = &log;
        rng_stream(&a.rng, (uint64_t)r, 0, "arrivals");
        sim_at(sim, 0, PRIO_NORMAL, arrive, &a, 0);
        sim_run(sim, INFINITY);
        cr_expect_float_eq(cores_stats(a.cores).bus_utilization * 10 * sim->now, a.bytes_sum,
                           1e-6 * a.bytes_sum);
        batch = 0;
        for (int i = JOBS / 4; i < JOBS; i++)
            batch += (log.when[i] - a.came[i]) / (JOBS - JOBS / 4);
        sum += batch;
        sum2 += batch * batch;
        sim_free(sim);
    }
    mean = sum / BATCHES;
    cr_expect_float_eq(mean, 1 / 0.3, 4 * sqrt((sum2 / BATCHES - mean * mean) / (BATCHES - 1)), "%g", mean);
}

/* ------------------------------------------------------------- a pipeline */

#define PIPELINE(workers, memory)                                                                            \
    "{\"name\": \"bus\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}}, \"resources\": {"             \
    "\"host\": {\"kind\": \"cores\", \"count\": 8, \"mem_bw\": \"20GB/s\"}}, \"stages\": [{\"name\": "       \
    "\"scan\", "                                                                                             \
    "\"model\": \"operators\", \"on\": {\"cpu\": \"host\"}, \"params\": {\"workers\": " workers              \
    ", \"ops\": ["                                                                                           \
    "{\"name\": \"scan\", \"cpu\": \"10ms\", \"mem_bytes\": \"" memory "\"}]}}]}"

static void expect_rate(const char *text, double rate, const char *bottleneck)
{
    struct simulate_options opt = {.replications = 2, .threads = 1, .confidence = 0.95};
    struct scenario *s = text_scenario(text);
    struct arena *a = arena_new();
    struct outcome o;
    struct err err = {0};
    struct bound b;

    bound_compute(s, a, &b);
    cr_expect_float_eq(b.throughput_per_s, rate, 1e-9 * rate, "bound %g", b.throughput_per_s);
    cr_expect_str_eq(b.bottleneck, bottleneck);
    cr_assert_eq(simulate(s, &opt, a, &o, &err), 0, "%s", err.text);
    cr_expect_float_eq(o.throughput_per_s.mean, rate, 2e-3 * rate, "%g", o.throughput_per_s.mean);
    arena_free(a);
    scenario_free(s);
}

/* X = min(workers / w, cores / w, bandwidth / m): 20 GB/s over 50 MB is 400 a second, half of what 8 cores
 * do. */
Test(bus, a_pipeline_runs_at_the_bandwidth_over_the_bytes)
{
    expect_rate(PIPELINE("8", "50MB"), 400, "host");
    expect_rate(PIPELINE("4", "50MB"), 400, "scan");
    expect_rate(PIPELINE("2", "50MB"), 200, "scan");
    expect_rate(PIPELINE("8", "10MB"), 800, "scan");
}

Test(bus, only_cores_have_one)
{
    struct scenario *s;
    struct err err = {0};
    char *text = text_replaced(MMC, "\"count\": 4", "\"count\": 4, \"mem_bw\": \"1GB/s\"");

    cr_expect_neq(text_build(text, &s, &err), 0);
    cr_expect_not_null(strstr(err.text, "$.resources.pool.mem_bw: only cores have a memory bus"), "%s",
                       err.text);
    free(text);
}
