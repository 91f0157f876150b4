/*
 * bench_engine.c - what one event, draw, observation or job costs, through the calls that models use.
 *
 *   bench_engine mm1 N                     M/M/1 at rho .9, waits and levels recorded: per customer
 *   bench_engine tandem N                  six servers, five buffers of 5 places, blocking: per customer
 *   bench_engine hold SIZE OPS [exp|const|bimodal|pareto] [heap|ladder]
 *                                          pop and push with SIZE pending: per event
 *   bench_engine churn SIZE OPS [exp|const|bimodal|pareto] [heap|ladder]
 *                                          hold, and a time-out armed and the last one cancelled: per event
 *   bench_engine exp N | normal N | keyed N                    per draw (keyed: a new stream and one draw)
 *   bench_engine observe N                 a draw, a tally and a histogram: per observation
 *   bench_engine ps RHO N                  M/M/1 processor sharing: per job
 *   bench_engine memory ENTITIES           that many jobs waiting in a station and events pending
 *   bench_engine                           all of them, small
 *
 * Each call prints one JSON line.
 */
#include "engine/buffer.h"
#include "engine/cores.h"
#include "engine/rng.h"
#include "engine/station.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long rss_bytes(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss * 1024;
}

/* `value` is what was simulated: a compiler cannot drop the work, and a reader sees that it is right. */
static void print(const char *workload, double n, double wall, const char *what, double value)
{
    printf(
        "{\"workload\": \"%s\", \"n\": %.0f, \"wall_s\": %.6f, \"ns_per_op\": %.3f, \"max_rss_bytes\": %ld, "
        "\"%s\": %.6g}\n",
        workload, n, wall, 1e9 * wall / n, rss_bytes(), what, value);
    fflush(stdout);
}

/* -------------------------------------------------------------------- mm1 */

struct mm1 {
    struct station *server;
    struct rng arrivals, services;
    uint64_t left;
};

static void left(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)self;
    (void)arg;
}

static void arrive(struct sim *sim, void *self, uint64_t arg)
{
    struct mm1 *m = self;

    station_enter(m->server, rng_exponential(&m->services), left, m, arg);
    if (--m->left > 0)
        sim_after(sim, rng_exponential(&m->arrivals) / 0.9, arrive, m, 0);
}

static void mm1(uint64_t n)
{
    struct sim *sim = sim_new(1, 0);
    struct mm1 m = {.server = station_new(sim, "server", 1, -1), .left = n};
    double start;

    rng_stream(&m.arrivals, 1, 0, "arrivals");
    rng_stream(&m.services, 1, 0, "services");
    start = wall_s();
    sim_after(sim, rng_exponential(&m.arrivals) / 0.9, arrive, &m, 0);
    sim_run(sim, INFINITY);
    print("mm1", (double)n, wall_s() - start, "wait_mean", station_stats(m.server).wait_s.mean);
    sim_free(sim);
}

/* ----------------------------------------------------------------- tandem */

enum { STAGES = 6, PLACES = 5 };

struct item {
    double arrived_s;
    struct item *next;
};

struct stage {
    struct tandem *tandem;
    struct buffer *in, *out; /* out: NULL for the last */
    struct item *item;
};

struct tandem {
    struct stage stage[STAGES];
    struct rng arrivals, services;
    struct item *free;
    struct tally sojourn_s;
    uint64_t left;
};

static void work(struct sim *sim, void *self, uint64_t arg);

static void fetch(struct sim *sim, void *self, uint64_t arg)
{
    struct stage *s = self;
    void *item = buffer_get(s->in, work, s);

    (void)arg;
    if (item != NULL)
        work(sim, s, (uintptr_t)item);
}

static void worked(struct sim *sim, void *self, uint64_t arg)
{
    struct stage *s = self;
    struct tandem *t = s->tandem;

    if (s->out == NULL) {
        tally_add(&t->sojourn_s, sim->now - s->item->arrived_s);
        s->item->next = t->free;
        t->free = s->item;
    } else if (!buffer_put(s->out, s->item, fetch, s, 0))
        return;
    fetch(sim, s, arg);
}

static void work(struct sim *sim, void *self, uint64_t arg)
{
    struct stage *s = self;

    s->item = (struct item *)(uintptr_t)arg;
    sim_after(sim, rng_exponential(&s->tandem->services), worked, s, 0);
}

static void tandem_arrive(struct sim *sim, void *self, uint64_t arg)
{
    struct tandem *t = self;
    struct item *item = t->free;

    if (item != NULL)
        t->free = item->next;
    else
        item = ARENA_NEW(sim->arena, struct item);
    item->arrived_s = sim->now;
    buffer_put(t->stage[0].in, item, left, NULL, 0);
    if (--t->left > 0)
        sim_after(sim, rng_exponential(&t->arrivals) / 0.7, tandem_arrive, t, arg);
}

static void tandem(uint64_t n)
{
    struct sim *sim = sim_new(1, 0);
    struct tandem t = {.left = n};
    double start;

    rng_stream(&t.arrivals, 1, 0, "arrivals");
    rng_stream(&t.services, 1, 0, "services");
    for (int i = 0; i < STAGES; i++) {
        t.stage[i].tandem = &t;
        t.stage[i].in = buffer_new(sim, "buffer", i == 0 ? -1 : PLACES);
        if (i > 0)
            t.stage[i - 1].out = t.stage[i].in;
    }
    start = wall_s();
    for (int i = 0; i < STAGES; i++)
        fetch(sim, &t.stage[i], 0);
    sim_after(sim, rng_exponential(&t.arrivals) / 0.7, tandem_arrive, &t, 0);
    sim_run(sim, INFINITY);
    print("tandem", (double)n, wall_s() - start, "sojourn_mean", t.sojourn_s.mean);
    sim_free(sim);
}

/* ---------------------------------------------------------- hold and churn */

struct hold {
    struct rng rng;
    int law;
    uint64_t target;
    event_id *time_out; /* churn: one per event */
};

static const char *const laws[] = {"exp", "const", "bimodal", "pareto"};

static double increment(struct hold *h)
{
    double x;

    if (h->law == 1)
        return 1;
    x = rng_exponential(&h->rng);
    if (h->law == 2)
        return rng_next(&h->rng) & 15 ? 1e-3 * x : 1e3 * x;
    return h->law == 3 ? 0.1 * exp(x / 1.1) : x;
}

static void hold_again(struct sim *sim, void *self, uint64_t arg)
{
    struct hold *h = self;

    sim_after(sim, increment(h), hold_again, h, arg);
    if (sim->events >= h->target)
        sim_stop(sim);
}

static void churn_again(struct sim *sim, void *self, uint64_t arg)
{
    struct hold *h = self;
    double x = increment(h);

    sim_cancel(sim, h->time_out[arg]);
    sim_after(sim, x, churn_again, h, arg);
    h->time_out[arg] = sim_after(sim, x + 5, left, h, 0);
    if (sim->events >= h->target)
        sim_stop(sim);
}

static void hold(const char *name, uint64_t size, uint64_t ops, int law, bool ladder, event_fn *again)
{
    struct sim *sim = sim_new(1, 0);
    struct hold h = {.law = law, .time_out = xcalloc(size, sizeof(event_id))};
    char workload[64];
    double start;

    if (ladder)
        sim_use_ladder(sim);
    rng_stream(&h.rng, 1, 0, "hold");
    for (uint64_t i = 0; i < size; i++)
        sim_after(sim, increment(&h), again, &h, i);
    h.target = size > ops / 4 ? size : ops / 4;
    sim_run(sim, INFINITY);
    h.target = sim->events + ops;
    start = wall_s();
    sim_run(sim, INFINITY);
    snprintf(workload, sizeof workload, "%s %lu %s %s", name, (unsigned long)size, laws[law],
             ladder ? "ladder" : "heap");
    print(workload, (double)ops, wall_s() - start, "now", sim->now);
    free(h.time_out);
    sim_free(sim);
}

/* ------------------------------------------------------ draws, observations */

static void draws(const char *what, uint64_t n)
{
    double sum = 0, start;
    struct rng r;

    rng_stream(&r, 1, 0, "draws");
    start = wall_s();
    if (strcmp(what, "exp") == 0)
        for (uint64_t i = 0; i < n; i++)
            sum += rng_exponential(&r);
    else if (strcmp(what, "normal") == 0)
        for (uint64_t i = 0; i < n; i++)
            sum += rng_normal(&r);
    else
        for (uint64_t i = 0; i < n; i++) {
            rng_keyed(&r, 1, 0, 5, i, 7);
            sum += rng_uniform(&r);
        }
    print(what, (double)n, wall_s() - start, "mean", sum / (double)n);
}

static void observe(uint64_t n)
{
    struct hist *h = hist_new();
    struct tally t = {0};
    struct rng r;
    double start;

    rng_stream(&r, 1, 0, "draws");
    start = wall_s();
    for (uint64_t i = 0; i < n; i++) {
        double x = rng_exponential(&r);

        tally_add(&t, x);
        hist_add(h, x);
    }
    print("observe", (double)n, wall_s() - start, "p99", hist_quantile(h, 0.99));
    hist_free(h);
}

/* --------------------------------------------------------------------- ps */

struct ps {
    struct cores *cores;
    struct rng arrivals, services;
    double mean_s;
    uint64_t left;
};

static void ps_arrive(struct sim *sim, void *self, uint64_t arg)
{
    struct ps *p = self;

    cores_use(p->cores, rng_exponential(&p->services), left, p, arg);
    if (--p->left > 0)
        sim_after(sim, p->mean_s * rng_exponential(&p->arrivals), ps_arrive, p, arg);
}

static void ps(double rho, uint64_t n)
{
    struct sim *sim = sim_new(1, 0);
    struct ps p = {.cores = cores_new(sim, "host", 1, NULL), .mean_s = 1 / rho, .left = n};
    char workload[64];
    double start;

    rng_stream(&p.arrivals, 1, 0, "arrivals");
    rng_stream(&p.services, 1, 0, "services");
    start = wall_s();
    sim_after(sim, 0, ps_arrive, &p, 0);
    sim_run(sim, INFINITY);
    snprintf(workload, sizeof workload, "ps %g", rho);
    print(workload, (double)n, wall_s() - start, "jobs_mean", cores_stats(p.cores).jobs_mean);
    sim_free(sim);
}

/* ----------------------------------------------------------------- memory */

static void memory(uint64_t n)
{
    long before = rss_bytes(), pending, waiting;
    struct sim *sim = sim_new(1, 0);
    struct station *st = station_new(sim, "server", 1, -1);
    double start = wall_s();

    for (uint64_t i = 0; i < n; i++)
        sim_after(sim, 1 + (double)(i % 1000), left, NULL, 0);
    pending = rss_bytes();
    for (uint64_t i = 0; i < n; i++)
        station_enter(st, 1e-3, left, NULL, 0);
    waiting = rss_bytes();
    sim_run(sim, INFINITY);
    print("memory pending", (double)n, wall_s() - start, "bytes_per_pending_event",
          (double)(pending - before) / (double)n);
    print("memory waiting", (double)n, wall_s() - start, "bytes_per_waiting_job",
          (double)(waiting - pending) / (double)n);
    sim_free(sim);
}

static void all(void)
{
    mm1(3000000);
    tandem(500000);
    for (int ladder = 0; ladder < 2; ladder++) {
        for (uint64_t size = 100; size <= 1000000; size *= 100)
            hold("hold", size, 2000000, 0, ladder, hold_again);
        for (int law = 1; law < 4; law++)
            hold("hold", 10000, 2000000, law, ladder, hold_again);
        hold("churn", 10000, 2000000, 0, ladder, churn_again);
    }
    draws("exp", 20000000);
    draws("normal", 20000000);
    draws("keyed", 5000000);
    observe(20000000);
    ps(0.9, 1000000);
    ps(0.999, 1000000);
    memory(1000000);
}

static int usage(void)
{
    fputs("usage: bench_engine [mm1 N | tandem N | hold|churn SIZE OPS [exp|const|bimodal|pareto] "
          "[heap|ladder] |\n"
          "                     exp N | normal N | keyed N | observe N | ps RHO N | memory ENTITIES]\n",
          stderr);
    return 2;
}

static int law_named(const char *name)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(name, laws[i]) == 0)
            return i;
    return -1;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    uint64_t a = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, b = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    int law = argc > 4 ? law_named(argv[4]) : 0;
    bool ladder = argc > 5 && strcmp(argv[5], "ladder") == 0;

    if (argc == 1)
        all();
    else if (strcmp(what, "mm1") == 0 && a > 0)
        mm1(a);
    else if (strcmp(what, "tandem") == 0 && a > 0)
        tandem(a);
    else if (strcmp(what, "hold") == 0 && a > 0 && b > 0 && law >= 0)
        hold("hold", a, b, law, ladder, hold_again);
    else if (strcmp(what, "churn") == 0 && a > 0 && b > 0 && law >= 0)
        hold("churn", a, b, law, ladder, churn_again);
    else if ((strcmp(what, "exp") == 0 || strcmp(what, "normal") == 0 || strcmp(what, "keyed") == 0) && a > 0)
        draws(what, a);
    else if (strcmp(what, "observe") == 0 && a > 0)
        observe(a);
    else if (strcmp(what, "ps") == 0 && argc > 3 && atof(argv[2]) > 0 && b > 0)
        ps(atof(argv[2]), b);
    else if (strcmp(what, "memory") == 0 && a > 0)
        memory(a);
    else
        return usage();
    return 0;
}
