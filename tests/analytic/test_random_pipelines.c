#include "engine/rng.h"
#include "theory.h"

#include <math.h>
#include <stdio.h>

/*
 * Small pipelines drawn from a seed.  Whatever they look like: none beats its bound, every stage passes what
 * the pipeline delivers, and the number of threads changes nothing.  Where every stage has its own resource,
 * theory promises more: a chain of first-come first-served stages with blocking never gets slower by one more
 * worker, room, item in flight, or a shorter time (Shanthikumar and Yao 1989).  Shared resources promise
 * nothing of the kind: a faster stage may take the cores away from the one that decides.
 */

enum { STAGES = 4 };
#define LOGNORMAL_CV 1.5

struct design_stage {
    bool station;
    int workers, batch, buffer, law;
    double mean_ms, disk_kb, per_batch_ms;
};

struct design {
    int stages, cores; /* cores 0: each stage has its own */
    int in_flight, clients;
    double arrivals_s; /* 0: not open */
    struct design_stage stage[STAGES];
};

static struct design draw_design(struct rng *r, bool shared)
{
    struct design d = {.stages = 1 + (int)rng_below(r, STAGES),
                       .cores = shared ? 1 + (int)rng_below(r, 3) : 0};
    bool window = rng_below(r, 2) == 0;

    d.in_flight = window ? 1 + (int)rng_below(r, 12) : 0;
    if (shared && window && rng_below(r, 8) == 0) {
        d.clients = d.in_flight;
        d.in_flight = 0;
    }
    for (int i = 0; i < d.stages; i++) {
        struct design_stage *s = &d.stage[i];

        s->station = window && rng_below(r, 4) == 0;
        s->workers = 1 + (int)rng_below(r, 3);
        s->buffer = (int)rng_below(r, 5);
        s->law = (int)rng_below(r, DRAWN_LAWS);
        s->mean_ms = 1 + 19 * rng_uniform(r);
        s->batch = shared && !window ? (int)rng_below(r, 7) : 0; /* in a window a batch might never fill */
        s->disk_kb = shared && rng_below(r, 3) == 0 ? 200 * rng_uniform(r) : 0;
        s->per_batch_ms = shared && rng_below(r, 3) == 0 ? 20 * rng_uniform(r) : 0;
    }
    return d;
}

static void write_stage(struct text *t, const struct design *d, int i)
{
    const struct design_stage *s = &d->stage[i];

    text_printf(t, "%s{\"name\": \"s%d\", \"model\": \"%s\", \"on\": {", i ? ", " : "", i,
                s->station ? "station" : "operators");
    if (s->station) {
        text_printf(t, "\"servers\": \"pool%d\"}, \"params\": {\"service\": ", i);
        text_law(t, s->law, s->mean_ms, LOGNORMAL_CV);
        text_add(t, "}}");
        return;
    }
    text_printf(
        t, "\"cpu\": \"%s%d\", \"disk\": \"disk\"}, \"params\": {\"workers\": %d, \"batch\": %d, \"ops\": [",
        d->cores ? "host" : "own", d->cores ? 0 : i, s->workers, s->batch);
    if (s->disk_kb > 0)
        text_printf(t, "{\"name\": \"read\", \"disk_bytes\": \"%.6gkB\"}, ", s->disk_kb);
    if (s->per_batch_ms > 0)
        text_printf(t, "{\"name\": \"each\", \"per_batch\": true, \"cpu\": \"%.6gms\"}, ", s->per_batch_ms);
    text_add(t, "{\"name\": \"work\", \"cpu\": ");
    text_law(t, s->law, s->mean_ms, LOGNORMAL_CV);
    text_add(t, "}]}}");
}

static char *write_design(const struct design *d)
{
    struct text t = {0};
    char *s;

    text_add(&t, "{\"name\": \"random\", \"workload\": ");
    if (d->arrivals_s > 0)
        text_printf(&t, "{\"open\": {\"arrivals\": {\"exponential\": \"%.9gs\"}}}", d->arrivals_s);
    else if (d->clients > 0)
        text_printf(&t, "{\"clients\": {\"count\": %d, \"think\": {\"exponential\": \"5ms\"}}}", d->clients);
    else if (d->in_flight > 0)
        text_printf(&t, "{\"closed\": {\"in_flight\": %d}}", d->in_flight);
    else
        text_add(&t, "{\"closed\": {\"in_flight\": \"max\"}}");
    text_printf(&t,
                ", \"resources\": {\"disk\": {\"kind\": \"disk\", \"read_bw\": \"50MB/s\", \"iops\": 2000}, "
                "\"host0\": {\"kind\": \"cores\", \"count\": %d}",
                d->cores > 0 ? d->cores : 1);
    for (int i = 0; i < d->stages; i++)
        text_printf(&t,
                    ", \"own%d\": {\"kind\": \"cores\", \"count\": %d}, \"pool%d\": {\"kind\": \"servers\", "
                    "\"count\": %d}",
                    i, d->stage[i].workers, i, d->stage[i].workers);
    text_add(&t, "}, \"stages\": [");
    for (int i = 0; i < d->stages; i++)
        write_stage(&t, d, i);
    text_add(&t, "], \"edges\": [");
    for (int i = 1; i < d->stages; i++)
        text_printf(&t, "%s[\"s%d\", \"s%d\", {\"buffer\": %d}]", i > 1 ? ", " : "", i - 1, i,
                    d->stage[i].buffer);
    text_add(&t, "]}");
    s = xstrdup(t.s);
    text_free(&t);
    return s;
}

struct run {
    char *text;
    struct scenario *s;
    struct arena *a;
    struct outcome o;
};

static struct run run_design(const struct design *d, long replications, int threads)
{
    struct run x = {.text = write_design(d), .a = arena_new()};
    struct simulate_options opt = {.replications = replications, .threads = threads, .seed = 5};
    struct err err = {0};

    x.s = text_scenario(x.text);
    cr_assert_eq(simulate(x.s, &opt, x.a, &x.o, &err), 0, "%s\n%s", err.text, x.text);
    return x;
}

static void run_end(struct run *x)
{
    free(x->text);
    scenario_free(x->s);
    arena_free(x->a);
}

/* ------------------------------------------------------------------------------- whatever they are */

static void expect_sound(const struct run *x)
{
    double got = x->o.throughput_per_s.mean, se = standard_error(&x->o.throughput_per_s);

    cr_expect(got > 0 && got <= x->o.bound.throughput_per_s * (1 + 1e-9) + 4 * se + 0.002 * got,
              "%g +- %g above the bound %g:\n%s", got, se, x->o.bound.throughput_per_s, x->text);
    for (int i = 0; i < x->o.resources_n; i++)
        cr_expect(x->o.resources[i].utilization.mean <= 1 + 1e-9, "%s is %g busy:\n%s",
                  x->o.resources[i].name, x->o.resources[i].utilization.mean, x->text);
    for (int i = 0; i < x->o.stages_n; i++) {
        const struct outcome_stage *s = &x->o.stages[i];

        cr_expect(fabs(s->throughput_per_s.mean / got - 1) < 0.02, "%s passes %g of %g:\n%s", s->name,
                  s->throughput_per_s.mean, got, x->text);
        cr_expect(s->utilization.mean >= 0 && s->blocked.mean >= -1e-9 && s->starved.mean >= -1e-9, "%s",
                  x->text);
    }
}

Test(random_pipelines, none_beats_its_bound_and_every_stage_passes_what_is_delivered)
{
    struct rng r;

    rng_stream(&r, 1, 0, "designs");
    for (int i = 0; i < 60; i++) {
        struct design d = draw_design(&r, true);
        struct run x = run_design(&d, 4, 0);

        expect_sound(&x);
        run_end(&x);
    }
}

/* Little's law between what the latency says and what the load says, at seven tenths of the bound. */
Test(random_pipelines, below_their_bound_they_deliver_what_comes)
{
    struct rng r;

    rng_stream(&r, 2, 0, "designs");
    for (int i = 0; i < 6; i++) {
        struct design d = draw_design(&r, true);
        struct run x;
        double best;

        d.in_flight = d.clients = 0;
        for (int k = 0; k < d.stages; k++)
            d.stage[k] = (struct design_stage){.workers = d.stage[k].workers,
                                               .buffer = d.stage[k].buffer,
                                               .law = d.stage[k].law,
                                               .mean_ms = d.stage[k].mean_ms,
                                               .disk_kb = d.stage[k].disk_kb,
                                               .per_batch_ms = d.stage[k].per_batch_ms};
        x = run_design(&d, 2, 0);
        best = x.o.throughput_per_s.mean;
        run_end(&x);
        d.arrivals_s = 1 / (0.7 * best);
        x = run_design(&d, 2, 0);
        cr_expect_float_eq(x.o.throughput_per_s.mean, 0.7 * best, 0.01 * best, "%g of %g:\n%s",
                           x.o.throughput_per_s.mean, 0.7 * best, x.text);
        cr_expect(x.o.latency_s[LATENCY_MEAN].mean >= x.o.bound.latency_s * 0.98, "%g s, alone %g s:\n%s",
                  x.o.latency_s[LATENCY_MEAN].mean, x.o.bound.latency_s, x.text);
        run_end(&x);
    }
}

Test(random_pipelines, threads_and_repetition_change_no_byte)
{
    struct rng r;

    rng_stream(&r, 3, 0, "designs");
    for (int i = 0; i < 12; i++) {
        struct design d = draw_design(&r, i % 2 == 0);
        char *text[3];

        for (int k = 0; k < 3; k++) {
            struct run x = run_design(&d, 5, k == 1 ? 2 : 1);
            struct json *doc = outcome_json(&x.o);

            text[k] = json_text(doc);
            json_free(doc);
            run_end(&x);
        }
        cr_expect_str_eq(text[0], text[1], "two threads differ from one");
        cr_expect_str_eq(text[0], text[2], "a second run differs from the first");
        for (int k = 0; k < 3; k++)
            free(text[k]);
    }
}

/* ------------------------------------------------------------------------------- what more is worth */

static const char *improve(struct design *d, struct rng *r)
{
    struct design_stage *s = &d->stage[rng_below(r, (uint64_t)d->stages)];

    switch (rng_below(r, 4)) {
    case 0:
        s->workers++;
        return "one worker more";
    case 1:
        s->buffer += 2;
        return "more room";
    case 2:
        s->mean_ms *= 0.7;
        return "a shorter time";
    default:
        d->in_flight += d->in_flight > 0 ? 4 : 0;
        return "more in flight";
    }
}

Test(random_pipelines, more_of_anything_never_slows_a_chain_of_stages_of_their_own)
{
    enum { REPLICATIONS = 6 };
    struct rng r;

    rng_stream(&r, 4, 0, "designs");
    for (int i = 0; i < 60; i++) {
        struct design d = draw_design(&r, false), better = d;
        const char *what = improve(&better, &r);
        struct run x = run_design(&d, REPLICATIONS, 0), y = run_design(&better, REPLICATIONS, 0);
        struct estimate gain = estimate_ratio(y.o.objective_rep, x.o.objective_rep, REPLICATIONS, 0.95);

        expect_sound(&x);
        cr_expect(gain.mean + 4 * standard_error(&gain) > 0.998, "%s: %.4f +- %.4f times:\n%s\n%s", what,
                  gain.mean, standard_error(&gain), x.text, y.text);
        run_end(&x);
        run_end(&y);
    }
}

/* A stage that decides gains what it is sped up by, until another one does. */
Test(random_pipelines, doubling_everything_doubles_the_throughput)
{
    struct rng r;

    rng_stream(&r, 6, 0, "designs");
    for (int i = 0; i < 10; i++) {
        struct design d = draw_design(&r, false), fast = d;
        struct run x, y;

        for (int k = 0; k < d.stages; k++)
            fast.stage[k].mean_ms /= 2;
        x = run_design(&d, 2, 0);
        y = run_design(&fast, 2, 0);
        cr_expect_float_eq(y.o.throughput_per_s.mean / x.o.throughput_per_s.mean, 2, 1e-3, "%g and %g:\n%s",
                           x.o.throughput_per_s.mean, y.o.throughput_per_s.mean, x.text);
        run_end(&x);
        run_end(&y);
    }
}
