#include "tests/unit/tiny_host.h"

#include <stdio.h>

enum { REPS = 16, REQUESTS = 20000 };

/* Mean time in the system over independent runs. */
static struct tally times(const char *params, double rate, long gpus)
{
    struct tally means = {0};

    for (uint64_t s = 0; s < REPS; s++) {
        struct tiny t;

        tiny_begin(&t, "inference", params, s + 1);
        tiny_servers(&t, ROLE_GPU, gpus);
        tiny_open(&t);
        tiny_run(&t, REQUESTS, rate);
        tally_add(&means, t.time_s.mean);
        tiny_end(&t);
    }
    return means;
}

Test(inference, batches_of_one_are_m_d_1)
{
    struct tally w =
        times("{\"max_batch\": 1, \"tokens\": 100, \"fixed\": \"0.5s\", \"per_token\": \"5ms\"}", 0.8, 1);

    tiny_expect(&w, 1 + 2, 0, "M/D/1 rho .8: W = 1 + Wq, Wq = 2");
}

Test(inference, replicas_need_a_gpu_each)
{
    struct tally w = times("{\"max_batch\": 1, \"replicas\": 4, \"tokens\": 0, \"fixed\": \"1s\"}", 0.8, 1);

    tiny_expect(&w, 1 + 2, 0, "four replicas on one GPU are one server");
}

/*
 * The bulk queue: a free server takes up to K of those who wait.  The chain of the numbers left waiting
 * behind each departing batch gives the mean queue: per cycle, those left over wait through the whole next
 * batch, and those who come during it wait for half of it on average.
 */
static double bulk_queue(long k, double a, double b, double rate)
{
    enum { N = 400 };
    static double pi[N], next[N];
    double area = 0, cycle = 0;

    memset(pi, 0, sizeof pi);
    pi[0] = 1;
    for (int it = 0; it < 3000; it++) {
        memset(next, 0, sizeof next);
        for (int n = 0; n < N; n++) {
            long size = n == 0 ? 1 : n < k ? n : k, rest = n > size ? n - size : 0;
            double x = rate * (a + b * (double)size), p = exp(-x) * pi[n];

            for (int come = 0; rest + come < N; come++) {
                next[rest + come] += p;
                p *= x / (come + 1);
            }
        }
        memcpy(pi, next, sizeof pi);
    }
    for (int n = 0; n < N; n++) {
        long size = n == 0 ? 1 : n < k ? n : k, rest = n > size ? n - size : 0;
        double s = a + b * (double)size;

        cycle += pi[n] * (s + (n == 0 ? 1 / rate : 0));
        area +=
            pi[n] * ((double)rest * s + rate * s * s / 2 + (double)size * s); /* waiting, and in the batch */
    }
    return area / cycle / rate; /* Little */
}

Test(inference, whoever_waits_shares_the_next_batch)
{
    static const struct {
        long k;
        double rate;
    } cases[] = {{2, 1.2}, {8, 2.5}, {32, 4.5}};

    for (int i = 0; i < 3; i++) {
        char params[200];
        struct tally w;

        snprintf(params, sizeof params,
                 "{\"max_batch\": %ld, \"tokens\": 1, \"fixed\": \"0.9s\", \"per_token\": \"0.1s\"}",
                 cases[i].k);
        w = times(params, cases[i].rate, 1);
        tiny_expect(&w, bulk_queue(cases[i].k, 0.9, 0.1, cases[i].rate), 0.002, "bulk queue");
    }
}

Test(inference, a_lone_text_waits_the_whole_window)
{
    struct tiny t;

    tiny_begin(&t, "inference",
               "{\"max_batch\": 8, \"max_wait\": \"50ms\", \"fixed\": \"10ms\", \"per_token\": 0}", 1);
    tiny_servers(&t, ROLE_GPU, 1);
    tiny_open(&t);
    tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_float_eq(t.time_s.mean, 0.060, 1e-12);
    for (int i = 0; i < 8; i++) /* a full batch waits for nobody */
        tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_float_eq(t.host.sim->now, 0.070, 1e-12);
    cr_expect_float_eq(tiny_figure(&t, "batch_texts_mean"), 4.5, 1e-12);
    tiny_end(&t);
}

Test(inference, candidates_fill_several_batches)
{
    struct tiny t;

    tiny_begin(
        &t, "inference",
        "{\"task\": \"rerank\", \"candidates\": 50, \"max_batch\": 32, \"tokens\": 100, \"fixed\": \"2ms\","
        " \"per_token\": \"10us\", \"usd_per_1m_tokens\": 2}",
        1);
    tiny_servers(&t, ROLE_GPU, 1);
    tiny_open(&t);
    tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_float_eq(t.time_s.mean, 2 * 0.002 + 50 * 100 * 10e-6, 1e-12);
    cr_expect_float_eq(t.last->usd, 5000 * 2e-6, 1e-15);
    tiny_end(&t);
}

Test(inference, core_seconds_are_split_over_threads)
{
    struct tiny t;

    tiny_begin(&t, "inference", "{\"threads\": 4, \"tokens\": 0, \"fixed\": \"8s\"}", 1);
    tiny_cores(&t, 2);
    tiny_open(&t);
    tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_float_eq(t.time_s.mean, 4, 1e-9); /* four threads on two cores */
    cr_expect_float_eq(t.op_s[0], 8, 1e-9);
    tiny_end(&t);
}

Test(inference, what_no_batch_has_taken_can_be_called_back)
{
    struct tiny t;
    struct tiny_visit *a, *b, *c;

    tiny_begin(&t, "inference", "{\"max_batch\": 1, \"tokens\": 0, \"fixed\": \"1s\"}", 1);
    tiny_servers(&t, ROLE_GPU, 1);
    tiny_open(&t);
    a = tiny_send(&t);
    b = tiny_send(&t);
    c = tiny_send(&t);
    sim_run(t.host.sim, 0.5);
    cr_expect(!t.model->server->withdraw(t.state, &a->v), "it runs");
    cr_expect(t.model->server->withdraw(t.state, &c->v));
    cr_expect(t.model->server->withdraw(t.state, &b->v));
    tiny_send(&t);
    t.model->server->assert_laws(t.state);
    sim_run(t.host.sim, INFINITY);
    cr_expect_eq(t.left, 2);
    cr_expect_float_eq(t.host.sim->now, 2, 1e-12);
    tiny_end(&t);
}
