/*
 * bench_llm.c - what one request costs an LLM engine: near saturation, light, and how that grows.
 *
 *   bench_llm saturated N | light N      one engine at tp 2 from an operator table, lengths of about 1,000 in
 * and 250 out, Poisson arrivals: at nine tenths of what it can do; at 0.5/s bench_llm fleet N 16 replicas,
 * Azure-like lengths (1,200 in, 200 out) bench_llm output TOKENS              1,000 requests with answers of
 * so many tokens, a stable batch bench_llm                            all of them
 *
 * The table is made up but has the shape of those that profilers record: 150 sizes for the linear operators,
 * 20 x 20 for attention alone and 8 x 10 x 20 beside chunks.  Each line of JSON gives nanoseconds a request
 * and how many customers of an M/M/1 station of the same simulation core, timed between the runs, that is.
 */
#include "../unit/llm_host.h"

#include "engine/station.h"
#include "models/model.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ------------------------------------------------------------ the table */

struct table {
    struct arena *a;
    struct cost_row *rows;
    size_t n;
};

static void add(struct table *t, const char *op, double tokens, double batch, double chunk, double context,
                double time_s)
{
    t->rows[t->n++] = (struct cost_row){.hardware = "",
                                        .model = "",
                                        .variant = "",
                                        .op = op,
                                        .devices = 2,
                                        .tokens = tokens,
                                        .batch = batch,
                                        .chunk = chunk,
                                        .context = context,
                                        .bytes = NAN,
                                        .time_s = time_s};
}

static void add_attention(struct table *t)
{
    for (double context = 16; context <= 16384; context *= 1.5) {
        for (double chunk = 16; chunk <= 8192; chunk *= 2)
            add(t, "attention_prefill", chunk, 1, chunk, context - 16,
                8e-6 + 4e-11 * chunk * (context + chunk / 2));
        for (double n = 1; n <= 512; n *= 2) {
            double alone = 8e-6 + 1.2e-9 * n * context;

            add(t, "attention_decode", n, n, 0, context, alone);
            for (double chunk = 16; chunk <= 8192; chunk *= 4) {
                add(t, "attention_mixed", chunk + n, 1, chunk, 0,
                    8e-6 + 4e-11 * chunk * chunk / 2 + 2 * alone);
                t->rows[t->n - 1].variant = arena_printf(t->a, "decodes=%g,decode_context=%g", n, context);
            }
        }
    }
}

static int costs(void *ctx, const char *ref, struct arena *a, struct cost_row **rows, size_t *n,
                 struct err *err)
{
    struct table t = {.a = a, .rows = arena_array(a, 20000, sizeof *t.rows)};

    (void)ctx, (void)ref, (void)err;
    for (double tokens = 1; tokens <= 8192; tokens += tokens < 16 ? 1 : tokens < 2048 ? 16 : 256) {
        static const char *const ops[] = {"qkv_proj", "o_proj", "gate_up_proj", "down_proj"};
        static const double share[] = {1.5, 1, 7, 3.5};

        for (int i = 0; i < 4; i++)
            add(&t, ops[i], tokens, NAN, NAN, NAN, share[i] * fmax(4e-6, 2.4e-8 * tokens));
        add(&t, "layernorm", tokens, NAN, NAN, NAN, 2.5e-6 + 3e-9 * tokens);
    }
    for (double s = 1; s <= 512; s *= 2)
        add(&t, "lm_head", NAN, s, NAN, NAN, 3e-4 + 5e-7 * s);
    add_attention(&t);
    *rows = t.rows;
    *n = t.n;
    return 0;
}

static const void *configure(struct arena *a, const char *params)
{
    static const struct lookup lookup = {.costs = costs};
    const struct model *m = model_find("llm_serving");
    struct model_env env = {.where = "$.params", .arena = a, .lookup = &lookup};
    void *cfg = arena_alloc(a, m->cfg_size);
    struct json *tree;
    struct err err = {0};

    if (json_parse(params, "params", &tree, &err) != 0 ||
        param_load(m->params, tree, "$", a, cfg, &err) != 0 || m->check(cfg, &env, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return cfg;
}

#define ENGINE                                                                                               \
    "\"ops\": \"trace:made-up\", \"tp\": 2, \"max_batch\": 256, \"max_tokens\": 2048, \"model\": "           \
    "{\"layers\": 32}, "                                                                                     \
    "\"hardware\": {}, \"prefix_cache\": false"

/* ------------------------------------------------------------ the yardstick */

struct mm1 {
    struct station *server;
    struct rng arrivals, services;
    uint64_t left;
};

static void nothing(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim, (void)self, (void)arg;
}

static void mm1_arrive(struct sim *sim, void *self, uint64_t arg)
{
    struct mm1 *m = self;

    station_enter(m->server, rng_exponential(&m->services), nothing, m, arg);
    if (--m->left > 0)
        sim_after(sim, rng_exponential(&m->arrivals) / 0.9, mm1_arrive, m, 0);
}

static double mm1_customer_s(void)
{
    enum { CUSTOMERS = 1000000 };
    struct sim *sim = sim_new(1, 0);
    struct mm1 m = {.server = station_new(sim, "server", 1, -1), .left = CUSTOMERS};
    double start = cpu_s();

    rng_stream(&m.arrivals, 1, 0, "arrivals");
    rng_stream(&m.services, 1, 0, "services");
    sim_after(sim, 1, mm1_arrive, &m, 0);
    sim_run(sim, INFINITY);
    start = cpu_s() - start;
    sim_free(sim);
    return start / CUSTOMERS;
}

/* ------------------------------------------------------------ workloads */

static void make_requests(struct llm_test_request *q, long n, double rate, double input, double output)
{
    double at = 0;
    struct rng r;

    rng_stream(&r, 5, 0, "requests");
    for (long i = 0; i < n; i++) {
        at += rng_exponential(&r) / rate;
        q[i] = (struct llm_test_request){.at_s = at,
                                         .input = 1 + (long)rng_lognormal(&r, input, 0.8),
                                         .output = 1 + (long)rng_lognormal(&r, output, 0.6)};
    }
}

struct outcome {
    double cpu_s, sim_s, ttft_s, steps, events;
};

static struct outcome run(const void *cfg, struct llm_test_request *q, long n, long gpus)
{
    struct llm_test_host t;
    struct outcome o = {0};
    double start = cpu_s();

    llm_test_open(&t, cfg, q, n, gpus);
    llm_test_run(&t);
    o.cpu_s = cpu_s() - start;
    o.sim_s = t.host.sim->now;
    o.steps = (double)((struct llm_engine *)t.state)->count.steps;
    o.events = (double)t.host.sim->events;
    for (long i = 0; i < n; i++)
        o.ttft_s += q[i].r.ttft_s / (double)n;
    llm_test_close(&t);
    return o;
}

static void print(const char *workload, long n, const struct outcome *o, double customer_s)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    printf(
        "{\"workload\": \"llm_%s\", \"n\": %ld, \"cpu_s\": %.6f, \"ns_per_op\": %.1f, \"ops_per_s\": %.0f, "
        "\"mm1_customers_per_request\": %.1f, \"events_per_request\": %.2f, \"steps_per_request\": %.1f, "
        "\"max_rss_bytes\": %ld, \"ttft_mean_s\": %.6g}\n",
        workload, n, o->cpu_s, 1e9 * o->cpu_s / (double)n, (double)n / o->cpu_s,
        o->cpu_s / (double)n / customer_s, o->events / (double)n, o->steps / (double)n, u.ru_maxrss * 1024,
        o->ttft_s);
    fflush(stdout);
}

/* The median of five, each between two runs of the yardstick. */
static void measure(const char *workload, const void *cfg, struct llm_test_request *q, long n, long gpus)
{
    struct outcome o[5], swap;
    double customer_s = INFINITY;

    for (int i = 0; i < 5; i++) {
        customer_s = fmin(customer_s, mm1_customer_s());
        o[i] = run(cfg, q, n, gpus);
    }
    for (int i = 0; i < 5; i++)
        for (int k = i + 1; k < 5; k++)
            if (o[k].cpu_s < o[i].cpu_s) {
                swap = o[i];
                o[i] = o[k];
                o[k] = swap;
            }
    print(workload, n, &o[2], customer_s);
}

static void one_engine(const char *workload, long n, bool light)
{
    struct arena *a = arena_new();
    struct llm_test_request *q = xcalloc((size_t)n, sizeof *q);
    const void *cfg = configure(a, "{" ENGINE "}");
    double rate = 0.5;

    if (!light) { /* what it can do: everything is there from the start */
        make_requests(q, n, 1e6, 1000, 250);
        rate = 0.9 * (double)n / run(cfg, q, n, 2).sim_s;
    }
    make_requests(q, n, rate, 1000, 250);
    measure(workload, cfg, q, n, 2);
    free(q);
    arena_free(a);
}

static void fleet(long n)
{
    struct arena *a = arena_new();
    struct llm_test_request *q = xcalloc((size_t)n, sizeof *q);
    const void *cfg = configure(a, "{" ENGINE ", \"replicas\": 16}");
    struct outcome o;
    long probe = n < 20000 ? n : 20000;
    double rate;

    make_requests(q, probe, 1e6, 1200, 200);
    rate = 0.8 * (double)probe / run(cfg, q, probe, 32).sim_s;
    make_requests(q, n, rate, 1200, 200);
    o = run(cfg, q, n, 32);
    print("fleet", n, &o, mm1_customer_s());
    free(q);
    arena_free(a);
}

static void output_length(double tokens)
{
    enum { N = 1000 };
    struct arena *a = arena_new();
    static struct llm_test_request q[N];
    char name[40];

    for (int i = 0; i < N; i++) /* 64 come together, and leave before the next come */
        q[i] = (struct llm_test_request){.at_s = i / 64 * tokens, .input = 500, .output = (long)tokens};
    snprintf(name, sizeof name, "output_%g", tokens);
    measure(name, configure(a, "{" ENGINE "}"), q, N, 2);
    arena_free(a);
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    double n = argc > 2 ? atof(argv[2]) : 0;

    if (argc == 1) {
        for (long k = 1000; k <= 100000; k *= 10)
            one_engine("saturated", k, false);
        for (long k = 1000; k <= 100000; k *= 10)
            one_engine("light", k, true);
        for (double tokens = 10; tokens <= 10000; tokens *= 10)
            output_length(tokens);
        fleet(1000000);
    } else if (strcmp(what, "saturated") == 0 && n >= 1) {
        one_engine(what, (long)n, false);
    } else if (strcmp(what, "light") == 0 && n >= 1) {
        one_engine(what, (long)n, true);
    } else if (strcmp(what, "fleet") == 0 && n >= 1) {
        fleet((long)n);
    } else if (strcmp(what, "output") == 0 && n >= 1) {
        output_length(n);
    } else {
        fputs("usage: bench_llm [saturated N | light N | fleet N | output TOKENS]\n", stderr);
        return 2;
    }
    return 0;
}
