#include "engine/rng.h"
#include "theory.h"

#include <math.h>
#include <stdio.h>

/*
 * Small networks drawn from a seed, of the kinds whose means are known exactly (Baskett, Chandy, Muntz and
 * Palacios 1975): first-come first-served servers with exponential times, and cores shared equally among the
 * jobs present, whatever the law of their work.  With Poisson arrivals each station is M/M/c by itself; with
 * clients that think, mean value analysis is exact.  Every network must also obey the two laws that need no
 * assumption: Little's, and the utilization law.
 */

enum { STAGES = 4, REPLICATIONS = 10 };
#define LOGNORMAL_CV 2

struct station_design {
    bool shared; /* cores: everyone progresses at once */
    int count, law;
    double mean_ms;
};

struct network {
    uint64_t seed;          /* of its own, or all would share the luck of one stream of arrivals */
    int stages, clients;    /* clients 0: open */
    double arrivals_per_ms; /* open */
    double think_ms;
    int think_law;
    bool one_resource; /* every stage asks the first one's servers */
    struct station_design stage[STAGES];
};

struct trial {
    char *text;
    struct experiment x;
    int figures;
    double worst; /* largest |z| of a figure so far */
};

/* ---------------------------------------------------------------------------------------- scenarios */

static double drawn_between(struct rng *r, double least, double most)
{
    return least + (most - least) * rng_uniform(r);
}

static uint64_t drawn_seed(struct rng *r)
{
    return 1 + rng_below(r, 1000000);
}

/* Exponential times unless the station shares; `visits` units of load for each arrival. */
static struct station_design drawn_station(struct rng *r, const struct network *w, bool shared, int visits)
{
    struct station_design s = {.shared = shared, .law = EXPONENTIAL_LAW};

    s.count = 1 + (int)rng_below(r, shared ? 3 : 4);
    if (shared)
        s.law = (int)rng_below(r, DRAWN_LAWS);
    s.mean_ms = drawn_between(r, 0.3, 0.85) * s.count / (visits * w->arrivals_per_ms);
    return s;
}

static char *network_text(const struct network *w)
{
    struct text t = {0};
    char *s;

    text_printf(&t, "{\"name\": \"network\", \"seed\": %d, \"workload\": ", (int)w->seed);
    if (w->clients > 0) {
        text_printf(&t, "{\"clients\": {\"count\": %d, \"think\": ", w->clients);
        text_law(&t, w->think_law, w->think_ms, LOGNORMAL_CV);
        text_add(&t, "}}, \"resources\": {");
    } else {
        text_printf(&t, "{\"open\": {\"arrivals\": {\"exponential\": \"%.9gms\"}}}, \"resources\": {",
                    1 / w->arrivals_per_ms);
    }
    for (int i = 0; i < (w->one_resource ? 1 : w->stages); i++)
        text_printf(&t, "%s\"r%d\": {\"kind\": \"%s\", \"count\": %d}", i ? ", " : "", i,
                    w->stage[i].shared ? "cores" : "servers", w->stage[i].count);
    text_add(&t, "}, \"stages\": [");
    for (int i = 0; i < w->stages; i++) {
        text_printf(&t,
                    "%s{\"name\": \"s%d\", \"model\": \"station\", \"on\": {\"servers\": \"r%d\"}, "
                    "\"params\": {\"service\": ",
                    i ? ", " : "", i, w->one_resource ? 0 : i);
        text_law(&t, w->stage[i].law, w->stage[i].mean_ms, LOGNORMAL_CV);
        text_add(&t, "}}");
    }
    text_add(&t, "]}");
    s = xstrdup(t.s);
    text_free(&t);
    return s;
}

static struct trial trial(const struct network *w)
{
    struct trial t = {.text = network_text(w)};

    t.x = experiment(t.text, REPLICATIONS);
    return t;
}

static void trial_end(struct trial *t)
{
    cr_log_info("%d figures, largest |z| %.2f: %s", t->figures, t->worst, t->text);
    experiment_end(&t->x);
    free(t->text);
}

/* ------------------------------------------------------------------------------------------ figures */

/* The standard normal |z| that is as unlikely as Student's t with `n` degrees of freedom (Wallace 1959):
 * a dozen replications stray further than 4 standard errors far too often. */
static double normal_of_student(double t, double n)
{
    return (8 * n + 1) / (8 * n + 3) * sqrt(n * log1p(t * t / n));
}

static void expect_figure(struct trial *t, const char *what, int stage, const struct estimate *e,
                          double truth)
{
    double se = standard_error(e), z = normal_of_student((e->mean - truth) / se, (double)e->n - 1);

    cr_expect(se < 0.03 * truth, "%s %d: too noisy to mean anything: %g +- %g\n%s", what, stage, e->mean, se,
              t->text);
    cr_expect(z < 4, "%s %d: %.6g +- %.2g, theory says %.6g (z = %.1f)\n%s", what, stage, e->mean, se, truth,
              z, t->text);
    t->figures++;
    t->worst = fmax(t->worst, z);
}

/*
 * a = b c holds in each replication, up to those inside when measuring began and ended: one in ten thousand.
 * Of means over replications it holds up to the covariance of b and c, which is at most sd(b) sd(c).
 */
static void expect_product(const struct trial *t, const char *law, int i, double a, const struct estimate *b,
                           const struct estimate *c, double scale)
{
    double covariance = (double)b->n * standard_error(b) * standard_error(c) * scale;
    double product = b->mean * c->mean * scale;

    cr_expect(fabs(a - product) <= covariance + 1e-3 * product, "%s at %d: %.7g is not %.7g +- %.2g\n%s", law,
              i, a, product, covariance, t->text);
}

static void expect_laws(const struct trial *t, const struct network *w)
{
    const struct outcome *o = &t->x.o;
    const struct estimate *latency = &o->latency_s[LATENCY_MEAN];
    double inside = 0, busy = 0;

    for (int i = 0; i < o->stages_n; i++) {
        const struct outcome_stage *s = &o->stages[i];
        const struct outcome_resource *r = &o->resources[w->one_resource ? 0 : i];

        expect_product(t, "Little's law", i, s->queue_mean.mean, &s->throughput_per_s, &s->wait_s, 1);
        expect_product(t, "utilization law", i, s->utilization.mean, &s->throughput_per_s, &s->service_s,
                       1.0 / w->stage[i].count);
        inside += s->queue_mean.mean + s->utilization.mean * w->stage[i].count;
        busy = (w->one_resource ? busy : 0) + s->utilization.mean;
        if (!w->one_resource || i + 1 == o->stages_n)
            cr_expect_float_eq(r->utilization.mean, busy, 1e-3 * busy, "%s is %g busy, its stages %g\n%s",
                               r->name, r->utilization.mean, busy, t->text);
    }
    expect_product(t, "Little's law of the whole", -1, inside, &o->throughput_per_s, latency, 1);
}

/* Open: each station is M/M/c under `visits` times the arrivals; cores need the same time as servers. */
static void expect_open(const struct network *w, int visits)
{
    struct trial t = trial(w);
    const struct outcome *o = &t.x.o;
    double latency_ms = 0, rate = visits * w->arrivals_per_ms;

    for (int i = 0; i < w->stages; i++) {
        const struct station_design *s = &w->stage[i];
        double wait_ms = mmc_wait(s->count, rate, s->mean_ms);

        if (!w->one_resource || i == 0)
            expect_figure(&t, "resource busy", i, &o->resources[i].utilization, rate * s->mean_ms / s->count);
        expect_figure(&t, "busy", i, &o->stages[i].utilization, w->arrivals_per_ms * s->mean_ms / s->count);
        expect_figure(&t, "wait", i, &o->stages[i].wait_s, wait_ms / 1000);
        latency_ms += wait_ms + s->mean_ms;
    }
    expect_figure(&t, "latency", -1, &o->latency_s[LATENCY_MEAN], latency_ms / 1000);
    expect_figure(&t, "throughput", -1, &o->throughput_per_s, 1000 * w->arrivals_per_ms);
    expect_laws(&t, w);
    trial_end(&t);
}

/* -------------------------------------------------------------------------------------------- tests */

Test(random_networks, tandems_of_servers_wait_as_jackson_says)
{
    struct rng r;

    rng_stream(&r, 1, 0, "networks");
    for (int i = 0; i < 5; i++) {
        struct network w = {
            .stages = 1 + i % STAGES, .seed = drawn_seed(&r), .arrivals_per_ms = drawn_between(&r, 0.02, 2)};

        for (int k = 0; k < w.stages; k++)
            w.stage[k] = drawn_station(&r, &w, false, 1);
        expect_open(&w, 1);
    }
}

/* Both visits are of the same law, so that the servers need not know who comes for the second time. */
Test(random_networks, two_visits_to_the_same_servers_wait_under_the_load_of_both)
{
    struct rng r;

    rng_stream(&r, 2, 0, "networks");
    for (int i = 0; i < 3; i++) {
        struct network w = {.stages = 2,
                            .one_resource = true,
                            .seed = drawn_seed(&r),
                            .arrivals_per_ms = drawn_between(&r, 0.02, 2)};

        w.stage[0] = w.stage[1] = drawn_station(&r, &w, false, 2);
        expect_open(&w, 2);
    }
}

/* M/G/1-PS: S / (1 - rho); with more cores as many are inside as in M/M/c, whatever the law. */
Test(random_networks, shared_cores_feel_the_mean_of_the_work_and_not_its_law)
{
    struct rng r;

    rng_stream(&r, 3, 0, "networks");
    for (int i = 0; i < 6; i++) {
        struct network w = {
            .stages = 1, .seed = drawn_seed(&r), .arrivals_per_ms = drawn_between(&r, 0.02, 2)};
        struct station_design *s = &w.stage[0];

        *s = drawn_station(&r, &w, true, 1);
        if (i < 3) { /* each uneven law on one core */
            s->mean_ms /= s->count;
            s->count = 1;
            s->law = i + 1;
            cr_assert_float_eq(s->mean_ms + mmc_wait(1, w.arrivals_per_ms, s->mean_ms),
                               s->mean_ms / (1 - w.arrivals_per_ms * s->mean_ms), 1e-9 * s->mean_ms);
        }
        expect_open(&w, 1);
    }
}

Test(random_networks, servers_and_cores_in_one_tandem_do_not_disturb_each_other)
{
    struct network w;
    struct rng r;

    rng_stream(&r, 4, 0, "networks");
    w = (struct network){.seed = drawn_seed(&r), .stages = 3, .arrivals_per_ms = drawn_between(&r, 0.02, 2)};
    for (int k = 0; k < w.stages; k++)
        w.stage[k] = drawn_station(&r, &w, k != 1, 1);
    expect_open(&w, 1);
}

/* One server or one core each: then mean value analysis is exact, and the law of thinking is of no account.
 */
static struct network drawn_clients(struct rng *r, int stages)
{
    struct network w = {.seed = drawn_seed(r),
                        .stages = stages,
                        .clients = 1 + (int)rng_below(r, 15),
                        .think_ms = drawn_between(r, 1, 60),
                        .think_law = (int)rng_below(r, DRAWN_LAWS)};

    for (int k = 0; k < w.stages; k++) {
        w.stage[k] = (struct station_design){
            .shared = rng_below(r, 3) == 0, .count = 1, .mean_ms = drawn_between(r, 1, 15)};
        w.stage[k].law = w.stage[k].shared ? (int)rng_below(r, DRAWN_LAWS) : EXPONENTIAL_LAW;
    }
    return w;
}

Test(random_networks, clients_are_served_as_mean_value_analysis_says)
{
    struct rng r;

    rng_stream(&r, 5, 0, "networks");
    for (int i = 0; i < 5; i++) {
        struct network w = drawn_clients(&r, 1 + i % 3);
        struct trial t = trial(&w);
        double demand[STAGES], x = 0, latency_ms = 0;

        for (int k = 0; k < w.stages; k++)
            demand[k] = w.stage[k].mean_ms;
        mva(w.clients, w.think_ms, demand, w.stages, &x, &latency_ms);
        expect_figure(&t, "throughput", -1, &t.x.o.throughput_per_s, 1000 * x);
        expect_figure(&t, "latency", -1, &t.x.o.latency_s[LATENCY_MEAN], latency_ms / 1000);
        for (int k = 0; k < w.stages; k++)
            expect_figure(&t, "busy", k, &t.x.o.resources[k].utilization, x * demand[k]);
        expect_laws(&t, &w);
        trial_end(&t);
    }
}
