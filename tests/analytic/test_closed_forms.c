/* The engine's stations, cores, links and buffers against queueing theory, one at a time and in small
 * networks. */
#include "closed_forms.h"

#include "engine/buffer.h"
#include "engine/cores.h"
#include "engine/join.h"
#include "engine/link.h"
#include "engine/station.h"

/* ------------------------------------------------------------- one station */

enum figure { SOJOURN, WAIT, P_WAIT, P99 }; /* of an open station */
enum { BLOCKING = P99, INSIDE = SOJOURN };  /* of one with a limit */

struct open_queue {
    double rate_per_s;
    long servers, limit;
    struct law service;
    long jobs; /* measured; a tenth as many come before */
};

struct open_run {
    const struct open_queue *q;
    struct station *station;
    struct rng arrivals, services;
    double *arrived_s, *service_s;
    long begun, first;
    struct tally sojourn, waited;
    struct hist *hist;
};

static void departed(struct sim *sim, void *self, uint64_t job)
{
    struct open_run *run = self;
    double sojourn_s = sim->now - run->arrived_s[job];

    if ((long)job < run->first)
        return;
    tally_add(&run->sojourn, sojourn_s);
    tally_add(&run->waited, sojourn_s - run->service_s[job] > 1e-9);
    hist_add(run->hist, sojourn_s);
}

static void arrival(struct sim *sim, void *self, uint64_t job)
{
    struct open_run *run = self;

    if ((long)job == run->first)
        station_begin_measuring(run->station);
    if ((long)job == run->first + run->q->jobs) {
        sim_stop(sim);
        return;
    }
    run->arrived_s[job] = sim->now;
    run->service_s[job] = law_draw(&run->q->service, &run->services);
    station_enter(run->station, run->service_s[job], departed, run, job);
    sim_after(sim, rng_exponential(&run->arrivals) / run->q->rate_per_s, arrival, run, job + 1);
}

static void open_queue(struct sim *sim, const void *setting, double figure[MAX_FIGURES])
{
    const struct open_queue *q = setting;
    struct open_run run = {.q = q, .first = q->jobs / 10, .hist = hist_new()};
    struct station_stats s;

    run.station = station_new(sim, "server", q->servers, q->limit);
    run.arrived_s = arena_array(sim->arena, (size_t)(run.first + q->jobs), sizeof(double));
    run.service_s = arena_array(sim->arena, (size_t)(run.first + q->jobs), sizeof(double));
    rng_stream(&run.arrivals, sim->seed, sim->replication, "arrivals");
    rng_stream(&run.services, sim->seed, sim->replication, "services");
    sim_at(sim, 0, PRIO_NORMAL, arrival, &run, 0);
    sim_run(sim, INFINITY);
    s = station_stats(run.station);
    if (q->limit < 0) {
        figure[SOJOURN] = run.sojourn.mean;
        figure[WAIT] = s.wait_s.mean;
        figure[P_WAIT] = run.waited.mean;
        figure[P99] = hist_quantile(run.hist, 0.99);
    } else {
        figure[INSIDE] = s.busy_mean + s.queue_mean;
        figure[BLOCKING] = (double)s.lost / (double)s.arrived;
    }
    hist_free(run.hist);
}

#define CONSTANT                                                                                             \
    {                                                                                                        \
        .kind = LAW_CONSTANT, .mean = 1                                                                      \
    }
#define EXPONENTIAL                                                                                          \
    {                                                                                                        \
        .kind = LAW_EXPONENTIAL, .mean = 1, .cv = 1                                                          \
    }
#define GAMMA(c)                                                                                             \
    {                                                                                                        \
        .kind = LAW_GAMMA, .mean = 1, .cv = (c)                                                              \
    }
#define LOGNORMAL(c)                                                                                         \
    {                                                                                                        \
        .kind = LAW_LOGNORMAL, .mean = 1, .cv = (c)                                                          \
    }

static const struct {
    const char *name;
    struct open_queue q;
    double truth[MAX_FIGURES]; /* 0: no closed form */
} stations[] = {
    {"M/M/1 rho .8", {0.8, 1, -1, EXPONENTIAL, 100000}, {5, 4, 0.8, 23.0259}},
    {"M/M/4 rho .8", {3.2, 4, -1, EXPONENTIAL, 100000}, {1.745541, 0.745541, 0.596432, 0}},
    {"M/M/8 rho .9", {7.2, 8, -1, EXPONENTIAL, 200000}, {1.876916, 0.876916, 0.701533, 0}},
    {"M/M/32 rho .9", {28.8, 32, -1, EXPONENTIAL, 200000}, {1.143186, 0.143186, 0.458197, 0}},
    {"M/M/1/10 rho .9", {0.9, 1, 9, EXPONENTIAL, 50000}, {3.969441, 0, 0, 0.050814}},
    {"M/M/10/10 a 8", {8, 10, 0, EXPONENTIAL, 50000}, {8 * (1 - 0.121661), 0, 0, 0.121661}},
    {"M/D/10/10 a 8", {8, 10, 0, CONSTANT, 50000}, {8 * (1 - 0.121661), 0, 0, 0.121661}},
    {"M/G/10/10 a 8", {8, 10, 0, LOGNORMAL(2), 50000}, {8 * (1 - 0.121661), 0, 0, 0.121661}},
    {"M/D/1 rho .8", {0.8, 1, -1, CONSTANT, 100000}, {3, 2, 0.8, 0}},
    {"M/G/1 gamma cv2 4", {0.8, 1, -1, GAMMA(2), 200000}, {11, 10, 0.8, 0}},
    {"M/G/1 lognormal cv2 4", {0.8, 1, -1, LOGNORMAL(2), 400000}, {11, 10, 0.8, 0}},
};

Test(closed_forms, one_station)
{
    for (size_t i = 0; i < sizeof stations / sizeof *stations; i++) {
        struct experiment x = {.model = open_queue, .setting = &stations[i].q, .seed = 20240 + i};

        experiment_run(&x);
        for (int k = 0; k < MAX_FIGURES; k++)
            if (stations[i].truth[k] != 0)
                expect_figure(&x, stations[i].name, k, stations[i].truth[k], k == P99 ? 0.004 : 1e-6);
    }
}

/* ------------------------------------------------------ processor sharing */

enum { LITTLE = 0, BIG = 1, JOBS = 2, BUSY = 3 };

struct shared_server {
    double rate_per_s;
    long cores;
    const double *speed;
    double link_cap; /* > 0: a link of capacity 1 with this cap, instead of cores */
    bool two_sizes;  /* 0.5 and 3 with chances .8 and .2; else exponential */
    long jobs;
};

struct shared_run {
    const struct shared_server *s;
    struct cores *cores;
    struct link *link;
    struct rng rng;
    double *arrived_s;
    bool *big;
    long first;
    struct tally slowdown[2];
};

static void shared_done(struct sim *sim, void *self, uint64_t job)
{
    struct shared_run *run = self;
    bool big = run->big[job];

    if ((long)job >= run->first)
        tally_add(&run->slowdown[big], (sim->now - run->arrived_s[job]) / (big ? 3 : 0.5));
}

static void shared_arrival(struct sim *sim, void *self, uint64_t job)
{
    struct shared_run *run = self;
    double size;

    if ((long)job == run->first) {
        if (run->link != NULL)
            link_begin_measuring(run->link);
        else
            cores_begin_measuring(run->cores);
    }
    if ((long)job == run->first + run->s->jobs) {
        sim_stop(sim);
        return;
    }
    run->arrived_s[job] = sim->now;
    run->big[job] = rng_uniform(&run->rng) < 0.2;
    size = run->s->two_sizes ? (run->big[job] ? 3 : 0.5) : rng_exponential(&run->rng);
    if (run->link != NULL)
        link_send(run->link, size, shared_done, run, job);
    else
        cores_use(run->cores, size, shared_done, run, job);
    sim_after(sim, rng_exponential(&run->rng) / run->s->rate_per_s, shared_arrival, run, job + 1);
}

static void shared_server(struct sim *sim, const void *setting, double figure[MAX_FIGURES])
{
    const struct shared_server *s = setting;
    struct shared_run run = {.s = s, .first = s->jobs / 10};

    if (s->link_cap > 0)
        run.link = link_new(sim, "link", 1, s->link_cap);
    else
        run.cores = cores_new(sim, "cores", s->cores, s->speed);
    run.arrived_s = arena_array(sim->arena, (size_t)(run.first + s->jobs), sizeof(double));
    run.big = arena_array(sim->arena, (size_t)(run.first + s->jobs), sizeof(bool));
    rng_stream(&run.rng, sim->seed, sim->replication, "all");
    sim_at(sim, 0, PRIO_NORMAL, shared_arrival, &run, 0);
    sim_run(sim, INFINITY);
    figure[LITTLE] = run.slowdown[0].mean;
    figure[BIG] = run.slowdown[1].mean;
    if (run.link != NULL) {
        figure[JOBS] = link_stats(run.link).flows_mean;
        figure[BUSY] = link_stats(run.link).utilization;
    } else {
        figure[JOBS] = cores_stats(run.cores).jobs_mean;
        figure[BUSY] = cores_stats(run.cores).busy_mean;
    }
}

static const double slower_together[] = {1, 0.75};

/*
 * With exponential sizes sharing is a birth-death process, whatever the order
 * of service: M/M/4 has L = 4 rho + lambda Wq; two cores at speed .75 have
 * death rates 1, 1.5, 1.5 ... and L = 2.25, busy 1.25 at lambda 1; the capped link has
 * death rates .5, 1, 1 ... and L = 40 / 9 at lambda .8.
 */
static const struct {
    const char *name;
    struct shared_server s;
    double truth[MAX_FIGURES];
} shared[] = {
    {"M/G/1-PS rho .8, E[T|x] / x", {0.8, 1, NULL, 0, true, 150000}, {5, 5, 4, 0.8}},
    {"M/M/4-PS rho .8", {3.2, 4, NULL, 0, false, 100000}, {0, 0, 3.2 + 3.2 * 0.745541, 3.2}},
    {"M/M/2-PS, cores that slow each other", {1, 2, slower_together, 0, false, 100000}, {0, 0, 2.25, 1.25}},
    {"M/M/1-PS link with flow cap", {0.8, 0, NULL, 0.5, false, 100000}, {0, 0, 40.0 / 9, 0.8}},
};

Test(closed_forms, processor_sharing)
{
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
        struct experiment x = {.model = shared_server, .setting = &shared[i].s, .seed = 777 + i};

        experiment_run(&x);
        for (int k = 0; k < MAX_FIGURES; k++)
            if (shared[i].truth[k] != 0)
                expect_figure(&x, shared[i].name, k, shared[i].truth[k], 1e-6);
    }
}

/* ----------------------------------------------------- a buffer that blocks */

struct chain {
    struct buffer *buffer;
    struct rng make, use;
    double make_s;
    long taken;
};

static void made(struct sim *sim, void *self, uint64_t arg);

static void make_next(struct sim *sim, void *self, uint64_t arg)
{
    struct chain *c = self;

    (void)arg;
    sim_after(sim, c->make_s * rng_exponential(&c->make), made, c, 0);
}

static void made(struct sim *sim, void *self, uint64_t arg)
{
    struct chain *c = self;

    if (buffer_put(c->buffer, c, make_next, c, 0))
        make_next(sim, c, arg);
}

static void used(struct sim *sim, void *self, uint64_t arg);

static void use_next(struct sim *sim, void *self, uint64_t arg)
{
    struct chain *c = self;

    (void)arg;
    sim_after(sim, rng_exponential(&c->use), used, c, 0);
}

static void used(struct sim *sim, void *self, uint64_t arg)
{
    struct chain *c = self;

    if (buffer_get(c->buffer, use_next, c) != NULL)
        use_next(sim, c, arg);
}

static void producer_consumer(struct sim *sim, const void *setting, double figure[MAX_FIGURES])
{
    const double *places_and_make_s = setting;
    struct chain c = {.make_s = places_and_make_s[1]};
    struct buffer_stats s;

    c.buffer = buffer_new(sim, "between", (long)places_and_make_s[0]);
    rng_stream(&c.make, sim->seed, sim->replication, "make");
    rng_stream(&c.use, sim->seed, sim->replication, "use");
    make_next(sim, &c, 0);
    used(sim, &c, 0);
    sim_run(sim, 1000);
    buffer_begin_measuring(c.buffer);
    sim_run(sim, 21000);
    s = buffer_stats(c.buffer);
    figure[0] = (double)s.passed / 20000;
    figure[1] = s.length_mean;
    figure[2] = s.putters_mean;
    figure[3] = s.takers_mean;
}

/*
 * What has been made and not been used up is a birth-death process on 0 .. K + 2: one in use, K in the
 * buffer, one held by the blocked maker.  With rho = use / make time, p_n is proportional to rho^n.
 */
Test(closed_forms, a_buffer_blocks_both_ways)
{
    static const double settings[][2] = {{3, 1}, {0, 1.25}, {8, 0.8}};

    for (size_t i = 0; i < 3; i++) {
        struct experiment x = {.model = producer_consumer, .setting = settings[i], .seed = 31 + i};
        int places = (int)settings[i][0], top = places + 2;
        double rho = 1 / settings[i][1], p[16], sum = 0, length = 0;

        for (int n = 0; n <= top; n++)
            sum += p[n] = pow(rho, n);
        for (int n = 2; n <= top; n++)
            length += p[n] / sum * fmin(n - 1, places);
        experiment_run(&x);
        expect_figure(&x, "throughput", 0, 1 - p[0] / sum, 0);
        if (places > 0)
            expect_figure(&x, "items in the buffer", 1, length, 0);
        expect_figure(&x, "maker blocked", 2, p[top] / sum, 0);
        expect_figure(&x, "user starved", 3, p[0] / sum, 0);
    }
}

/* --------------------------------------------------------- small networks */

struct network {
    struct station *station[3];
    struct rng rng;
    double mean_s[3], think_s;
    long open, done; /* items inside, items through since measuring began */
    struct level inside;
};

static void jackson_step(struct sim *sim, void *self, uint64_t from)
{
    struct network *w = self;

    if (from == 0 && rng_uniform(&w->rng) >= 0.6) { /* A lets four of ten leave, B sends all back */
        level_set(&w->inside, sim->now, (double)--w->open);
        w->done++;
        return;
    }
    station_enter(w->station[1 - from], w->mean_s[1 - from] * rng_exponential(&w->rng), jackson_step, w,
                  1 - from);
}

static void jackson_arrival(struct sim *sim, void *self, uint64_t arg)
{
    struct network *w = self;

    level_set(&w->inside, sim->now, (double)++w->open);
    station_enter(w->station[0], w->mean_s[0] * rng_exponential(&w->rng), jackson_step, w, 0);
    sim_after(sim, rng_exponential(&w->rng), jackson_arrival, w, arg);
}

static void jackson(struct sim *sim, const void *setting, double figure[MAX_FIGURES])
{
    struct network w = {.mean_s = {1.0 / 4, 1.0 / 3}};

    (void)setting;
    for (int i = 0; i < 2; i++)
        w.station[i] = station_new(sim, i ? "B" : "A", 1, -1);
    rng_stream(&w.rng, sim->seed, sim->replication, "all");
    sim_after(sim, 0, jackson_arrival, &w, 0);
    sim_run(sim, 1000);
    for (int i = 0; i < 2; i++)
        station_begin_measuring(w.station[i]);
    level_start(&w.inside, sim->now, (double)w.open);
    w.done = 0;
    sim_run(sim, 31000);
    for (int i = 0; i < 2; i++) {
        struct station_stats s = station_stats(w.station[i]);

        figure[i] = s.busy_mean + s.queue_mean;
    }
    figure[2] = level_area(&w.inside, sim->now) / (double)w.done;
}

Test(closed_forms, jackson_network)
{
    struct experiment x = {.model = jackson, .seed = 5};

    experiment_run(&x);
    expect_figure(&x, "L of A", 0, 5.0 / 3, 0);
    expect_figure(&x, "L of B", 1, 1, 0);
    expect_figure(&x, "W", 2, 8.0 / 3, 1e-3); /* items that were inside at both ends count differently */
}

static void closed_step(struct sim *sim, void *self, uint64_t next)
{
    struct network *w = self;

    if (next == 3) {
        w->done++;
        sim_after(sim, w->think_s * rng_exponential(&w->rng), closed_step, w, 0);
        return;
    }
    station_enter(w->station[next], w->mean_s[next] * rng_exponential(&w->rng), closed_step, w, next + 1);
}

static void closed(struct sim *sim, const void *setting, double figure[MAX_FIGURES])
{
    struct network w = {.mean_s = {1, 0.5, 0.25}, .think_s = 5};
    double inside = 0;

    for (int i = 0; i < 3; i++)
        w.station[i] = station_new(sim, "station", 1, -1);
    rng_stream(&w.rng, sim->seed, sim->replication, "all");
    for (int i = 0; i < *(const int *)setting; i++)
        sim_after(sim, 0, closed_step, &w, 0);
    sim_run(sim, 1000);
    for (int i = 0; i < 3; i++)
        station_begin_measuring(w.station[i]);
    w.done = 0;
    sim_run(sim, 21000);
    for (int i = 0; i < 3; i++) {
        struct station_stats s = station_stats(w.station[i]);

        inside += s.busy_mean + s.queue_mean;
    }
    figure[0] = (double)w.done / 20000;
    figure[1] = inside / figure[0];
}

Test(closed_forms, closed_network)
{
    static const int people[] = {5, 20};
    static const double truth[][2] = {{0.641946, 2.788821}, {0.999895, 15.002108}};

    for (size_t i = 0; i < 2; i++) {
        struct experiment x = {.model = closed, .setting = &people[i], .seed = 91 + i};

        experiment_run(&x);
        expect_figure(&x, "X of the closed network", 0, truth[i][0], 1e-6);
        expect_figure(&x, "R of the closed network", 1, truth[i][1], 1e-6);
    }
}

struct fork {
    struct station *station[2];
    struct joins *joins;
    struct rng rng;
    long jobs, first;
};

static void joined(struct sim *sim, void *self, uint64_t job)
{
    (void)sim;
    (void)self;
    (void)job;
}

static void forked(struct sim *sim, void *self, uint64_t job)
{
    struct fork *f = self;
    struct join *parts;

    if ((long)job == f->jobs) {
        sim_stop(sim);
        return;
    }
    if ((long)job == f->first)
        joins_begin_measuring(f->joins);
    parts = join_open(f->joins, 2, joined, NULL, 0);
    for (int i = 0; i < 2; i++)
        station_enter(f->station[i], rng_exponential(&f->rng), join_arrive, parts, 0);
    sim_after(sim, rng_exponential(&f->rng) / 0.8, forked, f, job + 1);
}

static void fork_join(struct sim *sim, const void *setting, double figure[MAX_FIGURES])
{
    struct fork f = {.jobs = 110000, .first = 10000};

    (void)setting;
    for (int i = 0; i < 2; i++)
        f.station[i] = station_new(sim, "branch", 1, -1);
    f.joins = joins_new(sim, "both branches");
    rng_stream(&f.rng, sim->seed, sim->replication, "all");
    sim_after(sim, 0, forked, &f, 0);
    sim_run(sim, INFINITY);
    figure[0] = joins_stats(f.joins).sojourn_s.mean;
}

Test(closed_forms, fork_join)
{
    struct experiment x = {.model = fork_join, .seed = 6};

    experiment_run(&x);
    expect_figure(&x, "W of two M/M/1 that join", 0, 7, 1e-3);
}
