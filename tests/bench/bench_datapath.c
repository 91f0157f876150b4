/*
 * bench_datapath.c - what the training data path costs as it grows: 64, 128, 256, 512 GPUs.
 *
 *   bench_datapath [GPUS [STEPS]]     one size; steps of about a second (3600)
 *
 * Per 8 GPUs one trainer, 78 preprocessing workers and 25/8 storage nodes; a step takes the batch of 8 reads.
 * With 512 GPUs: 64 trainers, 5,000 workers in one in-order stage, 200 nodes, 1.84 million reads.
 *
 *   read (200 nodes) -> prep (5,000 workers, cores, NICs) -> train (64 trainers of 8 GPUs)
 *
 * Each line of JSON has events, nanoseconds an event and how many times that is a pop and push in a calendar
 * of 1,000 events, timed around the run; ns_per_read against the line before shows whether cost grows
 * linearly.
 */
#include "base/arena.h"
#include "engine/rng.h"
#include "pipeline/flow.h"
#include "pipeline/scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { READS_PER_STEP = 8, GPUS_PER_TRAINER = 8, YARDSTICK_PENDING = 1000, YARDSTICK_EVENTS = 2000000 };

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ------------------------------------------------------------ the yardstick */

static void again(struct sim *sim, void *self, uint64_t arg)
{
    sim_after(sim, rng_exponential(self), again, self, arg);
    if (sim->events >= YARDSTICK_EVENTS)
        sim_stop(sim);
}

static double yardstick_event_s(void)
{
    struct sim *sim = sim_new(1, 0);
    struct rng r;
    double start;

    rng_stream(&r, 1, 0, "hold");
    for (uint64_t i = 0; i < YARDSTICK_PENDING; i++)
        sim_after(sim, rng_exponential(&r), again, &r, i);
    start = cpu_s();
    sim_run(sim, INFINITY);
    start = (cpu_s() - start) / YARDSTICK_EVENTS;
    sim_free(sim);
    return start;
}

/* ------------------------------------------------------------ the data path */

static const char TEXT[] =
    "{\"name\": \"datapath\", \"unit\": \"read\", \"horizon\": {\"items\": %ld},\n"
    " \"workload\": {\"closed\": {\"in_flight\": %ld}},\n"
    " \"resources\": {\"nodes\": {\"kind\": \"servers\", \"count\": %ld}, \"pool\": {\"kind\": \"cores\", "
    "\"count\": %ld},\n"
    "  \"nics\": {\"kind\": \"link\", \"bandwidth\": %ld}, \"gpus\": {\"kind\": \"gpus\", \"count\": %ld}},\n"
    " \"stages\": [\n"
    "  {\"name\": \"read\", \"model\": \"station\", \"on\": {\"servers\": \"nodes\"},\n"
    "   \"params\": {\"service\": {\"lognormal\": {\"mean\": \"0.3s\", \"cv\": 0.5}}}},\n"
    "  {\"name\": \"prep\", \"model\": \"operators\", \"on\": {\"cpu\": \"pool\", \"net\": \"nics\"},\n"
    "   \"params\": {\"workers\": %ld, \"batch\": %d, \"prefetch\": 2, \"in_order\": true, \"ops\": [\n"
    "    {\"name\": \"transform\", \"per_batch\": true, \"cpu\": {\"lognormal\": {\"mean\": \"60s\", \"cv\": "
    "0.3}}},\n"
    "    {\"name\": \"send\", \"per_batch\": true, \"net_bytes\": \"100MB\"}]}},\n"
    "  {\"name\": \"train\", \"model\": \"operators\", \"on\": {\"gpu\": \"gpus\"}, \"params\": "
    "{\"workers\": %ld, \"ops\": [\n"
    "    {\"name\": \"step\", \"per_batch\": true, \"gpu\": {\"lognormal\": {\"mean\": \"1s\", \"cv\": "
    "0.05}}}]}}],\n"
    " \"edges\": [[\"read\", \"prep\", {\"buffer\": %ld}], [\"prep\", \"train\", {\"buffer\": %ld}]]}\n";

static struct scenario *build(long gpus, long steps)
{
    long trainers = gpus / GPUS_PER_TRAINER, workers = trainers * 5000 / 64, nodes = trainers * 200 / 64;
    long reads = steps * trainers * READS_PER_STEP;
    struct scenario *s = NULL;
    struct json *tree = NULL;
    struct err err = {0};
    char text[4000];

    snprintf(text, sizeof text, TEXT, reads, workers * READS_PER_STEP * 2, nodes, workers,
             trainers * 400000000L, trainers, workers, READS_PER_STEP, trainers, workers * READS_PER_STEP,
             2 * trainers);
    if (json_parse(text, "bench", &tree, &err) != 0 || scenario_build(tree, "bench", NULL, &s, &err) != 0) {
        fprintf(stderr, "bench_datapath: %s\n", err.text);
        exit(1);
    }
    json_free(tree);
    return s;
}

/* Nanoseconds a read, for the next line. */
static double measure(long gpus, long steps, double before)
{
    struct scenario *s = build(gpus, steps);
    struct arena *a = arena_new();
    struct flow_limits limits = {0};
    struct flow_result r;
    struct err err = {0};
    double yard = yardstick_event_s(), start = cpu_s(), spent, per_read, per_event;

    if (flow_run(s, 1, 0, &limits, a, &r, &err) != 0) {
        fprintf(stderr, "bench_datapath: %s\n", err.text);
        exit(1);
    }
    spent = cpu_s() - start;
    yard = fmin(yard, yardstick_event_s());
    per_read = spent / r.lines[0].units;
    per_event = spent / (double)r.events;
    printf("{\"workload\": \"datapath\", \"gpus\": %ld, \"steps\": %ld, \"reads\": %.0f, \"events\": %llu, "
           "\"cpu_s\": %.3f, \"ns_per_event\": %.1f, \"times_yardstick\": %.2f, \"ns_per_read\": %.1f, "
           "\"growth_per_read\": %.3f, \"gpu_busy\": %.4f, \"makespan_s\": %.1f}\n",
           gpus, steps, r.lines[0].units, (unsigned long long)r.events, spent, 1e9 * per_event,
           per_event / yard, 1e9 * per_read, before > 0 ? per_read / before : 1, r.stages[2].utilization,
           r.lines[0].makespan_s);
    fflush(stdout);
    arena_free(a);
    scenario_free(s);
    return per_read;
}

int main(int argc, char **argv)
{
    long gpus = argc > 1 ? atol(argv[1]) : 0, steps = argc > 2 ? atol(argv[2]) : 3600;
    double per_read = 0;

    if (argc > 3 || steps < 1 || (argc > 1 && (gpus < 8 || gpus > 8192))) {
        fputs("usage: bench_datapath [GPUS [STEPS]]\n", stderr);
        return 2;
    }
    if (gpus > 0)
        measure(gpus, steps, 0);
    for (long n = 64; gpus == 0 && n <= 512; n *= 2)
        per_read = measure(n, steps, per_read);
    return 0;
}
