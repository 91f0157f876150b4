#include "models/vector_db.h"
#include "models/zipf.h"
#include "tests/unit/tiny_host.h"

#include <gsl/gsl_cdf.h>
#include <stdio.h>
#include <string.h>

static struct vector_db_cfg *config(struct arena *a, const char *params)
{
    struct vector_db_cfg *c = ARENA_NEW(a, struct vector_db_cfg);
    struct model_env env = {.where = "$.params", .arena = a};
    struct err err = {0};
    struct json *tree;

    cr_assert_eq(json_parse(params, "params", &tree, &err), 0, "%s", err.text);
    cr_assert_eq(param_load(model_find("vector_db")->params, tree, "$", a, c, &err), 0, "%s", err.text);
    cr_assert_eq(model_find("vector_db")->check(c, &env, &err), 0, "%s", err.text);
    return c; /* the tree stays: the configuration points into it */
}

/* ------------------------------------------------------------------------------------------ physics */

Test(vector_index, a_flat_scan_reads_every_code)
{
    struct arena *a = arena_new();
    struct vector_db_cfg *c =
        config(a, "{\"index\": \"flat\", \"code\": \"int8\", \"dims\": 100, \"scan_rate\": \"1GB/s\"}");
    struct vector_work w = vector_search_work(c, 1e6, 1);

    cr_expect_eq(w.distances, 1e6);
    cr_expect_float_eq(w.mem_bytes, 1e8, 1e-3);
    cr_expect_float_eq(w.cpu_s, 0.1, 1e-12);
    arena_free(a);
}

Test(vector_index, measured_searches_say_what_their_kind_of_index_takes_and_finds)
{
#define SEARCHES                                                                                             \
    "\"searches\": {\"flat\": [[1, \"4ms\", 1]], \"ivf\": [[4, \"1ms\", 0.5], [16, \"3ms\", 0.9]]}"
    struct arena *a = arena_new();
    struct vector_db_cfg *c = config(a, "{\"index\": \"ivf\", \"nprobe\": 8, " SEARCHES "}");

    cr_expect_float_eq(vector_search_work(c, 1e6, 1).cpu_s, 1e-3 + 2e-3 * 4 / 12, 1e-12);
    cr_expect_float_eq(vector_recall(c), 0.7, 1e-12); /* straight against the logarithm of the effort */
    c->nprobe = 100;                                  /* beyond the last: never continued */
    cr_expect_float_eq(vector_search_work(c, 1e6, 1).cpu_s, 3e-3, 1e-12);
    c = config(a, "{\"index\": \"flat\", " SEARCHES "}");
    cr_expect_float_eq(vector_search_work(c, 1e6, 1).cpu_s, 4e-3, 1e-12);
    c = config(a, "{\"index\": \"hnsw\", " SEARCHES "}"); /* not measured: the law */
    cr_expect_eq(c->measured_s.n, 0);
    arena_free(a);
#undef SEARCHES
}

Test(vector_index, a_kind_of_index_that_nobody_measures_is_refused_with_the_nearest)
{
    struct arena *a = arena_new();
    struct vector_db_cfg *c = config(a, "{}");
    struct model_env env = {.where = "$.params", .arena = a};
    struct err err = {0};
    struct json *tree;

    cr_assert_eq(json_parse("{\"ivff\": [[1, 1, 1]]}", "searches", &tree, &err), 0);
    c->searches = tree;
    cr_expect_neq(vector_read_searches(c, &env, &err), 0);
    cr_expect(strstr(err.text, "did you mean \"ivf\"") != NULL, "%s", err.text);
    json_free(tree);
    arena_free(a);
}

/* Lists of lognormal length; a query falls into a list as often as a vector does. */
Test(vector_index, probed_lists_are_longer_than_the_average)
{
    enum { LISTS = 20000 };
    struct arena *a = arena_new();
    struct vector_db_cfg *c =
        config(a, "{\"index\": \"ivf\", \"nlist\": 20000, \"nprobe\": 1, \"list_cv\": 0.5}");
    double *length = arena_array(a, LISTS, sizeof *length), sum = 0, biased = 0;
    struct rng r;

    rng_stream(&r, 1, 0, "lists");
    for (int i = 0; i < LISTS; i++)
        sum += length[i] = rng_lognormal(&r, 50, 0.5);
    for (int i = 0; i < LISTS; i++)
        biased += length[i] * length[i] / sum;
    cr_expect_float_eq(vector_search_work(c, sum, 1).distances - LISTS, biased, 0.02 * biased);
    arena_free(a);
}

Test(vector_index, a_graph_touches_more_with_effort_and_hardly_more_with_size)
{
    struct arena *a = arena_new();
    struct vector_db_cfg *c =
        config(a, "{\"index\": \"hnsw\", \"m_links\": 16, \"fresh_frac\": 0.5, \"ef\": 100}");
    double small = vector_search_work(c, 1e6, 1).distances, large = vector_search_work(c, 1e9, 1).distances;

    cr_expect_float_eq(small, 100 * 32 * 0.5 + log(1e6) / log(16) * 8, 1e-9);
    cr_expect(large > small && large < 1.05 * small);
    c->ef = 400;
    cr_expect_float_eq(vector_search_work(c, 1e6, 1).distances - small, 300 * 16, 1e-9);
    c->k = 1000; /* fewer candidates than neighbours cannot be kept */
    cr_expect(vector_search_work(c, 1e6, 1).distances > 1000 * 16);
    arena_free(a);
}

Test(vector_index, an_ssd_graph_reads_a_sector_for_each_node_in_rounds_of_the_beam)
{
    struct arena *a = arena_new();
    struct vector_db_cfg *c =
        config(a, "{\"index\": \"ssd_graph\", \"dims\": 128, \"ef\": 100, \"beam\": 8, \"code\": \"pq\"}");
    struct vector_work w = vector_search_work(c, 1e9, 1);

    cr_expect_eq(w.ios, 100);
    cr_expect_eq(w.io_rounds, 13);
    cr_expect_eq(w.io_bytes, 409600);
    c->cached_frac = 0.5;
    cr_expect_eq(vector_search_work(c, 1e9, 1).io_rounds, 7);
    c->dims = 2048; /* 8 KiB of vector and its links: three sectors */
    cr_expect_eq(vector_search_work(c, 1e9, 1).ios, 150);
    arena_free(a);
}

Test(vector_index, a_narrow_filter_is_cheaper_by_brute_force)
{
    struct arena *a = arena_new();
    struct vector_db_cfg *c = config(a, "{\"filter_frac\": 0.5}");
    double loose, narrow;

    loose = vector_search_work(c, 1e6, 1).distances;
    cr_expect(loose > 1.9 * 100 * 16, "half pass: twice the candidates");
    c->filter_frac = 0.0001;
    narrow = vector_search_work(c, 1e6, 1).distances;
    cr_expect_float_eq(narrow, 100, 1e-9, "%g", narrow);
    c->filter = FILTER_POST;
    cr_expect(vector_search_work(c, 1e6, 1).distances > 1e5);
    arena_free(a);
}

Test(vector_index, recall_is_measured_or_a_power_of_effort)
{
    struct arena *a = arena_new();
    struct vector_db_cfg *c =
        config(a, "{\"k\": 10, \"ef\": 200, \"recall_reference\": 0.9, \"recall_exponent\": 1}");

    cr_expect_float_eq(vector_recall(c), 0.95, 1e-12);
    c->recall_cap = 0.93;
    cr_expect_float_eq(vector_recall(c), 0.93, 1e-12);
    c = config(a, "{\"k\": 10, \"ef\": 200, \"recall\": [[100, 0.8], [400, 0.9]]}");
    cr_expect_float_eq(vector_recall(c), 0.85, 1e-12);
    c->ef = 4000; /* never beyond what was measured */
    cr_expect_float_eq(vector_recall(c), 0.9, 1e-12);
    arena_free(a);
}

Test(vector_index, memory_counts_codes_links_and_copies)
{
    struct arena *a = arena_new();
    struct vector_db_cfg *c = config(a, "{\"vectors\": 1000000, \"dims\": 768, \"m_links\": 16}");
    double one = vector_memory_bytes(c);

    cr_expect_float_eq(one, 1e6 * (3072 + 8 + 128 + 4), 1);
    c->replicas = 3;
    cr_expect_float_eq(vector_memory_bytes(c), 3 * one, 1);
    c->index = INDEX_SSD_GRAPH;
    c->code = CODE_PQ;
    cr_expect(vector_memory_bytes(c) < one && vector_ssd_bytes(c) > 0);
    arena_free(a);
}

/* ------------------------------------------------------------------------------------- what happens */

enum { REPS = 12, QUERIES = 10000 };
#define THOUSAND "\"vectors\": 1000, " ONE_BYTE
#define ONE_BYTE                                                                                             \
    "\"index\": \"flat\", \"code\": \"int8\", \"dims\": 1, \"rtt\": 0, \"overhead\": 0, "                    \
    "\"scan_rate\": \"1kB/s\""

/* A flat scan of a thousand bytes at a thousand a second takes one second. */
static struct tally times(const char *params, long cores, double rate)
{
    struct tally means = {0};

    for (uint64_t s = 1; s <= REPS; s++) {
        struct tiny t;

        tiny_begin(&t, "vector_db", params, s);
        tiny_cores(&t, cores);
        tiny_open(&t);
        tiny_run(&t, QUERIES, rate);
        tally_add(&means, t.time_s.mean);
        tiny_end(&t);
    }
    return means;
}

Test(vector_db, one_thread_is_m_d_1)
{
    struct tally w = times("{" THOUSAND ", \"cv\": 0}", 1, 0.8);

    tiny_expect(&w, 3, 0, "M/D/1 rho .8");
}

Test(vector_db, queries_that_all_run_at_once_share_the_cores)
{
    struct tally w = times("{" THOUSAND ", \"cv\": 0.7, \"threads\": 100000}", 1, 0.7);

    tiny_expect(&w, 1 / 0.3, 0, "M/G/1-PS rho .7");
}

Test(vector_db, replicas_at_random_are_queues_of_their_own)
{
    struct tally w = times("{" THOUSAND ", \"cv\": 0, \"replicas\": 4, \"routing\": \"random\"}", 4, 3.2);
    struct tally best = times("{" THOUSAND ", \"cv\": 0, \"replicas\": 4}", 4, 3.2);

    tiny_expect(&w, 3, 0, "four M/D/1");
    cr_expect(best.mean < 0.75 * w.mean, "asking the least loaded is better: %g", best.mean);
}

/* E[max of S lognormals of mean 1], the integral of 1 - F^S. */
static double slowest(double cv, int shards)
{
    double s2 = log1p(cv * cv), mu = -s2 / 2, sum = 0, step = 1e-3;

    for (double x = step / 2; x < 60; x += step)
        sum += step * (1 - pow(gsl_cdf_lognormal_P(x, mu, sqrt(s2)), shards));
    return sum;
}

Test(vector_db, the_slowest_shard_answers)
{
    static const int shards[] = {1, 4, 16};

    for (int i = 0; i < 3; i++) {
        char params[300];
        struct tally w;

        snprintf(params, sizeof params, "{" ONE_BYTE ", \"cv\": 0.8, \"shards\": %d, \"vectors\": %d}",
                 shards[i], 1000 * shards[i]);
        w = times(params, 4096, 1e-3);
        tiny_expect(&w, slowest(0.8, shards[i]), 0.001, "order statistics");
    }
}

Test(vector_db, segments_in_parallel_shorten_a_lone_query_and_do_the_same_work)
{
    struct tiny t;

    tiny_begin(&t, "vector_db", "{" THOUSAND ", \"cv\": 0, \"segments\": 4, \"parallel\": 4}", 1);
    tiny_cores(&t, 8);
    tiny_open(&t);
    tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_float_eq(t.time_s.mean, 0.25, 1e-9);
    cr_expect_float_eq(t.op_s[VECTOR_SEARCH], 1, 1e-9);
    tiny_end(&t);
}

Test(vector_db, the_memory_bus_is_shared)
{
    struct tiny t;

    tiny_begin(&t, "vector_db", "{" THOUSAND ", \"cv\": 0, \"threads\": 8}", 1);
    tiny_cores(&t, 8);
    tiny_link(&t, ROLE_MEM, 2000); /* two scans at a time at full speed */
    tiny_open(&t);
    for (int i = 0; i < 8; i++)
        tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_float_eq(t.host.sim->now, 4, 1e-9);
    tiny_end(&t);
}

Test(vector_db, a_full_cache_of_answers_holds_the_popular_ones)
{
    struct tiny t;
    double hits, most;

    tiny_begin(&t, "vector_db",
               "{" THOUSAND ", \"cache_entries\": 500, \"distinct_queries\": 5000, \"query_skew\": 0.9}", 1);
    tiny_cores(&t, 64);
    tiny_open(&t);
    tiny_run(&t, 20000, 100);
    t.model->server->begin_measuring(t.state);
    t.left = 0;
    tiny_run(&t, 20000, 100);
    hits = tiny_figure(&t, "answer_cache_hit_frac");
    most = zipf_top(5000, 0.9, 500);
    cr_expect(hits < most && hits > 0.7 * most, "LRU hits %g, the best cache %g", hits, most);
    tiny_end(&t);
}

Test(vector_db, a_rate_limit_refuses_and_backing_off_gets_through_later)
{
    struct tiny t;

    tiny_begin(
        &t, "vector_db",
        "{\"index\": \"hosted\", \"hosted\": \"20ms\", \"rtt\": 0, \"rate_limit\": \"100/s\", \"burst\": 1, "
        "\"backoff\": \"1s\", \"retries\": 1000, \"usd_per_query\": 0.001}",
        1);
    tiny_open(&t);
    for (int i = 0; i < 50; i++)
        tiny_send(&t);
    sim_run(t.host.sim, INFINITY);
    cr_expect_eq(t.left, 50);
    cr_expect_eq(t.failed, 0);
    cr_expect(t.time_s.max > 0.52, "whoever was refused waited at least half a second: %g", t.time_s.max);
    cr_expect_float_eq(t.time_s.min, 0.02, 1e-12);
    cr_expect(tiny_figure(&t, "refused_frac") > 0.4);
    cr_expect_float_eq(t.last->usd, 0.001, 1e-15);
    tiny_end(&t);
}

Test(vector_db, no_more_than_the_limit_gets_through_and_the_rest_fails)
{
    struct tiny t;

    tiny_begin(
        &t, "vector_db",
        "{\"index\": \"hosted\", \"hosted\": \"1ms\", \"rtt\": 0, \"rate_limit\": \"100/s\", \"retries\": 0}",
        1);
    tiny_open(&t);
    tiny_run(&t, 20000, 400);
    cr_expect_float_eq((double)(t.left - t.failed) / t.host.sim->now, 100, 2);
    cr_expect_float_eq(tiny_figure(&t, "failed_frac"), 0.75, 0.02);
    tiny_end(&t);
}

Test(vector_db, writes_take_the_cores_and_segments_are_rebuilt)
{
    struct tiny t;
    double each;

    tiny_begin(&t, "vector_db",
               "{\"operation\": \"insert\", \"overhead\": 0, \"replicas\": 2, \"compact_every\": 100}", 1);
    tiny_cores(&t, 2);
    tiny_open(&t);
    each = vector_db_insert_s(t.cfg);
    tiny_run(&t, 1000, 10);
    cr_expect_eq(tiny_figure(&t, "compactions"), 10);
    cr_expect_float_eq(t.op_s[VECTOR_INSERT], 1000 * each, 1e-9);
    cr_expect_float_eq(t.op_s[VECTOR_COMPACT], 1000 * each, 1e-9);
    tiny_end(&t);
}

Test(vector_db, the_same_seed_is_the_same_run)
{
    struct tiny a, b;

    tiny_begin(&a, "vector_db",
               "{\"index\": \"ivf\", \"shards\": 3, \"replicas\": 2, \"routing\": \"random\"}", 9);
    tiny_begin(&b, "vector_db",
               "{\"index\": \"ivf\", \"shards\": 3, \"replicas\": 2, \"routing\": \"random\"}", 9);
    tiny_cores(&a, 12);
    tiny_cores(&b, 12);
    tiny_open(&a);
    tiny_open(&b);
    tiny_run(&a, 2000, 500);
    tiny_run(&b, 2000, 500);
    cr_expect_eq(memcmp(&a.time_s, &b.time_s, sizeof a.time_s), 0);
    cr_expect_eq(a.host.sim->events, b.host.sim->events);
    tiny_end(&a);
    tiny_end(&b);
}

Test(vector_db, more_at_once_than_there_is_to_search_is_an_error)
{
    struct arena *a = arena_new();
    struct vector_db_cfg *c = config(a, "{}");
    struct model_env env = {.where = "$.stages[1].params", .arena = a};
    struct err err = {0};

    c->parallel = 4;
    cr_expect_neq(model_find("vector_db")->check(c, &env, &err), 0);
    cr_expect_not_null(strstr(err.text, "$.stages[1].params.parallel: 4 of 1"), "%s", err.text);
    arena_free(a);
}
