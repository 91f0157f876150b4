#include "models/feature_store.h"
#include "tests/unit/tiny_host.h"

#include <gsl/gsl_cdf.h>

enum { REPS = 12 };

static struct tally times(const char *params, long cores, long n, double rate)
{
    struct tally means = {0};

    for (uint64_t s = 1; s <= REPS; s++) {
        struct tiny t;

        tiny_begin(&t, "feature_store", params, s);
        tiny_cores(&t, cores);
        tiny_open(&t);
        tiny_run(&t, n, rate);
        tally_add(&means, t.time_s.mean);
        tiny_end(&t);
    }
    return means;
}

Test(feature_store, keys_fall_on_as_many_shards_as_balls_into_boxes)
{
    struct tiny t;
    double theory;

    tiny_begin(&t, "feature_store", "{\"shards\": 16, \"keys\": 20}", 1);
    tiny_cores(&t, 1000);
    tiny_open(&t);
    theory = feature_store_shards_asked(t.cfg, 20);
    cr_expect_float_eq(theory, 16 * (1 - pow(15.0 / 16, 20)), 1e-12);
    tiny_run(&t, 20000, 10);
    cr_expect_float_eq(tiny_figure(&t, "shards_asked_mean"), theory, 0.04);
    tiny_end(&t);
}

/* The maximum of m independent answers, m the number of shards asked: E[max] = integral of 1 - sum P(m) F^m.
 */
static double fan_out(int shards, int keys, double mean, double cv)
{
    double p[65] = {0}, s2 = log1p(cv * cv), sum = 0, step = mean * 1e-3;

    p[0] = 1;
    for (int k = 0; k < keys; k++)
        for (int m = shards; m >= 0; m--)
            p[m] = p[m] * m / shards + (m > 0 ? p[m - 1] * (shards - m + 1) / shards : 0);
    for (double x = step / 2; x < 80 * mean; x += step) {
        double f = gsl_cdf_lognormal_P(x / mean, -s2 / 2, sqrt(s2)), all = 0;

        for (int m = 1; m <= shards; m++)
            all += p[m] * pow(f, m);
        sum += step * (1 - all);
    }
    return sum;
}

Test(feature_store, the_slowest_shard_answers)
{
    struct tally w =
        times("{\"shards\": 16, \"keys\": 12, \"rtt\": 0, \"overhead\": \"1ms\", \"per_key\": 0, \"cv\": 1}",
              4096, 20000, 10);

    tiny_expect(&w, fan_out(16, 12, 1e-3, 1), 0.001, "order statistics");
}

Test(feature_store, hiccups_make_the_tail_of_a_wide_fan_out)
{
    const char *narrow = "{\"shards\": 1, \"rtt\": 0, \"cv\": 0, \"slow_frac\": 0.01, \"slow_factor\": 100}";
    const char *wide =
        "{\"shards\": 64, \"keys\": 1000, \"per_key\": 0, \"overhead\": \"1ms\", \"rtt\": 0, \"cv\": 0,"
        " \"slow_frac\": 0.01, \"slow_factor\": 100}";
    struct tally one = times(narrow, 4096, 5000, 10), all = times(wide, 4096, 2000, 10);
    double p = 1 - pow(0.99, 64);

    tiny_expect(&one, 150e-6 * (0.99 + 0.01 * 100), 0, "one shard");
    tiny_expect(&all, 1e-3 * (1 - p + p * 100), 0.002, "64 shards");
}

Test(feature_store, a_shard_with_few_threads_queues)
{
    struct tally w = times("{\"shards\": 1, \"keys\": 1, \"threads\": 1, \"rtt\": 0, \"overhead\": \"1s\", "
                           "\"per_key\": 0, \"cv\": 0}",
                           8, 20000, 0.8);

    tiny_expect(&w, 3, 0, "M/D/1 rho .8");
}

/* Che: a key stays for the time t in which the cache sees as many others as it holds. */
static double che(double n, double s, double size)
{
    double lo = 0, hi = 1e12, norm = 0, hit = 0;

    for (double k = 1; k <= n; k++)
        norm += pow(k, -s);
    for (int i = 0; i < 200; i++) {
        double t = 0.5 * (lo + hi), in = 0;

        for (double k = 1; k <= n; k++)
            in += -expm1(-t * pow(k, -s) / norm);
        if (in < size)
            lo = t;
        else
            hi = t;
    }
    for (double k = 1; k <= n; k++)
        hit += pow(k, -s) / norm * -expm1(-lo * pow(k, -s) / norm);
    return hit;
}

Test(feature_store, the_cache_hits_as_often_as_che_says)
{
    struct tiny t;

    tiny_begin(&t, "feature_store",
               "{\"cache_entries\": 1000, \"entities\": 20000, \"skew\": 0.9, \"keys\": 20}", 3);
    tiny_cores(&t, 64);
    tiny_open(&t);
    tiny_run(&t, 3000, 1000);
    t.left = 0;
    t.model->server->begin_measuring(t.state);
    tiny_run(&t, 10000, 1000);
    cr_expect_float_eq(tiny_figure(&t, "cache_hit_frac"), che(20000, 0.9, 1000), 0.01);
    tiny_end(&t);
}

Test(feature_store, stale_values_cost_quality)
{
    struct tiny t;

    tiny_begin(&t, "feature_store", "{\"lag\": \"60s\", \"freshness\": [[0, 1], [120, 0.9]]}", 3);
    tiny_cores(&t, 1);
    tiny_open(&t);
    tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_float_eq(t.last->quality, 0.95, 1e-12);
    tiny_end(&t);
}

Test(feature_store, a_join_reads_history_and_writes_wide_rows)
{
    struct tiny t;
    struct join_bytes j;

    tiny_begin(&t, "feature_store",
               "{\"mode\": \"offline\", \"label_row_bytes\": 100, \"features\": 50, \"value_bytes\": 8, "
               "\"updates_per_row\": 4,"
               " \"update_bytes\": 25, \"join_memory\": 1e6, \"sort_rate\": \"1MB/s\"}",
               3);
    j = feature_store_join(t.cfg, 1000);
    cr_expect_float_eq(j.read, 200e3, 1e-9);
    cr_expect_float_eq(j.written, 500e3, 1e-9);
    j = feature_store_join(t.cfg, 10000);
    cr_expect_float_eq(j.read, 4e6, 1e-9, "what does not fit is written and read once more");
    cr_expect_float_eq(j.written, 7e6, 1e-9);
    tiny_cores(&t, 1);
    tiny_link(&t, ROLE_DISK_READ, 1e6);
    t.link[ROLE_DISK_WRITE] = t.link[ROLE_DISK_READ];
    tiny_open(&t);
    tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_float_eq(t.host.sim->now, 200e-6 + 200e-6 + 500e-6, 1e-9); /* one row */
    tiny_end(&t);
}
