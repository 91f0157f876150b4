/*
 * coverage.c - do 95 % intervals hold the truth 95 times in 100?
 *
 *   coverage [RUNS]      default: few enough for `make check`; `make soak` asks for 1000
 *
 * Each run is a whole study of M/M/1 at rho .8: ten replications, their Student
 * interval of the mean time in the system, of its p99 read from histograms, of
 * the paired difference to a server a tenth faster; batch means of one long
 * run; and sequential stopping at 5 %.  The gate is exact: it fails when so
 * few (or so many) intervals that cover would come with a chance below 1e-4
 * if the true coverage were within the limits written beside each figure.
 */
#include "engine/output.h"
#include "engine/rng.h"
#include "engine/station.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEW = 60, REPLICATIONS = 10, JOBS = 30000, SHORT_JOBS = 3000, WARMUP = 1000, MOST = 400 };
enum { MEAN, P99, PAIRED, BATCHES, SEQUENTIAL, FIGURES };

static const struct {
    const char *name;
    double truth, least, most; /* coverage */
} figures[FIGURES] = {
    [MEAN] = {"mean over replications", 5, 0.93, 0.97},
    [P99] = {"p99 over replications", 23.02585092994046, 0.93, 0.97},
    [PAIRED] = {"paired difference", 5 - 0.9 / (1 - 0.72), 0.93, 0.97},
    [BATCHES] = {"batch means that do not complain", 5, 0.90, 0.97},
    [SEQUENTIAL] = {"stopped at a half-width of 5 %", 5, 0.90, 0.97},
};

struct queue {
    struct station *desk;
    struct rng arrivals, services;
    double speed, *arrived_s, *sojourn_s;
    long jobs;
    struct tally sojourn;
    struct hist *hist;
};

static void left(struct sim *sim, void *self, uint64_t job)
{
    struct queue *q = self;
    double sojourn_s = sim->now - q->arrived_s[job];

    if (job < WARMUP)
        return;
    tally_add(&q->sojourn, sojourn_s);
    hist_add(q->hist, sojourn_s);
    if (q->sojourn_s != NULL)
        q->sojourn_s[job - WARMUP] = sojourn_s;
}

static void arrive(struct sim *sim, void *self, uint64_t job)
{
    struct queue *q = self;

    q->arrived_s[job] = sim->now;
    station_enter(q->desk, rng_exponential(&q->services) / q->speed, left, q, job);
    if ((long)job + 1 < q->jobs + WARMUP)
        sim_after(sim, rng_exponential(&q->arrivals) / 0.8, arrive, q, job + 1);
}

/* One replication: the mean, and where asked for the p99 and every observation. */
static double simulate(uint64_t seed, uint32_t replication, long jobs, double speed, double *p99, double *all)
{
    struct sim *sim = sim_new(seed, replication);
    struct queue q = {.speed = speed, .jobs = jobs, .hist = hist_new(), .sojourn_s = all};

    q.desk = station_new(sim, "desk", 1, -1);
    q.arrived_s = arena_array(sim->arena, (size_t)(jobs + WARMUP), sizeof(double));
    rng_stream(&q.arrivals, seed, replication, "arrivals");
    rng_stream(&q.services, seed, replication, "services");
    sim_after(sim, 0, arrive, &q, 0);
    sim_run(sim, INFINITY);
    if (p99 != NULL)
        *p99 = hist_quantile(q.hist, 0.99);
    hist_free(q.hist);
    sim_free(sim);
    return q.sojourn.mean;
}

enum verdict { OUTSIDE, INSIDE, SILENT };

struct results {
    unsigned char (*verdict)[FIGURES];
    double *stopped_at; /* replications */
};

static unsigned char covers(const struct estimate *e, double truth)
{
    return e->lo <= truth && truth <= e->hi ? INSIDE : OUTSIDE;
}

static double stop_when_precise(uint64_t seed, unsigned char *verdict)
{
    double x[MOST];
    uint32_t n = 0, next = 8;

    for (;;) {
        struct estimate e;

        for (; n < next; n++)
            x[n] = simulate(seed, 1000 + n, SHORT_JOBS, 1, NULL, NULL);
        e = estimate_student(x, n, 0.95);
        next = n + n / 2 + 1 < MOST ? n + n / 2 + 1 : MOST; /* as output_replicate() asks */
        if (output_precise(&e, 0.05) || n == MOST) {
            *verdict = covers(&e, figures[SEQUENTIAL].truth);
            return n;
        }
    }
}

static int one_run(void *ctx, uint32_t run, struct err *err)
{
    struct results *out = ctx;
    double mean[REPLICATIONS], p99[REPLICATIONS], faster[REPLICATIONS];
    double *all = xcalloc(JOBS, sizeof *all);
    uint64_t seed = 77 + run;
    struct estimate e;
    struct batches b;

    (void)err;
    for (uint32_t r = 0; r < REPLICATIONS; r++) {
        mean[r] = simulate(seed, r, JOBS, 1, &p99[r], r == 0 ? all : NULL);
        faster[r] = simulate(seed, r, JOBS, 1 / 0.9, NULL, NULL);
    }
    e = estimate_student(mean, REPLICATIONS, 0.95);
    out->verdict[run][MEAN] = covers(&e, figures[MEAN].truth);
    e = output_widen(estimate_student(p99, REPLICATIONS, 0.95), 0.004);
    out->verdict[run][P99] = covers(&e, figures[P99].truth);
    e = estimate_difference(mean, faster, REPLICATIONS, 0.95);
    out->verdict[run][PAIRED] = covers(&e, figures[PAIRED].truth);
    b = output_batch_means(all, JOBS, 0.95);
    out->verdict[run][BATCHES] = b.correlated ? SILENT : covers(&b.estimate, figures[BATCHES].truth);
    out->stopped_at[run] = stop_when_precise(seed, &out->verdict[run][SEQUENTIAL]);
    free(all);
    return 0;
}

/* How improbable what was seen is at the nearer limit of what is allowed. */
static bool passes(int figure, unsigned inside, unsigned n)
{
    double low = gsl_cdf_binomial_P(inside, figures[figure].least, n);
    double high = inside > 0 ? gsl_cdf_binomial_Q(inside - 1, figures[figure].most, n) : 1;

    return low >= 1e-4 && high >= 1e-4;
}

int main(int argc, char **argv)
{
    uint32_t runs = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : FEW;
    struct results out = {xcalloc(runs, sizeof *out.verdict), xcalloc(runs, sizeof *out.stopped_at)};
    struct tally stopped = {0};
    struct err err = {0};
    bool fine = runs > 0 && replicate_run(0, runs, 0, one_run, &out, &err) == 0;

    for (int k = 0; k < FIGURES; k++) {
        unsigned inside = 0, n = 0;

        for (uint32_t r = 0; r < runs; r++) {
            n += out.verdict[r][k] != SILENT;
            inside += out.verdict[r][k] == INSIDE;
        }
        printf("%-34s %5u of %5u cover (%.1f %%), allowed %.0f to %.0f %%%s\n", figures[k].name, inside, n,
               n ? 100.0 * inside / n : 0, 100 * figures[k].least, 100 * figures[k].most,
               passes(k, inside, n) ? "" : ": NOT POSSIBLE");
        fine = fine && n > runs / 2 && passes(k, inside, n);
    }
    for (uint32_t r = 0; r < runs; r++)
        tally_add(&stopped, out.stopped_at[r]);
    printf("stopped after %.1f replications on average, %.0f to %.0f\n", stopped.mean, stopped.min,
           stopped.max);
    free(out.verdict);
    free(out.stopped_at);
    return fine ? 0 : 1;
}
